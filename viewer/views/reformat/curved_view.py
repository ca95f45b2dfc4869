"""The image along a curve, straightened: its length runs down, what lies across it to the sides."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.acts import VIEWER_ACTS, Scope, Tool
from viewer.imaging.curve import Curve, straightened
from viewer.imaging.grey import GreyPipeline, to_grey
from viewer.imaging.reformat import Slab, Stored, Vector, vector
from viewer.views.corner_paint import draw_corners, draw_scale_bar
from viewer.views.corner_text import Corners, series_text, signed
from viewer.views.frame_image import to_qimage
from viewer.views.key_bindings import KeyBindings
from viewer.views.outlined_text import draw_outlined
from viewer.views.reformat.plane_words import slab_text, tr
from viewer.views.reformat.scene import MprScene
from viewer.views.scale_bar import scale_bar
from viewer.views.theme import Theme
from viewer.views.viewport_paint import draw_frame
from viewer.views.viewport_state import window_dragged

DEGREES_PER_NOTCH: Final = 5.0
DEGREES_PER_PIXEL: Final = 0.5

NARROWEST_MM, WIDEST_MM = 30.0, 160.0
"""Width of the image across the curve: what fills the view, within these."""

NOTCH: Final = 120


def why_not_measured(length: float) -> str:
    """Say why nothing is measured on a straightened image, and the one length that is true there."""
    words = tr(
        "Nothing is measured on the straightened image: only along the curve is a millimetre one. "
        "The curve is {n} mm long. Shift and click lays a plane across it, on which is measured."
    )
    return words.format(n=f"{length:.0f}")


class CurvedView(QWidget):
    """Shows the straightened image of the scene's curve; the wheel turns it about the curve."""

    actRequested = Signal(str)

    def __init__(self, scene: MprScene, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene, self.theme = scene, theme
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self.degrees = 0.0
        self.slab = Slab()
        self._pressed: tuple[tuple[float, float], float] | None = None
        self._sampled: tuple[object, Stored] | None = None
        self._moved = False
        self.refuses = False
        """Whether the reader has begun to measure here, and is told why that is not done."""
        scene.curveChanged.connect(self._curve_changed)
        scene.changed.connect(self.update)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Curved reformat"))

    # --- geometry ----------------------------------------------------------------------------------

    def width_mm(self) -> float:
        """Return how much is shown across the curve, mm."""
        curve = self.scene.curve
        if curve is None or self.height() == 0:
            return NARROWEST_MM
        return min(max(curve.length * self.width() / self.height(), NARROWEST_MM), WIDEST_MM)

    def scale(self) -> float:
        """Return the widget pixels for one millimetre."""
        curve = self.scene.curve
        if curve is None:
            return 1.0
        return min(self.height() / max(curve.length, 1.0), self.width() / self.width_mm())

    def target(self) -> QRectF:
        """Return where in the widget the image stands."""
        curve = self.scene.curve
        if curve is None:
            return QRectF()
        wide, high = self.width_mm() * self.scale(), curve.length * self.scale()
        return QRectF((self.width() - wide) / 2, (self.height() - high) / 2, wide, high)

    def sample_at(self, point: tuple[float, float]) -> int | None:
        """Return the sample of the curve beside a widget point, none outside the image."""
        curve, target = self.scene.curve, self.target()
        if curve is None or not target.contains(QPointF(*point)):
            return None
        return round((point[1] - target.top()) / target.height() * (len(curve.points) - 1))

    def place_at(self, point: tuple[float, float]) -> Vector | None:
        """Return the place in the patient under a widget point, none beside the image."""
        curve, index, target = self.scene.curve, self.sample_at(point), self.target()
        if curve is None or index is None:
            return None
        beside = (point[0] - target.center().x()) / self.scale()
        return vector(curve.points[index] + beside * curve.across(self.degrees)[index])

    def _curve_changed(self) -> None:
        self._sampled = None
        self.update()

    # --- changes -----------------------------------------------------------------------------------

    def turn(self, degrees: float) -> None:
        """Turn the cut about the curve."""
        self.degrees = (self.degrees + degrees) % 360.0
        self.update()

    def set_slab(self, slab: Slab) -> None:
        """Show a slab across the image."""
        self.slab = slab
        self.update()

    # --- painting ----------------------------------------------------------------------------------

    def stored(self) -> Stored | None:
        """Return the stored values of the image along the curve."""
        curve, sampler = self.scene.curve, self.scene.sampler
        if curve is None or sampler is None:
            return None
        width = round(self.width_mm())
        key = (id(curve), self.degrees, self.slab, width)
        if self._sampled is None or self._sampled[0] != key:
            made = straightened(
                sampler.volume,
                curve,
                width=width,
                spacing=sampler.grid.smallest_spacing,
                degrees=self.degrees,
                thickness=self.slab.thickness,
                mode=self.slab.mode,
            )
            self._sampled = (key, made)
        return self._sampled[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, or say how one draws a curve."""
        painter = QPainter(self)
        bounds = QRectF(self.rect())
        painter.fillRect(bounds, self.theme.colour("image"))
        pipeline, curve = self.scene.pipeline(), self.scene.curve
        if pipeline is None or curve is None:
            painter.setPen(self.theme.colour("text-2"))
            painter.setFont(self.theme.font("note"))
            words = tr(
                "Click points of the curve on a plane.\n"
                "Enter ends it, Backspace takes one back.\n"
                "Then the wheel turns it, and Shift and click lay a plane across."
            )
            painter.drawText(bounds, Qt.AlignmentFlag.AlignCenter, words)
        else:
            self._paint_image(painter, pipeline)
            self._paint_crosshair(painter, curve)
            if self.scene.corner_text:
                self._paint_words(painter, curve, bounds)
            if self.refuses and self.scene.tool.draws:
                self._paint_refusal(painter, curve, bounds)
        if self.scene.on_curve:
            colour, width = self.theme.colour("viewport-frame"), self.theme.length("viewport", "frame")
            draw_frame(painter, bounds, colour, width)
        painter.end()

    def _paint_image(self, painter: QPainter, pipeline: GreyPipeline) -> None:
        stored = self.stored()
        if stored is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.target(), to_qimage(to_grey(stored, pipeline)))

    def _paint_crosshair(self, painter: QPainter, curve: Curve) -> None:
        """Mark on the left border where along the curve the crosshair is nearest."""
        if self.scene.state is None:
            return
        away = np.linalg.norm(curve.points - np.asarray(self.scene.state.crosshair), axis=1)
        target = self.target()
        y = target.top() + float(away.argmin()) / max(1, len(curve.points) - 1) * target.height()
        line = QLineF(target.left(), y, target.left() + self.theme.px(16), y)
        for colour, width in ((QColor(0, 0, 0, 150), 3.0), (self.theme.colour("reference-line"), 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(line)

    def _paint_words(self, painter: QPainter, curve: Curve, bounds: QRectF) -> None:
        scene = self.scene
        if scene.stack is None or scene.window is None:
            return
        bar = scale_bar(scale=self.scale(), column_spacing=1.0, height=float(self.height()))
        if bar is not None:
            draw_scale_bar(painter, bar, bounds, self.theme)
        window = f"W {signed(scene.window.width)}  L {signed(scene.window.center)}"
        words = Corners(
            top_left=(tr("Straightened"), tr("{n} mm along").format(n=f"{curve.length:.0f}")),
            top_right=(series_text(scene.stack.series, None),),
            bottom_left=tuple(filter(None, (slab_text(self.slab), window))),
            bottom_right=(tr("turned {n}°").format(n=f"{self.degrees:.0f}"),),
        )
        draw_corners(painter, words, "", bounds, self.theme)
        font, colour = self.theme.font("letter"), self.theme.colour("text")
        draw_outlined(painter, (bounds.center().x() - 4, bounds.top() + 6), "1", font, colour)
        last = str(len(scene.curve_points))
        foot = bounds.bottom() - self.theme.line_height("letter") - 6
        draw_outlined(painter, (bounds.center().x() - 4, foot), last, font, colour)

    def _paint_refusal(self, painter: QPainter, curve: Curve, bounds: QRectF) -> None:
        """Say why nothing is measured here, on a ground of its own."""
        words = why_not_measured(curve.length)
        font, pad = self.theme.font("note"), self.theme.px(10)
        wide = min(bounds.width() - 2 * pad, float(self.theme.px(320)))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        room = QRectF(0, 0, wide - 2 * pad, bounds.height())
        text = QFontMetricsF(font).boundingRect(room, flags, words)
        place = QRectF(0, 0, wide, text.height() + 2 * pad)
        place.moveCenter(bounds.center())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.colour("line-2"), 1))
        painter.setBrush(self.theme.colour("raised"))
        painter.drawRoundedRect(place, self.theme.px(6), self.theme.px(6))
        painter.setPen(self.theme.colour("text"))
        painter.setFont(font)
        painter.drawText(place.adjusted(pad, pad, -pad, -pad), flags, words)

    # --- wheel, keys, mouse ------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn about the curve."""
        event.accept()
        self.scene.set_on_curve()
        self.turn(-event.angleDelta().y() / NOTCH * DEGREES_PER_NOTCH)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for the act of a key."""
        self.scene.set_on_curve()
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        else:
            self.actRequested.emit(act)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Acts are for this image from now on."""
        self.scene.set_on_curve()
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to turn or to window."""
        self.scene.set_on_curve()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._pressed = ((event.position().x(), event.position().y()), self.degrees)
        self._window, self._moved = self.scene.window, False
        self.refuses = self.scene.tool.draws
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn about the curve, or change the window with that tool."""
        if self._pressed is None:
            return
        (x, y), degrees = self._pressed
        dx, dy = event.position().x() - x, event.position().y() - y
        self._moved = self._moved or abs(dx) + abs(dy) >= 4.0
        if self.scene.tool is Tool.WINDOW and self._window is not None:
            self.scene.set_window(window_dragged(self._window, dx, dy))
        elif self._moved and not self.refuses:
            self.degrees = (degrees + dx * DEGREES_PER_PIXEL) % 360.0
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click moves the crosshair there; with Shift a plane is laid across the curve."""
        pressed, self._pressed = self._pressed, None
        if pressed is None or self._moved or self.refuses:
            return
        index = self.sample_at(pressed[0])
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and index is not None:
            self.scene.lay_across(index, self.degrees)
            return
        place = self.place_at(pressed[0])
        if place is not None:
            self.scene.change(lambda state, grid: state.at(place, grid))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Maximise and back."""
        self.scene.set_on_curve()
        self.actRequested.emit("viewport.maximise")
