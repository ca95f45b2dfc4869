"""Marks drawn, moved and changed by mouse and keys: they lie on the right pixels in every position."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from viewer.acts import Tool
from viewer.imaging.marks import AREA, LENGTH, MEAN, Mark, MarkKind, MarkOrigin
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.grid import ViewportGrid
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.image_marks import ImageMarks
from viewer.views.marks.layer import MarksLayer
from viewer.views.theme import Theme
from viewer.views.viewport import ImageViewport
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_state import ViewportState

pytestmark = pytest.mark.gui

StackMaker = Callable[..., ImageStack]
KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
SHIFT, NONE = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
POSITIONS = list(itertools.product(range(4), (False, True)))


@pytest.fixture
def board() -> MarkBoard:
    return MarkBoard()


@pytest.fixture
def viewport(qtbot: QtBot, stack: ImageStack, study: Study, board: MarkBoard) -> ImageViewport:
    """A viewport of the analytic stack at its fifth image, with marks."""
    widget = ImageViewport()
    qtbot.addWidget(widget)
    widget.resize(480, 420)
    widget.add_layer(lambda view: MarksLayer(view, board))
    widget.show_stack(stack, study, index=4)
    widget.show()
    qtbot.waitExposed(widget)
    widget.activateWindow()
    widget.setFocus()
    return widget


def layer_of(viewport: ImageViewport) -> MarksLayer:
    (layer,) = viewport.layers
    assert isinstance(layer, MarksLayer)
    return layer


def at(viewport: ImageViewport, column: float, row: float) -> QPoint:
    x, y = viewport.model.to_widget((column, row))
    return QPoint(round(x), round(y))


def move(viewport: ImageViewport, point: QPoint) -> None:
    """Move the mouse: the X server's own events arrive when they like."""
    place, none = QPointF(point), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, place, viewport.mapToGlobal(place), none, none, NONE)
    QApplication.sendEvent(viewport, event)


