"""The words that the checks read, in English and Chinese together, as tokens of a text.

One table (`resources/phrases/lexicon_terms.json`) names every word's kind and meaning; the longest
word at a place wins. Vertebrae and segments are numbered and read by pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import resources


@dataclass(frozen=True)
class Token:
    """A word with its meaning: `kind` is a table of the lexicon, `name` the entry in it."""

    kind: str
    name: str
    start: int
    end: int
    side: str = ""
    """Side that an abbreviation holds: "RUL"."""
    is_plural: bool = False


@dataclass(frozen=True)
class _Word:
    kind: str
    name: str
    side: str = ""
    is_plural: bool = False
    cased: str = ""
    """The word as it must stand, or empty for any case."""


def table() -> dict[str, Any]:
    """Return the lexicon of terms."""
    found: dict[str, Any] = resources.table("phrases", "lexicon_terms.json")
    return found


_TABLES: dict[str, str] = {
    "findings": "finding",
    "places": "place",
    "sides": "side",
    "breaks": "break",
    "qualifiers": "qualifier",
    "normals": "normal",
    "changes": "change",
    "weak_changes": "weak change",
    "priors": "prior",
    "modalities": "modality",
    "sexes": "sex",
    "ages": "age",
    "recommendations": "recommendation",
    "histories": "history",
    "interpretations": "interpretation",
    "contexts": "context",
    "hypotheticals": "hypothetical",
    "attributes": "attribute",
    "counts": "count",
    "measures": "measure",
}
"""Table of the lexicon -> kind of its tokens."""

_LAYERS: tuple[tuple[str, ...], ...] = (
    ("findings", "modalities"),
    ("places", "sides", "counts"),
    ("changes",),
    ("weak_changes",),
    ("priors",),
    ("sexes",),
    ("ages",),
    ("normals",),
    ("recommendations",),
    ("histories", "interpretations", "contexts", "hypotheticals"),
    ("attributes",),
    ("qualifiers",),
    ("breaks",),
    ("measures",),
)
"""Tables that compete for a word; a word may have a meaning in each layer."""


def _plurals(word: str) -> tuple[str, ...]:
    """Return the regular plurals of an English term."""
    if not word.isascii() or not word[-1:].isalpha():
        return ()
    if word.endswith("s"):
        return (word + "es",) if word.endswith("ss") else ()
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return (word[:-1] + "ies",)
    if word.endswith(("x", "ch", "sh")):
        return (word + "es",)
    return (word + "s",)


_WITH_PLURALS = frozenset({"findings", "places", "modalities", "measures", "ages", "sexes"})


def _entries(name: str) -> Iterator[tuple[str, _Word]]:
    kind = _TABLES[name]
    for entry, words in table()[name].items():
        for language in ("en", "zh"):
            for raw in words.get(language, ()):
                word, cased = raw.removeprefix("="), raw[1:] if raw.startswith("=") else ""
                yield word.lower(), _Word(kind, entry, cased=cased)
                if language == "en" and name in _WITH_PLURALS:
                    for plural in _plurals(word):
                        yield plural.lower(), _Word(kind, entry, is_plural=True)
        for side in ("left", "right", "bilateral"):
            for word in words.get(side, ()):
                yield word.lower(), _Word(kind, entry, side=side)


@cache
def _layer(names: tuple[str, ...]) -> tuple[dict[str, tuple[_Word, ...]], dict[str, int]]:
    """Return the words of a layer, and the longest word for each first character."""
    words: dict[str, tuple[_Word, ...]] = {}
    for name in names:
        for word, meaning in _entries(name):
            words[word] = (*words.get(word, ()), meaning)
    return words, _longest(words)


def _longest(words: dict[str, Any]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for word in words:
        longest[word[0]] = max(longest.get(word[0], 0), len(word))
    return longest


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether an English word begins and ends here; Chinese words need no gap."""
    before = start > 0 and _is_letter(text[start]) and _is_letter(text[start - 1])
    after = end < len(text) and _is_letter(text[end - 1]) and _is_letter(text[end])
    return not (before or after)


