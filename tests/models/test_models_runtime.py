"""The low-level loop stops within a step when asked, and asks the model only where it may choose."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from inference.drafting.grammar import item_grammar, parse
from inference.drafting.items import propose_items
from inference.models import runtime as runtime_module
from inference.models.registry import FileRole, InstalledModel
from inference.models.runtime import Aborted, Request, Runtime, physical_cores
from inference.training.data import random_ledger


def request(prompt: str, grammar: str, *, max_tokens: int = 200) -> Request:
    return Request("<|bos|>", prompt, "<|eot|>", grammar, max_tokens, seconds=60.0, logprobs=True)


@pytest.fixture
def made(built_in: InstalledModel) -> Iterator[Callable[[Callable[[], bool]], Runtime]]:
    """Makes runtimes of the built-in model in this process, and closes them."""
    path = built_in.path(FileRole.MODEL)
    opened: list[Runtime] = []

    def make(cancelled: Callable[[], bool]) -> Runtime:
        opened.append(Runtime(str(path), mmproj_path=None, context=2048, cancelled=cancelled))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_large_model_stops_within_a_step(
    made: Callable[[Callable[[], bool]], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "SMALL_MODEL", 0)
    asked: list[bool] = []

    def second_time() -> bool:
        asked.append(True)
        return len(asked) > 1

    model = made(second_time)
    assert model.threads == physical_cores()
    with pytest.raises(Aborted):
        model.read([5] * 400)  # one step: the first question comes before it, the second within
    model.cancelled = lambda: False
    assert model.generate(request("x", 'root ::= "ab"\n'), lambda piece: None).text == "ab"


def test_text_that_the_grammar_fixes_is_not_asked_of_the_model(
    made: Callable[[Callable[[], bool]], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(lambda: False)
    asked: list[int] = []
    logits = model.logits
    monkeypatch.setattr(model, "logits", lambda: asked.append(1) or logits())
    fixed = "Right lung volume 2.81 L, mean density −823 HU, 7.0 % below −950 HU."
    written = model.generate(request("x", f'root ::= "{fixed}"\n'), lambda piece: None)
    assert written.text == fixed
    assert asked == []
    assert written.logprob is None
    forked = model.generate(
        request("x", 'root ::= "Right lung " ("volume" | "density") " 2.81."\n'), lambda piece: None
    )
    assert forked.text in {"Right lung volume 2.81.", "Right lung density 2.81."}
    assert 1 <= len(asked) <= 3
    assert forked.logprob is not None


@pytest.mark.parametrize("shortcut", [True, False])
def test_texts_are_whole_and_in_the_grammar_with_and_without_the_shortcut(
    made: Callable[[Callable[[], bool]], Runtime], monkeypatch: pytest.MonkeyPatch, shortcut: bool
) -> None:
    model = made(lambda: False)
    if not shortcut:
        monkeypatch.setattr(model, "_fixed", lambda grammar: [])
    for seed in range(8):
        ledger = random_ledger(random.Random(seed))
        plan = item_grammar(ledger, propose_items(ledger, measured=True)).split(8)[0]
        asked = request(plan.prompt, plan.gbnf, max_tokens=plan.longest + 1)
        written = model.generate(replace(asked, temperature=1.0, seed=seed), lambda piece: None)
        assert len(parse(plan, written.text)) == len(plan.items)


def test_a_fork_behind_the_beginning_of_a_token_is_left_to_the_model(
    made: Callable[[Callable[[], bool]], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ " of" is one token, " 2" is two: taking the longer one would hide the other way."""
    grammar = 'root ::= "Right lung volume " ("2.81 L" | "of 2.81 L") "."\n'
    model = made(lambda: False)
    asked: list[int] = []
    logits = model.logits
    monkeypatch.setattr(model, "logits", lambda: asked.append(1) or logits())
    texts = {
        model.generate(replace(request("x", grammar), temperature=3.0, seed=seed), lambda p: None).text
        for seed in range(30)
    }
    assert texts == {"Right lung volume 2.81 L.", "Right lung volume of 2.81 L."}
    assert len(asked) >= 30


def test_characters_of_several_bytes_are_never_cut(
    made: Callable[[Callable[[], bool]], Runtime],
) -> None:
    pieces: list[str] = []
    written = made(lambda: False).generate(request("x", 'root ::= "−823 × 2 mm² °äß"\n'), pieces.append)
    assert "".join(pieces) == written.text == "−823 × 2 mm² °äß"
    assert "\ufffd" not in written.text
