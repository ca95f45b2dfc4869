"""The Basic Application Level Confidentiality Profile (PS3.15 Table E.1-1) as data, and the choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from resources import table


class Dates(StrEnum):
    """What becomes of dates and times."""

    REMOVE = "remove"
    SHIFT = "shift"
    KEEP = "keep"


class Choices(BaseModel):
    """What a person decided for one export; the defaults are the basic profile without options.

    Parameters
    ----------
    dates
        SHIFT moves all dates of a patient back by the same unknown number of days.
    keep_uids
        Leave all UIDs as they are (they lead whoever holds the originals back to the patient).
    keep_characteristics
        Keep sex, age, size and weight of the patient.
    label
        Name and ID that the patient gets; empty for a pseudonym made from the secret of the export.
    with_flagged
        Keys (`burned_in.SeriesFlag.series_uid`) of flagged series that leave all the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dates: Dates = Dates.REMOVE
    keep_uids: bool = False
    keep_characteristics: bool = False
    label: str = Field(default="", max_length=60, pattern=r"^[A-Za-z0-9 ._-]*$")
    with_flagged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """What is done with each attribute.

    Parameters
    ----------
    actions
        Tag as a number -> action: X remove, Z empty, D dummy, U new UID, and "X/Z" and the like where
        the type of the attribute in its object decides.
    groups
        First two digits of a repeating group (0x50, 0x60) whose elements are all removed.
    keep_text
        Keywords of words that describe the technique; all other free text goes, also where the
        table does not list it.
    kept_binary
        Keywords of bytes that are pictures or tables of them.
    ordinary_words
        Words in names that identify nobody and would only take technique away.
    """

    source: str
    actions: Mapping[int, str]
    groups: frozenset[int]
    keep_text: frozenset[str]
    kept_binary: frozenset[str]
    ordinary_words: frozenset[str]


@cache
def basic_profile() -> Profile:
    """Return the profile of the resources."""
    stored = table("deidentify", "basic_profile.json")
    return Profile(
        source=stored["source"],
        actions={int(tag, 16): action for tag, action in stored["actions"].items()},
        groups=frozenset(int(group[:2], 16) for group in stored["groups"]),
        keep_text=frozenset(stored["keep_text"]),
        kept_binary=frozenset(stored["kept_binary"]),
        ordinary_words=frozenset(stored["ordinary_words"]),
    )


CHARACTERISTICS: Final = frozenset(("PatientSex", "PatientAge", "PatientSize", "PatientWeight"))
"""What the option Retain Patient Characteristics keeps here (PS3.15 E.3.7)."""

Code = tuple[str, str]

BASIC: Final[Code] = ("113100", "Basic Application Confidentiality Profile")
CHARACTERISTICS_KEPT: Final[Code] = ("113108", "Retain Patient Characteristics Option")
UIDS_KEPT: Final[Code] = ("113110", "Retain UIDs Option")
DATES_KEPT: Final[Mapping[Dates, Code]] = {
    Dates.SHIFT: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    Dates.KEEP: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
}
TEMPORAL: Final[Mapping[Dates, str]] = {
    Dates.REMOVE: "REMOVED",
    Dates.SHIFT: "MODIFIED",
    Dates.KEEP: "UNMODIFIED",
}
"""Longitudinal Temporal Information Modified (0028,0303)."""


def method_codes(choices: Choices) -> tuple[Code, ...]:
    """Return the codes of De-identification Method Code Sequence (PS3.16 CID 7050, scheme DCM)."""
    held = (
        (True, BASIC),
        (choices.dates in DATES_KEPT, DATES_KEPT.get(choices.dates, BASIC)),
        (choices.keep_characteristics, CHARACTERISTICS_KEPT),
        (choices.keep_uids, UIDS_KEPT),
    )
    return tuple(code for holds, code in held if holds)
