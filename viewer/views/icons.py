"""Phosphor glyphs from `resources/icons`, tinted and sharp at any size."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import resources


@lru_cache(maxsize=256)
def _pixmap(name: str, rgba: int, size: int, ratio: float) -> QPixmap:
    colour = QColor.fromRgba(rgba).name(QColor.NameFormat.HexRgb)
    source = resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def glyph(name: str, colour: QColor, size: int, *, pixel_ratio: float = 1.0) -> QPixmap:
    """Return a glyph of `size` logical pixels in one colour."""
    return _pixmap(name, colour.rgba(), size, pixel_ratio)


def icon(name: str, colour: QColor, *, size: int = 16, disabled: QColor | None = None) -> QIcon:
    """Return a button's icon, sharp at 1x and 2x."""
    made = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        for ratio in (1.0, 2.0):
            if tint is not None:
                made.addPixmap(glyph(name, tint, size, pixel_ratio=ratio), mode)
    return made
