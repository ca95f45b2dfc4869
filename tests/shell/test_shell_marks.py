"""Marks in the window: drawn, kept, listed, named, undone together with the report, made findings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, Keys, copied, open_desk

from app.marks import marks_of_study
from app.shell.marks.list import Whose
from reports.audit.event import AuditAct
from reports.domain import EvidenceKind, Section, SourceKind
from reports.store.errors import DiskFullError
from viewer.imaging.marks import Mark, MarkKind, MarkOrigin

pytestmark = pytest.mark.gui

CTRL, SHIFT = Keys.ControlModifier, Keys.ShiftModifier


@pytest.fixture
def home(imported_home: Path, tmp_path: Path) -> Path:
    return copied(imported_home, tmp_path / "home")


def opened(qtbot: QtBot, home: Path) -> Driver:
    """Open the window with the phantom, all its pixels and its marks, the keyboard in the viewport."""
    driver = Driver(qtbot, home)
    driver.sit_down()
    driver.until(lambda: driver.viewport.stack() is not None)
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.until(lambda: part(driver).book is not None)
    driver.reading.focus_images()
    return driver


@pytest.fixture
def reader(qtbot: QtBot, home: Path) -> Iterator[Driver]:
    driver = opened(qtbot, home)
    yield driver
    driver.leave()


def part(driver: Driver):
    return next(one for one in driver.reading.parts.all if hasattr(one, "book"))


def board(driver: Driver):
    return driver.reading.area.marks


def at(driver: Driver, point: tuple[float, float]) -> QPoint:
    x, y = driver.viewport.model.to_widget(point)
    return QPoint(round(x), round(y))


def drag(driver: Driver, key: Qt.Key, start: tuple[float, float], end: tuple[float, float]) -> Mark:
    """Choose a tool by its key, drag from one image point to another, and return the new mark."""
    driver.reading.focus_images()
    before = len(board(driver).marks)
    driver.press(key)
    widget, none = driver.viewport.widget(), Keys.NoModifier
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, none, at(driver, start))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    QTest.mouseMove(widget, at(driver, middle))
    QTest.mouseMove(widget, at(driver, end))
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, none, at(driver, end))
    driver.until(lambda: len(board(driver).marks) == before + 1)
    return board(driver).marks[-1]


def page(driver: Driver):
    """Return the page of marks, shown by the palette's act."""
    assert driver.window.acts.perform("window.marks")
    assert part(driver).page.isVisible()
    return part(driver).page


def stored(home: Path) -> tuple[Mark, ...]:
    """Return what a second program finds in the store."""
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        (row,) = desk.studies()
        return marks_of_study(desk, row.study.study_instance_uid)


def acts_on_records(home: Path) -> list[str]:
    with open_desk(home) as desk:
        events = desk.store.events()
    return [event.detail["act"] for event in events if event.act is AuditAct.STUDY_RECORD_SAVED]


def test_marks_are_kept_at_once_and_shown_again(qtbot: QtBot, home: Path) -> None:
    first = opened(qtbot, home)
    length = drag(first, Qt.Key.Key_L, (60, 60), (90, 60))
    ellipse = drag(first, Qt.Key.Key_E, (120, 70), (150, 100))
    first.until(lambda: not part(first).is_dirty)
    kept = board(first).marks
    # The window is never closed: this is what a crash leaves behind.
    assert stored(home) == kept
    first.leave()
    again = opened(qtbot, home)
    assert board(again).marks == kept
    assert [mark.kind for mark in kept] == [MarkKind.LENGTH, MarkKind.ELLIPSE]
    assert kept[0].values == length.values
    assert kept[1].values == ellipse.values
    assert len(kept[1].values) == 6
    again.leave()


def test_marks_drawn_just_before_the_worklist_are_not_lost(reader: Driver, home: Path) -> None:
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    kept = board(reader).marks
    reader.press(Qt.Key.Key_W, CTRL)
    reader.until(lambda: reader.window.pages.currentWidget() is reader.window.worklist)
    assert board(reader).marks == ()
    assert stored(home) == kept
    assert acts_on_records(home) == ["add: length"]


def test_marks_drawn_just_before_signing_out_are_not_lost(reader: Driver, home: Path) -> None:
    drag(reader, Qt.Key.Key_E, (60, 60), (90, 90))
    kept = board(reader).marks
    assert reader.window.perform("window.sign_out")
    reader.until(lambda: reader.window.account is None)
    assert stored(home) == kept


def test_full_disk_is_told_and_the_study_stays_open_with_its_marks(
    reader: Driver, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_words: object) -> None:
        raise DiskFullError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(reader.window.desk.store.records, "save", full)
        drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
        reader.until(lambda: "disk is full" in reader.problem())
        reader.press(Qt.Key.Key_W, CTRL)
        reader.until(lambda: not reader.window.store_thread.is_busy)
        assert reader.window.pages.currentWidget() is reader.reading
        assert len(board(reader).marks) == 1
    reader.press(Qt.Key.Key_W, CTRL)
    reader.until(lambda: reader.window.pages.currentWidget() is reader.window.worklist)
    assert len(stored(home)) == 1


