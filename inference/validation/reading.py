"""One sentence as the checks read it: what it says of which place, how large, how many, or absent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from inference.validation import vocabulary
from inference.validation.numbers import Measured, figures
from inference.validation.vocabulary import Token, lies_in, scan


@dataclass(frozen=True)
class Said:
    """One statement of a sentence: a finding, a measure, or a place that is called normal.

    Parameters
    ----------
    term
        Finding of the lexicon, or "" when the statement names none.
    word
        The term as it was typed.
    places, sides
        Where; wider places that hold another named one are left out, and so are places of context.
    figures
        Values with their units.
    measures
        Slots of measures that are named ("volume").
    count
        How many, or none when it is not said; MANY for "multiple".
    is_negated
        The sentence says that there is none.
    is_qualified
        A negation of *other*, *new* or *suspicious* ones only.
    is_open
        Asked, recommended, known of old, or an interpretation of something else: not asserted.
    """

    term: str
    word: str
    places: tuple[str, ...]
    sides: frozenset[str]
    figures: tuple[Measured, ...]
    measures: frozenset[str]
    count: int | None = None
    is_negated: bool = False
    is_qualified: bool = False
    is_open: bool = False
    is_plural: bool = False


MANY = -1
"""Count of "multiple"."""


@dataclass(frozen=True)
class Reading:
    """What a sentence says."""

    text: str
    tokens: tuple[Token, ...]
    said: tuple[Said, ...]
    normal_places: tuple[str, ...] = ()
    """Places that are called normal as a whole; empty when none is."""
    normal_sides: frozenset[str] = frozenset()

    def names(self, kind: str) -> frozenset[str]:
        """Return the meanings of the tokens of a kind."""
        return frozenset(token.name for token in self.tokens if token.kind == kind)

    def word(self, kind: str, name: str = "") -> str:
        """Return the first word of a kind (and meaning) as it was typed, or empty."""
        for token in self.tokens:
            if token.kind == kind and name in ("", token.name):
                return self.text[token.start : token.end]
        return ""

    @property
    def is_recommendation(self) -> bool:
        """True when the sentence asks for something to be done."""
        return bool(self.names("recommendation"))


@dataclass(frozen=True)
class _Mention:
    """A finding's place in the text; `scope` is where its negation may stand."""

    term: str
    start: int
    end: int
    is_plural: bool


def _overlap(one: Token | _Mention, other: Token) -> bool:
    return one.start < other.end and other.start < one.end


def _of(tokens: Iterable[Token], kind: str, name: str = "") -> list[Token]:
    return [t for t in tokens if t.kind == kind and name in ("", t.name)]


@cache
def _composed() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    def pattern(words: list[str]) -> re.Pattern[str]:
        parts = [
            rf"(?<![a-z]){re.escape(w)}(?:e?s)?(?![a-z])" if w.isascii() else re.escape(w)
            for w in words
        ]
        return re.compile("|".join(sorted(parts, key=len, reverse=True)), re.IGNORECASE)

    rows = vocabulary.table()["composed"].items()
    return tuple((term, pattern(row["of"]), pattern(row["as"])) for term, row in rows)


def _mentions(text: str, tokens: tuple[Token, ...]) -> list[_Mention]:
    measures = _of(tokens, "measure")
    found = [
        _Mention(t.name, t.start, t.end, t.is_plural)
        for t in _of(tokens, "finding")
        if not any(_overlap(t, m) and m.end - m.start > t.end - t.start for m in measures)
    ]
    for term, organ, state in _composed():
        if any(vocabulary.related_terms(m.term, term) and m.term != "effusion" for m in found):
            continue
        where, what = organ.search(text), state.search(text)
        if where and what:
            found = [m for m in found if m.term != "effusion"]
            found.append(_Mention(term, *what.span(), is_plural=False))
    return sorted(found, key=lambda mention: mention.start)


def _cuts(text: str, tokens: tuple[Token, ...], mentions: list[_Mention]) -> list[tuple[int, int]]:
    """Return the part of the sentence that belongs to each finding: cut at the last strongest break."""
    edges = [0]
    for this, following in pairwise(mentions):
        between = [t for t in tokens if t.kind == "break" and this.end <= t.start < following.start]
        edges.append(max(edges[-1], _strongest(between).start if between else this.end))
    edges.append(len(text))
    return list(pairwise(edges))


