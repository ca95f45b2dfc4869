"""Masks as a DICOM Segmentation: one segment a mask, each frame bound to its source image.

Written with highdicom (PS3.3 A.51); runs in the evidence worker, because it parses DICOM.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evidence.masks import MaskRef, MaskStore
from reports.domain import Side, Source, SourceKind

MANUFACTURER = "Sightline"

LATERALITY: dict[Side, tuple[str, str, str]] = {
    Side.LEFT: ("7771000", "SCT", "Left"),
    Side.RIGHT: ("24028007", "SCT", "Right"),
    Side.BILATERAL: ("51440002", "SCT", "Right and left"),
}
"""Segmented Property Type Modifier (CID 244)."""

COLOURS: dict[Side, tuple[int, int, int]] = {
    Side.RIGHT: (224, 122, 95),
    Side.LEFT: (94, 155, 214),
}
"""Recommended display colours, sRGB; other sides are drawn in the last."""

OTHER_COLOUR = (150, 190, 120)


class SegError(ValueError):
    """The segmentation cannot be written; `code` is "no_masks", "source" or "geometry"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def write_seg(
    masks: MaskStore,
    sources: Sequence[Path],
    path: Path,
    *,
    tool: Source,
    tracking: Mapping[str, str] | None = None,
) -> str:
    """Write all masks of a store as one binary segmentation and return its SOP Instance UID.

    The UIDs follow from the content: the same masks of the same images give the same object.

    Parameters
    ----------
    sources
        Files of the images in the order of the planes of the masks.
    tool
        Who made the masks: algorithm name and version, or a person, whose segments are MANUAL.
    tracking
        sha256 of a mask -> its tracking UID; one from its content where none is given.

    Raises
    ------
    SegError
        There are no masks, or the images cannot be referenced.
    """
    import highdicom
    from pydicom.sr.codedict import codes

    if len(masks) == 0:
        raise SegError("no_masks", "There is no mask to write: no tool outlined anything.")
    datasets = _sources(sources)
    references = list(masks)
    if any(reference.shape != _shape(datasets) for reference in references):
        raise SegError(
            "geometry", "The masks do not lie on these images: measure the series again and export it."
        )
    algorithm = (
        None
        if tool.kind is SourceKind.PERSON
        else highdicom.AlgorithmIdentificationSequence(
            name=tool.name,
            version=tool.version,
            family=codes.DCM.MorphologicalOperations,
            source=MANUFACTURER,
        )
    )
    series_uid = _uid("series", datasets[0].SeriesInstanceUID, references)
    segmentation = highdicom.seg.Segmentation(
        source_images=datasets,
        pixel_array=_laid_out(masks),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _segment(reference, algorithm, (tracking or {}).get(reference.sha256))
            for reference in references
        ],
        series_instance_uid=series_uid,
        series_number=9001,
        sop_instance_uid=_uid("instance", datasets[0].SeriesInstanceUID, references),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name="Sightline evidence",
        software_versions=tool.version or "0",
        device_serial_number="0",
        content_label="EVIDENCE",
        content_description="Masks behind measured evidence" if algorithm else "Regions of a person",
        series_description="Sightline evidence masks" if algorithm else "Sightline regions",
    )
    _add_laterality(segmentation, references)
    complete_patient(segmentation, datasets[0])
    segmentation.save_as(path)
    return str(segmentation.SOPInstanceUID)


def _laid_out(masks: MaskStore) -> npt.NDArray[np.bool_]:
    """Return all masks as (plane, row, column, segment); each segment lies together in memory.

    Interleaved as the axes say, it takes several times as long to fill and to read.
    """
    references = list(masks)
    laid = np.empty((len(references), *references[0].shape), dtype=np.bool_)
    for mask, reference in zip(laid, references, strict=True):
        mask[...] = masks.get(reference.sha256)
    return np.moveaxis(laid, 0, -1)


