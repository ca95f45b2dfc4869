"""A lesion: one thing in one patient, measured again and again, that keeps its identity over studies.

Lesions belong to a patient key and are never looked for under another one. Their timeline holds the
values as they were measured then, so that an earlier study need not be there to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from pydantic import ConfigDict, Field, model_validator

from reports.domain.evidence import Change, Frozen, Quantity

LESIONS_SCHEMA: Final = "sightline.lesions/1"

COMPARED: Final = ("long", "short", "volume", "area")
"""Values that are compared over time, the one that leads first (RECIST 1.1: the longest diameter)."""


class LesionError(ValueError):
    """A lesion that cannot be: of another patient, unknown, or without a name."""


def patient_key(patient_id: str, issuer: str = "") -> str | None:
    """Return what names one patient, or none when the header has no number: then nobody is known.

    A backslash cannot stand in either part (PS3.5 6.2, LO), so two patients never share a key.
    """
    number = patient_id.strip()
    return f"{number}\\{issuer.strip()}" if number else None


class LesionEntry(Frozen):
    """One measurement of a lesion.

    Parameters
    ----------
    study_date
        DA of the header, "20260301", or empty.
    mark_id
        The mark in that study.
    """

    study_instance_uid: str
    study_date: str = ""
    mark_id: str
    label: str = ""
    """Series and image as they were shown: "Se 3 Im 41"."""
    values: tuple[Quantity, ...] = ()

    def compared(self, name: str) -> Quantity | None:
        """Return a value by name, or none."""
        return next((value for value in self.values if value.name == name), None)


class Lesion(Frozen):
    """One lesion.

    Parameters
    ----------
    id
        Given once and for life; also the Tracking Identifier of what is exported.
    tracking_uid
        Tracking Unique Identifier (PS3.16 TID 1419): a UID from a UUID (PS3.5 B.2).
    """

    id: str
    tracking_uid: str
    name: str = Field(min_length=1, max_length=64)
    patient_key: str
    entries: tuple[LesionEntry, ...] = ()

    @classmethod
    def new(cls, name: str, patient: str) -> Lesion:
        """Return a new lesion of a patient.

        Raises
        ------
        LesionError
            It has no name.
        """
        identity = uuid4()
        if not name.strip():
            raise LesionError("A lesion needs a name.")
        return cls(
            id=identity.hex,
            tracking_uid=f"2.25.{identity.int}",
            name=name.strip()[:64],
            patient_key=patient,
        )

    def timeline(self) -> tuple[LesionEntry, ...]:
        """Return the entries by date; what has no date stands last."""
        return tuple(
            sorted(
                self.entries,
                key=lambda one: (not one.study_date, one.study_date, one.study_instance_uid),
            )
        )


@dataclass(frozen=True)
class Repeatability:
    """What a value may differ by when the same lesion is measured twice, and who says so.

    Parameters
    ----------
    absolute, share
        In the unit of the value, and as a share of the earlier value; the larger counts.
    """

    source: str
    absolute: float = 0.0
    share: float = 0.0


REPEATABILITY: Final = {
    "long": Repeatability("Lung-RADS v2022: growth is more than 1.5 mm", absolute=1.5),
    "short": Repeatability("Lung-RADS v2022: growth is more than 1.5 mm", absolute=1.5),
    "volume": Repeatability("BTS 2015: growth is 25 % of the volume", share=0.25),
    "area": Repeatability("two diameters, each within the limit of a length", share=0.25),
}
"""By value. The stated uncertainty of the two values counts where it is larger."""


@dataclass(frozen=True)
class Difference:
    """How a value differs from an earlier one, in its unit and as a share of the earlier.

    Parameters
    ----------
    share
        0.2 is 20 % more; none when the earlier value is 0.
    limit
        Smallest difference that is a change, in the unit of the value.
    source
        Where the limit comes from.
    doubling_days
        Volume doubling time, dt ln 2 / ln(V2 / V1), of a volume that grew beyond the limit.
    """

    now: Quantity
    before: Quantity
    absolute: float
    share: float | None
    limit: float
    source: str
    doubling_days: float | None = None

    @property
    def change(self) -> Change:
        """The word for it; the program's choice, beyond repeatability only (drafting.md 8)."""
        if abs(self.absolute) <= self.limit:
            return Change.NO_MEASURABLE_CHANGE
        return Change.LARGER if self.absolute > 0 else Change.SMALLER


