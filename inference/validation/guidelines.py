"""Guidelines as trees of data, walked over features that a radiologist confirmed (drafting.md 10).

Inner nodes are conditions, leaves are decisions (Text2MDT). The trees stand in `resources/guidelines`
with their sources. Nothing is assumed: an input that nobody confirmed is asked for, an exclusion is a
refusal in words, and an answer names every node that led to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

import resources

GUIDELINE_SCHEMA = "sightline.guideline/1"

POINTS = "points"
"""Name that a condition gives to the sum of the points of all inputs that have any."""

Value = str | float | bool
Words = dict[str, str]


class GuidelineError(ValueError):
    """A guideline that is not well formed, or a value that does not fit an input; in words."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class InputKind(StrEnum):
    """What a person confirms."""

    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"


class Input(_Frozen):
    """A feature that a person confirms.

    Parameters
    ----------
    unit, decimals
        Of a number: UCUM unit, and the decimals it is rounded to before it is compared.
    choices
        Of a choice: value -> words by language.
    points
        Points of each value, where a guideline sums them.
    """

    kind: InputKind
    words: Words
    unit: str = ""
    decimals: int = 0
    choices: dict[str, Words] = Field(default_factory=dict)
    points: dict[str, int] = Field(default_factory=dict)


class Node(_Frozen):
    """A condition on one input: below a number, equal to a value, or a case for each choice."""

    input: str
    below: float | None = None
    equal: Value | None = Field(default=None, alias="is")
    yes: str = ""
    no: str = ""
    cases: dict[str, str] = Field(default_factory=dict)

    @property
    def ends(self) -> tuple[str, ...]:
        """Names of what may follow."""
        return tuple(self.cases.values()) or (self.yes, self.no)


class Leaf(_Frozen):
    """A decision in words by language, or why the guideline does not apply."""

    text: Words = Field(default_factory=dict)
    category: str = ""
    refuses: Words = Field(default_factory=dict)


class Guideline(_Frozen):
    """A guideline as a tree; every end of every node exists, and every leaf can be reached."""

    version: str = Field(alias="schema", pattern=r"^sightline\.guideline/1$")
    name: str
    title: Words
    source: str
    about: str
    findings: tuple[str, ...]
    """Descriptors of `resources/phrases/findings.json` it is for."""
    inputs: dict[str, Input]
    start: str
    nodes: dict[str, Node]
    leaves: dict[str, Leaf]

    @model_validator(mode="after")
    def _is_a_tree(self) -> Guideline:
        named = {*self.nodes, *self.leaves}
        reached = {self.start}
        for name, node in self.nodes.items():
            if node.input != POINTS and node.input not in self.inputs:
                raise ValueError(f"Node {name!r} asks for an unknown input {node.input!r}.")
            if node.cases and set(node.cases) != set(self.inputs[node.input].choices):
                raise ValueError(f"Node {name!r} does not name each choice of {node.input!r}.")
            reached |= set(node.ends)
        if reached != named:
            raise ValueError(f"Ends without a node, or nodes without a way: {sorted(reached ^ named)}.")
        return self


class Advice(_Frozen):
    """What a guideline says, and by which way.

    Parameters
    ----------
    text
        The recommendation by language; empty when the guideline does not apply.
    path
        Names of the nodes from the first to the leaf.
    used
        Confirmed inputs that were asked for on the way.
    refuses
        Why the guideline does not apply, by language; or empty.
    """

    guideline: str
    source: str
    text: Words
    category: str
    path: tuple[str, ...]
    used: dict[str, Value]
    refuses: Words

    def sentence(self, language: str = "en") -> str:
        """Return the recommendation as a sentence that names the guideline and the node."""
        title = guidelines()[self.guideline].title[language]
        if language == "zh-CN":
            return f"{title}（{self.path[-1]}）：{self.text[language]}。"
        return f"{title} ({self.path[-1]}): {self.text[language]}."


class Asked(_Frozen):
    """The input that the guideline needs next and nobody has confirmed."""

    guideline: str
    input: str
    words: Words


@cache
def guidelines() -> Mapping[str, Guideline]:
    """Return all guidelines by name."""
    folder = resources.path("guidelines")
    found = [Guideline.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    return {one.name: one for one in found}


def guidelines_for(descriptor: str) -> tuple[Guideline, ...]:
    """Return the guidelines for a finding's term."""
    return tuple(one for one in guidelines().values() if descriptor in one.findings)


def advise(guideline: Guideline, confirmed: Mapping[str, Value]) -> Advice | Asked:
    """Walk a guideline over what a person confirmed.

    Parameters
    ----------
    confirmed
        Input name -> value: a number in the unit of the input, a choice, or a flag.

    Returns
    -------
    Advice or Asked
        The decision with its way, or the next input that is missing.

    Raises
    ------
    GuidelineError
        A value is not one of its input.
    """
    values = {name: _fitting(guideline, name, value) for name, value in confirmed.items()}
    path = [guideline.start]
    used: dict[str, Value] = {}
    while path[-1] in guideline.nodes:
        node = guideline.nodes[path[-1]]
        for name in _asked_by(guideline, node):
            if name not in values:
                asked = guideline.inputs[name]
                return Asked(guideline=guideline.name, input=name, words=asked.words)
            used[name] = values[name]
        path.append(_end(guideline, node, values))
    leaf = guideline.leaves[path[-1]]
    return Advice(
        guideline=guideline.name,
        source=guideline.source,
        text=leaf.text,
        category=leaf.category,
        path=tuple(path),
        used=used,
        refuses=leaf.refuses,
    )


def _asked_by(guideline: Guideline, node: Node) -> tuple[str, ...]:
    if node.input != POINTS:
        return (node.input,)
    return tuple(name for name, one in guideline.inputs.items() if one.points)


def _end(guideline: Guideline, node: Node, values: Mapping[str, Value]) -> str:
    value = _points(guideline, values) if node.input == POINTS else values[node.input]
    if node.cases:
        return node.cases[str(value)]
    if node.below is not None:
        return node.yes if float(value) < node.below else node.no
    return node.yes if value == node.equal else node.no


def _points(guideline: Guideline, values: Mapping[str, Value]) -> float:
    return float(
        sum(
            one.points.get(str(values[name]).lower(), 0)
            for name, one in guideline.inputs.items()
            if one.points
        )
    )


def _fitting(guideline: Guideline, name: str, value: Value) -> Value:
    """Return a value as its input compares it; numbers are rounded half up to its decimals."""
    asked: Input | None = guideline.inputs.get(name)
    if asked is None:
        raise GuidelineError(f"{guideline.title['en']} knows no input {name!r}.")
    if asked.kind is InputKind.NUMBER and isinstance(value, int | float) and value is not True:
        step = Decimal(1).scaleb(-asked.decimals)
        return float(Decimal(str(value)).quantize(step, rounding=ROUND_HALF_UP))
    fits: dict[InputKind, Any] = {
        InputKind.CHOICE: value in asked.choices,
        InputKind.FLAG: isinstance(value, bool),
    }
    if not fits.get(asked.kind, False):
        allowed = (
            ", ".join(asked.choices) or {"number": "a number", "flag": "true or false"}[asked.kind]
        )
        raise GuidelineError(f"{asked.words['en']}: {value!r} is not {allowed}.")
    return value
