"""What a whole report says against itself and leaves out, as its sentences stand now. No Qt.

These checks hang on every other sentence, so they are made anew each time and never stored in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.domain import Check, Evidence, Ledger, Review, Sentence, Side, Verdict

CRITICAL = 1
"""Urgency of the findings table that may need action today."""


@dataclass(frozen=True)
class Omission:
    """An accepted finding that no sentence of the report mentions."""

    evidence_id: str
    words: str
    is_critical: bool
    check: Check


def judged(sentences: Sequence[Sentence], ledger: Ledger) -> tuple[Sentence, ...]:
    """Return the sentences with what the others say against them beside their own checks.

    A sentence of the impression that contradicts the findings blocks signing, whoever wrote it.
    """
    from inference.validation.reports import check_report

    against = check_report(sentences, ledger).of_sentences
    return tuple(
        item.model_copy(update={"checks": (*item.checks, *against[item.id]), "verdict": Verdict.BLOCKS})
        if item.id in against
        else item
        for item in sentences
    )


def omissions(sentences: Sequence[Sentence], ledger: Ledger) -> tuple[Omission, ...]:
    """Return the accepted findings that are not mentioned, in the order of the ledger.

    One whose sentence the reader rejected is left out by their word: nobody asks again.
    """
    from inference.drafting.items import rank
    from inference.validation.reports import check_report

    refused = {
        citation.evidence_id
        for item in sentences
        if item.review is Review.REJECTED
        for citation in item.citations
    }
    found = []
    whole = check_report(sentences, ledger)
    for evidence_id, check in zip(whole.missing, whole.of_report, strict=True):
        evidence = ledger.get(evidence_id)
        if evidence is not None and evidence_id not in refused:
            is_critical = rank(evidence)[0] == CRITICAL
            found.append(Omission(evidence_id, _words(evidence), is_critical, check))
    return tuple(found)


def _words(evidence: Evidence) -> str:
    """Return a finding with its place: "Mass, left hilum"; a label that holds the place stays."""
    label, side = evidence.label or evidence.descriptor, evidence.side.value
    place = evidence.anatomy
    if evidence.side in (Side.LEFT, Side.RIGHT) and side not in f"{label} {place}".lower():
        place = f"{side} {place}".strip()
    return label if not place or place in label.lower() else f"{label}, {place}"
