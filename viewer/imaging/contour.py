"""From a mask of one image to its outline and back, in image points.

Outline of a mask: marching squares at one half, closed rings. Each ring runs through the midpoints
between a pixel inside and its neighbour outside, inside on the right hand (rows grow downwards).
Diagonal neighbours count as separate (saddles are cut apart).

Mask of an outline: a pixel lies inside when its centre does. A centre on a left or upper edge is
inside, one on a right or lower edge is not, so that neighbours share no pixel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SMALLEST_ELLIPSE = 1e-9
"""Product of the half axes, in pixels, under which an ellipse has no inside."""

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


def inside_polygon(points: FloatArray, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the pixels (row, column) whose centre lies inside a closed outline (even-odd rule)."""
    inside = np.zeros(shape, dtype=bool)
    low = np.maximum(np.ceil(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(points.max(axis=0)), [shape[1] - 1, shape[0] - 1]).astype(int)
    if (high < low).any():
        return inside
    rows = np.arange(low[1], high[1] + 1)
    ahead = np.roll(points, -1, axis=0)
    row, edge = np.nonzero((points[:, 1] <= rows[:, None]) != (ahead[:, 1] <= rows[:, None]))
    start, end = points[edge], ahead[edge]
    part = (rows[row] - start[:, 1]) / (end[:, 1] - start[:, 1])
    first = np.ceil(start[:, 0] + part * (end[:, 0] - start[:, 0]))
    # Each crossing turns inside to outside, or back, from the first centre at or after it.
    turns = np.zeros((rows.size, high[0] - low[0] + 2), dtype=np.int32)
    np.add.at(turns, (row, np.clip(first - low[0], 0, turns.shape[1] - 1).astype(int)), 1)
    odd = np.cumsum(turns[:, :-1], axis=1) % 2 == 1
    inside[low[1] : high[1] + 1, low[0] : high[0] + 1] = odd
    return inside


def inside_ellipse(ends: FloatArray, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centre lies in an ellipse: ends of one axis, then of the other."""
    inside = np.zeros(shape, dtype=bool)
    middle = ends[:2].mean(axis=0)
    axes = np.stack([(ends[1] - ends[0]) / 2.0, (ends[3] - ends[2]) / 2.0], axis=1)
    if abs(np.linalg.det(axes)) < SMALLEST_ELLIPSE:
        return inside
    reach = np.hypot(axes[:, 0], axes[:, 1])
    low = np.maximum(np.ceil(middle - reach), 0).astype(int)
    high = np.minimum(np.floor(middle + reach), [shape[1] - 1, shape[0] - 1]).astype(int)
    if (high < low).any():
        return inside
    row, column = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
    along = np.linalg.inv(axes)
    x, y = column - middle[0], row - middle[1]
    first, second = along[0, 0] * x + along[0, 1] * y, along[1, 0] * x + along[1, 1] * y
    inside[low[1] : high[1] + 1, low[0] : high[0] + 1] = first**2 + second**2 <= 1.0
    return inside


def simplify(points: FloatArray, tolerance: float) -> FloatArray:
    """Return fewer points of a closed outline, none further away than `tolerance` (Douglas-Peucker)."""
    if len(points) < 8:
        return points
    far = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
    keep = np.zeros(len(points) + 1, dtype=bool)
    ring = np.vstack([points, points[:1]])
    keep[[0, far, len(points)]] = True
    spans = [(0, far), (far, len(points))]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _off_chord(ring[first + 1 : last], ring[first], ring[last])
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    simplified: FloatArray = ring[:-1][keep[:-1]]
    return simplified


def _off_chord(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    along = end - start
    length = float(np.hypot(*along))
    away = points - start
    if length == 0.0:
        return np.asarray(np.hypot(away[:, 0], away[:, 1]), dtype=np.float64)
    distance: FloatArray = np.abs(along[0] * away[:, 1] - along[1] * away[:, 0]) / length
    return distance
