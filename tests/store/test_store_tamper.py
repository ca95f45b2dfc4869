"""A byte flipped, an entry changed, a log cut, an older copy put back: each is found and named."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from store_reading import CHEAP, PASSWORD, STUDY_UID, MemoryKeyring, Reading, study_block, with_sentence

from reports.audit.checkpoint import NoteSigner
from reports.audit.event import AuditAct
from reports.audit.log import leaf_hash
from reports.audit.verify import AuditFault, AuditVerdict
from reports.domain import Draft, Ledger, Report, ReportAct, Trace
from reports.store.database import Store
from reports.store.errors import DatabaseDamagedError, RecordDamagedError, StoreReadOnlyError
from reports.store.keys import FileProvider, KeyringProvider, replace_provider
from reports.store.schema import TRIGGERS


def sign(reading: Reading) -> Report:
    report = reading.in_review()
    return reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning="I approve.",
        act=ReportAct.SIGN_FINAL, seal=lambda _report, _note: b"%PDF" + bytes(50_000),
    )  # fmt: skip


def with_key(reading: Reading, change: Callable[[sqlcipher.Connection], None]) -> None:
    """Change the closed database as someone with the key would, past the triggers."""
    reading.store.close()
    connection = reading.raw()
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger.name}")
    change(connection)
    connection.close()
    reading.store = Store.open(reading.home, FileProvider(), clock=reading.clock, hasher=CHEAP)


def found(reading: Reading, fault: AuditFault, first_bad: int | None) -> AuditVerdict:
    """Assert what verify says."""
    verdict = reading.store.verify()
    assert (verdict.fault, verdict.first_bad) == (fault, first_bad), verdict.message
    return verdict


def only_for_reading(reading: Reading) -> None:
    """Assert that the store lets itself be read and not written."""
    store = reading.store
    assert store.alert is not None
    assert store.reports.for_study(STUDY_UID, reading.radiologist)
    assert store.accounts.authenticate("rosa", PASSWORD) == reading.radiologist
    store.studies.opened(STUDY_UID, reading.radiologist)
    for act in (
        lambda: store.reports.start(study_block(), reading.radiologist),
        lambda: store.set_seal_key(b"x"),
        lambda: store.accounts.disable("remy", by=reading.administrator),
    ):
        with pytest.raises(StoreReadOnlyError, match="can only be read"):
            act()


def test_untouched_store_is_intact(reading: Reading) -> None:
    sign(reading)
    assert reading.reopened().alert is None
    verdict = reading.store.verify()
    assert verdict.intact
    assert verdict.checkpoints == 4
    assert str(verdict.size) in verdict.message


def test_any_byte_flipped_in_the_database_file_is_found(reading: Reading) -> None:
    sign(reading)
    reading.store.close()
    database = reading.home / "sightline.db"
    whole = database.read_bytes()
    chance = random.Random(2)
    places = [0, 20, 200, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(30))]
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        database.write_bytes(broken)
        try:
            with Store.open(reading.home, FileProvider(), hasher=CHEAP) as store:
                verdict = store.verify()
        except DatabaseDamagedError as error:
            assert "Sightline" in str(error) or "damaged" in str(error)
        else:
            assert verdict.fault is AuditFault.DATABASE_DAMAGED, place
    database.write_bytes(whole)
    with Store.open(reading.home, FileProvider(), hasher=CHEAP) as store:
        assert store.verify().intact


def test_byte_flipped_while_the_store_is_open_is_found_by_verify(reading: Reading) -> None:
    sign(reading)
    store = reading.reopened()
    store._engine.dispose()
    database = reading.home / "sightline.db"
    with database.open("r+b") as file:
        file.seek(-3000, 2)
        byte = file.read(1)
        file.seek(-3000, 2)
        file.write(bytes([byte[0] ^ 1]))
    verdict = store.verify()
    assert verdict.fault is AuditFault.DATABASE_DAMAGED
    assert "damaged" in verdict.message


def test_database_that_is_no_database_is_named(reading: Reading) -> None:
    reading.store.close()
    (reading.home / "sightline.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(DatabaseDamagedError, match=r"sightline\.db"):
        Store.open(reading.home, FileProvider(), hasher=CHEAP)
    (reading.home / "sightline.db").unlink()
    with pytest.raises(DatabaseDamagedError, match="is gone"):
        Store.open(reading.home, FileProvider(), hasher=CHEAP)


@pytest.mark.parametrize("number", [1, 4, 7])
def test_changed_entry_is_named(reading: Reading, number: int) -> None:
    sign(reading)

    def change(connection: sqlcipher.Connection) -> None:
        connection.execute(
            "UPDATE audit_events SET event = "
            "CAST(replace(CAST(event AS TEXT), '2026-', '2025-') AS BLOB) "
            "WHERE sequence = ?",
            (number,),
        )

    with_key(reading, change)
    verdict = found(reading, AuditFault.CHANGED, number)
    assert f"Entry {number} " in verdict.message
    only_for_reading(reading)


@pytest.mark.parametrize("number", [1, 4, 7])
def test_entry_changed_together_with_its_hash_is_named(reading: Reading, number: int) -> None:
    sign(reading)

    def change(connection: sqlcipher.Connection) -> None:
        query = "SELECT event FROM audit_events WHERE sequence = ?"
        event = connection.execute(query, (number,)).fetchone()[0]
        forged = bytes(event).replace(b"2026-", b"2025-")
        connection.execute(
            "UPDATE audit_events SET event = ?, leaf = ? WHERE sequence = ?",
            (forged, leaf_hash(forged), number),
        )

    with_key(reading, change)
    verdict = found(reading, AuditFault.CHANGED, number)
    assert f"entry {number + 1} still holds the hash" in verdict.message
    assert reading.store.alert is not None


def rewritten(connection: sqlcipher.Connection, number: int, name: str) -> None:
    """Forge an entry and all after it, so that the log fits itself again."""
    previous = ""
    rows = connection.execute("SELECT sequence, event FROM audit_events ORDER BY sequence")
    for sequence, event in rows.fetchall():
        fields = json.loads(event)
        if sequence == number:
            fields["participants"][0]["user_id"] = name
        fields["previous"] = previous
        forged = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        leaf = leaf_hash(forged)
        previous = leaf.hex()
        connection.execute(
            "UPDATE audit_events SET event = ?, leaf = ? WHERE sequence = ?", (forged, leaf, sequence)
        )


def test_log_rewritten_to_fit_itself_is_found_by_its_checkpoints(reading: Reading) -> None:
    sign(reading)
    with_key(reading, lambda connection: rewritten(connection, 6, "someone else"))
    verdict = found(reading, AuditFault.REWRITTEN, 2)
    assert "Entries 2 to " in verdict.message
    only_for_reading(reading)


def test_log_and_own_checkpoints_rewritten_are_found_by_the_side_file(reading: Reading) -> None:
    sign(reading)

    def change(connection: sqlcipher.Connection) -> None:
        rewritten(connection, 6, "someone else")
        connection.execute("DELETE FROM checkpoints")

    with_key(reading, change)
    verdict = found(reading, AuditFault.REWRITTEN, 2)
    assert "the side file" in verdict.message


class TestLongLog:
    """A long log is looked into at the first start of a week and after an unclean stop."""

    @pytest.fixture(autouse=True)
    def long_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("reports.store.database.SHORT_LOG", 3)

    def entry_changed(self, reading: Reading) -> None:
        sign(reading)
        with_key(
            reading,
            lambda connection: connection.execute(
                "UPDATE audit_events SET event = x'7b7d' WHERE sequence = 5"
            ),
        )

    def test_untouched_opens_and_goes_on(self, reading: Reading) -> None:
        sign(reading)
        assert reading.reopened().alert is None
        sign(reading)
        assert reading.reopened().verify().intact

    def test_changed_entry_waits_for_the_next_week_or_verify(self, reading: Reading) -> None:
        self.entry_changed(reading)
        assert reading.store.alert is None
        found(reading, AuditFault.CHANGED, 5)
        reading.store.close()
        reading.clock.turn(7 * 86_400)
        reading.store = Store.open(reading.home, FileProvider(), clock=reading.clock, hasher=CHEAP)
        assert reading.store.alert is not None
        assert reading.store.alert.first_bad == 5

    def test_changed_entry_is_found_after_an_unclean_stop(self, reading: Reading) -> None:
        self.entry_changed(reading)
        unclean = reading.store
        reading.store = Store.open(reading.home, FileProvider(), clock=reading.clock, hasher=CHEAP)
        assert reading.store.alert is not None
        assert reading.store.alert.first_bad == 5
        unclean._engine.dispose()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_events SET leaf = zeroblob(32) WHERE sequence = 5",
            "DELETE FROM audit_events WHERE sequence = 5",
            "DELETE FROM audit_events WHERE sequence > 5",
            "UPDATE checkpoints SET note = 'x'",
        ],
    )
    def test_hashes_that_do_not_fit_are_found_at_once(self, reading: Reading, statement: str) -> None:
        sign(reading)
        with_key(reading, lambda connection: connection.execute(statement))
        only_for_reading(reading)


def test_removed_entry_is_named(reading: Reading) -> None:
    sign(reading)
    with_key(
        reading, lambda connection: connection.execute("DELETE FROM audit_events WHERE sequence = 5")
    )
    found(reading, AuditFault.MISSING, 5)
    only_for_reading(reading)


def test_cut_log_is_found_by_the_checkpoints_in_the_database(reading: Reading) -> None:
    sign(reading)
    with_key(
        reading, lambda connection: connection.execute("DELETE FROM audit_events WHERE sequence > 6")
    )
    verdict = found(reading, AuditFault.TRUNCATED, 7)
    assert "ends at entry 6" in verdict.message


def test_log_cut_with_its_checkpoints_is_found_by_the_side_file(reading: Reading) -> None:
    sign(reading)

    def change(connection: sqlcipher.Connection) -> None:
        connection.execute("DELETE FROM audit_events WHERE sequence > 6")
        connection.execute("DELETE FROM checkpoints WHERE size > 6")

    with_key(reading, change)
    verdict = found(reading, AuditFault.ROLLED_BACK, 7)
    assert "the side file" in verdict.message
    only_for_reading(reading)


def test_older_copy_of_the_database_put_back_is_found(reading: Reading, tmp_path: Path) -> None:
    reading.in_review()
    reading.store.close()
    shutil.copy(reading.home / "sightline.db", tmp_path / "older.db")
    reading.reopened()
    sign(reading)
    reading.store.close()
    shutil.copy(tmp_path / "older.db", reading.home / "sightline.db")
    reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    verdict = reading.store.alert
    assert verdict is not None
    assert verdict.fault is AuditFault.ROLLED_BACK
    only_for_reading(reading)


def older_folder_put_back(reading: Reading, older: Path) -> str:
    """Sign a report, put back a copy of the whole folder from before; return the printed checkpoint."""
    reading.in_review()
    reading.store.close()
    shutil.copytree(reading.home, older)
    reading.reopened()
    final = sign(reading)
    document = reading.store.reports.document(final.id, reading.radiologist)
    assert document is not None
    reading.store.close()
    shutil.rmtree(reading.home)
    shutil.copytree(older, reading.home)
    reading.store = Store.open(reading.home, reading.provider, hasher=CHEAP)
    return document.checkpoint


def test_older_copy_of_the_whole_folder_is_found_by_the_keyring(
    secret_service: MemoryKeyring, reading: Reading, tmp_path: Path
) -> None:
    replace_provider(reading.home, FileProvider(), KeyringProvider())
    reading.provider = KeyringProvider()
    older_folder_put_back(reading, tmp_path / "older")
    verdict = reading.store.alert
    assert verdict is not None
    assert verdict.fault is AuditFault.ROLLED_BACK
    assert "the keyring" in verdict.message
    assert secret_service.secrets


def test_older_copy_of_the_whole_folder_is_found_with_a_checkpoint_from_a_document(
    reading: Reading, tmp_path: Path
) -> None:
    printed = older_folder_put_back(reading, tmp_path / "older")
    assert reading.store.alert is None, "nothing in the folder can tell"
    verdict = reading.store.verify(notes=[printed])
    assert verdict.fault is AuditFault.ROLLED_BACK


def test_side_file_that_is_gone_is_an_alert(reading: Reading) -> None:
    sign(reading)
    reading.store.close()
    (reading.home / "checkpoints.jsonl").unlink()
    reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    found(reading, AuditFault.NO_WITNESS, None)
    only_for_reading(reading)


def test_forged_checkpoint_in_the_side_file_is_found(reading: Reading) -> None:
    store = reading.store
    forged = NoteSigner(store.log_key.name, bytes(32)).sign(3, bytes(32))
    reading.store.close()
    with (reading.home / "checkpoints.jsonl").open("a") as file:
        file.write(json.dumps({"note": forged.note}) + "\n")
    reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    verdict = found(reading, AuditFault.BAD_CHECKPOINT, None)
    assert "the side file" in verdict.message


def test_line_of_the_side_file_cut_by_a_crash_is_no_alarm(reading: Reading) -> None:
    sign(reading)
    reading.store.close()
    side = reading.home / "checkpoints.jsonl"
    side.write_bytes(side.read_bytes()[:-40])
    assert reading.reopened().alert is None
    assert reading.reopened().verify().intact
    lines = [line for line in side.read_text().splitlines() if line.endswith("}")]
    assert all("note" in json.loads(line) for line in lines)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE report_revisions SET content = "
            "CAST(replace(CAST(content AS TEXT), 'No nodule', 'A nodule') AS BLOB) "
            "WHERE revision = 3",
            "Revision 3",
        ),
        ("UPDATE signatures SET content = x'7b7d'", "The signature in revision 3"),
        ("UPDATE documents SET pdf = x'00'", "The document for revision 3"),
        ("UPDATE reports SET state = 'in review'", "The state of report"),
        ("UPDATE drafts SET trace = x'7b7d'", "The trace in draft"),
        ("UPDATE ledgers SET content = x'7b7d'", "Ledger"),
        ("DELETE FROM documents", "The document for revision 3"),
        ("DELETE FROM drafts", "The draft in draft"),
    ],
)
def test_changed_record_is_found_through_its_audit_entry(
    reading: Reading, statement: str, name: str
) -> None:
    ledger = Ledger(study_instance_uid=STUDY_UID)
    reading.store.drafts.save(
        Draft(study_instance_uid=STUDY_UID),
        ledger,
        Trace(program="t", seed=0),
        b"",
        reading.radiologist,
    )
    report = reading.store.reports.start(study_block(), reading.radiologist, ledger=ledger)
    reading.store.reports.save_revision(with_sentence(report, "No nodule."), reading.radiologist)
    reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning="I approve.",
        act=ReportAct.SIGN_FINAL, seal=lambda _report, _note: b"%PDF",
    )  # fmt: skip
    with_key(reading, lambda connection: connection.execute(statement))
    verdict = reading.store.verify()
    assert verdict.fault is AuditFault.RECORD_MISMATCH
    assert verdict.message.startswith(name)
    assert verdict.first_bad is not None
    acts = {event.sequence: event.act for event in reading.store.events()}
    assert acts[verdict.first_bad] in {
        AuditAct.REPORT_SIGNED,
        AuditAct.DOCUMENT_SEALED,
        AuditAct.DRAFT_SAVED,
        AuditAct.REPORT_STARTED,
    }


def test_record_that_no_entry_wrote_is_found(reading: Reading) -> None:
    sign(reading)
    with_key(
        reading,
        lambda connection: connection.execute(
            "INSERT INTO report_revisions SELECT report_id, 4, content, sha256, NULL "
            "FROM report_revisions WHERE revision = 3"
        ),
    )
    verdict = found(reading, AuditFault.RECORD_MISMATCH, None)
    assert "written by no entry" in verdict.message


def test_changed_revision_is_not_given_out(reading: Reading) -> None:
    final = sign(reading)
    with_key(
        reading,
        lambda connection: connection.execute("UPDATE report_revisions SET content = x'7b7d'"),
    )
    with pytest.raises(RecordDamagedError, match="Revision 3"):
        reading.store.reports.latest(final.id, reading.radiologist)


def test_triggers_that_were_dropped_are_put_back_and_that_is_audited(reading: Reading) -> None:
    sign(reading)
    with_key(reading, lambda connection: None)
    assert AuditAct.PROTECTION_RESTORED in [event.act for event in reading.store.events()]
    connection = reading.raw()
    with pytest.raises(sqlcipher.DatabaseError, match="only ever added"):
        connection.execute("DELETE FROM audit_events")
    connection.close()
    reading.reopened()
    acts = [event.act for event in reading.store.events()]
    assert acts.count(AuditAct.PROTECTION_RESTORED) == 1


def test_clock_that_went_back_is_an_entry_and_the_order_stays(reading: Reading) -> None:
    reading.clock.turn(3600)
    reading.in_review()
    reading.clock.turn(-1800)
    reading.store.accounts.authenticate("rosa", PASSWORD)
    reading.clock.turn(-0.5)
    reading.store.accounts.authenticate("remy", PASSWORD)
    events = reading.store.events()
    backwards = [event for event in events if event.act is AuditAct.CLOCK_WENT_BACK]
    assert [event.detail for event in backwards] == [
        {"from": "2026-03-01T09:00:00.000Z", "to": "2026-03-01T08:30:00.000Z"}
    ]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert all(event.boot_id == "boot-1" and event.monotonic_us > 0 for event in events)
    assert reading.store.verify().intact
