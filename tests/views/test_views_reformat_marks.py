"""Marks drawn with the mouse on planes at an angle: areas with their values, angles, outlines."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from viewer.acts import Tool
from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.reader import OpenStack
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Overlay, ViewRegion
from viewer.views.reformat.plane_view import PlaneView
from viewer.views.reformat.planes import PlaneName
from viewer.views.reformat.workspace import MprWorkspace
from viewer.views.theme import Theme

pytestmark = pytest.mark.gui

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def layered(frame: int, rows: int, columns: int) -> np.ndarray:
    """One value a slice."""
    return np.full((rows, columns), 10 * frame, dtype=np.int16)


@pytest.fixture
def planes(
    make_stack: Callable[..., ImageStack], opened: Callable[[ImageStack], OpenStack], qtbot: QtBot
) -> MprWorkspace:
    """The three planes of 40 slices of 80 x 70, on the coronal one."""
    workspace = MprWorkspace(Theme())
    qtbot.addWidget(workspace)
    workspace.resize(1100, 800)
    with qtbot.waitExposed(workspace):
        workspace.show()
    stack = make_stack(count=40, rows=80, columns=70, spacing=(1.0, 1.0), between=2.0, pixels=layered)
    workspace.open(stack, None, opened(stack), None)
    qtbot.waitUntil(lambda: workspace.scene.state is not None)
    return workspace


def at(view: PlaneView, across: float, down: float) -> QPoint:
    """A widget point so many millimetres from the middle of a plane."""
    scale = view.frame().scale
    return QPoint(round(view.width() / 2 + across * scale), round(view.height() / 2 + down * scale))


def click(view: PlaneView, hover: Callable[..., None], *points: tuple[float, float]) -> None:
    for across, down in points:
        place = at(view, across, down)
        hover(view, (place.x(), place.y()))
        view.grab()
        QTest.mouseClick(view, LEFT, NONE, place)


def drag(view: PlaneView, *points: tuple[float, float]) -> None:
    QTest.mousePress(view, LEFT, NONE, at(view, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(view, at(view, *point))
        view.grab()
    QTest.mouseRelease(view, LEFT, NONE, at(view, *points[-1]))


def made(planes: MprWorkspace) -> Mark:
    (mark,) = planes.scene.marks.all
    return mark


def values(mark: Mark) -> dict[str, float]:
    return {value.label: value.value for value in mark.values}


def test_a_rectangle_and_an_ellipse_have_statistics_and_follow_their_handles(
    planes: MprWorkspace,
) -> None:
    view = planes.planes[PlaneName.CORONAL]
    for tool, kind, share in (
        (Tool.RECTANGLE, MarkKind.RECTANGLE, 1.0),
        (Tool.ELLIPSE, MarkKind.ELLIPSE, math.pi / 4),
    ):
        planes.set_tool(tool)
        drag(view, (6.0, -9.0), (12.0, -14.0), (26.0, -25.0))
        mark = made(planes)
        assert mark.kind is kind and mark.in_patient
        got = values(mark)
        assert got["Area"] == pytest.approx(20.0 * 16.0 * share, rel=0.06)
        # the head is on top: 17 mm above the middle, slices 2 mm apart
        middle = 10.0 * (planes.scene.grid.index_of([view.pose().centre])[0, 2] + 8.5)
        assert got["Mean"] == pytest.approx(middle, abs=4.0)
        assert got["Min"] < got["Median"] < got["Max"]
        planes.set_tool(Tool.SCROLL)
        corner = view.drawn_marks()[0].handles[0 if kind is MarkKind.ELLIPSE else 2]
        start = QPoint(*(round(float(one)) for one in corner))
        before = planes.scene.marks.board.marks
        QTest.mousePress(view, LEFT, NONE, start)
        step = QPoint(12, 0) if abs(start.x() - view.width() / 2) else QPoint(0, 12)
        QTest.mouseMove(view, start + step)
        # one step for undo, when the hand lets go
        assert planes.scene.marks.board.marks == before
        QTest.mouseRelease(view, LEFT, NONE, start + step)
        assert values(made(planes))["Area"] != pytest.approx(got["Area"], rel=1e-3)
        assert planes.do("viewport.mark_delete") and not planes.scene.marks.all


def test_an_outline_is_clicked_closed_by_enter_and_taken_back_point_by_point(
    planes: MprWorkspace, hover: Callable[..., None]
) -> None:
    view = planes.planes[PlaneName.CORONAL]
    planes.set_tool(Tool.OUTLINE)
    view.setFocus()
    click(view, hover, (5.0, 5.0), (25.0, 5.0), (25.0, 15.0), (-20.0, 15.0))
    QTest.keyClick(view, Qt.Key.Key_Backspace)
    click(view, hover, (5.0, 15.0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    mark = made(planes)
    assert mark.kind is MarkKind.POLYGON and len(mark.points) == 4
    assert values(mark)["Area"] == pytest.approx(200.0, rel=0.06)
    click(view, hover, (-5.0, -5.0), (-25.0, -5.0))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert planes.scene.marks.drawing is None and made(planes) == mark


def test_an_angle_is_three_clicks_and_a_free_form_one_drag(
    planes: MprWorkspace, hover: Callable[..., None]
) -> None:
    view = planes.planes[PlaneName.SAGITTAL]
    planes.set_tool(Tool.ANGLE)
    click(view, hover, (20.0, 5.0), (5.0, 5.0), (5.0, 20.0))
    assert values(made(planes)) == {"Angle": pytest.approx(90.0, abs=1.0)}
    planes.do("viewport.mark_delete")
    planes.set_tool(Tool.FREEHAND)
    ring = [
        (15 + 10 * math.cos(turn), 15 + 10 * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 60)
    ]
    drag(view, *ring)
    mark = made(planes)
    assert mark.kind is MarkKind.FREEHAND
    assert values(mark)["Area"] == pytest.approx(math.pi * 100, rel=0.08)
    assert "Mean" in values(mark)


def test_a_slip_leaves_nothing_and_a_line_moves_as_a_whole(planes: MprWorkspace) -> None:
    view = planes.planes[PlaneName.CORONAL]
    planes.set_tool(Tool.RECTANGLE)
    drag(view, (10.0, 10.0), (18.0, 10.0))
    assert not planes.scene.marks.all
    planes.set_tool(Tool.LENGTH)
    drag(view, (10.0, 10.0), (14.0, 12.0), (20.0, 10.0))
    before = made(planes)
    planes.set_tool(Tool.SCROLL)
    drag(view, (15.0, 10.0), (15.0, 15.0), (15.0, 20.0))
    after = made(planes)
    step = np.subtract(after.points, before.points)
    assert np.allclose(step, step[0]) and np.linalg.norm(step[0]) == pytest.approx(10.0, abs=0.5)
    assert values(after)["Length"] == pytest.approx(values(before)["Length"])


def test_words_keep_clear_of_the_tags_of_the_evidence(planes: MprWorkspace) -> None:
    view = planes.planes[PlaneName.CORONAL]
    planes.set_tool(Tool.LENGTH)
    drag(view, (5.0, 10.0), (14.0, 12.0), (20.0, 10.0))
    (before,) = view.drawn_marks()
    stack = planes.scene.stack
    label = before.label.center()
    place = view.place_at((label.x() - 12.0, label.y() + 8.0))
    region = Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid=stack.series.series_instance_uid,
        frame_of_reference_uid=stack.series.frame_of_reference_uid,
        points=(place,),
    )
    planes.set_overlay(Overlay((ViewRegion("E1", (region,)),)))
    planes.select_regions(frozenset({"E1"}))
    (after,) = view.drawn_marks()
    assert after.label != before.label
