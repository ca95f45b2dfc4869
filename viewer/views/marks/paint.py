"""How a mark looks: its lines on a halo, handles, and the label beside it; in widget points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.marks_geometry import TURNING, Line, handles_of, lines_of
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

SPOT_STEP, MOST_SPOTS = 16.0, 24
"""Widget pixels between the places of a line that labels keep clear of, and the most of them."""

LARGEST_PICTURE = 600.0 * 600.0
"""Widget pixels of the box of a mark above which its lines are stroked each time."""

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
    pictures
        Its lines as they were drawn, by the pixel ratio of the screen: a mark that stays is not
        stroked again.
    """

    mark: Mark
    lines: tuple[Line, ...]
    path: QPainterPath
    guides: QPainterPath
    handles: FloatArray
    label: QRectF
    words: tuple[str, ...]
    refused: tuple[str, ...]
    pictures: dict[float, QPixmap] = field(default_factory=dict)

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


def lay_out(
    marks: Sequence[Mark],
    matrix: FloatArray,
    theme: Theme,
    bounds: QRectF,
    others_words: Sequence[Box] = (),
) -> list[DrawnMark]:
    """Lay all marks of an image out: a label stands on no other, and on no line where it can.

    Words that stand where they were put come first, whatever their order.

    Parameters
    ----------
    others_words
        Boxes of words that are there already: tags of the evidence, corner text.
    """
    placed = [_placed(mark, matrix) for mark in marks]
    spots = [_spots(lines) for lines in placed]
    found: dict[int, DrawnMark] = {}
    taken: list[Box] = list(others_words)
    for number in sorted(range(len(marks)), key=lambda one: not _is_fixed(marks[one])):
        others = np.concatenate([*spots[:number], *spots[number + 1 :], np.empty((0, 2))])
        label = Label(marks[number], matrix, theme, placed[number])
        box = label.box(bounds, taken)
        if len(others) and bool(_within(others, box).any()):
            near = others[_within(others, _reach(placed[number], box))]
            spared = label.box(
                bounds, [*taken, *((x - 2, y - 2, x + 2, y + 2) for x, y in near.tolist())]
            )
            box = box if any(_overlap(edges(spared), other) for other in taken) else spared
        found[number] = label.drawn(box)
        if not box.isEmpty():
            taken.append(edges(box))
    return [found[number] for number in range(len(marks))]


def draw_up(
    mark: Mark,
    matrix: FloatArray,
    theme: Theme,
    bounds: QRectF,
    lines: Sequence[Line] | None = None,
    *,
    taken: Sequence[Box] = (),
) -> DrawnMark:
    """Lay one mark out.

    Parameters
    ----------
    bounds
        Where its label may stand.
    lines
        Its lines in widget points where they are known; none: those of the mark.
    taken
        Boxes where its label should not stand.
    """
    label = Label(mark, matrix, theme, _placed(mark, matrix) if lines is None else lines)
    return label.drawn(label.box(bounds, taken))


def _is_fixed(mark: Mark) -> bool:
    return mark.kind is MarkKind.TEXT or mark.label_at is not None


def edges(box: QRectF) -> Box:
    """Return left, top, right and bottom of a box."""
    return box.left(), box.top(), box.right(), box.bottom()


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _within(points: FloatArray, box: QRectF) -> npt.NDArray[np.bool_]:
    low, high = (box.left() - 2.0, box.top() - 2.0), (box.right() + 2.0, box.bottom() + 2.0)
    inside: npt.NDArray[np.bool_] = ((points > low) & (points < high)).all(axis=1)
    return inside


def _reach(lines: Sequence[Line], label: QRectF) -> QRectF:
    """Return where the label of a mark could stand."""
    points = np.concatenate([points for points, _ in lines])
    box = QRectF(QPointF(*points.min(axis=0)), QPointF(*points.max(axis=0)))
    wide, high = label.width() + 8.0, label.height() + 8.0
    return box.adjusted(-wide, -high, wide, high)


def _placed(mark: Mark, matrix: FloatArray) -> list[Line]:
    return [(transform(matrix, points), closed) for points, closed in _lines(mark)]


def _spots(lines: Sequence[Line]) -> FloatArray:
    """Return points along lines, (n, 2), where a label should not stand."""
    found = [np.empty((0, 2))]
    for points, closed in lines:
        ring = np.concatenate([points, points[:1]]) if closed else points
        way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ring, axis=0).T))])
        if way[-1] > 0.0:
            along = np.linspace(0.0, way[-1], min(MOST_SPOTS, 2 + int(way[-1] / SPOT_STEP)))
            found.append(np.stack([np.interp(along, way, ring[:, axis]) for axis in (0, 1)], axis=1))
    return np.concatenate(found)


