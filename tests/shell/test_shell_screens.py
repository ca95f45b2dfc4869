"""Images on a second screen, hidden with the session; the display check, pixel for pixel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from shell_driver import PASSWORD, USER, Driver, Keys, copied

from app.shell.application import fitting_scale
from app.shell.preferences.display_check import (
    DARK_DETAIL,
    LEVELS,
    LIGHT_DETAIL,
    detail_boxes,
    line_pair_places,
    patches,
    pattern,
)
from app.shell.window import SMALLEST

pytestmark = pytest.mark.gui


@pytest.fixture
def reader(drive, drafted_home: Path) -> Driver:
    """The window with the drafted phantom open, images on the second screen by F11."""
    driver = drive(drafted_home)
    driver.sit_down()
    driver.press(Qt.Key.Key_F11)
    driver.until(driver.window.personal.second.window.isActiveWindow)
    return driver


def images_of(driver: Driver):
    """Return the window of images."""
    return driver.window.personal.second.window


def test_f11_puts_tool_bar_and_images_into_a_window_and_back(reader: Driver) -> None:
    images, reading = images_of(reader), reader.reading
    assert images.isAncestorOf(reader.viewport.widget())
    assert images.isAncestorOf(reading.tools)
    assert "PHANTOM" in images.name.accessibleName()
    assert "PHANTOM" not in images.windowTitle()
    assert reader.panel.width() > 800
    QTest.keyClick(reader.viewport.widget(), Qt.Key.Key_F11)
    assert not reader.window.personal.second.is_on
    assert reading.isAncestorOf(reader.viewport.widget())
    reader.until(reader.window.isActiveWindow)
    assert reader.viewport.widget().hasFocus()
    assert reading.tools.y() < reading.area.y()
    assert reader.panel.width() < 540


def test_keys_of_both_windows_act_from_both(reader: Driver) -> None:
    pane = reader.viewport.widget()
    assert pane.hasFocus()
    QTest.keyClick(pane, Qt.Key.Key_I)
    assert reader.viewport.model.state.inverted
    QTest.keyClick(pane, Qt.Key.Key_F2)
    assert not reader.reading.area.grid.corner_text
    QTest.keyClick(pane, Qt.Key.Key_2, Keys.ControlModifier)
    assert len(reader.reading.area.grid.panes()) == 2
    QTest.keyClick(pane, Qt.Key.Key_F6)
    reader.until(reader.window.isActiveWindow)
    assert reader.panel.editor.hasFocus()
    reader.press(Qt.Key.Key_Escape)
    reader.until(images_of(reader).isActiveWindow)
    assert reader.viewport.widget().hasFocus()
    QTest.keyClick(reader.viewport.widget(), Qt.Key.Key_K, Keys.ControlModifier)
    reader.until(reader.window.isActiveWindow)
    assert reader.window.palette_layer.isVisible()


def test_nobody_sees_images_who_is_not_signed_in(reader: Driver) -> None:
    images = images_of(reader)
    reader.window.session.lock()
    assert not images.isVisible()
    reader.sign_in()
    reader.until(images.isVisible)
    reader.window.show_worklist()
    reader.until(lambda: reader.window.pages.currentWidget() is reader.window.worklist)
    assert not images.isVisible()
    reader.open_first()
    assert images.isVisible()
    reader.window.sign_out()
    reader.until(lambda: reader.window.account is None)
    assert not images.isVisible()
    assert not reader.window.personal.second.is_on


def test_the_second_screen_is_remembered(reader: Driver) -> None:
    reader.window.sign_out()
    reader.until(lambda: reader.window.account is None)
    reader.until(lambda: not reader.window.store_thread.is_busy)
    reader.window.session.sign_in(USER, PASSWORD)
    reader.wait_for_worklist()
    reader.until(lambda: reader.window.personal.second.is_on)
    assert not images_of(reader).isVisible()
    reader.open_first()
    assert images_of(reader).isVisible()


def test_a_closed_window_of_images_gives_them_back(reader: Driver) -> None:
    images_of(reader).close()
    assert not reader.window.personal.second.is_on
    assert reader.reading.isAncestorOf(reader.viewport.widget())
    assert reader.window.personal.preferences.own.display.second_screen is False


def test_the_images_go_to_the_screen_the_report_is_not_on(drafted_home: Path, tmp_path: Path) -> None:
    screens = [
        {"name": "REPORT", "x": 0, "y": 0, "width": 1366, "height": 768},
        {"name": "IMAGES", "x": 1366, "y": 0, "width": 1200, "height": 1600},
    ]
    (tmp_path / "two.json").write_text(json.dumps({"screens": screens}))
    ran = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("two_screens.py")),
         str(copied(drafted_home, tmp_path / "home"))],
        env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={tmp_path / 'two.json'}"},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["report"], told["images"]) == ("REPORT", "IMAGES")
    assert told["covers"] > 0.9 * 1200 * 1600
    assert told["shown"]
    assert not told["shown when locked"]
    assert not told["shown when asked while locked"]


# --- the display check -----------------------------------------------------------------------------


def greys(image: QImage) -> np.ndarray:
    """Return the pixels of a grey picture; fails when it holds a colour."""
    made = image.convertToFormat(QImage.Format.Format_RGB32)
    stored = np.frombuffer(made.constBits(), np.uint8).reshape(made.height(), made.bytesPerLine())
    pixels = stored[:, : 4 * made.width()].reshape(made.height(), made.width(), 4)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 1] == pixels[..., 2]).all()
    return pixels[..., 0].copy()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1200, 1600), (3840, 2160)])
def test_the_pattern_has_the_greys_it_says_at_device_pixels(qapp, width: int, height: int) -> None:
    found = greys(pattern(width, height))
    assert found.shape == (height, width)
    assert LEVELS == (8, 24, 40, 56, 72, 88, 104, 120, 136, 152, 168, 184, 200, 216, 232, 248)
    for box, level in patches(width, height):
        assert found[box.center().y(), box.center().x()] == level
        corner = max(box.width() // 8, 1)
        assert found[box.top() + corner, box.left() + corner] == level + 4
        assert found[box.top() + corner, box.right() - corner] == level - 4
    for box, ground, detail in detail_boxes(width, height):
        assert found[box.top() + 1, box.left() + 1] == ground
        assert found[box.center().y(), box.center().x()] == detail
    assert (DARK_DETAIL, LIGHT_DETAIL) == ((0, 13), (255, 242))
    for box in line_pair_places(width, height):
        half = box.width() // 2
        one = found[box.top() + 2, box.left() : box.left() + 8]
        assert one.tolist() == [255, 0] * 4
        two = found[box.top() + half + 2, box.left() : box.left() + 8]
        assert two.tolist() == [255, 255, 0, 0] * 2
    assert (found[0] == 255).all()
    assert (found[-1] == 255).all()
    assert (found[:, 0] == 255).all()
    assert (found[:, -1] == 255).all()


def test_the_display_check_says_what_is_not_known_and_closes(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sit_down()
    driver.press(Qt.Key.Key_D, Keys.ControlModifier | Keys.ShiftModifier)
    check = driver.window.personal.check
    driver.until(check.isActiveWindow)
    assert any("GSDF: not measured" in line for line in check.lines())
    shown = greys(check.grab().toImage().copy(0, 0, check.width(), check.height() // 2))
    expected = greys(pattern(check.width(), check.height()))[: check.height() // 2]
    np.testing.assert_array_equal(shown, expected)
    QTest.keyClick(check, Qt.Key.Key_Escape)
    assert not check.isVisible()
    driver.window.perform("window.display_check")
    assert check.isVisible()
    driver.window.session.lock()
    assert not check.isVisible()


def test_text_is_never_so_large_that_the_window_leaves_the_screen(qapp) -> None:
    room = max(qapp.screens(), key=lambda screen: screen.size().width()).availableGeometry()
    most = min(room.width() / SMALLEST[0], room.height() / SMALLEST[1])
    assert fitting_scale(qapp, 2.0) == pytest.approx(min(2.0, most))
    assert fitting_scale(qapp, 0.85) == 0.85
