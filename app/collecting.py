"""Measuring for a draft: the series that carries the study and those read beside it, in one ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from inference.drafting.draft import ReportTool
from inference.drafting.triage import body_region, companions, regions_named
from inference.evidence.client import EvidenceClient
from inference.evidence.collect import Collected
from inference.evidence.masks import MaskStore
from reports.domain import Evidence, EvidenceKind, Ledger, TraceStatus
from viewer.imaging.reader import OpenStack, Reader
from viewer.imaging.study import Study
from viewer.imaging.worker.errors import WorkerCancelled, WorkerError
from viewer.imaging.worker.host import CancelToken

STATUS: Mapping[str, TraceStatus] = {
    "running": TraceStatus.RUNNING,
    "done": TraceStatus.DONE,
    "refused": TraceStatus.REFUSED,
    "failed": TraceStatus.FAILED,
}
"""How a tool's status stands in the trace."""


@dataclass
class Collector:
    """The evidence worker as the `Collect` step of a draft; keeps the masks it was given back.

    Parameters
    ----------
    opened
        The series that carries the study. Its companions (`triage.companions`) are opened here and
        closed as soon as they are measured; one that cannot be opened costs its own evidence only.
    """

    client: EvidenceClient
    reader: Reader
    study: Study
    opened: OpenStack
    question: str = ""
    masks: MaskStore = field(default_factory=MaskStore)

    def __call__(self, ledger: Ledger, report: ReportTool, cancel: CancelToken) -> Ledger:
        """Return the ledger with everything that was measured; one measured before is left alone."""
        if any(item.kind is EvidenceKind.TECHNIQUE for item in ledger.evidence):
            for item in ledger.evidence:
                report(item.label, TraceStatus.DONE, "measured before", 0.0, (item.id,))
            return ledger
        measured = self._measured(self.opened, ledger, report, cancel)
        self.masks = measured.masks
        told = ledger.model_copy(
            update={
                "body_region": measured.ledger.body_region,
                "patient_age": measured.ledger.patient_age,
            }
        )
        told = _joined(told, measured.ledger)
        for series in companions(self.study, self.opened.stack.series):
            try:
                with self.reader.open(series, cancel=cancel) as opened:
                    measured = self._measured(opened, told, report, cancel, of=series.modality)
            except WorkerCancelled:
                raise
            except WorkerError as error:
                title = f"{series.modality} series {series.series_number or ''}".strip()
                report(title, TraceStatus.FAILED, str(error), None, ())
                continue
            told = _joined(told, measured.ledger, modality=series.modality)
            self.masks.extend(measured.masks, series=series.key)
        return told

    def _measured(
        self,
        opened: OpenStack,
        ledger: Ledger,
        report: ReportTool,
        cancel: CancelToken,
        *,
        of: str = "",
    ) -> Collected:
        return self.client.collect(
            self.study,
            opened,
            body_region=body_region(self.study, opened.stack.series),
            asked_region=regions_named(self.question),
            on_event=partial(_tell, report, len(ledger.evidence), of),
            cancel=cancel,
        )


def _joined(ledger: Ledger, measured: Ledger, *, modality: str = "") -> Ledger:
    """Return a ledger with the entries of another behind its own."""
    before = len(ledger.evidence)
    return ledger.add(*(_behind(before, item, modality) for item in measured.evidence))


def _behind(before: int, item: Evidence, modality: str) -> Evidence:
    """Return an entry as it stands behind so many others, with the ids that it names."""
    update: dict[str, object] = {"id": _shifted(item.id, before), "modality": modality}
    if item.search is not None:
        named = tuple(_shifted(one, before) for one in item.search.candidates)
        update["search"] = item.search.model_copy(update={"candidates": named})
    return item.model_copy(update=update)


def _tell(report: ReportTool, before: int, of: str, event: Mapping[str, Any]) -> None:
    report(
        f"{of} {event['title']}".strip(),
        STATUS[event["status"]],
        str(event["message"]),
        float(event["seconds"]),
        tuple(_shifted(evidence_id, before) for evidence_id in event["evidence"]),
    )


def _shifted(evidence_id: str, before: int) -> str:
    """Return the id an entry gets behind so many earlier ones: findings accepted before a draft."""
    return f"E{int(evidence_id[1:]) + before}"
