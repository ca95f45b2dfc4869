"""What a machine's sentence has to keep on top: it may say only what it cites, letter by letter."""

from __future__ import annotations

import resources
from inference.drafting.phrases import threshold_of
from inference.validation import lexicon
from inference.validation.claim import Claim
from inference.validation.linking import SIDES
from reports.domain import EvidenceKind, SearchResult, Side


def numbers(claim: Claim) -> str:
    """Every number is a value of what is cited, in its printed form."""
    if not claim.cited:
        return ""
    allowed = {
        (figure.value, figure.unit)
        for item in claim.cited
        for quantity in item.values
        for figure in lexicon.figures(quantity.text)
    }
    allowed |= {
        (figure.value, figure.unit)
        for item in claim.cited
        if item.search is not None and item.search.detection_limit is not None
        for figure in lexicon.figures(item.search.detection_limit.text)
    }
    # The "−950 HU" of LAA-950 belongs to the name of the measure, not to its value.
    allowed |= {
        (figure.value, unit)
        for item in claim.cited
        for quantity in item.values
        for figure in lexicon.figures(threshold_of(quantity.name))
        for unit in (figure.unit, "")
    }
    for figure in lexicon.figures(_without_dates(claim)):
        if _is_list_number(claim.text, figure) or _is_of_a_level(claim, figure):
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


def _is_of_a_level(claim: Claim, figure: lexicon.Figure) -> bool:
    """Return true for the 6 of "liver segment 6"."""
    places = (token for token in claim.reading.tokens if token.kind == "place")
    return any(token.start <= figure.start < token.end for token in places)


def _without_dates(claim: Claim) -> str:
    """Return the text with the dates of cited priors blanked."""
    text = claim.text
    for item in claim.cited:
        if item.compared is not None and item.compared.prior_date:
            date = item.compared.prior_date
            text = text.replace(date, " " * len(date))
    return text


def number_words(claim: Claim) -> str:
    """No word of counting that the evidence does not hold."""
    spoken = " ".join(f"{item.descriptor} {item.anatomy} {item.label}" for item in claim.cited)
    for match in lexicon.pattern(lexicon.words("number_words")).finditer(claim.text):
        if match.group(0).lower() not in spoken.lower():
            return f"The count word \u201c{match.group(0)}\u201d stands in no evidence."
    return ""


def sides(claim: Claim) -> str:
    """Every side is that of what is cited."""
    said = lexicon.named("sides", claim.text)
    if not said:
        return ""
    if "bilateral" in said and {Side.LEFT, Side.RIGHT} <= {item.side for item in claim.cited}:
        return ""
    sided = [item for item in claim.cited if item.side in SIDES]
    allowed = frozenset[str]().union(*(SIDES[item.side] for item in sided))
    if sided and not said <= allowed:
        item = sided[0]
        return (
            f"{item.id} lies on the {item.side}, the sentence says {', '.join(sorted(said - allowed))}."
        )
    return "" if sided else "The evidence has no side, the sentence names one."


def anatomy(claim: Claim) -> str:
    """Every word for a place stands in what is cited."""
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


def terms(claim: Claim) -> str:
    """Every term of the list of findings stands in what is cited."""
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


def negations(claim: Claim) -> str:
    """A machine's negative needs a complete search, by an accepted detector, that found nothing."""
    text = claim.text
    for token in claim.reading.tokens:
        if token.kind == "negation" and token.name == "not":
            text = text[: token.start] + " " * (token.end - token.start) + text[token.end :]
    word = lexicon.first(lexicon.words("negations"), text) or _negated(claim)
    if not word:
        return ""
    for item in claim.cited:
        search = item.search
        if item.kind is not EvidenceKind.SEARCH or search is None:
            continue
        if search.complete and search.accepted and search.result is SearchResult.NONE:
            return ""
    return f"\u201c{word}\u201d without a complete search."


def _negated(claim: Claim) -> str:
    """Return the word that is said not to be there, in whatever language."""
    return next((said.word for said in claim.reading.said if said.is_negated), "")


def comparisons(claim: Claim) -> str:
    """Any word of change needs a pair with a prior."""
    word = lexicon.first(lexicon.words("comparisons"), claim.text)
    compared = any(item.kind is EvidenceKind.COMPARISON for item in claim.ledger.evidence)
    return f"\u201c{word}\u201d: comparison without a prior." if word and not compared else ""


def modality(claim: Claim) -> str:
    """A machine names no other modality, whatever for."""
    said = lexicon.named("modalities", claim.text)
    own = {claim.ledger.modality, *(item.modality for item in claim.cited)} - {""}
    if not said or own & said or not own:
        return ""
    return f"The study is {claim.ledger.modality}, the sentence says {'/'.join(sorted(said))}."
