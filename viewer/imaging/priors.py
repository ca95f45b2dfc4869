"""Earlier studies of the same patient. No Qt.

Two studies are of one patient when their ID and its issuer are equal, and, where no issuer vouches for
the ID, name or birth date as well: IDs of different houses collide. Equal name and birth date under
another ID is offered, marked, and never counts as the same patient by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from viewer.imaging.identity import compared_name
from viewer.imaging.study import Patient, Study


@dataclass(frozen=True)
class PriorStudy:
    """An earlier study.

    Parameters
    ----------
    same_id
        False when only name and birth date agree.
    """

    study: Study
    same_id: bool = True


def same_patient(one: Patient, other: Patient) -> bool:
    """Return whether the IDs say that two studies are of one patient."""
    if not one.patient_id or (one.patient_id, one.issuer) != (other.patient_id, other.issuer):
        return False
    if one.issuer:
        return True
    same = compared_name(one.name) == compared_name(other.name)
    return same or (bool(one.birth_date) and one.birth_date == other.birth_date)


def same_name(one: Patient, other: Patient) -> bool:
    """Return whether name and birth date are given and equal."""
    return bool(compared_name(one.name)) and bool(one.birth_date) and _by_name(one) == _by_name(other)


def _by_name(patient: Patient) -> tuple[str, str]:
    return compared_name(patient.name), patient.birth_date


class PriorFinder:
    """Finds the earlier studies of many; looks through each patient's alone.

    Parameters
    ----------
    studies
        All that are known.
    """

    def __init__(self, studies: Iterable[Study]) -> None:
        self._by_id: dict[str, list[Study]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[Study]] = defaultdict(list)
        for study in studies:
            patient = study.patient
            if patient.patient_id:
                self._by_id[patient.patient_id].append(study)
            if compared_name(patient.name) and patient.birth_date:
                self._by_name[_by_name(patient)].append(study)

    def priors_of(self, study: Study) -> tuple[PriorStudy, ...]:
        """Return the earlier studies of the patient, newest first; without a date there are none."""
        patient = study.patient
        found: dict[str, PriorStudy] = {}
        for other in self._by_id.get(patient.patient_id, ()):
            if _is_earlier(other, study) and same_patient(patient, other.patient):
                found[other.study_instance_uid] = PriorStudy(other)
        for other in self._by_name.get(_by_name(patient), ()):
            if _is_earlier(other, study) and same_name(patient, other.patient):
                found.setdefault(other.study_instance_uid, PriorStudy(other, same_id=False))
        return tuple(sorted(found.values(), key=_age, reverse=True))


def _is_earlier(other: Study, study: Study) -> bool:
    return (
        bool(study.date)
        and bool(other.date)
        and (other.date, other.time) < (study.date, study.time)
        and other.study_instance_uid != study.study_instance_uid
    )


def _age(prior: PriorStudy) -> tuple[str, str]:
    return prior.study.date, prior.study.time
