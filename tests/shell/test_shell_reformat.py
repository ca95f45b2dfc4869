"""The three planes in the real window: entered by key, followed by evidence, left to the images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.demo import sample
from viewer.acts import Tool, reformat
from viewer.imaging.reformat import SlabMode
from viewer.views.reformat.planes import PlaneName

pytestmark = pytest.mark.gui

BOTH = Keys.ControlModifier | Keys.ShiftModifier


@pytest.fixture
def driver(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """A person who has the phantom open."""
    made = Driver(qtbot, make_home(tmp_path / "home"))
    made.sign_in()
    made.drop(sample())
    made.open_first()
    yield made
    made.leave()


def enter(driver: Driver):
    """Enter the planes by their key and wait for the volume."""
    driver.press(Qt.Key.Key_M, BOTH)
    stage = driver.reading.area.stage
    driver.until(lambda: stage.name == reformat.WORKSPACE)
    driver.until(lambda: stage.workspace.scene.state is not None)
    return stage.workspace


def test_planes_are_entered_at_the_image_that_was_read_and_left_at_the_crosshair(
    driver: Driver,
) -> None:
    viewport = driver.viewport
    driver.press(Qt.Key.Key_Down)
    middle = viewport.cut().middle().position
    planes = enter(driver)
    assert planes.place().position[2] == pytest.approx(middle[2], abs=0.01)
    driver.press(Qt.Key.Key_Down)
    driver.press(Qt.Key.Key_Down)
    there = planes.place()
    driver.press(Qt.Key.Key_Escape)
    assert driver.reading.area.stage.name == ""
    assert abs(viewport.cut().distance(there.position)) < 0.01
    assert planes.scene.sampler is None


def test_slab_and_curve_are_acts_of_the_window(driver: Driver) -> None:
    assert driver.window.why_not("reformat.curved")
    planes = enter(driver)
    assert not driver.window.why_not("reformat.curved")
    driver.press(Qt.Key.Key_M, Keys.ShiftModifier)
    assert planes.scene.slab().mode is SlabMode.MIP
    assert driver.window.perform("viewport.slab.mean")
    assert planes.scene.slab().mode is SlabMode.MEAN
    driver.press(Qt.Key.Key_U, BOTH)
    assert planes.scene.drawing_curve
    driver.press(Qt.Key.Key_U, BOTH)
    driver.press(Qt.Key.Key_M, BOTH)
    assert driver.reading.area.stage.name == ""


def test_tool_and_corner_text_of_the_viewports_are_those_of_the_planes(driver: Driver) -> None:
    planes = enter(driver)
    grid, tools = driver.reading.area.grid, driver.reading.tools.tools
    driver.press(Qt.Key.Key_W)
    assert planes.scene.tool is grid.tool is Tool.WINDOW
    driver.click(tools[Tool.PAN])
    assert planes.scene.tool is grid.tool is Tool.PAN
    driver.press(Qt.Key.Key_F2)
    assert planes.scene.corner_text is grid.corner_text is False


def test_a_mark_on_a_plane_is_listed_with_the_study_and_found_again(driver: Driver) -> None:
    planes = enter(driver)
    board = driver.reading.area.marks
    planes.scene.set_state(planes.scene.state.rotated(PlaneName.AXIAL, 20.0))
    view = planes.planes[PlaneName.CORONAL]
    driver.press(Qt.Key.Key_L)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(view, left, Keys.NoModifier, QPoint(60, 60))
    for x in (90, 120):
        QTest.mouseMove(view, QPoint(x, 60))
    QTest.mouseRelease(view, left, Keys.NoModifier, QPoint(120, 60))
    (mark,) = board.marks
    assert mark.in_patient and mark.values[0].unit == "mm"
    driver.press(Qt.Key.Key_Escape)
    board.jump_to(mark.id)
    driver.until(lambda: driver.reading.area.stage.name == reformat.WORKSPACE)
    driver.until(lambda: planes.scene.state is not None)
    driver.until(planes.planes[planes.scene.active].drawn_marks)
