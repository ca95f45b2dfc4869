"""Killing the process, filling the disk, two instances: signed with its audit entry, or neither."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import signing_process
from store_reading import CHEAP, PASSWORD, STUDY_UID, Reading, study_block, with_sentence

from reports.audit.event import AuditAct
from reports.domain import ReportAct, ReportState, Role
from reports.store.database import Store
from reports.store.errors import DatabaseBusyError, DiskError, DiskFullError
from reports.store.keys import FileProvider
from reports.store.steps import Step

ROOT = Path(__file__).resolve().parents[2]
ONE_TRANSACTION = [
    Step.BEGUN,
    Step.REVISION_WRITTEN,
    Step.SIGNATURE_WRITTEN,
    Step.EVENT_WRITTEN,
    Step.CHECKPOINT_WRITTEN,
    Step.DOCUMENT_MADE,
    Step.DOCUMENT_WRITTEN,
    Step.STATE_WRITTEN,
]


class Signer:
    """The other process, ready to sign when it is told."""

    def __init__(
        self, home: Path, name: str, report_id: str, revision: int, step: str = "none"
    ) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, signing_process.__file__,
                str(home), name, report_id, str(revision), step, "20000",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def outcome(self) -> str:
        out, _ = self.process.communicate(timeout=60)
        return out.strip()


@pytest.fixture
def waiting(reading: Reading) -> Iterator[tuple[Reading, str]]:
    """A report in review in a store that nobody has open."""
    report = reading.in_review()
    reading.store.close()
    yield reading, report.id


def reopened(reading: Reading) -> Store:
    reading.store = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    return reading.store


@pytest.mark.parametrize("step", list(Step))
def test_killed_between_two_steps_of_signing_leaves_all_or_nothing(
    waiting: tuple[Reading, str], step: Step
) -> None:
    reading, report_id = waiting
    signer = Signer(reading.home, "rosa", report_id, 2, step)
    signer.go()
    assert signer.outcome() == ""
    assert signer.process.returncode == -9
    store = reopened(reading)
    assert store.alert is None
    report = store.reports.latest(report_id, reading.radiologist)
    document = store.reports.document(report_id, reading.radiologist)
    signed = [event for event in store.events() if event.act is AuditAct.REPORT_SIGNED]
    sealed = [event for event in store.events() if event.act is AuditAct.DOCUMENT_SEALED]
    if report.state is ReportState.FINAL:
        assert len(report.signatures) == len(signed) == len(sealed) == 1
        assert document is not None
    else:
        assert (report.state, report.signatures) == (ReportState.IN_REVIEW, ())
        assert (signed, sealed, document) == ([], [], None)
    if step in ONE_TRANSACTION:
        assert report.state is ReportState.IN_REVIEW
    assert store.verify().intact, store.verify().message
    if report.state is ReportState.IN_REVIEW:
        final = store.reports.sign(
            report_id, 2, reading.radiologist, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL
        )
        assert final.state is ReportState.FINAL


def test_every_step_of_signing_is_passed_in_order(reading: Reading) -> None:
    report = reading.in_review()
    passed: list[Step] = []
    reading.store._transactions.on_step = passed.append
    reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL,
        seal=lambda _report, _note: b"%PDF",
    )  # fmt: skip
    start = passed.index(Step.AUTHENTICATED)
    assert passed[start:] == list(Step)


def test_two_instances_that_sign_the_same_revision_make_one_signature(
    waiting: tuple[Reading, str],
) -> None:
    reading, report_id = waiting
    with reopened(reading) as store:
        store.accounts.add("omar", "Dr. Omar", Role.RADIOLOGIST, PASSWORD, by=reading.administrator)
    signers = [Signer(reading.home, name, report_id, 2) for name in ("rosa", "omar")]
    for signer in signers:
        signer.go()
    outcomes = sorted(signer.outcome() for signer in signers)
    assert outcomes == ["StaleRevisionError", "signed"]
    store = reopened(reading)
    report = store.reports.latest(report_id, reading.radiologist)
    assert len(report.signatures) == 1
    assert [event.act for event in store.events()].count(AuditAct.REPORT_SIGNED) == 1
    assert store.verify().intact


def test_two_instances_write_one_log_without_gaps(waiting: tuple[Reading, str]) -> None:
    reading, report_id = waiting
    first = reopened(reading)
    second = Store.open(reading.home, FileProvider(), hasher=CHEAP)
    for store in (first, second, first, second):
        report = store.reports.latest(report_id, reading.radiologist)
        store.reports.save_revision(with_sentence(report, "More."), reading.radiologist)
        store.accounts.authenticate("remy", PASSWORD)
    final = second.reports.sign(
        report_id, 6, reading.radiologist, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL
    )
    assert first.reports.latest(report_id, reading.radiologist) == final
    assert first.verify().intact
    second.close()
    assert first.verify().intact
    assert reading.reopened().alert is None


def test_threads_write_one_log_without_gaps(reading: Reading) -> None:
    def save_ten(number: int) -> str:
        report = reading.store.reports.start(study_block(), reading.radiologist)
        for _ in range(10):
            report = reading.store.reports.save_revision(
                with_sentence(report, f"Sentence {number}."), reading.radiologist
            )
        return report.id

    with ThreadPoolExecutor(max_workers=4) as pool:
        made = set(pool.map(save_ten, range(4)))
    parts = reading.store.reports.for_study(STUDY_UID, reading.radiologist)
    assert {part.id for part in parts} == made
    assert [part.revision for part in parts] == [11] * 4
    assert reading.store.reports.states(reading.radiologist) == {
        STUDY_UID: (ReportState.IN_REVIEW,) * 4
    }
    assert reading.store.verify().intact


def test_database_that_another_program_holds_is_named(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.store.engine.BUSY_SECONDS", 0.05)
    store = reading.reopened()
    other = reading.raw()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusyError, match="Another Sightline"):
        store.reports.start(study_block(), reading.radiologist)
    assert store.reports.for_study(STUDY_UID, reading.radiologist) == ()
    other.execute("ROLLBACK")
    other.close()
    assert store.reports.start(study_block(), reading.radiologist).revision == 1


SETTINGS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "trusted_schema": 0,
    "temp_store": 2,  # MEMORY
    "mmap_size": 0,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "secure_delete": 1,
}


def test_every_connection_has_the_safe_settings(reading: Reading) -> None:
    with (
        reading.store._transactions.reading() as first,
        reading.store._transactions.reading() as second,
    ):
        for connection in (first, second):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SETTINGS}
            assert {name: int(v) if str(v).isdigit() else v for name, v in found.items()} == SETTINGS
            version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
            assert tuple(map(int, str(version).split("."))) >= (3, 51, 3), "WAL-reset corruption"


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_disk_that_takes_no_more_loses_nothing(reading: Reading) -> None:
    report = reading.in_review()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in reading.home.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 100_000, hard))
    try:
        with pytest.raises(DiskError, match="Nothing was changed"):
            reading.store.reports.sign(
                report.id, 2, reading.radiologist, PASSWORD, meaning="x",
                act=ReportAct.SIGN_FINAL, seal=lambda _report, _note: os.urandom(4_000_000),
            )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signs_after_the_disk_has_room(reading, report.id)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, where the system lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_loses_nothing_and_says_so(small_disk: Path) -> None:
    from store_reading import made_in

    reading = made_in(small_disk / "home")
    report = reading.in_review()
    filler = small_disk / "other files"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(bytes(4_000_000))
    with pytest.raises(DiskFullError, match="disk is full"):
        reading.store.reports.sign(
            report.id, 2, reading.radiologist, PASSWORD, meaning="x",
            act=ReportAct.SIGN_FINAL, seal=lambda _report, _note: os.urandom(1_000_000),
        )  # fmt: skip
    reading.store.close()
    filler.unlink()
    reopened(reading)
    signs_after_the_disk_has_room(reading, report.id)
    reading.store.close()


def test_side_file_that_takes_nothing_does_not_undo_a_signature(reading: Reading) -> None:
    report = reading.in_review()
    side = reading.home / "checkpoints.jsonl"
    before = side.read_text()
    side.rename(reading.home / "aside")
    side.mkdir()
    final = reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL
    )
    assert final.state is ReportState.FINAL
    assert "cannot be written" in reading.store.witness_trouble
    side.rmdir()
    (reading.home / "aside").rename(side)
    assert side.read_text() == before
    store = reading.reopened()
    assert (store.alert, store.witness_trouble) == (None, "")
    assert side.read_text().startswith(before)
    assert len(side.read_text()) > len(before)
    assert store.verify().intact


def signs_after_the_disk_has_room(reading: Reading, report_id: str) -> None:
    store, rosa = reading.store, reading.radiologist
    report = store.reports.latest(report_id, rosa)
    assert (report.state, report.revision) == (ReportState.IN_REVIEW, 2)
    assert AuditAct.REPORT_SIGNED not in [event.act for event in store.events()]
    assert store.verify().intact
    final = store.reports.sign(
        report_id, 2, rosa, PASSWORD, meaning="x", act=ReportAct.SIGN_FINAL,
        seal=lambda _report, _note: b"%PDF",
    )  # fmt: skip
    assert final.state is ReportState.FINAL
    assert store.verify().intact
