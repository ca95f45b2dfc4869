"""Outline of a mask in one slice: marching squares at one half, closed rings in image points. No Qt.

Each ring runs through the midpoints between a pixel inside and its neighbour outside, inside on the
right hand (rows grow downwards). Diagonal neighbours count as separate (saddles are cut apart).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Corners of a cell: 1 top left, 2 top right, 4 bottom right, 8 bottom left. Midpoints of its sides, as
# (row, column) steps on a grid of half pixels: top, right, bottom, left.
_TOP, _RIGHT, _BOTTOM, _LEFT = (0, 1), (1, 2), (2, 1), (1, 0)
SEGMENTS: dict[int, tuple[tuple[tuple[int, int], tuple[int, int]], ...]] = {
    1: ((_TOP, _LEFT),),
    2: ((_RIGHT, _TOP),),
    3: ((_RIGHT, _LEFT),),
    4: ((_BOTTOM, _RIGHT),),
    5: ((_TOP, _LEFT), (_BOTTOM, _RIGHT)),
    6: ((_BOTTOM, _TOP),),
    7: ((_BOTTOM, _LEFT),),
    8: ((_LEFT, _BOTTOM),),
    9: ((_TOP, _BOTTOM),),
    10: ((_RIGHT, _TOP), (_LEFT, _BOTTOM)),
    11: ((_RIGHT, _BOTTOM),),
    12: ((_LEFT, _RIGHT),),
    13: ((_TOP, _RIGHT),),
    14: ((_LEFT, _TOP),),
}
"""Directed segments of each cell by its corners; 0 and 15 have none."""


def mask_rings(mask: npt.NDArray[np.bool_]) -> list[FloatArray]:
    """Return the closed rings of a (row, column) mask, each (n, 2) column/row, first not repeated."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return []
    columns = np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    crop = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8), 1)
    cells = crop[:-1, :-1] + 2 * crop[:-1, 1:] + 4 * crop[1:, 1:] + 8 * crop[1:, :-1]
    stride = 2 * crop.shape[1] + 1
    following = _links(cells, stride)
    rings = []
    while following:
        start, here = following.popitem()
        ring = [start]
        while here != start:
            ring.append(here)
            here = following.pop(here)
        keys = np.array(ring)
        points = np.stack([keys % stride, keys // stride], axis=1) / 2.0
        rings.append(_without_collinear(points + np.array([left - 1, top - 1])))
    return rings


def _links(cells: npt.NDArray[np.uint8], stride: int) -> dict[int, int]:
    """Return the next midpoint of each midpoint, both as keys on the grid of half pixels."""
    row, column = np.nonzero((cells > 0) & (cells < 15))
    case = cells[row, column]
    base = 2 * row * stride + 2 * column
    following: dict[int, int] = {}
    for kind, segments in SEGMENTS.items():
        of_kind = base[case == kind]
        for (row0, column0), (row1, column1) in segments:
            starts = of_kind + (row0 * stride + column0)
            ends = of_kind + (row1 * stride + column1)
            following.update(zip(starts.tolist(), ends.tolist(), strict=True))
    return following


def _without_collinear(points: FloatArray) -> FloatArray:
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    kept: FloatArray = points[turns]
    return kept
