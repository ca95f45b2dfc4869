"""The reader's own normals: phrases that a person inserts by one key and thereby states. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass

import resources
from reports.domain import Section


@dataclass(frozen=True)
class Normal:
    """One phrase of the table with its place in the report."""

    section: Section
    organ: str
    text: str


def normals_for(modality: str, study_description: str) -> tuple[Normal, ...]:
    """Return the normals of a kind of study, in the order of the table; empty when none fits.

    A set fits when its modality is the study's and one of its words stands in the description;
    without such a word the modality's default set is taken.
    """
    sets = [
        entry
        for entry in resources.table("phrases", "normals.json")["sets"]
        if modality in entry["modalities"]
    ]
    words = set(re.findall(r"\w+", study_description.lower()))
    chosen = next((entry for entry in sets if words & set(entry["words"])), None)
    chosen = chosen or next((entry for entry in sets if entry.get("default", False)), None)
    if chosen is None:
        return ()
    return tuple(
        Normal(Section(item["section"]), item.get("organ", ""), item["text"])
        for item in chosen["sentences"]
    )
