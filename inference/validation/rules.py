"""Deterministic rules of one sentence against the ledger (drafting.md, step 7a).

A rule returns a failed `Check` or none. Only these rules may strike a machine's sentence; on a
person's sentence the same contradiction blocks signing instead, and doubts only flag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import resources
from inference.drafting.phrases import threshold_of
from inference.validation import lexicon
from reports.domain import Check, Evidence, EvidenceKind, Ledger, Origin, Sentence, Side, Verdict


@dataclass(frozen=True)
class Claim:
    """One sentence with what it cites: all a rule may look at."""

    sentence: Sentence
    ledger: Ledger
    cited: tuple[Evidence, ...]

    @property
    def text(self) -> str:
        """The sentence's text."""
        return self.sentence.text

    @property
    def by_machine(self) -> bool:
        """True for measured and model sentences."""
        return self.sentence.origin is not Origin.PERSON


@dataclass(frozen=True)
class Rule:
    """A named rule with its MedVAL category, its risk, and what a failure does to each author."""

    name: str
    category: str
    risk: int
    find: Callable[[Claim], str]
    """Returns what is wrong in words for the reader, or empty."""
    machine: Verdict = Verdict.CONTRADICTED
    person: Verdict = Verdict.BLOCKS


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


def _numbers(claim: Claim) -> str:
    if not claim.cited:
        return ""
    allowed = {
        (figure.value, figure.unit)
        for item in claim.cited
        for quantity in item.values
        for figure in lexicon.figures(quantity.text)
    }
    # The "−950 HU" of LAA-950 belongs to the name of the measure, not to its value.
    allowed |= {
        (figure.value, unit)
        for item in claim.cited
        for quantity in item.values
        for figure in lexicon.figures(threshold_of(quantity.name))
        for unit in (figure.unit, "")
    }
    for figure in lexicon.figures(claim.text):
        if _is_list_number(claim.text, figure):
            continue
        same_value = {unit for value, unit in allowed if value == figure.value}
        ids = ", ".join(item.id for item in claim.cited)
        if not same_value:
            return f"{figure.text} {figure.unit}".strip() + f" is not a value of {ids}."
        if figure.unit and figure.unit not in same_value:
            return f"{figure.text} is given in {figure.unit}; {ids} has it in {'/'.join(same_value)}."
    return ""


def _is_list_number(text: str, figure: lexicon.Figure) -> bool:
    """Return true for the "1." that numbers an impression."""
    return figure.start == 0 and text[figure.end : figure.end + 2] == ". "


def _number_words(claim: Claim) -> str:
    if not claim.by_machine:
        return ""
    spoken = " ".join(f"{item.descriptor} {item.anatomy} {item.label}" for item in claim.cited)
    for match in lexicon.pattern(lexicon.words("number_words")).finditer(claim.text):
        if match.group(0).lower() not in spoken.lower():
            return f"The count word \u201c{match.group(0)}\u201d stands in no evidence."
    return ""


_SIDES: dict[Side, frozenset[str]] = {
    Side.LEFT: frozenset({"left"}),
    Side.RIGHT: frozenset({"right"}),
    Side.BILATERAL: frozenset({"left", "right", "bilateral"}),
}


def _sides(claim: Claim) -> str:
    said = lexicon.named("sides", claim.text)
    if not said:
        return ""
    if "bilateral" in said and {Side.LEFT, Side.RIGHT} <= {item.side for item in claim.cited}:
        return ""
    sided = [item for item in claim.cited if item.side in _SIDES]
    allowed = frozenset[str]().union(*(_SIDES[item.side] for item in sided))
    if sided and not said <= allowed:
        item = sided[0]
        return (
            f"{item.id} lies on the {item.side}, the sentence says {', '.join(sorted(said - allowed))}."
        )
    if claim.by_machine and not sided:
        return "The evidence has no side, the sentence names one."
    return ""


