"""The 3D view in the real window: entered and left by key, acts of the palette reach it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, make_home

from app.demo import sample
from viewer.acts import rendering
from viewer.views.rendering.camera import Direction
from viewer.views.rendering.capability import Engine, capability
from viewer.views.rendering.model import Removal

pytestmark = pytest.mark.gui


@pytest.fixture
def reader(qtbot: QtBot, tmp_path: Path) -> Iterator[Driver]:
    """The window with the phantom open and all its pixels in, the keyboard in the viewport."""
    if capability().engine is Engine.NONE:
        pytest.skip(capability().reason)
    driver = Driver(qtbot, make_home(tmp_path / "home"))
    driver.sign_in()
    driver.until(lambda: driver.window.session.is_open)
    driver.drop(sample())
    driver.wait_for_worklist()
    driver.open_first()
    driver.until(lambda: driver.viewport.stack() is not None)
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.reading.focus_images()
    yield driver
    driver.leave()


def test_the_3d_view_is_entered_turned_and_left(reader: Driver) -> None:
    stage = reader.reading.area.stage
    acts = reader.window.acts
    assert acts.why_not("rendering.mip") == "no 3D view is open"
    reader.press(Qt.Key.Key_V, Keys.ControlModifier | Keys.ShiftModifier)
    assert stage.name == rendering.WORKSPACE
    view = stage.workspace.view
    reader.until(view.is_current)
    assert view.picture().pixels[..., :3].max() > 100
    middle = QPoint(view.width() // 2, view.height() // 2)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view, middle + QPoint(120, 0))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(120, 0))
    assert view.model.direction is None
    reader.press(Qt.Key.Key_Space)
    assert view.model.direction is Direction.FRONT
    assert acts.perform("rendering.from.head")
    assert view.model.direction is Direction.HEAD
    assert acts.perform("rendering.bone")
    reader.until(lambda: view.model.removals() == (Removal.BONE,))
    reader.until(view.is_current)
    thread = view.rendering()
    reader.press(Qt.Key.Key_Escape)
    assert stage.name == ""
    assert thread.wait(60)
    assert reader.window.focusWidget() is reader.viewport.widget()
    reader.press(Qt.Key.Key_V, Keys.ControlModifier | Keys.ShiftModifier)
    reader.until(view.is_current)
    assert view.model.removals() == ()