def test_marks_that_could_not_be_saved_keep_the_screen_for_who_drew_them(
    reader: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_words: object) -> None:
        raise DiskFullError("The disk is full.")

    window = reader.window
    monkeypatch.setattr(window.desk.store.records, "save", full)
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    reader.until(lambda: "disk is full" in reader.problem())
    reader.press(Qt.Key.Key_L, CTRL)
    reader.until(lambda: window.pages.currentWidget() is window.sign_in_page)
    window.session.sign_in("somebody", "else")
    assert "could not be saved" in window.sign_in_page.problem.text()


def test_undo_takes_back_the_newest_act_of_report_or_marks_and_says_which(reader: Driver) -> None:
    toast = reader.panel.toast
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    reader.model.insert(Section.FINDINGS, "No nodule.")
    drag(reader, Qt.Key.Key_E, (60, 80), (90, 100))
    reader.press(Qt.Key.Key_Z, CTRL)
    assert toast.text == "Undone: ellipse drawn"
    assert [mark.kind for mark in board(reader).marks] == [MarkKind.LENGTH]
    assert reader.texts() == ["No nodule."]
    reader.press(Qt.Key.Key_Z, CTRL)
    assert toast.text == "Undone: sentence written"
    assert reader.texts() == []
    reader.press(Qt.Key.Key_Z, CTRL)
    assert toast.text == "Undone: length drawn"
    assert board(reader).marks == ()
    assert reader.window.why_not("report.undo") == "nothing to undo"
    for words in ("length drawn", "sentence written", "ellipse drawn"):
        reader.press(Qt.Key.Key_Y, CTRL)
        assert toast.text == f"Done again: {words}"
    assert len(board(reader).marks) == 2
    assert reader.texts() == ["No nodule."]
    assert reader.window.why_not("report.redo") == "nothing to do again"


def test_what_was_undone_is_undone_in_the_store_too(reader: Driver, home: Path) -> None:
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    reader.until(lambda: not part(reader).is_dirty)
    reader.press(Qt.Key.Key_Z, CTRL)
    reader.until(lambda: not part(reader).is_dirty)
    assert stored(home) == ()
    assert acts_on_records(home) == ["add: length", "undo add: length"]


def test_list_shows_values_and_jumps_by_enter_and_by_click(reader: Driver) -> None:
    first = drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    where = reader.viewport.shown_frame()
    number = reader.viewport.model.instance().instance_number
    reader.press(Qt.Key.Key_Home)
    drag(reader, Qt.Key.Key_E, (60, 80), (90, 100))
    shown = page(reader)
    rows = shown.list.rows
    assert rows.rowCount() == 2
    spoken = rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("length, ")
    assert " mm" in spoken
    assert f"Se 1 Im {number}" in spoken
    shown.list.setFocus()
    reader.press(Qt.Key.Key_Up)
    assert board(reader).selected_id == first.id
    reader.press(Qt.Key.Key_Return)
    assert reader.viewport.shown_frame() == where
    place = shown.list.visualRect(rows.index(1)).center()
    QTest.mouseClick(shown.list.viewport(), Qt.MouseButton.LeftButton, Keys.NoModifier, place)
    assert reader.viewport.shown_frame() == len(reader.viewport.stack().frames) - 1


def test_mark_is_named_in_the_list_and_the_name_stays(reader: Driver, home: Path) -> None:
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    shown = page(reader)
    shown.list.setFocus()
    reader.press(Qt.Key.Key_T, CTRL)
    field = shown.list.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "T1")
    QTest.keyClick(field, Qt.Key.Key_Return)
    reader.until(lambda: board(reader).marks[0].name == "T1")
    assert shown.list.rows.index(0).data() == "T1"
    reader.until(lambda: not part(reader).is_dirty)
    assert stored(home)[0].name == "T1"
    assert "rename: length" in "; ".join(acts_on_records(home))
    reader.window.perform("report.undo")
    assert board(reader).marks[0].name == ""
    assert reader.panel.toast.text == "Undone: length renamed"


def test_mark_is_deleted_from_the_list_by_key(reader: Driver) -> None:
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    shown = page(reader)
    shown.list.setFocus()
    reader.press(Qt.Key.Key_Delete)
    assert board(reader).marks == ()
    assert shown.list.rows.rowCount() == 0