def _matches(
    text: str, words: dict[str, Any], longest: dict[str, int], taken: tuple[Token, ...] = ()
) -> Iterator[tuple[str, int, int]]:
    """Yield the longest words of a table, from left to right, outside of what is taken."""
    low = text.lower()
    blocked = {at for token in taken for at in range(token.start, token.end)}
    at = 0
    while at < len(low):
        found = 0
        if at not in blocked:
            for length in range(min(longest.get(low[at], 0), len(low) - at), 0, -1):
                word = low[at : at + length]
                if word in words and _stands_alone(low, at, at + length):
                    found = length
                    yield word, at, at + length
                    break
        at += max(found, 1)


_ORDINALS = {
    name: number
    for number, name in enumerate(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth"),
            *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
        ),
        1,
    )
}
_ROMAN = {
    name: number for number, name in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii"), 1)
}
_ROMAN |= {name: number for number, name in enumerate("ⅰⅱⅲⅳⅴⅵⅶⅷ", 1)}
_CHINESE = {char: number for number, char in enumerate("一二三四五六七八九十", 1)} | {
    "十一": 11,
    "十二": 12,
}
_SPINE = {"cervical": "C", "thoracic": "T", "lumbar": "L", "sacral": "S"}
_SPINE |= {"颈": "C", "胸": "T", "腰": "L", "骶": "S", "th": "T"}
_MOST = {"C": 7, "T": 12, "L": 6, "S": 5}

_VERTEBRAE = (
    re.compile(
        r"(?<![a-z0-9])(?P<part>[ctls]|th)(?P<number>\d{1,2})"
        r"(?:\s?[/-]\s?(?:[ctls]|th)?\d{1,2}(?!\d))?(?![a-z0-9])"
        r"(?![ -]?(?:weighted|wi|hyper|hypo|signal|sequence|flair|\*))"
    ),
    re.compile(
        rf"(?P<number>{'|'.join(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)) "
        r"(?P<part>cervical|thoracic|lumbar|sacral)(?: vertebra(?:l body)?)?"
    ),
    re.compile(r"第(?P<number>\d{1,2}|[一二三四五六七八九十]{1,2})(?P<part>[颈胸腰骶])椎(?:体)?"),
    re.compile(
        r"(?P<part>[颈胸腰骶])椎?(?P<number>\d{1,2})(?![\d.]|\s?(?:mm|cm|毫米|厘米|个|处))(?:椎体)?"
    ),
)
_SEGMENT = re.compile(
    r"segments? (?P<word>viii|vii|vi|iv|v|iii|ii|i|[1-8])(?![a-z0-9])(?P<of> of the liver| \(liver\))?"
    r"|(?:第|s)?(?P<number>[1-8]|[ⅰ-ⅷ])段|(?<=[肝叶])s(?P<short>[1-8])段?"
)
_BONE_BEFORE = re.compile(r"s[1-8]")


def _numbered(text: str) -> Iterator[Token]:
    """Yield vertebrae ("L1") and segments ("liver segment 6")."""
    low = text.lower()
    organ = (
        "lung" if ("lung" in low or "肺" in low) and not ("liver" in low or "肝" in low) else "liver"
    )
    taken: list[tuple[int, int]] = []
    for match in _SEGMENT.finditer(low):
        said = match["word"] or match["number"] or match["short"]
        number = _ROMAN.get(said) or int(said)
        taken.append(match.span())
        yield Token("place", f"{organ} segment {number}", *match.span())
    for pattern in _VERTEBRAE:
        for match in pattern.finditer(low):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            part = _SPINE.get(match["part"], match["part"].upper())
            said = match["number"]
            digits = re.match(r"\d+", said)
            number = int(digits[0]) if digits else _ORDINALS.get(said) or _CHINESE.get(said, 0)
            if 1 <= number <= _MOST[part]:
                taken.append(match.span())
                yield Token("place", f"{part}{number}", *match.span())