_STRENGTH = {"strong": 0, "clause": 1, "list": 2}


def _strongest(breaks: list[Token]) -> Token:
    best = min(_STRENGTH[token.name] for token in breaks)
    return [token for token in breaks if _STRENGTH[token.name] == best][-1]


def _is_negated(tokens: tuple[Token, ...], text: str, mention: _Mention) -> tuple[bool, bool]:
    """Tell whether a mention is negated, and whether only other, new or suspicious ones are."""
    exempt = _of(tokens, "negation", "not")
    stops = [t for t in _of(tokens, "break") if t.name == "strong" or text[t.start : t.end] == "，"]
    for token in reversed(_of(tokens, "negation", "before")):
        if token.end > mention.start or any(_overlap(token, other) for other in exempt):
            continue
        if any(token.end <= stop.start < mention.start for stop in stops):
            continue
        return True, _is_qualified(tokens, stops, mention)
    for token in _of(tokens, "negation", "after"):
        if token.start < mention.end or any(_overlap(token, other) for other in exempt):
            continue
        gap = text[mention.end : token.start]
        if any(mention.end <= stop.start < token.start for stop in stops):
            continue
        is_end = not text[token.end :].strip(" .。;；)）")
        if not text.isascii() and token.name == "after" and not is_end and not gap.isascii():
            continue
        if is_end or text[token.start : token.end].isascii():
            return True, _is_qualified(tokens, stops, mention)
    return False, False


def _is_qualified(tokens: tuple[Token, ...], stops: list[Token], mention: _Mention) -> bool:
    """Tell whether a word before the term, in its clause, narrows it: "no other nodule"."""
    begin = max((stop.end for stop in stops if stop.end <= mention.start), default=0)
    return any(begin <= q.start and q.end <= mention.start for q in _of(tokens, "qualifier"))


def _places(tokens: list[Token]) -> tuple[str, ...]:
    """Return the places that are meant: no context, and the narrowest of nested ones."""
    contexts = _of(tokens, "context")
    named = []
    for place in _of(tokens, "place"):
        if not any(
            0 <= place.start - context.end <= 5 or _overlap(place, context) for context in contexts
        ):
            named.append(place.name)
    distinct = list(dict.fromkeys(named))
    return tuple(p for p in distinct if not any(o != p and lies_in(o, p) for o in distinct))


def _sides(tokens: list[Token]) -> frozenset[str]:
    inside = _of(tokens, "place")
    counts = [t for t in _of(tokens, "count") if t.name == "2"]
    own = {
        token.name
        for token in _of(tokens, "side")
        if not any(_overlap(token, count) and _counts_next(tokens, count) for count in counts)
        # The "right" of "right atrium" belongs to the organ's name.
        if not any(
            _overlap(token, place) and place.start <= token.start and not place.side for place in inside
        )
    }
    return frozenset(own | {token.side for token in _of(tokens, "place") if token.side})


def _counts_next(tokens: list[Token], count: Token) -> bool:
    """Tell whether "两" stands right before a measure word: two of them, not both sides."""
    return any(token.kind == "counter" and token.start == count.end for token in tokens)


_GAP = re.compile(r"[\s\-]*(?:[a-z\-]+\s){0,3}", re.IGNORECASE)
_CHINESE_GAP = re.compile(r"(?:个|枚|处|只|颗|块)?[A-Za-z一-鿿]{0,8}")
_BARE = re.compile(r"(?<![\d.,])([1-9]\d?)(?![\d.,%年月日]|\s?[x×*]|\s?mm|\s?cm)")


