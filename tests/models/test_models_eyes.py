"""The pair with eyes trains, goes on where it stopped, and llama.cpp computes what torch computes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("gguf")
pytest.importorskip("tokenizers")

from inference.models.look_form import FORMS, grammar, read  # noqa: E402
from inference.models.profiles import PROFILES  # noqa: E402
from inference.models.registry import MANIFEST, ModelRegistry  # noqa: E402
from inference.models.runtime import Request, Runtime, RuntimeRefusal  # noqa: E402
from inference.models.trust import Trust  # noqa: E402
from inference.training.eyes import train as training  # noqa: E402
from inference.training.eyes.export import export_pair, load  # noqa: E402
from inference.training.eyes.lessons import Teacher, form_of  # noqa: E402
from inference.training.eyes.measure import MEASURES, Seen, measure  # noqa: E402
from inference.training.eyes.model import EyesShape, Pair  # noqa: E402
from inference.training.eyes.optimiser import orthogonalised  # noqa: E402
from inference.training.eyes.pictures import HELD_OUT_SEED, Picture, picture  # noqa: E402
from inference.training.eyes.release import CARD, MMPROJ, MODEL, release  # noqa: E402
from inference.training.eyes.train import FIRST_EDITION, Plan, train  # noqa: E402
from inference.training.eyes.vocabulary import first_edition  # noqa: E402
from inference.training.model import ModelShape  # noqa: E402

EYES = EyesShape(width=64, feed_forward=96, layers=1, heads=2)
LANGUAGE = ModelShape(
    width=64, feed_forward=96, layers=2, heads=2, key_value_heads=1, head_width=32, context=256
)


def plan(steps: int) -> Plan:
    return Plan(minutes=5, steps=steps, batch=2, encoder_share=0.25, text_every=0)


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """One thread, and few pictures for the first filters."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "WHITENED", 8)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pair after four steps, the first of them of the encoder alone."""
    out = tmp_path_factory.mktemp("eyes")
    run = train(out, plan(4), shape=EYES, language=LANGUAGE)
    assert run.step == 4
    return out


@pytest.fixture(scope="module")
def drawn() -> list[Picture]:
    return [picture(HELD_OUT_SEED, number) for number in range(6)]


def runtime_of(folder: Path, into: Path, weights: str) -> tuple[Runtime, Pair, Any]:
    pair, tokenizer = load(folder)
    model, mmproj = into / "model.gguf", into / "mmproj.gguf"
    export_pair(pair, tokenizer, model, mmproj, weights=weights)
    runtime = Runtime(str(model), mmproj_path=str(mmproj), context=256, cancelled=lambda: False)
    return runtime, pair, tokenizer


def cosine(a: Any, b: Any) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(("weights", "least"), [("f32", 0.9999), ("q8_0", 0.997)])
def test_llama_cpp_sees_what_torch_sees(
    folder: Path, drawn: list[Picture], tmp_path: Path, weights: str, least: float
) -> None:
    runtime, pair, tokenizer = runtime_of(folder, tmp_path, weights)
    teacher = Teacher(tokenizer, pair.eyes.shape)
    try:
        for one in drawn[:3]:
            rgb = one.pixels[..., None].repeat(3, 2)
            with torch.no_grad():
                seen = pair.eyes.project(pair.eyes.features(torch.from_numpy(one.pixels)[None]))
                question = torch.tensor([teacher.question(one.view.value)])
                states = pair.states(torch.tensor(teacher.before), seen, question)
                mine = pair.language.logits(states)[0, -1].numpy()
            assert runtime.projector is not None
            theirs = runtime.projector.embeddings(rgb, pair.language.shape.width)
            assert theirs.shape == (EYES.tokens, 64)
            each = [cosine(a, b) for a, b in zip(seen[0].numpy(), theirs, strict=True)]
            assert min(each) > least
            profile = PROFILES["sightline"]
            request = Request(
                before=profile.before, prompt=one.view.value, after=profile.after,
                grammar='root ::= "<nodule>" | "<mass>"\n', max_tokens=1, seconds=60, picture=rgb,
            )  # fmt: skip
            runtime.generate(request, lambda piece: None)
            assert cosine(mine, runtime.logits()) > least
    finally:
        runtime.close()


def test_a_form_is_written_under_its_grammar_with_a_probability_at_each_choice(
    folder: Path, drawn: list[Picture], tmp_path: Path
) -> None:
    runtime, _, _ = runtime_of(folder, tmp_path, "q8_0")
    profile = PROFILES["sightline"]
    try:
        for one in drawn[:3]:
            kinds = FORMS[one.view.value]
            request = Request(
                before=profile.before, prompt=one.view.value, after=profile.after,
                grammar=grammar(kinds), max_tokens=900, seconds=60, choices=True,
                picture=one.pixels[..., None].repeat(3, 2),
            )  # fmt: skip
            made = runtime.generate(request, lambda piece: None)
            read(made.text, kinds)
            assert made.prompt_tokens > EYES.tokens
            assert all(0 <= choice.probability <= 1 for choice in made.choices)
            assert all(made.text.startswith(c.text, c.start) for c in made.choices)
    finally:
        runtime.close()


