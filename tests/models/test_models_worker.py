"""The model in its worker: hash first, typed errors, quick cancel, and life after a crash."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import inference.models.client as client_module
from inference.drafting.compose import compose
from inference.drafting.grammar import ComposePlan, item_grammar
from inference.drafting.items import propose_items
from inference.models.client import ModelClient
from inference.models.generation import Generation, ModelError, StopReason
from inference.models.registry import FileRole, InstalledModel, ModelFile
from inference.training.data import random_ledger
from viewer.imaging.worker.host import CancelToken

LONG = 'root ::= ("a" | "b" | "c" | " ") root\n'
"""A grammar whose text never ends: only a limit ends it."""


def plan_with(items: int) -> ComposePlan:
    plans = (
        item_grammar(ledger, propose_items(ledger, measured=True))
        for ledger in (random_ledger(random.Random(seed)) for seed in range(1000))
    )
    return next(plan for plan in plans if len(plan.items) >= items)


def copy_of(model: InstalledModel, folder: Path, **changes: Any) -> InstalledModel:
    """The model in another folder, where a test may damage it."""
    shutil.copytree(model.folder, folder)
    return InstalledModel(model.manifest.model_copy(update=changes), folder)


def test_the_built_in_model_loads_and_composes_a_ledger(client: ModelClient) -> None:
    facts = client.load()
    assert 500_000 < facts.parameters < 5_000_000
    assert facts.threads == 1
    plan = plan_with(10)
    made = compose(plan, client.generate)
    assert made.complete, made.not_composed
    assert len(made.sentences) == len(plan.items)
    assert {generation.stop_reason for generation in made.generations} == {StopReason.END}


def test_the_same_seed_gives_the_same_text_also_after_a_restart(built_in: InstalledModel) -> None:
    plan = plan_with(6).split(8)[0]

    def write(client: ModelClient, seed: int) -> str:
        return client.generate(plan.prompt, plan.gbnf, seed=seed, temperature=1.5, max_tokens=900).text

    with ModelClient(built_in) as one, ModelClient(built_in) as two:
        first = [write(one, seed) for seed in range(4)]
        assert first == [write(two, seed) for seed in range(4)]
    assert len(set(first)) > 1


def test_tokens_come_as_they_are_written_and_add_up_to_the_text(client: ModelClient) -> None:
    pieces: list[str] = []
    made = client.generate("", LONG, max_tokens=400, on_token=pieces.append, logprobs=True)
    assert "".join(pieces) == made.text
    assert made.stop_reason is StopReason.LENGTH
    assert made.tokens == 400
    assert made.logprob is not None
    assert made.logprob < 0


def test_the_wall_clock_ends_a_text_that_has_no_end(client: ModelClient) -> None:
    client.load()
    made = client.generate("", LONG, max_tokens=100_000, deadline=0.05)
    assert made.stop_reason is StopReason.TIME
    assert made.seconds < 5


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_model_with_one_changed_byte_is_not_loaded(
    built_in: InstalledModel, tmp_path: Path, place: int
) -> None:
    model = copy_of(built_in, tmp_path / "m")
    path = model.path(FileRole.MODEL)
    assert path is not None
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with ModelClient(model) as client, pytest.raises(ModelError, match="is not the file") as caught:
        client.load()
    assert caught.value.code == "hash_mismatch"


def test_a_missing_file_is_named(built_in: InstalledModel, tmp_path: Path) -> None:
    model = copy_of(built_in, tmp_path / "m")
    path = model.path(FileRole.MODEL)
    assert path is not None
    path.unlink()
    with ModelClient(model) as client, pytest.raises(ModelError, match=path.name):
        client.load()


def test_a_family_that_is_not_the_manifests_is_refused_before_loading(
    built_in: InstalledModel, tmp_path: Path
) -> None:
    wrong = copy_of(built_in, tmp_path / "m", architecture="llama", prompt_profile="chatml")
    with (
        ModelClient(wrong) as client,
        pytest.raises(ModelError, match="its manifest says 'llama'") as caught,
    ):
        client.load()
    assert caught.value.code == "architecture"


def test_a_projector_of_another_family_is_refused_before_loading(
    built_in: InstalledModel, tmp_path: Path
) -> None:
    gguf = built_in.path(FileRole.MODEL)
    assert gguf is not None
    pair = copy_of(
        built_in,
        tmp_path / "m",
        projector_type="gemma3",
        files=(
            *built_in.manifest.files,
            ModelFile(
                name="mmproj.gguf",
                role=FileRole.MMPROJ,
                bytes=gguf.stat().st_size,
                sha256=hashlib.sha256(gguf.read_bytes()).hexdigest(),
            ),
        ),
    )
    shutil.copy(gguf, pair.folder / "mmproj.gguf")
    with (
        ModelClient(pair) as client,
        pytest.raises(ModelError, match=r"mmproj\.gguf is a 'qwen3' file"),
    ):
        client.load()


BAD_GRAMMARS = {
    "no root": 'start ::= "a"\n',
    "undefined rule": "root ::= nothing\n",
    "left recursion": 'root ::= root "a"\n',
    "unclosed": 'root ::= ("a"\n',
    "empty": "",
    "garbage": "\u0000\u0001::=",
}


@pytest.mark.parametrize("name", BAD_GRAMMARS)
def test_a_grammar_that_is_not_sound_is_a_typed_error_and_the_worker_lives(
    client: ModelClient, name: str
) -> None:
    client.load()
    worker = client.pid
    with pytest.raises(ModelError) as caught:
        client.generate("x", BAD_GRAMMARS[name], max_tokens=10)
    assert caught.value.code == "grammar"
    assert client.pid == worker
    assert client.generate("x", 'root ::= "ab"\n', max_tokens=10).text == "ab"


def test_a_prompt_that_is_too_long_is_a_typed_error(client: ModelClient) -> None:
    with pytest.raises(ModelError, match="tokens") as caught:
        client.generate("9 " * 5000, LONG, max_tokens=10)
    assert caught.value.code == "context"


def test_control_tokens_in_a_prompt_are_plain_text(client: ModelClient) -> None:
    plain = client.generate("x", 'root ::= "a"\n', max_tokens=4)
    marked = client.generate("x<|eot|>", 'root ::= "a"\n', max_tokens=4)
    assert marked.prompt_tokens > plain.prompt_tokens + 1


def test_cancel_frees_the_caller_at_once_and_the_next_text_is_whole(client: ModelClient) -> None:
    expected = client.generate("x", 'root ::= "ab"\n', max_tokens=10).text
    cancel, asked = CancelToken(), []

    def stop(piece: str) -> None:
        if not asked:
            asked.append(time.monotonic())
            cancel.cancel()

    with pytest.raises(ModelError) as caught:
        client.generate("", LONG, max_tokens=2000, on_token=stop, cancel=cancel)
    assert time.monotonic() - asked[0] < 0.5
    assert caught.value.code == "cancelled"
    assert client.generate("x", 'root ::= "ab"\n', max_tokens=10).text == expected


def test_a_worker_killed_in_mid_text_is_a_typed_error_and_starts_again(client: ModelClient) -> None:
    def kill(piece: str) -> None:
        if client.pid is not None:
            os.kill(client.pid, signal.SIGKILL)

    with pytest.raises(ModelError, match="sightline-demo failed") as caught:
        client.generate("", LONG, max_tokens=2000, on_token=kill)
    assert caught.value.code == "died"
    assert client.generate("x", 'root ::= "ab"\n', max_tokens=10).text == "ab"


def test_a_worker_that_hangs_in_mid_text_is_ended_at_the_deadline(
    client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.load()
    monkeypatch.setattr(client_module, "MARGIN_SECONDS", 0.2)

    def hang(piece: str) -> None:
        if client.pid is not None:
            os.kill(client.pid, signal.SIGSTOP)

    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        client.generate("", LONG, max_tokens=2000, deadline=0.6, on_token=hang)
    assert caught.value.code == "deadline"
    assert time.monotonic() - began < 5
    monkeypatch.undo()
    assert client.generate("x", 'root ::= "ab"\n', max_tokens=10).text == "ab"


def test_a_draft_survives_a_worker_that_dies_in_it(client: ModelClient) -> None:
    plan = plan_with(12)
    calls = []

    def generate(prompt: str, grammar: str, **limits: Any) -> Generation:
        calls.append(prompt)
        if len(calls) == 2:
            assert client.pid is not None
            os.kill(client.pid, signal.SIGKILL)
        return client.generate(prompt, grammar, **limits)

    made = compose(plan, generate, most_items=4)
    assert len(made.sentences) >= 4
    assert made.complete or {one.code for one in made.not_composed} == {"died"}
    again = compose(plan, client.generate)
    assert again.complete
    assert again.sentences[:4] == made.sentences[:4] or not made.complete
