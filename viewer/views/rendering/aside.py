"""One long computation beside the window: its answer comes back there, unless it is wanted no more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

log = logging.getLogger(__name__)


class Aside(QObject):
    """Runs one call at a time on a thread; a newer call makes the answer of an older one unwanted."""

    busyChanged = Signal(bool)
    failed = Signal()
    _answered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._take: Callable[[Any], None] | None = None
        self._answered.connect(self._done, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        """True while an answer is awaited."""
        return self._take is not None

    def run(self, call: Callable[[], Any], take: Callable[[Any], None]) -> None:
        """Call on a thread and give the answer to `take` in the window's thread."""
        self._number += 1
        self._take = take
        number, answered = self._number, self._answered

        def work() -> None:
            try:
                answer = number, call(), True
            except Exception:  # whatever the computation raises, the window goes on and says so
                log.exception("a computation of the 3D view failed")
                answer = number, None, False
            try:
                answered.emit(answer)
            except RuntimeError:
                log.info("nobody waits for the answer any more")

        threading.Thread(target=work, name="3D computation").start()
        self.busyChanged.emit(True)

    def drop(self) -> None:
        """Want no answer any more."""
        self._number += 1
        if self._take is not None:
            self._take = None
            self.busyChanged.emit(False)

    def _done(self, answer: tuple[int, Any, bool]) -> None:
        number, value, good = answer
        take = self._take
        if number != self._number or take is None:
            return
        self._take = None
        self.busyChanged.emit(False)
        if good:
            take(value)
        else:
            self.failed.emit()
