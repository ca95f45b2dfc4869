"""Numbers of a text with their units, in one unit of each dimension; dates and list marks are none."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from inference.validation.vocabulary import table
from reports.domain import Quantity


@dataclass(frozen=True)
class Measured:
    """A number as it was typed.

    Parameters
    ----------
    value
        In the unit of its dimension: mm, mm2, mL, HU, %; as typed when there is no unit.
    half
        Half of the last digit that was typed, in the same unit: what rounding may have taken.
    dimension
        "length", "area", "volume", "HU", "%", or "" without a unit.
    unit
        As in the lexicon ("mm"), or "".
    """

    value: float
    half: float
    dimension: str
    unit: str
    start: int
    end: int
    text: str

    def is_of(self, other: Measured) -> bool:
        """Tell whether this may be the other value, rounded."""
        same = self.dimension == other.dimension
        return same and abs(self.value - other.value) <= self.half + 1e-6 * max(1.0, abs(other.value))


_DIMENSIONS: dict[str, tuple[str, float]] = {
    "mm": ("length", 1.0),
    "cm": ("length", 10.0),
    "mm2": ("area", 1.0),
    "cm2": ("area", 100.0),
    "mm3": ("volume", 0.001),
    "mL": ("volume", 1.0),
    "L": ("volume", 1000.0),
    "HU": ("HU", 1.0),
    "%": ("%", 1.0),
}
"""Unit of the lexicon -> dimension, and how many of the dimension's unit it holds."""

_UCUM = {"mm": "mm", "cm": "cm", "mm2": "mm2", "cm2": "cm2", "mm3": "mm3", "mL": "mL", "L": "L"}
_UCUM |= {"[hnsf'U]": "HU", "%": "%", "cm3": "mL"}

_NUMBER = r"[+\-\u2212]?\d+(?:[.,]\d+)?"
_FIGURE = re.compile(rf"(?:(?<![A-Za-z0-9.])|(?<=\d[xX*\u00d7]))(?<!\d,){_NUMBER}")
_BETWEEN = re.compile(r"\s*(?:[x\u00d7*X]|by|-|\u2013|~|to|至)\s*")
_NOT_FIGURES = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}年(?:\d{1,2}月)?(?:\d{1,2}日)?"
    r"|\d{1,2}:\d{2}|(?:series|image|se|im|slice|图像|序列)\.?\s?\d+(?!\s?mm)|(?<!\S)\d{1,2}[.)、](?=\s?\D)"
    r"|(?:below|under|less than|<|低于|小于)\s?[\-\u2212]?\d+(?:\s?HU)?|laa-?\d+|\d{1,2}月\d{1,2}日",
    re.IGNORECASE,
)
"""Dates, times, numbers of images and lists, and the threshold that names a measure."""


@cache
def _units() -> tuple[re.Pattern[str], dict[str, str], frozenset[str]]:
    names: dict[str, str] = {}
    for name, words in table()["units"].items():
        for word in (*words["en"], *words["zh"]):
            names[word.removeprefix("=").lower()] = name
            if len(word) > 4 and word.isascii():
                names[word + "s"] = name
    others = {word.lower() for word in (*table()["other_units"]["any"]["en"],)}
    others |= {word + "s" for word in others} | set(table()["other_units"]["any"]["zh"])
    every = sorted({*names, *others}, key=len, reverse=True)
    joined = "|".join(re.escape(word) for word in every)
    return re.compile(rf"[\s-]*({joined})(?![A-Za-z])", re.IGNORECASE), names, frozenset(others)


@lru_cache(maxsize=2048)
def figures(text: str) -> tuple[Measured, ...]:
    """Return the numbers of a text that are values; in "12 x 9 mm" both carry the unit."""
    blocked = [match.span() for match in _NOT_FIGURES.finditer(text)]
    pattern, names, others = _units()
    rows: list[tuple[re.Match[str], str]] = []
    for match in _FIGURE.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in blocked):
            continue
        after_it = pattern.match(text, match.end())
        rows.append((match, after_it[1].lower() if after_it else ""))
    for index in range(len(rows) - 2, -1, -1):
        (this, unit), (after, next_unit) = rows[index], rows[index + 1]
        if not unit and next_unit and _BETWEEN.fullmatch(text, this.end(), after.start()):
            rows[index] = (this, next_unit)
    return tuple(_measured(match, names.get(unit, "")) for match, unit in rows if unit not in others)


def _measured(match: re.Match[str], unit: str) -> Measured:
    typed = match[0].replace("\u2212", "-").replace(",", ".")
    dimension, factor = _DIMENSIONS.get(unit, ("", 1.0))
    digits = len(typed.partition(".")[2])
    return Measured(
        float(typed) * factor, 0.5 * 10.0**-digits * factor, dimension, unit, *match.span(), match[0]
    )


def of_quantity(quantity: Quantity) -> tuple[Measured, ...]:
    """Return a value of the ledger in the same form: as it is printed, and in full."""
    unit = _UCUM.get(quantity.unit, "")
    dimension, factor = _DIMENSIONS.get(unit, ("", 1.0))
    printed = tuple(replace(figure, half=0.0) for figure in figures(quantity.text))
    if printed and printed[0].dimension != dimension:
        return printed
    whole = Measured(quantity.value * factor, 0.0, dimension, unit, 0, 0, quantity.text)
    return (*printed, whole)
