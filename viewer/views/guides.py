"""Paints what guides the eye between viewports: the reference line and the 3D cursor. Grey, no fill."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.views.theme import Theme
from viewer.views.viewport_state import FloatArray, transform

DASHES = (6.0, 4.0)
"""Length of dash and gap of a reference line, in widths of the line."""

CURSOR_GAP, CURSOR_ARM = 5, 14
"""Widget pixels from the place to where the arms of its cross begin and end: the place stays bare."""


def _halo() -> QColor:
    black = QColor(0, 0, 0)
    black.setAlphaF(0.6)
    return black


def draw_reference_line(painter: QPainter, ends: FloatArray, matrix: FloatArray, theme: Theme) -> None:
    """Draw where the image of the active viewport cuts this one: grey and dashed."""
    (x0, y0), (x1, y1) = transform(matrix, ends).tolist()
    line = QLineF(x0, y0, x1, y1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    under, pen = QPen(_halo(), 3.0), QPen(theme.colour("reference-line"), 1.5)
    under.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern(DASHES)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    for each in (under, pen):
        painter.setPen(each)
        painter.drawLine(line)


def draw_cursor(
    painter: QPainter, place: tuple[float, float], matrix: FloatArray, theme: Theme
) -> None:
    """Draw a cross around the place that is pointed at in another viewport."""
    x, y = transform(matrix, [place])[0].tolist()
    gap, arm = theme.px(CURSOR_GAP), theme.px(CURSOR_ARM)
    middle = QPointF(x, y)
    lines = [
        QLineF(middle + QPointF(dx * gap, dy * gap), middle + QPointF(dx * arm, dy * arm))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in (QPen(QColor(0, 0, 0), 4.0), QPen(theme.colour("text"), 2.0)):
        painter.setPen(pen)
        painter.drawLines(lines)