def drag(
    viewport: ImageViewport,
    start: tuple[float, float],
    *way: tuple[float, float],
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    QTest.mousePress(viewport, LEFT, keys, at(viewport, *start))
    for point in way:
        move(viewport, at(viewport, *point))
    QTest.mouseRelease(viewport, LEFT, keys, at(viewport, *way[-1]))


def click(viewport: ImageViewport, *points: tuple[float, float]) -> None:
    for point in points:
        move(viewport, at(viewport, *point))
        QTest.mouseClick(viewport, LEFT, NONE, at(viewport, *point))


def reach(viewport: ImageViewport) -> float:
    """The mouse hits whole widget pixels: within half of one, in image pixels."""
    return 0.75 / viewport.model.scale()


def only(board: MarkBoard) -> Mark:
    (mark,) = board.marks
    return mark


def value_of(mark: Mark, concept: object) -> float:
    return next(value.value for value in mark.values if value.concept == concept)


def make(stack: ImageStack, kind: MarkKind, *points: tuple[float, float], **fields: object) -> Mark:
    """A mark on the fifth image."""
    series = stack.series
    return Mark(
        kind=kind,
        points=points,
        series_instance_uid=series.series_instance_uid,
        series_key=series.key,
        sop_instance_uid=series.instances[4].sop_instance_uid,
        **fields,  # type: ignore[arg-type]
    )


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
    viewport: ImageViewport, board: MarkBoard, tool: Tool, turns: int, mirrored: bool
) -> None:
    viewport.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored))
    viewport.set_tool(tool)
    click(viewport, *CLICKS[tool])
    mark = only(board)
    assert mark.kind.value == tool.value
    assert (mark.sop_instance_uid, mark.frame_number) == ("1.2.3.5", 1)
    np.testing.assert_allclose(mark.array(), CLICKS[tool], atol=reach(viewport))
    assert board.selected_id == mark.id


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
@pytest.mark.parametrize("magnification", [1.0, 2.5])
def test_a_dragged_ellipse_fills_the_box_of_its_pixels_under_zoom_flip_and_turn(
    viewport: ImageViewport, board: MarkBoard, turns: int, mirrored: bool, magnification: float
) -> None:
    viewport.set_state(
        ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=magnification)
    )
    viewport.set_tool(Tool.ELLIPSE)
    drag(viewport, (40, 25), (50, 30), (60, 37))
    expected = [(40, 31), (60, 31), (50, 25), (50, 37)]
    np.testing.assert_allclose(only(board).array(), expected, atol=reach(viewport))
    assert value_of(only(board), AREA) == pytest.approx(math.pi * 10 * 6, rel=0.08)


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_outlines_brush_axes_and_words_lie_on_their_pixels_in_every_position(
    viewport: ImageViewport, board: MarkBoard, turns: int, mirrored: bool
) -> None:
    viewport.set_state(
        ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=1.3)
    )
    corners = [(35.0, 22.0), (60.0, 24.0), (58.0, 42.0), (38.0, 40.0)]
    viewport.set_tool(Tool.OUTLINE)
    click(viewport, *corners)
    QTest.keyClick(viewport, KEY.Key_Return)
    board.select("")  # or the corner of the outline would be taken
    viewport.set_tool(Tool.FREEHAND)
    drag(viewport, corners[0], *corners)
    for outline in board.marks:
        np.testing.assert_allclose(outline.array()[-4:], corners, atol=reach(viewport))
    viewport.set_tool(Tool.BRUSH)
    layer_of(viewport).brush.radius = 2.0
    drag(viewport, (40, 30), (50, 30))
    painted = board.marks[-1].mask
    assert painted is not None
    rows, columns = np.nonzero(painted.unpack())
    assert (rows.mean(), columns.mean()) == pytest.approx((30, 45), abs=1.0)
    assert rows.max() - rows.min() < 6 < columns.max() - columns.min()
    viewport.set_tool(Tool.BIDIRECTIONAL)
    axes = [(36.0, 30.0), (60.0, 30.0), (45.0, 22.0), (45.0, 40.0)]
    click(viewport, *axes)
    np.testing.assert_allclose(board.marks[-1].array(), axes, atol=2 * reach(viewport))
    viewport.set_tool(Tool.TEXT)
    click(viewport, (42, 36))
    field = next(one for one in viewport.findChildren(QLineEdit) if one.isVisible())
    QTest.keyClicks(field, "Clip")
    QTest.keyClick(field, KEY.Key_Return)
    np.testing.assert_allclose(board.marks[-1].array(), [(42, 36)], atol=reach(viewport))
    assert len(board.marks) == 5


STATES = st.builds(
    ViewportState,
    index=st.just(4),
    magnification=st.floats(0.5, 6.0),
    centre=st.tuples(st.floats(20, 70), st.floats(15, 50)),
    quarter_turns=st.integers(0, 3),
    mirrored=st.booleans(),
)


@settings(deadline=None)
@given(states=st.lists(STATES, min_size=2, max_size=5))
def test_a_mark_is_on_the_same_pixels_and_as_large_through_flips_turns_zoom_and_pan(
    states: list[ViewportState],
) -> None:
    from conftest import build_stack

    stack = build_stack(spacing=(0.5, 0.8))
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
        handles = [model.to_image((x, y)) for x, y in drawn.handles.tolist()]
        np.testing.assert_allclose(handles, ends, atol=1e-9)
        again = here.measured(make(stack, MarkKind.ELLIPSE, *handles))
        for (label, before), value in zip(wanted, again.values, strict=True):
            assert (label, pytest.approx(before, abs=1e-9)) == (value.label, value.value)


def test_a_drag_measures_a_length_at_once_with_its_unit_and_uncertainty(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.LENGTH)
    drag(viewport, (20, 20), (40, 30), (60, 50))
    (value,) = only(board).values
    assert value.concept == LENGTH
    assert value.value == pytest.approx(50.0, abs=2 * reach(viewport))
    assert (value.unit, value.uncertainty) == ("mm", pytest.approx(math.sqrt(0.5)))


def test_two_axes_are_at_right_angles_however_they_are_clicked(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.BIDIRECTIONAL)
    drag(viewport, (20, 20), (60, 30))
    drag(viewport, (35, 15), (50, 40))
    start, end, left, right = only(board).array()
    assert abs(float((end - start) @ (right - left))) < 1e-6
    assert [value.label for value in only(board).values] == ["Long axis", "Short axis"]


