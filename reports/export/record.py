"""The machine-readable twin of a PDF: report, ledger and trace as canonical JSON (RFC 8785).

It is attached to the PDF as `report.json`. Two SHA-256 tie it to the paper: that of the report alone
is printed (and stands in the QR code), that of the whole record stands in the XMP metadata.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import rfc8785
from pydantic import ConfigDict, Field, ValidationError

from reports.domain import Candidate, Ledger, Report, ReportState, Trace
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
            sha256=sha256_of(trace),
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


def canonical(value: Frozen) -> bytes:
    """Return a domain value as RFC 8785 JSON.

    Raises
    ------
    ExportError
        The value holds a number that JSON cannot carry (NaN, infinity, beyond 2**53).
    """
    try:
        return rfc8785.dumps(value.model_dump(mode="json", by_alias=True))
    except rfc8785.CanonicalizationError as error:
        raise ExportError(
            f"The {type(value).__name__.lower()} holds a value that cannot be written as JSON "
            f"({error}). Correct the measurement it came from and export again."
        ) from error


def sha256_of(value: Frozen) -> str:
    """Return the SHA-256 of the canonical JSON of a domain value, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


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
    if canonical(record) != data:
        raise ExportError("The attached report.json is not in its canonical form: it was rewritten.")
    return record


def is_signed(report: Report) -> bool:
    """Return True when the report's state is one a signature gave, and that signature is there."""
    return report.state in SIGNED_STATES and any(
        signature.state is report.state for signature in report.signatures
    )


SHORT_CODE_HEX = 32
"""Hex digits of the printed code: 128 bits of the report's SHA-256."""


def short_code(report_sha256: str) -> str:
    """Return the printed code: the first 128 bits in groups of four digits."""
    head = report_sha256[:SHORT_CODE_HEX]
    return " ".join(head[at : at + 4] for at in range(0, len(head), 4))
