"""Which studies of an import may stand in the worklist: none takes another patient's place. No Qt."""

from __future__ import annotations

from collections.abc import Iterable

from viewer.imaging.identity import is_another, person
from viewer.imaging.study import BadFile, Study, StudyIndex

REFUSED = (
    "It came with the Study Instance UID of a study that is in the worklist and belongs to another "
    "patient: the one that is there stays as it is."
)


def kept_of(index: StudyIndex, known: Iterable[Study]) -> StudyIndex:
    """Return an import without the studies that would take the place of another patient's.

    Their files are named among those left out, with the reason.
    """
    there = {study.study_instance_uid: study.patient for study in known}

    def is_foreign(study: Study) -> bool:
        kept, new = there.get(study.study_instance_uid), study.patient
        return kept is not None and is_another(
            person(kept.patient_id, kept.name), person(new.patient_id, new.name)
        )

    foreign = [study for study in index.studies if is_foreign(study)]
    if not foreign:
        return index
    refused = (
        BadFile(path=instance.path, reason=REFUSED, code="other_patient")
        for study in foreign
        for series in study.series
        for instance in series.instances
    )
    return index.model_copy(
        update={
            "studies": tuple(study for study in index.studies if study not in foreign),
            "bad_files": (*index.bad_files, *refused),
        }
    )
