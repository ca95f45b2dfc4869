"""The lesions of the patient whose study is open: its marks are linked to them. No Qt.

Entries follow from the marks, so that undo of a link is undo of its entry; names and identities are
what a person gave and are never lost with the last mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from app.marks import MarksError
from inference.evidence.marked import quantities_of
from reports.domain import Lesion, LesionEntry, LesionError, Lesions, patient_key
from viewer.imaging.marks import Mark
from viewer.imaging.study import Study


def where(study: Study, mark: Mark) -> str:
    """Return series and image of a mark as the reader sees them: "Se 3 Im 41"; "Se 3" off images."""
    series = next((one for one in study.series if one.key == mark.series_key), None)
    if series is None:
        return ""
    number = "?" if series.series_number is None else str(series.series_number)
    for place, instance in enumerate(series.instances, start=1):
        if instance.sop_instance_uid == mark.sop_instance_uid:
            frames = instance.number_of_frames
            image = mark.frame_number if frames > 1 else instance.instance_number or place
            return f"Se {number} Im {image}"
    return f"Se {number}"


class LesionBook:
    """The lesions of one patient, as one open study changes them.

    Parameters
    ----------
    stored
        Body of the patient's record, or none.

    Raises
    ------
    MarksError
        The record cannot be read.
    """

    def __init__(self, study: Study, stored: Mapping[str, Any] | None) -> None:
        self._study = study
        self.patient = key_of(study)
        self.lesions = _read(self.patient or "", stored)
        self._new: list[str] = []
        self._renamed: dict[str, str] = {}
        self._entries: tuple[tuple[str, LesionEntry], ...] = ()

    @property
    def known(self) -> tuple[Lesion, ...]:
        """Lesions with at least one measurement, in the order in which they were named."""
        return tuple(lesion for lesion in self.lesions.lesions if lesion.entries)

    def new(self, name: str = "") -> Lesion:
        """Add a lesion.

        Raises
        ------
        LesionError
            The patient has no number: nobody would know whose lesion it is.
        """
        if self.patient is None:
            raise LesionError("This patient has no ID: a lesion could not be found again.")
        self.lesions, made = self.lesions.with_new(name)
        self._new.append(made.id)
        return made

    def rename(self, lesion_id: str, name: str) -> None:
        """Give a lesion another name.

        Raises
        ------
        LesionError
            It is unknown, or the name is empty.
        """
        self.lesions = self.lesions.renamed(lesion_id, name)
        self._renamed[lesion_id] = name

    def follow(self, marks: Sequence[Mark]) -> bool:
        """Take the entries of this study from its marks; true when that changed something.

        A mark may name a lesion that was never saved, when the program ended between the two records:
        the lesion is there again with its identity, under a new name.
        """
        before = self.lesions
        for mark in marks:
            self._adopt(mark)
        self._entries = tuple(
            (mark.lesion_id, self._entry(mark))
            for mark in marks
            if mark.is_own and mark.lesion_id is not None and self.lesions.get(mark.lesion_id)
        )
        self.lesions = self.lesions.with_study(self._study.study_instance_uid, self._entries)
        return self.lesions != before

    def _adopt(self, mark: Mark) -> None:
        """Bring back the lesion that a mark names, where it is not known."""
        identity, uid = mark.lesion_id, mark.tracking_uid
        is_known = identity is None or self.lesions.get(identity) is not None
        if is_known or identity is None or uid is None or self.patient is None or not mark.is_own:
            return
        name = self.lesions.next_name()
        again = Lesion(id=identity, tracking_uid=uid, name=name, patient_key=self.patient)
        self.lesions = Lesions(patient_key=self.patient, lesions=(*self.lesions.lesions, again))
        self._new.append(identity)

    def maker(self) -> Callable[[Mapping[str, Any] | None], dict[str, Any]]:
        """Return what makes the record to keep from the stored one, as things stand now.

        What another study of the patient changed meanwhile stays. It raises `MarksError` when the
        stored record cannot be read.
        """
        patient, uid = self.patient or "", self._study.study_instance_uid
        made = tuple(one for one in self.lesions.lesions if one.id in self._new)
        renamed, entries = dict(self._renamed), self._entries

        def body(stored: Mapping[str, Any] | None) -> dict[str, Any]:
            base = _read(patient, stored)
            ours = tuple(one for one in made if base.get(one.id) is None)
            merged = Lesions(patient_key=patient, lesions=(*base.lesions, *ours))
            for lesion_id, name in renamed.items():
                merged = merged.renamed(lesion_id, name)
            return merged.with_study(uid, entries).model_dump(mode="json", by_alias=True)

        return body

    def _entry(self, mark: Mark) -> LesionEntry:
        return LesionEntry(
            study_instance_uid=self._study.study_instance_uid,
            study_date=self._study.date,
            mark_id=mark.id,
            label=where(self._study, mark),
            values=quantities_of(mark),
        )


def key_of(study: Study) -> str | None:
    """Return the key of the patient of a study, or none."""
    return patient_key(study.patient.patient_id, study.patient.issuer)


def _read(patient: str, stored: Mapping[str, Any] | None) -> Lesions:
    if stored is None:
        return Lesions(patient_key=patient)
    try:
        lesions = Lesions.model_validate(stored)
    except ValidationError:
        raise MarksError("The lesions of this patient cannot be read.") from None
    if lesions.patient_key != patient:
        raise MarksError("The lesions that are kept here are another patient's.")
    return lesions
