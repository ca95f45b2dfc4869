"""Tiles of a slide for painting: fetched on a thread, the newest kept as pictures."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage

from viewer.imaging.study import BadFile
from viewer.imaging.tiles import SlideTiles, TilePlace
from viewer.imaging.worker.cancel import CancelToken
from viewer.imaging.worker.errors import WorkerError
from viewer.views.frame_image import to_qimage

KEPT_BYTES: Final = 128 << 20
"""Pictures kept: four screens of 4K."""

AT_ONCE: Final = 8
"""Tiles of one call: what is looked at next need not wait long for what is looked at no more."""


class TilePictures(QObject):
    """The tiles of one slide that are at hand, and the thread that fetches those that are wanted.

    What is wanted is said anew at every paint; only the newest wish counts.
    """

    changed = Signal()
    """Tiles have come in."""

    _found = Signal(object)

    def __init__(
        self, tiles: SlideTiles, parent: QObject | None = None, *, kept_bytes: int = KEPT_BYTES
    ) -> None:
        super().__init__(parent)
        self.levels = tiles.levels
        self.damaged: dict[TilePlace, str] = {}
        """Tiles that cannot be shown, and why."""
        self._tiles, self._limit, self._held = tiles, kept_bytes, 0
        self._kept: OrderedDict[TilePlace, QImage] = OrderedDict()
        self._lock = threading.Lock()
        self._wanted: list[TilePlace] = []
        self._fetching = False
        self._cancel = CancelToken()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._found.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def picture(self, place: TilePlace) -> QImage | None:
        """Return a tile that is at hand."""
        found = self._kept.get(place)
        if found is not None:
            self._kept.move_to_end(place)
        return found

    def want(self, places: Sequence[TilePlace]) -> None:
        """Fetch these tiles, the first first, and no others any more."""
        missing = [one for one in places if one not in self._kept and one not in self.damaged]
        with self._lock:
            self._wanted = missing
            if not missing or self._fetching:
                return
            self._fetching = True
        self._pool.start(_Fetch(self))

    def close(self) -> None:
        """Stop fetching and let go of all pictures."""
        self._cancel.cancel()
        with self._lock:
            self._wanted = []
        self._pool.waitForDone()
        self._kept.clear()
        self._tiles.forget()

    def fetch(self) -> None:
        """Fetch until nothing is wanted; runs on the thread."""
        while True:
            with self._lock:
                level = self._wanted[0].level if self._wanted else 0
                batch = [one for one in self._wanted if one.level == level][:AT_ONCE]
                self._wanted = [one for one in self._wanted if one not in set(batch)]
                if not batch:
                    self._fetching = False
                    return
            try:
                found = self._tiles.tiles(batch, cancel=self._cancel)
            except WorkerError as error:
                found = {one: BadFile(path="", reason=error.message, code=error.code) for one in batch}
            self._tiles.forget()  # the pictures are kept here
            if self._cancel.cancelled:
                return
            self._found.emit(
                {
                    place: one if isinstance(one, BadFile) else to_qimage(one)
                    for place, one in found.items()
                }
            )

    def _take(self, found: dict[TilePlace, QImage | BadFile]) -> None:
        if self._cancel.cancelled:
            return
        for place, one in found.items():
            if isinstance(one, BadFile):
                self.damaged[place] = one.reason
                continue
            before = self._kept.pop(place, None)  # it was wanted again while it was on its way
            self._held += one.sizeInBytes() - (0 if before is None else before.sizeInBytes())
            self._kept[place] = one
        while self._held > self._limit and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._held -= oldest.sizeInBytes()
        self.changed.emit()


class _Fetch(QRunnable):
    def __init__(self, pictures: TilePictures) -> None:
        super().__init__()
        self._pictures = pictures

    def run(self) -> None:
        self._pictures.fetch()
