"""From a ledger to a prompt and an item-locked grammar, and from a model's text back to sentences.

Each item is one line, ``[E2] Right lung volume 2.81 L.``, in a fixed order and locked to its
evidence. The grammar is the finite set of texts that the phrase table gives for that evidence, so
the parser needs no trust in the text: a line either *is* one of those texts, with slots and
citations known from the table, or it is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from inference.drafting.items import RULES, Item
from inference.drafting.phrases import Filled, PhraseTable, Relation, clean, phrase_table, slots_of
from inference.drafting.style import Style
from reports.domain import (
    Citation,
    Evidence,
    Ledger,
    Sentence,
    Side,
    Slot,
    Span,
)


class ComposeError(Exception):
    """A draft's text that its grammar cannot have produced; `sentences` holds what came before.

    Parameters
    ----------
    code
        One word: unknown_item, no_phrase, not_in_grammar, incomplete, extra_text.
    message
        What, where and what to do, in words for the reader. Never quotes the model's text.
    """

    def __init__(self, code: str, message: str, sentences: tuple[Sentence, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.sentences = sentences


@dataclass(frozen=True)
class PlannedItem:
    """An item with every sentence that may be written for it."""

    item: Item
    evidence: Evidence
    alternatives: tuple[Filled, ...]

    @property
    def head(self) -> str:
        """The start of this item's line, which locks it to its evidence."""
        return f"[{self.item.evidence_id}] "

    def line(self, filled: Filled) -> str:
        """Return the line of the model's text for one of the alternatives."""
        return f"{self.head}{filled.text}\n"


@dataclass(frozen=True)
class ComposePlan:
    """Everything that one generation needs, and what its text may be.

    Parameters
    ----------
    prompt
        Items in the compact form the built-in model was trained on; all text cleaned.
    gbnf
        Grammar for llama.cpp: nothing but the lines of `items`, in order.
    """

    prompt: str
    gbnf: str
    items: tuple[PlannedItem, ...]

    @property
    def prompt_sha256(self) -> str:
        """Hash of the prompt, for the trace."""
        return hashlib.sha256(self.prompt.encode()).hexdigest()

    @property
    def gbnf_sha256(self) -> str:
        """Hash of the grammar, for the trace."""
        return hashlib.sha256(self.gbnf.encode()).hexdigest()

    @property
    def longest(self) -> int:
        """Bytes of the longest text that the grammar allows: a bound for the tokens of an answer."""
        return sum(
            max(len(planned.line(filled).encode()) for filled in planned.alternatives)
            for planned in self.items
        )

    def split(self, most: int) -> tuple[ComposePlan, ...]:
        """Return plans of at most this many items each, in order; alternatives stay as they are."""
        return tuple(
            _plan_of(self.items[start : start + most]) for start in range(0, len(self.items), most)
        )


def item_grammar(
    ledger: Ledger,
    items: Iterable[Item],
    phrases: PhraseTable | None = None,
    wording: Style | None = None,
) -> ComposePlan:
    """Return prompt, grammar and alternatives for these items of the ledger.

    Parameters
    ----------
    wording
        A style that may leave one alternative of each item; without one all of them stay.

    Raises
    ------
    ComposeError
        An item names no usable evidence (`unknown_item`), or no phrase fits it (`no_phrase`).
    """
    table = phrases or phrase_table()
    planned: list[PlannedItem] = []
    for item in items:
        planned.append(_planned(ledger, item, planned, table))
    if wording is not None:
        planned = [_styled(one, wording, table.vocabulary.language) for one in planned]
    return _plan_of(tuple(planned))


def _styled(planned: PlannedItem, wording: Style, language: str) -> PlannedItem:
    keys = [filled.key for filled in planned.alternatives]
    kept = wording.leaves(planned.item.kind, language, keys, planned.alternatives)
    item = planned.item if wording.headings else replace(planned.item, organ="")
    return replace(planned, item=item, alternatives=kept)


def writable(
    ledger: Ledger, items: Iterable[Item], phrases: PhraseTable | None = None
) -> tuple[tuple[Item, ...], tuple[tuple[Item, ComposeError], ...]]:
    """Split items into those that can be written and those that cannot, with the reason."""
    table = phrases or phrase_table()
    good: list[Item] = []
    bad: list[tuple[Item, ComposeError]] = []
    for item in items:
        try:
            _planned(ledger, item, (), table)
            good.append(item)
        except ComposeError as error:
            bad.append((item, error))
    return tuple(good), tuple(bad)


def _planned(
    ledger: Ledger, item: Item, before: Sequence[PlannedItem], table: PhraseTable
) -> PlannedItem:
    evidence = ledger.get(item.evidence_id)
    rule = RULES[item.kind]
    if evidence is None or evidence.kind is not rule.evidence or evidence.refusal is not None:
        raise ComposeError(
            "unknown_item",
            f"{item.evidence_id} of the ledger is no {rule.evidence} that a sentence can state: "
            "leave it out, or measure it again.",
        )
    previous = before[-1] if before and before[-1].item.kind is item.kind else None
    relations = _relations(previous.evidence, evidence) if previous else frozenset()
    alternatives = table.alternatives(item.kind, ledger, evidence, relations)
    if not alternatives:
        raise ComposeError(
            "no_phrase",
            f"The phrase table has no {item.kind} sentence for {evidence.id} ({evidence.label}): its "
            "values stay in the ledger; write the sentence yourself.",
        )
    return PlannedItem(item, evidence, alternatives)


