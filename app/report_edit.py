"""What happens to one sentence when a person edits it: spans follow the text, slots detach. No Qt.

Every function takes a frozen `Sentence` and returns a new one. Offsets are in characters of the
sentence's text.
"""

from __future__ import annotations

import difflib
import re
from typing import TypeVar

from reports.domain import (
    Citation,
    Origin,
    Review,
    Section,
    Sentence,
    Side,
    Slot,
    Span,
    Verdict,
)

OPPOSITE: dict[str, str] = {"left": "right", "right": "left"}
"""Words that a flip of side exchanges."""

_Spanned = TypeVar("_Spanned", Citation, Slot)

_SIDE_WORD = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_TOKEN = re.compile(r"\w+|\s|[^\w\s]")


class NoSideError(ValueError):
    """A flip was asked of a sentence that names no side."""


def _plain(text: str) -> str:
    """Return text with no-break spaces as spaces: they are a matter of display only."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


class _Mapping:
    """Where each offset of the old text lies in the new one."""

    def __init__(self, old: str, new: str) -> None:
        olds, news = _TOKEN.findall(old), _TOKEN.findall(new)
        matcher = difflib.SequenceMatcher(
            a=[_plain(token) for token in olds], b=[_plain(token) for token in news], autojunk=False
        )
        old_at, new_at = _offsets(olds), _offsets(news)
        self.parts = [
            (tag, old_at[i1], old_at[i2], new_at[j1], new_at[j2])
            for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        ]

    def move(self, span: Span) -> tuple[Span, bool]:
        """Return the span in the new text, and whether its characters changed."""
        start = end = None
        touched = False
        for tag, old_start, old_end, new_start, new_end in self.parts:
            if tag == "insert":
                touched |= span.start < old_start < span.end
                continue
            if old_end <= span.start or old_start >= span.end:
                continue
            if tag == "equal":
                first = new_start + max(span.start - old_start, 0)
                last = new_end - max(old_end - span.end, 0)
            else:
                touched = True
                first, last = new_start, new_end
            start = first if start is None else start
            end = last
        if start is None or end is None:
            return Span(start=0, end=0), True
        return Span(start=start, end=max(end, start)), touched


def _offsets(tokens: list[str]) -> list[int]:
    at = [0]
    for token in tokens:
        at.append(at[-1] + len(token))
    return at


def _only_place(words: str, text: str) -> Span:
    """Return where words that were moved stand now; empty when nowhere or at more than one place."""
    found = [*re.finditer(rf"(?<![\w.]){re.escape(words)}(?![\w])", _plain(text))]
    if len(found) != 1:
        return Span(start=0, end=0)
    return Span(start=found[0].start(), end=found[0].end())


def with_text(sentence: Sentence, text: str) -> Sentence:
    """Return the sentence as a person rewrote it.

    Citations and slots move with their words. A slot whose characters changed is detached: it
    keeps the ledger's text in `detached_from` beside what the person wrote. Writing the ledger's
    text again attaches it. A number that was moved is found again, one that was deleted is dropped; a
    citation whose words were deleted is kept on the whole sentence, because the evidence was not
    unlinked.
    """
    mapping = _Mapping(sentence.text, text)
    whole = Span(start=0, end=len(text))
    slots: list[Slot] = []
    for slot in sentence.slots:
        span, touched = mapping.move(slot.span)
        measured = slot.detached_from or _plain(sentence.text[slot.span.start : slot.span.end])
        if span.start == span.end:
            span = _only_place(measured, text)
        if span.start == span.end:
            continue
        same = _plain(text[span.start : span.end]) == measured
        detached = "" if same else (measured if touched or slot.detached_from else "")
        slots.append(slot.model_copy(update={"span": span, "detached_from": detached}))
    citations: list[Citation] = []
    for citation in sentence.citations:
        span, _ = mapping.move(citation.span)
        is_lost = span.start == span.end
        citations.append(citation.model_copy(update={"span": whole if is_lost else span}))
    return sentence.model_copy(
        update={
            "text": text,
            "slots": tuple(slots),
            "citations": tuple(citations),
            "origin": Origin.PERSON,
            "review": Review.ACCEPTED,
        }
    )


def attach_slot(sentence: Sentence, index: int) -> Sentence:
    """Return the sentence with the ledger's text back in a detached slot."""
    slot = sentence.slots[index]
    text = sentence.text[: slot.span.start] + slot.detached_from + sentence.text[slot.span.end :]
    return with_text(sentence, text)


def named_sides(sentence: Sentence) -> frozenset[Side]:
    """Return the sides that the text names (left and right only)."""
    return frozenset(Side(match.lower()) for match in _SIDE_WORD.findall(sentence.text))


