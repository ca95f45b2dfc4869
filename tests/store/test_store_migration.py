"""The schema moves with its triggers, after a checked backup, and a newer one is refused."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from store_reading import CHEAP, PASSWORD, STUDY_UID, Reading, made_in

from reports.audit.event import AuditAct
from reports.domain import ReportAct
from reports.store import migrate
from reports.store.database import Store
from reports.store.errors import NewerStoreError
from reports.store.home import Home
from reports.store.keys import FileProvider, unwrap_key
from reports.store.kinds import RecordKind
from reports.store.schema import METADATA, TRIGGERS, triggers_are_complete, triggers_in

NEXT = '''"""A later revision: Alembic's batch mode copies the table and loses its triggers."""

import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("audit_events", recreate="always") as batch:
        batch.add_column(sa.Column("note", sa.Text))
    kept = op.get_bind().scalars(
        sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'")
    ).all()
    assert kept == [], "the batch mode keeps triggers now"
    {then}
'''


def test_tree_gives_the_tables_that_the_program_works_with(reading: Reading) -> None:
    with reading.store._transactions.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_head_of_the_tree_is_the_one_the_program_names() -> None:
    tree = ScriptDirectory.from_config(migrate.alembic_config())
    assert tree.get_heads() == [migrate.HEAD]


def test_new_store_has_every_trigger(reading: Reading) -> None:
    with reading.store._transactions.reading() as connection:
        assert triggers_are_complete(connection)
        assert set(triggers_in(connection)) == {trigger.name for trigger in TRIGGERS}
    assert AuditAct.PROTECTION_RESTORED not in [event.act for event in reading.store.events()]
    guarded = {(trigger.table, trigger.statement) for trigger in TRIGGERS}
    for table in ("audit_events", "checkpoints", "report_revisions", "signatures", "documents"):
        assert {(table, "UPDATE"), (table, "DELETE"), (table, "INSERT")} <= guarded


def later_program(monkeypatch: pytest.MonkeyPatch, folder: Path, then: str) -> None:
    """Make the program one with a further revision."""
    tree = folder / "later %s tree"
    shutil.copytree(migrate.TREE, tree, ignore=shutil.ignore_patterns("__pycache__"))
    text = NEXT.replace("{head}", migrate.HEAD).replace("{then}", then)
    (tree / "versions" / "v9999_later.py").write_text(text)
    monkeypatch.setattr(migrate, "TREE", tree)
    monkeypatch.setattr("reports.store.database.HEAD", "later")


def first_program(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make the program the one that knew the first schema only."""
    tree = folder / "first tree"
    shutil.copytree(migrate.TREE, tree, ignore=shutil.ignore_patterns("__pycache__", "v0002*"))
    monkeypatch.setattr(migrate, "TREE", tree)
    monkeypatch.setattr("reports.store.database.HEAD", "0001")
    known = tuple(trigger for trigger in TRIGGERS if trigger.table != "study_records")
    monkeypatch.setattr("reports.store.schema.TRIGGERS", known)


def test_store_of_the_first_schema_moves_up_and_keeps_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        first_program(patched, tmp_path)
        reading = made_in(tmp_path / "home")
        report_id = signed_and_closed(reading)
        connection = reading.raw()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        connection.close()
        assert not {"study_records", "preferences"} & tables
    store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    with store._transactions.reading() as connection:
        assert migrate.revision_of(connection) == migrate.HEAD
        assert triggers_are_complete(connection)
    assert store.alert is None
    assert store.records.latest(RecordKind.MARKS, STUDY_UID, reading.radiologist) is None
    store.records.save(RecordKind.MARKS, STUDY_UID, {"marks": []}, reading.radiologist, act="draw")
    assert store.reports.latest(report_id, reading.radiologist).signatures
    assert store.verify().intact
    assert Home(reading.home).backup("0001").exists()
    store.close()


def signed_and_closed(reading: Reading) -> str:
    report = reading.in_review()
    final = reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL
    )
    reading.store.close()
    return final.id


def test_migration_puts_back_the_triggers_and_keeps_a_checked_backup(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = signed_and_closed(reading)
    before = (reading.home / "sightline.db").read_bytes()
    later_program(monkeypatch, tmp_path, "pass")
    store = reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    with store._transactions.reading() as connection:
        assert triggers_are_complete(connection)
        assert "note" in {
            column["name"] for column in sa.inspect(connection).get_columns("audit_events")
        }
    assert store.verify().intact
    acts = [event.act for event in store.events()]
    assert AuditAct.PROTECTION_RESTORED not in acts, "the migration left it to the start"
    assert store.reports.latest(report_id, reading.radiologist).signatures
    connection = reading.raw()
    with pytest.raises(sqlcipher.DatabaseError, match="only ever added"):
        connection.execute("DELETE FROM audit_events")
    connection.close()
    backup = Home(reading.home).backup(migrate.HEAD)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert b"nodule" not in backup.read_bytes()
    assert len(backup.read_bytes()) == len(before)
    key, _ = unwrap_key(Home(reading.home), FileProvider())
    copy = sqlcipher.connect(str(backup))
    copy.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (migrate.HEAD,)
    assert copy.execute("SELECT count(*) FROM signatures").fetchone() == (1,)
    copy.close()


def test_migration_that_fails_changes_nothing(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = signed_and_closed(reading)
    with monkeypatch.context() as patched:
        later_program(patched, tmp_path, 'raise RuntimeError("power cut")')
        with pytest.raises(RuntimeError, match="power cut"):
            Store.open(reading.home, FileProvider(), hasher=CHEAP)
    store = reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    with store._transactions.reading() as connection:
        assert migrate.revision_of(connection) == migrate.HEAD
        assert triggers_are_complete(connection)
    assert store.verify().intact
    assert store.reports.latest(report_id, reading.radiologist).signatures


def test_store_of_a_newer_program_is_refused_and_left_alone(reading: Reading) -> None:
    reading.store.close()
    connection = reading.raw()
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = (reading.home / "sightline.db").read_bytes()
    with pytest.raises(NewerStoreError, match="newer Sightline"):
        Store.open(reading.home, FileProvider(), hasher=CHEAP)
    assert (reading.home / "sightline.db").read_bytes() == before
    assert not list(reading.home.glob("before-*"))
