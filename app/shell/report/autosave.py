"""Saving by itself: soon after a change, one save at a time, nothing lost when one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTime, QTimer, Signal

from app.shell.background import Background


class Autosave(QObject):
    """Saves one thing at a time; a subclass says what (`take`) and hears of it (`stored`).

    Parameters
    ----------
    pause
        Seconds of rest after which a change is saved.
    at_least
        Seconds after which it is saved while changes go on.

    Signals
    -------
    saved(str)
        Local time of day.
    failed(str)
        Why it was not saved; what is open stays, and the next change tries again.
    """

    saved = Signal(str)
    failed = Signal(str)

    def __init__(
        self, background: Background, *, pause: float, at_least: float, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._subject = object()
        self._changes = 0
        self._kept = 0
        self._is_saving = False
        self._then: list[Callable[[bool], None]] = []
        self._pause = self._timer(pause)
        self._at_least = self._timer(at_least)

    def _timer(self, seconds: float) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(round(1000 * seconds))
        timer.timeout.connect(self.save)
        return timer

    def take(self) -> Callable[[], Any] | None:
        """Return the call that saves what is open now, to be made on a thread; none: nothing is."""
        raise NotImplementedError

    def stored(self, result: Any) -> None:
        """Hear what the call gave back."""

    def begin(self) -> None:
        """Go on to another thing; the one before must have been flushed."""
        self._stop()
        self._subject = object()
        self._changes = self._kept = 0

    @property
    def is_dirty(self) -> bool:
        """True while something is not in the store."""
        return self._changes != self._kept

    def touch(self) -> None:
        """Tell of a change: it is saved after a short rest, or while changes go on."""
        self._changes += 1
        self._pause.start()
        if not self._at_least.isActive():
            self._at_least.start()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save what is open, then go on: true when everything is in the store."""
        self._then.append(then)
        if self.is_dirty or self._is_saving:
            self.save()
        else:
            self._go_on(True)

    def save(self) -> None:
        """Save now, unless a save runs: then again after it."""
        self._stop()
        if self._is_saving:
            return
        work = self.take() if self.is_dirty else None
        if work is None:
            self._go_on(True)
            return
        self._is_saving = True
        subject, changes = self._subject, self._changes

        def done(result: Any) -> None:
            self._is_saving = False
            if self._subject is not subject:
                self._go_on(True)
                return
            self._kept = changes
            self.stored(result)
            self.saved.emit(QTime.currentTime().toString("HH:mm:ss"))
            if self.is_dirty:
                self.save()
            else:
                self._go_on(True)

        def failed(error: Exception) -> None:
            self._is_saving = False
            self.failed.emit(str(error))
            self._go_on(False)

        self._background.run(work, done, failed)

    def _stop(self) -> None:
        self._pause.stop()
        self._at_least.stop()

    def _go_on(self, is_saved: bool) -> None:
        waiting, self._then = self._then, []
        for then in waiting:
            then(is_saved)
