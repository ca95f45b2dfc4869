"""Templates: every file reads, both languages are there, and the right one is chosen."""

from __future__ import annotations

import pytest

import resources
from app.normals import normals_for
from inference.drafting.templates import (
    NAMES,
    Language,
    never_negated,
    template_described,
    template_for,
    template_of,
    templates,
)
from reports.domain import Code, Evidence, EvidenceKind, Ledger, Section, Source, SourceKind


def test_every_file_is_a_template_and_bears_its_own_name():
    files = sorted(path.stem for path in resources.path("templates").glob("*.json"))
    assert files == sorted(NAMES)
    assert [one.name for one in templates()] == list(NAMES)


@pytest.mark.parametrize("one", templates(), ids=lambda one: one.name)
def test_ids_are_unique_findings_are_known_and_both_languages_say_something(one):
    known = resources.table("phrases", "findings.json")["descriptors"]
    assert len({organ.id for organ in one.organs}) == len(one.organs)
    for organ in one.organs:
        assert len({item.id for item in organ.items}) == len(organ.items)
        for words in [organ.heading, *(item.words for item in organ.items)]:
            assert words.of("en").isascii()
            assert one.name == "pet-ct" or not words.of("zh-CN").isascii()
        for item in organ.items:
            assert set(item.findings) <= set(known)
            assert (item.normal is None) == (one.form or item.id in {"density", "category"})


@pytest.mark.parametrize(
    ("modality", "region", "name"),
    [
        ("CT", "chest", "ct-chest"),
        ("CT", "chest, abdomen", "ct-chest"),
        ("CT", "pelvis", "ct-abdomen"),
        ("CT", "head", "ct-head"),
        ("CT", "knee", "general"),
        ("CT", "", "ct-chest"),
        ("DX", "chest", "cr-chest"),
        ("DX", "extremity", "general"),
        ("MR", "head", "mr-brain"),
        ("PT", "chest, abdomen", "pet-ct"),
        ("MG", "breast", "mammography"),
        ("US", "abdomen", "general"),
    ],
)
def test_modality_and_region_choose(modality, region, name):
    assert template_for(modality, region).name == name


def test_a_pet_beside_a_ct_is_a_pet_ct():
    pet = Evidence(
        id="E1",
        kind=EvidenceKind.TECHNIQUE,
        concept=Code(value="1", scheme="99", meaning="Technique"),
        label="Technique",
        source=Source(kind=SourceKind.TOOL, name="technique"),
        modality="PT",
    )
    ledger = Ledger(study_instance_uid="1.2", modality="CT", body_region="chest")
    assert template_of(ledger).name == "ct-chest"
    assert template_of(ledger.add(pet)).name == "pet-ct"


def test_what_no_machine_negates_is_marked():
    marked = {
        item.words.en
        for one in templates()
        for organ in one.organs
        for item in organ.items
        if item.never_negate
    }
    for term in (
        "haemorrhage",
        "infarct",
        "fracture",
        "embolism",
        "dissection",
        "pneumothorax",
        "free air",
    ):
        assert any(term in words for words in marked), term
    assert {"1386000", "80660001"} <= never_negated()
    form = template_for("MG")
    assert form.form and all(
        item.never_negate for side in ("left", "right") for item in form.organ(side).items
    )


def test_normals_come_from_the_template_in_the_language_asked():
    english = normals_for("CT", "CT THORAX routine")
    assert [n.organ for n in english][:3] == ["Lungs", "Airways", "Pleura"]
    assert english[0].text == "The lungs are clear."
    assert english[-1].section is Section.IMPRESSION
    chinese = normals_for("CT", "CT THORAX routine", Language.CHINESE)
    assert len(chinese) == len(english) and chinese[0].organ == "肺"
    assert normals_for("MG", "mammography") == () and normals_for("US", "liver") == ()
    assert template_described("CT", "liver").name == "ct-abdomen"