_OPPOSITE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def _relations(previous: Evidence, evidence: Evidence) -> frozenset[Relation]:
    found = set()
    if evidence.descriptor and previous.descriptor.casefold() == evidence.descriptor.casefold():
        found.add(Relation.REPEATS)
    if _OPPOSITE.get(evidence.side) is previous.side and {v.name for v in previous.values} == {
        v.name for v in evidence.values
    }:
        found.add(Relation.OPPOSITE)
    return frozenset(found)


def _plan_of(planned: tuple[PlannedItem, ...]) -> ComposePlan:
    return ComposePlan(
        prompt="".join(_prompt_line(one) for one in planned), gbnf=_gbnf(planned), items=planned
    )


def _prompt_line(planned: PlannedItem) -> str:
    """Return an item's line of the prompt: only what its sentence may state."""
    evidence = planned.evidence
    slots = slots_of(Ledger(study_instance_uid=""), evidence)
    stated = {value for filled in planned.alternatives for _, _, value in filled.slots}
    parts = [f"[{evidence.id}] {planned.item.kind}"]
    parts += [slots[name].text for name in ("descriptor", "place") if name in slots]
    parts += [f"{value.name} {value.text}" for value in evidence.values if value.name in stated]
    return clean(" | ".join(parts)) + "\n"


def _gbnf(planned: Sequence[PlannedItem]) -> str:
    rules = [f"root ::= {' '.join(f'i{number}' for number in range(len(planned))) or _literal('')}"]
    rules += [
        f"i{number} ::= {_tree([one.line(filled) for filled in one.alternatives])}"
        for number, one in enumerate(planned)
    ]
    return "\n".join(rules) + "\n"


def _tree(texts: Sequence[str]) -> str:
    """Return the texts as a grammar factored by common beginnings: one open branch at a time."""
    ends = len({text[:1] for text in texts}) > 1
    if not ends:
        shared = shared_start(texts)
        rest = sorted({text[len(shared) :] for text in texts})
        return _literal(shared) if rest == [""] else f"{_literal(shared)} {_tree(rest)}"
    branches: dict[str, list[str]] = {}
    for text in texts:
        branches.setdefault(text[:1], []).append(text)
    return f"( {' | '.join(_tree(group) for group in branches.values())} )"


def shared_start(texts: Sequence[str]) -> str:
    """Return the longest beginning that all the texts have."""
    first, last = min(texts), max(texts)
    length = next(
        (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return first[:length]


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def _literal(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def parse(plan: ComposePlan, text: str) -> tuple[Sentence, ...]:
    """Return the sentences of a model's text.

    Raises
    ------
    ComposeError
        A line is none of its item's texts (`not_in_grammar`), lines are missing (`incomplete`) or
        something follows (`extra_text`). The error holds the sentences before that place.
    """
    sentences: list[Sentence] = []
    rest = text
    for planned in plan.items:
        found = next((f for f in planned.alternatives if rest.startswith(planned.line(f))), None)
        if found is None:
            unfinished = any(planned.line(f).startswith(rest) for f in planned.alternatives)
            raise ComposeError(
                "incomplete" if unfinished else "not_in_grammar",
                f"The text of the model ends before the sentence for {planned.evidence.id} is done."
                if unfinished
                else f"The model wrote something for {planned.evidence.id} that the phrase table "
                "cannot have produced; it was left out.",
                tuple(sentences),
            )
        sentences.append(_sentence(len(sentences) + 1, planned, found))
        rest = rest[len(planned.line(found)) :]
    if rest:
        raise ComposeError(
            "extra_text",
            "The model wrote more than its sentences; the rest was left out.",
            tuple(sentences),
        )
    return tuple(sentences)


def _sentence(number: int, planned: PlannedItem, filled: Filled) -> Sentence:
    """Build a sentence from the plan: nothing of it comes from the model but the choice."""
    rule, evidence = RULES[planned.item.kind], planned.evidence
    others = dict(filled.others)
    said = Span(start=0, end=len(filled.text.rstrip(".\u3002")))
    return Sentence(
        id=f"S{number}",
        section=rule.section,
        text=filled.text,
        citations=(
            Citation(
                evidence_id=evidence.id,
                span=said,
                role=rule.role,
                region=0 if evidence.regions else None,
            ),
            *(Citation(evidence_id=other, span=said) for other in dict.fromkeys(others.values())),
        ),
        slots=tuple(
            Slot(
                span=Span(start=start, end=end),
                evidence_id=others.get(value, evidence.id),
                value=value,
            )
            for start, end, value in filled.slots
        ),
        origin=rule.origin,
        organ=planned.item.organ,
    )
