"""Paints what lies over a reformatted plane: the lines of the others, slabs, marks, the curve. Grey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from viewer.imaging.geometry import FloatArray
from viewer.imaging.marks import Mark, MarkKind, Points
from viewer.views.marks.paint import DrawnMark, draw_up, paint_label, paint_lines
from viewer.views.marks.words import ORDINARY
from viewer.views.outlined_text import draw_outlined
from viewer.views.reformat.plane_words import tr
from viewer.views.reformat.planes import PlaneName
from viewer.views.reformat.view_frame import CROSS_GAP, CrossLine, Held, ViewFrame
from viewer.views.tag_place import Box
from viewer.views.theme import Theme

DASHES: Final[dict[PlaneName, tuple[float, ...]]] = {
    PlaneName.AXIAL: (),
    PlaneName.CORONAL: (7.0, 4.0),
    PlaneName.SAGITTAL: (1.5, 3.5),
}
"""Dash and gap of each plane's line, in widths of the line: they differ by style, never by colour."""

UPRIGHT: Final = 1e-3
"""A line with less of a slope than this stands upright or lies flat."""

HANDLE_RADIUS: Final = 4.5
POINT_SIDE: Final = 7.0
"""Side of the square of a point of the curve, widget pixels."""

LABEL_INSET: Final = 26.0
"""Distance of a line's name from the border of the view."""


def short_word(name: PlaneName) -> str:
    """Name a plane beside its line."""
    words = {
        PlaneName.AXIAL: tr("Ax"),
        PlaneName.CORONAL: tr("Cor"),
        PlaneName.SAGITTAL: tr("Sag"),
    }
    return words[name]


def _pens(theme: Theme, name: PlaneName, *, strong: bool, thin: bool = False) -> tuple[QPen, QPen]:
    halo = QColor(0, 0, 0, 150)
    width = 1.0 if thin else 1.5
    under, pen = (
        QPen(halo, width + 1.5),
        QPen(theme.colour("text" if strong else "reference-line"), width),
    )
    if DASHES[name]:
        pen.setDashPattern(list(DASHES[name]))
    for each in (under, pen):
        each.setCapStyle(Qt.PenCapStyle.FlatCap)
    return under, pen


def draw_cross_lines(
    painter: QPainter,
    lines: Sequence[CrossLine],
    bounds: QRectF,
    theme: Theme,
    *,
    held: Held | None,
    handles: bool,
) -> None:
    """Draw where the other planes cut this one, bare round the crosshair, with their slabs and names.

    Parameters
    ----------
    held
        What is under the pointer or in the hand: its plane is drawn stronger.
    handles
        Whether the handles are drawn: only in the view in which the pointer is.
    """
    painter.setBrush(Qt.BrushStyle.NoBrush)
    far = bounds.width() + bounds.height()

    def arm(start: QPointF, along: QPointF) -> float:
        return _reach(bounds, start, along) if bounds.contains(start) else far

    for line in lines:
        strong = held is not None and held.plane in (None, line.plane)
        middle, along = QPointF(*line.middle), QPointF(*line.along)
        # upright lines are sharper without it, and drawn much faster
        upright = min(abs(along.x()), abs(along.y())) < UPRIGHT
        aside = QPointF(-along.y(), along.x())
        arms = [
            QLineF(middle + along * s * CROSS_GAP, middle + along * s * arm(middle, along * s))
            for s in (1.0, -1.0)
        ]
        _draw_lines(painter, arms, _pens(theme, line.plane, strong=strong), smooth=not upright)
        if line.half_slab > 1.0:
            borders = [
                QLineF(
                    middle + aside * s * line.half_slab + along * far,
                    middle + aside * s * line.half_slab - along * far,
                )
                for s in (1.0, -1.0)
            ]
            pens = _pens(theme, line.plane, strong=strong, thin=True)
            _draw_lines(painter, borders, pens, smooth=not upright)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if handles:
            for x, y in line.handles():
                for colour, width in ((theme.colour("image"), 4.0), (theme.colour("text"), 1.5)):
                    painter.setPen(QPen(colour, width))
                    painter.drawEllipse(QPointF(x, y), HANDLE_RADIUS, HANDLE_RADIUS)
    for line in lines:
        _draw_name(painter, line, bounds, theme)


