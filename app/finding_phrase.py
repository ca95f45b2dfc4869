"""A drawn region that a person accepts as a finding: its evidence, and the sentence proposed for it."""

from __future__ import annotations

from dataclasses import dataclass

from reports.domain import (
    Citation,
    Code,
    Evidence,
    EvidenceKind,
    Origin,
    Quantity,
    ReportDefault,
    Section,
    Sentence,
    Side,
    Slot,
    Source,
    SourceKind,
    Span,
)

NO_CONCEPT = Code(value="finding", scheme="99SIGHTLINE", meaning="Finding")


@dataclass(frozen=True)
class FindingChoice:
    """What the reader picked in the form.

    Parameters
    ----------
    descriptor
        Term that may be written ("nodule").
    anatomy
        Place as it may be written ("left upper lobe"), or empty.
    organ
        Sub-heading of the findings under which the sentence stands ("Lungs").
    """

    descriptor: str
    side: Side
    anatomy: str = ""
    concept: Code = NO_CONCEPT
    organ: str = ""

    @property
    def place(self) -> str:
        """The anatomy with its side, unless the anatomy names it."""
        if self.side not in (Side.LEFT, Side.RIGHT):
            return self.anatomy
        if self.side in self.anatomy.lower().split():
            return self.anatomy
        return f"{self.side} {self.anatomy}" if self.anatomy else ""


def finding_evidence(
    measured: Evidence, choice: FindingChoice, *, evidence_id: str, person: str = ""
) -> Evidence:
    """Return the finding with the measures and regions of the drawn region.

    The person is the source of the finding; who measured stays readable in `checks`.
    """
    label = " ".join(word for word in (choice.place, choice.descriptor) if word)
    return Evidence(
        id=evidence_id,
        kind=EvidenceKind.FINDING,
        concept=choice.concept,
        label=label[:1].upper() + label[1:],
        side=choice.side,
        anatomy=choice.anatomy,
        values=measured.values,
        regions=measured.regions,
        source=Source(kind=SourceKind.PERSON, name=person or "reader"),
        report_default=ReportDefault.SENTENCE,
        checks=(
            *measured.checks,
            f"Measured by {measured.source.name} {measured.source.version}".rstrip(),
        ),
        warnings=measured.warnings,
        descriptor=choice.descriptor,
    )


def finding_sentence(evidence: Evidence, sentence_id: str, choice: FindingChoice) -> Sentence:
    """Return the proposed sentence: "Nodule in the left upper lobe, 9.8 × 8.7 mm."."""
    text = choice.descriptor[:1].upper() + choice.descriptor[1:]
    if choice.place:
        text += f" in the {choice.place}"
    elif choice.side in (Side.LEFT, Side.RIGHT):
        text += f" on the {choice.side}"
    slots: list[Slot] = []
    for before, quantity, written in _size(evidence):
        start = len(text) + len(before)
        text += before + written
        slots.append(
            Slot(span=Span(start=start, end=len(text)), evidence_id=evidence.id, value=quantity.name)
        )
    text += "."
    whole = Span(start=0, end=len(text))
    return Sentence(
        id=sentence_id,
        section=Section.FINDINGS,
        text=text,
        citations=(
            Citation(evidence_id=evidence.id, span=whole, region=0 if evidence.regions else None),
        ),
        slots=tuple(slots),
        origin=Origin.MEASURED,
        organ=choice.organ,
    )


def _size(evidence: Evidence) -> list[tuple[str, Quantity, str]]:
    """Return (text before, value, text) of long and short diameter: ", 9.8" and " × 8.7 mm"."""
    named = {quantity.name: quantity for quantity in evidence.values}
    long, short = named.get("long"), named.get("short")
    if long is None:
        return []
    number, _, unit = long.text.rpartition(" ")
    if short is None or not number or short.text.rpartition(" ")[2] != unit:
        return [(", ", long, long.text)]
    return [(", ", long, number), (" × ", short, short.text)]
