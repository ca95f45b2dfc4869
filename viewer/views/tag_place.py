"""Where the tag of a region stands: beside its contour, in the viewport, on no other tag. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in widget points."""

GAP = 3.0
"""Widget pixels between the contour and its tag."""

DIAGONALS = ((1, -1), (-1, -1), (1, 1), (-1, 1))
"""Directions in which a tag is tried: above right, above left, below right, below left."""


def place_tag(
    points: FloatArray, size: tuple[float, float], bounds: Box, taken: Sequence[Box] = ()
) -> Box:
    """Return the box of a tag of a given size.

    The tag touches the point of the contour that lies farthest along a diagonal: nothing of the
    contour lies beyond that point on both axes, so the tag cannot cover it. Where no diagonal has
    room (a contour larger than the viewport) the first is moved inside the bounds.

    Parameters
    ----------
    points
        (n, 2) points of the contour in widget points.
    """
    boxes = [_beyond(points, direction, size) for direction in DIAGONALS]
    for box in boxes:
        if _contains(bounds, box) and not any(_overlap(box, other) for other in taken):
            return box
    wide, high = size
    left = min(max(boxes[0][0], bounds[0]), bounds[2] - wide)
    top = min(max(boxes[0][1], bounds[1]), bounds[3] - high)
    return left, top, left + wide, top + high


def _beyond(points: FloatArray, direction: tuple[int, int], size: tuple[float, float]) -> Box:
    x, y = points[int((points @ np.array(direction, dtype=np.float64)).argmax())]
    wide, high = size
    left = round(x + GAP) if direction[0] > 0 else round(x - GAP - wide)
    top = round(y + GAP) if direction[1] > 0 else round(y - GAP - high)
    return left, top, left + wide, top + high


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
    )


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
