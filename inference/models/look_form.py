"""The form that the built-in model fills in for a picture: its tokens, its grammar, and how it is read.

For each kind of finding that the form of a view asks for: present or not, and when present the
patient's side and a box. Positions are tokens of their own, 128 to a side of the picture: a choice
among neighbours, not digits. A grammar fixes everything but these choices, so each of them has a
probability: that of ``<yes>`` is the confidence of a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.models.generation import Choice

FORMS: dict[str, tuple[str, ...]] = {
    "chest film": (
        "nodule", "mass", "consolidation", "effusion", "pneumothorax", "cardiomegaly", "line", "device",
    ),
    "chest slice": ("nodule", "mass", "consolidation", "effusion", "pneumothorax"),
    "head slice": ("haemorrhage",),
}  # fmt: skip
"""By view: what is asked for, in this order. The view is the question that stands behind the image."""

KINDS: tuple[str, ...] = tuple(dict.fromkeys(kind for kinds in FORMS.values() for kind in kinds))
SIDES = ("right", "left", "central")
"""Sides of the patient as the model sees them; a draft takes the side from the geometry instead."""

PLACES = 128
"""Positions along each side of the picture; position i lies at i / 128 of the side."""

YES, NO = "<yes>", "<no>"
KIND_TOKENS = tuple(f"<{kind}>" for kind in KINDS)
SIDE_TOKENS = tuple(f"<{side}>" for side in SIDES)
PLACE_TOKENS = tuple(f"<{place:03d}>" for place in range(PLACES))
FORM_TOKENS = (*KIND_TOKENS, YES, NO, *SIDE_TOKENS, *PLACE_TOKENS)
"""The words of a form: each is one token of the model."""

_ENTRY = re.compile(
    rf"<(?P<kind>{'|'.join(KINDS)})>(?:{NO}|{YES}<(?P<side>{'|'.join(SIDES)})>"
    r"<(\d{3})><(\d{3})><(\d{3})><(\d{3})>)"
)

Box = tuple[float, float, float, float]


class FormError(ValueError):
    """A text that is not a form."""


@dataclass(frozen=True)
class Entry:
    """One line of a form that says that something is there.

    Parameters
    ----------
    box
        Left, top, right, bottom as shares (0 to 1) of the model's input picture.
    start
        Character of the form at which ``<yes>`` stands: where the probability belongs.
    """

    kind: str
    side: str
    box: Box
    start: int


def grammar(kinds: Sequence[str]) -> str:
    """Return the GBNF under which the form of these kinds is written."""
    lines = " ".join(f'"<{kind}>" answer' for kind in kinds)
    sides = " | ".join(f'"{side}"' for side in SIDE_TOKENS)
    return (
        f"root ::= {lines}\n"
        f'answer ::= "{NO}" | "{YES}" side place place place place\n'
        f"side ::= {sides}\n"
        'place ::= "<0" [0-9] [0-9] ">" | "<1" [01] [0-9] ">" | "<12" [0-7] ">"\n'
    )


def chances(text: str, choices: Sequence[Choice], kinds: Sequence[str]) -> dict[str, float]:
    """Return how likely each kind is, by the answer that was chosen for it; 1 or 0 without choices."""
    by_place = {choice.start: choice for choice in choices}
    found = {}
    for kind in kinds:
        start = text.index(f"<{kind}>") + len(kind) + 2
        yes = text.startswith(YES, start)
        sure = by_place[start].probability if start in by_place else 1.0
        found[kind] = sure if yes else 1.0 - sure
    return found


def fill(kind: str, found: tuple[str, Box] | None) -> str:
    """Return one line of a form: side and box (shares of the picture), or that nothing is there."""
    if found is None:
        return f"<{kind}>{NO}"
    side, box = found
    return f"<{kind}>{YES}<{side}>" + "".join(PLACE_TOKENS[place_of(value)] for value in box)


def place_of(share: float) -> int:
    """Return the position nearest to a share of the picture's side."""
    return min(PLACES - 1, max(0, round(share * PLACES)))


def read(text: str, kinds: Sequence[str]) -> tuple[Entry, ...]:
    """Return what a form says is there.

    Raises
    ------
    FormError
        The text is not a form of these kinds, each once and in order.
    """
    entries, at = [], 0
    for kind in kinds:
        found = _ENTRY.match(text, at)
        if found is None or found["kind"] != kind:
            raise FormError(f"The form has no line for {kind} at character {at}.")
        if found["side"] is not None:
            x0, y0, x1, y1 = (int(found[group]) / PLACES for group in (3, 4, 5, 6))
            box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            entries.append(Entry(kind, found["side"], box, at + len(kind) + 2))
        at = found.end()
    if at != len(text):
        raise FormError(f"Something stands behind the form at character {at}.")
    return tuple(entries)
