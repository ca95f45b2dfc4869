"""A candidate that a person accepted: the finding it becomes, and its sentence. No Qt.

The person is the source of the finding; values and regions stay those of the tool or model, which is
named in `checks`. Term and place come from the tables where the candidate's concept and place stand
there; a candidate of another concept keeps its own words, and the reader edits them.
"""

from __future__ import annotations

from functools import cache

import resources
from app import draft_merge
from app.finding_phrase import propose_sentence
from inference.drafting.grammar import ComposeError
from inference.evidence.findings import FindingError, accept_finding
from reports.domain import Evidence, EvidenceKind, Ledger, Sentence, Source, SourceKind


@cache
def descriptors() -> dict[tuple[str, str], str]:
    """Return the term of `findings.json` for each coded concept."""
    table = resources.table("phrases", "findings.json")["descriptors"]
    return {(row["code"][0], row["code"][1]): term for term, row in table.items()}


def finding_of(candidate: Evidence, *, person: str, evidence_id: str) -> Evidence:
    """Return the finding that a person made of a candidate.

    Parameters
    ----------
    person
        Printed name of the reader: the source of the finding.
    """
    term = descriptors().get((candidate.concept.value, candidate.concept.scheme), "")
    try:
        return accept_finding(
            candidate,
            side=candidate.side,
            anatomy=candidate.anatomy,
            descriptor=term,
            person=person,
            evidence_id=evidence_id,
        )
    except FindingError:
        measured_by = f"measured by {candidate.source.name} {candidate.source.version}".rstrip()
        return candidate.model_copy(
            update={
                "id": evidence_id,
                "kind": EvidenceKind.FINDING,
                "source": Source(kind=SourceKind.PERSON, name=person),
                "checks": (*candidate.checks, measured_by),
            }
        )


def sentence_of(ledger: Ledger, finding: Evidence, *, said: str, sentence_id: str) -> Sentence:
    """Return the sentence of an accepted candidate: of the phrase table, else as it was proposed.

    Parameters
    ----------
    said
        The candidate's own words.
    """
    try:
        return propose_sentence(ledger, finding, sentence_id)
    except (ComposeError, StopIteration):
        return draft_merge.proposal_of(said, finding, sentence_id)
