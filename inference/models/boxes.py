"""How models write boxes: one table of conventions, a writer, a parser and a grammar for each.

Positions of a `Box` here are shares (0 to 1, *edges*: 0 is the left or top edge of the first pixel) of
the picture that the model was given, padding included. The way from there to the image is
`inference.models.preparation`. A box that a model writes is a proposal, never evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

import resources
from inference.models.letterbox import Box

MOST_BOXES = 64
"""Entries of one answer that are read; a model that repeats itself writes more."""

_LABEL = r"[^\"<>{}\[\]|]{1,80}"
_ORDERS = {"xyxy": (0, 1, 2, 3), "yxyx": (1, 0, 3, 2)}
"""Which side of left, top, right, bottom stands at each of the four places; each is its own inverse."""


class BoxError(ValueError):
    """A text that is not of the convention, or a box that cannot be; in words."""


@dataclass(frozen=True)
class Named:
    """A box with what it is called; in shares of the model's picture."""

    label: str
    box: Box


class BoxFormat(BaseModel):
    """One convention.

    Parameters
    ----------
    order
        Of the four numbers: left, top, right, bottom, or top, left, bottom, right.
    unit
        "range": share times `steps`, rounded; "bins": the bin of `steps` that the position lies in,
        read back at its middle; "pixels": pixels of the picture as it was prepared.
    largest
        Largest number when it is not `steps` (range) or `steps` - 1 (bins); none otherwise.
    digits
        Numbers are written with this many digits at least.
    entry
        Text of one box; {label} and {0} to {3} stand for its parts.
    open, between, close
        Text around and between entries.
    source
        Where the convention is described.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    order: Literal["xyxy", "yxyx"]
    unit: Literal["range", "bins", "pixels"]
    steps: int = Field(ge=0)
    largest: int | None = None
    digits: int = 1
    entry: str
    open: str
    between: str
    close: str
    source: str

    def write(self, found: Sequence[Named], *, size: tuple[int, int]) -> str:
        """Return the text for boxes; `size` is height and width of the picture in pixels."""
        entries = []
        for one in found:
            if not re.fullmatch(_LABEL, one.label):
                raise BoxError(f"{one.label!r} cannot be the label of a box.")
            text = self.entry.replace("{label}", one.label)
            for place, number in enumerate(self.numbers(one.box, size)):
                text = text.replace(f"{{{place}}}", f"{number:0{self.digits}d}")
            entries.append(text)
        return self.open + self.between.join(entries) + self.close

    def parse(self, text: str, *, size: tuple[int, int]) -> tuple[Named, ...]:
        """Return the boxes of a text, corners put in order; other text between them is passed over.

        Raises
        ------
        BoxError
            A number lies outside of the convention's range, or there are too many boxes.
        """
        found: list[Named] = []
        for match in self._pattern().finditer(text):
            if len(found) == MOST_BOXES:
                raise BoxError(f"The answer holds more than {MOST_BOXES} boxes.")
            numbers = [float(match[f"n{place}"]) for place in range(4)]
            found.append(Named(match["label"].strip(), self.share(numbers, size)))
        return tuple(found)

    def numbers(self, box: Box, size: tuple[int, int]) -> tuple[int, ...]:
        """Return the four numbers of a box in the convention's order."""
        limits = self._limits(size)
        return tuple(
            min(max(self._number(box[side], limits[side]), 0), self._most(limits[side]))
            for side in _ORDERS[self.order]
        )

    def share(self, numbers: Sequence[float], size: tuple[int, int]) -> Box:
        """Return the box of four numbers in the convention's order.

        Raises
        ------
        BoxError
            A number is larger than the convention allows.
        """
        limits = self._limits(size)
        values = [0.0] * 4
        for side, number in zip(_ORDERS[self.order], numbers, strict=True):
            if number > self._most(limits[side]):
                raise BoxError(
                    f"{number:g} is outside of the range of the convention {self.name} "
                    f"(0 to {self._most(limits[side])})."
                )
            values[side] = (number + (0.5 if self.unit == "bins" else 0.0)) / limits[side]
        x0, y0, x1, y1 = values
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def step(self, size: tuple[int, int]) -> tuple[float, float]:
        """Return the distance of two neighbouring positions, across and down, as shares."""
        across, down, *_ = self._limits(size)
        return 1.0 / across, 1.0 / down

    def grammar(self, labels: Sequence[str], *, size: tuple[int, int], most: int = 8) -> str:
        """Return the GBNF of up to `most` boxes with these labels; none is allowed too."""
        limits = self._limits(size)
        rules = {}
        places = []
        for side in _ORDERS[self.order]:
            largest = self._most(limits[side])
            rules[f"n{largest}"] = _up_to(largest, self.digits)
            places.append(f"n{largest}")
        parts = re.split(r"(\{label\}|\{[0-3]\})", self.entry)
        words = [
            "label" if part == "{label}" else
            places[int(part[1])] if re.fullmatch(r"\{[0-3]\}", part) else _literal(part)
            for part in parts if part
        ]  # fmt: skip
        more = f" ({_literal(self.between)} entry)" if self.between else " entry"
        lines = [
            f"root ::= {_literal(self.open)} (entry{more}{{0,{most - 1}}})? {_literal(self.close)}",
            f"entry ::= {' '.join(words)}",
            f"label ::= {' | '.join(_literal(label) for label in labels)}",
            *(f"{name} ::= {body}" for name, body in rules.items()),
        ]
        return "\n".join(lines) + "\n"

    def _limits(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return by what left, top, right and bottom are divided."""
        height, width = size
        return (width, height, width, height) if self.unit == "pixels" else (self.steps,) * 4

    def _most(self, limit: int) -> int:
        if self.largest is not None:
            return self.largest
        return limit - 1 if self.unit == "bins" else limit

    def _number(self, share: float, limit: int) -> int:
        return int(share * limit) if self.unit == "bins" else round(share * limit)

    def _pattern(self) -> re.Pattern[str]:
        return _pattern(self.entry)


@cache
def _pattern(entry: str) -> re.Pattern[str]:
    """Return the pattern of an entry; spaces are free beside punctuation, numbers may be decimal."""
    made = ""
    for part in re.split(r"(\{label\}|\{[0-3]\})", entry):
        if part == "{label}":
            made += f"(?P<label>{_LABEL})"
        elif re.fullmatch(r"\{[0-3]\}", part):
            made += rf"(?P<n{part[1]}>\d{{1,5}}(?:\.\d{{1,6}})?)"
        else:
            words = [re.escape(word) for word in re.findall(r"\w+|\S", part)]
            made += rf"\s*{joined}\s*" if (joined := r"\s*".join(words)) else r"\s*"
    return re.compile(made)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _up_to(largest: int, digits: int) -> str:
    """Return alternatives of GBNF for the numbers 0 to `largest` without leading zeros but `digits`."""
    made = []
    text = f"{largest:0{digits}d}"
    for length in range(digits, len(text)):
        first = "[0-9]" if length == digits else "[1-9]"
        made.append(" ".join([first, *["[0-9]"] * (length - 1)]))
    lead = 0 if len(text) == digits else 1
    for place, digit in enumerate(text):
        low = lead if place == 0 else 0
        if int(digit) > low:
            before = [f'"{text[:place]}"'] if place else []
            after = ["[0-9]"] * (len(text) - place - 1)
            made.append(" ".join([*before, f"[{low}-{int(digit) - 1}]", *after]))
    made.append(f'"{text}"')
    return " | ".join(made)


@cache
def box_formats() -> dict[str, BoxFormat]:
    """Return the table of conventions by name."""
    table = resources.table("models", "box_formats.json")
    formats = [BoxFormat.model_validate(row) for row in table["formats"]]
    return {one.name: one for one in formats}
