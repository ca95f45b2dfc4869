"""What the machine knows of each item of a template: found, searched, candidates, refused, not looked.

Shown beside the reader's own states and never exported (design/drafting.md, 6): a state is no sentence.
Whether a search may become one is `inference.drafting.items.may_negate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from inference.drafting.items import organ_of
from inference.drafting.templates import Template, TemplateItem, TemplateOrgan
from reports.domain import Evidence, EvidenceKind, Ledger, SearchResult


class MachineState(StrEnum):
    """Where an item stands for the machine, the one that counts most first."""

    FINDING = "finding"
    CANDIDATES = "candidates"
    REFUSED = "refused"
    SEARCHED_IN_PART = "searched in part"
    """Nothing was found, but not everything was searched: no negative."""
    SEARCHED_NONE = "searched and none"
    NO_TOOL = "no tool looked"


@dataclass(frozen=True)
class MachineItem:
    """The state of one item with what it rests on.

    Parameters
    ----------
    organ, item
        Ids of the template.
    evidence
        Ids in the ledger, in its order: findings, open candidates, the search or its refusal.
    why
        Words of a refusal, which part was searched, or that no candidate is left.
    """

    organ: str
    item: str
    state: MachineState
    evidence: tuple[str, ...] = ()
    why: str = ""


def machine_states(
    template: Template, ledger: Ledger, *, settled: Iterable[str] = ()
) -> tuple[MachineItem, ...]:
    """Return the machine state of every item of a template, in its order.

    Parameters
    ----------
    settled
        Ids of candidates that a reader walked: accepted ones are findings, rejected ones are out.
    """
    closed = frozenset(settled)
    return tuple(
        _state(template, organ, item, ledger, closed)
        for organ in template.organs
        for item in organ.items
    )


def _state(
    template: Template, organ: TemplateOrgan, item: TemplateItem, ledger: Ledger, closed: frozenset[str]
) -> MachineItem:
    def made(state: MachineState, entries: Iterable[Evidence], why: str = "") -> MachineItem:
        return MachineItem(organ.id, item.id, state, tuple(one.id for one in entries), why)

    findings = [
        one
        for one in ledger.evidence
        if one.kind is EvidenceKind.FINDING
        and one.refusal is None
        and _names(item, one)
        and _stands_under(template, organ, one)
    ]
    if findings:
        return made(MachineState.FINDING, findings)
    looked = [one for one in ledger.evidence if item.search and _target(one) == item.search]
    accepted = {one.regions for one in ledger.evidence if one.kind is EvidenceKind.FINDING}
    waiting = [
        one
        for one in ledger.evidence
        if one.kind is EvidenceKind.CANDIDATE
        and one.refusal is None
        and one.id not in closed
        and one.regions not in accepted
        and (one in looked or _names(item, one))
        and _stands_under(template, organ, one)
    ]
    if waiting:
        return made(MachineState.CANDIDATES, waiting)
    state, entries, why = _searched(looked)
    return made(state, entries, why)


def _searched(looked: list[Evidence]) -> tuple[MachineState, list[Evidence], str]:
    """Return what searches gave when there is no finding and no open candidate."""
    done = [one for one in looked if one.search is not None and not _refuses(one)]
    gave = [one for one in done if one.search and one.search.result is SearchResult.CANDIDATES]
    if gave:
        return MachineState.CANDIDATES, gave, "all of them were walked"
    whole = [one for one in done if one.search and one.search.complete]
    if whole:
        return MachineState.SEARCHED_NONE, whole, ""
    if done:
        searched = (one.search.searched for one in done if one.search)
        return MachineState.SEARCHED_IN_PART, done, next(searched, "")
    refused = [one for one in looked if _refuses(one)]
    if refused:
        reasons = (one.refusal.reason for one in refused if one.refusal)
        return MachineState.REFUSED, refused, next(reasons, "")
    return MachineState.NO_TOOL, [], ""


def _refuses(evidence: Evidence) -> bool:
    if evidence.search is not None and evidence.search.result is SearchResult.REFUSED:
        return True
    return evidence.refusal is not None


def _target(evidence: Evidence) -> str:
    """Return the code of what was looked for: that of the search, else that of the entry itself."""
    if evidence.search is not None:
        return evidence.search.target.value
    looks = evidence.kind is EvidenceKind.CANDIDATE or evidence.refusal is not None
    return evidence.concept.value if looks else ""


def _names(item: TemplateItem, evidence: Evidence) -> bool:
    return bool(evidence.descriptor) and evidence.descriptor in item.findings


def _stands_under(template: Template, organ: TemplateOrgan, evidence: Evidence) -> bool:
    """True when an entry belongs to an organ, or says no place that the template knows."""
    if evidence.search is not None:
        return True
    found = organ_of(template, evidence)
    return found is None or found.id == organ.id