def _draw_lines(
    painter: QPainter, lines: Sequence[QLineF], pens: tuple[QPen, QPen], *, smooth: bool
) -> None:
    """Draw lines on their halo; the halo needs no smooth edge, which would take most of the time."""
    for pen, is_line in zip(pens, (False, True), strict=True):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth and is_line)
        painter.setPen(pen)
        painter.drawLines(lines)


def _reach(bounds: QRectF, start: QPointF, along: QPointF) -> float:
    """Return how far a line runs from a point inside until it leaves a rectangle."""
    sides = (
        (start.x(), along.x(), bounds.right() if along.x() > 0 else bounds.left()),
        (start.y(), along.y(), bounds.bottom() if along.y() > 0 else bounds.top()),
    )
    return min((side - at) / step for at, step, side in sides if abs(step) > 1e-9)


def _draw_name(painter: QPainter, line: CrossLine, bounds: QRectF, theme: Theme) -> None:
    """Write the name of a line near its lower or left end, where no other words stand."""
    inner = bounds.adjusted(LABEL_INSET, LABEL_INSET, -LABEL_INSET, -2 * LABEL_INSET)
    (x, y), (dx, dy) = line.middle, line.along
    if not inner.contains(QPointF(x, y)):
        return
    if dy < -abs(dx) or (abs(dy) <= abs(dx) and dx > 0):
        dx, dy = -dx, -dy  # downwards, or to the left
    reach = _reach(inner, QPointF(x, y), QPointF(dx, dy))
    font = theme.font("corner")
    place = (x + dx * reach + theme.px(5), y + dy * reach + theme.px(3))
    draw_outlined(painter, place, short_word(line.plane), font, theme.colour("text-2"))


def draw_marks(
    painter: QPainter,
    marks: Iterable[DrawnMark],
    theme: Theme,
    *,
    selected: str,
    unfinished: DrawnMark | None,
) -> None:
    """Draw lengths and diameters with their values, as they are drawn on images."""
    for drawn in marks:
        paint_lines(painter, drawn, theme, handles=drawn.mark.id == selected)
        paint_label(painter, drawn, theme)
    if unfinished is not None:
        paint_lines(painter, unfinished, theme, handles=False, unfinished=True)
        paint_label(painter, unfinished, theme)


def lay_out(
    mark: Mark, frame: ViewFrame, bounds: QRectF, theme: Theme, taken: Sequence[Box] = ()
) -> DrawnMark:
    """Lay a mark in the patient out on a plane that holds it, in widget points.

    Where its millimetres come from goes without saying here; lists and the report say it.
    """
    points = tuple((x, y) for x, y in frame.to_widget(mark.array()).tolist())
    values = tuple(value.model_copy(update={"source": ORDINARY}) for value in mark.values)
    shown = mark.model_copy(update={"points": points, "values": values})
    return draw_up(shown, np.eye(3), theme, bounds, taken=taken)


def lay_out_points(
    kind: MarkKind, places: Points, frame: ViewFrame, bounds: QRectF, theme: Theme
) -> DrawnMark:
    """Lay out what there is of a mark that lacks points; it is not to be kept."""
    points = tuple((x, y) for x, y in frame.to_widget(np.asarray(places)).tolist())
    mark = Mark.model_construct(
        kind=kind, points=points, series_instance_uid="", series_key="", sop_instance_uid="-"
    )
    return draw_up(mark, np.eye(3), theme, bounds)


def draw_curve(
    painter: QPainter, curve: FloatArray | None, points: FloatArray, near: Sequence[bool], theme: Theme
) -> None:
    """Draw the curve of the curved reformat and its points; those off the plane are hollow.

    Parameters
    ----------
    curve, points
        Widget points; `near` says of each point whether it lies on the plane.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if curve is not None:
        line = QPolygonF([QPointF(x, y) for x, y in curve.tolist()])
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (theme.colour("text-2"), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(line)
    half = POINT_SIDE / 2
    for (x, y), on_plane in zip(points.tolist(), near, strict=True):
        square = QRectF(x - half, y - half, POINT_SIDE, POINT_SIDE)
        painter.setPen(QPen(QColor(0, 0, 0), 3.0))
        painter.drawRect(square)
        painter.setPen(QPen(theme.colour("text"), 1.5))
        painter.setBrush(theme.colour("text") if on_plane else Qt.BrushStyle.NoBrush)
        painter.drawRect(square)
        painter.setBrush(Qt.BrushStyle.NoBrush)