def _anatomy(claim: Claim) -> str:
    terms = [item for item in claim.cited if item.anatomy]
    if not terms:
        return ""
    # Longest words first: "right upper lobe" must not be read as "lobe" of another one.
    known = {name.lower() for name in _anatomy_words()}
    said = {
        match.group(0).lower() for match in lexicon.pattern(tuple(sorted(known))).finditer(claim.text)
    }
    allowed = " | ".join(f"{item.anatomy} {item.label}".lower() for item in terms)
    wrong = sorted(word for word in said if word not in allowed)
    return f"{terms[0].id} lies in the {terms[0].anatomy}, not in the {wrong[0]}." if wrong else ""


def _negations(claim: Claim) -> str:
    word = lexicon.first(lexicon.words("negations"), claim.text)
    if not word:
        return ""
    if claim.by_machine:
        searched = [item for item in claim.cited if item.kind is EvidenceKind.SEARCH]
        return "" if searched else f"\u201c{word}\u201d without a complete search."
    for item in claim.ledger.evidence:
        if item.kind is not EvidenceKind.FINDING or not item.descriptor:
            continue
        if lexicon.pattern((item.descriptor,)).search(claim.text) and _same_place(item, claim.text):
            return f"{item.id} is an accepted finding: {item.label}."
    return ""


def _same_place(item: Evidence, text: str) -> bool:
    """Return true unless the text names a side that is not the evidence's."""
    said = lexicon.named("sides", text) & {"left", "right"}
    return not said or bool(said & _SIDES.get(item.side, frozenset({"left", "right"})))


def _comparisons(claim: Claim) -> str:
    word = lexicon.first(lexicon.words("comparisons"), claim.text)
    compared = any(item.kind is EvidenceKind.COMPARISON for item in claim.ledger.evidence)
    return f"\u201c{word}\u201d: comparison without a prior." if word and not compared else ""


def _modality(claim: Claim) -> str:
    said = lexicon.named("modalities", claim.text)
    if not said or claim.ledger.modality in said or claim.ledger.modality == "":
        return ""
    return f"The study is {claim.ledger.modality}, the sentence says {'/'.join(sorted(said))}."


def _sex(claim: Claim) -> str:
    for sex, listed in lexicon.groups("sex_terms").items():
        word = lexicon.first(listed, claim.text)
        if word and claim.ledger.patient_sex in {"M", "F"} - {sex}:
            return f"\u201c{word}\u201d does not fit the patient's sex ({claim.ledger.patient_sex})."
    return ""


def _terms(claim: Claim) -> str:
    if not claim.by_machine:
        return ""
    held = " ".join(f"{item.descriptor} {item.label} {item.concept.meaning}" for item in claim.cited)
    for match in lexicon.pattern(_finding_words()).finditer(claim.text):
        if match.group(0).lower() not in held.lower():
            ids = ", ".join(item.id for item in claim.cited)
            return f"\u201c{match.group(0)}\u201d is not what {ids} holds."
    return ""


def _finding_words() -> tuple[str, ...]:
    return tuple(resources.table("phrases", "findings.json")["descriptors"])


def _anatomy_words() -> tuple[str, ...]:
    regions = resources.table("phrases", "anatomy.json")["regions"]
    return tuple(dict.fromkeys(place for places in regions.values() for place in places))


RULES: tuple[Rule, ...] = (
    Rule("citation", "fabricated claim", 4, _citations),
    Rule("number and unit", "detail misidentification", 4, _numbers, person=Verdict.WEAK),
    Rule("count", "detail misidentification", 3, _number_words),
    Rule("side", "detail misidentification", 4, _sides),
    Rule("anatomy", "detail misidentification", 3, _anatomy, person=Verdict.WEAK),
    Rule("term", "fabricated claim", 4, _terms),
    Rule("negation", "fabricated claim", 4, _negations),
    Rule("comparison", "false comparison", 3, _comparisons, person=Verdict.WEAK),
    Rule("modality", "detail misidentification", 3, _modality),
    Rule("sex", "detail misidentification", 4, _sex),
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
        checks.append(
            Check(
                check=rule.name, passed=False, risk=rule.risk, category=rule.category, message=message
            )
            if message
            else Check(check=rule.name, passed=True)
        )
        if message:
            outcome = rule.machine if claim.by_machine else rule.person
            verdict = max(verdict, outcome, key=_WORST.index)
    return sentence.model_copy(update={"checks": tuple(checks), "verdict": verdict})
