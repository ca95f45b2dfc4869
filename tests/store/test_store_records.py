"""Marks and preferences: kept in all revisions, audited by name, found when tampered with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import recording_process
import sqlcipher3.dbapi2 as sqlcipher
from store_reading import CHEAP, STUDY_UID, Reading

from app.desk import Desk
from reports.audit.event import AuditAct
from reports.audit.verify import AuditFault
from reports.store.database import Store
from reports.store.errors import (
    LockedRecordError,
    NotPermittedError,
    RecordDamagedError,
    RecordRefusedError,
    StaleRevisionError,
    StoreReadOnlyError,
)
from reports.store.keys import FileProvider
from reports.store.records import (
    LARGEST_PREFERENCE,
    LARGEST_RECORD,
    PreferenceKind,
    RecordKind,
)
from reports.store.schema import TRIGGERS

ROOT = Path(__file__).resolve().parents[2]
PATIENT = "PH-1\\HOSPITAL"
FIRST, SECOND = {"marks": [{"id": "a", "points": [[1.5, 2.0]]}]}, {"marks": []}


@pytest.fixture
def desk(reading: Reading) -> Desk:
    """The store with its radiologist signed in."""
    desk = Desk(reading.store)
    desk.sign_in("rosa", "correct horse battery")
    return desk


def test_record_comes_back_and_its_revisions_stay(reading: Reading) -> None:
    records, rosa = reading.store.records, reading.radiologist
    assert records.latest(RecordKind.MARKS, STUDY_UID, rosa) is None
    records.save(RecordKind.MARKS, STUDY_UID, FIRST, rosa, act="add a length")
    records.save(RecordKind.MARKS, STUDY_UID, SECOND, reading.resident, act="delete a length")
    found = reading.reopened().records.latest(RecordKind.MARKS, STUDY_UID, rosa)
    assert found is not None
    assert (found.revision, found.body, found.account) == (2, SECOND, "remy")
    assert reading.store.records.latest(RecordKind.KEY_IMAGES, STUDY_UID, rosa) is None
    assert reading.store.records.latest(RecordKind.MARKS, "1.2.3", rosa) is None
    connection = reading.raw()
    kept = connection.execute("SELECT content FROM study_records ORDER BY revision").fetchall()
    connection.close()
    assert len(kept) == 2
    assert b'"points":[[1.5,2]]' in kept[0][0]


def test_desk_gives_bodies_to_the_one_who_is_signed_in(desk: Desk) -> None:
    assert desk.study_record(STUDY_UID, RecordKind.MARKS) is None
    desk.save_study_record(STUDY_UID, RecordKind.MARKS, FIRST, act="add a length")
    assert desk.study_record(STUDY_UID, RecordKind.MARKS) == FIRST
    desk.save_preference(PreferenceKind.BINDINGS, {"length": "L"})
    desk.save_preference(PreferenceKind.BINDINGS, {"length": "K"})
    assert desk.preference(PreferenceKind.BINDINGS) == {"length": "K"}
    assert desk.preference(PreferenceKind.DISPLAY) is None
    desk.sign_out()
    for act in (
        lambda: desk.study_record(STUDY_UID, RecordKind.MARKS),
        lambda: desk.preference(PreferenceKind.BINDINGS),
        lambda: desk.save_preference(PreferenceKind.BINDINGS, {}),
    ):
        with pytest.raises(NotPermittedError):
            act()
    desk.sign_in("remy", "correct horse battery")
    assert desk.preference(PreferenceKind.BINDINGS) is None
    assert desk.study_record(STUDY_UID, RecordKind.MARKS) == FIRST


def test_audit_names_the_act_the_person_and_the_study(desk: Desk) -> None:
    desk.save_study_record(STUDY_UID, RecordKind.MARKS, FIRST, act="add a length")
    desk.save_study_record(PATIENT, RecordKind.LESIONS, {"lesions": []}, act="name a lesion")
    desk.save_preference(PreferenceKind.PRESETS, {})
    marks, lesions, presets = desk.store.events(desk.account)[-4:-1]
    assert (marks.act, marks.detail["act"]) == (AuditAct.STUDY_RECORD_SAVED, "add a length")
    assert [item.object_id for item in marks.objects] == [STUDY_UID]
    assert marks.participants[0].user_id == "rosa"
    assert [item.object_id for item in lesions.objects] == [PATIENT]
    assert PATIENT not in "".join(lesions.detail.values())
    assert (presets.act, presets.detail["kind"]) == (AuditAct.PREFERENCE_SAVED, "presets")


def test_body_that_cannot_be_kept_is_refused_and_nothing_of_it_is_said(desk: Desk) -> None:
    deep: dict[str, object] = {}
    for _ in range(20_000):
        deep = {"a": deep}
    size = len(desk.store.events())
    for body in ({"text": "Meier" + "x" * LARGEST_RECORD}, {"Meier": float("nan")}, deep, {"a": {1}}):
        with pytest.raises(RecordRefusedError) as caught:
            desk.save_study_record(STUDY_UID, RecordKind.MARKS, body, act="draw")
        assert "Meier" not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(RecordRefusedError, match="too large"):
        desk.save_preference(PreferenceKind.BINDINGS, {"a": "x" * LARGEST_PREFERENCE})
    assert desk.study_record(STUDY_UID, RecordKind.MARKS) is None
    assert len(desk.store.events()) == size + 1


def test_change_on_top_of_an_older_revision_is_refused(reading: Reading) -> None:
    records, rosa = reading.store.records, reading.radiologist
    records.save(RecordKind.MARKS, STUDY_UID, FIRST, rosa, act="draw", after=0)
    with pytest.raises(StaleRevisionError, match="changed meanwhile"):
        records.save(RecordKind.MARKS, STUDY_UID, SECOND, reading.resident, act="draw", after=0)
    saved = records.save(RecordKind.MARKS, STUDY_UID, SECOND, rosa, act="draw", after=1)
    assert saved.revision == 2


def test_administrator_has_preferences_and_sees_no_marks(reading: Reading) -> None:
    store, ada = reading.store, reading.administrator
    with pytest.raises(NotPermittedError, match="no patient data"):
        store.records.save(RecordKind.MARKS, STUDY_UID, FIRST, ada, act="draw")
    with pytest.raises(NotPermittedError, match="no patient data"):
        store.records.latest(RecordKind.MARKS, STUDY_UID, ada)
    store.preferences.save(PreferenceKind.DISPLAY, {"text": 12}, ada)
    assert store.preferences.latest(PreferenceKind.DISPLAY, ada) == {"text": 12}
    store.accounts.disable("remy", by=ada)
    with pytest.raises(NotPermittedError, match="disabled"):
        store.preferences.save(PreferenceKind.DISPLAY, {}, reading.resident)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE study_records SET account = 'remy'",
        "DELETE FROM study_records",
        "INSERT OR REPLACE INTO study_records SELECT * FROM study_records",
        "INSERT INTO study_records SELECT kind, subject, 7, content, sha256, account, saved_at "
        "FROM study_records",
    ],
)
def test_revision_of_a_record_never_changes(reading: Reading, statement: str) -> None:
    reading.store.records.save(RecordKind.MARKS, STUDY_UID, FIRST, reading.radiologist, act="draw")
    connection = reading.raw()
    with pytest.raises(sqlcipher.DatabaseError, match="study record"):
        connection.execute(statement)
    connection.close()
    with (
        pytest.raises(LockedRecordError),
        reading.store._transactions.writing() as act,
    ):
        act.connection.exec_driver_sql(statement)


def past_the_triggers(reading: Reading, statement: str) -> Store:
    reading.store.close()
    connection = reading.raw()
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger.name}")
    connection.execute(statement)
    connection.close()
    reading.store = Store.open(reading.home, FileProvider(), clock=reading.clock, hasher=CHEAP)
    return reading.store


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE study_records SET content = x'7b7d'", f"Revision 1 of the marks of study {STUDY_UID}"),
        ("UPDATE study_records SET kind = 'other'", f"Revision 1 of the marks of study {STUDY_UID}"),
        ("DELETE FROM study_records", f"Revision 1 of the marks of study {STUDY_UID}"),
        ("UPDATE preferences SET content = x'7b7d'", "The presets preference of account rosa"),
        ("UPDATE preferences SET account = 'remy'", "The presets preference of account rosa"),
    ],
)
def test_tampering_is_found_and_named(reading: Reading, statement: str, name: str) -> None:
    rosa = reading.radiologist
    reading.store.records.save(RecordKind.MARKS, STUDY_UID, FIRST, rosa, act="draw")
    reading.store.preferences.save(PreferenceKind.PRESETS, {"1": 1}, rosa)
    reading.store.preferences.save(PreferenceKind.PRESETS, {"1": 2}, rosa)
    assert reading.store.verify().intact
    verdict = past_the_triggers(reading, statement).verify()
    assert verdict.fault is AuditFault.RECORD_MISMATCH
    assert verdict.message.startswith(name)


def test_changed_record_is_not_given_out(reading: Reading) -> None:
    rosa = reading.radiologist
    reading.store.records.save(RecordKind.MARKS, STUDY_UID, FIRST, rosa, act="draw")
    reading.store.preferences.save(PreferenceKind.PRESETS, {"1": 1}, rosa)
    store = past_the_triggers(reading, "UPDATE study_records SET content = x'7b7d'")
    with pytest.raises(RecordDamagedError, match="marks"):
        store.records.latest(RecordKind.MARKS, STUDY_UID, rosa)
    store = past_the_triggers(reading, "UPDATE preferences SET content = x'7b7d'")
    with pytest.raises(RecordDamagedError, match="presets"):
        store.preferences.latest(PreferenceKind.PRESETS, rosa)


def test_store_that_can_only_be_read_shows_marks_and_takes_none(reading: Reading) -> None:
    rosa = reading.radiologist
    reading.store.records.save(RecordKind.MARKS, STUDY_UID, FIRST, rosa, act="draw")
    store = past_the_triggers(reading, "UPDATE audit_events SET leaf = x'00' WHERE sequence = 2")
    assert store.alert is not None
    found = store.records.latest(RecordKind.MARKS, STUDY_UID, rosa)
    assert found is not None
    assert found.body == FIRST
    with pytest.raises(StoreReadOnlyError):
        store.records.save(RecordKind.MARKS, STUDY_UID, SECOND, rosa, act="draw")


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_killed_while_saving_every_save_that_was_told_is_there(reading: Reading, lines: int) -> None:
    reading.store.close()
    process = subprocess.Popen(
        [sys.executable, recording_process.__file__, str(reading.home), "rosa", STUDY_UID],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])},
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(lines)]
    process.kill()
    process.communicate()
    store = reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    assert store.alert is None
    found = store.records.latest(RecordKind.MARKS, STUDY_UID, reading.radiologist)
    assert found is not None
    assert found.revision >= told[-1]
    assert found.body["marks"][0]["id"] == f"m{found.revision}"
    saves = [event for event in store.events() if event.act is AuditAct.STUDY_RECORD_SAVED]
    assert [event.detail["revision"] for event in saves] == [
        str(number) for number in range(1, found.revision + 1)
    ]
    assert store.verify().intact
