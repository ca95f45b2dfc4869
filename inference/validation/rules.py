"""Deterministic rules of one sentence against the ledger (drafting.md, step 7a).

A rule returns a failed `Check` or none. Only these rules may strike a machine's sentence; on a
person's sentence the same contradiction blocks signing instead, and doubts only flag. The rules read
English and Chinese; a machine's sentence is held to the letter of what it cites on top (`strict`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.validation import persons, strict
from inference.validation.claim import Claim
from inference.validation.linking import Link
from inference.validation.numbers import Measured
from inference.validation.reading import MANY, Said
from inference.validation.vocabulary import is_a, lies_in, related_terms, scan
from reports.domain import Check, Evidence, EvidenceKind, Ledger, SearchResult, Sentence, Verdict


@dataclass(frozen=True)
class Rule:
    """A named rule with its MedVAL category, its risk, and what a failure does to each author."""

    name: str
    category: str
    risk: int
    find: Callable[[Claim], str]
    """Returns what is wrong in words for the reader, or empty."""
    strict: Callable[[Claim], str] | None = None
    """What a machine's sentence has to keep on top."""
    machine: Verdict = Verdict.CONTRADICTED
    person: Verdict = Verdict.BLOCKS
    uncited: Verdict | None = None
    """For a person's sentence that cites nothing: which evidence it is about was then inferred."""

    def outcome(self, claim: Claim) -> Verdict:
        """Return what a failure makes of the sentence."""
        if claim.by_machine:
            return self.machine
        return self.person if claim.cited or self.uncited is None else self.uncited


def _citations(claim: Claim) -> str:
    known = {item.id for item in claim.ledger.evidence}
    unknown = [c.evidence_id for c in claim.sentence.citations if c.evidence_id not in known]
    if unknown:
        return f"{', '.join(unknown)} is not in the ledger."
    for item in claim.cited:
        if item.refusal is not None:
            return f"{item.id} was refused: {item.refusal.reason}"
        if claim.by_machine and item.kind is EvidenceKind.CANDIDATE:
            return f"{item.id} is a candidate that nobody accepted."
    for citation in claim.sentence.citations:
        found = claim.ledger.get(citation.evidence_id)
        if found and citation.region is not None and citation.region >= len(found.regions):
            return f"{found.id} has no region {citation.region + 1}."
    if claim.by_machine and not claim.cited:
        return "No evidence is cited."
    return ""


def _stated(claim: Claim) -> list[Link]:
    """Return the statements that assert something and are linked to evidence."""
    return [
        link
        for link in claim.links
        if link.best is not None and not link.said.is_negated and not link.said.is_open
    ]


def _of(link: Link) -> Evidence:
    assert link.best is not None
    return link.best.evidence


def _numbers(claim: Claim) -> str:
    for link in _stated(claim):
        if link.is_another or not link.wrong_figures:
            continue
        item, figure = _of(link), link.wrong_figures[0]
        if not item.values:
            continue  # nothing was measured there: the number is the reader's own
        return _number_message(item, figure)
    return ""


def _number_message(item: Evidence, figure: Measured) -> str:
    values = ", ".join(quantity.text for quantity in item.values[:3])
    if figure.unit and figure.text.lstrip("-\u2212") in values:
        return f"{figure.text} is given in {figure.unit}; {item.id} has {values}."
    return f"{figure.text} {figure.unit}".strip() + f" is not a value of {item.id} ({values})."


def _counts(claim: Claim) -> str:
    for link in _stated(claim):
        said, found = link.said, len(link.fitting)
        if said.count is None or not link.fitting:
            continue
        counted = {int(q.value) for c in link.fitting for q in c.evidence.values if q.name == "count"}
        allowed = counted or {found}
        if said.count == MANY:
            if max(allowed) > 1:
                continue
        elif said.count in allowed:
            continue
        ids = ", ".join(fact.evidence.id for fact in link.fitting[:4])
        word = "several" if said.count == MANY else str(said.count)
        held = " or ".join(str(number) for number in sorted(allowed))
        return f"The sentence says {word}, the ledger holds {held} ({ids})."
    return ""


def _sides(claim: Claim) -> str:
    for link in _stated(claim):
        if link.is_side_wrong and not (link.is_another and not claim.cited):
            said = ", ".join(sorted(link.said.sides))
            return f"{_of(link).id} lies on the {_of(link).side}, the sentence says {said}."
    return ""


