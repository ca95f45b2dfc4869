"""Plays a stack by the clock: what is shown depends on the time, so a slow machine skips frames."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

USUAL_RATE = 15.0
"""Frames a second of images that give no rate of their own."""

RATES = (0.1, 120.0)
"""Slowest and fastest rate that is played; headers can say anything."""


def frame_at(start: int, count: int, rate: float, seconds: float, ahead: int = 1) -> int:
    """Return the frame to show some seconds after `start` was shown; after the last comes the first."""
    return (start + ahead * math.floor(seconds * rate)) % count


def milliseconds_to_next(rate: float, seconds: float) -> int:
    """Return how long the frame of this moment stays, in whole milliseconds, at least one."""
    step = math.floor(seconds * rate) + 1
    return max(1, math.ceil((step / rate - seconds) * 1000.0))


class Cine(QObject):
    """Says which frame to show while it plays.

    Parameters
    ----------
    clock
        Seconds that never run backwards.

    Attributes
    ----------
    index
        The frame it asked for last; who shows another one has stopped it.
    rate
        Frames a second; 0 while it does not play.
    """

    stepped = Signal(int)
    """Show this frame."""
    changed = Signal()
    """It began or stopped."""

    def __init__(
        self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self.clock = clock
        self.index = 0
        self.rate = 0.0
        self._start = self._count = 0
        self._ahead = 1
        self._began = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    @property
    def playing(self) -> bool:
        """True while it plays."""
        return self.rate > 0

    def play(self, index: int, count: int, rate: float, *, ahead: int = 1) -> None:
        """Play a stack round and round from a frame on; one image alone does not play.

        Parameters
        ----------
        ahead
            -1 to show the frames in falling order.
        """
        if count < 2:
            return
        rate = min(max(rate, RATES[0]), RATES[1])
        self.index, self.rate = index, rate
        self._start, self._count, self._began = index, count, self.clock()
        self._ahead = ahead
        self._timer.start(milliseconds_to_next(rate, 0.0))
        self.changed.emit()

    def stop(self) -> None:
        """Stop on the frame that is shown."""
        if self.playing:
            self.rate = 0.0
            self._timer.stop()
            self.changed.emit()

    def tick(self) -> None:
        """Ask for the frame of this moment and wake up again when the next one is due."""
        if not self.playing:
            return
        seconds = self.clock() - self._began
        wanted = frame_at(self._start, self._count, self.rate, seconds, self._ahead)
        self._timer.start(milliseconds_to_next(self.rate, seconds))
        if wanted != self.index:
            self.index = wanted
            self.stepped.emit(wanted)
