"""Marks by the keyboard alone, and words that go and keep clear."""

from __future__ import annotations

import numpy as np
import pytest
from marks_driver import KEY, SHIFT, click, drag, layer_of, move
from marks_driver import at as point_at
from PySide6.QtTest import QTest

from viewer.acts import Tool
from viewer.imaging.marks import MarkKind
from viewer.imaging.regions import Region, Shape
from viewer.views.marks.clear_of import word_boxes
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.viewport_paint import tag_boxes

pytestmark = pytest.mark.gui


def press(view, *keys) -> None:
    for key in keys:
        QTest.keyClick(view, key)


def test_arrows_scroll_until_the_reader_asks_and_then_move_the_selected_mark(marked, board) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20, 20), (30, 25), (50, 20))
    marked.set_tool(Tool.SCROLL)
    (mark,) = board.marks
    press(marked, KEY.Key_Down)
    assert marked.model.state.index == 3 and board.marks == (mark,)
    press(marked, KEY.Key_Up, KEY.Key_Return, KEY.Key_Right, KEY.Key_Right)
    QTest.keyClick(marked, KEY.Key_Down, SHIFT)
    assert board.marks == (mark,) and marked.model.state.index == 4
    press(marked, KEY.Key_Return)
    (moved,) = board.marks
    assert np.allclose(np.subtract(moved.points, mark.points), (2.0, 10.0))
    # the arrows are those of the images again
    press(marked, KEY.Key_Down)
    assert marked.model.state.index == 3


def test_tab_goes_from_handle_to_handle_and_escape_leaves_all_as_it_was(marked, board) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20, 20), (30, 25), (50, 20))
    marked.set_tool(Tool.SCROLL)
    (mark,) = board.marks
    press(marked, KEY.Key_Return, KEY.Key_Tab, KEY.Key_Left, KEY.Key_Tab, KEY.Key_Right)
    assert "Tab" in layer_of(marked).note() and marked.hasFocus()
    QTest.keyClick(marked, KEY.Key_Tab, SHIFT)
    press(marked, KEY.Key_Left, KEY.Key_Return)
    (moved,) = board.marks
    assert np.allclose(np.subtract(moved.points, mark.points), ((-2.0, 0.0), (1.0, 0.0)))
    assert moved.values[0].value == pytest.approx(mark.values[0].value + 3.0)
    press(marked, KEY.Key_Return, KEY.Key_Up, KEY.Key_Escape)
    assert board.marks == (moved,) and layer_of(marked).note() == ""
    # without such a mark Tab is that of the window
    assert not layer_of(marked).tab(True)


def test_another_image_keeps_what_the_keys_moved(marked, board) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20, 20), (30, 25), (50, 20))
    marked.set_tool(Tool.SCROLL)
    (mark,) = board.marks
    press(marked, KEY.Key_Return, KEY.Key_Right, KEY.Key_Home)
    (moved,) = board.marks
    assert np.allclose(np.subtract(moved.points, mark.points), (1.0, 0.0))
    assert marked.model.state.index == 8 and layer_of(marked).here.live is None


@pytest.mark.parametrize(
    ("tool", "kind", "corners"),
    [
        (Tool.LENGTH, MarkKind.LENGTH, 2),
        (Tool.ANGLE, MarkKind.ANGLE, 3),
        (Tool.ELLIPSE, MarkKind.ELLIPSE, 2),
        (Tool.OUTLINE, MarkKind.POLYGON, 3),
        (Tool.BRUSH, MarkKind.BRUSH, 1),
    ],
)
def test_a_mark_is_drawn_without_the_mouse(marked, board, tool, kind, corners) -> None:
    marked.set_tool(tool)
    press(marked, KEY.Key_Return)
    start = layer_of(marked).by_keys.crosshair
    ways = [(), (KEY.Key_Right,), (KEY.Key_Down,)]
    for way in ways[:corners]:
        for key in way:
            QTest.keyClick(marked, key, SHIFT)
        if tool is Tool.ELLIPSE and way:
            QTest.keyClick(marked, KEY.Key_Down, SHIFT)
        marked.grab()
        press(marked, KEY.Key_Return)
    if tool is Tool.OUTLINE:
        press(marked, KEY.Key_Return)  # the last corner once more
    (mark,) = board.marks
    assert mark.kind is kind
    if kind is MarkKind.LENGTH:
        assert np.allclose(mark.points, (start, (start[0] + 10, start[1])))
    if kind is MarkKind.POLYGON:
        assert len(mark.points) == 3
    press(marked, KEY.Key_Escape)
    assert layer_of(marked).by_keys.crosshair is None and len(board.marks) == 1


