"""Which evidence becomes a sentence, of which kind, and where it stands in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import resources
from inference.drafting.templates import (
    Language,
    Template,
    TemplateOrgan,
    item_searched,
    never_negated,
    template_of,
    templates,
)
from reports.domain import (
    Change,
    CitationRole,
    Evidence,
    EvidenceKind,
    Ledger,
    Origin,
    ReportDefault,
    SearchResult,
    Section,
)


class ItemKind(StrEnum):
    """What a sentence is about; keys of the phrase table."""

    TECHNIQUE = "technique"
    MEASUREMENT = "measurement"
    FINDING = "finding"
    COMPARISON = "comparison"
    NEGATIVE = "negative"
    IMPRESSION = "impression"


@dataclass(frozen=True)
class ItemRule:
    """Where a kind of item stands in the report and how it cites its evidence."""

    section: Section
    evidence: EvidenceKind
    role: CitationRole
    origin: Origin


RULES: dict[ItemKind, ItemRule] = {
    ItemKind.TECHNIQUE: ItemRule(
        Section.TECHNIQUE, EvidenceKind.TECHNIQUE, CitationRole.HEADER, Origin.MEASURED
    ),
    ItemKind.FINDING: ItemRule(
        Section.FINDINGS, EvidenceKind.FINDING, CitationRole.PRIMARY, Origin.MODEL
    ),
    ItemKind.COMPARISON: ItemRule(
        Section.FINDINGS, EvidenceKind.COMPARISON, CitationRole.PRIOR, Origin.MEASURED
    ),
    ItemKind.MEASUREMENT: ItemRule(
        Section.FINDINGS, EvidenceKind.MEASUREMENT, CitationRole.EXTENT, Origin.MEASURED
    ),
    ItemKind.NEGATIVE: ItemRule(
        Section.FINDINGS, EvidenceKind.SEARCH, CitationRole.SEARCHED, Origin.MEASURED
    ),
    ItemKind.IMPRESSION: ItemRule(
        Section.IMPRESSION, EvidenceKind.FINDING, CitationRole.PRIMARY, Origin.MODEL
    ),
}
"""In the order in which items are composed."""

ALWAYS = frozenset({EvidenceKind.FINDING, EvidenceKind.COMPARISON, EvidenceKind.SEARCH})
"""Kinds whose own rules decide, whatever their tool's default."""


@dataclass(frozen=True)
class Item:
    """Which evidence becomes which sentence."""

    kind: ItemKind
    evidence_id: str
    organ: str = ""
    """Sub-heading inside findings: "Lungs"."""


def propose_items(
    ledger: Ledger, *, measured: bool = False, language: str = Language.ENGLISH
) -> tuple[Item, ...]:
    """Return the items of a ledger in report order: by section, organ, findings first.

    Parameters
    ----------
    measured
        Profile *measured*: measurements that wait for a reader's request become sentences too.
    language
        Of the headings.

    Notes
    -----
    Refused evidence, candidates and records never become items (design/drafting.md, 4); a search does
    only by `may_negate`. A measured region that a person accepted as a finding is stated by the
    finding alone. The impression is ranked by urgency, then by size.
    """
    wanted = {ReportDefault.SENTENCE}
    if measured:
        wanted |= {ReportDefault.ON_REQUEST}
    template = template_of(ledger)
    accepted = {one.regions for one in ledger.evidence if one.kind is EvidenceKind.FINDING}
    found: list[tuple[tuple[float, ...], Item]] = []
    for kind, rule in RULES.items():
        for number, evidence in enumerate(ledger.evidence):
            if evidence.kind is not rule.evidence or evidence.refusal is not None:
                continue
            if kind is ItemKind.MEASUREMENT and evidence.regions and evidence.regions in accepted:
                continue
            if evidence.report_default not in wanted and evidence.kind not in ALWAYS:
                continue
            if not _MAY.get(kind, _any)(template, evidence):
                continue
            heading, place = _heading(template, ledger, kind, evidence, language)
            ranked = rank(evidence) if kind is ItemKind.IMPRESSION else ()
            order = (_SECTIONS[rule.section], place, _KINDS[kind], *ranked, number)
            found.append((order, Item(kind, evidence.id, organ=heading)))
    return tuple(item for _, item in sorted(found, key=lambda one: one[0]))


def may_negate(template: Template, evidence: Evidence) -> bool:
    """Tell whether a search allows the machine to write that nothing was found.

    Only a complete search by a detector that the institution accepted, with an empty result, for an
    item of the template that is not on the list of things never negated.
    """
    search = evidence.search
    if search is None or search.target.value in never_negated() or search.detection_limit is None:
        return False
    belongs = item_searched(template, evidence)
    return (
        search.complete
        and search.accepted
        and search.result is SearchResult.NONE
        and belongs is not None
        and not belongs[1].never_negate
    )


def _is_compared(template: Template, evidence: Evidence) -> bool:
    return evidence.compared is not None and evidence.compared.change is not Change.NOT_COMPARABLE


def _is_drafted(template: Template, evidence: Evidence) -> bool:
    return not template.form


def _any(template: Template, evidence: Evidence) -> bool:
    return True


_MAY = {
    ItemKind.NEGATIVE: may_negate,
    ItemKind.COMPARISON: _is_compared,
    ItemKind.IMPRESSION: _is_drafted,
}

_SECTIONS = {section: number for number, section in enumerate(Section)}
_KINDS = {kind: number for number, kind in enumerate(RULES)}


def rank(evidence: Evidence) -> tuple[float, float]:
    """Return the place of a finding in an impression: urgency (1 first), then the larger first."""
    table = resources.table("phrases", "findings.json")["descriptors"]
    said = evidence.descriptor.lower()
    known = [entry["urgency"] for term, entry in table.items() if term in said]
    size = max((value.value for value in evidence.values if value.name == "long"), default=0.0)
    return min(known, default=LEAST_URGENT), -size


LEAST_URGENT = 4
"""Urgency of a term that the table does not know."""


def _heading(
    template: Template, ledger: Ledger, kind: ItemKind, evidence: Evidence, language: str
) -> tuple[str, int]:
    """Return the sub-heading of an item and its place; none for what no template knows."""
    if RULES[kind].section is not Section.FINDINGS:
        return "", 0
    about = evidence
    if evidence.compared is not None:
        about = ledger.get(evidence.compared.current) or evidence
    for one in (template, *templates()):
        organ = organ_of(one, about)
        if organ is not None:
            own = template.organ(organ.id)
            place = template.organs.index(own) if own else len(template.organs)
            return (own or organ).heading.of(language), place
    return "", len(template.organs) + 1


def organ_of(template: Template, evidence: Evidence) -> TemplateOrgan | None:
    """Return the organ of a template under which an evidence stands, or none."""
    searched = item_searched(template, evidence)
    if searched is not None:
        return searched[0]
    term = _term(evidence.anatomy)
    for named in (evidence.concept.value, term, _classes().get(term, "")):
        for organ in template.organs:
            if named and named in (*organ.concepts, *organ.places):
                return organ
    return None


def _term(anatomy: str) -> str:
    """Return the longest place of `anatomy.json` that stands in these words, or empty."""
    words = f" {anatomy.lower()} "
    terms = [term for term in _classes() if f" {term} " in words or f" {term}s " in words]
    return max(terms, key=len, default="")


@cache
def _classes() -> Mapping[str, str]:
    """Return the class of each place."""
    regions = resources.table("phrases", "anatomy.json")["regions"]
    return {term: entry["class"] for terms in regions.values() for term, entry in terms.items()}
