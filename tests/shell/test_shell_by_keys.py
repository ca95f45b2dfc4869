"""The whole window by the keyboard alone: everything is reached, says what it is and shows a ring."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QButtonGroup,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)
from shell_driver import PASSWORD, USER, Keys

from app.shell.focus_ring import RINGED
from reports.domain import ReportState
from viewer.acts import Arrangement

pytestmark = pytest.mark.gui

CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QTabBar, QTextEdit)
MOST_STOPS = 120


def words_of(widget: QWidget) -> str:
    """Return what assistive technology says of a control."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or text


def walk() -> list[QWidget]:
    """Press Tab until the keyboard is back where it began; each stop says what it is."""
    stops: list[QWidget] = []
    for _ in range(MOST_STOPS):
        now = QApplication.focusWidget()
        assert now is not None
        if now in stops:
            assert now is stops[0], f"Tab does not leave {words_of(now)} for the rest"
            return stops
        stops.append(now)
        assert words_of(now), f"{type(now).__name__} has no name"
        if isinstance(now, RINGED) and not now.property("drawsOwnFocus"):
            assert QApplication.instance().focus_ring.target is now, words_of(now)
        QTest.keyClick(now, Qt.Key.Key_Tab)
    raise AssertionError("Tab goes on and on")


def missed(root: QWidget, stops: list[QWidget]) -> list[str]:
    """Return the controls that Tab does not reach: of a group of choices one is enough."""
    groups = {group for stop in stops for group in (_group(stop),) if group is not None}
    return [
        words_of(found)
        for found in root.findChildren(QWidget)
        if isinstance(found, CONTROLS)
        and found.isVisible()
        and found.isEnabled()
        and found not in stops
        and not (isinstance(found, QAbstractButton) and _group(found) in groups)
        and not isinstance(found.parent(), QLineEdit)
        and not (isinstance(found, QHeaderView) and not found.sectionsClickable())
    ]


def _group(widget: QWidget) -> QButtonGroup | None:
    return widget.group() if isinstance(widget, QAbstractButton) else None


def test_every_control_of_the_worklist_is_reached(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sign_in()
    driver.wait_for_worklist()
    assert driver.window.worklist.table.hasFocus()
    assert missed(driver.window, walk()) == []


def test_the_worklist_is_sorted_without_a_mouse(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sign_in()
    driver.wait_for_worklist()
    header = driver.window.worklist.table.horizontalHeader()
    header.setFocus(Qt.FocusReason.TabFocusReason)
    section, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
    driver.press(Qt.Key.Key_Left)
    assert header.sortIndicatorSection() < section
    driver.press(Qt.Key.Key_Right)
    assert header.sortIndicatorSection() == section
    driver.press(Qt.Key.Key_Space)
    assert header.sortIndicatorOrder() is not order


def test_every_control_of_the_reading_page_is_reached(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sit_down()
    assert missed(driver.window, walk()) == []


def test_f6_goes_round_the_parts_and_menus_open_by_keys(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sit_down()
    pane = driver.viewport.widget()
    pane.setFocus()
    seen = []
    for _ in range(4):
        driver.press(Qt.Key.Key_F6)
        seen.append(words_of(driver.window.focusWidget()))
    assert seen[0] == "Report text"
    assert pane.hasFocus() or seen[2] == words_of(pane)
    button = driver.reading.tools.layout_button
    button.setFocus(Qt.FocusReason.TabFocusReason)
    driver.press(Qt.Key.Key_Space)
    menu = button.menu_below
    driver.until(menu.isVisible)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(menu, key)
    assert driver.reading.area.grid.arrangement is Arrangement.SIDE_BY_SIDE


def test_every_control_of_the_preferences_is_reached(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sit_down()
    driver.press(Qt.Key.Key_Comma, Keys.ControlModifier)
    layer = driver.window.personal.layer
    for page in range(layer.tabs.count()):
        layer.tabs.setFocus(Qt.FocusReason.TabFocusReason)
        if page:
            driver.press(Qt.Key.Key_Right)
        assert layer.stack.currentIndex() == page
        assert missed(layer, walk()) == []


def test_from_the_worklist_to_a_signature_without_a_mouse(drive, drafted_home: Path) -> None:
    driver = drive(drafted_home)
    driver.sign_in()
    driver.wait_for_worklist()
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: driver.model is not None)
    driver.until(lambda: driver.viewport.stack() is not None)
    driver.until(lambda: driver.reading.area.adapter.opened(driver.viewport.stack().series.key))
    driver.press(Qt.Key.Key_F6)
    assert driver.panel.editor.hasFocus()
    for _ in driver.model.sentences:
        driver.press(Qt.Key.Key_F9)
        driver.press(Qt.Key.Key_Space, Keys.ControlModifier)
    driver.press(Qt.Key.Key_Return, Keys.ControlModifier)
    driver.until(lambda: driver.reading.signing.dialog is not None)
    dialog = driver.reading.signing.dialog
    driver.until(dialog.isActiveWindow)
    assert dialog.password.hasFocus()
    stops = walk()
    assert missed(dialog, stops) == []
    dialog.password.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClicks(dialog.password, PASSWORD)
    QTest.keyClick(dialog.password, Qt.Key.Key_Return)
    driver.until(lambda: driver.model.report.state is ReportState.FINAL)
    assert driver.window.account.name == USER