def test_a_model_without_a_projector_says_that_it_sees_nothing(drawn: list[Picture]) -> None:
    runtime = Runtime(str(FIRST_EDITION), mmproj_path=None, context=256, cancelled=lambda: False)
    request = Request(
        before="", prompt="x", after="", grammar='root ::= "a"\n', max_tokens=2, seconds=5,
        picture=drawn[0].pixels[..., None].repeat(3, 2),
    )  # fmt: skip
    try:
        with pytest.raises(RuntimeRefusal, match="no projector") as caught:
            runtime.generate(request, lambda piece: None)
        assert caught.value.code == "projector"
    finally:
        runtime.close()


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path) -> None:
    # A shorter plan stands for the stop: with the same rate throughout it makes the same steps.
    first, whole = (
        Plan(minutes=60, steps=steps, batch=2, encoder_share=0, steady_share=0.99, text_every=0)
        for steps in (1, 2)
    )
    straight = train(tmp_path / "a", whole, shape=EYES, language=LANGUAGE)
    train(tmp_path / "b", first, shape=EYES, language=LANGUAGE)
    resumed = train(tmp_path / "b", whole, shape=EYES, language=LANGUAGE)
    assert (resumed.step, straight.step) == (2, 2)
    theirs = resumed.pair.state_dict()
    for name, ours in straight.pair.state_dict().items():
        assert torch.allclose(ours, theirs[name], atol=1e-4), name


def test_the_language_model_begins_as_the_first_edition() -> None:
    model, tokenizer = first_edition(FIRST_EDITION)
    assert model.shape.vocabulary % 32 == 0
    assert tokenizer.encode("<nodule><yes><right><000><127>").tokens == [
        "<nodule>", "<yes>", "<right>", "<000>", "<127>",
    ]  # fmt: skip
    runtime = Runtime(str(FIRST_EDITION), mmproj_path=None, context=256, cancelled=lambda: False)
    text = PROFILES["sightline"].wrap("[E3] finding: nodule, 12.4 mm")
    try:
        tokens = runtime.tokenize(text, control=True)
        assert tokenizer.encode(text).ids == tokens
        runtime.read(tokens)
        with torch.no_grad():
            mine = model.logits(model.states(torch.tensor([tokens])))[0, -1, :768].numpy()
        assert cosine(mine, runtime.logits()) > 0.999
    finally:
        runtime.close()


def test_form_and_truth_of_a_picture_say_the_same(drawn: list[Picture]) -> None:
    for one in drawn:
        entries = read(form_of(one), FORMS[one.view.value])
        assert [(e.kind, e.side) for e in entries] == [(f.kind, f.side) for f in one.findings]
        for entry, found in zip(entries, one.findings, strict=True):
            assert np.allclose(np.array(entry.box) * 192, found.box, atol=1.6)


def test_orthogonalised_matrices_have_equal_singular_values() -> None:
    made = orthogonalised(torch.randn(2, 24, 40, generator=torch.Generator().manual_seed(3)))
    values = torch.linalg.svdvals(made)
    assert 0.5 < float(values.min()) < float(values.max()) < 1.6


def test_a_run_is_released_with_manifest_and_card(folder: Path, tmp_path: Path) -> None:
    manifest = release(folder, tmp_path / "eyes", pictures=3, ledgers=0)
    trust = Trust(allowed=frozenset(file.sha256 for file in manifest.files))
    registry = ModelRegistry(tmp_path / "home", built_in=tmp_path / "none", trust=lambda: trust)
    registry.add(tmp_path / "eyes" / MODEL, tmp_path / "eyes" / MMPROJ, tmp_path / "eyes" / MANIFEST)
    assert registry.verify(manifest.name).manifest == manifest
    figures = {quality.name: quality.value for quality in manifest.quality}
    assert set(MEASURES) <= set(figures)
    card = (tmp_path / "eyes" / CARD).read_text(encoding="utf-8")
    assert manifest.sha256 in card
    assert f"| finding F1 | {figures['finding F1']:g} |" in card


def test_a_model_that_knows_the_truth_has_full_marks_and_a_blind_one_has_none() -> None:
    truth = {one.pixels.tobytes(): one for one in (picture(HELD_OUT_SEED, n) for n in range(20))}

    def knows(rgb: Any, view: Any) -> Seen:
        one = truth.get(rgb[..., 0].tobytes())
        kinds = FORMS[view.value]
        entries = read(form_of(one), kinds) if one is not None else ()
        return Seen(entries, {kind: float(any(e.kind == kind for e in entries)) for kind in kinds})

    known = measure(knows, 20)
    assert known.figures["finding F1"] == known.figures["laterality"] == 1
    assert known.figures["mean IoU"] > 0.9
    assert known.figures["ECE of all answers"] == 0
    blind = measure(lambda rgb, view: Seen((), dict.fromkeys(FORMS[view.value], 0.4)), 20)
    assert blind.figures["finding F1"] == 0
    assert blind.figures["pictures without a finding called so"] == 1
    low, high = blind.intervals["ECE of all answers"]
    assert low <= blind.figures["ECE of all answers"] <= high
