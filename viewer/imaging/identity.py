"""Whose study it is: a file that names another patient is never shown under the name of the first.

Two patients' studies with one Study Instance UID come from careless copying or from programs that do
not count. Nothing in such a file says which of the two is meant, so the patient whom most files name
keeps the study and the others are refused, each by its name as a file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from viewer.imaging.charset import TextDecoder
from viewer.imaging.headers import Header, Tag

Named = tuple[bytes, bytes, bytes]
"""Patient's ID and name as they stand in the file, and the character sets of the file."""

OTHER_PATIENT: Final = (
    "It belongs to a study of another patient: number and name of its patient are others than those of "
    "most files with this Study Instance UID."
)


Person = tuple[str, str]
"""Patient's ID, and the name as it is compared."""


def compared_name(name: str) -> str:
    """Return a name to compare: without case and without empty components (PS3.5 6.2.1).

    It is the alphabetic one, or the next group that is given: a name may be ideographic only.
    """
    groups = (group.rstrip("^ ") for group in name.split("="))
    return next(filter(None, groups), "").casefold()


def person(patient_id: str, name: str) -> Person:
    """Return a patient as they are compared."""
    return patient_id.strip(), compared_name(name)


def is_another(one: Person, other: Person) -> bool:
    """Return whether two are surely not the same patient.

    So it is where both have a number, the numbers differ, and the names are not the same: a number that
    was corrected, or a name that was written in another way, is no other patient.
    """
    same_name = bool(one[1]) and one[1] == other[1]
    return bool(one[0] and other[0]) and one[0] != other[0] and not same_name


def of_other_patients(headers: Iterable[Header]) -> list[str]:
    """Return the paths of the files that name another patient than most of their study do."""
    by_study: dict[str, dict[Named, list[str]]] = defaultdict(lambda: defaultdict(list))
    for header in headers:
        raw = header.raw.elements
        named = (
            raw.get(Tag.PatientID, b"").strip(b" \0"),
            raw.get(Tag.PatientName, b"").strip(b" \0^"),
            raw.get(Tag.SpecificCharacterSet, b""),
        )
        by_study[header.code(Tag.StudyInstanceUID)][named].append(header.path)
    found: list[str] = []
    for study_uid, groups in by_study.items():
        if study_uid and len({named[0] for named in groups if named[0]}) > 1:
            found += _others(groups)
    return found


def _others(groups: Mapping[Named, list[str]]) -> list[str]:
    """Return the paths of all who are not the patient whom most files of a study name."""
    people = {named: _person(named) for named in groups}
    counts: Counter[Person] = Counter()
    for named, paths in groups.items():
        counts[people[named]] += len(paths)
    ids = [(count, person) for person, count in counts.items() if person[0]]
    patient = max(ids, key=lambda one: one[0])[1]
    return [
        path for named, paths in groups.items() if is_another(people[named], patient) for path in paths
    ]


def _person(named: Named) -> Person:
    text = TextDecoder(named[2] or None)
    return person(text.text(named[0]), text.name(named[1]))
