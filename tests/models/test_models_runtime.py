"""The low-level loop stops within a step when asked, and asks the model only where it may choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from inference.models import runtime as runtime_module
from inference.models.registry import FileRole, InstalledModel
from inference.models.runtime import Aborted, Request, Runtime, physical_cores


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


def test_the_same_words_come_out_with_and_without_a_shortcut(
    made: Callable[[Callable[[], bool]], Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    grammar = 'root ::= "[E1] " ("Solid" | "Part-solid") " nodule" (", " | " of ") "9.8 × 8.7 mm.\\n"\n'
    model = made(lambda: False)
    short = model.generate(request("[E1] finding | nodule", grammar), lambda piece: None).text
    monkeypatch.setattr(model, "_only_way", lambda allowed: None)
    assert model.generate(request("[E1] finding | nodule", grammar), lambda piece: None).text == short


def test_characters_of_several_bytes_are_never_cut(
    made: Callable[[Callable[[], bool]], Runtime],
) -> None:
    pieces: list[str] = []
    written = made(lambda: False).generate(request("x", 'root ::= "−823 × 2 mm² °äß"\n'), pieces.append)
    assert "".join(pieces) == written.text == "−823 × 2 mm² °äß"
    assert "\ufffd" not in written.text