def test_a_point_is_taken_back_and_a_click_ends_the_keys(marked, board) -> None:
    marked.set_tool(Tool.ANGLE)
    press(marked, KEY.Key_Return, KEY.Key_Return)
    QTest.keyClick(marked, KEY.Key_Right, SHIFT)
    press(marked, KEY.Key_Return, KEY.Key_Backspace)
    assert len(layer_of(marked).sketch.clicks) == 1
    press(marked, KEY.Key_Escape)
    assert layer_of(marked).sketch is None
    press(marked, KEY.Key_Return)
    click(marked, (10, 10))
    assert layer_of(marked).by_keys.crosshair is None and len(layer_of(marked).sketch.clicks) == 1
    marked.set_tool(Tool.FREEHAND)
    assert not layer_of(marked).by_keys.begin()


def test_words_of_marks_go_with_the_corner_text(marked, board) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20, 20), (30, 25), (50, 20))
    marked.set_tool(Tool.SCROLL)
    board.select("")
    marked.set_corner_text(False)
    move(marked, point_at(marked, 2, 2))
    (drawn,) = layer_of(marked).here.drawn()
    area = drawn.label.toAlignedRect()
    bare = marked.grab(area).toImage()
    marked.set_corner_text(True)
    assert marked.grab(area).toImage() != bare
    marked.set_corner_text(False)
    assert marked.grab(area).toImage() == bare
    # words that are not there cannot be taken hold of
    assert (
        layer_of(marked).here.found((area.center().x(), area.center().y()), "", drawing=False) is None
    )


def test_words_of_marks_keep_clear_of_tags_and_corner_text(marked, board, stack) -> None:
    model, layer = marked.model, layer_of(marked)
    marked.set_tool(Tool.LENGTH)
    # below the text in the corner, where its words would stand on it
    drag(marked, (4, 14), (10, 10), (14, 12))
    (drawn,) = layer.here.drawn()
    words = word_boxes(model, marked.theme)

    def overlaps(boxes) -> bool:
        label = drawn.label
        return any(
            left < label.right()
            and label.left() < right
            and top < label.bottom()
            and label.top() < bottom
            for left, top, right, bottom in boxes
        )

    assert not overlaps(words)
    left, top, right, bottom = (
        *model.to_image((drawn.label.left(), drawn.label.top())),
        *model.to_image((drawn.label.right(), drawn.label.bottom())),
    )
    series = stack.series
    instance, number = stack.frames[4]
    region = Region(
        shape=Shape.POINT,
        series_instance_uid=series.series_instance_uid,
        sop_instance_uid=series.instances[instance].sop_instance_uid,
        frame_number=number,
        points=(((left + right) / 2 - 3, (top + bottom) / 2 + 3),),
    )
    before = drawn.label
    marked.set_overlay(Overlay((ViewRegion("E1", (region,)),)))
    marked.set_selected(frozenset({"E1"}))
    tags = tag_boxes(
        model.drawn_outlines(), model.matrix(), marked.theme, layer.here.label_bounds()
    ).values()
    (drawn,) = layer.here.drawn()
    assert tags and not overlaps(tags) and not overlaps(words)
    assert drawn.label != before
