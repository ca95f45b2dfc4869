"""Small pictures of series for worklist and detail panel, made one at a time in the background."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

from app.shell.background import Background
from viewer.imaging.reader import Reader
from viewer.imaging.study import Series
from viewer.views.frame_image import to_qimage

SIZE = 192
"""Longer side of a picture, pixels."""


class Pictures(QObject):
    """Pictures by series key; what was asked for last is made first.

    A series whose picture cannot be made stays without one: opening it names the reason.
    """

    made = Signal(str)

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.by_key: dict[str, QPixmap] = {}
        self._reader = reader
        self._background = Background(1, self)
        self._waiting: deque[Series] = deque()
        self._tried: set[str] = set()

    def want(self, series: Iterable[Series]) -> None:
        """Ask for pictures; these come before what was asked for earlier."""
        for one in reversed([one for one in series if one.key not in self._tried]):
            self._tried.add(one.key)
            self._waiting.appendleft(one)
        self._next()

    def forget(self) -> None:
        """Drop everything: the next person may not see what this one saw."""
        self._waiting.clear()
        self._tried.clear()
        self.by_key.clear()

    def close(self) -> None:
        """Stop."""
        self._waiting.clear()
        self._background.close()

    def _next(self) -> None:
        if not self._waiting or self._background.is_busy:
            return
        series = self._waiting.popleft()

        def done(pixels: npt.NDArray[np.uint8]) -> None:
            if series.key in self._tried:
                self.by_key[series.key] = QPixmap.fromImage(to_qimage(pixels))
                self.made.emit(series.key)
            self._next()

        self._background.run(
            lambda: self._reader.thumbnail(series, size=SIZE), done, lambda _error: self._next()
        )
