"""Signing with the real store, seal and document: signed with everything, or not at all, and seen."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import signing_person
from fault_scene import PASSWORD, RADIOLOGIST, RESIDENT, ROOT, flip, sightline
from sqlcipher3 import dbapi2 as sqlcipher

from app.desk import Desk, OpenedReport
from app.engine import DraftOutcome
from app.report_model import ReportModel
from inference.validation.rules import check_sentence
from reports.audit.event import AuditAct
from reports.domain import Ledger, ReportAct, ReportState, Role, TransitionError
from reports.export.seal import SealKey
from reports.export.verify_pdf import PdfKind, verify_pdf
from reports.store.errors import (
    DatabaseDamagedError,
    DiskError,
    StaleRevisionError,
    StoreError,
    TooSoonError,
    WrongPasswordError,
)
from reports.store.home import Home
from reports.store.keys import FileProvider, unwrap_key
from reports.store.steps import Step, pass_by
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study, StudyIndex

OpenDesk = Callable[[str], Desk]


def reviewed(desk: Desk, study: Study, outcome: DraftOutcome) -> OpenedReport:
    """Take a draft into the report of a study, every sentence accepted, saved."""
    desk.import_studies(StudyIndex(studies=(study,)))
    opened = desk.open_study(study)
    desk.take_draft(outcome)
    model = ReportModel(opened.report, outcome.result.ledger, check=check_sentence)
    model.load_draft(outcome.result.draft, outcome.result.ledger)
    for sentence in model.sentences:
        model.accept(sentence.id)
    opened.report = desk.save(model.report, outcome.result.ledger)
    opened.ledger = outcome.result.ledger
    return opened


@pytest.fixture
def waiting(home: Path, sample: tuple[Study, OpenStack], drafted: DraftOutcome) -> str:
    """Id of a report that waits for its signature, in a store that nobody has open."""
    with Desk.open(home) as desk:
        desk.sign_in(RADIOLOGIST, PASSWORD)
        return reviewed(desk, sample[0], drafted).report.id


class Person:
    """Another process in which a person is about to sign."""

    def __init__(self, home: Path, name: str, report_id: str, step: str = "none") -> None:
        self.process = subprocess.Popen(
            [sys.executable, signing_person.__file__, str(home), name, report_id, step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])},
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def outcome(self) -> str:
        out, _ = self.process.communicate(timeout=90)
        return out.strip()


def acts(desk: Desk) -> list[AuditAct]:
    return [event.act for event in desk.store.events(desk.account)]


@pytest.mark.parametrize("step", list(Step))
def test_killed_at_a_step_of_signing_there_is_a_signed_report_with_all_or_an_unsigned_one(
    step: Step, home: Path, waiting: str, sample: tuple[Study, OpenStack]
) -> None:
    person = Person(home, RADIOLOGIST, waiting, step)
    person.go()
    assert person.outcome() == ""
    assert person.process.returncode == -9
    with Desk.open(home) as desk:
        assert desk.alert is None
        desk.sign_in(RADIOLOGIST, PASSWORD)
        opened = desk.open_study(sample[0])
        report, document = opened.report, desk.store.reports.document(waiting, desk.account)
        signed, sealed = (
            acts(desk).count(a) for a in (AuditAct.REPORT_SIGNED, AuditAct.DOCUMENT_SEALED)
        )
        if step in {Step.COMMITTED, Step.WITNESSED}:
            assert (report.state, len(report.signatures)) == (ReportState.FINAL, 1)
            assert (signed, sealed) == (1, 1)
            assert document is not None
            kept = desk.sealed_file(report)
            assert kept is not None
            assert kept.read_bytes() == document.pdf
            verdict = verify_pdf(kept, [desk.seal_key().certificate_pem])
            assert (verdict.kind, verdict.state) == (PdfKind.INTACT, "FINAL")
        else:
            assert (report.state, report.signatures) == (ReportState.IN_REVIEW, ())
            assert (signed, sealed, document) == (0, 0, None)
            assert desk.sealed_file(report) is None
            assert desk.save(report, opened.ledger).revision == report.revision + 1
        verified = desk.store.verify()
        assert verified.intact, verified.message


def test_a_report_that_was_not_signed_does_not_look_signed(
    home: Path, waiting: str, sample: tuple[Study, OpenStack], tmp_path: Path
) -> None:
    with Desk.open(home) as desk:
        desk.sign_in(RADIOLOGIST, PASSWORD)
        opened = desk.open_study(sample[0])
        assert opened.report.id == waiting
        assert opened.ledger is not None
        draft = desk.export_pdf(opened.report, opened.ledger, sample[0], None, tmp_path / "out.pdf")
        assert verify_pdf(draft, trusted(desk)).kind is not PdfKind.INTACT


def test_two_processes_that_sign_the_same_report_make_one_signature(
    home: Path, waiting: str, sample: tuple[Study, OpenStack]
) -> None:
    with Desk.open(home) as desk:
        desk.store.accounts.add("omar", "Dr Omar", Role.RADIOLOGIST, PASSWORD)
    people = [Person(home, name, waiting) for name in (RADIOLOGIST, "omar")]
    for person in people:
        person.go()
    outcomes = [person.outcome() for person in people]
    assert sorted(outcomes) == ["StaleRevisionError", "signed"]
    with Desk.open(home) as desk:
        winner = [RADIOLOGIST, "omar"][outcomes.index("signed")]
        desk.sign_in(winner, PASSWORD)
        report = desk.open_study(sample[0]).report
        assert [signature.user for signature in report.signatures] == [winner]
        assert acts(desk).count(AuditAct.REPORT_SIGNED) == 1
        assert desk.store.verify().intact


@pytest.fixture
def signed(
    desk_of: OpenDesk, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> tuple[Desk, OpenedReport, Path]:
    """A final report with its sealed file, key images and all."""
    desk = desk_of(RADIOLOGIST)
    study, pixels = sample
    opened = reviewed(desk, study, drafted)
    assert opened.ledger is not None
    done = desk.sign(opened.report, opened.ledger, study, pixels.stack, PASSWORD)
    opened.report = done.report
    assert done.path is not None
    return desk, opened, done.path


def raw(home: Path) -> sqlcipher.Connection:
    """Connect as someone who has the key, past the program."""
    key, _ = unwrap_key(Home(home), FileProvider())
    connection = sqlcipher.connect(str(Home(home).database), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return connection


FORBIDDEN = (
    "UPDATE reports SET state = 'draft'",
    "DELETE FROM reports",
    "UPDATE report_revisions SET content = CAST(content || ' ' AS BLOB)",
    "DELETE FROM report_revisions",
    "UPDATE signatures SET account = 'someone'",
    "DELETE FROM signatures",
    "UPDATE documents SET pdf = x'00'",
    "DELETE FROM documents",
    "UPDATE audit_events SET event = CAST('{}' AS BLOB)",
    "DELETE FROM audit_events",
)


def test_a_final_report_cannot_be_changed_by_any_path(
    signed: tuple[Desk, OpenedReport, Path], home: Path, sample: tuple[Study, OpenStack]
) -> None:
    desk, opened, _ = signed
    report, ledger = opened.report, opened.ledger
    assert ledger is not None
    shorter = report.model_copy(update={"sentences": report.sentences[:1]})
    with pytest.raises(TransitionError, match="never changes"):
        desk.save(shorter, ledger)
    with pytest.raises(TransitionError, match="never changes"):
        desk.sign(shorter, ledger, sample[0], None, PASSWORD)
    following = shorter.model_copy(update={"revision": report.revision + 1, "state": ReportState.DRAFT})
    for act in (ReportAct.EDIT, ReportAct.ACCEPT_DRAFT):
        with pytest.raises(TransitionError):
            desk.store.reports.save_revision(following, desk.account, act)
    # As a revision before the signature, or one in the place of the signed one.
    for revision in (1, report.revision):
        again = shorter.model_copy(update={"revision": revision, "state": ReportState.DRAFT})
        with pytest.raises((TransitionError, StaleRevisionError)):
            desk.store.reports.save_revision(again, desk.account, ReportAct.EDIT)
    connection = raw(home)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    for statement in FORBIDDEN:
        words = statement.split()
        table = words[1] if words[0] == "UPDATE" else words[2]
        assert table in tables, table
        with pytest.raises(sqlcipher.DatabaseError, match=r"never|final|log|record|sealed"):
            connection.execute(statement)
    connection.close()
    assert desk.store.reports.latest(report.id, desk.account) == report
    assert desk.store.verify().intact


def test_an_addendum_is_a_new_part_and_leaves_the_final_one_as_it_is(
    signed: tuple[Desk, OpenedReport, Path], sample: tuple[Study, OpenStack]
) -> None:
    desk, opened, path = signed
    before = path.read_bytes()
    part = desk.start_addendum(opened.report, reason="second look")
    assert part.id != opened.report.id
    assert desk.open_study(sample[0]).report.id == part.id
    assert desk.store.reports.latest(opened.report.id, desk.account) == opened.report
    assert path.read_bytes() == before


def test_a_wrong_password_signs_nothing_is_slowed_and_the_right_one_works_afterwards(
    desk_of: OpenDesk, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    desk = desk_of(RADIOLOGIST)
    study, _ = sample
    opened = reviewed(desk, study, drafted)
    assert opened.ledger is not None
    open_still = opened.report.model_copy(update={"limitations": opened.report.limitations[:1]})
    waits = []
    for _ in range(8):
        with pytest.raises((WrongPasswordError, TooSoonError)) as wrong:
            desk.sign(open_still, opened.ledger, study, None, "not the password")
        waits.append(wrong.value.wait_seconds)
        if isinstance(wrong.value, TooSoonError):
            break
    assert isinstance(wrong.value, TooSoonError)
    assert waits[-2] >= waits[-1] > 0
    latest = desk.store.reports.latest(opened.report.id, desk.account)
    assert (latest.state, latest.signatures) == (ReportState.IN_REVIEW, ())
    assert latest.revision == opened.report.revision + 1, "what was open was saved, once"
    desk.store._transactions.journal.clock = _Later(waits[-1] + 5)
    signed = desk.sign(open_still, opened.ledger, study, None, PASSWORD)
    assert signed.report.state is ReportState.FINAL
    assert desk.store.verify().intact


class _Later:
    """The system's clock, some seconds ahead: the wait is over."""

    def __init__(self, seconds: float) -> None:
        from reports.audit.clock import SystemClock

        self._clock, self._seconds = SystemClock(), seconds
        self.boot_id = getattr(self._clock, "boot_id", "")

    def __getattr__(self, name: str) -> object:
        return getattr(self._clock, name)

    def utc(self) -> object:
        from datetime import timedelta

        return self._clock.utc() + timedelta(seconds=self._seconds)


