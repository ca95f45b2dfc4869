"""Every tool draws on the pixels under the mouse, in every position of the image."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
    only,
    reach,
    value_of,
)
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from viewer.acts import Tool
from viewer.imaging.marks import AREA, LENGTH, MarkKind
from viewer.imaging.volume import ImageStack
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.image_marks import ImageMarks
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_state import ViewportState

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]


# --- every tool ------------------------------------------------------------------------------------

CLICKS = {
    Tool.LENGTH: [(20, 15), (70, 40)],
    Tool.ANGLE: [(20, 15), (40, 40), (70, 20)],
    Tool.COBB: [(20, 15), (60, 20), (22, 50), (64, 44)],
    Tool.RECTANGLE: [(20, 15), (60, 40)],
    Tool.ARROW: [(20, 15), (60, 40)],
}


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
@pytest.mark.parametrize("tool", CLICKS)
def test_clicks_set_points_on_the_pixels_under_them_in_every_position(
    marked: ImageViewport, board: MarkBoard, tool: Tool, turns: int, mirrored: bool
) -> None:
    marked.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored))
    marked.set_tool(tool)
    click(marked, *CLICKS[tool])
    mark = only(board)
    assert mark.kind.value == tool.value
    assert (mark.sop_instance_uid, mark.frame_number) == ("1.2.3.5", 1)
    np.testing.assert_allclose(mark.array(), CLICKS[tool], atol=reach(marked))
    assert board.selected_id == mark.id


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
@pytest.mark.parametrize("magnification", [1.0, 2.5])
def test_a_dragged_ellipse_fills_the_box_of_its_pixels_under_zoom_flip_and_turn(
    marked: ImageViewport, board: MarkBoard, turns: int, mirrored: bool, magnification: float
) -> None:
    marked.set_state(
        ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=magnification)
    )
    marked.set_tool(Tool.ELLIPSE)
    drag(marked, (40, 25), (50, 30), (60, 37))
    expected = [(40, 31), (60, 31), (50, 25), (50, 37)]
    np.testing.assert_allclose(only(board).array(), expected, atol=reach(marked))
    assert value_of(only(board), AREA) == pytest.approx(math.pi * 10 * 6, rel=0.08)


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_outlines_brush_axes_and_words_lie_on_their_pixels_in_every_position(
    marked: ImageViewport, board: MarkBoard, turns: int, mirrored: bool
) -> None:
    marked.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=1.3))
    corners = [(35.0, 22.0), (60.0, 24.0), (58.0, 42.0), (38.0, 40.0)]
    marked.set_tool(Tool.OUTLINE)
    click(marked, *corners)
    QTest.keyClick(marked, KEY.Key_Return)
    board.select("")  # or the corner of the outline would be taken
    marked.set_tool(Tool.FREEHAND)
    drag(marked, corners[0], *corners)
    for outline in board.marks:
        np.testing.assert_allclose(outline.array()[-4:], corners, atol=reach(marked))
    marked.set_tool(Tool.BRUSH)
    layer_of(marked).brush.radius = 2.0
    drag(marked, (40, 30), (50, 30))
    painted = board.marks[-1].mask
    assert painted is not None
    rows, columns = np.nonzero(painted.unpack())
    assert (rows.mean(), columns.mean()) == pytest.approx((30, 45), abs=1.0)
    assert rows.max() - rows.min() < 6 < columns.max() - columns.min()
    marked.set_tool(Tool.BIDIRECTIONAL)
    axes = [(36.0, 30.0), (60.0, 30.0), (45.0, 22.0), (45.0, 40.0)]
    click(marked, *axes)
    np.testing.assert_allclose(board.marks[-1].array(), axes, atol=2 * reach(marked))
    marked.set_tool(Tool.TEXT)
    click(marked, (42, 36))
    field = next(one for one in marked.findChildren(QLineEdit) if one.isVisible())
    QTest.keyClicks(field, "Clip")
    QTest.keyClick(field, KEY.Key_Return)
    np.testing.assert_allclose(board.marks[-1].array(), [(42, 36)], atol=reach(marked))
    assert len(board.marks) == 5


STATES = st.builds(
    ViewportState,
    index=st.just(4),
    magnification=st.floats(0.5, 6.0),
    centre=st.tuples(st.floats(20, 70), st.floats(15, 50)),
    quarter_turns=st.integers(0, 3),
    mirrored=st.booleans(),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(STATES, min_size=2, max_size=5))
def test_a_mark_is_on_the_same_pixels_and_as_large_through_flips_turns_zoom_and_pan(
    states: list[ViewportState], make_stack: StackMaker
) -> None:
    stack = make_stack(spacing=(0.5, 0.8))
    model = ViewportModel()
    model.show(stack, None, None, 4)
    model.size = (480.0, 420.0)
    board = MarkBoard()
    here = ImageMarks(model, board, Theme())
    ends = ((30.13, 20.21), (60.13, 20.21), (45.13, 10.21), (45.13, 30.21))
    board.restore([here.measured(make(stack, MarkKind.ELLIPSE, *ends))])
    wanted = [(value.label, value.value) for value in only(board).values]
    for state in states:
        model.state = state
        (drawn,) = here.drawn()
        ring = np.array([model.to_image((x, y)) for x, y in drawn.lines[0][0].tolist()])
        inside = ((ring - (45.13, 20.21)) / (15, 10)) ** 2
        np.testing.assert_allclose(inside.sum(axis=1), 1.0, atol=1e-9)
        # the fifth one turns the ellipse
        handles = [model.to_image((x, y)) for x, y in drawn.handles[:4].tolist()]
        np.testing.assert_allclose(handles, ends, atol=1e-9)
        again = here.measured(make(stack, MarkKind.ELLIPSE, *handles))
        for (label, before), value in zip(wanted, again.values, strict=True):
            assert (label, pytest.approx(before, abs=1e-9)) == (value.label, value.value)


def test_a_drag_measures_a_length_at_once_with_its_unit_and_uncertainty(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.LENGTH)
    drag(marked, (20, 20), (40, 30), (60, 50))
    (value,) = only(board).values
    assert value.concept == LENGTH
    assert value.value == pytest.approx(50.0, abs=2 * reach(marked))
    assert (value.unit, value.uncertainty) == ("mm", pytest.approx(math.sqrt(0.5)))


def test_two_axes_are_at_right_angles_however_they_are_clicked(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.BIDIRECTIONAL)
    drag(marked, (20, 20), (60, 30))
    drag(marked, (35, 15), (50, 40))
    start, end, left, right = only(board).array()
    assert abs(float((end - start) @ (right - left))) < 1e-6
    assert [value.label for value in only(board).values] == ["Long axis", "Short axis"]


def test_an_outline_is_clicked_point_by_point_taken_back_and_closed_by_return(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.OUTLINE)
    corners = [(30, 20), (60, 22), (55, 45), (25, 40)]
    click(marked, *corners[:3], (80, 60))
    QTest.keyClick(marked, KEY.Key_Backspace)
    click(marked, corners[3])
    QTest.keyClick(marked, KEY.Key_Return)
    assert only(board).kind is MarkKind.POLYGON
    np.testing.assert_allclose(only(board).array(), corners, atol=reach(marked))


@pytest.mark.parametrize("how", ["double click", "first corner"])
def test_an_outline_is_closed_without_a_doubled_point(
    marked: ImageViewport, board: MarkBoard, how: str
) -> None:
    marked.set_tool(Tool.OUTLINE)
    click(marked, (30, 20), (60, 22), (55, 45))
    if how == "double click":
        QTest.mouseDClick(marked, LEFT, NONE, at(marked, 55, 45))
    else:
        QTest.mouseClick(marked, LEFT, NONE, at(marked, 30, 20) + QPoint(3, 2))
    assert len(only(board).points) == 3


def test_a_free_form_outline_follows_the_way_of_the_drag(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.FREEHAND)
    way = [(50 + 15 * math.cos(a / 9), 32 + 15 * math.sin(a / 9)) for a in range(56)]
    drag(marked, way[0], *way)
    mark = only(board)
    assert mark.kind is MarkKind.FREEHAND
    assert value_of(mark, AREA) == pytest.approx(math.pi * 15 * 15, rel=0.03)
    assert 8 < len(mark.points) < 50
    # it is changed by its points like an outline that was clicked
    column, row = mark.points[5]
    drag(marked, (column, row), (column + 3, row + 3), (column + 6, row + 4))
    moved = np.abs(only(board).array() - mark.array()).sum(axis=1) > 0.01
    assert moved.tolist() == [number == 5 for number in range(len(mark.points))]


def test_the_brush_paints_grows_by_a_second_stroke_and_takes_away_with_shift(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.BRUSH)
    layer_of(marked).brush.radius = 4.2
    drag(marked, (30, 30), (40, 30))
    first = only(board)
    assert first.mask is not None
    painted = first.mask.unpack()
    assert painted[30, 26] and painted[30, 44] and painted[34, 35]
    assert not painted[30, 20] and not painted[36, 35]
    assert value_of(first, AREA) == painted.sum()
    drag(marked, (60, 30), (70, 30))
    assert only(board).id == first.id
    more = only(board).mask
    assert more is not None and more.count > first.mask.count
    drag(marked, (25, 30), (80, 30), keys=SHIFT)
    assert board.marks == (), "a mask without a pixel is no mark"


def test_alt_and_the_wheel_change_the_brush(marked: ImageViewport) -> None:
    marked.set_tool(Tool.BRUSH)
    before, frame = layer_of(marked).brush.radius, marked.shown_frame()
    event = QWheelEvent(
        QPointF(100, 90),
        marked.mapToGlobal(QPointF(100, 90)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.AltModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(marked, event)
    assert layer_of(marked).brush.radius == pytest.approx(before * 1.15**2)
    assert marked.shown_frame() == frame


def test_a_text_is_written_on_the_image_and_changed_by_a_double_click(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.TEXT)
    click(marked, (30, 30))
    field = marked.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "Hook wire")
    QTest.keyClick(field, KEY.Key_Return)
    assert (only(board).kind, only(board).text) == (MarkKind.TEXT, "Hook wire")
    marked.set_tool(Tool.SCROLL)
    QTest.mouseDClick(marked, LEFT, NONE, at(marked, 30, 30) + QPoint(6, 0))
    field = next(one for one in marked.findChildren(QLineEdit) if one.isVisible())
    QTest.keyClicks(field, "Clip")
    QTest.keyClick(field, KEY.Key_Return)
    assert only(board).text == "Clip"


def test_a_text_without_words_is_none(marked: ImageViewport, board: MarkBoard) -> None:
    marked.set_tool(Tool.TEXT)
    click(marked, (30, 30))
    field = marked.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "x")
    QTest.keyClick(field, KEY.Key_Escape)
    assert board.marks == ()


def test_escape_cancels_a_drawing_and_a_slip_draws_nothing(
    marked: ImageViewport, board: MarkBoard
) -> None:
    marked.set_tool(Tool.OUTLINE)
    click(marked, (30, 20), (60, 22), (55, 45))
    QTest.keyClick(marked, KEY.Key_Escape)
    QTest.keyClick(marked, KEY.Key_Return)
    marked.set_tool(Tool.ELLIPSE)
    click(marked, (30, 30), (30, 30))
    marked.set_tool(Tool.LENGTH)
    click(marked, (30, 30))
    marked.set_tool(Tool.SCROLL)
    assert board.marks == ()


def test_scrolling_drops_no_drawing_onto_another_image(marked: ImageViewport, board: MarkBoard) -> None:
    marked.set_tool(Tool.LENGTH)
    click(marked, (30, 20))
    assert marked.do("viewport.next")
    click(marked, (60, 20))
    assert board.marks == () and layer_of(marked).sketch is not None
    assert layer_of(marked).sketch.clicks[0] == pytest.approx((60, 20), abs=reach(marked))
