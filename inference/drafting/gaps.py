"""What a draft could not assess, short: the same words once, long lists merged; and its candidates."""

from __future__ import annotations

from collections.abc import Iterable

from inference.drafting.phrases import phrase_table
from reports.domain import Candidate, Evidence, EvidenceKind, Ledger, Limitation
from viewer.imaging.study import BadFile

MOST_LABELS = 3
"""Most names in one limitation; the rest is counted."""


def unread(files: tuple[BadFile, ...]) -> list[Limitation]:
    """Say that images are not part of what was measured: at an end of the stack nothing else shows it.

    File names may hold a patient's name, so the images are counted.
    """
    if not files:
        return []
    count = len(files)
    images = "1 image" if count == 1 else f"{count} images"
    text = f"{images} of this series could not be read: nothing was measured there."
    return [Limitation(text=text, code="unread_images")]


def limitations(ledger: Ledger) -> list[Limitation]:
    """Return every refusal, then every warning, merged where they say the same of several values.

    What a candidate warns of stands with the candidate, not here.
    """
    refused: dict[tuple[str, str], list[Evidence]] = {}
    warned: dict[str, list[Evidence]] = {}
    for item in ledger.evidence:
        if item.refusal is not None:
            refused.setdefault((item.refusal.code, item.refusal.reason), []).append(item)
        elif item.kind is not EvidenceKind.CANDIDATE:
            for warning in item.warnings:
                warned.setdefault(warning, []).append(item)
    found = [
        Limitation(
            evidence_id=items[0].id,
            text=f"{labels(items)}: not assessed. {sentence_case(reason)}",
            code=code,
        )
        for (code, reason), items in refused.items()
    ]
    together: dict[tuple[str, ...], list[str]] = {}
    for warning, items in warned.items():
        together.setdefault(tuple(item.id for item in items), []).append(warning.removesuffix("."))
    for ids, warnings in together.items():
        items = [item for item in ledger.evidence if item.id in ids]
        text = f"{labels(items)}: {'; '.join(warnings)}."
        found.append(Limitation(evidence_id=ids[0], text=text, code="warning"))
    return found


def labels(items: Iterable[Evidence]) -> str:
    """Return the names of evidence in one line: "Right lung, left lung and 4 more"."""
    names = list(dict.fromkeys(item.label for item in items))
    said = [names[0], *(name[:1].lower() + name[1:] for name in names[1:MOST_LABELS])]
    more = len(names) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def sentence_case(text: str) -> str:
    """Return text as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def candidates(ledger: Ledger) -> list[Candidate]:
    """Proposals of tools and models that nobody accepted, with what speaks against each."""
    accepted = {_places(item) for item in ledger.evidence if item.kind is EvidenceKind.FINDING}
    return [
        Candidate(
            evidence_id=item.id,
            text=candidate_words(ledger, item),
            reason=" ".join(["Not accepted by a person.", *map(sentence_case, item.warnings)]),
        )
        for item in ledger.evidence
        if item.kind is EvidenceKind.CANDIDATE
        and item.refusal is None
        and _places(item) not in accepted
    ]


def candidate_words(ledger: Ledger, item: Evidence) -> str:
    """Return one line on a candidate: where it is and the values a reader judges it by."""
    lines = phrase_table().alternatives("candidate", ledger, item)
    if lines:
        return lines[0].text
    return ": ".join(filter(None, [item.label, ", ".join(value.text for value in item.values)]))


def _places(item: Evidence) -> frozenset[str]:
    return frozenset(region.model_dump_json() for region in item.regions)
