"""From the header of an object that is no image to its entry in the index."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from viewer.imaging.elements import Odd, TooLong, read_raw
from viewer.imaging.headers import Header, HeaderError, Tag
from viewer.imaging.images import instance_uid, kind_of_object
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind, SeriesReference
from viewer.imaging.objects.values import first_item, items, words
from viewer.imaging.study import BadFile

MAX_REFERENCES: Final = 2000
"""Most images that an entry names: the index stays light, the content names all."""

STORAGE: Final = "1.2.840.10008.5.1.4.1.1."

CLASSES: Final[dict[str, tuple[ObjectKind, str]]] = {
    "66.4": (ObjectKind.SEGMENTATION, "Segmentation"),
    "66.7": (ObjectKind.SEGMENTATION, "Label map segmentation"),
    "66.1": (ObjectKind.OTHER, "Spatial registration"),
    "66.2": (ObjectKind.OTHER, "Spatial fiducials"),
    "66.3": (ObjectKind.OTHER, "Deformable spatial registration"),
    "66.6": (ObjectKind.OTHER, "Tractography results"),
    "481.3": (ObjectKind.STRUCTURE_SET, "Radiotherapy structure set"),
    "11.1": (ObjectKind.PRESENTATION_STATE, "Greyscale presentation state"),
    "11.2": (ObjectKind.PRESENTATION_STATE, "Colour presentation state"),
    "11.3": (ObjectKind.PRESENTATION_STATE, "Pseudo-colour presentation state"),
    "11.4": (ObjectKind.OTHER, "Blending presentation state"),
    "11.5": (ObjectKind.PRESENTATION_STATE, "XA/XRF greyscale presentation state"),
    "11.6": (ObjectKind.OTHER, "Planar MPR presentation state"),
    "11.7": (ObjectKind.OTHER, "Compositing planar MPR presentation state"),
    "11.8": (ObjectKind.OTHER, "Advanced blending presentation state"),
    "11.9": (ObjectKind.OTHER, "Volume rendering presentation state"),
    "11.10": (ObjectKind.OTHER, "Segmented volume rendering presentation state"),
    "11.11": (ObjectKind.OTHER, "Multiple volume rendering presentation state"),
    "88.11": (ObjectKind.STRUCTURED_REPORT, "Basic text report"),
    "88.22": (ObjectKind.STRUCTURED_REPORT, "Enhanced structured report"),
    "88.33": (ObjectKind.STRUCTURED_REPORT, "Comprehensive structured report"),
    "88.34": (ObjectKind.STRUCTURED_REPORT, "Comprehensive 3D structured report"),
    "88.35": (ObjectKind.STRUCTURED_REPORT, "Extensible structured report"),
    "88.40": (ObjectKind.STRUCTURED_REPORT, "Procedure log"),
    "88.50": (ObjectKind.STRUCTURED_REPORT, "Mammography CAD report"),
    "88.59": (ObjectKind.KEY_OBJECT, "Key object selection"),
    "88.65": (ObjectKind.STRUCTURED_REPORT, "Chest CAD report"),
    "88.67": (ObjectKind.STRUCTURED_REPORT, "X-ray radiation dose report"),
    "88.68": (ObjectKind.STRUCTURED_REPORT, "Radiopharmaceutical radiation dose report"),
    "88.69": (ObjectKind.STRUCTURED_REPORT, "Colon CAD report"),
    "88.71": (ObjectKind.STRUCTURED_REPORT, "Acquisition context report"),
    "88.72": (ObjectKind.STRUCTURED_REPORT, "Adult echocardiography report"),
    "88.73": (ObjectKind.STRUCTURED_REPORT, "Patient radiation dose report"),
    "88.76": (ObjectKind.STRUCTURED_REPORT, "Enhanced X-ray radiation dose report"),
    "30": (ObjectKind.PARAMETRIC_MAP, "Parametric map"),
    "104.1": (ObjectKind.ENCAPSULATED_PDF, "PDF document"),
    "104.2": (ObjectKind.OTHER, "CDA document"),
    "104.3": (ObjectKind.OTHER, "STL surface model"),
    "104.4": (ObjectKind.OTHER, "OBJ surface model"),
    "104.5": (ObjectKind.OTHER, "Material of a surface model (MTL)"),
}
"""What follows `STORAGE` in a SOP Class UID -> what the object is (PS3.4 B.5)."""

_TAGS: Final = (
    *("SpecificCharacterSet", "ContentDate", "ContentTime", "OperatorsName", "SeriesDescription"),
    *("Manufacturer", "ManufacturerModelName", "ReferencedSeriesSequence", "AuthorObserverSequence"),
    *("StudiesContainingOtherReferencedInstancesSequence", "FrameOfReferenceUID", "ReviewerName"),
    *("CurrentRequestedProcedureEvidenceSequence", "VerifyingObserverSequence", "DocumentTitle"),
    *("ContentTemplateSequence", "ConceptNameCodeSequence", "ContentLabel", "ContentDescription"),
    *("PresentationCreationDate", "PresentationCreationTime", "ContentCreatorName"),
    *("StructureSetLabel", "StructureSetName", "StructureSetDate", "StructureSetTime"),
    *("ReferencedFrameOfReferenceSequence", "InstanceCreationDate", "InstanceCreationTime"),
)

_REFERENCES: Final = frozenset((0x00081115, 0x00081200, 0x0040A375, 0x30060010))
"""Referenced Series, Studies Containing Other Referenced Instances, Current Requested Procedure
Evidence and Referenced Frame of Reference Sequence."""


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """A file with an object: its header, which tells study and patient, and its entry."""

    header: Header
    entry: ForeignObject


def kind_of_class(sop_class_uid: str) -> tuple[ObjectKind, str]:
    """Return what an object that is no image is, by its SOP class."""
    words_of_class = kind_of_object(sop_class_uid)
    known = CLASSES.get(sop_class_uid.removeprefix(STORAGE))
    if known is not None:
        return known
    report = words_of_class == "Structured report"
    return (ObjectKind.STRUCTURED_REPORT if report else ObjectKind.OTHER), words_of_class


def is_object(header: Header) -> bool:
    """True when a file is an object of others, by its SOP class."""
    return bool(kind_of_object(_sop_class(header)))


def _sop_class(header: Header) -> str:
    return header.code(Tag.SOPClassUID) or header.code(Tag.MediaStorageSOPClassUID)


def without_double_objects(
    files: Sequence[ObjectFile], names: Mapping[str, str]
) -> tuple[list[ObjectFile], list[BadFile]]:
    """Keep the first object of each SOP Instance UID; name the others, by `names` where in there."""
    first: dict[str, ObjectFile] = {}
    doubled: list[BadFile] = []
    for file in files:
        kept = first.setdefault(file.entry.sop_instance_uid, file)
        if kept is not file:
            path, other = file.entry.path, Path(kept.entry.path).name
            reason = f"Another file has the same SOP Instance UID: {other} is used."
            doubled.append(BadFile(path=names.get(path, path), reason=reason, code="duplicate"))
    return list(first.values()), doubled


def objects_by_study(files: Sequence[ObjectFile]) -> dict[str, list[ObjectFile]]:
    """Return the objects of each study, by series number and instance number."""
    found: dict[str, list[ObjectFile]] = {}
    for file in files:
        found.setdefault(file.header.code(Tag.StudyInstanceUID), []).append(file)
    for group in found.values():
        group.sort(key=lambda file: (file.entry.series_number or 0, file.entry.instance_number or 0))
    return found


def object_file(header: Header) -> ObjectFile:
    """Return the entry of a file that is an object of others.

    Called in the imaging worker: pydicom reads names and references, and no pixels.

    Raises
    ------
    HeaderError
        The object belongs to no study, or its header is damaged.
    """
    sop_class = _sop_class(header)
    kind, what = kind_of_class(sop_class)
    if not header.code(Tag.StudyInstanceUID):
        raise HeaderError("unsupported", f"{what}: it belongs to no study and is not shown.")
    found = _read(header.path)
    if kind is ObjectKind.STRUCTURED_REPORT and _template(found) == "1500":
        kind = ObjectKind.MEASUREMENT_REPORT
    entry = ForeignObject(
        kind=kind,
        what=what,
        path=header.path,
        sop_instance_uid=instance_uid(header),
        sop_class_uid=sop_class,
        series_instance_uid=header.code(Tag.SeriesInstanceUID),
        series_number=header.integer(Tag.SeriesNumber),
        instance_number=header.integer(Tag.InstanceNumber),
        modality=header.code(Tag.Modality),
        description=words(found, "SeriesDescription"),
        label=_first(found, "ContentLabel", "StructureSetLabel", "DocumentTitle") or _title(found),
        content_description=_first(found, "ContentDescription", "StructureSetName"),
        creator=_creator(found),
        date=_first(
            found,
            *("ContentDate", "PresentationCreationDate", "StructureSetDate", "InstanceCreationDate"),
        ),
        time=_first(
            found,
            *("ContentTime", "PresentationCreationTime", "StructureSetTime", "InstanceCreationTime"),
        ),
        frame_of_reference_uid=_frame_of_reference(found),
        references=references_of(found),
    )
    texts = (entry.description, entry.label, entry.content_description, entry.creator)
    suspect = any("�" in text for text in texts)
    return ObjectFile(header, entry.model_copy(update={"encoding_suspect": suspect}))


def _read(path: str) -> Any:
    """Return the elements that an entry needs: the own walk skips all else, pydicom reads odd files."""
    from pydicom.datadict import tag_for_keyword

    tags = {keyword: tag_for_keyword(keyword) or 0 for keyword in _TAGS}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _walked(path, frozenset(tags.values()))
            for keyword in _TAGS:  # decoded now: later reads neither warn nor parse
                words(found, keyword)
            return found
    except Exception as error:  # pydicom raises whatever its input provokes
        raise HeaderError(
            "bad_header", f"Its header cannot be read ({type(error).__name__})."
        ) from error


def _walked(path: str, tags: frozenset[int]) -> Any:
    from pydicom import dcmread
    from pydicom.charset import convert_encodings
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.dataset import Dataset
    from pydicom.filereader import read_sequence
    from pydicom.tag import BaseTag

    try:
        raw = read_raw(path, tags)
    except TooLong:  # more references than an entry would name
        raw = read_raw(path, tags - _REFERENCES)
    except Odd:
        return dcmread(path, stop_before_pixels=True, specific_tags=sorted(tags), force=True)
    terms = raw.elements.get(Tag.SpecificCharacterSet, b"").decode("ascii", "replace").strip("\0 ")
    encodings = convert_encodings(terms.split("\\"))
    implicit, little = raw.implicit_vr, not raw.big_endian
    found = Dataset()
    found.set_original_encoding(implicit, little, encodings)
    for tag in sorted(tags & raw.elements.keys()):
        value, vr = raw.elements[tag], dictionary_VR(tag)
        if vr == "SQ":
            inner = read_sequence(io.BytesIO(value), implicit, little, len(value), encodings)
            found[tag] = DataElement(tag, vr, inner)
        else:
            found[tag] = RawDataElement(BaseTag(tag), vr, len(value), value, 0, implicit, little)
    return found


def _first(found: Any, *keywords: str) -> str:
    return next(filter(None, (words(found, keyword) for keyword in keywords)), "")


def _title(found: Any) -> str:
    """Return the title of a report: the meaning of its concept name."""
    concept = first_item(found, "ConceptNameCodeSequence")
    return "" if concept is None else words(concept, "CodeMeaning")


def _template(found: Any) -> str:
    template = first_item(found, "ContentTemplateSequence")
    return "" if template is None else words(template, "TemplateIdentifier")


def _creator(found: Any) -> str:
    verifier = first_item(found, "VerifyingObserverSequence")
    author = first_item(found, "AuthorObserverSequence")
    device = " ".join(
        filter(None, (words(found, "Manufacturer"), words(found, "ManufacturerModelName")))
    )
    named = (
        words(found, "ContentCreatorName"),
        "" if verifier is None else words(verifier, "VerifyingObserverName"),
        "" if author is None else words(author, "PersonName"),
        words(found, "ReviewerName"),
        words(found, "OperatorsName"),
        device,
    )
    return next(filter(None, named), "")


def _frame_of_reference(found: Any) -> str:
    own = words(found, "FrameOfReferenceUID")
    if own:
        return own
    uids = {
        words(one, "FrameOfReferenceUID") for one in items(found, "ReferencedFrameOfReferenceSequence")
    } - {""}
    return uids.pop() if len(uids) == 1 else ""


def references_of(found: Any) -> tuple[SeriesReference, ...]:
    """Return the series and images that an object names, each series once."""
    by_series: dict[str, dict[str, None]] = {}
    left = MAX_REFERENCES
    for series, keywords in _series_items(found):
        uid = words(series, "SeriesInstanceUID")
        if not uid:
            continue
        named = by_series.setdefault(uid, {})
        for keyword in keywords:
            for image in items(series, keyword, limit=max(left, 0)):
                named[words(image, "ReferencedSOPInstanceUID")] = None
                left -= 1
    return tuple(
        SeriesReference(series_instance_uid=uid, instances=tuple(filter(None, named)))
        for uid, named in by_series.items()
    )


def _series_items(found: Any) -> list[tuple[Any, tuple[str, ...]]]:
    """Return the items that name a series, with the keywords under which its images stand."""
    plain = ("ReferencedInstanceSequence", "ReferencedImageSequence", "ReferencedSOPSequence")
    series: list[tuple[Any, tuple[str, ...]]] = [
        (one, plain) for one in items(found, "ReferencedSeriesSequence")
    ]
    for keyword in (
        "CurrentRequestedProcedureEvidenceSequence",
        "StudiesContainingOtherReferencedInstancesSequence",
    ):
        for study in items(found, keyword):
            series += [(one, plain) for one in items(study, "ReferencedSeriesSequence")]
    for frame in items(found, "ReferencedFrameOfReferenceSequence"):
        for study in items(frame, "RTReferencedStudySequence"):
            series += [
                (one, ("ContourImageSequence",)) for one in items(study, "RTReferencedSeriesSequence")
            ]
    return series
