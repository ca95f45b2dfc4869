"""Preferences through the real window: keys pressed, conflicts in place, presets on the image."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, copied, draft_into, make_home

from app.preferences import MACHINE_FILE, Preset
from app.shell.act_binding import ACTS, key_of
from app.shell.command_palette import palette_rows
from app.shell.shortcut_sheet import keyed_groups
from app.wording import WORDING
from reports.domain import Role, Section
from viewer.acts import Tool
from viewer.imaging.own_presets import PRESETS
from viewer.views.key_bindings import keymap
from viewer.views.mouse import MOUSE

pytestmark = pytest.mark.gui

BY_NAME = {act.name: act for act in ACTS}


@pytest.fixture(scope="module")
def drafted_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two radiologists and the phantom, drafted and saved."""
    from shell_driver import open_desk

    home = make_home(tmp_path_factory.mktemp("store") / "home")
    draft_into(home)
    desk = open_desk(home)
    desk.store.accounts.add("second", "Dr S. Cond", Role.RADIOLOGIST, PASSWORD)
    desk.close()
    return home


@pytest.fixture
def drive(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Open the window on a copy of a home; the machine's file is written into it first."""
    opened: list[Driver] = []

    def start(home: Path, machine: str = "", **options) -> Driver:
        place = copied(home, tmp_path / f"home{len(opened)}")
        if machine:
            (place / MACHINE_FILE).write_text(machine, encoding="utf-8")
        driver = Driver(qtbot, place, **options)
        opened.append(driver)
        return driver

    yield start
    for driver in opened:
        driver.leave()
    keymap().change({})
    MOUSE.change({})
    PRESETS.change({})


@pytest.fixture
def reader(drive, drafted_home: Path) -> Driver:
    """The window with the drafted phantom open and the viewport under the keyboard."""
    driver = drive(drafted_home)
    driver.sit_down()
    driver.viewport.widget().setFocus()
    return driver


def open_keys(driver: Driver, query: str):
    """Open the preferences by their key and search, by the keyboard alone."""
    driver.press(Qt.Key.Key_Comma, Keys.ControlModifier)
    layer = driver.window.personal.layer
    assert layer.isVisible()
    assert layer.keys.field.hasFocus()
    driver.type(query)
    driver.press(Qt.Key.Key_Tab)
    assert layer.keys.table.hasFocus()
    return layer


def kept(driver: Driver) -> dict:
    """Return what the store keeps of the person's keys and mouse."""
    from reports.store.kinds import PreferenceKind

    driver.until(lambda: not driver.window.store_thread.is_busy)
    return driver.window.desk.preference(PreferenceKind.BINDINGS) or {}


def test_a_key_is_changed_by_pressing_it_and_is_in_force_everywhere_at_once(reader: Driver) -> None:
    layer = open_keys(reader, "lock ctrl")
    reader.press(Qt.Key.Key_Return)
    assert layer.keys.table.is_waiting
    reader.press(Qt.Key.Key_F5, Keys.ControlModifier)
    assert key_of("window.lock") == "Ctrl+F5"
    assert kept(reader)["keys"] == {"window.lock": ["Ctrl+F5"]}
    lock = BY_NAME["window.lock"]
    [row] = [row for row in palette_rows("lock", [lock], (), lambda _: "", ("a", "b", "c")) if row.name]
    assert row.key == "Ctrl+F5"
    assert keyed_groups([lock], "f5") == {lock.group: [lock]}
    reader.press(Qt.Key.Key_Escape)
    assert not layer.isVisible()
    reader.press(Qt.Key.Key_L, Keys.ControlModifier)
    assert not reader.window.session.is_locked
    reader.press(Qt.Key.Key_F5, Keys.ControlModifier)
    assert reader.window.session.is_locked


def test_a_conflict_stands_under_its_row_and_can_be_taken_over(reader: Driver) -> None:
    layer = open_keys(reader, "invert")
    reader.press(Qt.Key.Key_Return)
    reader.press(Qt.Key.Key_R)
    question = reader.window.focusWidget().parent()
    assert "Rotate right" in question.accessibleName()
    assert "Invert grey scale" in question.accessibleName()
    assert key_of("viewport.invert") == "I"
    reader.press(Qt.Key.Key_Escape)
    assert layer.isVisible()
    assert layer.keys.table.hasFocus()
    assert key_of("viewport.invert") == "I"
    reader.press(Qt.Key.Key_Return)
    reader.press(Qt.Key.Key_R)
    reader.press(Qt.Key.Key_Space)
    assert (key_of("viewport.invert"), key_of("viewport.rotate_right")) == ("R", "")
    reader.press(Qt.Key.Key_Escape)
    reader.viewport.widget().setFocus()
    reader.press(Qt.Key.Key_R)
    assert reader.viewport.model.state.inverted
    assert reader.viewport.model.state.quarter_turns == 0


def test_a_reset_act_asks_for_its_key_back(reader: Driver) -> None:
    layer = open_keys(reader, "invert")
    own = reader.window.personal.preferences
    own.take(own.own.with_keys({"viewport.invert": ("Q",), "viewport.link": ("I",)}))
    layer.keys.buttons[3].click()
    assert key_of("viewport.invert") == "Q"
    question = reader.window.focusWidget().parent()
    assert BY_NAME["viewport.link"].text in question.accessibleName()
    reader.press(Qt.Key.Key_Space)
    assert key_of("viewport.invert") == "I"
    assert keymap().keys_of(BY_NAME["viewport.link"]) == ()


@pytest.mark.parametrize(
    ("query", "key", "modifiers", "word"),
    [
        ("lock ctrl", Qt.Key.Key_L, Keys.NoModifier, "text needs"),
        ("invert", Qt.Key.Key_Tab, Keys.NoModifier, "Tab moves"),
        ("invert", Qt.Key.Key_Return, Keys.NoModifier, "Enter confirms"),
    ],
)
def test_a_refused_key_says_why(reader: Driver, query, key, modifiers, word) -> None:
    open_keys(reader, query)
    before = dict(reader.window.personal.preferences.now.keys)
    reader.press(Qt.Key.Key_Return)
    reader.press(key, modifiers)
    assert word in reader.window.focusWidget().parent().accessibleName()
    assert reader.window.personal.preferences.now.keys == before


def test_keys_are_added_taken_away_and_reset(reader: Driver) -> None:
    layer = open_keys(reader, "invert")
    reader.press(Qt.Key.Key_Insert)
    reader.press(Qt.Key.Key_I, Keys.ControlModifier)
    assert keymap().keys_of(BY_NAME["viewport.invert"]) == ("I", "Ctrl+I")
    reader.press(Qt.Key.Key_Delete)
    assert keymap().keys_of(BY_NAME["viewport.invert"]) == ()
    layer.keys.buttons[3].click()
    assert keymap().keys_of(BY_NAME["viewport.invert"]) == ("I",)
    assert reader.window.personal.preferences.own.keys == {}


def test_the_mouse_does_what_was_chosen(reader: Driver) -> None:
    layer = open_keys(reader, "")
    layer.tabs.setCurrentIndex(1)
    box = layer.mouse.choices["Right"]
    box.setCurrentIndex(box.findData("window"))
    box.activated.emit(box.currentIndex())
    wheel = layer.mouse.choices["Shift+Wheel"]
    wheel.setCurrentIndex(wheel.findData("scroll_ten"))
    wheel.activated.emit(wheel.currentIndex())
    assert kept(reader)["mouse"] == {"Right": "window", "Shift+Wheel": "scroll_ten"}
    pane = reader.viewport
    before, zoom = pane.model.window(), pane.model.scale()
    QTest.mousePress(pane, Qt.MouseButton.RightButton, Keys.NoModifier, QPoint(200, 200))
    QTest.mouseMove(pane, QPoint(260, 240))
    QTest.mouseRelease(pane, Qt.MouseButton.RightButton, Keys.NoModifier, QPoint(260, 240))
    assert pane.model.window().width != before.width
    assert pane.model.scale() == zoom
    index = pane.model.state.index
    notch = QWheelEvent(
        QPointF(200, 200), QPointF(pane.mapToGlobal(QPoint(200, 200))), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Keys.ShiftModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane, notch)
    assert pane.model.state.index == index - 10


def test_shift_nine_keeps_the_window_and_nine_chooses_it(reader: Driver) -> None:
    pane = reader.viewport
    pane.set_window(pane.model.presets()["4"].model_copy(update={"center": 61.0, "width": 151.0}))
    QTest.keyClick(pane, Qt.Key.Key_ParenLeft, Keys.ShiftModifier)
    assert PRESETS.of("CT")["9"].center == 61.0
    assert reader.panel.toast.text == "CT: key 9 chooses W 151 L 61"
    reader.press(Qt.Key.Key_2)
    assert pane.model.window().center == -500
    reader.press(Qt.Key.Key_9)
    assert (pane.model.window().center, pane.model.window().width) == (61.0, 151.0)
    reader.reading.tools._fill_presets()
    texts = [action.text() for action in reader.reading.tools.preset.menu_below.actions()]
    assert any("W 151" in text and text.endswith("\t9") for text in texts)


def test_a_preset_is_edited_while_the_image_shows_it(reader: Driver) -> None:
    layer = open_keys(reader, "")
    layer.tabs.setCurrentIndex(2)
    page = layer.presets
    assert page.modality.currentText() == "CT"
    name = page.rows["9"][0]
    name.setFocus()
    reader.type("Liver")
    reader.press(Qt.Key.Key_Tab)
    reader.type("60")
    reader.press(Qt.Key.Key_Tab)
    reader.type("150")
    assert (reader.viewport.model.window().center, reader.viewport.model.window().width) == (60, 150)
    assert "9" not in PRESETS.of("CT")
    reader.press(Qt.Key.Key_Return)
    own = reader.window.personal.preferences.own
    assert own.presets == {"CT": {"9": Preset(name="Liver", centre=60, width=150)}}
    page.rows["1"][0].setFocus()
    page.rows["1"][0].clear()
    reader.press(Qt.Key.Key_Tab)
    assert "1" not in PRESETS.of("CT")
    page.resets["1"].click()
    assert PRESETS.of("CT")["1"].explanation == "Soft tissue"
    page.rows["2"][2].setText("0")
    page.rows["2"][2].setFocus()
    reader.press(Qt.Key.Key_Return)
    assert PRESETS.of("CT")["2"].width == 1500


def test_language_and_style_of_drafts_are_chosen_and_leave_with_the_person(
    reader: Driver,
) -> None:
    layer = open_keys(reader, "")
    page = layer.display
    layer.tabs.setCurrentIndex(3)
    page.language.activated.emit(page.language.findData("zh-CN"))
    page.style_of_drafts.activated.emit(page.style_of_drafts.findData("structured"))
    assert (WORDING.language, WORDING.style) == ("zh-CN", "structured")
    assert page.language.currentText() == "\u4e2d\u6587"
    reader.panel.model.insert_normals(Section.FINDINGS, "\u80f8\u819c")
    assert reader.panel.model.sentences[-1].text.startswith("\u672a\u89c1\u80f8\u8154\u79ef\u6db2")
    reader.window.sign_out()
    reader.until(lambda: reader.window.account is None)
    assert (WORDING.language, WORDING.style) == ("en", "house")


def test_a_person_finds_their_keys_again_and_another_does_not(reader: Driver) -> None:
    own = reader.window.personal.preferences
    changed = own.own.with_keys({"viewport.invert": ("Q",)}).with_mouse("Start", "window")
    own.take(changed.with_display(corner_text=False))
    reader.window.sign_out()
    reader.until(lambda: reader.window.account is None)
    assert key_of("viewport.invert") == "I"
    page = reader.window.sign_in_page
    reader.until(lambda: reader.window.pages.currentWidget() is page)
    reader.window.session.sign_in("second", PASSWORD)
    reader.until(lambda: reader.window.session.is_open)
    reader.until(lambda: not reader.window.store_thread.is_busy)
    assert (key_of("viewport.invert"), MOUSE.start) == ("I", Tool.SCROLL)
    reader.window.sign_out()
    reader.until(lambda: reader.window.account is None)
    reader.until(lambda: not reader.window.store_thread.is_busy)
    reader.window.session.sign_in(USER, PASSWORD)
    reader.until(lambda: key_of("viewport.invert") == "Q")
    reader.until(lambda: reader.reading.area.grid.tool is Tool.WINDOW)
    assert not reader.reading.area.grid.corner_text


def test_the_machine_sets_what_a_person_has_not_set(drive, drafted_home: Path) -> None:
    machine = {
        "sightline_preferences": 1,
        "keys": {"window.lock": ["Ctrl+F6"], "window.gone": ["F1"]},
        "presets": {"CT": {"9": {"name": "House", "centre": 1, "width": 2}}},
    }
    driver = drive(drafted_home, json.dumps(machine))
    assert key_of("window.lock") == "Ctrl+F6"
    driver.sit_down()
    driver.until(driver.window.error.isVisible)
    assert "window.gone" in driver.window.error.text.text()
    assert driver.viewport.model.presets()["9"].explanation == "House"
    own = driver.window.personal.preferences
    own.take(own.own.with_keys({"window.lock": ("Ctrl+F5",)}))
    assert key_of("window.lock") == "Ctrl+F5"
    own.take(own.own.without_keys("window.lock"))
    assert key_of("window.lock") == "Ctrl+F6"


def test_preferences_go_out_and_come_in_as_a_file(reader: Driver, tmp_path: Path) -> None:
    layer = open_keys(reader, "")
    own = reader.window.personal.preferences
    own.take(own.own.with_keys({"viewport.invert": ("Q",)}).with_mouse("Right", "pan"))
    layer.export_file(tmp_path / "mine.json")
    layer.reset_all()
    assert key_of("viewport.invert") == "I"
    layer.import_file(tmp_path / "mine.json")
    assert key_of("viewport.invert") == "Q"
    assert "mine.json" in layer.words.text()
    layer.undo.click()
    assert key_of("viewport.invert") == "I"
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    layer.import_file(tmp_path / "bad.json")
    assert "no file of preferences" in layer.words.text()
    assert key_of("viewport.invert") == "I"


def test_the_image_stays_in_use_beside_the_card(reader: Driver) -> None:
    layer = open_keys(reader, "invert")
    pane = reader.viewport
    assert not layer.geometry().contains(pane.mapTo(reader.window, pane.rect().center()))
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, Keys.NoModifier, QPoint(50, 50))
    reader.press(Qt.Key.Key_I)
    assert pane.model.state.inverted
    assert layer.isVisible()
    reader.window.session.lock()
    assert not layer.isVisible()


def test_scrolling_the_page_changes_no_choice(reader: Driver) -> None:
    layer = open_keys(reader, "")
    layer.tabs.setCurrentIndex(1)
    box = layer.mouse.choices["Right"]
    notch = QWheelEvent(
        QPointF(5, 5), QPointF(box.mapToGlobal(QPoint(5, 5))), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Keys.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(box, notch)
    assert box.currentData() == "zoom"
    assert reader.window.personal.preferences.own.mouse == {}


def test_the_menu_of_the_person_opens_the_preferences(reader: Driver) -> None:
    button = reader.reading.header.session.user
    button.setFocus()
    reader.press(Qt.Key.Key_Space)
    reader.until(button.menu_below.isVisible)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(button.menu_below, key)
    assert reader.window.personal.layer.isVisible()
