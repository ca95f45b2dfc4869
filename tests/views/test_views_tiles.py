"""Tiles of one series: consecutive images, pages by wheel and keys, one window for all, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from analytic_stack import CORONAL
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from viewer.acts import Arrangement
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]
KEY = Qt.Key


@pytest.fixture
def grid(qtbot, make_stack: StackMaker) -> ViewportGrid:  # type: ignore[no-untyped-def]
    """Nine panes; the first shows 40 images, the second another series."""
    widget = ViewportGrid()
    qtbot.addWidget(widget)
    widget.resize(906, 606)
    widget.set_arrangement(Arrangement.NINE)
    widget.panes()[0].show_stack(make_stack(axes=CORONAL, count=40), index=12)
    widget.panes()[1].show_stack(make_stack(axes=CORONAL, count=9, uid="1.2.4"), index=3)
    with qtbot.waitExposed(widget):
        widget.show()
    qtbot.keyClick(widget.panes()[0].widget(), KEY.Key_0)
    return widget


def frames(grid: ViewportGrid) -> list[int | None]:
    return [None if pane.stack() is None else pane.shown_frame() for pane in grid.panes()]


def turn_wheel(widget: QWidget, notches: int) -> None:
    event = QWheelEvent(
        QPointF(40, 40),
        widget.mapToGlobal(QPointF(40, 40)),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_every_pane_shows_the_next_image_of_the_active_series(grid: ViewportGrid) -> None:
    assert grid.do("layout.tiles")
    assert grid.tiled
    assert frames(grid) == list(range(12, 21))
    assert {pane.stack() for pane in grid.panes()} == {grid.panes()[0].stack()}


def test_the_active_image_keeps_its_pane(grid: ViewportGrid, make_stack: StackMaker) -> None:
    grid.panes()[4].show_stack(make_stack(axes=CORONAL, count=30, uid="1.5"), index=10)
    grid.set_active(4)
    grid.set_tiled(True)
    assert frames(grid) == list(range(6, 15))


@pytest.mark.parametrize("number", [0, 4, 8])
def test_the_wheel_turns_pages_from_any_pane(grid: ViewportGrid, number: int) -> None:
    grid.set_tiled(True)
    pane = grid.panes()[number].widget()
    turn_wheel(pane, 1)
    assert frames(grid) == list(range(21, 30))
    turn_wheel(pane, 3)
    assert frames(grid) == list(range(31, 40))
    turn_wheel(pane, -1)
    assert frames(grid) == list(range(22, 31))
    turn_wheel(pane, -9)
    assert frames(grid) == list(range(9))


def test_keys_turn_pages_and_go_to_the_ends(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    grid.set_tiled(True)
    pane = grid.panes()[0].widget()
    qtbot.keyClick(pane, KEY.Key_Down)
    assert frames(grid) == list(range(21, 30))
    qtbot.keyClick(pane, KEY.Key_Up)
    assert frames(grid) == list(range(12, 21))
    qtbot.keyClick(pane, KEY.Key_End)
    assert frames(grid) == list(range(31, 40))
    qtbot.keyClick(pane, KEY.Key_Home)
    assert frames(grid) == list(range(9))


def test_window_zoom_and_flip_of_one_tile_are_those_of_all(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    grid.set_tiled(True)
    grid.set_active(5)
    pane = grid.panes()[5].widget()
    for key in (KEY.Key_2, KEY.Key_H, KEY.Key_Plus):
        qtbot.keyClick(pane, key)
    states = [pane.model.state for pane in grid.panes()]
    assert {state.mirrored for state in states} == {True}
    assert {state.window.explanation for state in states} == {"Lung"}
    assert len({state.magnification for state in states}) == 1
    assert frames(grid) == list(range(12, 21))


def test_a_short_series_leaves_the_rest_empty(grid: ViewportGrid, make_stack: StackMaker) -> None:
    grid.panes()[0].show_stack(make_stack(axes=CORONAL, count=5, uid="1.6"), index=3)
    grid.set_tiled(True)
    assert frames(grid) == [0, 1, 2, 3, 4, None, None, None, None]
    turn_wheel(grid.panes()[2].widget(), 1)
    assert frames(grid) == [0, 1, 2, 3, 4, None, None, None, None]
    grid.panes()[0].show_stack(make_stack(axes=CORONAL, count=12, uid="1.7"), index=0)
    assert frames(grid) == list(range(9))


def test_another_arrangement_lays_other_tiles(grid: ViewportGrid) -> None:
    grid.set_tiled(True)
    grid.set_arrangement(Arrangement.SIXTEEN)
    assert frames(grid) == list(range(12, 28))
    assert [grid.panes()[15].widget().width(), grid.panes()[15].widget().height()] == [225, 150]
    turn_wheel(grid.panes()[3].widget(), 1)
    assert frames(grid) == list(range(24, 40))


def test_one_tile_alone_scrolls_image_by_image(grid: ViewportGrid) -> None:
    grid.set_tiled(True)
    grid.set_maximised(True)
    turn_wheel(grid.panes()[0].widget(), 1)
    assert grid.panes()[0].shown_frame() == 13
    grid.set_maximised(False)
    assert frames(grid) == list(range(13, 22))


def test_tiles_end_as_they_began(grid: ViewportGrid) -> None:
    grid.do("layout.tiles")
    grid.do("layout.tiles")
    assert not grid.tiled
    turn_wheel(grid.panes()[0].widget(), 1)
    assert grid.panes()[0].shown_frame() == 13


def test_an_empty_pane_has_no_tiles(grid: ViewportGrid) -> None:
    grid.set_active(7)
    grid.set_tiled(True)
    assert not grid.tiled


@pytest.mark.parametrize("arrangement", list(Arrangement))
def test_every_arrangement_fills_the_grid(grid: ViewportGrid, arrangement: Arrangement) -> None:
    grid.set_arrangement(arrangement)
    rows, columns = arrangement.shape
    visible = [pane.widget() for pane in grid.all_panes() if pane.widget().isVisible()]
    assert len(visible) == rows * columns
    widths = {widget.width() for widget in visible}
    heights = {widget.height() for widget in visible}
    assert max(widths) - min(widths) <= 1
    assert max(heights) - min(heights) <= 1
    assert abs(max(widths) * columns + 2 * (columns - 1) - 906) <= columns
    assert abs(max(heights) * rows + 2 * (rows - 1) - 606) <= rows
