"""Guidelines give the published answer, ask for what is missing, and say which node answered."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from pydantic import ValidationError

import resources
from inference.validation.guidelines import (
    Advice,
    Asked,
    Guideline,
    GuidelineError,
    InputKind,
    Value,
    advise,
    guidelines,
    guidelines_for,
)

FLEISCHNER, LUNG_RADS, TI_RADS = (
    guidelines()[name] for name in ("fleischner-2017", "lung-rads-2022", "ti-rads-2017")
)
ADULT: dict[str, Value] = {
    "age": 61, "setting": "incidental", "known_cancer": False, "immunosuppressed": False,
}  # fmt: skip


def advice(guideline: Guideline, **confirmed: Value) -> Advice:
    found = advise(guideline, confirmed)
    assert isinstance(found, Advice), found
    return found


@pytest.mark.parametrize(
    ("kind", "count", "size", "risk", "said"),
    [
        ("solid", "single", 5.4, "low", "no routine follow-up"),
        ("solid", "single", 5.4, "high", "optional CT at 12 months"),
        ("solid", "single", 5.5, "low", "CT at 6 to 12 months, then consider CT at 18 to 24 months"),
        ("solid", "single", 8.4, "high", "CT at 6 to 12 months, then CT at 18 to 24 months"),
        ("solid", "single", 8.5, "low", "consider CT at 3 months, PET/CT or tissue sampling"),
        ("solid", "multiple", 5, "low", "no routine follow-up"),
        ("solid", "multiple", 5, "high", "optional CT at 12 months"),
        ("solid", "multiple", 30, "low", "CT at 3 to 6 months, then consider CT at 18 to 24 months"),
        ("solid", "multiple", 6, "high", "CT at 3 to 6 months, then CT at 18 to 24 months"),
        ("ground glass", "single", 5, "high", "no routine follow-up"),
        ("ground glass", "single", 6, "low", "CT at 6 to 12 months to confirm persistence"),
        ("part-solid", "single", 5, "low", "no routine follow-up"),
        ("part-solid", "single", 12, "low", "CT at 3 to 6 months to confirm persistence"),
        ("part-solid", "multiple", 5, "low", "CT at 3 to 6 months; if stable"),
        ("ground glass", "multiple", 6, "low", "by the most suspicious nodule"),
    ],
)
def test_fleischner(kind: str, count: str, size: float, risk: str, said: str) -> None:
    found = advice(FLEISCHNER, **ADULT, type=kind, count=count, size=size, risk=risk)
    assert found.text["en"].startswith(said) or said in found.text["en"]
    assert found.path[-1] in found.sentence()
    assert "Fleischner" in found.sentence("zh-CN")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"age": 34}, "under 35"),
        ({"setting": "screening"}, "Lung-RADS"),
        ({"known_cancer": True}, "known cancer"),
        ({"immunosuppressed": True}, "immunosuppressed"),
    ],
)
def test_fleischner_refuses_whom_it_is_not_for(change: dict[str, Value], why: str) -> None:
    found = advice(FLEISCHNER, **{**ADULT, **change})
    assert why in found.refuses["en"]
    assert not found.text


@pytest.mark.parametrize(
    ("kind", "status", "size", "core", "category"),
    [
        ("solid", "baseline", 5.9, 0, "2"), ("solid", "baseline", 6.0, 0, "3"),
        ("solid", "stable", 8.0, 0, "4A"), ("solid", "baseline", 15.0, 0, "4B"),
        ("solid", "new", 3.9, 0, "2"), ("solid", "new", 4.0, 0, "3"),
        ("solid", "new", 6.0, 0, "4A"), ("solid", "new", 8.0, 0, "4B"),
        ("solid", "growing", 7.9, 0, "4A"), ("solid", "growing", 8.0, 0, "4B"),
        ("part-solid", "baseline", 5.9, 0, "2"), ("part-solid", "baseline", 6.0, 5.9, "3"),
        ("part-solid", "baseline", 20.0, 6.0, "4A"), ("part-solid", "baseline", 20.0, 8.0, "4B"),
        ("part-solid", "new", 5.9, 0, "3"), ("part-solid", "growing", 9.0, 3.9, "4A"),
        ("part-solid", "new", 9.0, 4.0, "4B"),
        ("ground glass", "baseline", 29.9, 0, "2"), ("ground glass", "baseline", 30.0, 0, "3"),
        ("ground glass", "stable", 30.0, 0, "2"),
        ("juxtapleural", "baseline", 9.9, 0, "2"), ("juxtapleural", "baseline", 10.0, 0, "4A"),
    ],
)  # fmt: skip
def test_lung_rads(kind: str, status: str, size: float, core: float, category: str) -> None:
    found = advice(LUNG_RADS, setting="screening", type=kind, status=status, size=size, solid_size=core)
    assert found.category == category


@pytest.mark.parametrize(
    ("features", "size", "category", "said"),
    [
        (("cystic", "anechoic", "wider", "smooth"), 3.0, "TR1", "no fine-needle"),
        (("spongiform", "hypo", "taller", "lobulated"), 3.0, "TR1", "no fine-needle"),
        (("mixed", "hyper or iso", "wider", "smooth"), 3.0, "TR2", "no fine-needle"),
        (("solid", "hyper or iso", "wider", "smooth"), 2.5, "TR3", "fine-needle aspiration"),
        (("solid", "hyper or iso", "wider", "smooth"), 1.5, "TR3", "follow-up"),
        (("solid", "hyper or iso", "wider", "smooth"), 1.4, "TR3", "no fine-needle"),
        (("solid", "hypo", "wider", "smooth"), 1.5, "TR4", "fine-needle aspiration"),
        (("solid", "hypo", "wider", "smooth"), 1.0, "TR4", "follow-up"),
        (("solid", "very hypo", "taller", "smooth"), 1.0, "TR5", "fine-needle aspiration"),
        (("solid", "very hypo", "taller", "smooth"), 0.5, "TR5", "follow-up"),
        (("solid", "very hypo", "taller", "smooth"), 0.4, "TR5", "no fine-needle"),
    ],
)
def test_ti_rads(features: tuple[str, ...], size: float, category: str, said: str) -> None:
    names = ("composition", "echogenicity", "shape", "margin")
    foci = {"foci_macro": False, "foci_rim": False, "foci_punctate": False}
    found = advice(TI_RADS, **dict(zip(names, features, strict=True)), **foci, size=size)
    assert found.category == category
    assert found.text["en"].split(": ", 1)[1].startswith(said)


def test_echogenic_foci_add_up_and_one_point_is_not_assigned() -> None:
    features = {
        "composition": "cystic",
        "echogenicity": "anechoic",
        "shape": "wider",
        "margin": "smooth",
    }
    foci = {"foci_macro": True, "foci_rim": False, "foci_punctate": False}
    assert "not assigned" in advice(TI_RADS, **features, **foci).refuses["en"]
    foci = {"foci_macro": True, "foci_rim": True, "foci_punctate": True}
    assert advice(TI_RADS, **features, **foci, size=2.0).category == "TR4"


def test_what_nobody_confirmed_is_asked_for_one_by_one() -> None:
    confirmed: dict[str, Value] = {}
    given: dict[str, Value] = {
        **ADULT, "type": "solid", "count": "single", "size": 9.0,
    }  # fmt: skip
    asked = []
    while isinstance(found := advise(FLEISCHNER, confirmed), Asked):
        asked.append(found.input)
        confirmed[found.input] = given[found.input]
    assert asked == ["age", "setting", "known_cancer", "immunosuppressed", "type", "count", "size"]
    assert found.used == given, "risk is not asked where it changes nothing"


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", "large"), ("type", "cavitary"), ("known_cancer", "no"), ("mood", "good")],
)
def test_values_that_do_not_fit_are_refused_in_words(name: str, value: Value) -> None:
    with pytest.raises(GuidelineError):
        advise(FLEISCHNER, {name: value})


@pytest.mark.parametrize("guideline", guidelines().values(), ids=lambda one: one.name)
def test_every_combination_ends_in_a_leaf_with_words_in_both_languages(guideline: Guideline) -> None:
    numbers = (0.4, 1.0, 1.5, 2.5, 4.0, 5.9, 6.0, 7.0, 8.0, 8.9, 9.0, 10.0, 15.0, 30.0, 40.0)
    values: list[tuple[Value, ...]] = []
    for one in guideline.inputs.values():
        if one.kind is InputKind.NUMBER:
            values.append(numbers)
        else:
            values.append(tuple(one.choices) if one.kind is InputKind.CHOICE else (True, False))
    every = itertools.product(*values)
    ends = {
        advice(guideline, **dict(zip(guideline.inputs, row, strict=True))).path[-1]
        for row in itertools.islice(every, 0, None, 7)
    }
    assert ends <= set(guideline.leaves)
    for leaf in guideline.leaves.values():
        words = leaf.text or leaf.refuses
        assert set(words) == {"en", "zh-CN"} and all(words.values())


def test_a_tree_with_a_loose_end_is_not_loaded() -> None:
    whole: dict[str, Any] = copy.deepcopy(resources.table("guidelines", "fleischner-2017.json"))
    whole["nodes"]["age"]["no"] = "nowhere"
    with pytest.raises(ValidationError, match="nowhere"):
        Guideline.model_validate_json(json.dumps(whole))


def test_a_finding_knows_its_guidelines() -> None:
    assert {one.name for one in guidelines_for("nodule")} >= {"fleischner-2017", "lung-rads-2022"}
    assert guidelines_for("fracture") == ()
