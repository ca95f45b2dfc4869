"""Tiles of a whole-slide image on demand: the host's side, with the newest tiles kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.grey import pipeline_of, to_grey
from viewer.imaging.layout import frame_dtype, frame_shape
from viewer.imaging.slide import SlideLevel, levels_of
from viewer.imaging.study import BadFile, Series, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.imaging.worker.host import CancelToken, WorkerHost, WorkerRefused
from viewer.imaging.worker.memory import SharedPool

Picture = npt.NDArray[np.uint8]

KEPT_BYTES: Final = 96 << 20
"""Tiles kept: three screens of 4K."""

MOST_AT_ONCE: Final = 64
"""Most tiles of one call of the worker."""


@dataclass(frozen=True, slots=True)
class TilePlace:
    """A tile of a level: row and column in its grid, focal plane and optical path, all from 0."""

    level: int
    row: int
    column: int
    plane: int = 0
    path: int = 0


class SlideTiles:
    """Reads tiles of one slide through the imaging worker. Methods block; thread-safe.

    Parameters
    ----------
    kept_bytes
        Decoded tiles that stay in memory.

    Raises
    ------
    ValueError
        The series is no slide.
    """

    def __init__(
        self, series: Series, host: WorkerHost, pool: SharedPool, *, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self.levels: tuple[SlideLevel, ...] = levels_of(series)
        if not self.levels:
            raise ValueError("This series is no whole-slide image.")
        self._series, self._host, self._pool = series, host, pool
        self._limit, self._held = kept_bytes, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[TilePlace, Picture] = OrderedDict()

    def kept(self, place: TilePlace) -> Picture | None:
        """Return a tile that is at hand, without waiting."""
        with self._lock:
            found = self._kept.get(place)
            if found is not None:
                self._kept.move_to_end(place)
            return found

    def tile(self, level: int, row: int, column: int, *, cancel: CancelToken | None = None) -> Picture:
        """Return a tile as (row, column, 3) RGB, or (row, column) grey, cropped at the slide's edge.

        Raises
        ------
        IndexError
            There is no such tile.
        WorkerError
            It cannot be shown; the message says why.
        """
        place = TilePlace(level, row, column)
        found = self.tiles([place], cancel=cancel)[place]
        if isinstance(found, BadFile):
            raise WorkerRefused(found.code, found.reason)
        return found

    def tiles(
        self, wanted: Sequence[TilePlace], *, cancel: CancelToken | None = None
    ) -> Mapping[TilePlace, Picture | BadFile]:
        """Return tiles; those of one level are decoded together.

        Raises
        ------
        IndexError
            There is no such tile.
        WorkerError
            Cancelled, or the worker failed.
        """
        found: dict[TilePlace, Picture | BadFile] = {}
        missing: dict[int, list[TilePlace]] = {}
        for place in dict.fromkeys(wanted):
            known = self.kept(place)
            if known is None:
                missing.setdefault(place.level, []).append(place)
            else:
                found[place] = known
        for number, places in missing.items():
            for start in range(0, len(places), MOST_AT_ONCE):
                part = places[start : start + MOST_AT_ONCE]
                found.update(self._decoded(self.levels[number], part, cancel))
        return found

    def forget(self) -> None:
        """Drop the tiles that are kept."""
        with self._lock:
            self._kept.clear()
            self._held = 0

    def _decoded(
        self, level: SlideLevel, places: list[TilePlace], cancel: CancelToken | None
    ) -> dict[TilePlace, Picture | BadFile]:
        tiling = level.tiling
        crops = [tiling.tile_shape(place.row, place.column) for place in places]
        shape = (tiling.rows, tiling.columns, *frame_shape(level.instance)[2:])
        dtype = np.dtype(frame_dtype(level.instance))
        params = {
            "instance": level.instance.model_dump_json(exclude_defaults=True),
            "tiles": [[place.row, place.column, place.plane, place.path] for place in places],
        }
        with self._pool.acquire(len(places) * int(np.prod(shape)) * dtype.itemsize) as buffer:
            result = self._host.call(
                "tiles", params, buffers=[buffer], cancel=cancel, subject=level.instance.path
            )
            bad = {int(index): BadFile.model_validate(one) for index, one in result["bad"]}
            stored = buffer.view(dtype, (len(places), *shape))
            found: dict[TilePlace, Picture | BadFile] = {}
            for index, (place, (rows, columns)) in enumerate(zip(places, crops, strict=True)):
                if index in bad:
                    found[place] = bad[index]
                    continue
                picture = self._shown(level, stored[index, :rows, :columns])
                self._keep(place, picture)
                found[place] = picture
        return found

    def _shown(self, level: SlideLevel, stored: npt.NDArray[np.generic]) -> Picture:
        """Return stored values as the screen shows them, in memory of their own.

        Grey tiles have one window for all: that of the header, else all values that there may be.
        """
        if stored.ndim == 3:
            picture = np.array(stored, dtype=np.uint8)
        else:
            index = self._series.instances.index(level.instance)
            stack = ImageStack(self._series, stored[np.newaxis], ((index, 1),))
            windows = level.instance.of_frame(1).windows
            whole = 1 << level.instance.bits_stored
            window = windows[0] if windows else WindowPreset(center=whole / 2, width=whole)
            picture = to_grey(np.ascontiguousarray(stored), pipeline_of(stack, 0, window))
        picture.flags.writeable = False
        return picture

    def _keep(self, place: TilePlace, picture: Picture) -> None:
        with self._lock:
            replaced = self._kept.pop(place, None)
            self._held += picture.nbytes - (0 if replaced is None else replaced.nbytes)
            self._kept[place] = picture
            while self._held > self._limit and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._held -= oldest.nbytes