def flipped(sentence: Sentence) -> Sentence:
    """Return the sentence with left and right exchanged, the case of the words kept.

    Raises
    ------
    NoSideError
        The sentence names neither left nor right.
    """
    if not _SIDE_WORD.search(sentence.text):
        raise NoSideError("This sentence names neither left nor right, so there is no side to change.")
    return with_text(sentence, _SIDE_WORD.sub(_swap, sentence.text))


def _swap(match: re.Match[str]) -> str:
    word = match.group(0)
    other = OPPOSITE[word.lower()]
    return other.capitalize() if word[0].isupper() else other


def joined(first: Sentence, second: Sentence) -> Sentence:
    """Return both sentences as one of the first's place; its citations and slots are those of both."""
    gap = " " if first.text and second.text else ""
    shift = len(first.text) + len(gap)
    text = first.text + gap + second.text
    return first.model_copy(
        update={
            "text": text,
            "citations": first.citations + tuple(_shifted(item, shift) for item in second.citations),
            "slots": first.slots + tuple(_shifted(item, shift) for item in second.slots),
            "origin": Origin.PERSON,
            "review": Review.ACCEPTED,
        }
    )


def split(sentence: Sentence, at: int, new_id: str) -> tuple[Sentence, Sentence]:
    """Return the two sentences that a line break at a character makes; citations go with their words.

    What spans the break stays with the first, a slot that spans it is dropped there.
    """
    head, tail = sentence.text[:at].rstrip(), sentence.text[at:]
    lead = len(tail) - len(tail.lstrip())
    person = {"origin": Origin.PERSON, "review": Review.ACCEPTED, "restored": False}
    whole = Span(start=0, end=len(head))
    first = sentence.model_copy(
        update={
            **person,
            "text": head,
            "citations": tuple(
                c if c.span.end <= len(head) else c.model_copy(update={"span": whole})
                for c in sentence.citations
                if c.span.start < at or not head
            ),
            "slots": tuple(slot for slot in sentence.slots if slot.span.end <= len(head)),
        }
    )
    shift = -(at + lead)
    second = sentence.model_copy(
        update={
            **person,
            "id": new_id,
            "text": tail.strip(),
            "citations": tuple(
                _shifted(c, shift) for c in sentence.citations if head and c.span.start >= at
            ),
            "slots": tuple(_shifted(s, shift) for s in sentence.slots if s.span.start >= at + lead),
            "checks": (),
            "verdict": Verdict.UNCHECKED,
        }
    )
    return first, second


def _shifted(item: _Spanned, by: int) -> _Spanned:
    span = Span(start=max(item.span.start + by, 0), end=max(item.span.end + by, 0))
    return item.model_copy(update={"span": span})


def written(new_id: str, section: Section, text: str, organ: str = "") -> Sentence:
    """Return a sentence that a person wrote: it needs no citation and is reviewed by its writing."""
    return Sentence(
        id=new_id,
        section=section,
        text=text,
        organ=organ,
        origin=Origin.PERSON,
        review=Review.ACCEPTED,
    )


def linked(sentence: Sentence, evidence_id: str, span: Span | None = None) -> Sentence:
    """Return the sentence with a citation of this evidence (the whole text unless a span is given)."""
    if any(citation.evidence_id == evidence_id for citation in sentence.citations):
        return sentence
    place = span or Span(start=0, end=len(sentence.text))
    return sentence.model_copy(
        update={"citations": (*sentence.citations, Citation(evidence_id=evidence_id, span=place))}
    )


def unlinked(sentence: Sentence, evidence_id: str) -> Sentence:
    """Return the sentence without citations and slots of this evidence; it is then the person's own."""
    return sentence.model_copy(
        update={
            "citations": tuple(c for c in sentence.citations if c.evidence_id != evidence_id),
            "slots": tuple(slot for slot in sentence.slots if slot.evidence_id != evidence_id),
            "origin": Origin.PERSON,
            "review": Review.ACCEPTED,
        }
    )


def renumbered(sentence: Sentence, ids: dict[str, str]) -> Sentence:
    """Return the sentence with its evidence ids exchanged by the table (others stay)."""
    return sentence.model_copy(
        update={
            "citations": tuple(
                c.model_copy(update={"evidence_id": ids.get(c.evidence_id, c.evidence_id)})
                for c in sentence.citations
            ),
            "slots": tuple(
                s.model_copy(update={"evidence_id": ids.get(s.evidence_id, s.evidence_id)})
                for s in sentence.slots
            ),
        }
    )
