"""Draws the words in the corners of a viewport, the badge of a bad geometry, and the scale bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from viewer.views.corner_text import Corners
from viewer.views.icons import glyph
from viewer.views.outlined_text import draw_outlined, fitting
from viewer.views.scale_bar import ScaleBar
from viewer.views.theme import Theme

NARROW = 280
"""Width in logical pixels below which a viewport has no room for two texts beside each other."""


def is_narrow(width: float, theme: Theme) -> bool:
    """Return whether two texts do not fit beside each other in a viewport."""
    return width < theme.px(NARROW)


def draw_corners(
    painter: QPainter,
    text: Corners,
    note: str,
    bounds: QRectF,
    theme: Theme,
    *,
    ink: str = "corner",
) -> None:
    """Draw the corner text, and under its top right a quiet note and the badge of a bad geometry.

    Parameters
    ----------
    ink
        Colour of the words: a prior's differ from those of the study that is read.
    """
    font, colour = theme.font("corner"), theme.colour(ink)
    line, margin = theme.line_height("corner"), theme.value("viewport", "margin")
    left, right = bounds.left() + margin, bounds.right() - margin
    half = bounds.width() / 2 - margin - theme.px(16)
    whole = bounds.width() - 2 * margin if is_narrow(bounds.width(), theme) else half
    lowest = bounds.bottom() - margin - line

    def column(lines: Sequence[str], top: float, *, at_right: bool) -> None:
        for row, words in enumerate(lines):
            # an orientation letter stands in the middle of the first and of the last row
            beside_letter = (row == 0 and top < bounds.center().y()) or top + row * line >= lowest
            room = half if beside_letter else whole
            x, y = right if at_right else left, top + row * line
            draw_outlined(painter, (x, y), fitting(words, font, room), font, colour, right=at_right)

    top = bounds.top() + margin - 2
    notes = (note,) if note else ()
    upper_right = text.top_right if text.side == "left" else (*text.top_right, *notes)
    upper_left = (*text.top_left, *notes) if text.side == "left" else text.top_left
    column(upper_left, top, at_right=False)
    column(upper_right, top, at_right=True)
    base = bounds.bottom() - margin
    column(text.bottom_left, base - len(text.bottom_left) * line, at_right=False)
    column(text.bottom_right, base - len(text.bottom_right) * line, at_right=True)
    if text.badge:
        _draw_badge(painter, text.badge, QPointF(right, top + len(upper_right) * line + 4), theme)


def draw_scale_bar(
    painter: QPainter, bar: ScaleBar, bounds: QRectF, theme: Theme, *, at_left: bool = False
) -> None:
    """Draw the bracket at one edge, from 60 % of the height downwards, its length beside it.

    Parameters
    ----------
    at_left
        At the left, because the image is at the right: the bar must not lie on a breast.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    inwards = 1 if at_left else -1
    edge = round(bounds.left() if at_left else bounds.right()) + inwards * theme.px(10)
    top = round(bounds.top() + bounds.height() * theme.value("viewport", "scale-bar-height"))
    bottom, end = top + round(bar.length), edge + inwards * theme.px(5)
    lines = [
        QLineF(edge, top, edge, bottom),
        QLineF(end, top, edge, top),
        QLineF(end, bottom, edge, bottom),
    ]
    for colour, width in ((theme.colour("image"), 3), (theme.colour("corner"), 1)):
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(pen)
        painter.drawLines(lines)
    font = theme.font("corner")
    y = (top + bottom) / 2 - QFontMetricsF(font).height() / 2
    at = (end + inwards * theme.px(4), y)
    draw_outlined(painter, at, bar.text, font, theme.colour("corner"), right=not at_left)


def _draw_badge(painter: QPainter, text: str, top_right: QPointF, theme: Theme) -> None:
    font, colour = theme.font("badge"), theme.colour("warning")
    side, pad = theme.px(14), theme.px(6)
    width = round(QFontMetricsF(font).horizontalAdvance(text)) + side + 2 * pad + theme.px(4)
    place = QRectF(top_right.x() - width, top_right.y(), width, theme.length("row", "badge"))
    radius = theme.length("radius", "badge")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour("warning-edge"), 1))
    painter.setBrush(theme.colour("image"))
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    mark = glyph("warning", colour, side, pixel_ratio=painter.device().devicePixelRatioF())
    painter.drawPixmap(QPointF(place.left() + pad, round(place.center().y() - side / 2)), mark)
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(
        place.adjusted(pad + side + theme.px(4), 0, -pad, 0), Qt.AlignmentFlag.AlignVCenter, text
    )