def test_an_outline_is_clicked_point_by_point_taken_back_and_closed_by_return(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.OUTLINE)
    corners = [(30, 20), (60, 22), (55, 45), (25, 40)]
    click(viewport, *corners[:3], (80, 60))
    QTest.keyClick(viewport, KEY.Key_Backspace)
    click(viewport, corners[3])
    QTest.keyClick(viewport, KEY.Key_Return)
    assert only(board).kind is MarkKind.POLYGON
    np.testing.assert_allclose(only(board).array(), corners, atol=reach(viewport))


@pytest.mark.parametrize("how", ["double click", "first corner"])
def test_an_outline_is_closed_without_a_doubled_point(
    viewport: ImageViewport, board: MarkBoard, how: str
) -> None:
    viewport.set_tool(Tool.OUTLINE)
    click(viewport, (30, 20), (60, 22), (55, 45))
    if how == "double click":
        QTest.mouseDClick(viewport, LEFT, NONE, at(viewport, 55, 45))
    else:
        QTest.mouseClick(viewport, LEFT, NONE, at(viewport, 30, 20) + QPoint(3, 2))
    assert len(only(board).points) == 3


def test_a_free_form_outline_follows_the_way_of_the_drag(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.FREEHAND)
    way = [(50 + 15 * math.cos(a / 9), 32 + 15 * math.sin(a / 9)) for a in range(56)]
    drag(viewport, way[0], *way)
    mark = only(board)
    assert mark.kind is MarkKind.FREEHAND
    assert value_of(mark, AREA) == pytest.approx(math.pi * 15 * 15, rel=0.03)


def test_the_brush_paints_grows_by_a_second_stroke_and_takes_away_with_shift(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.BRUSH)
    layer_of(viewport).brush.radius = 4.2
    drag(viewport, (30, 30), (40, 30))
    first = only(board)
    assert first.mask is not None
    painted = first.mask.unpack()
    assert painted[30, 26] and painted[30, 44] and painted[34, 35]
    assert not painted[30, 20] and not painted[36, 35]
    assert value_of(first, AREA) == painted.sum()
    drag(viewport, (60, 30), (70, 30))
    assert only(board).id == first.id
    more = only(board).mask
    assert more is not None and more.count > first.mask.count
    drag(viewport, (25, 30), (80, 30), keys=SHIFT)
    assert board.marks == (), "a mask without a pixel is no mark"


def test_alt_and_the_wheel_change_the_brush(viewport: ImageViewport) -> None:
    viewport.set_tool(Tool.BRUSH)
    before, frame = layer_of(viewport).brush.radius, viewport.shown_frame()
    event = QWheelEvent(
        QPointF(100, 90),
        viewport.mapToGlobal(QPointF(100, 90)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.AltModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    assert layer_of(viewport).brush.radius == pytest.approx(before * 1.15**2)
    assert viewport.shown_frame() == frame


def test_a_text_is_written_on_the_image_and_changed_by_a_double_click(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.TEXT)
    click(viewport, (30, 30))
    field = viewport.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "Hook wire")
    QTest.keyClick(field, KEY.Key_Return)
    assert (only(board).kind, only(board).text) == (MarkKind.TEXT, "Hook wire")
    viewport.set_tool(Tool.SCROLL)
    QTest.mouseDClick(viewport, LEFT, NONE, at(viewport, 30, 30) + QPoint(6, 0))
    field = next(one for one in viewport.findChildren(QLineEdit) if one.isVisible())
    QTest.keyClicks(field, "Clip")
    QTest.keyClick(field, KEY.Key_Return)
    assert only(board).text == "Clip"


def test_a_text_without_words_is_none(viewport: ImageViewport, board: MarkBoard) -> None:
    viewport.set_tool(Tool.TEXT)
    click(viewport, (30, 30))
    field = viewport.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "x")
    QTest.keyClick(field, KEY.Key_Escape)
    assert board.marks == ()


