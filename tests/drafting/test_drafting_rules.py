"""The rules that every sentence has to pass: what a promise of the product page would lose without."""

from __future__ import annotations

import pytest

from inference.validation.rules import check_sentence
from reports.domain import (
    Citation,
    Code,
    Evidence,
    EvidenceKind,
    Ledger,
    Origin,
    Quantity,
    Refusal,
    Section,
    Sentence,
    Side,
    Source,
    SourceKind,
    Span,
    Verdict,
)

TOOL = Source(kind=SourceKind.TOOL, name="lungs", version="1")
PERSON = Source(kind=SourceKind.PERSON, name="reader")


def quantity(name: str, value: float, unit: str, text: str) -> Quantity:
    return Quantity(name=name, value=value, unit=unit, text=text)


LEDGER = Ledger(study_instance_uid="1.2", modality="CT", patient_sex="M").add(
    Evidence(
        id="E1",
        kind=EvidenceKind.MEASUREMENT,
        concept=Code(value="1", scheme="99SIGHTLINE", meaning="Lung"),
        label="Right lung",
        side=Side.RIGHT,
        anatomy="right lung",
        values=(
            quantity("volume", 2.81, "L", "2.81 L"),
            quantity("mean_density", -823, "[hnsf'U]", "−823 HU"),
        ),
        source=TOOL,
    ),
    Evidence(
        id="E2",
        kind=EvidenceKind.FINDING,
        concept=Code(value="2", scheme="99SIGHTLINE", meaning="Nodule"),
        label="Left upper lobe nodule",
        side=Side.LEFT,
        anatomy="left upper lobe",
        descriptor="nodule",
        values=(quantity("long", 12.4, "mm", "12.4 mm"),),
        source=PERSON,
    ),
    Evidence(
        id="E3",
        kind=EvidenceKind.MEASUREMENT,
        concept=Code(value="3", scheme="99SIGHTLINE", meaning="Calcium"),
        label="Coronary calcium",
        source=TOOL,
        refusal=Refusal(code="no_region", reason="no cardiac region drawn"),
    ),
    Evidence(
        id="E4",
        kind=EvidenceKind.CANDIDATE,
        concept=Code(value="4", scheme="99SIGHTLINE", meaning="Opacity"),
        label="Opacity",
        side=Side.RIGHT,
        source=TOOL,
    ),
)


def verdict(text: str, *ids: str, origin: Origin = Origin.MODEL) -> Verdict:
    sentence = Sentence(
        id="S1",
        section=Section.FINDINGS,
        text=text,
        origin=origin,
        citations=tuple(Citation(evidence_id=i, span=Span(start=0, end=len(text))) for i in ids),
    )
    return check_sentence(sentence, LEDGER).verdict


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Right lung volume 2.81 L, mean density −823 HU.", ("E1",)),
        ("Nodule in the left upper lobe, 12.4 mm.", ("E2",)),
        ("1. Left upper lobe nodule, 12.4 mm.", ("E2",)),
    ],
)
def test_what_the_ledger_holds_is_supported(text: str, ids: tuple[str, ...]) -> None:
    assert verdict(text, *ids) is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Right lung volume 2.82 L.", ("E1",)),
        ("Right lung volume 2.81 mL.", ("E1",)),
        ("Left lung volume 2.81 L.", ("E1",)),
        ("Mean density 823 HU in the right lung.", ("E1",)),
        ("Nodule in the right upper lobe, 12.4 mm.", ("E2",)),
        ("Mass in the left upper lobe, 12.4 mm.", ("E2",)),
        ("Nodule in the left upper lobe, 12.4x9.9 mm.", ("E2",)),
        ("Two nodules in the left upper lobe.", ("E2",)),
        ("The nodule in the left upper lobe has increased.", ("E2",)),
        ("No pleural effusion.", ("E1",)),
        ("Lungs are clear.", ()),
        ("Coronary calcium is low.", ("E3",)),
        ("Opacity on the right.", ("E4",)),
        ("Right lung volume 2.81 L.", ("E9",)),
        ("MRI shows the right lung.", ("E1",)),
        ("Uterus next to the right lung.", ("E1",)),
    ],
)
def test_a_machine_sentence_beyond_the_ledger_is_struck(text: str, ids: tuple[str, ...]) -> None:
    assert verdict(text, *ids) is Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("text", "ids", "expected"),
    [
        ("Nodule in the right upper lobe.", ("E2",), Verdict.BLOCKS),
        ("No nodule in the left lung.", (), Verdict.BLOCKS),
        ("The uterus is normal.", (), Verdict.BLOCKS),
        ("The nodule is stable.", ("E2",), Verdict.WEAK),
        ("Nodule of 14 mm in the left upper lobe.", ("E2",), Verdict.WEAK),
        ("No pleural effusion.", (), Verdict.UNCHECKED),
        ("Nodule in the left upper lobe, likely benign.", ("E2",), Verdict.SUPPORTED),
    ],
)
def test_a_persons_sentence_is_flagged_but_never_struck(
    text: str, ids: tuple[str, ...], expected: Verdict
) -> None:
    assert verdict(text, *ids, origin=Origin.PERSON) is expected
