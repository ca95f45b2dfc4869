"""What goes into one PDF, as values; importing this loads no PDF library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.domain import Candidate, Ledger, Report, Trace
from reports.export.key_image import KeyImage
from reports.export.record import Record, TraceSummary, is_signed


@dataclass(frozen=True)
class ImageReference:
    """How an image is called on paper: series and instance number of its header."""

    series_number: int | None
    instance_number: int | None


@dataclass(frozen=True, eq=False)
class PdfDocument:
    """All that goes into one PDF.

    Parameters
    ----------
    installation
        Name of this installation as printed at the top right: "Example Hospital, Radiology".
    program
        Program with version: "Sightline 0.1.0".
    printed_at
        UTC, ISO 8601 with Z, from this machine's clock.
    key_images
        Figures of the appendix, in order.
    images
        SOP Instance UID -> series and instance number, for the table of citations.
    candidates
        Proposals nobody accepted; printed and recorded in a draft only.
    checkpoint, log_index
        Signed note over the audit log and the place of the signature's event in it.
    """

    report: Report
    ledger: Ledger
    installation: str
    program: str
    printed_at: str
    key_images: tuple[KeyImage, ...] = ()
    images: Mapping[str, ImageReference] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()
    trace: Trace | None = None
    checkpoint: str = ""
    log_index: int | None = None

    def record(self) -> Record:
        """Return what `report.json` holds."""
        return Record(
            report=self.report,
            ledger=self.ledger,
            candidates=() if is_signed(self.report) else self.candidates,
            trace=TraceSummary.of(self.trace) if self.trace else None,
            program=self.program,
            installation=self.installation,
            printed_at=self.printed_at,
            checkpoint=self.checkpoint,
            log_index=self.log_index,
        )
