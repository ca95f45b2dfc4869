"""How a mark looks: its lines on a halo, handles, and the label beside it; in widget points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.marks_geometry import Line, handles_of, lines_of
from viewer.views.marks.words import label_lines, refusal_lines
from viewer.views.outlined_text import draw_outlined
from viewer.views.tag_place import Box, place_tag
from viewer.views.theme import Theme
from viewer.views.viewport_state import FloatArray, transform

HANDLE = 3.5
"""Half the side of a handle as drawn, widget pixels."""

HANDLE_REACH = 7.0
"""How far from its middle a handle is hit, widget pixels."""

LINE_REACH = 5.0
"""How far from its line a mark is hit, widget pixels."""

POINT_RADIUS = 5.0
"""Half the size of the cross of a point, widget pixels."""

ARROW_HEAD, ARROW_ANGLE = 13.0, math.radians(24.0)
"""Length in widget pixels and half the opening of the head of an arrow."""

SPOT_STEP, MOST_SPOTS = 14.0, 40
"""Widget pixels between the places of a line that labels keep clear of, and the most of them."""

HALO = QColor(0, 0, 0)


@dataclass(frozen=True, eq=False)
class DrawnMark:
    """A mark as it stands in a viewport.

    Parameters
    ----------
    lines
        Its lines in widget points.
    guides
        Thin dashed lines: between the lines of a Cobb angle, from a label that was moved away.
    handles
        (n, 2) widget points by which it is changed.
    label
        The box of its words.
    words, refused
        Lines of the label: values, and the reason why something is none.
    """

    mark: Mark
    lines: tuple[Line, ...]
    path: QPainterPath
    guides: QPainterPath
    handles: FloatArray
    label: QRectF
    words: tuple[str, ...]
    refused: tuple[str, ...]

    def area(self) -> QRectF:
        """Return all that it covers, handles and halo too."""
        box = self.path.boundingRect().united(self.guides.boundingRect()).united(self.label)
        reach = HANDLE_REACH + 2.0
        return box.adjusted(-reach, -reach, reach, reach)

    def handle_at(self, x: float, y: float) -> int | None:
        """Return the handle under a widget point."""
        if not len(self.handles):
            return None
        away = np.abs(self.handles - (x, y)).max(axis=1)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= HANDLE_REACH else None

    def is_hit(self, x: float, y: float) -> bool:
        """Return whether a widget point lies on one of its lines or on the words of a text."""
        if self.mark.kind is MarkKind.TEXT:
            return self.label.contains(x, y)
        return any(
            _distance(points, x, y, closed=closed) <= LINE_REACH for points, closed in self.lines
        )


@lru_cache(maxsize=256)
def _lines(mark: Mark) -> tuple[Line, ...]:
    return tuple(lines_of(mark))


def lay_out(marks: Sequence[Mark], matrix: FloatArray, theme: Theme, bounds: QRectF) -> list[DrawnMark]:
    """Lay all marks of an image out: a label stands on no other, and on no line where it can.

    Words that stand where they were put come first, whatever their order.
    """
    placed = [_placed(mark, matrix) for mark in marks]
    spots = [_spots(lines) for lines in placed]
    found: dict[int, DrawnMark] = {}
    taken: list[Box] = []
    order = sorted(range(len(marks)), key=lambda number: not _is_fixed(marks[number]))
    for number in order:
        others = [box for other, boxes in enumerate(spots) if other != number for box in boxes]
        one = draw_up(
            marks[number], matrix, theme, bounds, lines=placed[number], taken=[*taken, *others]
        )
        if any(_overlap(_box(one.label), box) for box in taken):
            one = draw_up(marks[number], matrix, theme, bounds, lines=placed[number], taken=taken)
        found[number] = one
        if not one.label.isEmpty():
            taken.append(_box(one.label))
    return [found[number] for number in range(len(marks))]


def _is_fixed(mark: Mark) -> bool:
    return mark.kind is MarkKind.TEXT or mark.label_at is not None


def _box(rectangle: QRectF) -> Box:
    return rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _placed(mark: Mark, matrix: FloatArray) -> list[Line]:
    return [(transform(matrix, points), closed) for points, closed in _lines(mark)]


def _spots(lines: Sequence[Line]) -> list[Box]:
    """Return small boxes along lines, where a label should not stand."""
    boxes: list[Box] = []
    for points, closed in lines:
        ring = np.concatenate([points, points[:1]]) if closed else points
        steps = np.linalg.norm(np.diff(ring, axis=0), axis=1)
        if not len(steps) or not steps.sum():
            continue
        way = np.concatenate([[0.0], np.cumsum(steps)])
        count = min(MOST_SPOTS, 2 + int(way[-1] / SPOT_STEP))
        along = np.linspace(0.0, way[-1], count)
        x, y = (np.interp(along, way, ring[:, axis]) for axis in (0, 1))
        boxes += [
            (a - 2.0, b - 2.0, a + 2.0, b + 2.0) for a, b in zip(x.tolist(), y.tolist(), strict=True)
        ]
    return boxes


def draw_up(
    mark: Mark,
    matrix: FloatArray,
    theme: Theme,
    bounds: QRectF,
    *,
    lines: Sequence[Line] | None = None,
    taken: Sequence[Box] = (),
) -> DrawnMark:
    """Lay a mark out in a viewport.

    Parameters
    ----------
    bounds
        Where labels may stand.
    lines
        Its lines in widget points where they are known; none: those of the mark.
    taken
        Boxes where its label should not stand.
    """
    placed = tuple(_placed(mark, matrix) if lines is None else lines)
    words, refused = tuple(_words(mark)), tuple(refusal_lines(mark))
    points = np.concatenate([points for points, _ in placed]) if placed else np.zeros((1, 2))
    label = _label_box(mark, matrix, theme, points, (*words, *refused), bounds, taken)
    handles = handles_of(mark)
    return DrawnMark(
        mark=mark,
        lines=placed,
        path=_path(mark.kind, placed),
        guides=_guides(mark, placed, label),
        handles=transform(matrix, handles) if len(handles) else handles,
        label=label,
        words=words,
        refused=refused,
    )


def _words(mark: Mark) -> list[str]:
    if mark.kind in (MarkKind.TEXT, MarkKind.ARROW, MarkKind.POINT):
        return [words for words in (mark.name, *mark.text.splitlines()) if words]
    return label_lines(mark)


def _label_box(  # noqa: PLR0917 - what stands where is all of these
    mark: Mark,
    matrix: FloatArray,
    theme: Theme,
    points: FloatArray,
    lines: Sequence[str],
    bounds: QRectF,
    taken: Sequence[Box],
) -> QRectF:
    if not lines:
        return QRectF()
    metrics = QFontMetricsF(theme.font("corner"))
    wide = max(metrics.horizontalAdvance(line) for line in lines) + 2.0
    high = theme.line_height("corner") * len(lines)
    if mark.label_at is not None:
        left, top = transform(matrix, [mark.label_at])[0]
        return QRectF(left, top, wide, high)
    if mark.kind is MarkKind.TEXT:
        return QRectF(points[0, 0], points[0, 1] - high / 2.0, wide, high)
    inside = (bounds.left(), bounds.top(), bounds.right(), bounds.bottom())
    left, top, right, bottom = place_tag(points, (wide, high), inside, taken)
    return QRectF(left, top, right - left, bottom - top)


def _polygon(points: FloatArray) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def _path(kind: MarkKind, lines: Sequence[Line]) -> QPainterPath:
    path = QPainterPath()
    if kind is MarkKind.TEXT:
        return path
    for points, closed in lines:
        if kind is MarkKind.POINT or len(points) == 1:
            middle, reach = QPointF(*points[0]), POINT_RADIUS
            for across, down in ((reach, 0.0), (0.0, reach)):
                path.moveTo(middle - QPointF(across, down))
                path.lineTo(middle + QPointF(across, down))
            continue
        path.addPolygon(_polygon(points))
        if closed:
            path.closeSubpath()
    if kind is MarkKind.ARROW and lines and len(lines[0][0]) == 2:
        _add_head(path, *lines[0][0])
    return path


def _add_head(path: QPainterPath, tip: FloatArray, tail: FloatArray) -> None:
    along = math.atan2(tail[1] - tip[1], tail[0] - tip[0])
    for side in (-ARROW_ANGLE, ARROW_ANGLE):
        path.moveTo(QPointF(*tip))
        reach = ARROW_HEAD * math.cos(along + side), ARROW_HEAD * math.sin(along + side)
        path.lineTo(QPointF(*tip) + QPointF(*reach))


def _guides(mark: Mark, lines: Sequence[Line], label: QRectF) -> QPainterPath:
    path = QPainterPath()
    if mark.kind is MarkKind.COBB and len(lines) == 2:
        for end, points in enumerate(points for points, _ in lines):
            place = QPointF(*points.mean(axis=0))
            path.lineTo(place) if end else path.moveTo(place)
    if mark.label_at is not None and lines and mark.kind is not MarkKind.TEXT:
        points = np.concatenate([points for points, _ in lines])
        middle = np.array([label.center().x(), label.center().y()])
        nearest = points[int(np.linalg.norm(points - middle, axis=1).argmin())]
        x = min(max(nearest[0], label.left()), label.right())
        y = min(max(nearest[1], label.top()), label.bottom())
        path.moveTo(QPointF(*nearest))
        path.lineTo(QPointF(x, y))
    return path


def colour_of(mark: Mark, theme: Theme) -> QColor:
    """Return the colour of a mark: its own, that of the reader, or that of others."""
    if mark.colour:
        return QColor(mark.colour)
    return theme.colour("mark" if mark.is_own else "corner")


def paint_lines(
    painter: QPainter, drawn: DrawnMark, theme: Theme, *, handles: bool, unfinished: bool = False
) -> None:
    """Draw the lines of a mark, and its handles while it is selected or under the pointer."""
    colour = colour_of(drawn.mark, theme)
    halo = QColor(HALO)
    halo.setAlphaF(theme.value("viewport", "region-halo-opacity"))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for path, width, dashes in (
        (drawn.guides, 1.0, [3.0, 3.0]),
        (drawn.path, theme.value("viewport", "region-line"), [4.0, 2.0] if unfinished else []),
    ):
        for ink, wider in ((halo, 2.0), (colour, 0.0)):
            pen = QPen(ink, width + wider)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            if dashes and ink is colour:
                pen.setDashPattern(dashes)
            painter.setPen(pen)
            painter.drawPath(path)
    if handles:
        painter.setPen(QPen(theme.colour("image"), 1.0))
        painter.setBrush(colour)
        for x, y in drawn.handles.tolist():
            painter.drawRect(QRectF(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE))


def paint_label(painter: QPainter, drawn: DrawnMark, theme: Theme) -> None:
    """Draw the words beside a mark; the reason of a refusal in the colour of a warning."""
    font, line = theme.font("corner"), theme.line_height("corner")
    top = drawn.label.top()
    for lines, colour in (
        (drawn.words, colour_of(drawn.mark, theme)),
        (drawn.refused, theme.colour("warning")),
    ):
        for words in lines:
            draw_outlined(painter, (drawn.label.left(), top), words, font, colour)
            top += line


def paint_brush(painter: QPainter, place: QPointF, radius: float, theme: Theme) -> None:
    """Draw the circle of the brush round the pointer, `radius` in widget pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.colour("image"), 3.0), (theme.colour("mark"), 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(place, radius, radius)


def _distance(points: FloatArray, x: float, y: float, *, closed: bool) -> float:
    """Return the distance of a widget point from a line."""
    start, end = (points, np.roll(points, -1, axis=0)) if closed else (points[:-1], points[1:])
    if not len(start):
        return math.hypot(points[0, 0] - x, points[0, 1] - y)
    along = end - start
    square = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((((x, y) - start) * along).sum(axis=1) / square, 0.0, 1.0)
    foot = start + share[:, None] * along
    return float(np.hypot(foot[:, 0] - x, foot[:, 1] - y).min())
