"""Tiny pairs of every family in llama.cpp: load, own prompt, image tokens, stream, cancel, form."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gguf", reason="writes the pairs with the extra 'train'")

from inference.models.boxes import Named
from inference.models.client import ModelClient
from inference.models.generation import ModelError
from inference.models.profiles import PROFILES, Profile
from inference.models.registry import InstalledModel, check_pair, read_manifest
from inference.models.runtime import BATCH, Aborted, Request, Runtime
from inference.training.tiny_pairs import (
    FAMILIES,
    MMPROJ,
    MODEL,
    WIDTH,
    Family,
    write_manifest,
    write_pair,
)

SEEING = [name for name, family in FAMILIES.items() if family.projector]
CANCEL_SECONDS = 0.1
SMALL = {"medgemma": (896, 896), "lingshu": (112, 140), "qwen3vl": (96, 128), "internvl": (448, 448)}
"""Pictures of few tokens, where the family allows that."""


@dataclass(frozen=True)
class Tiny:
    """A loaded pair."""

    family: Family
    profile: Profile
    runtime: Runtime
    folder: Path

    def ask(self, grammar: str, *, prompt: str = "What is there?", **more: object) -> Request:
        profile = self.profile
        return Request(
            before=profile.before + profile.instruction, prompt=prompt, after=profile.after,
            grammar=grammar, max_tokens=400, seconds=30, **more,
        )  # fmt: skip


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("tiny")
    return {name: write_pair(name, root / name).parent for name in FAMILIES}


def opened(folders: dict[str, Path], name: str) -> Tiny:
    family, folder = FAMILIES[name], folders[name]
    check_pair(read_manifest(folder / "manifest.json"))
    mmproj = str(folder / MMPROJ) if family.projector else None
    runtime = Runtime(str(folder / MODEL), mmproj_path=mmproj, context=4096, cancelled=lambda: False)
    return Tiny(family, PROFILES[family.profile], runtime, folder)


@pytest.fixture(scope="module", params=list(FAMILIES))
def tiny(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Iterator[Tiny]:
    made = opened(folders, request.param)
    yield made
    made.runtime.close()


@pytest.fixture(scope="module", params=SEEING)
def seeing(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Iterator[Tiny]:
    made = opened(folders, request.param)
    yield made
    made.runtime.close()


def test_the_tokens_of_the_own_template_are_control_tokens_and_those_of_a_text_are_not(
    tiny: Tiny,
) -> None:
    runtime, profile = tiny.runtime, tiny.profile
    for word in (*profile.stop, *profile.thinking):
        if word in tiny.family.control:
            assert len(runtime.tokenize(word, control=True)) == 1
            assert len(runtime.tokenize(word, control=False)) > 1
    begins = [word for word in tiny.family.control if profile.before.startswith(word)]
    assert len(begins) == 1
    assert runtime.tokenize(profile.before, control=True)[0] == tiny.family.control.index(begins[0])


def test_text_is_written_in_pieces_under_a_grammar_the_same_every_time(tiny: Tiny) -> None:
    request = tiny.ask('root ::= "[E1] " ("lung" | "nodule") " " [a-z ]{40} "."\n')
    pieces: list[str] = []
    made = tiny.runtime.generate(request, pieces.append)
    assert made.text.startswith(("[E1] lung ", "[E1] nodule "))
    assert made.text.endswith(".")
    assert "".join(pieces) == made.text
    assert len(pieces) > 20
    assert tiny.runtime.generate(request, lambda _: None).text == made.text


def test_a_thought_cannot_be_written(tiny: Tiny) -> None:
    made = tiny.runtime.generate(tiny.ask("root ::= [a-z ]{60}\n", temperature=3.0), lambda _: None)
    assert len(made.text) == 60
    assert "<" not in made.text


def test_a_cancel_is_heard_within_a_tenth_of_a_second(tiny: Tiny) -> None:
    told: list[float] = []
    tiny.runtime.cancelled = lambda: bool(told)

    def emit(_: str) -> None:
        if not told:
            told.append(time.monotonic())

    try:
        with pytest.raises(Aborted):
            tiny.runtime.generate(tiny.ask("root ::= [a-z ]{300}\n"), emit)
        assert time.monotonic() - told[0] < CANCEL_SECONDS
    finally:
        tiny.runtime.cancelled = lambda: False


def test_a_prepared_picture_takes_the_tokens_that_the_profile_says(seeing: Tiny) -> None:
    plan, projector = seeing.profile.picture, seeing.runtime.projector
    assert plan is not None
    assert projector is not None
    grey = np.random.default_rng(0).integers(0, 255, (300, 420), dtype=np.uint8)
    fit = plan.prepare(*grey.shape)
    width = WIDTH * (2 if seeing.family.architecture == "qwen3vl" else 1)
    tokens = projector.embeddings(np.repeat(fit.apply(grey)[..., None], 3, axis=2), width)
    assert len(tokens) == plan.tokens(fit)
    assert np.isfinite(tokens).all()


def test_a_box_is_written_about_a_picture_and_read_back(seeing: Tiny) -> None:
    """Random weights write some box; it is one of the convention, and lies in the picture."""
    form, shape = (
        seeing.profile.box_format,
        SMALL[next(n for n in SEEING if FAMILIES[n] is seeing.family)],
    )
    assert form is not None
    picture = np.zeros((*shape, 3), np.uint8)
    one = form.grammar(["nodule"], size=shape, most=1).replace(")? ", ") ")
    made = seeing.runtime.generate(seeing.ask(one, picture=picture, temperature=1.0), lambda _: None)
    (found,) = form.parse(made.text, size=shape)
    assert found.label == "nodule"
    assert all(0 <= value <= 1 for value in found.box)
    assert made.prompt_tokens > 12
    written = form.write([Named("nodule", found.box)], size=shape)
    assert form.parse(written, size=shape) == (found,)


@pytest.mark.parametrize("name", ["lingshu", "qwen3vl"])
def test_a_picture_of_more_tokens_than_are_read_at_once_is_read_in_parts(
    folders: dict[str, Path], name: str
) -> None:
    made = opened(folders, name)
    plan = made.profile.picture
    assert plan is not None
    height, width = plan.prepare(500, 500).shape
    picture = np.zeros((height, width, 3), np.uint8)
    request = made.ask('root ::= "yes" | "no"\n', picture=picture)
    try:
        answered = made.runtime.generate(request, lambda _: None)
    finally:
        made.runtime.close()
    assert answered.text in {"yes", "no"}
    assert answered.prompt_tokens > plan.tokens(plan.prepare(500, 500)) > BATCH


@pytest.mark.parametrize(("name", "other"), [("lingshu", "medgemma"), ("internvl", "qwen3vl")])
def test_a_projector_of_another_family_of_equal_width_is_refused(
    folders: dict[str, Path], tmp_path: Path, name: str, other: str
) -> None:
    folder = tmp_path / name
    shutil.copytree(folders[name], folder)
    shutil.copyfile(folders[other] / MMPROJ, folder / MMPROJ)
    path = write_manifest(name, folder, {MODEL: "model", MMPROJ: "mmproj"})
    model = InstalledModel(read_manifest(path), folder)
    with ModelClient(model) as client, pytest.raises(ModelError, match="its manifest says") as wrong:
        client.load()
    assert wrong.value.code == "projector"
