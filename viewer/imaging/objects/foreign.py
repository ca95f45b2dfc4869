"""What the index says of an object that is no image: its kind, its names, and what it points at."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class ObjectKind(StrEnum):
    """What an object of a study is, by what a viewer does with it."""

    SEGMENTATION = "segmentation"
    STRUCTURE_SET = "structure set"
    PRESENTATION_STATE = "presentation state"
    MEASUREMENT_REPORT = "measurement report"
    """A structured report by TID 1500."""
    STRUCTURED_REPORT = "structured report"
    KEY_OBJECT = "key object selection"
    PARAMETRIC_MAP = "parametric map"
    """Listed where its pixels are not shown as a series of images."""
    ENCAPSULATED_PDF = "encapsulated PDF"
    OTHER = "other"
    """Known by name and listed; nothing of it is shown."""


READABLE = frozenset(ObjectKind) - {ObjectKind.OTHER, ObjectKind.PARAMETRIC_MAP}
"""The kinds that `Reader.read_object` reads."""


class SeriesReference(BaseModel):
    """A series that an object was made on, and its images that are named.

    Parameters
    ----------
    instances
        SOP Instance UIDs, at most `MAX_REFERENCES` of them; empty where only the series is named.
    """

    model_config = ConfigDict(frozen=True)

    series_instance_uid: str
    instances: tuple[str, ...] = ()


class ForeignObject(BaseModel):
    """One object of a study that is no image to scroll through.

    Parameters
    ----------
    path
        Absolute path of the file.
    what
        The kind in words for the reader, more exactly than `kind` ("Radiotherapy plan").
    description
        Series Description.
    label, content_description
        Content Label and Content Description; Structure Set Label and Name; Document Title.
    creator
        Content Creator's Name; the verifying observer, the approving reviewer or the operator where
        there is none; the device last.
    date, time
        When the content was made: DICOM DA and TM, or empty.
    frame_of_reference_uid
        Empty where the object has none.
    references
        Series that it was made on.
    encoding_suspect
        True when some text did not decode cleanly.
    """

    model_config = ConfigDict(frozen=True)

    kind: ObjectKind
    what: str
    path: str
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    modality: str = ""
    description: str = ""
    label: str = ""
    content_description: str = ""
    creator: str = ""
    date: str = ""
    time: str = ""
    frame_of_reference_uid: str = ""
    references: tuple[SeriesReference, ...] = ()
    encoding_suspect: bool = False

    @property
    def readable(self) -> bool:
        """True when `Reader.read_object` reads objects of this kind."""
        return self.kind in READABLE

    def refers_to(self, series_instance_uid: str) -> bool:
        """True when the object names this series."""
        return any(one.series_instance_uid == series_instance_uid for one in self.references)