def test_a_resident_signs_preliminary_only_and_a_radiologist_makes_it_final(
    desk_of: OpenDesk, home: Path, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    desk = desk_of(RESIDENT)
    study, _ = sample
    opened = reviewed(desk, study, drafted)
    assert opened.ledger is not None
    with pytest.raises(TransitionError, match="resident cannot sign final"):
        desk.store.reports.sign(
            opened.report.id, opened.report.revision, desk.account, PASSWORD,
            meaning="final", act=ReportAct.SIGN_FINAL,
        )  # fmt: skip
    done = desk.sign(opened.report, opened.ledger, study, None, PASSWORD, final=True)
    assert done.report.state is ReportState.PRELIMINARY
    (home / "preliminary.pdf").write_bytes(done.pdf)
    verdict = verify_pdf(home / "preliminary.pdf", [desk.seal_key().certificate_pem])
    assert verdict.state == "PRELIMINARY"
    senior = desk_of(RADIOLOGIST)
    again = senior.open_study(study)
    assert again.ledger is not None
    final = senior.sign(again.report, again.ledger, study, None, PASSWORD)
    assert final.report.state is ReportState.FINAL
    assert [one.user for one in final.report.signatures] == [RESIDENT, RADIOLOGIST]


def test_the_store_of_a_resident_who_pretends_to_be_a_radiologist_asks_the_database(
    desk_of: OpenDesk, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    desk = desk_of(RESIDENT)
    opened = reviewed(desk, sample[0], drafted)
    import dataclasses

    forged = dataclasses.replace(desk.account, role=Role.RADIOLOGIST)
    with pytest.raises((TransitionError, StoreError)):
        desk.store.reports.sign(
            opened.report.id, opened.report.revision, forged, PASSWORD,
            meaning="final", act=ReportAct.SIGN_FINAL,
        )  # fmt: skip
    assert desk.store.reports.latest(opened.report.id, desk.account).signatures == ()


# --- a byte is changed


def trusted(desk: Desk) -> list[bytes]:
    key: SealKey = desk.seal_key()
    return [key.certificate_pem]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_byte_flipped_in_the_sealed_pdf_is_found(
    share: float, signed: tuple[Desk, OpenedReport, Path], tmp_path: Path
) -> None:
    desk, _, path = signed
    certificates = trusted(desk)
    assert verify_pdf(path, certificates).kind is PdfKind.INTACT
    copy = tmp_path / "copy.pdf"
    shutil.copy(path, copy)
    flip(copy, int(copy.stat().st_size * share))
    assert verify_pdf(copy, certificates).kind is PdfKind.ALTERED


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_byte_flipped_in_the_database_is_found(
    share: float, signed: tuple[Desk, OpenedReport, Path], home: Path
) -> None:
    desk, _, _ = signed
    desk.close()
    database = Home(home).database
    flip(database, int(database.stat().st_size * share))
    verified = sightline("audit", "verify", "--home", home)
    assert verified.code == 1
    assert "damaged" in verified.err
    assert "Traceback" not in verified.err
    with pytest.raises(DatabaseDamagedError):
        Desk.open(home)


def test_a_byte_flipped_in_the_side_file_of_the_audit_log_is_found(
    signed: tuple[Desk, OpenedReport, Path], home: Path
) -> None:
    desk, _, _ = signed
    desk.close()
    side = Home(home).side_file
    flip(side, side.stat().st_size // 2)
    verified = sightline("audit", "verify", "--home", home, "--json")
    assert verified.code == 1
    assert verified.json["intact"] is False
    assert verified.json["message"]


# --- no room on the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB, where the system lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_while_signing_leaves_an_unsigned_report_that_can_be_edited_and_signed(
    small_disk: Path, home: Path, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    study, pixels = sample
    where = small_disk / "home"
    shutil.copytree(home, where)
    filler = small_disk / "other files"
    with Desk.open(where) as desk:
        desk.sign_in(RADIOLOGIST, PASSWORD)
        opened = reviewed(desk, study, drafted)
        ledger = opened.ledger
        assert ledger is not None
        desk.seal_key()

        def fill(step: Step) -> None:
            if step is Step.DOCUMENT_MADE:
                with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as out:
                    while out.write(bytes(1 << 16)):
                        pass

        desk.store._transactions.on_step = fill
        with pytest.raises(DiskError, match="disk"):
            desk.sign(opened.report, ledger, study, pixels.stack, PASSWORD)
        latest = desk.store.reports.latest(opened.report.id, desk.account)
        assert (latest.state, latest.signatures) == (ReportState.IN_REVIEW, ())
        assert desk.sealed_file(latest) is None
        desk.store._transactions.on_step = pass_by
        filler.unlink()
        done = desk.sign(opened.report, ledger, study, pixels.stack, PASSWORD)
        assert done.report.state is ReportState.FINAL
        assert desk.store.verify().intact


def test_a_document_that_the_disk_has_no_room_for_after_the_signature_is_not_lost(
    desk_of: OpenDesk, home: Path, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    """The signature is committed: it must not look failed because a copy could not be written."""
    desk = desk_of(RADIOLOGIST)
    opened = reviewed(desk, sample[0], drafted)
    assert opened.ledger is not None
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    passed: list[Step] = []

    def no_more(step: Step) -> None:
        passed.append(step)
        if step is Step.WITNESSED and Step.DOCUMENT_WRITTEN in passed:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))

    desk.seal_key()
    desk.store._transactions.on_step = no_more
    try:
        done = desk.sign(opened.report, opened.ledger, sample[0], None, PASSWORD)
    finally:
        desk.store._transactions.on_step = pass_by
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.report.state is ReportState.FINAL
    assert done.path is None
    kept = desk.sealed_file(done.report)
    assert kept is not None
    assert kept.read_bytes() == done.pdf
    assert verify_pdf(kept, trusted(desk)).kind is PdfKind.INTACT


def unchanged(ledger: Ledger) -> Ledger:
    return Ledger.model_validate_json(ledger.model_dump_json())


def test_what_a_reader_opens_again_after_a_kill_is_what_was_saved(
    home: Path, waiting: str, sample: tuple[Study, OpenStack], drafted: DraftOutcome
) -> None:
    person = Person(home, RADIOLOGIST, waiting, Step.STATE_WRITTEN)
    person.go()
    person.outcome()
    with Desk.open(home) as desk:
        desk.sign_in(RADIOLOGIST, PASSWORD)
        opened = desk.open_study(sample[0])
        assert opened.ledger == unchanged(drafted.result.ledger)
        assert opened.trace == drafted.result.trace
        assert len(opened.masks) == len(drafted.masks)
        assert [one.text for one in opened.report.sentences] == [
            one.text for one in drafted.result.draft.sentences
        ]
