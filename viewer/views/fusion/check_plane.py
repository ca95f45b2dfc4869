"""One cut through two series that are being registered: blended, swiped, in squares or in turns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from viewer.imaging.fusion import OverVolume, Values, coloured, sampled
from viewer.imaging.geometry import FloatArray, ImagePlane
from viewer.imaging.reformat import grid_of, vector
from viewer.views.corner_text import series_text
from viewer.views.frame_image import to_qimage
from viewer.views.fusion.picture import to_overlay
from viewer.views.fusion.words import tr
from viewer.views.outlined_text import draw_outlined
from viewer.views.theme import Theme

AXES: Final = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
"""Row and column directions of each cut, LPS."""

FINEST: Final = 0.8
"""Samples stand at least this far apart, mm."""

SQUARES: Final = 8
"""Squares along the longer side."""

NOTCH: Final = 120


class Mode(StrEnum):
    """How two series are compared."""

    BLEND = "blend"
    SWIPE = "swipe"
    SQUARES = "squares"
    TURNS = "turns"


@dataclass(eq=False)
class Pair:
    """Two series as they are compared.

    Parameters
    ----------
    matrix
        4 x 4, moving -> fixed, LPS mm.
    place
        Where the cuts meet, LPS mm of the fixed series.
    split
        Where the swipe divides the cut, 0 to 1.
    shows_moving
        In turns: which of the two is shown.
    """

    fixed: OverVolume
    moving: OverVolume
    matrix: FloatArray
    place: FloatArray
    mode: Mode = Mode.BLEND
    split: float = 0.5
    shows_moving: bool = False


def greys(over: OverVolume, stored: Values) -> npt.NDArray[np.uint8]:
    """Return stored values in the window in which a series comes up; black outside."""
    low, high = over.stored_at(over.look.low), over.stored_at(over.look.high)
    found = (stored - np.float32(low)) * np.float32(255.0 / (high - low))
    return np.clip(found, 0.0, 255.0).astype(np.uint8)


class CheckPlane(QWidget):
    """A cut along the body's axes; a click moves the place, the wheel goes through the slices."""

    placeChosen = Signal(object)
    """LPS mm of the fixed series."""
    entered = Signal()

    def __init__(self, name: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.name, self._theme = name, theme
        self.pair: Pair | None = None
        self.active = False
        self._kept: tuple[object, Values] | None = None
        self.row, self.column = (np.asarray(each) for each in AXES[name])
        self.normal = np.cross(self.row, self.column)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(theme.px(120), theme.px(90))

    def show_pair(self, pair: Pair | None) -> None:
        """Show a pair (none: nothing)."""
        self.pair, self._kept = pair, None
        self.update()

    def _frame(self, pair: Pair) -> tuple[FloatArray, float, tuple[float, float]]:
        """Return the upper left place, widget pixels for a millimetre, and the extent in mm."""
        corners = grid_of(pair.fixed.volume).corners()
        across, down = corners @ self.row, corners @ self.column
        wide, high = float(np.ptp(across)), float(np.ptp(down))
        scale = min(self.width() / wide, self.height() / high)
        start = across.min() * self.row + down.min() * self.column
        return start + (pair.place @ self.normal) * self.normal, scale, (wide, high)

    def _origin(self, scale: float, extent: tuple[float, float]) -> QPointF:
        return QPointF((self.width() - extent[0] * scale) / 2, (self.height() - extent[1] * scale) / 2)

    def place_at(self, point: QPointF) -> FloatArray | None:
        """Return the place under a widget point."""
        if self.pair is None:
            return None
        start, scale, extent = self._frame(self.pair)
        away = (point - self._origin(scale, extent)) / scale
        return np.asarray(start + away.x() * self.row + away.y() * self.column)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cut with its name and what is seen where."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("image"))
        if self.pair is not None:
            self._draw(painter, self.pair)
        if self.active:
            painter.setPen(QPen(self._theme.colour("viewport-frame"), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _draw(self, painter: QPainter, pair: Pair) -> None:
        start, scale, extent = self._frame(pair)
        step = max(1.0 / (scale * self.devicePixelRatioF()), FINEST)
        rows, columns = math.ceil(extent[1] / step), math.ceil(extent[0] / step)
        plane = ImagePlane(
            position=vector(start + (self.row + self.column) * step / 2),
            row_cosines=vector(self.row),
            column_cosines=vector(self.column),
            row_spacing=step,
            column_spacing=step,
        )
        key = (plane, rows, columns)
        if self._kept is None or self._kept[0] != key:
            self._kept = key, sampled(pair.fixed, plane, rows, columns)
        back = np.asarray(np.linalg.inv(pair.matrix), dtype=np.float64)
        moving = sampled(pair.moving, plane, rows, columns, back)
        target = QRectF(self._origin(scale, extent), QPointF())
        target.setWidth(columns * step * scale)
        target.setHeight(rows * step * scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fixed_grey = greys(pair.fixed, self._kept[1])
        if pair.mode is Mode.BLEND:
            painter.drawImage(target, to_qimage(fixed_grey))
            look = pair.moving.look
            warm = type(look)(look.low, look.high, look.opacity, "hot_iron")
            painter.setOpacity(0.5)
            painter.drawImage(target, to_overlay(coloured(pair.moving, moving, warm)))
            painter.setOpacity(1.0)
        else:
            shows = self._shows_moving(pair, rows, columns)
            painter.drawImage(
                target, to_qimage(np.where(shows, greys(pair.moving, moving), fixed_grey))
            )
        self._draw_words(painter, pair, target, start, scale)

    @staticmethod
    def _shows_moving(pair: Pair, rows: int, columns: int) -> npt.NDArray[np.bool_]:
        down, across = np.arange(rows)[:, None], np.arange(columns)[None, :]
        if pair.mode is Mode.SWIPE:
            return np.broadcast_to(across >= pair.split * columns, (rows, columns))
        if pair.mode is Mode.SQUARES:
            side = max(1, max(rows, columns) // SQUARES)
            return np.asarray((down // side + across // side) % 2 == 1)
        return np.broadcast_to(np.array(pair.shows_moving), (rows, columns))

    def _draw_words(
        self, painter: QPainter, pair: Pair, target: QRectF, start: FloatArray, scale: float
    ) -> None:
        theme = self._theme
        font, ink, margin = theme.font("corner"), theme.colour("corner"), 6.0
        titles = {"axial": tr("Axial"), "coronal": tr("Coronal"), "sagittal": tr("Sagittal")}
        draw_outlined(painter, (margin, margin), titles[self.name], font, ink)
        names = [
            f"{one.series.modality} {series_text(one.series, None)}"
            for one in (pair.fixed, pair.moving)
        ]
        words = {
            Mode.BLEND: tr("{moving} in colour over {fixed}"),
            Mode.SWIPE: tr("left {fixed}, right {moving}"),
            Mode.SQUARES: tr("{fixed} and {moving} in squares"),
            Mode.TURNS: "{moving}" if pair.shows_moving else "{fixed}",
        }[pair.mode].format(fixed=names[0], moving=names[1])
        draw_outlined(painter, (margin, self.height() - margin - 16), words, font, ink)
        if pair.mode is Mode.SWIPE:
            x = target.left() + pair.split * target.width()
            painter.setPen(QPen(theme.colour("viewport-frame"), 1))
            painter.drawLine(QPointF(x, target.top()), QPointF(x, target.bottom()))
        away = (pair.place - start) * scale
        at = target.topLeft() + QPointF(float(away @ self.row), float(away @ self.column))
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (theme.colour("reference-line"), 1.0)):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(at + QPointF(dx, dy) * 6, at + QPointF(dx, dy) * 14)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the place under the pointer; this cut is the one that is moved from now on."""
        self.entered.emit()
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer with the place, or with the border of the swipe."""
        pair = self.pair
        if pair is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        place = self.place_at(event.position())
        if place is not None:
            self.placeChosen.emit(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices."""
        if self.pair is not None:
            step = max(1.0, min(self.pair.fixed.volume.spacing))
            self.placeChosen.emit(self.pair.place + self.normal * step * event.angleDelta().y() / NOTCH)
