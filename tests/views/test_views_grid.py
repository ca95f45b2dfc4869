"""The layout: arrangements, the active pane, maximise, linked scrolling, drops, shared acts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent

import resources
from viewer.acts import VIEWER_ACTS, Arrangement, Scope, Tool
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.series_strip import SeriesItem, SeriesStrip, series_mime
from viewer.views.theme import Theme
from viewer.views.viewport_model import STATE_ACTS

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def grid(qtbot, make_stack: StackMaker) -> ViewportGrid:  # type: ignore[no-untyped-def]
    widget = ViewportGrid()
    qtbot.addWidget(widget)
    widget.resize(802, 602)
    widget.set_arrangement(Arrangement.FOUR)
    stacks = [
        make_stack(count=9, between=2.0),
        make_stack(count=18, between=1.0, uid="1.2.4"),
        make_stack(count=9, uid="1.2.5", frame_of_reference="other"),
    ]
    for pane, stack in zip(widget.panes(), stacks, strict=False):
        pane.show_stack(stack, index=0)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def visible(grid: ViewportGrid) -> list[int]:
    return [i for i, pane in enumerate(grid.all_panes()) if pane.widget().isVisible()]


@pytest.mark.parametrize(
    ("arrangement", "sizes"),
    [
        (Arrangement.ONE, [(802, 602)]),
        (Arrangement.SIDE_BY_SIDE, [(400, 602)] * 2),
        (Arrangement.STACKED, [(802, 300)] * 2),
        (Arrangement.FOUR, [(400, 300)] * 4),
    ],
)
def test_panes_share_the_room_with_two_pixels_between(
    grid: ViewportGrid, arrangement: Arrangement, sizes: list[tuple[int, int]]
) -> None:
    grid.set_arrangement(arrangement)
    found = [pane.widget().size() for pane in grid.panes()]
    assert [(size.width(), size.height()) for size in found] == sizes
    assert visible(grid) == list(range(len(sizes)))


def test_window_zoom_and_place_survive_maximise_and_another_arrangement(
    qtbot, grid: ViewportGrid
) -> None:  # type: ignore[no-untyped-def]
    pane = grid.panes()[1]
    qtbot.mouseClick(pane.widget(), LEFT, pos=QPoint(50, 50))
    pane.set_window(WindowPreset(center=-500, width=1500))
    pane.do("viewport.zoom_in")
    pane.do("viewport.rotate_right")
    before = pane.model.state
    qtbot.mouseDClick(pane.widget(), LEFT, pos=QPoint(50, 50))
    assert visible(grid) == [1]
    assert pane.widget().width() == 802
    assert pane.model.state == before
    qtbot.mouseDClick(pane.widget(), LEFT, pos=QPoint(50, 50))
    assert visible(grid) == [0, 1, 2, 3]
    grid.set_arrangement(Arrangement.ONE)
    grid.set_arrangement(Arrangement.FOUR)
    assert pane.model.state == before


def test_a_click_makes_a_pane_active_and_keys_go_to_it_alone(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    grid.set_linked(False)
    with qtbot.waitSignal(grid.activeChanged) as changed:
        qtbot.mouseClick(grid.panes()[2].widget(), LEFT, pos=QPoint(80, 80))
    assert changed.args == [2]
    assert [pane.active for pane in grid.panes()] == [False, False, True, False]
    qtbot.keyClick(grid.panes()[2].widget(), Qt.Key.Key_I)
    assert [pane.model.state.inverted for pane in grid.panes()] == [False, False, True, False]


def test_series_of_one_frame_of_reference_scroll_together(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    qtbot.keyClick(grid.panes()[0].widget(), Qt.Key.Key_Home)
    assert [pane.shown_frame() for pane in grid.panes()] == [8, 16, 0, 0]
    qtbot.keyClick(grid.panes()[0].widget(), Qt.Key.Key_K)
    assert not grid.linked
    qtbot.keyClick(grid.panes()[0].widget(), Qt.Key.Key_End)
    assert [pane.shown_frame() for pane in grid.panes()] == [0, 16, 0, 0]


def test_a_tool_is_chosen_for_every_pane(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    with qtbot.waitSignal(grid.toolChanged) as changed:
        qtbot.keyClick(grid.panes()[3].widget(), Qt.Key.Key_W)
    assert changed.args == [Tool.WINDOW]
    assert {pane.tool for pane in grid.panes()} == {Tool.WINDOW}


def test_one_act_hides_all_corner_text(grid: ViewportGrid) -> None:
    assert grid.do("view.corner_text")
    assert not any(pane.corner_text for pane in grid.panes())


def test_a_region_is_shown_in_the_pane_that_holds_it_and_linked_panes_follow(
    grid: ViewportGrid,
) -> None:
    region = Region(
        shape=Shape.BOX,
        series_instance_uid="1.2.4",
        sop_instance_uid="1.2.4.11",
        points=((20, 20), (50, 50)),
    )
    grid.set_overlay(Overlay((ViewRegion("E3", (region,)),)))
    grid.set_maximised(True)
    assert grid.show_region(region)
    assert grid.active_index() == 1
    assert not grid.maximised
    assert [pane.shown_frame() for pane in grid.panes()] == [5, 10, 0, 0]
    assert not grid.show_region(region.model_copy(update={"sop_instance_uid": "9"}))


def test_a_series_dropped_on_a_pane_is_asked_for_there(
    qtbot, grid: ViewportGrid, make_stack: StackMaker
) -> None:  # type: ignore[no-untyped-def]
    data: QMimeData = series_mime(make_stack(uid="7.7").series)
    event = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        data,
        LEFT,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(grid.seriesDropped) as dropped:
        grid.panes()[2].widget().dropEvent(event)
    assert dropped.args == [2, "7.7"]


def test_clearing_a_series_empties_its_panes_only(grid: ViewportGrid) -> None:
    grid.clear_series({"1.2.4"})
    assert [pane.stack() is None for pane in grid.panes()] == [False, True, False, True]


# --- the table of acts -----------------------------------------------------------------------------


def test_no_key_stands_for_two_acts() -> None:
    keys = [key for act in VIEWER_ACTS for key in act.keys]
    assert len(keys) == len(set(keys))


def test_every_icon_of_the_table_is_there() -> None:
    for act in VIEWER_ACTS:
        if act.icon:
            assert resources.path("icons", f"{act.icon}.svg").is_file()


def test_every_act_of_the_table_is_done_or_asked_for(qtbot, grid: ViewportGrid) -> None:  # type: ignore[no-untyped-def]
    asked: list[str] = []
    grid.actRequested.connect(asked.append)
    grid.set_active(0)
    for act in VIEWER_ACTS:
        assert grid.do(act.name) or act.name in asked
    assert {"viewport.next_series", "viewport.previous_series", "viewport.keep_preset"} <= set(asked)
    assert set(STATE_ACTS) <= {act.name for act in VIEWER_ACTS}


def test_single_keys_belong_to_the_viewport() -> None:
    for act in VIEWER_ACTS:
        single = [key for key in act.keys if len(key) == 1]
        assert not single or act.scope is Scope.VIEWPORT


# --- the strip -------------------------------------------------------------------------------------


@pytest.fixture
def strip(qtbot, make_stack: StackMaker, make_study) -> SeriesStrip:  # type: ignore[no-untyped-def]
    widget = SeriesStrip(Theme())
    qtbot.addWidget(widget)
    widget.resize(80, 400)
    widget.set_study(make_study(*(make_stack(uid=f"1.{n}").series for n in range(3))))
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_a_series_is_chosen_by_click_and_by_keys(qtbot, strip: SeriesStrip) -> None:  # type: ignore[no-untyped-def]
    items = strip.findChildren(SeriesItem)
    with qtbot.waitSignal(strip.seriesChosen) as chosen:
        qtbot.mouseClick(items[1], LEFT)
    assert chosen.args == ["1.1"]
    items[1].setFocus()
    qtbot.keyClick(items[1], Qt.Key.Key_Down)
    with qtbot.waitSignal(strip.seriesChosen) as chosen:
        qtbot.keyClick(items[2], Qt.Key.Key_Return)
    assert chosen.args == ["1.2"]
    assert strip.window().focusWidget() is items[2]


def test_the_strip_shows_pictures_and_knows_its_neighbours(strip: SeriesStrip) -> None:
    before = strip.grab().toImage()
    strip.set_picture("1.1", np.full((48, 64), 200, dtype=np.uint8))
    assert strip.grab().toImage() != before
    assert strip.neighbour("1.1", 1) == "1.2"
    assert strip.neighbour("1.2", 1) == ""
    assert strip.neighbour("", 1) == "1.0"


def test_a_narrow_strip_is_narrow(strip: SeriesStrip) -> None:
    strip.set_narrow(True)
    assert strip.width() == 64