class Label:
    """The words of a mark and where they can stand beside its lines."""

    def __init__(self, mark: Mark, matrix: FloatArray, theme: Theme, lines: Sequence[Line]) -> None:
        self._mark, self._matrix, self._lines = mark, matrix, tuple(lines)
        self._words, self._refused = tuple(_words(mark)), tuple(refusal_lines(mark))
        words = (*self._words, *self._refused)
        metrics = QFontMetricsF(theme.font("corner"))
        self._wide = max((metrics.horizontalAdvance(line) for line in words), default=0.0) + 2.0
        self._high = theme.line_height("corner") * len(words)

    def box(self, bounds: QRectF, taken: Sequence[Box]) -> QRectF:
        """Return where the words stand: where they were put, else beside the lines."""
        if not self._high:
            return QRectF()
        if self._mark.label_at is not None:
            left, top = transform(self._matrix, [self._mark.label_at])[0]
            return QRectF(left, top, self._wide, self._high)
        points = np.concatenate([points for points, _ in self._lines])
        if self._mark.kind is MarkKind.TEXT:
            return QRectF(points[0, 0], points[0, 1] - self._high / 2.0, self._wide, self._high)
        left, top, right, bottom = place_tag(points, (self._wide, self._high), edges(bounds), taken)
        return QRectF(left, top, right - left, bottom - top)

    def drawn(self, box: QRectF) -> DrawnMark:
        """Return the mark with its words in a box."""
        handles = handles_of(self._mark)
        return DrawnMark(
            mark=self._mark,
            lines=self._lines,
            path=_path(self._mark.kind, self._lines),
            guides=_guides(self._mark, self._lines, box),
            handles=transform(self._matrix, handles) if len(handles) else handles,
            label=box,
            words=self._words,
            refused=self._refused,
        )


def _words(mark: Mark) -> list[str]:
    if mark.kind in (MarkKind.TEXT, MarkKind.ARROW, MarkKind.POINT):
        return [words for words in (mark.name, *mark.text.splitlines()) if words]
    return label_lines(mark)


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
    strokes = drawn.path.boundingRect().united(drawn.guides.boundingRect())
    if unfinished or strokes.width() * strokes.height() > LARGEST_PICTURE:
        _stroke(painter, drawn, theme, unfinished=unfinished)
    elif not strokes.isNull():
        corner = QPoint(math.floor(strokes.left()) - 4, math.floor(strokes.top()) - 4)
        painter.drawPixmap(corner, _picture(drawn, theme, corner, painter.device().devicePixelRatioF()))
    if handles:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("image"), 1.0))
        painter.setBrush(colour_of(drawn.mark, theme))
        for number, (x, y) in enumerate(drawn.handles.tolist()):
            place = QRectF(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE)
            turns = drawn.mark.kind is MarkKind.ELLIPSE and number == TURNING
            painter.drawEllipse(place) if turns else painter.drawRect(place)


def _picture(drawn: DrawnMark, theme: Theme, corner: QPoint, ratio: float) -> QPixmap:
    """Return the lines of a mark as a picture whose top left corner lies at a widget point."""
    if ratio not in drawn.pictures:
        strokes = drawn.path.boundingRect().united(drawn.guides.boundingRect())
        wide, high = math.ceil(strokes.width()) + 9, math.ceil(strokes.height()) + 9
        picture = QPixmap(math.ceil(wide * ratio), math.ceil(high * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.translate(-corner)
        _stroke(painter, drawn, theme, unfinished=False)
        painter.end()
        drawn.pictures[ratio] = picture
    return drawn.pictures[ratio]


def _stroke(painter: QPainter, drawn: DrawnMark, theme: Theme, *, unfinished: bool) -> None:
    colour = colour_of(drawn.mark, theme)
    halo = QColor(HALO)
    halo.setAlphaF(theme.value("viewport", "region-halo-opacity"))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    dashed = unfinished or not drawn.mark.is_own
    for path, width, dashes in (
        (drawn.guides, 1.0, [3.0, 3.0]),
        (drawn.path, theme.value("viewport", "region-line"), [4.0, 2.0] if dashed else []),
    ):
        if path.isEmpty():
            continue
        for ink, wider in ((halo, 2.0), (colour, 0.0)):
            pen = QPen(ink, width + wider)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            if dashes and ink is colour:
                pen.setDashPattern(dashes)
            painter.setPen(pen)
            painter.drawPath(path)


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
