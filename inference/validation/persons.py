"""Rules on what a study is: its modality, its patient, and whether there is a prior to compare with."""

from __future__ import annotations

import re

from inference.validation.claim import Claim
from inference.validation.vocabulary import Token
from reports.domain import Change, EvidenceKind, Ledger

_ALSO: dict[str, frozenset[str]] = {
    "PT": frozenset({"PT", "CT"}),
    "CR": frozenset({"DX"}),
    "DX": frozenset({"DX"}),
    "XA": frozenset({"XA", "DX"}),
}
"""What may be said of a study of each modality; of any other only its own words."""

ADULT_FROM, CHILD_UNTIL = 16.0, 18.0
"""Years from which a patient is no child for certain words, and until which none is an adult."""

_AGES = re.compile(
    r"(?P<a>\d{1,3})[- ]?years?[- ]old|(?P<b>\d{1,3}) ?y(?:/|\.)?o\b"
    r"|\bage[d]?:? ?(?:of )?(?P<c>\d{1,3})\b|(?P<d>\d{1,3}) ?岁",
    re.IGNORECASE,
)
_YEARS = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def years_of(patient_age: str) -> float | None:
    """Return the years of an Age String (PS3.5 6.2, "064Y", "018M"), or none."""
    match = re.fullmatch(r"(\d{3})([DWMY])", patient_age.strip())
    return int(match[1]) / _YEARS[match[2]] if match else None


def modality(claim: Claim) -> str:
    """Another modality is named, and neither recommended nor of another examination."""
    own = claim.ledger.modality
    said = claim.reading.names("modality")
    allowed = _ALSO.get(own, frozenset({own}))
    allowed |= {item.modality for item in claim.ledger.evidence if item.modality}
    if not own or not said or said & allowed:
        return ""
    kinds = claim.reading
    if not claim.by_machine and (
        kinds.names("recommendation") or kinds.names("history") or _refers(claim)
    ):
        return ""
    word = kinds.word("modality")
    return f"The study is {own}, the sentence says \u201c{word}\u201d."


def sex(claim: Claim) -> str:
    """A word that fits only the other sex."""
    own = claim.ledger.patient_sex
    for name in sorted(claim.reading.names("sex")):
        if own in {"M", "F"} - {name}:
            word = claim.reading.word("sex", name)
            return f"\u201c{word}\u201d does not fit the patient's sex ({own})."
    return ""


def age(claim: Claim) -> str:
    """A word, or an age, that does not fit the patient's."""
    years = years_of(claim.ledger.patient_age)
    if years is None:
        return ""
    for match in _AGES.finditer(claim.text):
        said = int(next(group for group in match.groups() if group))
        if abs(said - int(years)) > 1:
            return f"The sentence says {said} years, the patient is {claim.ledger.patient_age}."
    said_ages = claim.reading.names("age")
    wrong = "child" if years >= CHILD_UNTIL else "adult" if years < ADULT_FROM else ""
    if wrong and wrong in said_ages:
        word = claim.reading.word("age", wrong)
        return f"\u201c{word}\u201d does not fit the patient's age ({claim.ledger.patient_age})."
    return ""


def _refers(claim: Claim) -> bool:
    """Tell whether the sentence speaks of an examination before."""
    return "prior" in claim.reading.names("prior")


def comparisons(claim: Claim) -> str:
    """Change is stated without a prior, or another change than the program measured."""
    reading = claim.reading
    if "none" in reading.names("prior"):
        return ""
    said = reading.names("change")
    weak = {_at(claim, token) for token in reading.tokens if token.kind == "weak change"}
    strong = [t for t in reading.tokens if t.kind == "change" and _at(claim, t) not in weak]
    is_comparison = _refers(claim) or bool(strong) or (bool(weak) and _is_said_of_findings(claim))
    if not is_comparison:
        return ""
    word = reading.word("prior", "prior") or reading.word("change")
    changes = _changes(claim.ledger)
    if not changes:
        has_record = any(item.kind is EvidenceKind.RECORD for item in claim.ledger.evidence)
        return "" if has_record else f"\u201c{word}\u201d: comparison without a prior."
    if said and not said & changes and Change.NOT_COMPARABLE.value not in changes:
        held = " or ".join(sorted(changes))
        return f"\u201c{reading.word('change')}\u201d, but the program measured: {held}."
    return ""


def _at(claim: Claim, token: Token) -> str:
    return claim.text[token.start : token.end].lower()


def _is_said_of_findings(claim: Claim) -> bool:
    """Tell whether a word that may mean something else stands beside a finding."""
    reading = claim.reading
    if not claim.text.isascii():
        return False  # 增大 alone says large, not larger
    return any(said.term for said in reading.said) or not reading.names("place")


def _changes(ledger: Ledger) -> set[str]:
    return {item.compared.change.value for item in ledger.evidence if item.compared is not None} | {
        change
        for item in ledger.evidence
        if item.kind is EvidenceKind.COMPARISON and item.compared is None
        for change in ("larger", "smaller", "no measurable change", "new")
    }
