"""The machine-readable twin of a PDF: report, ledger and trace as canonical JSON (RFC 8785).

It is attached to the PDF as `report.json`. Two SHA-256 tie it to the paper: that of the report alone
is printed (and stands in the QR code), that of the whole record stands in the XMP metadata.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from reports.audit.canonical import (
    NotCanonicalError,
    canonical,
    content_sha256,
    report_json,
    sha256_hex,
)
from reports.domain import Candidate, Ledger, Report, ReportState, Signature, Trace
from reports.domain.evidence import Frozen

RECORD_SCHEMA = "sightline.record/1"

SIGNED_STATES = frozenset({ReportState.PRELIMINARY, ReportState.FINAL, ReportState.ADDENDUM})
"""States that only a signature gives."""


class ExportError(Exception):
    """A document that cannot be made; the message says what is wrong and what to do."""


class TraceLine(Frozen):
    """One event of the drafting run without the detail that replays it."""

    sequence: int
    step: str
    subject: str
    status: str
    message: str = ""
    evidence_ids: tuple[str, ...] = ()


class TraceSummary(Frozen):
    """What ran, in order, and the SHA-256 of the whole trace, which stays in the store."""

    program: str
    seed: int
    sha256: str
    events: tuple[TraceLine, ...] = ()

    @classmethod
    def of(cls, trace: Trace) -> TraceSummary:
        """Summarise a trace; times are left out, they differ between runs of the same draft."""
        return cls(
            program=trace.program,
            seed=trace.seed,
            sha256=sha256_hex(canonical(trace.model_dump(mode="json", by_alias=True))),
            events=tuple(
                TraceLine(
                    sequence=event.sequence,
                    step=event.step.value,
                    subject=event.subject,
                    status=event.status.value,
                    message=event.message,
                    evidence_ids=event.evidence_ids,
                )
                for event in trace.events
            ),
        )


class Record(Frozen):
    """What `report.json` inside a PDF holds.

    Parameters
    ----------
    printed_at
        UTC, ISO 8601 with Z, from this machine's clock.
    checkpoint
        C2SP signed note over the audit log at the signature; empty when unsigned.
    log_index
        Place of the signature's event in the audit log, counted from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: str = Field(default=RECORD_SCHEMA, alias="schema")
    report: Report
    ledger: Ledger
    candidates: tuple[Candidate, ...] = ()
    trace: TraceSummary | None = None
    program: str
    installation: str
    printed_at: str
    checkpoint: str = ""
    log_index: int | None = None


def record_json(record: Record) -> bytes:
    """Return `report.json`: the canonical JSON of a record.

    Raises
    ------
    ExportError
        The record holds a number that JSON cannot carry (NaN, infinity, beyond 2**53).
    """
    try:
        return canonical(record.model_dump(mode="json", by_alias=True))
    except NotCanonicalError as error:
        raise ExportError(
            "The report or its evidence holds a number that cannot be written as JSON. "
            "Correct the measurement it came from and export again."
        ) from error


def report_sha256(report: Report) -> str:
    """Return the SHA-256 of the canonical JSON of a revision: the hash that is printed."""
    return sha256_hex(report_json(report))


def parse_record(data: bytes) -> Record:
    """Read `report.json` back.

    Raises
    ------
    ExportError
        It is not the canonical JSON of a record that this version knows.
    """
    try:
        loaded: Any = json.loads(data)
        record = Record.model_validate(loaded)
    except (ValueError, RecursionError, ValidationError) as error:
        raise ExportError(
            "The attached report.json is not a record that this version of Sightline can read. "
            "Open the PDF with the version that wrote it."
        ) from error
    if record_json(record) != data:
        raise ExportError("The attached report.json is not in its canonical form: it was rewritten.")
    return record


def binding_signatures(report: Report) -> tuple[Signature, ...]:
    """Return the signatures that hold for this very text; those of earlier texts are left out."""
    content = content_sha256(report)
    return tuple(s for s in report.signatures if s.content_sha256 == content)


def is_signed(report: Report) -> bool:
    """Return True when a signature gave the report its state and is bound to this very text."""
    return report.state in SIGNED_STATES and any(
        signature.state is report.state for signature in binding_signatures(report)
    )


SHORT_CODE_HEX = 32
"""Hex digits of the printed code: 128 bits of the report's SHA-256."""


def short_code(sha256: str) -> str:
    """Return the printed code: the first 128 bits in groups of four digits."""
    head = sha256[:SHORT_CODE_HEX]
    return " ".join(head[at : at + 4] for at in range(0, len(head), 4))
