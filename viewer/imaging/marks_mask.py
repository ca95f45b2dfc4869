"""The pixels of a brush mark: a mask of one image as run lengths, small enough to be kept as JSON."""

from __future__ import annotations

import base64
import binascii

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from viewer.imaging.contour import mask_rings

Mask = npt.NDArray[np.bool_]

LARGEST_SIDE = 65535
"""Rows and Columns are US (PS3.3 C.7.6.3.1.1)."""


class MaskError(ValueError):
    """Run lengths that do not fill the image they belong to."""


class MarkMask(BaseModel):
    """A mask of one image.

    Parameters
    ----------
    runs
        Lengths of the runs along the rows, from the first pixel on, the first of them outside the
        mask (it may be 0), then inside, and so on: little-endian uint32, base64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(ge=1, le=LARGEST_SIDE)
    columns: int = Field(ge=1, le=LARGEST_SIDE)
    runs: str

    @model_validator(mode="after")
    def _check(self) -> MarkMask:
        if int(self._lengths().sum(dtype=np.int64)) != self.rows * self.columns:
            raise MaskError("The run lengths of a mask do not fill its image.")
        return self

    def _lengths(self) -> npt.NDArray[np.uint32]:
        try:
            packed = base64.b64decode(self.runs, validate=True)
            return np.frombuffer(packed, dtype="<u4")
        except (binascii.Error, ValueError) as error:
            raise MaskError("The run lengths of a mask cannot be read.") from error

    @classmethod
    def of(cls, mask: Mask) -> MarkMask:
        """Pack a (row, column) mask."""
        rows, columns = mask.shape
        flat = np.ascontiguousarray(mask).reshape(-1)
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        starts = np.concatenate(([0], changes, [flat.size]))
        lengths = np.diff(starts)
        if flat[0]:
            lengths = np.concatenate(([0], lengths))
        packed = lengths.astype("<u4").tobytes()
        return cls(rows=rows, columns=columns, runs=base64.b64encode(packed).decode())

    def unpack(self) -> Mask:
        """Return the (row, column) mask."""
        lengths = self._lengths()
        inside = np.arange(lengths.size) % 2 == 1
        return np.repeat(inside, lengths).reshape(self.rows, self.columns)

    def moved(self, columns: int, rows: int) -> MarkMask:
        """Return the mask at another place; what leaves the image is lost."""
        mask = self.unpack()
        there = np.zeros_like(mask)
        across, down = (
            slice(max(step, 0), side + min(step, 0))
            for step, side in ((columns, self.columns), (rows, self.rows))
        )
        from_across, from_down = (
            slice(max(-step, 0), side + min(-step, 0))
            for step, side in ((columns, self.columns), (rows, self.rows))
        )
        if abs(columns) < self.columns and abs(rows) < self.rows:
            there[down, across] = mask[from_down, from_across]
        return MarkMask.of(there)

    @property
    def count(self) -> int:
        """Number of pixels inside."""
        return int(self._lengths()[1::2].sum(dtype=np.int64))

    def box(self) -> tuple[tuple[float, float], ...]:
        """Return the corners of the smallest box of pixels, as centres; empty for an empty mask."""
        mask = self.unpack()
        if not mask.any():
            return ()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        top, bottom = float(rows[0]), float(rows[-1])
        left, right = float(columns[0]), float(columns[-1])
        return (left, top), (right, top), (right, bottom), (left, bottom)

    def outline(self) -> tuple[tuple[float, float], ...]:
        """Return the outline of the largest part, (column, row); empty for an empty mask."""
        rings = mask_rings(self.unpack())
        if not rings:
            return ()
        largest = max(rings, key=_enclosed)
        return tuple((float(column), float(row)) for column, row in largest)


def _enclosed(ring: npt.NDArray[np.float64]) -> float:
    """Area inside a ring, in pixels."""
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2.0


def paint_disc(
    mask: Mask, start: tuple[float, float], end: tuple[float, float], radius: float, *, inside: bool
) -> None:
    """Paint the way of a round brush between two image points, in place.

    Parameters
    ----------
    radius
        In pixels; a pixel is painted when its centre lies within it.
    inside
        Whether the brush adds to the mask or takes away from it.
    """
    ends = np.array([start, end], dtype=np.float64)
    low = np.maximum(np.ceil(ends.min(axis=0) - radius), 0).astype(int)
    high = np.floor(ends.max(axis=0) + radius).astype(int)
    right, bottom = np.minimum(high, [mask.shape[1] - 1, mask.shape[0] - 1])
    if right < low[0] or bottom < low[1]:
        return
    row, column = np.mgrid[low[1] : bottom + 1, low[0] : right + 1]
    along = ends[1] - ends[0]
    square = float(along @ along)
    x, y = column - ends[0, 0], row - ends[0, 1]
    share = np.clip((x * along[0] + y * along[1]) / square, 0.0, 1.0) if square else 0.0
    near = (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2 <= radius**2
    mask[low[1] : bottom + 1, low[0] : right + 1][near] = inside
