"""A lesion keeps its identity over two studies of one patient, and another patient never sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from phantom_copies import write_copies
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from shell_driver import PASSWORD, USER, Driver, copied, make_home, open_desk
from sqlcipher3 import dbapi2 as sqlcipher
from test_shell_marks import board, drag, page, part

from app.engine import Engine
from app.marks import marks_of_study
from reports.domain import Lesions, patient_key
from reports.store.errors import RecordDamagedError
from reports.store.home import Home
from reports.store.keys import FileProvider, unwrap_key
from reports.store.kinds import RecordKind
from reports.store.schema import TRIGGERS

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def many_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two studies of one patient, and one each of two others."""
    folder = tmp_path_factory.mktemp("many")
    write_copies(folder / "files")
    home = make_home(folder / "home")
    desk = open_desk(home)
    desk.sign_in(USER, PASSWORD)
    with Engine(home) as engine:
        desk.import_studies(engine.reader.index([folder / "files"]))
    desk.close()
    return home


@pytest.fixture
def home(many_home: Path, tmp_path: Path) -> Path:
    return copied(many_home, tmp_path / "home")


@pytest.fixture
def reader(qtbot: QtBot, home: Path) -> Iterator[Driver]:
    driver = Driver(qtbot, home)
    driver.sign_in()
    driver.wait_for_worklist()
    yield driver
    driver.leave()


def open_study(driver: Driver, patient_id: str, date: str) -> None:
    """Open the study of a patient with this date and wait for its pixels and marks."""
    (entry,) = (
        entry
        for entry in driver.window.worklist.entries
        if (entry.study.patient.patient_id, entry.study.date) == (patient_id, date)
    )
    driver.window.open_entry(entry)
    driver.until(lambda: driver.reading.entry is entry and driver.model is not None)
    driver.until(lambda: driver.viewport.stack() is not None)
    driver.until(lambda: driver.viewport.model.arrived_share == 1.0)
    driver.until(lambda: part(driver).book is not None)


