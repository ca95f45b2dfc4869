"""Images are counted and gone through as readers do: head to feet, right to left, front to back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from analytic_stack import AXIAL, CORONAL
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from viewer.acts import Arrangement, Tool
from viewer.imaging.reading_order import is_ahead, is_backwards, place_in_order
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_paint import corner_words

SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
"""As most machines send it: kept from the patient's left, read from the right."""

FROM_ABOVE = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
OBLIQUE = ((1.0, 0.0, 0.0), (0.0, 0.87, -0.5))

StackMaker = Callable[..., ImageStack]


@pytest.mark.parametrize(
    ("axes", "backwards"),
    [(AXIAL, True), (CORONAL, False), (SAGITTAL, True), (FROM_ABOVE, False), (OBLIQUE, True)],
)
def test_each_plane_is_read_its_way(make_stack: StackMaker, axes, backwards: bool) -> None:
    stack = make_stack(count=12, axes=axes)
    assert is_backwards(stack) is backwards
    assert [place_in_order(stack, index) for index in (0, 11)] == ([11, 0] if backwards else [0, 11])


def test_what_has_no_place_is_read_as_it_comes(make_stack: StackMaker) -> None:
    assert not is_backwards(make_stack(axes=None))
    assert not is_backwards(make_stack(count=1))
    assert not is_backwards(make_stack(between=0.0))
    assert is_ahead((0.1, -0.2, -0.9)) and not is_ahead((-0.9, 0.1, -0.4))


@pytest.fixture
def view(qtbot, make_stack: StackMaker) -> ImageViewport:  # type: ignore[no-untyped-def]
    """Twelve axial images, the uppermost shown."""
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(520, 480)
    widget.show_stack(make_stack(count=12), index=11)
    widget.show()
    return widget


def number(view: ImageViewport) -> str:
    return corner_words(view.model, view.theme).top_right[1]


def height(view: ImageViewport) -> float:
    plane = view.model.plane()
    assert plane is not None
    return plane.position[2]


@pytest.mark.gui
def test_image_one_is_at_the_top_and_down_leads_to_the_feet(view: ImageViewport) -> None:
    assert number(view) == "Im 1 / 12"
    before = height(view)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert number(view) == "Im 2 / 12" and height(view) < before
    QTest.keyClick(view, Qt.Key.Key_End)
    assert number(view) == "Im 12 / 12" and view.shown_frame() == 0


@pytest.mark.gui
def test_drag_and_cine_lead_to_the_feet(qtbot, view: ImageViewport) -> None:  # type: ignore[no-untyped-def]

    view.set_tool(Tool.SCROLL)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    QTest.mouseMove(view, QPoint(200, 160))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 160))
    dragged = view.shown_frame()
    assert dragged < 11
    now = [0.0]
    view.cine.clock = lambda: now[0]
    view.do("viewport.cine")
    now[0] = 2 / view.cine.rate + 1e-6
    view.cine.tick()
    assert view.shown_frame() == dragged - 2
    view.cine.stop()


@pytest.mark.gui
def test_tiles_run_from_the_head_and_a_link_by_hand_counts_alike(qtbot, make_stack: StackMaker) -> None:  # type: ignore[no-untyped-def]
    grid = ViewportGrid()
    qtbot.addWidget(grid)
    grid.resize(800, 600)
    grid.set_arrangement(Arrangement.FOUR)
    grid.panes()[0].show_stack(make_stack(count=12), index=11)
    grid.set_tiled(True)
    assert [pane.shown_frame() for pane in grid.panes()] == [11, 10, 9, 8]
    grid.do("viewport.last")
    assert [pane.shown_frame() for pane in grid.panes()] == [3, 2, 1, 0]


@pytest.mark.gui
def test_all_three_planes_scroll_the_same_ways(planes) -> None:  # type: ignore[no-untyped-def]
    for name, ahead in (("axial", (0, 0, -2)), ("coronal", (0, 1, 0)), ("sagittal", (1, 0, 0))):
        view = next(one for key, one in planes.planes.items() if key == name)
        before = np.asarray(planes.scene.state.crosshair)
        QTest.keyClick(view, Qt.Key.Key_Down)
        assert np.asarray(planes.scene.state.crosshair) - before == pytest.approx(ahead)
        planes.scene.change(lambda state, grid, name=name: state.flipped(name, horizontally=True))
        QTest.keyClick(view, Qt.Key.Key_Up)
        assert np.asarray(planes.scene.state.crosshair) == pytest.approx(before)
