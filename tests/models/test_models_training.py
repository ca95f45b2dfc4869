"""The training script trains, and llama.cpp computes what torch computes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("gguf")
pytest.importorskip("tokenizers")

from inference.models.profiles import PROFILES  # noqa: E402
from inference.models.runtime import Runtime  # noqa: E402
from inference.training import train as training  # noqa: E402
from inference.training.data import Sample, preferred, samples  # noqa: E402
from inference.training.export import export  # noqa: E402
from inference.training.model import ModelShape  # noqa: E402

SHAPE = ModelShape(width=64, feed_forward=96, layers=2, heads=4, key_value_heads=2, head_width=16)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model after a few steps."""
    out = tmp_path_factory.mktemp("run")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    patch = pytest.MonkeyPatch()
    patch.setattr(training, "TOKENIZER_SAMPLES", 300)
    record = training.train(out, steps=30, tokens=1024, shape=SHAPE)
    patch.undo()
    torch.set_num_threads(threads)
    assert record["steps"] == 30
    assert record["loss"] < 6.0 < np.log(SHAPE.vocabulary)
    return out


@pytest.fixture(scope="module")
def held_out() -> list[Sample]:
    return list(itertools.islice(samples(training.HELD_OUT_SEED), 6))


def test_the_run_can_be_gone_on_with(run: Path, tmp_path: Path) -> None:
    record = training.train(tmp_path, steps=2, tokens=512, start=run)
    assert record["shape"]["width"] == SHAPE.width
    assert (tmp_path / "tokenizer.json").read_bytes() == (run / "tokenizer.json").read_bytes()


@pytest.mark.parametrize(("weights", "least"), [("f32", 0.99999), ("q8_0", 0.999)])
def test_llama_cpp_gives_the_logits_of_torch(
    run: Path, held_out: list[Sample], tmp_path: Path, weights: str, least: float
) -> None:
    model, tokenizer = training.load(run)
    path = tmp_path / "model.gguf"
    export(model, tokenizer, path, weights=weights)
    runtime = Runtime(str(path), mmproj_path=None, context=1024, cancelled=lambda: False)
    try:
        for sample in held_out:
            text = PROFILES["sightline"].wrap(sample.plan.prompt) + sample.answer[:60]
            tokens = tokenizer.encode(text).ids
            assert runtime.tokenize(text, control=True) == tokens
            with torch.no_grad():
                mine = model.logits(model.states(torch.tensor([tokens])))[0, -1].numpy()
            runtime.clear()
            runtime.read(tokens)
            theirs = runtime.logits().copy()
            cosine = mine @ theirs / (np.linalg.norm(mine) * np.linalg.norm(theirs))
            assert cosine > least
    finally:
        runtime.close()


def test_the_same_seed_gives_the_same_samples_and_the_held_out_ones_differ() -> None:
    first, again = (list(itertools.islice(samples(3), 20)) for _ in range(2))
    assert [(s.plan.prompt, s.answer) for s in first] == [(s.plan.prompt, s.answer) for s in again]
    held = {s.plan.prompt for s in itertools.islice(samples(training.HELD_OUT_SEED), 200)}
    seen = {s.plan.prompt for s in itertools.islice(samples(training.TRAINING_SEED + 1), 200)}
    long = {prompt for prompt in held & seen if len(prompt) > 120}
    assert not long


def test_most_answers_follow_the_style_and_some_do_not() -> None:
    lines = [
        (a, b)
        for sample in itertools.islice(samples(4), 300)
        for a, b in zip(sample.answer.splitlines(), sample.styled.splitlines(), strict=True)
    ]
    share = sum(a == b for a, b in lines) / len(lines)
    assert 0.85 < share < 0.99


def test_the_style_is_one_of_the_allowed_sentences() -> None:
    for sample in itertools.islice(samples(5), 100):
        for planned in sample.plan.items:
            assert preferred(planned, sample.plan) in planned.alternatives
