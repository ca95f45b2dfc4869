"""The words by which a patient could be found again, looked for in all text that is kept.

The table of PS3.15 names attributes; names also stand where nobody expects them (a code meaning, a
coil name). What was in the identifying attributes of any file of an export is therefore looked for in
every text that stays, and such a text goes as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from reports.export.deidentify_profile import basic_profile

IDENTIFYING: Final = (
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientBirthDate",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "IssuerOfPatientID",
    "MedicalRecordLocator",
    "AccessionNumber",
    "AdmissionID",
    "ReferringPhysicianName",
    "ConsultingPhysicianName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "OperatorsName",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "DeviceSerialNumber",
)

SHORTEST: Final = 3
"""Letters or digits of a word; shorter ones are in every text."""

_WORD = re.compile(r"[^\W_]+", re.UNICODE)


def words_of(dataset: Any) -> Iterator[str]:
    """Yield the words of the identifying attributes of a dataset and of its sequences, case folded."""
    ordinary = basic_profile().ordinary_words
    for element in _readable(dataset):
        if element.keyword in IDENTIFYING:
            for text in texts(element.value):
                yield from (
                    word
                    for word in (found.casefold() for found in _WORD.findall(text))
                    if len(word) >= SHORTEST and word not in ordinary
                )


def _readable(dataset: Any) -> Iterator[Any]:
    """Yield the elements of all levels that can be read: one that is broken hides no other."""
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
            continue
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _readable(item)
        else:
            yield element


def texts(value: Any) -> Iterator[str]:
    """Yield the values of a text element, one string each."""
    if value is None:
        return
    if isinstance(value, str):
        yield value
    elif hasattr(value, "components") or not hasattr(value, "__iter__"):
        yield str(value)
    else:
        for one in value:
            yield str(one)


class IdentityWords:
    """Words that must not stand in what leaves."""

    def __init__(self) -> None:
        self._words: set[str] = set()

    def learn(self, dataset: Any) -> None:
        """Add the words of a source dataset."""
        self._words.update(words_of(dataset))

    def found_in(self, value: Any) -> bool:
        """Tell whether a value holds one of the words: a short one whole, a long one anywhere."""
        for text in texts(value):
            folded = text.casefold()
            parts = set(_WORD.findall(folded))
            if parts & self._words or any(len(word) > 4 and word in folded for word in self._words):
                return True
        return False