def difference(now: LesionEntry, before: LesionEntry) -> Difference | None:
    """Return the difference of the leading value that both have in the same unit, or none."""
    for name in COMPARED:
        new, old = now.compared(name), before.compared(name)
        if new is not None and old is not None and new.unit == old.unit:
            return _difference(name, new, old, _days(now, before))
    return None


def _difference(name: str, new: Quantity, old: Quantity, days: int | None) -> Difference:
    grown = new.value - old.value
    known = REPEATABILITY[name]
    absolute = (
        known.absolute if new.unit == "mm" else 0.0
    )  # a limit in millimetres says nothing of pixels
    limit, source = max(absolute, known.share * old.value), known.source
    stated = math.hypot(new.uncertainty or 0.0, old.uncertainty or 0.0)
    if stated > limit:
        limit, source = stated, "stated uncertainty of both values"
    found = Difference(
        now=new,
        before=old,
        absolute=grown,
        share=grown / old.value if old.value else None,
        limit=limit,
        source=source,
    )
    if name == "volume" and days and days > 0 and old.value > 0 and found.change is Change.LARGER:
        return replace(found, doubling_days=days * math.log(2) / math.log(new.value / old.value))
    return found


def _days(now: LesionEntry, before: LesionEntry) -> int | None:
    """Return the days between two studies, or none without both dates."""
    try:
        first, last = (datetime.strptime(one.study_date, "%Y%m%d") for one in (before, now))
    except ValueError:
        return None
    return (last - first).days


class Lesions(Frozen):
    """The lesions of one patient."""

    version: str = Field(default=LESIONS_SCHEMA, alias="schema")
    patient_key: str
    lesions: tuple[Lesion, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _check(self) -> Lesions:
        if any(lesion.patient_key != self.patient_key for lesion in self.lesions):
            raise LesionError("A lesion of another patient does not belong here.")
        if len({lesion.id for lesion in self.lesions}) != len(self.lesions):
            raise LesionError("Two lesions have the same identity.")
        return self

    def get(self, lesion_id: str | None) -> Lesion | None:
        """Return a lesion by id, or none."""
        return next((lesion for lesion in self.lesions if lesion.id == lesion_id), None)

    def next_name(self) -> str:
        """Return a name that no lesion of the patient has: "L1", "L2", ..."""
        taken = {lesion.name for lesion in self.lesions}
        return next(f"L{n}" for n in range(1, len(taken) + 2) if f"L{n}" not in taken)

    def with_new(self, name: str = "") -> tuple[Lesions, Lesion]:
        """Return the lesions with one more, and that one."""
        made = Lesion.new(name or self.next_name(), self.patient_key)
        return self._with((*self.lesions, made)), made

    def renamed(self, lesion_id: str, name: str) -> Lesions:
        """Return the lesions with another name for one; its identity stays.

        Raises
        ------
        LesionError
            It is unknown, or the name is empty.
        """
        if self.get(lesion_id) is None:
            raise LesionError("This patient has no such lesion.")
        if not name.strip():
            raise LesionError("A lesion needs a name.")
        return self._with(
            one.model_copy(update={"name": name.strip()[:64]}) if one.id == lesion_id else one
            for one in self.lesions
        )

    def with_study(
        self, study_instance_uid: str, entries: Iterable[tuple[str, LesionEntry]]
    ) -> Lesions:
        """Return the lesions with these entries of one study in place of those it had.

        Parameters
        ----------
        entries
            Lesion id and entry of each mark of the study that is linked.

        Raises
        ------
        LesionError
            An entry is of another study, or of a lesion that this patient does not have.
        """
        given = tuple(entries)
        if any(entry.study_instance_uid != study_instance_uid for _, entry in given):
            raise LesionError("An entry of another study does not belong here.")
        if any(self.get(lesion_id) is None for lesion_id, _ in given):
            raise LesionError("This patient has no such lesion.")
        return self._with(
            lesion.model_copy(
                update={
                    "entries": (
                        *(
                            entry
                            for entry in lesion.entries
                            if entry.study_instance_uid != study_instance_uid
                        ),
                        *(entry for lesion_id, entry in given if lesion_id == lesion.id),
                    )
                }
            )
            for lesion in self.lesions
        )

    def _with(self, lesions: Iterable[Lesion]) -> Lesions:
        return Lesions(patient_key=self.patient_key, lesions=tuple(lesions))
