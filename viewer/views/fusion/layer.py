"""Draws the upper series over the image of one viewport, with its colour bar."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QWheelEvent

from viewer.imaging.fusion import Look, value_at, way_to
from viewer.views.fusion.board import Fused, FusionBoard
from viewer.views.fusion.colour_bar import bar_area, dragged, draw_colour_bar
from viewer.views.fusion.picture import OverPictures
from viewer.views.fusion.words import joined_text, over_text, shown_text
from viewer.views.layers import Layer, LayerOrder
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray, transform


class FusionLayer(Layer):
    """A series in colour over the image; drags in its colour bar move the ends of its window."""

    order = LayerOrder.COLOUR

    def __init__(self, view: StackView, board: FusionBoard) -> None:
        super().__init__(view)
        self.board = board
        self._pictures = OverPictures()
        self._drag: tuple[QPointF, Look] | None = None
        board.changed.connect(self._board_changed)

    def fused(self) -> Fused | None:
        """Return what lies over the series that is shown here."""
        found, stack = self.board.fused_in(self.view), self.view.model.stack
        return found if found and stack is not None and stack.series.key == found.base_key else None

    def _board_changed(self) -> None:
        self._tell_model()
        self.view.update()

    def stack_changed(self) -> None:
        """Another series is shown, or its pixels are new."""
        self._pictures.forget()
        self._drag = None
        self._tell_model()

    def _tell_model(self) -> None:
        """Let the words of the viewport name the upper series and its values."""
        here = self.fused()
        self.view.model.upper_value = None if here is None else self.value_words
        if here is None:
            self._pictures.forget()

    # --- words -------------------------------------------------------------------------------------

    def note(self) -> str:
        """Say what lies over the image, and who vouches for its place."""
        here, stack = self.fused(), self.view.model.stack
        if here is None or stack is None:
            return ""
        opacity = self.board.look(here.over).opacity
        words = (over_text(here.over, opacity), joined_text(stack.series, here.over.series))
        return "  ".join(filter(None, words))

    def value_words(self, point: tuple[float, float]) -> str:
        """Say the value of the upper series at an image point."""
        here, stack, plane = self.fused(), self.view.model.stack, self.view.model.plane()
        if here is None or stack is None or plane is None:
            return ""
        way = way_to(stack.series, here.over.series)
        if way is None:
            return ""
        place = plane.pixel_to_patient(np.array([point]))[0]
        return shown_text(value_at(here.over, way[:3, :3] @ place + way[:3, 3]), here.over)

    # --- painting ----------------------------------------------------------------------------------

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the picture where its pixels lie; none while another image stands in."""
        here, model = self.fused(), self.view.model
        if here is None or model.stack is None or model.shown_index() != model.state.index:
            return
        look = self.board.look(here.over)
        image = self._pictures.image(model.stack, model.state, here.over, look)
        if image is None:
            return
        rows, columns = model.stack.stored.shape[1:3]
        edges = transform(matrix, [(-0.5, -0.5), (columns - 0.5, rows - 0.5)])
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(look.opacity)
        painter.drawImage(QRectF(QPointF(*edges.min(axis=0)), QPointF(*edges.max(axis=0))), image)
        painter.setOpacity(1.0)
        area = self._bar()
        if self.view.corner_text and not area.isEmpty():
            draw_colour_bar(painter, area, here.over, look, self.view.theme)

    def _bar(self) -> QRectF:
        return bar_area(*self.view.model.size, self.view.theme)

    # --- mouse -------------------------------------------------------------------------------------

    def _on_bar(self, point: QPointF) -> bool:
        if self.fused() is None or not self.view.corner_text:
            return False
        reach = self.view.theme.px(4)
        return self._bar().adjusted(-reach, -reach, reach, reach).contains(point)

    def press(self, event: QMouseEvent) -> bool:
        """Take the end of the window that is nearer."""
        here = self.fused()
        if here is None or event.button() is not Qt.MouseButton.LeftButton:
            return False
        if not self._on_bar(event.position()):
            return False
        self._drag = event.position(), self.board.look(here.over)
        return True

    def move(self, event: QMouseEvent) -> bool:
        """Move the end that is held."""
        here = self.fused()
        if self._drag is None or here is None:
            return False
        start, look = self._drag
        self.board.set_look(here.over, dragged(look, self._bar(), start, event.position()))
        return True

    def release(self, event: QMouseEvent) -> bool:
        """Let the end go."""
        held, self._drag = self._drag is not None, None
        return held

    def wheel(self, event: QWheelEvent) -> bool:
        """Over the bar the wheel shows more or less of the upper series."""
        here = self.fused()
        if here is None or not self._on_bar(event.position()):
            return False
        if event.angleDelta().y():
            self.board.step_opacity(here.over, 1 if event.angleDelta().y() > 0 else -1)
        return True
