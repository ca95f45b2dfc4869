"""The words of the worklist's search looked for in reports too, on the store's thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.desk import Desk
from app.report_search import Found
from app.shell.background import Background, Job
from app.shell.worklist.page import WorklistPage

REST_MS = 180
"""How long typing rests before the reports are searched, milliseconds."""


class WorklistSearch(QObject):
    """Adds to the list what stands in reports; an answer to words that are typed no more is dropped."""

    def __init__(
        self, page: WorklistPage, store_thread: Background, desk: Callable[[], Desk | None]
    ) -> None:
        super().__init__(page)
        self._page, self._thread, self._desk = page, store_thread, desk
        self._job: Job | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._ask)
        page.search.textChanged.connect(self._typed)

    def _typed(self, words: str) -> None:
        if self._job is not None:
            self._job.drop()
            self._job = None
        self._rest.stop()
        if words.strip():
            self._rest.start()

    def _ask(self) -> None:
        desk, words = self._desk(), self._page.search.text()
        if desk is not None:
            self._job = self._thread.run(lambda: desk.search_reports(words), self._take, self._failed)

    def _take(self, found: Found) -> None:
        """Show what was found; reports that were not read yet follow after other work of the store."""
        self._page.show_hits(found.hits)
        if not found.is_complete:
            self._ask()

    def _failed(self, _error: Exception) -> None:
        """The list shows what it found without reports; whoever is signed out searches nothing."""
        self._page.show_hits({})
