"""Reports move as the life-cycle table says; a final report can't be edited by any path."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from store_reading import PASSWORD, STUDY_UID, Reading, everything, study_block, with_sentence

from reports.audit.canonical import content_sha256
from reports.audit.checkpoint import CheckpointNote
from reports.audit.event import AuditAct
from reports.domain import (
    LOCKED,
    Draft,
    Ledger,
    Origin,
    Report,
    ReportAct,
    ReportState,
    Section,
    Sentence,
    Trace,
    TransitionError,
)
from reports.store.errors import (
    LockedRecordError,
    NotPermittedError,
    ReportMismatchError,
    StaleRevisionError,
    UnknownRecordError,
    WrongPasswordError,
)
from reports.store.schema import TRIGGERS

MEANING = "I have read the images and approve this report."


def signed(reading: Reading, report: Report, act: ReportAct = ReportAct.SIGN_FINAL) -> Report:
    return reading.store.reports.sign(
        report.id, report.revision, reading.radiologist, PASSWORD, meaning=MEANING, act=act,
        seal=lambda final, note: b"%PDF " + final.id.encode() + note.note.encode(),
    )  # fmt: skip


def draft() -> Draft:
    sentence = Sentence(id="d1", section=Section.FINDINGS, text="Proposal.", origin=Origin.MODEL)
    return Draft(study_instance_uid=STUDY_UID, seed=7, sentences=(sentence,))


def test_draft_becomes_a_report_and_a_final_report_with_its_document(reading: Reading) -> None:
    reports, rosa = reading.store.reports, reading.radiologist
    started = reports.start(study_block(), rosa, draft=draft())
    assert (started.state, started.revision, started.seed) == (ReportState.DRAFT, 1, 7)
    saved = reports.save_revision(with_sentence(started, "Mine."), rosa)
    assert (saved.state, saved.revision, saved.author) == (ReportState.IN_REVIEW, 2, "rosa")
    final = signed(reading, saved)
    assert (final.state, final.revision) == (ReportState.FINAL, 3)
    signature = final.signatures[0]
    assert (signature.printed_name, signature.meaning) == ("Dr. Rosa Lind", MEANING)
    assert signature.content_sha256 == content_sha256(saved) == content_sha256(final)
    assert signature.signed_at == "2026-03-01T08:00:00.000Z"
    assert reports.latest(final.id, rosa) == final
    assert reports.for_study(STUDY_UID, rosa) == (final,)
    assert reports.revisions(final.id, rosa) == (started, saved, final)
    document = reports.document(final.id, rosa)
    assert document is not None
    assert document.pdf.startswith(b"%PDF " + final.id.encode())
    assert reading.store.verify().intact


def test_checkpoint_in_the_document_covers_the_signature(reading: Reading) -> None:
    seen: list[CheckpointNote] = []

    def seal(final: Report, note: CheckpointNote) -> bytes:
        assert final.state is ReportState.FINAL
        seen.append(note)
        return b"%PDF"

    report = reading.in_review()
    reading.store.reports.sign(
        report.id, 2, reading.radiologist, PASSWORD, meaning=MEANING,
        act=ReportAct.SIGN_FINAL, seal=seal,
    )  # fmt: skip
    events = reading.store.events()
    entry = next(event for event in events if event.act is AuditAct.REPORT_SIGNED)
    assert entry.sequence == seen[0].size
    assert entry.detail["meaning"] == MEANING
    assert reading.store.log_key.open(seen[0].note) == seen[0]
    assert reading.store.verify(notes=[seen[0].note]).intact
    assert [event.act for event in events[-3:-1]] == [
        AuditAct.REPORT_SIGNED,
        AuditAct.DOCUMENT_SEALED,
    ]
    side = (reading.home / "checkpoints.jsonl").read_text().splitlines()
    sizes = [reading.store.log_key.open(json.loads(line)["note"]).size for line in side]
    assert sizes[-2:] == [entry.sequence, events[-2].sequence], "the second covers the document"


def test_resident_signs_preliminary_and_the_radiologist_final_over_the_same_text(
    reading: Reading,
) -> None:
    reports = reading.store.reports
    report = reading.in_review()
    with pytest.raises(TransitionError, match="resident cannot sign final"):
        reports.sign(
            report.id, 2, reading.resident, PASSWORD, meaning=MEANING, act=ReportAct.SIGN_FINAL
        )
    preliminary = reports.sign(
        report.id, 2, reading.resident, PASSWORD, meaning=MEANING, act=ReportAct.SIGN_PRELIMINARY
    )
    final = signed(reading, preliminary)
    assert [item.state for item in final.signatures] == [ReportState.PRELIMINARY, ReportState.FINAL]
    assert len({item.content_sha256 for item in final.signatures}) == 1


def test_change_after_a_preliminary_signature_drops_it_from_the_new_revision(
    reading: Reading,
) -> None:
    reports = reading.store.reports
    report = reading.in_review()
    preliminary = reports.sign(
        report.id, 2, reading.resident, PASSWORD, meaning=MEANING, act=ReportAct.SIGN_PRELIMINARY
    )
    changed = reports.save_revision(
        with_sentence(preliminary, "More."), reading.radiologist, reason="missed finding"
    )
    assert (changed.state, changed.signatures) == (ReportState.IN_REVIEW, ())
    assert reports.revisions(report.id, reading.radiologist)[2].signatures == preliminary.signatures
    assert reading.store.events()[-2].detail["reason"] == "missed finding"


def test_signing_needs_the_password_again(reading: Reading) -> None:
    report = reading.in_review()
    with pytest.raises(WrongPasswordError):
        reading.store.reports.sign(
            report.id, 2, reading.radiologist, "wrong password", meaning=MEANING,
            act=ReportAct.SIGN_FINAL,
        )  # fmt: skip
    assert reading.store.reports.latest(report.id, reading.radiologist) == report
    failed = reading.store.events()[-2]
    assert (failed.act, failed.detail["purpose"]) == (AuditAct.LOGIN_FAILED, "sign final")


def test_administrator_signs_nothing(reading: Reading) -> None:
    report = reading.in_review()
    with pytest.raises(TransitionError):
        reading.store.reports.sign(
            report.id, 2, reading.administrator, PASSWORD, meaning=MEANING,
            act=ReportAct.SIGN_FINAL,
        )  # fmt: skip


def test_signature_without_meaning_is_refused(reading: Reading) -> None:
    report = reading.in_review()
    with pytest.raises(TransitionError, match="meaning"):
        reading.store.reports.sign(
            report.id, 2, reading.radiologist, PASSWORD, meaning=" ", act=ReportAct.SIGN_FINAL
        )


def test_document_that_cannot_be_made_leaves_the_report_unsigned(reading: Reading) -> None:
    report = reading.in_review()
    before = len(reading.store.events())

    def broken(final: Report, note: CheckpointNote) -> bytes:
        raise OSError("no font")

    with pytest.raises(OSError, match="no font"):
        reading.store.reports.sign(
            report.id, 2, reading.radiologist, PASSWORD, meaning=MEANING,
            act=ReportAct.SIGN_FINAL, seal=broken,
        )  # fmt: skip
    assert reading.store.reports.latest(report.id, reading.radiologist) == report
    assert len(reading.store.events()) == before + 1
    assert signed(reading, report).state is ReportState.FINAL
    assert reading.store.verify().intact


def test_older_revision_is_neither_saved_over_nor_signed(reading: Reading) -> None:
    reports, rosa = reading.store.reports, reading.radiologist
    report = reading.in_review()
    newer = reports.save_revision(with_sentence(report, "Newer."), reading.resident)
    with pytest.raises(StaleRevisionError, match="revision 3 is the latest"):
        reports.save_revision(with_sentence(report, "Older."), rosa)
    with pytest.raises(StaleRevisionError):
        signed(reading, report)
    assert reports.latest(report.id, rosa) == newer


def test_life_cycle_is_the_store_s_and_not_the_caller_s(reading: Reading) -> None:
    report = reading.store.reports.start(study_block(), reading.radiologist)
    forged = report.model_copy(update={"revision": 2, "state": ReportState.FINAL, "author": "someone"})
    saved = reading.store.reports.save_revision(forged, reading.radiologist)
    assert (saved.state, saved.author) == (ReportState.IN_REVIEW, "rosa")
    with pytest.raises(TransitionError, match="cannot be saved"):
        reading.store.reports.save_revision(
            with_sentence(saved, "x"), reading.radiologist, ReportAct.SIGN_FINAL
        )


def test_revision_of_another_study_is_refused(reading: Reading) -> None:
    report = reading.in_review()
    other = report.study.model_copy(update={"study_instance_uid": "1.2.3"})
    with pytest.raises(ReportMismatchError):
        reading.store.reports.save_revision(
            report.model_copy(update={"revision": 3, "study": other}), reading.radiologist
        )
    with pytest.raises(ReportMismatchError):
        reading.store.reports.start(other, reading.radiologist, draft=draft())
    with pytest.raises(UnknownRecordError):
        reading.store.reports.latest("no such report", reading.radiologist)


def test_addendum_is_a_new_signed_part_and_the_final_report_stays(reading: Reading) -> None:
    reports, rosa = reading.store.reports, reading.radiologist
    report = reading.in_review()
    with pytest.raises(TransitionError):
        reports.start_addendum(report.id, rosa, reason="late image")
    final = signed(reading, report)
    with pytest.raises(TransitionError):
        reports.start_addendum(final.id, reading.resident, reason="late image")
    part = reports.start_addendum(final.id, rosa, reason="late image")
    part = reports.save_revision(with_sentence(part, "Late image read."), rosa)
    with pytest.raises(TransitionError, match="as an addendum"):
        signed(reading, part)
    addendum = signed(reading, part, ReportAct.SIGN_ADDENDUM)
    assert (addendum.state, addendum.addendum_to) == (ReportState.ADDENDUM, final.id)
    assert reports.for_study(STUDY_UID, rosa) == (final, addendum)
    with pytest.raises(TransitionError):
        reports.save_revision(with_sentence(addendum, "x"), rosa)
    assert reading.store.verify().intact


def test_final_report_cannot_be_edited_through_the_store(reading: Reading) -> None:
    final = signed(reading, reading.in_review())
    for act in ReportAct:
        with pytest.raises(TransitionError):
            reading.store.reports.save_revision(
                with_sentence(final, "Afterwards."), reading.radiologist, act
            )
    for act in (ReportAct.SIGN_FINAL, ReportAct.SIGN_PRELIMINARY, ReportAct.SIGN_ADDENDUM):
        with pytest.raises(TransitionError):
            signed(reading, final, act)
    assert reading.store.reports.latest(final.id, reading.radiologist) == final


PAST_THE_PROGRAM = [
    "UPDATE report_revisions SET content = x'00'",
    "DELETE FROM report_revisions",
    "INSERT OR REPLACE INTO report_revisions SELECT * FROM report_revisions WHERE revision = 3",
    "INSERT INTO report_revisions SELECT report_id, 4, content, sha256, NULL FROM report_revisions",
    "UPDATE reports SET state = 'in review'",
    "UPDATE reports SET latest_revision = 2",
    "DELETE FROM reports",
    "INSERT OR REPLACE INTO reports SELECT id, study_instance_uid, 'draft', 1, '', '' FROM reports",
    "UPDATE signatures SET account = 'remy'",
    "DELETE FROM signatures",
    "INSERT OR REPLACE INTO signatures SELECT * FROM signatures",
    "UPDATE documents SET pdf = x'00'",
    "DELETE FROM documents",
    "INSERT OR REPLACE INTO documents SELECT * FROM documents",
    "UPDATE audit_events SET event = x'00'",
    "DELETE FROM audit_events WHERE sequence = (SELECT max(sequence) FROM audit_events)",
    "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events",
    "INSERT INTO audit_events SELECT 1000, event, leaf FROM audit_events LIMIT 1",
    "UPDATE checkpoints SET note = 'x'",
    "DELETE FROM checkpoints",
    "INSERT OR REPLACE INTO checkpoints SELECT * FROM checkpoints",
    "UPDATE ledgers SET content = x'00'",
    "DELETE FROM ledgers",
    "DELETE FROM accounts",
]


def test_nothing_signed_or_audited_changes_past_the_program_either(reading: Reading) -> None:
    ledger = Ledger(study_instance_uid=STUDY_UID)
    report = reading.store.reports.start(study_block(), reading.radiologist, ledger=ledger)
    report = reading.store.reports.save_revision(with_sentence(report, "x"), reading.radiologist)
    signed(reading, report)
    connection = reading.raw()
    before = everything(connection)
    for statement in PAST_THE_PROGRAM:
        with pytest.raises(sqlcipher.DatabaseError, match=r"never|only ever|without gaps"):
            connection.execute(statement)
    assert everything(connection) == before
    connection.close()


def test_a_statement_that_a_trigger_stops_is_a_typed_error(reading: Reading) -> None:
    signed(reading, reading.in_review())
    with (
        pytest.raises(LockedRecordError, match="start an addendum"),
        reading.store._transactions.writing() as act,
    ):
        act.connection.execute(sa.text("UPDATE reports SET state = 'in review'"))


def test_triggers_know_the_locked_states_of_the_life_cycle() -> None:
    words = {f"'{state}'" for state in LOCKED}
    text = next(trigger for trigger in TRIGGERS if trigger.name == "keep_reports_update").when
    assert set(text.removeprefix("OLD.state IN (").removesuffix(")").split(", ")) == words


def test_drafts_ledgers_and_studies_come_back_as_they_were_saved(reading: Reading) -> None:
    store, rosa = reading.store, reading.radiologist
    ledger = Ledger(study_instance_uid=STUDY_UID, modality="CT")
    trace = Trace(program="sightline test", seed=7)
    store.drafts.save(draft(), ledger, trace, b"first", rosa)
    identity = store.drafts.save(draft(), ledger, trace, b"\x00masks", rosa)
    newest = store.drafts.latest(STUDY_UID, rosa)
    assert newest is not None
    assert (newest.id, newest.draft, newest.ledger) == (identity, draft(), ledger)
    assert (newest.trace, newest.masks) == (trace, b"\x00masks")
    assert store.drafts.latest("1.2.3", rosa) is None
    report = store.reports.start(study_block(), rosa, draft=newest.draft, ledger=ledger)
    store.reports.save_revision(with_sentence(report, "x"), rosa)
    assert store.reports.ledger(report.id, rosa) == ledger
    store.studies.save({STUDY_UID: '{"a": 1}', "1.2.3": "{}"}, rosa)
    store.studies.save({STUDY_UID: '{"a": 2}'}, rosa)
    store.studies.opened(STUDY_UID, rosa)
    store.studies.remove("1.2.3", rosa)
    assert store.studies.all(rosa) == {STUDY_UID: '{"a": 2}'}
    with pytest.raises(UnknownRecordError):
        store.studies.remove("1.2.3", rosa)
    assert store.verify().intact


def test_ledger_of_another_study_is_refused(reading: Reading) -> None:
    with pytest.raises(ReportMismatchError):
        reading.store.reports.start(
            study_block(), reading.radiologist, ledger=Ledger(study_instance_uid="1.2.3")
        )
    assert reading.store.reports.for_study(STUDY_UID, reading.radiologist) == ()


def test_account_disabled_meanwhile_signs_nothing(reading: Reading) -> None:
    report = reading.in_review()

    def leaves(step: object) -> None:
        if str(step) == "authenticated":
            reading.store._transactions.on_step = lambda _: None
            reading.store.accounts.disable("rosa", by=reading.administrator)

    reading.store._transactions.on_step = leaves
    with pytest.raises(NotPermittedError, match="disabled or changed"):
        signed(reading, report)


def test_seal_key_is_set_once(reading: Reading) -> None:
    assert reading.store.seal_key() is None
    assert reading.store.set_seal_key(b"first") == b"first"
    assert reading.store.set_seal_key(b"second") == b"first"
    assert reading.reopened().seal_key() == b"first"
