"""Measuring through the whole window: the keys of the tools, and jumps to marks on their images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, make_home, open_desk

from app.demo import sample
from app.engine import Engine
from viewer.acts import VIEWER_ACTS, Tool
from viewer.imaging.marks import MarkKind

pytestmark = pytest.mark.gui


@pytest.fixture
def reader(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """The window with the phantom open and all its pixels in, the keyboard in the viewport."""
    home = make_home(tmp_path / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([sample()]))
    desk.close()
    driver = Driver(qtbot, home)
    driver.sit_down()
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.reading.focus_images()
    yield driver
    driver.leave()


def drag(driver: Driver, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two image points of the active viewport."""
    view = driver.viewport
    first, last = (QPoint(*(round(v) for v in view.model.to_widget(p))) for p in (start, end))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Keys.NoModifier, first)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Keys.NoModifier, last)


MODIFIERS = {"": Keys.NoModifier, "Shift": Keys.ShiftModifier}


def test_keys_choose_the_tools_and_marks_are_found_again(reader: Driver) -> None:
    grid, board = reader.reading.area.grid, reader.reading.area.marks
    for act in VIEWER_ACTS:
        tool = next((one for one in Tool if act.name == f"viewport.tool.{one}"), None)
        for key in act.keys if tool is not None and tool.draws else ():
            modifier, _, letter = key.rpartition("+")
            reader.press(getattr(Qt.Key, f"Key_{letter}"), MODIFIERS[modifier])
            assert grid.tool is tool, key

    here = reader.viewport.shown_frame()
    reader.press(Qt.Key.Key_L)
    drag(reader, (40, 40), (60, 40))
    for _ in range(4):
        reader.press(Qt.Key.Key_Down)
    assert reader.viewport.shown_frame() == here - 4
    reader.press(Qt.Key.Key_E)
    drag(reader, (60, 60), (80, 75))
    assert [mark.kind for mark in board.marks] == [MarkKind.LENGTH, MarkKind.ELLIPSE]
    first, second = board.marks
    assert first.sop_instance_uid != second.sop_instance_uid
    for mark, frame in ((first, here), (second, here - 4)):
        reader.press(Qt.Key.Key_N)
        assert (board.chosen(), reader.viewport.shown_frame()) == (mark, frame)

    reader.press(Qt.Key.Key_Delete)
    assert board.marks == (first,)
    reader.press(Qt.Key.Key_N, Keys.ShiftModifier)
    assert reader.viewport.shown_frame() == here


def test_a_drawing_tool_is_put_down_when_another_study_opens(reader: Driver) -> None:
    grid = reader.reading.area.grid
    reader.press(Qt.Key.Key_L)
    assert grid.tool is Tool.LENGTH
    reader.press(Qt.Key.Key_W, Keys.ControlModifier)
    reader.until(lambda: reader.window.pages.currentWidget() is reader.window.worklist)
    reader.window.worklist.open_current(False)
    reader.until(lambda: reader.viewport.stack() is not None)
    assert not grid.tool.draws
