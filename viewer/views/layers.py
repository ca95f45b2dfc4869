"""What lies over the image of one viewport, and may take its mouse and keys before it does."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent

from viewer.views.viewport_state import FloatArray

if TYPE_CHECKING:
    from viewer.views.stack_view import StackView


class LayerOrder(IntEnum):
    """What lies over what; evidence regions lie between COLOUR and GRAPHICS."""

    COLOUR = 0
    """Blended with the image: a fused series, coloured masks."""
    GRAPHICS = 1
    """Lines and words of others: overlay planes, contours, presentation states."""
    MARKS = 2
    """What the reader draws and moves."""


class Layer:
    """One layer of one viewport: this base takes nothing and draws nothing.

    What the layers of all viewports show stands in a board they share; a layer listens to it and calls
    `view.update()`. Every handler returns whether the event is taken: then no layer beneath and not the
    viewport itself hears of it.
    """

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView) -> None:
        self.view = view

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw over the image.

        Parameters
        ----------
        matrix
            3 x 3, image points (column, row) to widget points. While another image stands in for one
            that has not arrived (`model.shown_index() != model.state.index`) nothing is to be drawn
            that belongs to pixels.
        """

    def covers(self, matrix: FloatArray) -> bool:
        """Return whether this layer draws over the whole image, which then need not be drawn."""
        return False

    def note(self) -> str:
        """Return what stands quietly under the image's number, or empty."""
        return ""

    def stack_changed(self) -> None:
        """Hear that another stack is shown, or that the stack is complete."""

    def frame_changed(self) -> None:
        """Hear that another frame is shown."""

    def do(self, act: str) -> bool:
        """Do an act of the viewer's table."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """Take a key press."""
        return False

    def tab(self, ahead: bool) -> bool:
        """Take Tab, or Shift and Tab (`ahead` is false), before the focus moves on."""
        return False

    def press(self, event: QMouseEvent) -> bool:
        """Take a button that goes down; its moves and its release then belong to this layer too."""
        return False

    def move(self, event: QMouseEvent) -> bool:
        """Take a move of the mouse, with or without a button."""
        return False

    def release(self, event: QMouseEvent) -> bool:
        """Take a button that comes up."""
        return False

    def double_click(self, event: QMouseEvent) -> bool:
        """Take a double click."""
        return False

    def wheel(self, event: QWheelEvent) -> bool:
        """Take a turn of the wheel."""
        return False

    def leave(self) -> None:
        """Hear that the mouse left the viewport."""


MakeLayer = Callable[["StackView"], Layer]
