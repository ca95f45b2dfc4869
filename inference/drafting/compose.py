"""Compose: let a model write the sentences of a plan, keep what is sound, name what is missing.

The model is asked for a few items at a time. Whatever it does (dies, hangs, ignores its grammar),
the sentences that were finished stay, and every item without a sentence is returned with a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from inference.drafting.grammar import ComposeError, ComposePlan, parse
from inference.drafting.items import Item
from inference.models.generation import Generate, Generation, ModelError
from reports.domain import Sentence

MOST_ITEMS = 8
"""Most items of one generation; the built-in model is trained on up to as many."""


@dataclass(frozen=True)
class NotComposed:
    """An item that has no sentence, with a stable code and a reason for the reader."""

    item: Item
    code: str
    reason: str


@dataclass(frozen=True)
class Composed:
    """What came out: sentences in order, what is missing, and each generation for the trace."""

    sentences: tuple[Sentence, ...]
    not_composed: tuple[NotComposed, ...]
    generations: tuple[Generation, ...]

    @property
    def complete(self) -> bool:
        """True when every item has its sentence."""
        return not self.not_composed


@dataclass
class _Stream:
    """Text so far of one generation, and the sentences in it that are finished."""

    plan: ComposePlan
    first: int
    on_sentence: Callable[[Sentence], None] | None
    text: str = ""
    told: int = 0
    sentences: tuple[Sentence, ...] = field(default=())

    def add(self, piece: str) -> None:
        self.text += piece
        if "\n" in piece and self.on_sentence is not None:
            self.read()

    def read(self) -> ComposeError | None:
        """Parse the text; return why it is not complete, or none."""
        problem = None
        try:
            found = parse(self.plan, self.text)
        except ComposeError as error:
            problem, found = error, error.sentences
        self.sentences = tuple(
            sentence.model_copy(update={"id": f"S{self.first + number}"})
            for number, sentence in enumerate(found)
        )
        for sentence in self.sentences[self.told :]:
            if self.on_sentence is not None:
                self.on_sentence(sentence)
        self.told = len(self.sentences)
        return problem


def compose(
    plan: ComposePlan,
    generate: Generate,
    *,
    seed: int = 0,
    on_sentence: Callable[[Sentence], None] | None = None,
    most_items: int = MOST_ITEMS,
) -> Composed:
    """Return the sentences that the model writes for a plan.

    Parameters
    ----------
    plan
        From `item_grammar`.
    generate
        `ModelClient.generate`, with cancel and deadline bound by the caller. Raises `ModelError`.
    on_sentence
        Called with each sentence as soon as it is finished, in order, in this thread.

    Notes
    -----
    Never raises for what a model does. After a `ModelError` no further items are asked for.
    """
    sentences: list[Sentence] = []
    missing: list[NotComposed] = []
    generations: list[Generation] = []
    failure: ModelError | None = None
    for part in plan.split(most_items):
        stream = _Stream(part, len(sentences) + 1, on_sentence)
        problem: ModelError | ComposeError | None = failure
        if failure is None:
            try:
                done = generate(
                    part.prompt, part.gbnf, seed=seed, max_tokens=part.longest + 1, on_token=stream.add
                )
                stream.text = done.text
                generations.append(done)
            except ModelError as error:
                failure = problem = error
            incomplete = stream.read()
            problem = problem or incomplete
        sentences += stream.sentences
        if problem is not None:
            missing += [
                NotComposed(planned.item, problem.code, str(problem))
                for planned in part.items[len(stream.sentences) :]
            ]
    return Composed(tuple(sentences), tuple(missing), tuple(generations))
