"""House style as data: preferred wordings, who chooses among them, headings of organs.

A style never adds words: it only chooses among the sentences that the phrase table allows. Decimals
belong to the measure (`inference/evidence/quantities.py`), so that a value has one printed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Literal, TypeVar

from pydantic import ConfigDict, Field

import resources
from inference.drafting.templates import Words
from reports.domain.evidence import Frozen

HOUSE = "house"
"""The style of a program that nobody changed."""

Choice = TypeVar("Choice")


class Chooser(StrEnum):
    """Who takes one of several wordings."""

    MODEL = "model"
    STYLE = "style"


class Style(Frozen):
    """A house style.

    Parameters
    ----------
    chooses
        By language: a model writes well only in a language it was trained on.
    prefers
        By kind of item: ids of phrase templates, most wanted first.
    headings
        Whether findings stand under the headings of their organs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: Literal["sightline.style/1"] = Field(alias="schema")
    name: str
    title: Words
    chooses: Mapping[str, Chooser]
    prefers: Mapping[str, tuple[str, ...]] = {}
    headings: bool = True

    def leaves(
        self, kind: str, language: str, keys: Sequence[str], choices: tuple[Choice, ...]
    ) -> tuple[Choice, ...]:
        """Return the wordings that may be written: all, or the one that is preferred."""
        if self.chooses.get(language, Chooser.STYLE) is Chooser.MODEL or not choices:
            return choices
        wanted = self.prefers.get(kind, ())
        ranks = [
            next((n for n, want in enumerate(wanted) if key.split("/")[0] == want), len(wanted))
            for key in keys
        ]
        return (choices[ranks.index(min(ranks))],)


@cache
def style(name: str = HOUSE) -> Style:
    """Return a style of the resources.

    Raises
    ------
    FileNotFoundError
        There is no style of this name.
    """
    return Style.model_validate(resources.table("style", f"{name}.json"))


@cache
def style_names() -> tuple[str, ...]:
    """Return the names of all styles, the house's first."""
    found = sorted(file.stem for file in resources.path("style").glob("*.json"))
    return (HOUSE, *(name for name in found if name != HOUSE))
