"""Report templates: the organs of a kind of study in order, their items, headings and normal words.

A template (`resources/templates`, one file each) is the one place for headings, for the items whose
states a reader settles (design/drafting.md, 6) and for a reader's own normals. A normal is a person's
statement: no machine writes it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Literal

from pydantic import ConfigDict, Field

import resources
from reports.domain import Evidence, Ledger
from reports.domain.evidence import Frozen

TEMPLATE_SCHEMA = "sightline.template/1"

NAMES = (
    *("ct-chest", "ct-abdomen", "ct-head", "cr-chest"),
    *("mr-brain", "pet-ct", "mammography", "general"),
)
"""In the order in which they are tried; the last one fits every study."""


class Language(StrEnum):
    """Languages that reports are drafted in, as BCP 47 tags."""

    ENGLISH = "en"
    CHINESE = "zh-CN"


class Words(Frozen):
    """The same words in every language of reports."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    en: str
    zh_cn: str = Field(alias="zh-CN")

    def of(self, language: str) -> str:
        """Return the words in a language; English for one that is not known."""
        return self.zh_cn if language == Language.CHINESE else self.en


class TemplateItem(Frozen):
    """One thing that a reader settles: there, not there, limited, not evaluable.

    Parameters
    ----------
    words
        What it is: "pulmonary nodule".
    findings
        Descriptors of `findings.json` that belong to it.
    search
        Target code of the detector's search, or empty when no tool looks for it.
    never_negate
        No machine may write that it is absent, whatever was searched.
    normal
        The reader's own statement that there is nothing; none in a form.
    """

    id: str
    words: Words
    findings: tuple[str, ...] = ()
    search: str = ""
    never_negate: bool = False
    normal: Words | None = None


class TemplateOrgan(Frozen):
    """A sub-heading of the findings with its items.

    Parameters
    ----------
    places
        Places or classes of places (`anatomy.json`) that stand under it.
    concepts
        Codes of measurements that stand under it without a place.
    """

    id: str
    heading: Words
    places: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    normal: Words | None = None
    items: tuple[TemplateItem, ...] = ()


class Template(Frozen):
    """The form of a kind of study.

    Parameters
    ----------
    modalities, regions
        What it is made for; empty for everything.
    words
        Words of a study description that ask for it.
    default
        The one of its modality when neither region nor description tells.
    form
        A person fills it in: nothing of its assessment is ever drafted.
    impression
        The reader's own statement that nothing acute was found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: Literal["sightline.template/1"] = Field(alias="schema")
    name: str
    title: Words
    modalities: tuple[str, ...]
    regions: tuple[str, ...]
    words: tuple[str, ...] = ()
    default: bool = False
    form: bool = False
    impression: Words | None = None
    organs: tuple[TemplateOrgan, ...]

    def organ(self, organ_id: str) -> TemplateOrgan | None:
        """Return an organ by its id, or none."""
        return next((organ for organ in self.organs if organ.id == organ_id), None)

    def place(self, heading: str) -> int:
        """Return the place of a heading, in whatever language; behind the last when unknown."""
        for number, organ in enumerate(self.organs):
            if heading in (organ.heading.en, organ.heading.zh_cn):
                return number
        return len(self.organs)


@cache
def templates() -> tuple[Template, ...]:
    """Return all templates in their order."""
    return tuple(
        Template.model_validate(resources.table("templates", f"{name}.json")) for name in NAMES
    )


def template_for(modality: str, region: str = "") -> Template:
    """Return the template of a modality and body region ("chest", "chest, abdomen").

    The region that stands first decides. Without one that is known the modality's default is taken,
    then the general template.
    """
    fitting = [one for one in templates() if modality in one.modalities]
    for part in region.split(", "):
        for one in fitting:
            if part in one.regions:
                return one
    wanted = [one for one in fitting if not one.regions or (one.default and not region)]
    return wanted[0] if wanted else templates()[-1]


def template_described(modality: str, description: str) -> Template | None:
    """Return the template that a study description asks for, else its modality's default, or none."""
    fitting = [one for one in templates() if modality in one.modalities]
    said = set(re.findall(r"\w+", description.lower()))
    return next(
        (one for one in fitting if said & set(one.words)),
        next((one for one in fitting if one.default), None),
    )


def template_of(ledger: Ledger) -> Template:
    """Return the template of a ledger: a PET beside a CT makes it a PET/CT."""
    measured = {item.modality for item in ledger.evidence}
    return template_for("PT" if "PT" in measured else ledger.modality, ledger.body_region)


@cache
def never_negated() -> frozenset[str]:
    """Return the target codes of searches whose negative no machine may write."""
    return frozenset(
        item.search
        for one in templates()
        for organ in one.organs
        for item in organ.items
        if item.never_negate and item.search
    )


def item_searched(template: Template, evidence: Evidence) -> tuple[TemplateOrgan, TemplateItem] | None:
    """Return organ and item that a search belongs to, or none."""
    if evidence.search is None:
        return None
    target = evidence.search.target.value
    return next(
        ((organ, item) for organ in template.organs for item in organ.items if item.search == target),
        None,
    )