def test_escape_cancels_a_drawing_and_a_slip_draws_nothing(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.OUTLINE)
    click(viewport, (30, 20), (60, 22), (55, 45))
    QTest.keyClick(viewport, KEY.Key_Escape)
    QTest.keyClick(viewport, KEY.Key_Return)
    viewport.set_tool(Tool.ELLIPSE)
    click(viewport, (30, 30), (30, 30))
    viewport.set_tool(Tool.LENGTH)
    click(viewport, (30, 30))
    viewport.set_tool(Tool.SCROLL)
    assert board.marks == ()


def test_scrolling_drops_no_drawing_onto_another_image(
    viewport: ImageViewport, board: MarkBoard
) -> None:
    viewport.set_tool(Tool.LENGTH)
    click(viewport, (30, 20))
    assert viewport.do("viewport.next")
    click(viewport, (60, 20))
    assert board.marks == () and layer_of(viewport).sketch is not None
    assert layer_of(viewport).sketch.clicks[0] == pytest.approx((60, 20), abs=reach(viewport))


# --- changing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("turns", "mirrored"), POSITIONS)
def test_a_handle_is_dragged_to_the_pixel_under_the_pointer_in_every_position(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack, turns: int, mirrored: bool
) -> None:
    viewport.set_state(
        ViewportState(index=4, quarter_turns=turns, mirrored=mirrored, magnification=1.7)
    )
    board.restore([make(stack, MarkKind.LENGTH, (40, 25), (60, 37))])
    board.select(only(board).id)
    drag(viewport, (60, 37), (58, 30), (50, 40))
    expected = [(40, 25), (50, 40)]
    np.testing.assert_allclose(only(board).array(), expected, atol=reach(viewport))
    assert value_of(only(board), LENGTH) == pytest.approx(math.hypot(10, 15), abs=reach(viewport))