def _count(text: str, tokens: list[Token], mention: _Mention, start: int) -> int | None:
    """Return how many of a finding are said to be there, or none."""
    numbers = [
        (t.start, t.end, MANY if t.name == "many" else int(t.name)) for t in _of(tokens, "count")
    ]
    places = _of(tokens, "place")
    numbers += [
        (m.start(1), m.end(1), int(m[1]))
        for m in _BARE.finditer(text, start, mention.start)
        if not any(p.start <= m.start(1) < p.end for p in places)
    ]
    for begin, end, number in numbers:
        if not start <= begin < mention.start:
            continue
        gap = text[end : mention.start]
        if number == 2 and text[begin:end] in {"两", "双", "二"} and gap[:1] not in set("个枚处只颗块"):
            continue  # both sides, not two of them
        if _GAP.fullmatch(gap) or _CHINESE_GAP.fullmatch(gap):
            return number
    return None


def _is_open(tokens: tuple[Token, ...], mention: _Mention, others: list[_Mention]) -> bool:
    if any(t.start < mention.start for t in _of(tokens, "history")):
        return True
    if any(t.start < mention.start for t in _of(tokens, "recommendation")):
        return True
    if _of(tokens, "hypothetical"):
        return True
    hints = [t for t in _of(tokens, "interpretation") if t.start < mention.start]
    return any(other.end <= hint.start for hint in hints for other in others)


@lru_cache(maxsize=2048)
def read(text: str) -> Reading:
    """Return what a sentence says."""
    tokens = scan(text)
    numbers = tuple(
        figure
        for figure in figures(text)
        if not any(t.kind in ("place", "modality") and t.start <= figure.start < t.end for t in tokens)
    )
    mentions = _mentions(text, tokens)
    said = tuple(_said(text, tokens, numbers, mentions))
    normals = _normals(tokens, mentions)
    return Reading(text, tokens, said, *normals)


def _said(
    text: str, tokens: tuple[Token, ...], numbers: tuple[Measured, ...], mentions: list[_Mention]
) -> Iterator[Said]:
    measures = frozenset(token.name for token in _of(tokens, "measure"))
    if not mentions:
        yield Said("", "", _places(list(tokens)), _sides(list(tokens)), numbers, measures)
        return
    cuts = _cuts(text, tokens, mentions)
    for mention, (start, end) in zip(mentions, cuts, strict=True):
        own = [t for t in tokens if start <= t.start < end]
        places, sides = _places(own), _sides(own)
        if not places and not sides and len(mentions) > 1:
            places, sides = _shared(tokens, cuts)
        is_negated, is_qualified = _is_negated(tokens, text, mention)
        count = _count(text, own, mention, start)
        yield Said(
            mention.term,
            text[mention.start : mention.end],
            places,
            sides,
            tuple(f for f in numbers if start <= f.start < end and not _is_count(f, count)),
            measures,
            count,
            is_negated,
            is_qualified,
            _is_open(tokens, mention, mentions),
            mention.is_plural,
        )


def _is_count(figure: Measured, count: int | None) -> bool:
    return count is not None and not figure.dimension and figure.value == count


def _shared(
    tokens: tuple[Token, ...], cuts: list[tuple[int, int]]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the place of a list of findings when only one part of the sentence names one."""
    parts = [[t for t in tokens if start <= t.start < end] for start, end in cuts]
    found = [(_places(part), _sides(part)) for part in parts]
    named = [one for one in found if one[0] or one[1]]
    return named[0] if len(named) == 1 else ((), frozenset())


def _normals(
    tokens: tuple[Token, ...], mentions: list[_Mention]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the places that are called normal as a whole, with the sides."""
    parts = _of(tokens, "normal", "part")
    whole = [t for t in _of(tokens, "normal", "whole") if not any(_overlap(t, part) for part in parts)]
    # "Vertebral alignment is normal" says nothing of what else the vertebrae may have.
    places = _of(tokens, "place")
    for attribute in _of(tokens, "attribute"):
        after = [p for p in places if p.start > attribute.start]
        whole = [t for t in whole if t.start < attribute.start or any(p.start < t.start for p in after)]
    negated = [t for t in _of(tokens, "negation", "before") if whole and t.end <= whole[0].start]
    if not whole or (negated and not any(_overlap(t, whole[0]) for t in negated)):
        return (), frozenset()
    if _of(tokens, "qualifier") or any(not any(_overlap(m, w) for w in whole) for m in mentions):
        return (), frozenset()
    return _places(list(tokens)), _sides(list(tokens))
