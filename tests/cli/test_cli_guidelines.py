"""`sightline guideline`: advice with its node, what is missing, and wrong input, by exit code."""

from __future__ import annotations

import json

import pytest

from app.cli.main import run

SCREENED = ["setting=screening", "type=solid", "status=baseline"]


def test_advice_names_node_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guideline", "lung-rads-2022", *SCREENED, "size=7.2"]) == 0
    told = capsys.readouterr().out
    assert "Lung-RADS 3: low-dose CT at 6 months" in told
    assert "node: setting > type > solid status > solid 6 > solid 8 > solid 6 to <8" in told
    assert "American College of Radiology" in told


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guideline", "lung-rads-2022", *SCREENED]) == 2
    assert "Needed next: size (Mean diameter: mm)" in capsys.readouterr().out


def test_an_exclusion_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guideline", "fleischner-2017", "age=30", "--json"]) == 0
    assert "under 35" in json.loads(capsys.readouterr().out)["refuses"]["en"]


@pytest.mark.parametrize(
    "words", [["birads", "age=3"], ["fleischner-2017", "age=old"], ["fleischner-2017", "mood=good"]]
)
def test_wrong_input_is_refused_in_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guideline", *words]) == 2
    assert "sightline: " in capsys.readouterr().err
