"""Import: reading what a person drops into the worklist, with progress, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, QTime, Signal

from app.desk import Desk
from app.shell.background import Background
from app.shell.worklist.import_report import ImportBar, Imported
from viewer.imaging.reader import Reader
from viewer.imaging.study import StudyIndex
from viewer.views.reader_adapter import ReaderAdapter


class Importing(QObject):
    """At most one import at a time; a new one replaces the one that runs.

    Parameters
    ----------
    desk
        Returns the desk whose worklist takes the studies.

    Signals
    -------
    imported(Imported)
        The studies are in the store's worklist; bad files are named in it.
    doing(str)
        Words for the status line; empty for idle.
    """

    imported = Signal(object)
    doing = Signal(str)

    def __init__(
        self,
        reader: Reader,
        bar: ImportBar,
        thread: Background,
        desk: Callable[[], Desk | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._bar, self._thread, self._desk = bar, thread, desk
        self._indexer = ReaderAdapter(reader, self)
        self._names: tuple[str, ...] = ()
        self._clock = QElapsedTimer()
        self.last: Imported | None = None
        self._indexer.indexProgress.connect(self._progress)
        self._indexer.indexed.connect(self._indexed)
        self._indexer.indexFailed.connect(self._failed)
        bar.cancelWanted.connect(self.cancel)

    @property
    def new(self) -> frozenset[str]:
        """Study Instance UIDs of the last import."""
        studies = self.last.index.studies if self.last is not None else ()
        return frozenset(study.study_instance_uid for study in studies)

    def start(self, paths: Sequence[Path]) -> None:
        """Read the headers under some paths, in a worker."""
        self._names = tuple(path.name or str(path) for path in paths)
        self._clock.start()
        self._bar.start(self._names)
        self._indexer.index(paths)

    def cancel(self) -> None:
        """Stop reading; the worklist stays as it was."""
        self._indexer.cancel_index()
        self._failed("cancelled", self.tr("Cancelled; the worklist is as it was."))

    def close(self) -> None:
        """End the threads."""
        self._indexer.close()

    def _progress(self, done: int, total: int) -> None:
        self._bar.set_progress(done, total)
        share = round(100 * done / total) if total else 0
        self.doing.emit(self.tr("Importing, {n} %").format(n=share))

    def _failed(self, _code: str, words: str) -> None:
        self._bar.fail(self._names, words)
        self.doing.emit("")

    def _indexed(self, index: StudyIndex) -> None:
        desk = self._desk()
        if desk is None:
            return
        time = QTime.currentTime().toString("HH:mm")
        seconds = self._clock.elapsed() / 1000

        def stored(kept: StudyIndex) -> None:
            outcome = self.last = Imported(self._names, kept, seconds, time)
            self._bar.finish(outcome)
            if kept.studies and not kept.bad_files:
                self._bar.hide()
            self.doing.emit("")
            self.imported.emit(outcome)

        self._thread.run(
            lambda: desk.import_studies(index), stored, lambda error: self._failed("store", str(error))
        )
