"""Rows of report revisions: how one is read, written, and made the latest of its report."""

from __future__ import annotations

import sqlalchemy as sa

from reports.audit.canonical import canonical, report_json, sha256_hex
from reports.audit.event import ParticipantObject, patient, record
from reports.audit.event import study as study_object
from reports.domain import Ledger, Report
from reports.store.errors import (
    RecordDamagedError,
    ReportMismatchError,
    StaleRevisionError,
    UnknownRecordError,
)
from reports.store.schema import LEDGERS, REPORTS, REVISIONS
from reports.store.transaction import Transaction


def latest_revision(connection: sa.Connection, report_id: str) -> Report:
    """Return the newest revision of a report.

    Raises
    ------
    UnknownRecordError
        There is no such report.
    RecordDamagedError
        The stored revision is not the one that was hashed.
    """
    query = sa.select(REVISIONS).join(
        REPORTS,
        sa.and_(
            REPORTS.c.id == REVISIONS.c.report_id,
            REPORTS.c.latest_revision == REVISIONS.c.revision,
        ),
    )
    row = connection.execute(query.where(REPORTS.c.id == report_id)).one_or_none()
    if row is None:
        raise UnknownRecordError("There is no such report in this store.")
    return report_in(row)


def insert_revision(act: Transaction, report: Report, ledger: Ledger | None) -> dict[str, str]:
    """Write a revision, with its ledger if one is given, and return their hashes for the audit entry.

    Raises
    ------
    ReportMismatchError
        The ledger belongs to another study.
    """
    content = report_json(report)
    hashes = {"revision": str(report.revision), "revision_sha256": sha256_hex(content)}
    ledger_sha256 = None
    if ledger is not None:
        if ledger.study_instance_uid != report.study.study_instance_uid:
            raise ReportMismatchError("This ledger was measured on another study.")
        ledger_content = canonical(ledger.model_dump(mode="json", by_alias=True))
        ledger_sha256 = hashes["ledger_sha256"] = sha256_hex(ledger_content)
        known = sa.select(LEDGERS.c.sha256).where(LEDGERS.c.sha256 == ledger_sha256)
        if act.connection.scalar(known) is None:
            act.connection.execute(
                LEDGERS.insert().values(sha256=ledger_sha256, content=ledger_content)
            )
    act.connection.execute(
        REVISIONS.insert().values(
            report_id=report.id,
            revision=report.revision,
            content=content,
            sha256=hashes["revision_sha256"],
            ledger_sha256=ledger_sha256,
        )
    )
    return hashes


def move_to(act: Transaction, before: Report, after: Report) -> None:
    """Point the report to its new revision.

    Raises
    ------
    StaleRevisionError
        Someone else did meanwhile.
    """
    moved = act.connection.execute(
        REPORTS.update()
        .where(
            REPORTS.c.id == before.id,
            REPORTS.c.latest_revision == before.revision,
            REPORTS.c.state == str(before.state),
        )
        .values(latest_revision=after.revision, state=str(after.state))
    )
    if moved.rowcount != 1:
        raise StaleRevisionError("This report was changed meanwhile: read it again.")


def report_in(row: sa.Row[tuple[object, ...]]) -> Report:
    """Return the report in a row of revisions.

    Raises
    ------
    RecordDamagedError
        It is not the one that was hashed.
    """
    if sha256_hex(row.content) != row.sha256:
        raise RecordDamagedError(
            f"Revision {row.revision} of this report was changed outside Sightline."
        )
    return Report.model_validate_json(row.content)


def participant_objects(report: Report) -> tuple[ParticipantObject, ...]:
    """Return patient, study and report as an audit entry names them."""
    return (
        patient(report.study.patient_id),
        study_object(report.study.study_instance_uid),
        record("report", report.id),
    )
