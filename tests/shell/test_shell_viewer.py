"""Acts of the viewport through the whole window: keys arrive, and only where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, copied

from viewer.acts import Arrangement
from viewer.views.viewport_paint import corner_words, quiet_note

pytestmark = pytest.mark.gui


@pytest.fixture
def reader(qtbot: QtBot, imported_home: Path, tmp_path: Path) -> Iterator[Driver]:
    """The window with the phantom open and all its pixels in, the keyboard in the viewport."""
    driver = Driver(qtbot, copied(imported_home, tmp_path / "home"))
    driver.sit_down()
    driver.until(lambda: driver.viewport.stack() is not None)
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.reading.focus_images()
    yield driver
    driver.leave()


def panes(driver: Driver):
    return driver.reading.area.grid.panes()


def hover(driver: Driver, point: tuple[float, float], keys: Keys = Keys.NoModifier) -> None:
    widget, place, none = driver.viewport.widget(), QPointF(*point), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, place, widget.mapToGlobal(place), none, none, keys)
    QApplication.sendEvent(widget, event)


def test_the_corner_tells_hounsfield_units_under_the_mouse(reader: Driver) -> None:
    model = reader.viewport.model
    hover(reader, model.to_widget((100, 90)))
    value = int(model.stack.stored[model.state.index, 90, 100])
    facts = model.instance()
    hounsfield = value * facts.rescale_slope + facts.rescale_intercept
    words = corner_words(model, reader.viewport.theme).bottom_left[0]
    assert words == f"{hounsfield:.0f} HU  px 100, 90".replace("-", "\u2212")


def test_cine_plays_and_escape_stops_it_in_the_window(reader: Driver) -> None:
    start = reader.viewport.shown_frame()
    reader.press(Qt.Key.Key_C)
    assert quiet_note(reader.viewport.model).startswith("cine 15")
    reader.until(lambda: reader.viewport.shown_frame() != start)
    reader.press(Qt.Key.Key_Escape)
    assert not reader.viewport.cine.playing


def test_layouts_and_tiles_by_key(reader: Driver) -> None:
    grid = reader.reading.area.grid
    reader.press(Qt.Key.Key_9, Keys.ControlModifier)
    assert grid.arrangement is Arrangement.SIXTEEN
    reader.press(Qt.Key.Key_0, Keys.ControlModifier)
    first = panes(reader)[0].shown_frame()
    assert [pane.shown_frame() for pane in panes(reader)] == list(range(first, first - 16, -1))
    assert reader.reading.tools.layout_button.text() == "4 \u00d7 4 tiles"
    reader.press(Qt.Key.Key_0, Keys.ControlModifier)
    assert not grid.tiled
    reader.press(Qt.Key.Key_1, Keys.ControlModifier)
    assert grid.arrangement is Arrangement.ONE


def test_reference_lines_links_and_the_magnifier_by_key(reader: Driver) -> None:
    grid = reader.reading.area.grid
    reader.press(Qt.Key.Key_X)
    assert not grid.reference_lines
    reader.press(Qt.Key.Key_X)
    assert grid.reference_lines
    reader.press(Qt.Key.Key_K, Keys.ShiftModifier)
    assert not grid.is_linked_by_hand()  # one series alone has nothing to be linked to
    widget = reader.viewport.widget()
    QTest.keyPress(widget, Qt.Key.Key_M)
    assert reader.viewport.model.magnified
    QTest.keyRelease(widget, Qt.Key.Key_M)
    assert not reader.viewport.model.magnified


def test_shift_and_move_shows_the_place_in_the_other_pane(reader: Driver) -> None:
    reader.press(Qt.Key.Key_2, Keys.ControlModifier)
    first, second = panes(reader)
    reader.until(lambda: second.stack() is not None)
    reader.press(Qt.Key.Key_K)
    reader.press(Qt.Key.Key_End)
    assert second.shown_frame() != first.shown_frame()
    hover(reader, first.model.to_widget((100, 90)), Keys.ShiftModifier)
    assert second.shown_frame() == first.shown_frame()
    assert second.model.cursor_place() == pytest.approx((100, 90), abs=0.01)


def test_single_keys_of_the_viewport_are_letters_in_the_report(reader: Driver) -> None:
    before = reader.viewport.model.state
    reader.press(Qt.Key.Key_Return, Keys.ControlModifier | Keys.ShiftModifier)  # write a sentence
    reader.until(lambda: reader.window.focusWidget() is not reader.viewport.widget())
    for key in (Qt.Key.Key_C, Qt.Key.Key_X, Qt.Key.Key_M, Qt.Key.Key_O):
        reader.press(key)
    assert not reader.viewport.cine.playing
    assert not reader.viewport.model.magnified
    assert reader.reading.area.grid.reference_lines
    assert reader.viewport.model.state == before
