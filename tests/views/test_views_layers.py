"""Layers over a viewport: they draw in order and take mouse and keys before the viewport does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from pytestqt.qtbot import QtBot

from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.layers import Layer, LayerOrder
from viewer.views.stack_view import StackView
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_state import FloatArray

pytestmark = pytest.mark.gui


class Notes(Layer):
    """Writes down what it hears and takes the left button and one key."""

    order = LayerOrder.MARKS

    def __init__(self, view: StackView, name: str, drawn: list[str]) -> None:
        super().__init__(view)
        self.name, self.drawn = name, drawn
        self.heard: list[str] = []

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        assert matrix.shape == (3, 3)
        self.drawn.append(self.name)

    def frame_changed(self) -> None:
        self.heard.append(f"frame {self.view.model.state.index}")

    def stack_changed(self) -> None:
        self.heard.append("stack")

    def key(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_I

    def press(self, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        self.heard.append("press")
        return True

    def move(self, event: QMouseEvent) -> bool:
        self.heard.append("move")
        return True

    def release(self, event: QMouseEvent) -> bool:
        self.heard.append("release")
        return True


class Beneath(Notes):
    """The same, under the marks."""

    order = LayerOrder.COLOUR


@pytest.fixture
def view(qtbot: QtBot, stack: ImageStack) -> ImageViewport:
    """A viewport with images."""
    viewport = ImageViewport()
    qtbot.addWidget(viewport)
    viewport.resize(400, 400)
    with qtbot.waitExposed(viewport):
        viewport.show()
    viewport.show_stack(stack)
    return viewport


def test_layers_draw_from_the_lowest_to_the_highest(view: ImageViewport) -> None:
    drawn: list[str] = []
    view.add_layer(lambda one: Notes(one, "above", drawn))
    view.add_layer(lambda one: Beneath(one, "beneath", drawn))
    view.grab()
    assert drawn[:2] == ["beneath", "above"]


def test_a_layer_takes_a_whole_gesture_and_the_viewport_hears_nothing_of_it(
    qtbot: QtBot, view: ImageViewport
) -> None:
    layer = view.add_layer(lambda one: Notes(one, "above", []))
    assert isinstance(layer, Notes)
    before = view.model.state
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(100, 300))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 300))
    assert [one for one in layer.heard if one != "move"] == ["press", "release"]
    assert "move" in layer.heard
    assert view.model.state == before


def test_a_layer_takes_a_key_before_the_acts_of_the_viewport(qtbot: QtBot, view: ImageViewport) -> None:
    qtbot.keyClick(view, Qt.Key.Key_I)
    assert view.model.state.inverted
    view.add_layer(lambda one: Notes(one, "above", []))
    qtbot.keyClick(view, Qt.Key.Key_I)
    assert view.model.state.inverted, "the layer took the key: nothing is inverted back"


def test_a_layer_hears_of_frames_and_stacks(view: ImageViewport, stack: ImageStack) -> None:
    layer = view.add_layer(lambda one: Notes(one, "above", []))
    assert isinstance(layer, Notes)
    there = view.model.state.index
    assert view.do("viewport.next")
    view.show_stack(stack, index=0)
    assert layer.heard == [f"frame {there - 1}", "stack"]


def test_panes_that_come_later_have_the_layers_too(qtbot: QtBot, stack: ImageStack) -> None:
    grid = ViewportGrid()
    qtbot.addWidget(grid)
    grid.add_layer(lambda one: Notes(one, "any", []))
    assert grid.do("layout.2x2")
    assert [len(pane.layers) for pane in grid.panes() if isinstance(pane, ImageViewport)] == [1] * 4
