"""How the frames of a whole-slide image lie in its total pixel matrix (PS3.3 C.7.6.17.3, C.8.12.14)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from viewer.imaging.mappings import pack, unpack

MAX_TILES: Final = 4_000_000
"""Most tiles of one level: 500,000 x 500,000 pixels in tiles of 256."""

Places = npt.NDArray[np.int32]


OVERVIEW_SIDE: Final = 1024
"""The level shown whole is the smallest with a side of at least so many pixels."""

MAX_OVERVIEW_PIXELS: Final = 96_000_000
"""Most pixels of the level that is shown whole."""


class Flavour(StrEnum):
    """What a slide image shows: Image Type value 3 (PS3.3 C.8.12.4.1.1)."""

    VOLUME = "VOLUME"
    THUMBNAIL = "THUMBNAIL"
    LABEL = "LABEL"
    OVERVIEW = "OVERVIEW"


class Tiling(BaseModel):
    """Tiles of one level.

    Parameters
    ----------
    total_rows, total_columns
        Size of the total pixel matrix.
    rows, columns
        Size of a tile; those at the right and lower edge reach over the matrix and are cropped.
    frames
        Number of stored frames.
    planes, paths
        Numbers of focal planes and optical paths.
    spacing
        Row and column spacing, mm; none when the header does not say it.
    packed
        TILED_SPARSE: row and column in the grid of tiles, focal plane and optical path (all from 0) of
        each frame, int32; empty for TILED_FULL.
    """

    model_config = ConfigDict(frozen=True)

    total_rows: int
    total_columns: int
    rows: int
    columns: int
    frames: int
    planes: int = 1
    paths: int = 1
    flavour: Flavour = Flavour.VOLUME
    spacing: tuple[float, float] | None = None
    packed: str = ""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return math.ceil(self.total_rows / self.rows), math.ceil(self.total_columns / self.columns)

    def tile_shape(self, row: int, column: int) -> tuple[int, int]:
        """Return rows and columns of a tile within the matrix.

        Raises
        ------
        IndexError
            There is no such tile.
        """
        rows, columns = self.grid
        if not (0 <= row < rows and 0 <= column < columns):
            raise IndexError(f"The level has {rows} x {columns} tiles; ({row}, {column}) is outside.")
        return (
            min(self.rows, self.total_rows - row * self.rows),
            min(self.columns, self.total_columns - column * self.columns),
        )

    def frame_of(self, row: int, column: int, *, plane: int = 0, path: int = 0) -> int | None:
        """Return the frame, from 0, that holds a tile; none where the slide was not scanned.

        TILED_FULL counts columns first, then rows, focal planes and optical paths.
        """
        self.tile_shape(row, column)
        if self.packed:
            return _frames(self.packed).get((row, column, plane, path))
        rows, columns = self.grid
        frame = ((path * self.planes + plane) * rows + row) * columns + column
        return frame if frame < self.frames else None


def overview_index(sizes: Sequence[tuple[int, int]]) -> int:
    """Return which of some levels, by rows and columns, a stack shows whole.

    The smallest that is at least `OVERVIEW_SIDE` pixels on its longer side, else the largest.
    """
    sides = [max(size) for size in sizes]
    enough = [index for index, side in enumerate(sides) if side >= OVERVIEW_SIDE]
    return min(enough, key=sides.__getitem__) if enough else sides.index(max(sides))


def packed_places(places: Places) -> str:
    """Pack (frame, 4) places for `Tiling.packed`."""
    return pack(places.astype("<i4").tobytes())


@lru_cache(maxsize=16)
def _frames(packed: str) -> dict[tuple[int, int, int, int], int]:
    raw = unpack(packed, MAX_TILES * 16)
    places = np.frombuffer(raw, dtype="<i4").reshape(-1, 4).tolist()
    # Where two frames claim a place the first is shown.
    return {(a, b, c, d): len(places) - 1 - at for at, (a, b, c, d) in enumerate(reversed(places))}
