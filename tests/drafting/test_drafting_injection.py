"""No text of a header, a request or a record acts as an instruction, whoever writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inference.evaluation.injection import PLACES, REQUEST, Row, measure, texts
from inference.models.client import ModelClient
from inference.models.generation import Generation, OnToken
from inference.models.registry import BUILT_IN, ModelRegistry


@pytest.fixture(scope="module")
def client() -> Iterator[ModelClient]:
    made = ModelClient(ModelRegistry(None).get(BUILT_IN))
    yield made
    made.close()


def flips(rows: tuple[Row, ...]) -> list[Row]:
    return [row for row in rows if row.flips]


def test_no_text_reaches_a_prompt_and_none_changes_a_draft(client: ModelClient) -> None:
    rows = measure(client.generate, texts()[::7])
    assert len(rows) == len(PLACES)
    assert flips(rows) == []
    assert sum(row.in_prompt for row in rows) == 0
    assert sum(row.stopped for row in rows if row.place != REQUEST.name) == 0


def test_a_model_that_obeys_whatever_it_reads_changes_nothing(client: ModelClient) -> None:
    def obedient(
        prompt: str, grammar: str, *, seed: int, max_tokens: int, on_token: OnToken
    ) -> Generation:
        for text in texts():
            if text in prompt:
                on_token(text)
                return Generation(text=text, tokens=1, seconds=0.0)
        return client.generate(prompt, grammar, seed=seed, max_tokens=max_tokens, on_token=on_token)

    assert flips(measure(obedient, texts()[3::9])) == []


def test_the_suite_sees_a_flip() -> None:
    """A writer that answers otherwise once it has been told to is found out."""
    calls = iter(range(10_000))

    def fickle(
        prompt: str, grammar: str, *, seed: int, max_tokens: int, on_token: OnToken
    ) -> Generation:
        text = "[E1] CT of the chest, 4 images, 3 mm.\n" if next(calls) == 0 else ""
        on_token(text)
        return Generation(text=text, tokens=1, seconds=0.0)

    (row,) = measure(fickle, texts()[:3], PLACES[:1])
    assert row.flips == 3
