"""A measurement becomes a finding by a person's word only, with words of the tables."""

from __future__ import annotations

import pytest

import resources
from inference.evidence.findings import FindingError, accept_finding, anatomies, descriptors, sides
from inference.evidence.quantities import quantity
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    Refusal,
    ReportDefault,
    Side,
    Source,
    SourceKind,
)
from viewer.imaging.regions import Region, Shape


def measured(side: Side = Side.RIGHT) -> Evidence:
    return Evidence(
        id="E5",
        kind=EvidenceKind.MEASUREMENT,
        concept=Code(value="52988006", scheme="SCT", meaning="Lesion"),
        label="Drawn region",
        side=side,
        values=(quantity("long", 16.04, uncertainty=0.7),),
        regions=(
            Region(
                shape=Shape.BOX, series_instance_uid="1", sop_instance_uid="2", points=((1, 1), (4, 4))
            ),
        ),
        source=Source(kind=SourceKind.TOOL, name="region-statistics", version="1"),
    )


def test_an_accepted_finding_is_the_persons_and_keeps_what_was_measured() -> None:
    before = measured()
    found = accept_finding(
        before, side=Side.RIGHT, anatomy="upper lobe", descriptor="nodule", person="Dr. A. Reader"
    )
    assert found.kind is EvidenceKind.FINDING
    assert found.source == Source(kind=SourceKind.PERSON, name="Dr. A. Reader")
    assert (found.values, found.regions) == (before.values, before.regions)
    assert found.report_default is ReportDefault.SENTENCE
    assert (found.side, found.anatomy, found.descriptor) == (Side.RIGHT, "upper lobe", "nodule")
    assert found.concept.value == "27925004"
    assert found.warnings == ()


def test_a_side_against_geometry_is_warned() -> None:
    found = accept_finding(
        measured(Side.RIGHT), side=Side.LEFT, anatomy="upper lobe", descriptor="nodule", person="R"
    )
    assert found.side is Side.LEFT
    assert any("right of the middle" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"person": " "}, "no_person"),
        ({"descriptor": "unicorn"}, "unknown_descriptor"),
        ({"anatomy": "left handlebar"}, "unknown_anatomy"),
        ({"anatomy": "rib"}, "wrong_anatomy"),
        ({"side": Side.UNKNOWN}, "wrong_side"),
        ({"side": Side.NONE}, "wrong_side"),
        ({"anatomy": "middle lobe", "side": Side.LEFT}, "wrong_side"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(change: dict[str, object], code: str) -> None:
    words: dict[str, object] = {
        "side": Side.RIGHT,
        "anatomy": "upper lobe",
        "descriptor": "nodule",
        "person": "R",
    }
    with pytest.raises(FindingError) as caught:
        accept_finding(measured(), **{**words, **change})  # type: ignore[arg-type]
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


def test_a_refusal_is_no_finding() -> None:
    refused = measured().model_copy(update={"refusal": Refusal(code="no_area", reason="No area.")})
    with pytest.raises(FindingError):
        accept_finding(refused, side=Side.RIGHT, anatomy="lung", descriptor="nodule", person="R")


def test_every_word_of_the_tables_can_be_used() -> None:
    for descriptor in descriptors():
        places = anatomies(descriptor)
        assert places
        for place in places:
            for side in sides(place):
                accept_finding(
                    measured(side), side=side, anatomy=place, descriptor=descriptor, person="R"
                )


def test_words_of_a_region_are_its_own() -> None:
    assert "upper lobe" in anatomies("nodule", "chest")
    assert "liver" not in anatomies("nodule", "chest")
    assert "rib" not in anatomies("nodule", "chest")


def test_no_word_of_the_tables_holds_a_digit() -> None:
    table = resources.table("phrases", "anatomy.json")
    words = [*descriptors(), *anatomies(), *table["body_parts"].values()]
    assert not [word for word in words if any(character.isdigit() for character in word)]