def test_a_mark_is_moved_by_its_line_and_keeps_its_size(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    board.restore([make(stack, MarkKind.LENGTH, (40, 25), (60, 25))])
    drag(viewport, (50, 25), (55, 30), (50, 45))
    np.testing.assert_allclose(only(board).array(), [(40, 45), (60, 45)], atol=2 * reach(viewport))
    assert value_of(only(board), LENGTH) == pytest.approx(20.0)


def test_escape_puts_a_dragged_mark_back(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    before = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([before])
    QTest.mousePress(viewport, LEFT, NONE, at(viewport, 50, 25))
    move(viewport, at(viewport, 50, 40))
    QTest.keyClick(viewport, KEY.Key_Escape)
    QTest.mouseRelease(viewport, LEFT, NONE, at(viewport, 50, 40))
    assert board.marks == (before,)


def test_a_click_on_a_mark_selects_it_and_changes_nothing(
    qtbot: QtBot, viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    before = make(stack, MarkKind.RECTANGLE, (40, 25), (60, 37))
    board.restore([before])
    with qtbot.assertNotEmitted(board.changed):
        click(viewport, (50, 25))
    assert board.selected_id == before.id
    click(viewport, (10, 10))
    assert board.selected_id == ""


def test_a_label_that_is_dragged_stays_on_its_place_of_the_image(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    viewport.set_tool(Tool.LENGTH)
    drag(viewport, (40, 25), (60, 25))
    viewport.set_tool(Tool.SCROLL)
    (drawn,) = layer_of(viewport).here.drawn()
    middle = drawn.label.center()
    start = viewport.model.to_image((middle.x(), middle.y()))
    drag(viewport, start, (start[0], start[1] + 10), (start[0], start[1] + 20))
    placed = only(board).label_at
    assert placed is not None
    corner = viewport.model.to_image((drawn.label.left(), drawn.label.top()))
    assert placed == pytest.approx((corner[0], corner[1] + 20), abs=2 * reach(viewport))
    np.testing.assert_allclose(only(board).array(), [(40, 25), (60, 25)], atol=reach(viewport))
    viewport.set_state(ViewportState(index=4, magnification=1.5, quarter_turns=1))
    (drawn,) = layer_of(viewport).here.drawn()
    there = viewport.model.to_image((drawn.label.left(), drawn.label.top()))
    assert there == pytest.approx(placed)


def test_marks_of_others_are_selected_and_not_changed(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    foreign = make(stack, MarkKind.LENGTH, (40, 25), (60, 25), origin=MarkOrigin.SR)
    board.restore([foreign])
    drag(viewport, (50, 25), (50, 45))
    assert board.marks == (foreign,) and board.selected_id == foreign.id
    QTest.keyClick(viewport, KEY.Key_Delete)
    assert board.marks == (foreign,)


def test_delete_removes_the_selected_mark_and_undo_brings_it_back(
    qtbot: QtBot, viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([mark])
    board.select(mark.id)
    with qtbot.waitSignal(board.changed) as changed:
        QTest.keyClick(viewport, KEY.Key_Delete)
    assert changed.args == [(mark,), ()]
    board.restore(changed.args[0])
    assert board.marks == (mark,)


def test_a_mark_is_renamed_where_it_stands(
    viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.LENGTH, (40, 25), (60, 25))
    board.restore([mark])
    board.select(mark.id)
    QTest.keyClick(viewport, KEY.Key_T, Qt.KeyboardModifier.ControlModifier)
    field = viewport.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "T1")
    QTest.keyClick(field, KEY.Key_Return)
    assert only(board).name == "T1"


def test_n_goes_from_mark_to_mark_and_round_the_end(
    qtbot: QtBot, viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    marks = [make(stack, MarkKind.LENGTH, (10, row), (20, row)) for row in (10, 20, 30)]
    board.restore(marks)
    wanted: list[Mark] = []
    board.jumpRequested.connect(wanted.append)
    for _ in range(4):
        QTest.keyClick(viewport, KEY.Key_N)
    QTest.keyClick(viewport, KEY.Key_N, SHIFT)
    assert wanted == [*marks, marks[0], marks[2]]


def test_a_selected_mark_is_asked_to_become_a_finding(
    qtbot: QtBot, viewport: ImageViewport, board: MarkBoard, stack: ImageStack
) -> None:
    mark = make(stack, MarkKind.ELLIPSE, (40, 31), (60, 31), (50, 25), (50, 37))
    board.restore([mark])
    board.select(mark.id)
    with qtbot.waitSignal(board.findingRequested) as asked:
        QTest.keyClick(viewport, KEY.Key_Return, SHIFT)
    assert asked.args == [mark]


# --- painting --------------------------------------------------------------------------------------


def test_a_mark_is_painted_on_its_own_image_only_and_on_its_pixels(
    viewport: ImageViewport, board: MarkBoard, make_stack: StackMaker
) -> None:
    dark = make_stack(pixels=lambda _frame, rows, columns: np.full((rows, columns), -1000, np.int16))
    viewport.show_stack(dark, index=4)
    viewport.set_corner_text(False)
    board.restore([make(dark, MarkKind.LENGTH, (20, 20), (70, 20))])
    colour = viewport.theme.colour("mark")
    for turns, mirrored in POSITIONS:
        viewport.set_state(ViewportState(index=4, quarter_turns=turns, mirrored=mirrored))
        image = viewport.grab().toImage()
        for column in (20.5, 45.0, 69.5):
            spot = at(viewport, column, 20)
            near = [image.pixelColor(spot + QPoint(x, y)) for x in (-1, 0, 1) for y in (-1, 0, 1)]
            assert colour in near
    assert viewport.do("viewport.next")
    image = viewport.grab().toImage()
    assert image.pixelColor(at(viewport, 45, 20)) != colour


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


def test_values_of_an_area_are_those_of_the_pixels(viewport: ImageViewport, board: MarkBoard) -> None:
    viewport.set_tool(Tool.RECTANGLE)
    drag(viewport, (19.5, 9.5), (30, 20), (39.5, 29.5))
    stack = viewport.model.stack
    assert stack is not None
    (x0, y0), (x1, y1) = only(board).array()
    inside = np.asarray(stack.stored[4])[math.ceil(y0) : math.ceil(y1), math.ceil(x0) : math.ceil(x1)]
    assert value_of(only(board), MEAN) == pytest.approx(float(inside.mean()))
