"""Words that the rules look for, from `resources/phrases/lexicon.json`, and how numbers are read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import resources

NUMBER = re.compile(r"(?:(?<![A-Za-z0-9_.])|(?<=\d[xX]))[+\-\u2212]?\d+(?:[.,]\d+)?")
"""A number as it is read in text, the second of "12x9" too; the minus may be ASCII or U+2212."""


@dataclass(frozen=True)
class Figure:
    """A number with the unit that follows it and where it stands."""

    value: float
    unit: str
    start: int
    end: int
    text: str


def table() -> dict[str, object]:
    """Return the whole lexicon."""
    found: dict[str, object] = resources.table("phrases", "lexicon.json")
    return found


@cache
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds any of these words as whole words, without regard to case."""
    joined = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE)


def words(key: str) -> tuple[str, ...]:
    """Return a plain list of the lexicon."""
    entry = table()[key]
    assert isinstance(entry, list)
    return tuple(str(word) for word in entry)


def groups(key: str) -> dict[str, tuple[str, ...]]:
    """Return a named table of word lists of the lexicon."""
    entry = table()[key]
    assert isinstance(entry, dict)
    return {str(name): tuple(str(word) for word in listed) for name, listed in entry.items()}


def named(key: str, text: str) -> frozenset[str]:
    """Return the names of the groups of which a word stands in the text."""
    return frozenset(name for name, listed in groups(key).items() if pattern(listed).search(text))


def first(listed: Iterable[str], text: str) -> str:
    """Return the first of these words that stands in the text, or empty."""
    match = pattern(tuple(listed)).search(text)
    return match.group(0) if match else ""


@cache
def _unit_pattern() -> re.Pattern[str]:
    units = "|".join(re.escape(unit) for unit in sorted(words("units"), key=len, reverse=True))
    return re.compile(rf"\s*({units})(?!\w)")


def figures(text: str) -> tuple[Figure, ...]:
    """Return the numbers of a text; in "72 × 43 mm" both carry the unit."""
    found: list[Figure] = []
    for match in NUMBER.finditer(text):
        unit = _unit_pattern().match(text, match.end())
        value = float(match.group(0).replace("\u2212", "-").replace(",", "."))
        found.append(
            Figure(value, unit.group(1) if unit else "", match.start(), match.end(), match.group(0))
        )
    for index in range(len(found) - 2, -1, -1):
        between = text[found[index].end : found[index + 1].start].strip()
        if not found[index].unit and between in {"×", "x"}:
            this, after = found[index], found[index + 1]
            found[index] = Figure(this.value, after.unit, this.start, this.end, this.text)
    return tuple(found)