def choose(driver: Driver, words: str) -> None:
    """Open the menu of lesions by its button and choose an entry."""
    shown = page(driver)
    driver.click(shown.lesion_button)
    driver.until(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    found = next(one for one in menu.actions() if one.text().startswith(words))
    found.trigger()
    menu.close()


def settle(driver: Driver) -> None:
    driver.until(lambda: not part(driver).is_dirty)


def lesions_of(home: Path, patient_id: str) -> Lesions | None:
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        body = desk.study_record(patient_key(patient_id) or "", RecordKind.LESIONS)
    return None if body is None else Lesions.model_validate(body)


def test_lesion_is_found_again_in_the_next_study_with_its_change(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    first = drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    choose(reader, "New lesion")
    assert page(reader).lesion.name.text() == "L1"
    settle(reader)
    open_study(reader, "PH-1001", "20260304")
    assert [mark.id for mark in board(reader).marks] == [first.id]
    second = drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    choose(reader, "L1")
    settle(reader)
    before, now = first.values[0].value, second.values[0].value
    texts = page(reader).lesion.texts()
    assert texts[:2] == ["18 Nov 2025", f"{before:.1f} mm"]
    assert texts[2:4] == ["4 Mar 2026", f"{now:.1f} mm"]
    share = 100 * (now - before) / before
    assert texts[4] == f"+{now - before:.1f} mm, +{share:.0f} %: larger"
    kept = lesions_of(home, "PH-1001")
    assert kept is not None
    (lesion,) = kept.lesions
    assert [entry.mark_id for entry in lesion.timeline()] == [first.id, second.id]
    linked = board(reader).mark(second.id)
    assert (linked.lesion_id, linked.tracking_uid) == (lesion.id, lesion.tracking_uid)


def marks_by_date(home: Path) -> dict[str, list[str]]:
    """Return the ids of the marks that are kept with each study of the patient with two."""
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        studies = [row.study for row in desk.studies() if row.study.patient.patient_id == "PH-1001"]
        return {
            study.date: [mark.id for mark in marks_of_study(desk, study.study_instance_uid)]
            for study in studies
        }


def test_earlier_marks_stand_beside_and_stay_with_their_own_study(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    first = drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    settle(reader)
    open_study(reader, "PH-1001", "20260304")
    second = drag(reader, Qt.Key.Key_L, (60, 60), (90, 60))
    settle(reader)
    assert marks_by_date(home) == {"20251118": [first.id], "20260304": [second.id]}
    rows = page(reader).list.rows
    notes = [rows.note(rows.mark(row)) for row in range(rows.rowCount())]
    assert notes[0].startswith("18 Nov 2025 Se ")
    assert notes[1].startswith("Se ")
    board(reader).select(first.id)
    for act in ("window.mark_lesion", "viewport.mark_finding"):
        assert "another study" in reader.window.why_not(act)
    board(reader).jump_to(first.id)
    reader.until(lambda: reader.viewport.stack().series.key == first.series_key)
    reader.until(lambda: reader.viewport.model.arrived_share == 1.0)
    board(reader).replace(first.changed(name="baseline"))
    settle(reader)
    assert marks_by_date(home) == {"20251118": [first.id], "20260304": [second.id]}
    reader.window.perform("report.undo")
    reader.window.perform("report.undo")
    settle(reader)
    assert marks_by_date(home) == {"20251118": [first.id], "20260304": []}


LATER = {"schema": "sightline.marks/9"}
"""A record of a program that is newer than this one."""


def prior_with_unread_marks(home: Path, damage: str) -> str:
    """Keep marks with the earlier of two studies that cannot be read; return its Study UID."""
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        (uid,) = (
            row.study.study_instance_uid
            for row in desk.studies()
            if (row.study.patient.patient_id, row.study.date) == ("PH-1001", "20251118")
        )
        desk.save_study_record(uid, RecordKind.MARKS, LATER, act="later")
    if damage == "damaged bytes":
        _past_the_program(home, "UPDATE study_records SET content = x'00ff7b' WHERE kind = 'marks'")
    return uid


def _past_the_program(home: Path, statement: str) -> None:
    """Change the database as someone who has the key; its triggers are back at the next start."""
    key, _ = unwrap_key(Home(home), FileProvider())
    connection = sqlcipher.connect(str(Home(home).database), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger.name}")
    connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("damage", ["a newer schema", "damaged bytes"])
def test_mark_on_a_prior_with_an_unreadable_record_is_refused_and_kept_nowhere(
    qtbot: QtBot, home: Path, damage: str
) -> None:
    uid = prior_with_unread_marks(home, damage)
    driver = Driver(qtbot, home)
    driver.sign_in()
    driver.wait_for_worklist()
    open_study(driver, "PH-1001", "20260304")
    drawn = drag(driver, Qt.Key.Key_L, (60, 60), (90, 60))
    (prior,) = (one.study for one in driver.reading.entry.earlier)
    board(driver).add(drawn.changed(id="on-the-prior", series_key=prior.series[0].key))
    assert "The marks of this earlier study cannot be read" in driver.panel.toast.text
    assert [mark.id for mark in board(driver).marks] == [drawn.id]
    settle(driver)
    driver.leave()
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        for row in desk.studies():
            study = row.study
            if study.date == "20260304":
                kept = marks_of_study(desk, study.study_instance_uid)
                assert [mark.id for mark in kept] == [drawn.id]
        if damage == "damaged bytes":
            with pytest.raises(RecordDamagedError):
                desk.study_record(uid, RecordKind.MARKS)
        else:
            assert desk.study_record(uid, RecordKind.MARKS) == LATER


def test_mark_drawn_on_such_a_prior_before_the_store_answered_is_taken_back_in_words(
    qtbot: QtBot, home: Path
) -> None:
    prior_with_unread_marks(home, "damaged bytes")
    driver = Driver(qtbot, home)
    driver.sign_in()
    driver.wait_for_worklist()
    open_study(driver, "PH-1001", "20260304")
    drawn = drag(driver, Qt.Key.Key_L, (60, 60), (90, 60))
    settle(driver)
    study = driver.reading.entry.study
    (prior,) = (one.study for one in driver.reading.entry.earlier)
    # read again: nothing is known of the prior until the store's thread has answered
    part(driver).open_study(study)
    board(driver).add(drawn.changed(id="too-early", series_key=prior.series[0].key))
    assert [mark.id for mark in board(driver).marks] == ["too-early"]
    driver.until(lambda: part(driver).book is not None)
    assert [mark.id for mark in board(driver).marks] == [drawn.id]
    assert driver.panel.toast.text.startswith("A mark was not kept. The marks of this earlier study")
    driver.leave()


def test_another_patient_never_sees_the_lesion(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    assert reader.window.perform("window.mark_new_lesion")
    settle(reader)
    open_study(reader, "PH-1002", "20260219")
    assert part(reader).book.known == ()
    drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    assert reader.window.perform("window.mark_new_lesion")
    settle(reader)
    one, two = lesions_of(home, "PH-1001"), lesions_of(home, "PH-1002")
    assert one is not None
    assert two is not None
    assert {lesion.id for lesion in one.lesions}.isdisjoint(lesion.id for lesion in two.lesions)
    assert lesions_of(home, "PH-1003") is None


def test_undo_of_a_link_takes_the_entry_back_and_the_identity_stays(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    reader.window.perform("window.mark_new_lesion")
    reader.window.perform("report.undo")
    assert reader.panel.toast.text == "Undone: length linked to a lesion"
    settle(reader)
    kept = lesions_of(home, "PH-1001")
    assert kept is not None
    assert kept.lesions[0].entries == ()
    assert part(reader).book.known == ()
    reader.window.perform("report.redo")
    settle(reader)
    again = lesions_of(home, "PH-1001")
    assert again is not None
    assert again.lesions[0].id == kept.lesions[0].id
    assert len(again.lesions[0].entries) == 1


def test_lesion_is_renamed_in_place_and_unlinked(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    reader.window.perform("window.mark_new_lesion")
    shown = page(reader)
    shown.lesion.name.setFocus()
    shown.lesion.name.selectAll()
    reader.type("Node 4R")
    reader.press(Qt.Key.Key_Return)
    assert "Node 4R" in shown.list.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    settle(reader)
    kept = lesions_of(home, "PH-1001")
    assert kept is not None
    assert kept.lesions[0].name == "Node 4R"
    choose(reader, "No lesion")
    assert board(reader).marks[0].lesion_id is None
    assert not shown.lesion.isVisible()
    assert "no lesion" in reader.window.why_not("window.mark_no_lesion")


def test_lesion_changed_in_another_study_meanwhile_is_kept(reader: Driver, home: Path) -> None:
    open_study(reader, "PH-1001", "20251118")
    with open_desk(home) as desk:
        desk.sign_in(USER, PASSWORD)
        others, _ = Lesions(patient_key=patient_key("PH-1001") or "").with_new("Liver")
        body = others.model_dump(mode="json", by_alias=True)
        desk.save_study_record(others.patient_key, RecordKind.LESIONS, body, act="elsewhere")
    drag(reader, Qt.Key.Key_L, (60, 60), (80, 60))
    reader.window.perform("window.mark_new_lesion")
    settle(reader)
    kept = lesions_of(home, "PH-1001")
    assert kept is not None
    assert [lesion.name for lesion in kept.lesions] == ["Liver", "L1"]
