"""The shape of a mark: its lines, the pixels inside it, and what moves when one of its points does.

Points are (column, row) pixels of one image, or millimetres along rows and columns of a plane.
`aspect` is the row spacing over the column spacing: what looks perpendicular in pixels is not so in
the patient unless it is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.contour import inside_ellipse, inside_polygon, mask_rings
from viewer.imaging.marks import Mark, MarkKind, Points
from viewer.imaging.ultrasound import Point

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Line = tuple[FloatArray, bool]
"""(n, 2) points and whether the last one is joined to the first."""

TURNING: Final = 4
"""Number of the handle that turns an ellipse."""

MOST_HANDLES: Final = 100
"""An outline of more points is moved as a whole only: its handles would hide it."""

CLOSED: Final = frozenset((MarkKind.RECTANGLE, MarkKind.ELLIPSE, MarkKind.POLYGON, MarkKind.FREEHAND))


def corners(points: Points) -> FloatArray:
    """Return the four corners of a rectangle in order round it, from its two opposite ones."""
    if len(points) != 2:
        return np.asarray(points, dtype=np.float64)
    (x0, y0), (x1, y1) = points
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)


def ellipse_ring(points: Points, segments: int = 72) -> FloatArray:
    """Return points round an ellipse, from the ends of its axes."""
    centre, first, second = _axes(np.asarray(points, dtype=np.float64))
    turn = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)[:, None]
    ring: FloatArray = centre + np.cos(turn) * first + np.sin(turn) * second
    return ring


def _axes(ends: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return ends[:2].mean(axis=0), (ends[1] - ends[0]) / 2.0, (ends[3] - ends[2]) / 2.0


def lines_of(mark: Mark) -> list[Line]:
    """Return the lines of a mark on an image; a point or a text has one point and no line."""
    if mark.mask is not None:
        return [(ring, True) for ring in mask_rings(mark.mask.unpack())]
    return lines_through(mark.kind, mark.points)


def lines_through(kind: MarkKind, points: Points) -> list[Line]:
    """Return the lines of a mark through its points, also of one that is not complete."""
    if not points:
        return []
    if kind is MarkKind.RECTANGLE and len(points) > 1:
        return [(corners(points), True)]
    if kind is MarkKind.ELLIPSE and len(points) == 4:
        return [(ellipse_ring(points), True)]
    placed = np.asarray(points, dtype=np.float64)
    if kind in (MarkKind.COBB, MarkKind.BIDIRECTIONAL, MarkKind.PERPENDICULAR):
        return [(placed[start : start + 2], False) for start in range(0, len(placed), 2)]
    return [(placed, kind in CLOSED)]


def mask_of(mark: Mark, shape: tuple[int, int]) -> Mask:
    """Return the pixels of a mark with an area: those whose centre lies inside."""
    if mark.mask is not None:
        return mark.mask.unpack()
    if mark.kind is MarkKind.ELLIPSE:
        return inside_ellipse(mark.array(), shape)
    ring = corners(mark.points) if mark.kind is MarkKind.RECTANGLE else mark.array()
    return inside_polygon(ring, shape)


def border_length(mask: Mask) -> int:
    """Return how many sides of its pixels lie on the edge of a mask."""
    framed = np.pad(mask, 1)
    across = int(np.count_nonzero(framed[:, 1:] != framed[:, :-1]))
    return across + int(np.count_nonzero(framed[1:] != framed[:-1]))


# --- drawing: from clicks to points ------------------------------------------------------------------


def points_from(kind: MarkKind, clicks: Sequence[Point], aspect: float = 1.0) -> Points:
    """Return the points of a mark from the places that were clicked, complete or not."""
    if kind is MarkKind.ELLIPSE and len(clicks) == 2:
        return ellipse_in(clicks[0], clicks[1])
    if kind is MarkKind.BIDIRECTIONAL and len(clicks) == 4:
        start, end, side, _ = clicks
        foot = foot_on(start, end, side, aspect)
        return start, end, side, _across(start, end, foot, clicks[3], aspect)
    return tuple(clicks)


def ellipse_in(corner: Point, opposite: Point) -> Points:
    """Return the ends of the axes of the ellipse in an upright box, the longer axis first."""
    (x0, y0), (x1, y1) = corner, opposite
    x, y = (x0 + x1) / 2.0, (y0 + y1) / 2.0
    across = ((min(x0, x1), y), (max(x0, x1), y))
    along = ((x, min(y0, y1)), (x, max(y0, y1)))
    return across + along if abs(x1 - x0) >= abs(y1 - y0) else along + across


def foot_on(start: Point, end: Point, point: Point, aspect: float) -> Point:
    """Return the foot of a point on a segment, at right angles in the patient."""
    a, b, p = (np.array([column, row * aspect]) for column, row in (start, end, point))
    along = b - a
    square = float(along @ along)
    share = min(max(float((p - a) @ along) / square, 0.0), 1.0) if square > 0.0 else 0.0
    foot = a + share * along
    return float(foot[0]), float(foot[1] / aspect)


def _across(start: Point, end: Point, foot: Point, point: Point, aspect: float) -> Point:
    """Return the place nearest to a point on the perpendicular of a segment through `foot`."""
    along = np.array([end[0] - start[0], (end[1] - start[1]) * aspect])
    long = float(np.linalg.norm(along))
    if long == 0.0:
        return point
    normal = np.array([-along[1], along[0]]) / long
    away = float(np.array([point[0] - foot[0], (point[1] - foot[1]) * aspect]) @ normal)
    return foot[0] + away * float(normal[0]), foot[1] + away * float(normal[1]) / aspect


# --- editing: what moves with a point ----------------------------------------------------------------


def handles_of(mark: Mark) -> FloatArray:
    """Return the points by which a mark is changed, (n, 2); none for a brush, or for too many.

    An ellipse has one more (`TURNING`): on its line halfway between two axes, it turns both.
    """
    if mark.kind is MarkKind.BRUSH or len(mark.points) > MOST_HANDLES:
        return np.empty((0, 2))
    if mark.kind is MarkKind.ELLIPSE and len(mark.points) == 4:
        centre, first, second = _axes(mark.array())
        return np.vstack([mark.array(), centre + math.sqrt(0.5) * (first + second)])
    return corners(mark.points) if mark.kind is MarkKind.RECTANGLE else mark.array()


def moved(mark: Mark, columns: float, rows: float) -> Mark:
    """Return a mark at another place of its image; a mask moves by whole pixels."""
    if mark.mask is not None:
        return mark.changed(mask=mark.mask.moved(round(columns), round(rows)))
    points = tuple((column + columns, row + rows) for column, row in mark.points)
    label = mark.label_at
    return mark.changed(
        points=points, label_at=None if label is None else (label[0] + columns, label[1] + rows)
    )


def with_handle(mark: Mark, handle: int, to: Point, aspect: float = 1.0) -> Mark:
    """Return a mark with one of its handles at another place."""
    change = HANDLE_MOVES.get(mark.kind, _one_point)
    return mark.changed(points=change(mark.points, handle, to, aspect))


def _one_point(points: Points, handle: int, to: Point, aspect: float) -> Points:
    return (*points[:handle], to, *points[handle + 1 :])


def _corner(points: Points, handle: int, to: Point, aspect: float) -> Points:
    """The opposite corner stays."""
    fixed = corners(points)[(handle + 2) % 4]
    return (float(fixed[0]), float(fixed[1])), to


def _ellipse_end(points: Points, handle: int, to: Point, aspect: float) -> Points:
    """The opposite end stays, the axis keeps its direction, the other axis stays in the middle."""
    ends = np.asarray(points, dtype=np.float64)
    if handle == TURNING:
        return _turned(ends, to, aspect)
    opposite, size = ends[handle ^ 1].copy(), np.array([1.0, aspect])
    along = (ends[handle] - opposite) * size
    square = float(along @ along)
    share = float(((np.asarray(to) - opposite) * size) @ along) / square if square > 0.0 else 0.0
    before = ends[:2].mean(axis=0)
    ends[handle] = opposite + share * (ends[handle] - opposite)
    pair = slice(0, 2) if handle < 2 else slice(2, 4)
    other = slice(2, 4) if handle < 2 else slice(0, 2)
    ends[other] += ends[pair].mean(axis=0) - before
    return tuple((float(column), float(row)) for column, row in ends)


def _turned(ends: FloatArray, to: Point, aspect: float) -> Points:
    """Turn both axes about the middle, as in the patient, until the handle points to a place."""
    size = np.array([1.0, aspect])
    centre, first, second = _axes(ends)
    before, after = (first + second) * size, (np.asarray(to) - centre) * size
    angle = math.atan2(after[1], after[0]) - math.atan2(before[1], before[0])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned = centre + ((ends - centre) * size) @ turn.T / size
    return tuple((float(column), float(row)) for column, row in turned)


def _axis_end(points: Points, handle: int, to: Point, aspect: float) -> Points:
    """The axes stay at right angles: the short one moves along the long one, or turns with it."""
    if len(points) == 2:
        return _one_point(points, handle, to, aspect)
    start, end, left, right = ((float(x), float(y)) for x, y in points)
    if handle >= 2:
        foot = foot_on(start, end, to, aspect)
        other = (left, right)[3 - handle]
        old = foot_on(start, end, other, aspect)
        kept = other[0] + foot[0] - old[0], other[1] + foot[1] - old[1]
        here = _across(start, end, foot, to, aspect)
        return (start, end, here, kept) if handle == 2 else (start, end, kept, here)
    turned = (to, end) if handle == 0 else (start, to)
    size = np.array([1.0, aspect])
    before = (np.asarray(end) - start) * size
    after = (np.asarray(turned[1]) - turned[0]) * size
    if not float(before @ before) or not float(after @ after):
        return points
    axes = [np.stack([one, (-one[1], one[0])]) / np.linalg.norm(one) for one in (before, after)]
    stretch = float(np.linalg.norm(after) / np.linalg.norm(before))
    sides = []
    for side in (left, right):
        along, away = axes[0] @ ((np.asarray(side) - start) * size)
        place = turned[0] + (axes[1].T @ np.array([along * stretch, away])) / size
        sides.append((float(place[0]), float(place[1])))
    return (*turned, *sides)


HANDLE_MOVES: Final[dict[MarkKind, Callable[[Points, int, Point, float], Points]]] = {
    MarkKind.RECTANGLE: _corner,
    MarkKind.ELLIPSE: _ellipse_end,
    MarkKind.BIDIRECTIONAL: _axis_end,
    MarkKind.PERPENDICULAR: _axis_end,
}
"""How the points of a kind follow one of its handles; those of other kinds move alone."""
