"""The reader's own normals: phrases that a person inserts by one key and thereby states. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.wording import WORDING
from inference.drafting.templates import template_described
from reports.domain import Origin, Section, Sentence


@dataclass(frozen=True)
class Normal:
    """One phrase of a template with its place in the report."""

    section: Section
    organ: str
    text: str


def normals_for(
    modality: str, study_description: str, language: str | None = None
) -> tuple[Normal, ...]:
    """Return the normals of a kind of study, in the order of its template; empty when none fits.

    A template fits when its modality is the study's and one of its words stands in the description;
    without such a word the modality's default is taken. Without a language it is that of drafts.
    """
    language = language or WORDING.language
    chosen = template_described(modality, study_description)
    if chosen is None:
        return ()
    found = [
        Normal(Section.FINDINGS, organ.heading.of(language), organ.normal.of(language))
        for organ in chosen.organs
        if organ.normal is not None
    ]
    if chosen.impression is not None:
        found.append(Normal(Section.IMPRESSION, "", chosen.impression.of(language)))
    return tuple(found)


def unspoken(
    normals: Iterable[Normal], sentences: Iterable[Sentence], section: Section
) -> tuple[Normal, ...]:
    """Return the normals of a section whose organ neither a person nor a model speaks about yet."""
    spoken = {
        item.organ
        for item in sentences
        if item.section is section and item.is_in_body and item.origin is not Origin.MEASURED
    }
    return tuple(one for one in normals if one.section is section and one.organ not in spoken)