def test_marks_of_others_are_filtered_and_never_changed_or_kept(reader: Driver, home: Path) -> None:
    own = drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    other = own.model_copy(update={"id": "sr", "origin": MarkOrigin.SR, "author": "CAD 2"})
    board(reader).restore((*board(reader).marks, other))
    shown = page(reader)
    counts = {}
    for row in range(shown.whose.count()):
        shown.whose.setCurrentIndex(row)
        counts[shown.whose.itemData(row)] = shown.list.rows.rowCount()
    assert counts == {Whose.ALL: 2, Whose.OWN: 1, Whose.OTHERS: 1}
    assert "CAD 2" in shown.list.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    board(reader).select("sr")
    for act in ("viewport.mark_delete", "viewport.mark_rename", "window.mark_lesion"):
        assert "somebody else" in reader.window.why_not(act)
    assert not shown.delete_button.isEnabled()
    board(reader).select(own.id)
    reader.window.perform("viewport.mark_delete")
    reader.until(lambda: not part(reader).is_dirty)
    assert stored(home) == ()
    assert [mark.id for mark in board(reader).marks] == ["sr"]


def test_area_shows_every_value_and_the_histogram_of_its_pixels(reader: Driver) -> None:
    mark = drag(reader, Qt.Key.Key_E, (100, 80), (130, 110))
    shown = page(reader)
    reader.until(lambda: shown.histogram.histogram is not None)
    texts = shown.values.texts()
    assert set(texts) == {"Area", "Mean", "SD", "Min", "Max", "Median"}
    assert all(text.endswith(("HU", "mm\u00b2")) for text in texts.values())
    assert "PixelSpacing" in shown.values.source.text()
    histogram = shown.histogram.histogram
    by_label = {value.label: value.value for value in mark.values}
    assert histogram.edges[0] <= by_label["Min"] <= by_label["Max"] <= histogram.edges[-1]
    assert shown.histogram.isVisible()
    drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    assert not shown.histogram.isVisible()


def accept(driver: Driver) -> None:
    form = driver.panel.finding_form
    driver.until(form.isVisible)
    form.descriptor.setCurrentText("nodule")
    form.anatomy.setCurrentIndex(0)
    if form.side.currentIndex() < 0:
        form.side.setCurrentIndex(0)
    form.accept()


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (Qt.Key.Key_L, ["long"]),
        (Qt.Key.Key_E, ["long", "short", "area", "mean", "sd", "median", "minimum", "maximum"]),
        (Qt.Key.Key_Y, []),
    ],
)
def test_mark_becomes_a_finding_that_shows_its_place_after_reload(
    qtbot: QtBot, home: Path, key: Qt.Key, names: list[str]
) -> None:
    driver = opened(qtbot, home)
    where = driver.viewport.shown_frame()
    mark = drag(driver, key, (100, 80), (130, 100))
    driver.press(Qt.Key.Key_Return, SHIFT)
    accept(driver)
    finding = driver.model.ledger.evidence[-1]
    assert finding.kind is EvidenceKind.FINDING
    assert (finding.source.kind, finding.source.name) == (SourceKind.PERSON, driver.model.reader)
    assert [value.name for value in finding.values] == names
    (sentence,) = driver.model.sentences
    assert sentence.text.startswith("Nodule") or "nodule" in sentence.text
    if "long" in names:
        assert finding.value("long").text.removesuffix(" mm") in sentence.text
    assert [citation.evidence_id for citation in sentence.citations] == [finding.id]
    driver.press(Qt.Key.Key_W, CTRL)
    driver.until(lambda: driver.window.pages.currentWidget() is driver.window.worklist)
    driver.leave()
    again = opened(qtbot, home)
    assert board(again).marks == (mark,)
    again.press(Qt.Key.Key_Home)
    assert again.viewport.shown_frame() != where
    again.panel.show_sentence(sentence.id)
    assert again.viewport.shown_frame() == where
    again.leave()


def test_finding_is_shown_again_in_the_window_in_which_it_was_seen(reader: Driver) -> None:
    drag(reader, Qt.Key.Key_L, (100, 80), (130, 100))
    reader.press(Qt.Key.Key_3)
    seen = reader.viewport.model.window()
    reader.press(Qt.Key.Key_Return, SHIFT)
    accept(reader)
    reader.reading.focus_images()
    reader.press(Qt.Key.Key_1)
    assert reader.viewport.model.window().width != seen.width
    reader.panel.show_sentence(reader.model.sentences[0].id)
    now = reader.viewport.model.window()
    assert (now.center, now.width) == (seen.center, seen.width)
    (citation,) = reader.model.sentences[0].citations
    assert citation.view.sop_instance_uid == board(reader).marks[0].sop_instance_uid


def test_record_of_a_newer_program_is_told_and_left_alone(qtbot: QtBot, home: Path) -> None:
    from reports.store.kinds import RecordKind

    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        uid = desk.studies()[0].study.study_instance_uid
        desk.save_study_record(uid, RecordKind.MARKS, {"schema": "sightline.marks/9"}, act="later")
    driver = Driver(qtbot, home)
    driver.sit_down()
    driver.until(lambda: "newer Sightline" in driver.problem())
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    drag(driver, Qt.Key.Key_L, (60, 60), (90, 60))
    driver.press(Qt.Key.Key_W, CTRL)
    driver.until(lambda: driver.window.pages.currentWidget() is driver.window.worklist)
    driver.leave()
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        assert desk.study_record(uid, RecordKind.MARKS) == {"schema": "sightline.marks/9"}
