"""The bar that says which colour stands for which value, at the right of a fused image."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from viewer.imaging.fusion import Look, OverVolume, colour_maps
from viewer.views.fusion.words import number_text, unit_word
from viewer.views.outlined_text import draw_outlined
from viewer.views.theme import Theme

WIDTH: Final = 10
"""Width of the bar in logical pixels; its ends are moved by dragging in it."""

TOP_SHARE, BOTTOM_SHARE = 0.24, 0.46
"""Where the bar begins and ends, of the height: between the upper words and the letter of the side."""

SMALLEST: Final = 40
"""Height in logical pixels under which a bar would tell nothing and is not drawn."""


def bar_area(width: float, height: float, theme: Theme) -> QRectF:
    """Return where the bar stands in a viewport; empty when there is no room for it."""
    words = theme.value("viewport", "margin") + 4 * theme.line_height("corner")
    top = max(height * TOP_SHARE, words + theme.line_height("corner"))
    bottom = height * BOTTOM_SHARE
    if bottom - top < theme.px(SMALLEST):
        return QRectF()
    right = width - theme.px(10)
    return QRectF(right - theme.px(WIDTH), round(top), theme.px(WIDTH), round(bottom - top))


@lru_cache(maxsize=16)
def _strip(colour_map: str) -> QImage:
    """Return the palette as a picture of one column, its highest value on top."""
    table = np.ascontiguousarray(colour_maps()[colour_map].table[::-1])
    return QImage(table.data, 1, 256, 3, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )


def draw_colour_bar(
    painter: QPainter, area: QRectF, over: OverVolume, look: Look, theme: Theme
) -> None:
    """Draw the bar with the values of its ends and their unit."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(area, _strip(look.colour_map))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, by in ((QColor(0, 0, 0), 1.5), (theme.colour("corner"), 0.5)):
        painter.setPen(QPen(colour, 1))
        painter.drawRect(area.adjusted(-by, -by, by - 1, by - 1))
    font, ink = theme.font("corner"), theme.colour("corner")
    high = QFontMetricsF(font).height()
    x = area.left() - theme.px(5)
    for text, y in (
        (number_text(look.high, over), area.top() - high / 2),
        (unit_word(over), area.center().y() - high / 2),
        (number_text(look.low, over), area.bottom() - high / 2),
    ):
        draw_outlined(painter, (x, y), text, font, ink, right=True)


def dragged(look: Look, area: QRectF, start: QPointF, now: QPointF) -> Look:
    """Return the look after a drag in the bar: its upper half moves the upper end, its lower the lower.

    The way up the whole bar is the width of the window at its start.
    """
    by = (start.y() - now.y()) / area.height() * (look.high - look.low)
    if start.y() < area.center().y():
        return Look(look.low, max(look.high + by, look.low), look.opacity, look.colour_map)
    return Look(min(look.low + by, look.high), look.high, look.opacity, look.colour_map)
