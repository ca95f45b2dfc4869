"""Hanging in the real window: protocols by keys and mouse, priors beside, search in reports, badges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hanging_scene import SENTENCE, make_scene
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shell_driver import Driver, Keys, copied

from app.shell.worklist.badges import badge_lines
from app.shell.worklist.table import Column
from viewer.acts import Arrangement
from viewer.views.viewport import SERIES_MIME

pytestmark = pytest.mark.gui

CONTROL, SHIFT = Keys.ControlModifier, Keys.ShiftModifier


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def home(scene: Path, tmp_path: Path) -> Path:
    return copied(scene, tmp_path / "home")


@pytest.fixture
def driver(qtbot: QtBot, home: Path) -> Iterator[Driver]:
    """A person signed in at a wide window, with the newest study of patient one open."""
    driver = Driver(qtbot, home, size=(1920, 1080))
    sit_down(driver)
    yield driver
    driver.leave()


def sit_down(driver: Driver, date: str = "20260304") -> None:
    driver.sign_in()
    driver.wait_for_worklist()
    open_of(driver, date)


def open_of(driver: Driver, date: str) -> None:
    table = driver.window.worklist.table
    found = next(e for e in table.shown() if e.study.date == date)
    table.choose(found.study.study_instance_uid)
    driver.open_first()
    driver.until(lambda: all(pane.stack() is not None for pane in grid(driver).panes()))


def grid(driver: Driver):
    return driver.reading.area.grid


def part(driver: Driver):
    return next(p for p in driver.reading.parts.all if "hanging.choose" in p.acts())


def chooser_texts(driver: Driver) -> list[str]:
    found = part(driver).chooser.list
    return [found.item(row).text() for row in range(found.count())]


def test_a_study_with_a_prior_comes_up_beside_it_and_the_prior_is_marked(driver: Driver) -> None:
    left, right = grid(driver).panes()
    assert driver.reading.area.hanging.protocol.name == "CT beside its prior"
    assert left.model.hung.prior == ""
    assert right.model.hung.prior == "PRIOR 2025-11-18"
    assert right.model.study.date == "20251118"
    # Colour of the bar and of the badge, which no key hides.
    driver.press(Qt.Key.Key_F2)
    driver.bot.wait(20)
    picture, ink = right.grab().toImage(), driver.window.theme.colour("prior").rgb()
    assert picture.pixelColor(right.width() // 2, 1).rgb() == ink
    rows = range(4, 40)
    assert any(picture.pixelColor(9, y).rgb() == ink for y in rows)
    assert left.grab().toImage().pixelColor(left.width() // 2, 1).rgb() != ink
    assert right.accessibleName().startswith("PRIOR 2025-11-18")


def test_another_protocol_is_chosen_by_keys_with_the_reason_in_words(driver: Driver) -> None:
    driver.press(Qt.Key.Key_H, CONTROL)
    chooser = part(driver).chooser
    assert chooser.isVisible()
    names = chooser_texts(driver)
    assert names[0] == "CT beside its prior"
    assert names[-1] == "Reading order"
    wanted = names.index("CT chest: lung and mediastinum")
    for _ in range(wanted):
        driver.press(Qt.Key.Key_Down)
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: not chooser.isVisible())
    left, right = grid(driver).panes()
    driver.until(lambda: right.stack() is not None)
    assert [pane.model.window().explanation for pane in (left, right)] == ["Lung", "Mediastinum"]
    assert right.model.hung.prior == ""
    driver.press(Qt.Key.Key_Space)
    assert left.model.window().explanation == "Lung"


def test_a_layout_is_kept_by_name_and_hangs_the_next_study_in_the_next_session(
    driver: Driver, qtbot: QtBot, home: Path
) -> None:
    grid(driver).set_arrangement(Arrangement.STACKED)
    driver.press(Qt.Key.Key_3)
    driver.press(Qt.Key.Key_H, CONTROL | SHIFT)
    asked = part(driver).name
    assert asked.isVisible()
    assert "CT, chest, with a prior" in asked.rule.text()
    asked.field.clear()
    driver.type("Over each other")
    driver.press(Qt.Key.Key_Return)
    driver.until(lambda: not driver.window.store_thread.is_busy)
    driver.leave()
    again = Driver(qtbot, home, size=(1366, 768))
    sit_down(again)
    own = again.reading.area.hanging
    assert own.protocol.name == "Over each other"
    assert own.reason.startswith("your own; CT")
    assert grid(again).arrangement is Arrangement.STACKED
    top, below = grid(again).panes()
    assert top.model.window().explanation == "Bone"
    assert below.model.hung.prior == "PRIOR 2025-11-18"
    again.leave()


def test_the_editor_copies_changes_orders_and_deletes(driver: Driver) -> None:
    part(driver).edit()
    editor = part(driver).editor
    assert editor.save.isEnabled() is False, "given protocols do not change"
    row = next(n for n in range(editor.list.count()) if "CT head" in editor.list.item(n).text())
    editor.list.setCurrentRow(row)
    driver.click(editor.copy)
    assert editor.current().own
    editor.name.clear()
    driver.type("Head my way")
    editor.regions.setText("chin")
    driver.click(editor.save)
    assert "chin" in editor.message.text()
    editor.regions.setText("head")
    editor.rows[0].words.setText("HEAD*, BRAIN")
    driver.click(editor.save)
    assert [p.name for p in part(driver).own] == ["Head my way"]
    assert part(driver).own[0].viewports[0].show[0].words == ("HEAD*", "BRAIN")
    assert part(driver).own[0].viewports[1].window == "Bone"
    editor.list.setCurrentRow(editor.list.count() - 1)
    driver.click(editor.copy)
    assert len(part(driver).own) == 2
    driver.click(editor.up)
    assert part(driver).own[1].name == "Head my way"
    driver.click(editor.delete)
    assert [p.name for p in part(driver).own] == ["Head my way"]
    driver.press(Qt.Key.Key_Escape)
    assert not editor.isVisible()


def test_a_file_of_it_is_added_or_refused_in_words(driver: Driver, tmp_path: Path) -> None:
    part(driver).edit()
    editor = part(driver).editor
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"name": "x", "rows": 9}')
    editor.add_file(wrong)
    assert "wrong.json: file: 9 x 1 is no layout" in editor.message.text()
    good = tmp_path / "good.json"
    good.write_text('{"name": "Site chest", "match": {"modality": ["CT"]}}')
    editor.add_file(good)
    assert [p.name for p in part(driver).own] == ["Site chest"]


def test_the_prior_beside_comes_by_a_key_and_its_series_from_the_strip(driver: Driver) -> None:
    driver.press(Qt.Key.Key_1, CONTROL)
    area = driver.reading.area
    assert grid(driver).arrangement is Arrangement.ONE
    driver.press(Qt.Key.Key_P, CONTROL | SHIFT)
    assert grid(driver).arrangement is Arrangement.SIDE_BY_SIDE
    right = grid(driver).panes()[1]
    driver.until(lambda: right.stack() is not None)
    assert right.model.hung.prior == "PRIOR 2025-11-18"
    own, before = grid(driver).panes()[0].stack().series, right.stack().series
    # The strip: closed headings, opened by a click; then the series by a click and by a drop.
    (heading,) = area.strip._headings
    assert before.key not in area.strip._items
    driver.click(heading)
    item = area.strip._items[before.key]
    driver.until(item.isVisible)
    area.show_series(own.key, pane=1)
    driver.until(lambda: right.stack().series.key == own.key)
    assert right.model.hung.prior == ""
    grid(driver).set_active(1)
    driver.click(item)
    driver.until(lambda: right.stack().series.key == before.key)
    left = grid(driver).panes()[0]
    drop_series(left, before.key)
    driver.until(lambda: left.stack().series.key == before.key)
    assert left.model.hung.prior == "PRIOR 2025-11-18"
    driver.click(heading)
    assert not item.isVisible()


def drop_series(pane, key: str) -> None:
    data = QMimeData()
    data.setData(SERIES_MIME, key.encode())
    none = Keys.NoModifier
    enter = QDragEnterEvent(
        QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none
    )
    pane.dragEnterEvent(enter)
    assert enter.isAccepted()
    pane.dropEvent(
        QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    )


def test_window_and_zoom_come_back_with_their_series_and_after_maximising(driver: Driver) -> None:
    area, left = driver.reading.area, grid(driver).panes()[0]
    other = grid(driver).panes()[1].stack().series.key
    key = left.stack().series.key
    driver.press(Qt.Key.Key_2)
    driver.press(Qt.Key.Key_Plus)
    driver.press(Qt.Key.Key_End)
    kept = left.model.state
    assert (kept.index, kept.window.explanation) == (0, "Lung")
    area.show_series(other, pane=0)
    driver.until(lambda: left.stack().series.key == other)
    assert left.model.state.magnification == 1.0
    area.show_series(key, pane=0)
    driver.until(lambda: left.stack().series.key == key)
    assert left.model.state == kept
    driver.press(Qt.Key.Key_F)
    driver.press(Qt.Key.Key_F)
    assert left.model.state == kept


def test_the_memory_of_a_prior_goes_back_when_no_viewport_shows_it(driver: Driver) -> None:
    area, right = driver.reading.area, grid(driver).panes()[1]
    own, before = grid(driver).panes()[0].stack().series.key, right.stack().series.key
    driver.until(lambda: area.adapter.opened(before) is not None)
    area.show_series(own, pane=1)
    driver.until(lambda: right.stack().series.key == own)
    assert area.adapter.stack(before) is None
    assert area.adapter.stack(own) is not None


def test_the_report_of_a_prior_can_be_read_and_not_changed(driver: Driver) -> None:
    driver.window.perform("hanging.priors")
    page = part(driver).page
    assert page.isVisible()
    (card,) = page.cards
    driver.click(card.button)
    driver.until(card.report.isVisible)
    assert SENTENCE in card.report.toPlainText()
    before = card.report.toPlainText()
    card.report.setFocus()
    driver.type("written")
    assert card.report.toPlainText() == before


def test_a_study_without_priors_says_so(driver: Driver) -> None:
    driver.window.show_worklist()
    driver.until(lambda: driver.window.pages.currentWidget() is driver.window.worklist)
    open_of(driver, "20260110")
    assert driver.window.why_not("hanging.prior_beside") == "no prior of this patient is known"
    assert driver.reading.area.strip._headings == []
    assert driver.reading.area.hanging.protocol.name == "CT chest: lung and mediastinum"


def test_a_narrow_window_keeps_the_layout_that_the_reader_chose(qtbot: QtBot, home: Path) -> None:
    driver = Driver(qtbot, home)
    sit_down(driver, "20260110")
    assert driver.reading.area.hanging.protocol.name == "Reading order"
    assert grid(driver).arrangement is Arrangement.ONE
    driver.press(Qt.Key.Key_3, CONTROL)
    driver.window.show_worklist()
    driver.until(lambda: driver.window.pages.currentWidget() is driver.window.worklist)
    open_of(driver, "20260110")
    assert grid(driver).arrangement is Arrangement.STACKED
    driver.leave()


def test_words_of_reports_are_found_as_they_are_typed_with_their_line(qtbot: QtBot, home: Path) -> None:
    driver = Driver(qtbot, home)
    driver.sign_in()
    driver.wait_for_worklist()
    page = driver.window.worklist
    driver.press(Qt.Key.Key_F, CONTROL)
    driver.type("granulom one")
    assert page.table.shown() == []
    driver.until(page.table.shown)
    (found,) = page.table.shown()
    assert found.study.date == "20251118"
    hit = page.table.order.hit_of(found)
    assert hit.snippet == SENTENCE
    assert hit.words == {"granulom"}
    driver.press(Qt.Key.Key_Escape)
    assert len(page.table.shown()) == 4
    assert page.table.order.hit_of(found) is None
    driver.leave()


def test_two_badges_stand_in_a_row_of_a_narrow_window(qtbot: QtBot, home: Path) -> None:
    driver = Driver(qtbot, home)
    driver.sign_in()
    driver.wait_for_worklist()
    table = driver.window.worklist.table
    entry = next(e for e in table.shown() if len(e.badges) == 2)
    width = table.columnWidth(Column.STATE)
    lines = badge_lines(driver.window.theme, entry.badges, width)
    assert [badge for line in lines for badge in line] == list(entry.badges)
    row = table.shown().index(entry)
    box = table.visualRect(table.order.index(row, Column.STATE))
    assert table.viewport().rect().contains(box)
    picture = table.viewport().grab(box).toImage()
    ground = picture.pixelColor(picture.width() - 2, 3).rgb()
    inked = [
        y
        for y in range(2, picture.height() - 2)
        if any(picture.pixelColor(x, y).rgb() != ground for x in range(4, 60))
    ]
    assert len(lines) == 2
    assert max(inked) - min(inked) > driver.window.theme.length("row", "badge") * 1.5
    driver.leave()


def test_links_of_zoom_and_window_work_by_their_keys(driver: Driver) -> None:
    left, right = grid(driver).panes()
    driver.press(Qt.Key.Key_Z, SHIFT)
    driver.press(Qt.Key.Key_W, SHIFT)
    QTest.keyClick(left, Qt.Key.Key_Plus)
    QTest.keyClick(left, Qt.Key.Key_3)
    assert right.model.state.window.explanation == "Bone"
    assert right.model.scale() / right.model.plane().column_spacing == pytest.approx(
        left.model.scale() / left.model.plane().column_spacing
    )


def test_the_chooser_lies_over_the_images_also_on_a_second_screen(driver: Driver) -> None:
    driver.press(Qt.Key.Key_H, CONTROL)
    chooser = part(driver).chooser
    driver.press(Qt.Key.Key_Escape)
    assert chooser.parentWidget() is driver.window
    other = QWidget()
    row = QVBoxLayout(other)
    for widget in driver.reading.lend_images():
        row.addWidget(widget)
    other.resize(900, 700)
    other.show()
    driver.bot.waitExposed(other)
    part(driver).choose()
    chooser = part(driver).chooser
    assert chooser.parentWidget() is other
    assert other.rect().contains(chooser.geometry())
    chooser.dismiss()
    driver.reading.take_images_back()
    with driver.bot.waitSignal(other.destroyed):
        other.deleteLater()
    part(driver).choose()
    assert part(driver).chooser.parentWidget() is driver.window
    assert part(driver).chooser.isVisible()
