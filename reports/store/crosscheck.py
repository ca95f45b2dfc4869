"""Holds the stored records against the audit log: whatever the log says was written is still that.

The Merkle log protects its own entries; each entry carries hashes of the records it committed, and
so a record that was changed, added or removed outside the program is found through its entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from reports.audit.canonical import canonical, content_sha256, sha256_hex
from reports.audit.event import AuditEvent
from reports.audit.verify import AuditFault, AuditVerdict
from reports.domain import Report
from reports.store.records import subject_name
from reports.store.schema import (
    AUDIT_EVENTS,
    DOCUMENTS,
    DRAFTS,
    LEDGERS,
    PREFERENCES,
    REPORTS,
    REVISIONS,
    SIGNATURES,
    STUDY_RECORDS,
)


@dataclass(frozen=True)
class Record:
    """A hashed record, in the words that name it to the reader, with the hash that it has or had."""

    name: str
    sha256: str


def _of_event(event: AuditEvent) -> Iterator[Record]:
    """Yield what an entry says was written."""
    ids = {item.id_type.value: item.object_id for item in event.objects}
    detail, report = event.detail, ids.get("report", "")
    revision = f"{detail.get('revision', '')} of report {report}"
    if "revision_sha256" in detail:
        yield Record(f"Revision {revision}", detail["revision_sha256"])
        yield Record(
            f"The state of report {report}",
            sha256_hex(f"{detail['state']} {detail['revision']}".encode()),
        )
    if "content_sha256" in detail:
        yield Record(f"The signature in revision {revision}", detail["content_sha256"])
    if "document_sha256" in detail:
        yield Record(f"The document for revision {revision}", detail["document_sha256"])
    if "record_sha256" in detail:
        name = f"Revision {detail['revision']} of the {detail['kind']} of {detail['subject']}"
        yield Record(name, detail["record_sha256"])
    if "preference_sha256" in detail:
        name = f"The {detail['kind']} preference of account {detail['account']}"
        yield Record(name, detail["preference_sha256"])
    if "draft" in ids:
        for part in ("draft", "trace", "masks", "ledger"):
            yield Record(f"The {part} in draft {ids['draft']}", detail[f"{part}_sha256"])
    elif "ledger_sha256" in detail:
        yield Record(f"Ledger {detail['ledger_sha256']}", detail["ledger_sha256"])


def _stored(connection: sa.Connection) -> Iterator[Record]:
    """Yield what the tables hold, hashed now and not as the tables say."""
    for row in connection.execute(sa.select(REVISIONS)):
        yield Record(f"Revision {row.revision} of report {row.report_id}", sha256_hex(row.content))
    for row in connection.execute(sa.select(REPORTS)):
        state = sha256_hex(f"{row.state} {row.latest_revision}".encode())
        yield Record(f"The state of report {row.id}", state)
    signed = sa.select(SIGNATURES, REVISIONS.c.content.label("revision_content")).join(REVISIONS)
    for row in connection.execute(signed):
        yield Record(
            f"The signature in revision {row.revision} of report {row.report_id}",
            _signed_sha256(row.content, row.revision_content),
        )
    for row in connection.execute(sa.select(DOCUMENTS)):
        name = f"The document for revision {row.revision} of report {row.report_id}"
        yield Record(name, sha256_hex(row.pdf))
    for row in connection.execute(sa.select(DRAFTS)):
        for part in ("draft", "trace", "masks", "ledger"):
            yield Record(f"The {part} in draft {row.id}", sha256_hex(getattr(row, part)))
    for row in connection.execute(sa.select(STUDY_RECORDS)):
        subject = subject_name(row.kind, row.subject)
        name = f"Revision {row.revision} of the {row.kind} of {subject}"
        yield Record(name, sha256_hex(row.content))
    for row in connection.execute(sa.select(PREFERENCES)):
        name = f"The {row.kind} preference of account {row.account}"
        yield Record(name, sha256_hex(row.content))
    for row in connection.execute(sa.select(LEDGERS)):
        yield Record(f"Ledger {row.sha256}", sha256_hex(row.content))


def _signed_sha256(signature: bytes, revision: bytes) -> str:
    """Return the content hash if the signature is the one its revision carries, else nothing."""
    report = Report.model_validate_json(revision)
    carried = [canonical(item.model_dump(mode="json")) for item in report.signatures[-1:]]
    return content_sha256(report) if carried == [signature] else ""


def check_records(connection: sa.Connection, verdict: AuditVerdict) -> AuditVerdict:
    """Return the verdict of an intact log, or the first entry whose record does not hold."""
    said: dict[str, tuple[int, str]] = {}
    events = connection.scalars(sa.select(AUDIT_EVENTS.c.event).order_by(AUDIT_EVENTS.c.sequence)).all()
    for data in events:
        event = AuditEvent.model_validate_json(data)
        said |= {item.name: (event.sequence, item.sha256) for item in _of_event(event)}
    faults: list[tuple[int | None, str]] = []
    stored = {item.name: item.sha256 for item in _stored(connection)}
    for name, (sequence, sha256) in said.items():
        if name not in stored:
            faults.append((sequence, f"{name}, written by entry {sequence}, is gone."))
        elif stored[name] != sha256:
            faults.append((sequence, f"{name} is not the one that entry {sequence} wrote."))
    faults.extend((None, f"{name} was written by no entry.") for name in stored.keys() - said.keys())
    if not faults:
        return verdict
    first, message = min(faults, key=lambda fault: (fault[0] is None, fault))
    return replace(verdict, fault=AuditFault.RECORD_MISMATCH, first_bad=first, message=message)
