"""What readers did with a model's proposals, from the signed reports of the store. No Qt.

A proposal with a score counts once, by the newest signed revision: a candidate that was turned down,
or a finding by its sentence, which was accepted as it stood, edited, or rejected. What nobody decided
on is no record. Curves are of one model: another file, another curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.validation.calibration import Calibration, Outcome, ReviewRecord, fit
from reports.domain import Evidence, EvidenceKind, Ledger, Origin, Report, SourceKind

if TYPE_CHECKING:
    from app.desk import Desk


@dataclass(frozen=True)
class Author:
    """The model that a score comes from."""

    name: str
    sha256: str

    @classmethod
    def of(cls, evidence: Evidence) -> Author | None:
        """Return the model that proposed an evidence with a score, or none."""
        source = evidence.source
        if source.kind is not SourceKind.MODEL or evidence.confidence is None:
            return None
        return cls(source.name, source.sha256)


Records = Mapping[Author, tuple[ReviewRecord, ...]]
"""In the order of the store's reports."""


class ReviewRecords:
    """The records of a store, each signed revision read once; no text is kept."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[int, tuple[tuple[Author, ReviewRecord], ...]]] = {}

    def collect(self, desk: Desk, at_most: int | None = None) -> Records:
        """Return the records of what was read, after reading what is new.

        Parameters
        ----------
        at_most
            Reports read in this call: what else waits for the store is not held up.
        """
        newest = desk.store.reports.newest(desk.account)
        self._read = {key: found for key, found in self._read.items() if key in newest}
        changed = [
            report_id
            for report_id, (_uid, revision) in newest.items()
            if self._read.get(report_id, (0, ()))[0] != revision
        ]
        for report_id in changed[:at_most]:
            report = desk.store.reports.latest(report_id, desk.account)
            ledger = desk.store.reports.ledger(report_id, desk.account) if report.signatures else None
            found = () if ledger is None else tuple(records_of(report, ledger))
            self._read[report_id] = (report.revision, found)
        records: dict[Author, tuple[ReviewRecord, ...]] = {}
        for report_id in newest:
            for author, record in self._read.get(report_id, (0, ()))[1]:
                records[author] = (*records.get(author, ()), record)
        return records


def records_of(report: Report, ledger: Ledger) -> Iterable[tuple[Author, ReviewRecord]]:
    """Yield what became of each scored proposal of a report, in the order of its ledger."""
    accepted = {
        item.regions: item for item in ledger.evidence if item.kind is EvidenceKind.FINDING
    }  # by place: the finding is the person's, and has the regions of the proposal
    for evidence in ledger.evidence:
        author = Author.of(evidence)
        if author is None or evidence.confidence is None:
            continue
        finding = accepted.get(evidence.regions)
        if evidence.id in report.rejected_candidates:
            outcome = Outcome.REJECTED
        elif finding is not None:
            outcome = _outcome(report, finding)
        else:
            continue
        yield author, ReviewRecord(evidence.confidence, outcome, evidence.descriptor)


def _outcome(report: Report, finding: Evidence) -> Outcome:
    citing = [
        item
        for item in report.sentences
        if any(citation.evidence_id == finding.id for citation in item.citations)
    ]
    stays = [item for item in citing if item.is_in_body]
    if any(item.origin is not Origin.PERSON for item in stays):
        return Outcome.ACCEPTED
    return Outcome.EDITED if stays else Outcome.REJECTED


def curves(records: Records) -> dict[Author, Calibration]:
    """Return the curve of each model that has records enough."""
    fitted = ((author, fit(own)) for author, own in records.items())
    return {author: curve for author, curve in fitted if curve is not None}
