"""De-identified copies of images by PS3.15 Annex E: the table as data, and stricter where it is silent.

Beside the table (`resources/deidentify/basic_profile.json`): every private element goes, every person
name, every free text that does not describe the technique, every unknown or opaque binary element, and
every text that holds a word of the patient's identity (`identity_words`). Pixel data is not touched.
Parses DICOM: called in a worker process only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from reports.export.burned_in import why_refused
from reports.export.deidentify_profile import (
    CHARACTERISTICS,
    TEMPORAL,
    Choices,
    Dates,
    basic_profile,
    method_codes,
)
from reports.export.identity_words import IdentityWords, texts

STANDARD_ROOT: Final = "1.2.840.10008."
"""UIDs of the standard itself (classes, syntaxes, coding schemes) name nobody."""

DATE_VRS: Final = frozenset(("DA", "DT"))
TEMPORAL_VRS: Final = frozenset(("DA", "DT", "TM"))
TEXT_VRS: Final = frozenset(("AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT"))
CODED_VRS: Final = frozenset(("CS", "AS"))

STRUCTURAL: Final = frozenset(("Modality", "PhotometricInterpretation", "SpecificCharacterSet"))
"""Code strings without which nothing can be read; their values are of the standard."""

BINARY_VRS: Final = frozenset(("OB", "OW", "UN"))

ENHANCED: Final = ("Enhanced", "Segmentation", "Microscopy", "Parametric Map")

EMPTY_SEQUENCES: Final = frozenset(("AcquisitionContextSequence",))
"""Sequences of type 2: they may stand without an item."""

NAMED_TYPE_1: Final = frozenset(("TrackingID", "LocalNamespaceEntityID", "UniversalEntityID"))
"""Free text without which what stands beside it has no meaning: it gets a dummy."""

DELIMITERS: Final = 0xFFFE
"""Group of item delimiters; broken writers leave them among the elements."""

DUMMIES: Final = {
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "CS": "REMOVED",
    "AS": "000Y",
    "DS": "0",
    "IS": "0",
}
"""Values in place of type 1 attributes (action D), by VR; other text says "Removed"."""

OLDEST_AGE: Final = 89
"""Years; older people are few, so "090Y" stands for all of them."""

LONGEST_SHIFT_DAYS: Final = 3650
IMPLEMENTATION: Final = "2.25.211476904373022093213812376311893124"
METHOD: Final = "Sightline: PS3.15 Basic Application Confidentiality Profile"


class NotCleanable(ValueError):
    """An object that is left out whatever was chosen; the message says why."""


class Cleaner:
    """Cleans the datasets of one export; the same UIDs, patients and dates always map alike.

    Parameters
    ----------
    secret
        Random bytes of this export; without them nobody computes the map from old to new UIDs.
    """

    def __init__(self, choices: Choices, secret: bytes) -> None:
        self.choices = choices
        self.identity = IdentityWords()
        self._secret = secret
        self._profile = basic_profile()
        self._actions: dict[str, Callable[[Any, Any], bool]] = {
            "X": self._remove,
            "Z": self._empty,
            "D": self._dummy,
            "U": self._new_uids,
            "Z/D": self._empty_or_dummy,
            "X/Z": self._empty_or_remove,
            "X/D": self._dummy,
            "X/Z/D": self._remove_or_dummy,
            "X/Z/U": self._into,
        }
        self._by_kind: dict[str, Callable[[Any, Any], bool]] = {
            "SQ": self._into,
            "UI": self._new_uids,
            "PN": self._empty,
            **dict.fromkeys(TEMPORAL_VRS, self._empty),
        }

    def clean(self, dataset: Any) -> Any:
        """Clean a dataset in place and return it; learn all datasets of the export first.

        Raises
        ------
        NotCleanable
            The kind of object is left out, or a value cannot be read.
        """
        reason = why_refused(dataset)
        if reason:
            raise NotCleanable(reason)
        patient = str(dataset.get("PatientID", "")) + "\n" + str(dataset.get("PatientName", ""))
        self._days = 1 + self._number("days", patient) % LONGEST_SHIFT_DAYS
        self._is_enhanced = _is_enhanced(dataset)
        age = _age(dataset.get("PatientAge"))
        try:
            self._clean_level(dataset)
        except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
            raise NotCleanable(f"a value in it cannot be read ({type(error).__name__})") from error
        self._name(dataset, patient)
        if self.choices.keep_characteristics and age is not None and age > OLDEST_AGE:
            dataset.PatientAge = "090Y"
        self._declare(dataset)
        self._rewrite_meta(dataset)
        return dataset

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another in this export; those of the standard stay."""
        if not uid or uid.startswith(STANDARD_ROOT) or self.choices.keep_uids:
            return uid
        return f"2.25.{self._number('uid', uid)}"

    def _number(self, kind: str, text: str) -> int:
        digest = hmac.new(self._secret, f"{kind}\n{text}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:15], "big")

    # --- one level of a dataset --------------------------------------------------------------------

    def _clean_level(self, dataset: Any) -> None:
        for tag in list(dataset.keys()):
            if self._goes_unread(tag) or not self._keeps(dataset, dataset[tag]):
                del dataset[tag]

    def _goes_unread(self, tag: Any) -> bool:
        """Tell what goes whatever it holds: private, group lengths, stray delimiters, overlays."""
        is_listed = (tag.group >> 8) in self._profile.groups
        return tag.is_private or tag.element == 0 or tag.group == DELIMITERS or is_listed

    def _keeps(self, dataset: Any, element: Any) -> bool:
        """Do to an element what is due; false when it goes."""
        if self._is_chosen(element):
            return self._sweep(element)
        if element.VR in TEMPORAL_VRS and self.choices.dates is not Dates.REMOVE:
            return self._date(element)
        action = self._profile.actions.get(int(element.tag))
        if action is not None:
            return self._actions[action](dataset, element)
        return self._beyond_the_table(element)

    def _is_chosen(self, element: Any) -> bool:
        return self.choices.keep_characteristics and element.keyword in CHARACTERISTICS

    def _beyond_the_table(self, element: Any) -> bool:
        """Clean what the table does not name."""
        kind, keyword = element.VR, element.keyword
        if kind in TEXT_VRS:
            if keyword in self._profile.keep_text:
                return self._sweep(element)
            if keyword in NAMED_TYPE_1:
                return self._dummy(None, element)
            return self._empty(None, element)
        if kind in CODED_VRS:
            return keyword in STRUCTURAL or self._sweep(element)
        if kind in BINARY_VRS or " or " in kind:
            return keyword in self._profile.kept_binary and not self._names(element)
        clean = self._by_kind.get(kind)
        return clean is None or clean(None, element)

    def _sweep(self, element: Any) -> bool:
        """Replace a text in which a word of the patient's identity stands."""
        if self.identity.found_in(element.value):
            dummy = DUMMIES.get(element.VR, "Removed")
            values = list(texts(element.value))
            clean = [dummy if self.identity.found_in(value) else value for value in values]
            element.value = clean[0] if len(clean) == 1 else clean
        return True

    def _names(self, element: Any) -> bool:
        """Tell whether a colour profile holds a word of the patient's identity; pixels are no text."""
        if element.keyword != "ICCProfile":
            return False
        return self.identity.found_in(bytes(element.value).replace(b"\0", b"").decode("latin-1"))

    # --- actions of the table ----------------------------------------------------------------------

    def _remove(self, _dataset: Any, _element: Any) -> bool:
        return False

    def _empty(self, _dataset: Any, element: Any) -> bool:
        element.value = [] if element.VR == "SQ" else ""
        return True

    def _dummy(self, dataset: Any, element: Any) -> bool:
        if element.VR == "SQ":
            return self._into(dataset, element)
        if element.VR == "UI":
            return self._new_uids(dataset, element)
        if element.VR in BINARY_VRS:
            return False
        element.value = DUMMIES.get(element.VR, "Removed") if not _is_empty(element) else ""
        return True

    def _empty_or_remove(self, dataset: Any, element: Any) -> bool:
        """Type 2 or 3; a sequence that needs an item when it is there goes as a whole."""
        if element.VR == "SQ" and element.keyword not in EMPTY_SEQUENCES:
            return False
        return self._empty(dataset, element)

    def _remove_or_dummy(self, dataset: Any, element: Any) -> bool:
        """Type 1 in enhanced objects, type 3 in the classic ones."""
        if element.VR == "SQ" or not self._is_enhanced:
            return False
        return self._dummy(dataset, element)

    def _empty_or_dummy(self, dataset: Any, element: Any) -> bool:
        """Type 1 in enhanced objects, type 2 or 3 in the classic ones."""
        if self._is_enhanced:
            return self._dummy(dataset, element)
        return self._empty(dataset, element)

    def _new_uids(self, _dataset: Any, element: Any) -> bool:
        if element.VR == "UI":
            uids = [self.uid(str(uid)) for uid in texts(element.value)]
            element.value = uids[0] if len(uids) == 1 else uids
        return True

    def _into(self, _dataset: Any, element: Any) -> bool:
        for item in element.value or ():
            self._clean_level(item)
        return True

    def _date(self, element: Any) -> bool:
        """Keep a date, or move it; a birth date goes in any case."""
        if element.keyword.startswith("PatientBirth"):
            return self._empty(None, element)
        if self.choices.dates is Dates.SHIFT and element.VR in DATE_VRS:
            moved = [_shifted(text, self._days) for text in texts(element.value)]
            element.value = moved[0] if len(moved) == 1 else moved
        return True

    # --- what is put in ----------------------------------------------------------------------------

    def _name(self, dataset: Any, patient: str) -> None:
        pseudonym = self.choices.label or f"ANON-{self._number('patient', patient) % 16**8:08X}"
        dataset.PatientName = pseudonym
        dataset.PatientID = pseudonym

    def _declare(self, dataset: Any) -> None:
        """Say what was done (PS3.15 E.1.1, PS3.3 C.12.1.1.1)."""
        from pydicom.dataset import Dataset

        items = []
        for value, meaning in method_codes(self.choices):
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
            items.append(item)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = METHOD
        dataset.DeidentificationMethodCodeSequence = items
        dataset.LongitudinalTemporalInformationModified = TEMPORAL[self.choices.dates]

    def _rewrite_meta(self, dataset: Any) -> None:
        """Write the file meta information anew: nothing of the old one but the transfer syntax."""
        from pydicom.dataset import FileMetaDataset

        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.TransferSyntaxUID = _syntax_of(dataset)
        meta.ImplementationClassUID = IMPLEMENTATION
        meta.ImplementationVersionName = "SIGHTLINE"
        dataset.file_meta = meta
        dataset.preamble = bytes(128)


def _is_enhanced(dataset: Any) -> bool:
    """Tell an object whose dates are type 1: with functional groups, or of a class that has them."""
    from pydicom.uid import UID

    name = UID(str(dataset.SOPClassUID)).name
    return "SharedFunctionalGroupsSequence" in dataset or any(word in name for word in ENHANCED)


def _syntax_of(dataset: Any) -> Any:
    """Return the transfer syntax; of a file without meta information how it was read."""
    from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    stated = dataset.file_meta.get("TransferSyntaxUID")
    if stated:
        if not UID(str(stated)).is_transfer_syntax:
            raise NotCleanable("its transfer syntax is unknown")
        return stated
    is_implicit, is_little = dataset.original_encoding
    if not is_little:
        raise NotCleanable("its transfer syntax is not stated")
    return ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian


def _is_empty(element: Any) -> bool:
    return not any(texts(element.value))


def _age(text: Any) -> int | None:
    found = str(text or "")
    return int(found[:3]) if len(found) == 4 and found.endswith("Y") and found[:3].isdigit() else None


def _shifted(text: str, days: int) -> str:
    """Return a DA or DT moved back by days; one that is no date is removed."""
    try:
        day = dt.datetime.strptime(text[:8], "%Y%m%d").date()
        return (day - dt.timedelta(days=days)).strftime("%Y%m%d") + text[8:]
    except (ValueError, OverflowError):
        return ""
