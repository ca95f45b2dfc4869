"""Presentation states: the image as a state asks for it, and the lines and words that it carries."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.imaging.objects.presenting import FramePresentation, for_frame, present
from viewer.imaging.objects.states import PresentationContent
from viewer.views.frame_image import to_qimage, turned
from viewer.views.layers import Layer, LayerOrder
from viewer.views.objects.applying import standing, window_for
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.graphics_paint import GraphicsPainter
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray, ViewportState, transform

RESETS = frozenset({"viewport.reset"})
"""Acts that go back to the image as it came: no presentation state is applied any more."""


def presented_frame(view: StackView, board: ObjectsBoard) -> FramePresentation | None:
    """Return what the state that a viewport applies says of the frame drawn, or none."""
    model = view.model
    content, stack = board.state_of(view), model.stack
    if content is None or stack is None or model.shown_index() != model.state.index:
        return None
    instance, number = stack.frames[model.state.index]
    return for_frame(content, stack.series.instances[instance].sop_instance_uid, number)


class PresentationLayer(Layer):
    """Draws the frame through the tables and shutters of the state that its viewport applies.

    The picture takes the place of the image's own: nothing that the image says of its grey is used.
    """

    order: ClassVar[LayerOrder] = LayerOrder.COLOUR

    def __init__(self, view: StackView, board: ObjectsBoard) -> None:
        super().__init__(view)
        self._board = board
        self._before: ViewportState | None = None
        self._key: object = None
        self._image = QImage()
        board.changed.connect(view.update)

    def apply(self, content: PresentationContent) -> bool:
        """Apply a state to the frame that is shown; false when it is not for this frame."""
        before = self._before if self._board.state_of(self.view) is not None else self.view.model.state
        self._board.set_state(self.view, content)
        shown = presented_frame(self.view, self._board)
        if shown is None:
            self.remove()
            return False
        model, self._before = self.view.model, before
        self.view.set_state(
            standing(shown, model.state, model.image_size(), model.size, pixel_ratio=model.pixel_ratio)
        )
        return True

    def remove(self) -> None:
        """Apply no state any more; the image stands as it stood before."""
        if self._board.state_of(self.view) is None:
            return
        before, self._before = self._before, None
        self._board.set_state(self.view, None)
        if before is not None and self.view.model.stack is not None:
            model = self.view.model
            self.view.set_state(before.at(model.state.index, model.count))

    def stack_changed(self) -> None:
        """Keep the state while one of its images may be shown."""
        self._key = None
        content, stack = self._board.state_of(self.view), self.view.model.stack
        if content is None:
            return
        uids = set() if stack is None else {one.sop_instance_uid for one in stack.series.instances}
        if not any(one.sop_instance_uid in uids for one in content.images):
            self._before = None
            self._board.set_state(self.view, None)

    def do(self, act: str) -> bool:
        """Let the state go with a reset, which the viewport then does."""
        if act in RESETS and self._board.state_of(self.view) is not None:
            self._before = None
            self._board.set_state(self.view, None)
        return False

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the frame as the state asks, over the image's own picture."""
        shown = presented_frame(self.view, self._board)
        if shown is None:
            return
        model = self.view.model
        edges = transform(matrix, _corners(model.image_size().columns, model.image_size().rows))
        target = QRectF(QPointF(*edges.min(axis=0)), QPointF(*edges.max(axis=0)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self._picture(shown, target, painter.device().devicePixelRatioF()))

    def _picture(self, shown: FramePresentation, target: QRectF, ratio: float) -> QImage:
        """Return the frame, turned; made smaller here where it is drawn much smaller."""
        model = self.view.model
        stack, state = model.stack, model.state
        assert stack is not None  # a frame is presented
        wide, high = round(target.width() * ratio), round(target.height() * ratio)
        key = (
            id(stack),
            id(shown.state),
            (state.index, state.window, state.quarter_turns, state.mirrored, state.inverted),
            (wide, high),
        )
        if key != self._key:
            instance = stack.series.instances[stack.frames[state.index][0]]
            window = window_for(shown, state)
            pixels = present(np.asarray(stack.stored[state.index]), shown, instance, window=window)
            if state.inverted:
                pixels = 255 - pixels
            image = to_qimage(turned(pixels, state))
            if wide < image.width() // 2 and wide > 0 and high > 0:
                image = image.scaled(
                    wide,
                    high,
                    Qt.AspectRatioMode.IgnoreAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            self._image, self._key = image, key
        return self._image


class GraphicsLayer(Layer):
    """Draws lines, words and overlays of the state that its viewport applies."""

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView, board: ObjectsBoard) -> None:
        super().__init__(view)
        self._board = board
        board.changed.connect(view.update)

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw what the state says of this frame, layer by layer."""
        shown = presented_frame(self.view, self._board)
        if shown is not None and self._board.graphics:
            GraphicsPainter(painter, matrix, self.view, shown).paint()


def presenter_of(view: StackView) -> PresentationLayer | None:
    """Return the layer of a viewport that applies presentation states."""
    return next((one for one in view.layers if isinstance(one, PresentationLayer)), None)


def _corners(columns: int, rows: int) -> list[tuple[float, float]]:
    return [(-0.5, -0.5), (columns - 0.5, rows - 0.5)]
