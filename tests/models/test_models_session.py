"""What several texts share is read once, and changes no bit of what the model says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from inference.models import runtime as runtime_module
from inference.models.client import ModelClient
from inference.models.generation import ModelError
from inference.models.registry import FileRole, InstalledModel, read_manifest
from inference.models.runtime import Aborted, Request, Runtime

GRAMMAR = 'root ::= ("lung" | "no" | "a") "."\n'
QUESTIONS = tuple(f"claim {number}: a nodule in the right lung" for number in range(10))


@pytest.fixture(scope="module", params=["medgemma", "qwen3vl"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny pair of random weights; the second numbers its image tokens in two directions."""
    pytest.importorskip("gguf", reason="writes a model with the extra 'train'")
    from inference.training.tiny_pairs import write_pair

    folder = tmp_path_factory.mktemp(request.param)
    write_pair(request.param, folder)
    return folder


@pytest.fixture
def seeing(pair: Path) -> Iterator[Runtime]:
    made = Runtime(
        str(pair / "model.gguf"),
        mmproj_path=str(pair / "mmproj.gguf"),
        context=1024,
        cancelled=lambda: False,
    )
    yield made
    made.close()


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def ask(question: str, shown: np.ndarray | None, prefix: str = "Ledger: E1 lung. ") -> Request:
    return Request(
        "Look: ", question, "Answer: ", GRAMMAR, 8, 60.0, picture=shown, prefix=prefix,
        choices=True,
    )  # fmt: skip


def answer(model: Runtime, request: Request) -> tuple[str, bytes, int]:
    made = model.generate(request, lambda piece: None)
    return made.text, model.logits().tobytes(), made.prompt_tokens


def count_reads(model: Runtime, patch: pytest.MonkeyPatch) -> list[int]:
    """Count the pictures that the projector reads from now on."""
    seen: list[int] = []
    assert model.projector is not None
    read = model.projector.read
    patch.setattr(model.projector, "read", lambda *a, **k: seen.append(1) or read(*a, **k))
    return seen


def test_follow_up_claims_on_one_picture_read_it_once_and_are_the_same_to_the_bit(
    seeing: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = count_reads(seeing, monkeypatch)
    kept = [answer(seeing, ask(question, picture(1))) for question in QUESTIONS]
    assert len(reads) == 1
    for question, before in zip(QUESTIONS, kept, strict=True):
        seeing.clear()
        assert answer(seeing, ask(question, picture(1))) == before
    assert len(reads) == 1 + len(QUESTIONS)
    assert len({logits for _, logits, _ in kept}) > 1


@pytest.mark.parametrize(
    ("shown", "prefix"),
    [(2, "Ledger: E1 lung. "), (1, "Ledger: E2 lung. "), (None, "Ledger: E1 lung. ")],
)
def test_another_picture_or_beginning_is_never_answered_from_what_was_kept(
    seeing: Runtime, shown: int | None, prefix: str
) -> None:
    other = ask(QUESTIONS[0], None if shown is None else picture(shown), prefix)
    alone = answer(seeing, other)
    seeing.clear()
    first = answer(seeing, ask(QUESTIONS[0], picture(1)))
    assert answer(seeing, other) == alone
    assert alone[1] != first[1]


def test_what_was_kept_survives_a_cancel_and_a_question_that_is_too_long(
    seeing: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = count_reads(seeing, monkeypatch)
    first = answer(seeing, ask(QUESTIONS[0], picture(1)))
    seeing.cancelled = lambda: True
    with pytest.raises(Aborted):
        seeing.generate(ask(QUESTIONS[1], picture(1)), lambda piece: None)
    seeing.cancelled = lambda: False
    with pytest.raises(runtime_module.RuntimeRefusal, match="reads at most"):
        seeing.generate(ask("lung " * 2000, picture(1)), lambda piece: None)
    assert answer(seeing, ask(QUESTIONS[0], picture(1))) == first
    assert len(reads) == 1


def test_a_cancel_while_the_picture_is_read_leaves_nothing_half_read(seeing: Runtime) -> None:
    first = answer(seeing, ask(QUESTIONS[0], picture(1)))
    asked: list[int] = []

    def later() -> bool:
        asked.append(1)
        return True

    seeing.cancelled = later
    with pytest.raises(Aborted):
        seeing.generate(ask(QUESTIONS[0], picture(2)), lambda piece: None)
    seeing.cancelled = lambda: False
    assert answer(seeing, ask(QUESTIONS[0], picture(1))) == first


def test_a_picture_goes_to_the_worker_and_its_choices_come_back(pair: Path) -> None:
    with ModelClient(
        InstalledModel(read_manifest(pair / "manifest.json"), pair, built_in=False)
    ) as client:
        with client.session(picture(1), "Ledger: E1 lung. ") as session:
            heard: list[str] = []
            made = session.generate(QUESTIONS[0], GRAMMAR, choices=True, on_token=heard.append)
            again = session.generate(QUESTIONS[0], GRAMMAR, choices=True)
        assert "".join(heard) == made.text
        assert (again.text, again.choices) == (made.text, made.choices)
        assert made.choices
        assert all(0 < choice.probability <= 1 for choice in made.choices)
        with client.session(prefix="Ledger: E1 lung. ") as blind:
            less = blind.generate(QUESTIONS[0], GRAMMAR)
        assert less.prompt_tokens < made.prompt_tokens


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_an_array_that_is_no_picture_is_refused(client: ModelClient, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="three channels"):
        client.session(np.zeros(shape, np.uint8))


def test_a_model_without_eyes_says_so(client: ModelClient) -> None:
    with (
        client.session(picture(1)) as session,
        pytest.raises(ModelError, match="sees no pictures"),
    ):
        session.generate("x", GRAMMAR)


def test_a_shared_beginning_makes_no_difference_to_a_text_alone(
    built_in: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Runtime(
        str(built_in.path(FileRole.MODEL)), mmproj_path=None, context=2048, cancelled=lambda: False
    )
    lengths: list[int] = []
    read: Callable[..., None] = model.read
    monkeypatch.setattr(model, "read", lambda tokens: lengths.append(len(tokens)) or read(tokens))
    request = Request("<|bos|>", "x", "<|eot|>", GRAMMAR, 8, 60.0, prefix="lung " * 200)
    first = answer(model, request)
    long = max(lengths)
    lengths.clear()
    assert answer(model, request) == first
    assert max(lengths) < long / 10
    model.close()
