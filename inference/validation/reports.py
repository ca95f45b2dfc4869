"""Rules of a whole report: accepted findings that are not mentioned, parts that contradict others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inference.validation.claim import Claim
from inference.validation.linking import Fact, facts_of
from inference.validation.reading import Said
from inference.validation.vocabulary import is_a, related_places, related_terms
from reports.domain import Check, EvidenceKind, Ledger, Section, Sentence

MISSING = "missing claim"
CONTRADICTION = "contradiction"


@dataclass(frozen=True)
class ReportChecks:
    """Failed checks of a report, and of its sentences by their id."""

    of_report: tuple[Check, ...] = ()
    of_sentences: dict[str, tuple[Check, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """Ids of the accepted findings that no sentence mentions, in the order of `of_report`."""


def check_report(sentences: Sequence[Sentence], ledger: Ledger) -> ReportChecks:
    """Hold the sentences of a report against each other, and all of them against the ledger."""
    claims = [_claim(sentence, ledger) for sentence in sentences if sentence.is_in_body]
    left_out = [
        fact
        for fact in facts_of(ledger)
        if fact.evidence.kind is EvidenceKind.FINDING
        and not any(_mentions(claim, fact) for claim in claims)
    ]
    missing = tuple(
        Check(
            check=MISSING,
            passed=False,
            risk=3,
            category="missing claim",
            message=f"{fact.evidence.id} is an accepted finding that no sentence mentions: "
            f"{_described(fact)}.",
        )
        for fact in left_out
    )
    against: dict[str, tuple[Check, ...]] = {}
    before = [claim for claim in claims if claim.sentence.section is Section.FINDINGS]
    for claim in claims:
        if claim.sentence.section is Section.IMPRESSION:
            message = _contradiction(claim, before)
            if message:
                against[claim.sentence.id] = (
                    Check(
                        check=CONTRADICTION,
                        passed=False,
                        risk=4,
                        category="detail misidentification",
                        message=message,
                    ),
                )
    return ReportChecks(missing, against, tuple(fact.evidence.id for fact in left_out))


def _claim(sentence: Sentence, ledger: Ledger) -> Claim:
    ids = [citation.evidence_id for citation in sentence.citations]
    return Claim(sentence, ledger, tuple(e for e in ledger.evidence if e.id in ids))


def _described(fact: Fact) -> str:
    side = f"{fact.evidence.side.value} " if fact.sides else ""
    return f"{fact.evidence.label.lower()}, {side}{fact.evidence.anatomy}".rstrip(", ")


def _mentions(claim: Claim, fact: Fact) -> bool:
    if fact.evidence in claim.cited:
        return True
    for link in claim.links:
        said = link.said
        if said.is_negated or said.is_open or link.best is None:
            continue
        if link.best.evidence.id == fact.evidence.id and not link.is_another:
            return True
        of_many = (said.count is not None or said.is_plural) and "count" not in link.best.slots
        if of_many and any(fitting.evidence.id == fact.evidence.id for fitting in link.fitting):
            return True
    compared = {item.compared.current for item in claim.cited if item.compared is not None}
    return fact.evidence.id in compared


def _statements(claims: Sequence[Claim]) -> list[Said]:
    return [said for claim in claims for said in claim.reading.said if said.term and not said.is_open]


def _contradiction(claim: Claim, before: Sequence[Claim]) -> str:
    """Return what of the findings an impression's sentence contradicts, or empty."""
    earlier = _statements(before)
    for said in _statements([claim]):
        if said.is_qualified:
            continue
        for other in earlier:
            denied, stated = (said, other) if said.is_negated else (other, said)
            if said.is_negated is other.is_negated or other.is_qualified:
                continue
            if (
                is_a(stated.term, denied.term)
                and _same_place(stated, denied)
                and _same_side(stated, denied)
            ):
                word = "denies" if other.is_negated else "describes"
                return f"The findings say otherwise: there a sentence {word} \u201c{other.word}\u201d."
        message = "" if said.is_negated else _differs(said, [o for o in earlier if not o.is_negated])
        if message:
            return message
    return ""


def _differs(said: Said, earlier: Sequence[Said]) -> str:
    """Compare with the same term in the findings: one of them must agree in place, side and number."""
    same = [other for other in earlier if related_terms(said.term, other.term)]
    if not same:
        return ""
    there = [other for other in same if _same_place(said, other)]
    if not there:
        return f"The findings place \u201c{same[0].word}\u201d in the {same[0].places[0]}."
    beside = [other for other in there if _same_side(said, other)]
    if not beside:
        sides = ", ".join(sorted(there[0].sides))
        return f"The findings describe \u201c{there[0].word}\u201d on the {sides}."
    for figure in said.figures:
        held = [own for other in beside for own in other.figures if own.dimension == figure.dimension]
        if (
            figure.dimension
            and held
            and not any(figure.is_of(own) or own.is_of(figure) for own in held)
        ):
            value = f"{held[0].text} {held[0].unit}"
            return f"{figure.text} {figure.unit} is not what the findings say: {value}."
    return ""


def _same_place(one: Said, other: Said) -> bool:
    if not one.places or not other.places:
        return True
    return any(related_places(a, b) for a in one.places for b in other.places)


def _same_side(one: Said, other: Said) -> bool:
    if not one.sides or not other.sides or "bilateral" in one.sides | other.sides:
        return True
    return bool(one.sides & other.sides)
