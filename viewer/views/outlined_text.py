"""Text on images: each glyph with a 1 px outline, white round dark ink, else black; drawn and kept."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

DARK = 110
"""Lightness of 255 below which ink has a white outline: it stands on white."""

_AROUND = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)


@lru_cache(maxsize=512)
def _rendered(text: str, font_key: str, colour: int, ratio: float) -> QPixmap:
    font = _FONTS[font_key]
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 2, metrics.height() + 2
    pixmap = QPixmap(max(1, int(width * ratio + 1)), max(1, int(height * ratio + 1)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setFont(font)
    base = QPointF(1.0, 1.0 + metrics.ascent())
    dark = QColor.fromRgba(colour).lightness() < DARK
    painter.setPen(Qt.GlobalColor.white if dark else Qt.GlobalColor.black)
    for dx, dy in _AROUND:
        painter.drawText(base + QPointF(dx, dy), text)
    painter.setPen(QColor.fromRgba(colour))
    painter.drawText(base, text)
    painter.end()
    return pixmap


_FONTS: dict[str, QFont] = {}
_KEYS: dict[int, tuple[QFont, str]] = {}


def _key(font: QFont) -> str:
    """Return the key of a font, which is kept: the theme has a few, and makes each of them once."""
    known = _KEYS.get(id(font))
    if known is None:
        known = _KEYS[id(font)] = (font, font.key())
        _FONTS.setdefault(known[1], font)
    return known[1]


@lru_cache(maxsize=512)
def _fitting(text: str, font_key: str, room: float) -> str:
    return QFontMetricsF(_FONTS[font_key]).elidedText(text, Qt.TextElideMode.ElideRight, room)


def fitting(text: str, font: QFont, room: float) -> str:
    """Return a line cut off where a room in logical pixels ends, with an ellipsis."""
    return _fitting(text, _key(font), room)


def draw_outlined(
    painter: QPainter,
    at: tuple[float, float],
    text: str,
    font: QFont,
    colour: QColor,
    *,
    right: bool = False,
) -> None:
    """Draw one line whose box has its top left (or top right) corner at a widget point."""
    x, y = at
    pixmap = _rendered(text, _key(font), colour.rgba(), painter.device().devicePixelRatioF())
    left = x - (pixmap.width() / pixmap.devicePixelRatio() - 1 if right else 1)
    painter.drawPixmap(QPointF(round(left), round(y) - 1), pixmap)