def _sources(paths: Sequence[Path]) -> list[Any]:
    """Return the headers of the source images.

    Raises
    ------
    SegError
        A file is gone, or lacks what a reference to it needs.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    datasets = []
    for path in paths:
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except (OSError, InvalidDicomError) as error:
            raise SegError(
                "source", "An image of the series can no longer be read: index its folder again."
            ) from error
        if int(dataset.get("NumberOfFrames", 1) or 1) != 1:
            raise SegError(
                "source", "Masks of multi-frame images are not written as a segmentation yet."
            )
        missing = [keyword for keyword in REQUIRED if not dataset.get(keyword)]
        if missing:
            raise SegError(
                "source",
                f"The images lack {', '.join(missing)}, so a segmentation cannot refer to them.",
            )
        for keyword in TYPE_2:
            if keyword not in dataset:
                setattr(dataset, keyword, "")
        datasets.append(dataset)
    if not datasets:
        raise SegError("source", "There are no images to refer to.")
    return datasets


REQUIRED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
)
"""What a source image must have to be referred to."""

TYPE_2 = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""Attributes that must be present in what is written, if empty (PS3.5 7.4.3)."""


COPIED = ("SyntheticData", "DeidentificationMethod", "DeidentificationMethodCodeSequence")
"""What is also true of the segmentation, and highdicom leaves out."""


def _shape(datasets: Sequence[Any]) -> tuple[int, int, int]:
    return len(datasets), int(datasets[0].Rows), int(datasets[0].Columns)


def _segment(reference: MaskRef, algorithm: Any | None, tracking_uid: str | None) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    colour = COLOURS.get(reference.side, OTHER_COLOUR)
    return highdicom.seg.SegmentDescription(
        segment_number=reference.segment,
        segment_label=reference.label,
        segmented_property_category=codes.SCT.Organ if algorithm else codes.SCT.Tissue,
        segmented_property_type=highdicom.sr.CodedConcept(
            reference.concept.value, reference.concept.scheme, reference.concept.meaning
        ),
        algorithm_type=(
            highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC
            if algorithm
            else highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
        ),
        algorithm_identification=algorithm,
        tracking_uid=highdicom.UID(tracking_uid or _uid_of(f"tracking {reference.sha256}")),
        tracking_id=reference.label,
        display_color=highdicom.color.CIELabColor.from_rgb(*colour),
    )


def _add_laterality(segmentation: Any, references: Sequence[MaskRef]) -> None:
    """Add what highdicom has no argument for."""
    import highdicom
    from pydicom.sequence import Sequence as DicomSequence

    for item, reference in zip(segmentation.SegmentSequence, references, strict=True):
        if reference.side in LATERALITY:
            code = highdicom.sr.CodedConcept(*LATERALITY[reference.side])
            kind = item.SegmentedPropertyTypeCodeSequence[0]
            kind.SegmentedPropertyTypeModifierCodeSequence = DicomSequence([code])


def complete_patient(written: Any, image: Any) -> None:
    """Give an object what its source says of the patient and highdicom leaves out."""
    for keyword in COPIED:
        if keyword in image and keyword not in written:
            setattr(written, keyword, image[keyword].value)
    if written.get("PatientIdentityRemoved") == "YES" and not (
        "DeidentificationMethod" in written or "DeidentificationMethodCodeSequence" in written
    ):
        written.DeidentificationMethod = "Not stated by the source images"  # type 1C, PS3.3 C.7.1.1
    for keyword in TYPE_2:
        if keyword not in written:
            setattr(written, keyword, "")


def _uid(kind: str, series: str, references: Sequence[MaskRef]) -> str:
    return _uid_of(" ".join(["seg", kind, str(series), *_hashes(references)]))


def _hashes(references: Sequence[MaskRef]) -> Iterator[str]:
    return (reference.sha256 for reference in references)


def _uid_of(text: str) -> str:
    """Return a UID from content: 2.25 and a number of 120 bits (PS3.5 B.2)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:15], 'big')}"