_COUNTER = re.compile(r"[个枚处只颗块]")
_BEFORE_A_PLACE = re.compile(r"(?<![A-Za-z0-9.])([LR])\.? (?=[a-z])")


def _negations(text: str) -> Iterator[Token]:
    held = table()["negations"]
    words: dict[str, list[str]] = {}
    for name, listed in held.items():
        for word in (*listed["en"], *listed["zh"]):
            words.setdefault(word.lower(), []).append(name)
    for word, start, end in _matches(text, words, _longest(words)):
        for name in words[word]:
            yield Token("negation", name, start, end)


@lru_cache(maxsize=4096)
def scan(text: str) -> tuple[Token, ...]:
    """Return all tokens of a text, in order; a word may be a token of several kinds."""
    numbered = tuple(_numbered(text))
    found = [*numbered, *_negations(text)]
    for number, names in enumerate(_LAYERS):
        words, longest = _layer(names)
        for word, start, end in _matches(text, words, longest, numbered if number == 1 else ()):
            for meaning in words[word]:
                if meaning.cased and text[start:end] != meaning.cased:
                    continue
                found.append(
                    Token(meaning.kind, meaning.name, start, end, meaning.side, meaning.is_plural)
                )
    found += [Token("counter", match[0], *match.span()) for match in _COUNTER.finditer(text)]
    places = {token.start for token in found if token.kind == "place"}
    for match in _BEFORE_A_PLACE.finditer(text):
        if match.end() in places:
            side = "left" if match[1] == "L" else "right"
            found.append(Token("side", side, match.start(), match.end(1)))
    kept = [token for token in found if not _is_part_of_another(token, found)]
    return tuple(sorted(kept, key=lambda token: (token.start, token.end)))


_TERMS = frozenset({"age", "place", "finding", "modality"})
_HOLDERS: dict[str, frozenset[str]] = {
    "change": _TERMS,
    "weak change": _TERMS,
    "place": frozenset({"finding"}),
    "count": frozenset({"finding"}),
    "finding": frozenset({"place"}),
}
"""Kinds of words that may be a part of a longer term, and the kinds of those terms."""


def _is_part_of_another(token: Token, found: list[Token]) -> bool:
    """Tell whether a word is but a part of a term: the growth of "growth plates", the lung of 肺炎."""
    holders = _HOLDERS.get(token.kind, frozenset())
    return bool(holders) and any(
        other.kind in holders
        and other.start <= token.start
        and token.end <= other.end
        and other.end - other.start > token.end - token.start
        for other in found
    )


def is_a(term: str, wider: str) -> bool:
    """Tell whether a finding's term is the wider one or one of its kinds."""
    return wider in _chain("findings", "is", term)


def lies_in(place: str, wider: str) -> bool:
    """Tell whether a place is the wider one or lies in it."""
    return wider in _chain("places", "in", place)


def related_terms(one: str, other: str) -> bool:
    """Tell whether one term is a kind of the other."""
    return is_a(one, other) or is_a(other, one)


def related_places(one: str, other: str) -> bool:
    """Tell whether one place lies in the other."""
    return lies_in(one, other) or lies_in(other, one)


_NUMBERED = re.compile(r"([CTLS])\d+|(liver|lung) segment \d+")
_SPINE_NAMES = {"C": "cervical spine", "T": "thoracic spine", "L": "lumbar spine", "S": "sacral spine"}


@cache
def _chain(name: str, link: str, entry: str) -> tuple[str, ...]:
    found = [entry]
    match = _NUMBERED.fullmatch(entry)
    if match:
        found.append(_SPINE_NAMES[match[1]] if match[1] else match[2])
    entries = table()[name]
    while (wider := entries.get(found[-1], {}).get(link, "")) and wider not in found:
        found.append(wider)
    return tuple(found)