def _anatomy(claim: Claim) -> str:
    for link in _stated(claim):
        if link.is_place_wrong and not (link.is_another and not claim.cited):
            return f"{_of(link).id} lies in the {_of(link).anatomy}, not in the {link.said.places[0]}."
    return ""


def _terms(claim: Claim) -> str:
    for link in claim.links:
        said = link.said
        if not said.term or said.is_negated or said.is_open:
            continue
        if link.best is None or (claim.by_machine and _of(link) not in claim.cited):
            return f"\u201c{said.word}\u201d is not in the ledger." + _searched(said, claim.ledger)
        if link.is_another and not claim.cited:
            return f"\u201c{said.word}\u201d as it is described here is not in the ledger."
    return ""


def _searched(said: Said, ledger: Ledger) -> str:
    for item in ledger.evidence:
        search = item.search
        if search is None or search.result is not SearchResult.NONE or not search.complete:
            continue
        if any(
            t.kind == "finding" and related_terms(t.name, said.term)
            for t in scan(search.target.meaning)
        ):
            return f" {item.id} searched {search.searched} and found none."
    return ""


def _negations(claim: Claim) -> str:
    for link in claim.links:
        said = link.said
        if not said.is_negated or said.is_qualified or not said.term:
            continue
        for fact in claim.findings:
            denied = any(is_a(term, said.term) for term in fact.terms)
            if denied and fact.is_in(said.places) and _shares_side(fact.sides, said.sides):
                return f"{fact.evidence.id} is an accepted finding: {fact.evidence.label}."
    for place in claim.reading.normal_places:
        for fact in claim.findings:
            within = any(lies_in(own, place) for own in fact.places)
            if within and _shares_side(fact.sides, claim.reading.normal_sides):
                return f"{fact.evidence.id} is an accepted finding there: {fact.evidence.label}."
    return ""


def _shares_side(own: frozenset[str], said: frozenset[str]) -> bool:
    return not own or not said or "bilateral" in said or bool(own & said)


RULES: tuple[Rule, ...] = (
    Rule("citation", "fabricated claim", 4, _citations),
    Rule(
        "number and unit",
        "detail misidentification",
        4,
        _numbers,
        strict.numbers,
        person=Verdict.WEAK,
    ),
    Rule("count", "detail misidentification", 3, _counts, strict.number_words, uncited=Verdict.WEAK),
    Rule("side", "detail misidentification", 4, _sides, strict.sides, uncited=Verdict.WEAK),
    Rule("anatomy", "detail misidentification", 3, _anatomy, strict.anatomy, person=Verdict.WEAK),
    Rule("term", "fabricated claim", 4, _terms, strict.terms, person=Verdict.WEAK),
    Rule("negation", "fabricated claim", 4, _negations, strict.negations),
    Rule(
        "comparison",
        "false comparison",
        3,
        persons.comparisons,
        strict.comparisons,
        person=Verdict.WEAK,
    ),
    Rule("modality", "detail misidentification", 3, persons.modality, strict.modality),
    Rule("sex", "detail misidentification", 4, persons.sex),
    Rule("age", "detail misidentification", 4, persons.age),
)
"""All rules, in the order in which their results are shown."""

_WORST: Sequence[Verdict] = (
    Verdict.SUPPORTED,
    Verdict.UNCHECKED,
    Verdict.WEAK,
    Verdict.BLOCKS,
    Verdict.CONTRADICTED,
)


def check_sentence(sentence: Sentence, ledger: Ledger) -> Sentence:
    """Return the sentence with the result of every rule and its verdict.

    A person's sentence that cites nothing and breaks no rule stays *unchecked*: there is nothing
    to hold it against.
    """
    cited = tuple(found for c in sentence.citations if (found := ledger.get(c.evidence_id)) is not None)
    claim = Claim(sentence, ledger, cited)
    checks: list[Check] = []
    verdict = Verdict.SUPPORTED if cited else Verdict.UNCHECKED
    for rule in RULES:
        message = rule.find(claim)
        if not message and claim.by_machine and rule.strict is not None:
            message = rule.strict(claim)
        checks.append(
            Check(
                check=rule.name, passed=False, risk=rule.risk, category=rule.category, message=message
            )
            if message
            else Check(check=rule.name, passed=True)
        )
        if message:
            verdict = max(verdict, rule.outcome(claim), key=_WORST.index)
    return sentence.model_copy(update={"checks": tuple(checks), "verdict": verdict})
