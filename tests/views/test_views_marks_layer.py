"""Marks are moved, changed, renamed and deleted by mouse and keys, and painted where they lie."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from marks_driver import (
    KEY,
    LEFT,
    NONE,
    POSITIONS,
    SHIFT,
    at,
    click,
    drag,
    layer_of,
    make,
    move,
    only,
    reach,
    value_of,
)
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from viewer.acts import Tool
from viewer.imaging.marks import LENGTH, MEAN, Mark, MarkKind, MarkOrigin
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.layer import MarksLayer
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_state import ViewportState

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]


# --- changing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_a_handle_is_dragged_to_the_pixel_under_the_pointer_in_every_position(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack, turns: int, mirrored: bool
) -> None:
    marked.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=1.7))
    board.restore([make(stack, MarkKind.LENGTH, (40, 25), (60, 37))])
    board.select(only(board).id)
    drag(marked, (60, 37), (58, 30), (50, 40))
    expected = [(40, 25), (50, 40)]
    np.testing.assert_allclose(only(board).array(), expected, atol=reach(marked))
    assert value_of(only(board), LENGTH) == pytest.approx(math.hypot(10, 15), abs=reach(marked))


def test_a_mark_is_moved_by_its_line_and_keeps_its_size(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    board.restore([make(stack, MarkKind.LENGTH, (40, 25), (60, 25))])
    drag(marked, (50, 25), (55, 30), (50, 45))
    np.testing.assert_allclose(only(board).array(), [(40, 45), (60, 45)], atol=2 * reach(marked))
    assert value_of(only(board), LENGTH) == pytest.approx(20.0)


def test_escape_puts_a_dragged_mark_back(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    before = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([before])
    QTest.mousePress(marked, LEFT, NONE, at(marked, 50, 25))
    move(marked, at(marked, 50, 40))
    QTest.keyClick(marked, KEY.Key_Escape)
    QTest.mouseRelease(marked, LEFT, NONE, at(marked, 50, 40))
    assert board.marks == (before,)


def test_what_the_selected_mark_measures_is_told_to_assistive_technology(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20.0, 20.0), (60.0, 50.0))
    assert marked.accessibleDescription().endswith("\u00b1 0.7 mm")
    assert marked.do("viewport.next")
    assert marked.accessibleDescription() == ""
    assert marked.do("viewport.previous")
    assert marked.accessibleDescription().startswith("50")
    QTest.keyClick(marked, KEY.Key_Escape)
    assert marked.accessibleDescription() == ""


def test_a_mark_that_is_undone_while_it_is_dragged_does_not_come_back(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    board.restore([make(stack, MarkKind.LENGTH, (40, 25), (60, 25))])
    QTest.mousePress(marked, LEFT, NONE, at(marked, 50, 25))
    move(marked, at(marked, 50, 40))
    board.restore(())
    move(marked, at(marked, 50, 45))
    QTest.mouseRelease(marked, LEFT, NONE, at(marked, 50, 45))
    assert board.marks == ()


def test_keys_in_the_field_of_a_name_do_nothing_to_the_images_behind_it(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([mark])
    board.select(mark.id)
    assert marked.do("viewport.mark_rename")
    field = marked.findChild(QLineEdit)
    assert field is not None
    frame = marked.shown_frame()
    for key in (KEY.Key_Down, KEY.Key_PageDown, KEY.Key_Delete, KEY.Key_N):
        QTest.keyClick(field, key)
    assert marked.shown_frame() == frame and board.marks == (mark,)
    QTest.keyClick(field, KEY.Key_Return)
    assert only(board).name == "n"


def test_a_click_on_a_mark_selects_it_and_changes_nothing(
    qtbot: QtBot, marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    before = make(stack, MarkKind.RECTANGLE, (40, 25), (60, 37))
    board.restore([before])
    with qtbot.assertNotEmitted(board.changed):
        click(marked, (50, 25))
    assert board.selected_id == before.id
    click(marked, (10, 10))
    assert board.selected_id == ""


def test_a_label_that_is_dragged_stays_on_its_place_of_the_image(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (40, 25), (60, 25))
    marked.set_tool(Tool.SCROLL)
    (drawn,) = layer_of(marked).here.drawn()
    middle = drawn.label.center()
    start = marked.model.to_image((middle.x(), middle.y()))
    drag(marked, start, (start[0], start[1] + 10), (start[0], start[1] + 20))
    placed = only(board).label_at
    assert placed is not None
    corner = marked.model.to_image((drawn.label.left(), drawn.label.top()))
    assert placed == pytest.approx((corner[0], corner[1] + 20), abs=2 * reach(marked))
    np.testing.assert_allclose(only(board).array(), [(40, 25), (60, 25)], atol=reach(marked))
    marked.set_state(ViewportState(index=4, magnification=1.5, quarter_turns=1))
    (drawn,) = layer_of(marked).here.drawn()
    there = marked.model.to_image((drawn.label.left(), drawn.label.top()))
    assert there == pytest.approx(placed)


def test_marks_of_others_are_selected_and_not_changed(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    foreign = make(stack, MarkKind.LENGTH, (40, 25), (60, 25), origin=MarkOrigin.SR)
    board.restore([foreign])
    drag(marked, (50, 25), (50, 45))
    assert board.marks == (foreign,) and board.selected_id == foreign.id
    QTest.keyClick(marked, KEY.Key_Delete)
    assert board.marks == (foreign,)


def test_delete_removes_the_selected_mark_and_undo_brings_it_back(
    qtbot: QtBot, marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([mark])
    board.select(mark.id)
    with qtbot.waitSignal(board.changed) as changed:
        QTest.keyClick(marked, KEY.Key_Delete)
    assert changed.args == [(mark,), ()]
    board.restore(changed.args[0])
    assert board.marks == (mark,)


def test_a_mark_is_renamed_where_it_stands(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([mark])
    board.select(mark.id)
    QTest.keyClick(marked, KEY.Key_T, Qt.KeyboardModifier.ControlModifier)
    field = marked.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "T1")
    QTest.keyClick(field, KEY.Key_Return)
    assert only(board).name == "T1"


def test_n_goes_from_mark_to_mark_and_round_the_end(
    qtbot: QtBot, marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    marks = [make(stack, MarkKind.LENGTH, (10, row), (20, row)) for row in (10, 20, 30)]
    board.restore(marks)
    wanted: list[Mark] = []
    board.jumpRequested.connect(wanted.append)
    for _ in range(4):
        QTest.keyClick(marked, KEY.Key_N)
    QTest.keyClick(marked, KEY.Key_N, SHIFT)
    assert wanted == [*marks, marks[0], marks[2]]


def test_a_selected_mark_is_asked_to_become_a_finding(
    qtbot: QtBot, marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.ELLIPSE, (40, 31), (60, 31), (50, 25), (50, 37))
    board.restore([mark])
    board.select(mark.id)
    with qtbot.waitSignal(board.findingRequested) as asked:
        QTest.keyClick(marked, KEY.Key_Return, SHIFT)
    assert asked.args == [mark]


# --- painting --------------------------------------------------------------------------------------


def test_a_mark_is_painted_on_its_own_image_only_and_on_its_pixels(
    marked: ImageViewport, board: MarkBoard, make_stack: StackMaker
) -> None:
    dark = make_stack(pixels=lambda _frame, rows, columns: np.full((rows, columns), -1000, np.int16))
    marked.show_stack(dark, index=4)
    marked.set_corner_text(False)
    board.restore([make(dark, MarkKind.LENGTH, (20, 20), (70, 20))])
    colour = marked.theme.colour("mark")
    for turns, mirrored in POSITIONS:
        marked.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored))
        image = marked.grab().toImage()
        for column in (20.5, 45.0, 69.5):
            spot = at(marked, column, 20)
            near = [image.pixelColor(spot + QPoint(x, y)) for x in (-1, 0, 1) for y in (-1, 0, 1)]
            assert colour in near
    assert marked.do("viewport.next")
    image = marked.grab().toImage()
    assert image.pixelColor(at(marked, 45, 20)) != colour


def test_every_pane_shows_the_marks_of_its_image(
    qtbot: QtBot, board: MarkBoard, stack: ImageStack
) -> None:
    grid = ViewportGrid()
    qtbot.addWidget(grid)
    grid.add_layer(lambda view: MarksLayer(view, board))
    assert grid.do("layout.1x2")
    board.restore([make(stack, MarkKind.LENGTH, (20, 20), (70, 20))])
    for pane, index in zip(grid.panes(), (4, 5), strict=True):
        pane.show_stack(stack, index=index)
    shown = [len(layer_of(pane).here.drawn()) for pane in grid.panes()]  # type: ignore[arg-type]
    assert shown == [1, 0]


def test_values_of_an_area_are_those_of_the_pixels(marked: ImageViewport, board: MarkBoard) -> None:
    marked.set_tool(Tool.RECTANGLE)
    drag(marked, (19.5, 9.5), (30, 20), (39.5, 29.5))
    stack = marked.model.stack
    assert stack is not None
    (x0, y0), (x1, y1) = only(board).array()
    inside = np.asarray(stack.stored[4])[math.ceil(y0) : math.ceil(y1), math.ceil(x0) : math.ceil(x1)]
    assert value_of(only(board), MEAN) == pytest.approx(float(inside.mean()))


def test_frames_of_one_object_have_marks_of_their_own(
    marked: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    # as in enhanced objects, cines and mosaics
    shared = stack.series.instances[0].model_copy(update={"number_of_frames": 3, "plane": None})
    series = stack.series.model_copy(update={"instances": (shared,)})
    frames = tuple((0, number) for number in (1, 2, 3))
    marked.show_stack(ImageStack(series, stack.stored[:3], frames), index=1)
    marked.set_tool(Tool.RECTANGLE)
    drag(marked, (20.0, 20.0), (40.0, 30.0))
    assert (only(board).sop_instance_uid, only(board).frame_number) == ("1.2.3.1", 2)
    shown = []
    for act in ("viewport.first", "viewport.next", "viewport.next"):
        assert marked.do(act)
        shown.append(len(layer_of(marked).here.drawn()))
    assert shown == [0, 1, 0]
    (x0, y0), (x1, y1) = only(board).array()
    rows, columns = slice(math.ceil(y0), math.ceil(y1)), slice(math.ceil(x0), math.ceil(x1))
    inside = np.asarray(stack.stored[1])[rows, columns]
    assert value_of(only(board), MEAN) == pytest.approx(float(inside.mean()))
