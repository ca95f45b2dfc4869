"""Measurements of a person as a DICOM structured report: TID 1500 (PS3.16), Comprehensive (3D) SR.

Takes plain values (`SrGroup`) and source datasets; written with highdicom. Coordinates come as the
program has them, centre of the first pixel at (0, 0), and leave as SCOORD, whose origin is the corner
of that pixel (PS3.3 C.18.6.1.2): half a pixel is added. Runs in a worker, as source datasets are
parsed there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

MANUFACTURER: Final = "Sightline"
SCHEME: Final = "99SIGHTLINE"
SERIES_NUMBER: Final = 9002
HALF_PIXEL: Final = 0.5

CodeWord = tuple[str, str, str]
"""Value, scheme, meaning."""

Points = tuple[tuple[float, ...], ...]

CALIBRATIONS: Final[dict[str, str]] = {
    "PixelSpacing": "CAL-PIXELSPACING",
    "at detector": "CAL-DETECTOR",
    "magnification corrected": "CAL-MAGNIFIED",
    "calibrated: GEOMETRY": "CAL-GEOMETRY",
    "calibrated: FIDUCIAL": "CAL-FIDUCIAL",
    "ultrasound region": "CAL-US-REGION",
    "not calibrated: in pixels": "CAL-NONE",
}
"""Codes of ours for where a calibration comes from; any other source is CAL-STATED with its words."""

LONGEST_MEANING: Final = 64
"""Code Meaning is LO."""


class SrError(ValueError):
    """The report cannot be written, in words."""


class SrValue(BaseModel):
    """A value with its UCUM unit.

    Parameters
    ----------
    derivation
        Of a statistic: mean, minimum, ...; its concept is then what the pixels mean.
    points
        What this value alone was measured on: an axis of two; empty when it is of the whole shape.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concept: CodeWord
    value: float
    unit: str
    derivation: CodeWord | None = None
    uncertainty: float | None = None
    source: str = ""
    points: Points = ()


class SrGroup(BaseModel):
    """One mark.

    Parameters
    ----------
    graphic
        POINT, POLYLINE, ELLIPSE; of shapes in the patient POINT, POLYLINE, POLYGON, ELLIPSE.
    is_region
        True for a planar region (TID 1410), False for a group of measurements (TID 1501).
    points
        (column, row) pixels, or LPS mm with `frame_of_reference_uid`; a closed outline repeats its
        first point.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tracking_uid: str
    graphic: str
    is_region: bool
    points: Points
    sop_instance_uid: str = ""
    frame_number: int = 1
    frame_of_reference_uid: str = ""
    site: CodeWord | None = None
    note: str = ""
    values: tuple[SrValue, ...] = ()


class SrRequest(BaseModel):
    """What a report is made of: who measured, and the marks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str = Field(min_length=1)
    program: str
    groups: tuple[SrGroup, ...] = Field(min_length=1)


def build_report(request: SrRequest, sources: Sequence[Any]) -> Any:
    """Return the report as a dataset.

    Parameters
    ----------
    sources
        Headers of the images that the marks lie on; of marks in the patient any image of the series.

    Raises
    ------
    SrError
        A mark lies on none of the images, or highdicom refuses what they say.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    if not sources:
        raise SrError("There is no image that the report could refer to.")
    images = {str(source.SOPInstanceUID): source for source in sources}
    try:
        person = hd.sr.ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(
                name=person_name(request.person)
            ),
        )
        device = hd.sr.ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
                uid=uid_of("device", request.program),
                name=request.program[:64],
                manufacturer_name=MANUFACTURER,
            ),
        )
        content = hd.sr.MeasurementReport(
            observation_context=hd.sr.ObservationContext(
                observer_person_context=person, observer_device_context=device
            ),
            procedure_reported=codes.LN.CTUnspecifiedBodyRegion
            if str(sources[0].get("Modality", "")) == "CT"
            else hd.sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
            imaging_measurements=[_group(group, images) for group in request.groups],
            title=codes.DCM.ImagingMeasurementReport,
            referenced_images=_describable(sources) or None,
        )
        in_patient = any(group.frame_of_reference_uid for group in request.groups)
        kind = hd.sr.Comprehensive3DSR if in_patient else hd.sr.ComprehensiveSR
        made = "\n".join(group.model_dump_json() for group in request.groups)
        study = str(sources[0].StudyInstanceUID)
        return kind(
            evidence=list(sources),
            content=content[0],
            series_instance_uid=uid_of("sr series", study, request.person),
            series_number=SERIES_NUMBER,
            sop_instance_uid=uid_of("sr", study, request.person, made),
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            series_description="Sightline measurements",
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise SrError(f"The measurements cannot be written as a report: {error}") from error


def _describable(sources: Sequence[Any]) -> list[Any]:
    """Return the images that the image library can describe; old radiographs lack what it asks for."""
    import highdicom as hd

    found = []
    for source in sources:
        try:
            hd.sr.ImageLibrary([source])
        except (ValueError, TypeError, AttributeError, KeyError):
            continue
        found.append(source)
    return found


def person_name(printed: str) -> str:
    """Return a printed name as a DICOM person name: the last word is taken for the family name."""
    words = printed.replace("^", " ").replace("=", " ").split()
    return "^".join((words[-1], " ".join(words[:-1]))) if len(words) > 1 else "".join(words) or "Reader"


def uid_of(*parts: str) -> str:
    """Return a UID from content: 2.25 and a number of 120 bits (PS3.5 B.2)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(' '.join(parts).encode()).digest()[:15], 'big')}"


def _group(group: SrGroup, images: dict[str, Any]) -> Any:
    import highdicom as hd

    common: dict[str, Any] = {
        "tracking_identifier": hd.sr.TrackingIdentifier(uid=group.tracking_uid, identifier=group.name),
        "finding_sites": [hd.sr.FindingSite(_code(group.site))] if group.site else None,
        "qualitative_evaluations": _evaluations(group) or None,
    }
    if group.is_region:
        return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=_region(group, images),
            measurements=[_value(value, None) for value in group.values] or None,
            **common,
        )
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        measurements=[
            _value(value, _coordinates(group, value.points or group.points, images))
            for value in group.values
        ],
        **common,
    )


def _source(group: SrGroup, images: dict[str, Any]) -> Any:
    import highdicom as hd

    image = images.get(group.sop_instance_uid)
    if image is None:
        raise SrError("The image of a mark is not among the images of the study any more.")
    count = int(image.get("NumberOfFrames", 1) or 1)
    return hd.sr.SourceImageForRegion(
        referenced_sop_class_uid=image.SOPClassUID,
        referenced_sop_instance_uid=image.SOPInstanceUID,
        referenced_frame_numbers=[group.frame_number] if count > 1 else None,
    )


def _region(group: SrGroup, images: dict[str, Any]) -> Any:
    import highdicom as hd

    if group.frame_of_reference_uid:
        return hd.sr.ImageRegion3D(group.graphic, np.array(group.points), group.frame_of_reference_uid)
    return hd.sr.ImageRegion(group.graphic, np.array(group.points) + HALF_PIXEL, _source(group, images))


def _coordinates(group: SrGroup, points: Points, images: dict[str, Any]) -> Any:
    import highdicom as hd

    if group.frame_of_reference_uid:
        return hd.sr.CoordinatesForMeasurement3D(
            group.graphic, np.array(points), group.frame_of_reference_uid
        )
    return hd.sr.CoordinatesForMeasurement(
        group.graphic, np.array(points) + HALF_PIXEL, _source(group, images)
    )


def _value(value: SrValue, coordinates: Any | None) -> Any:
    import highdicom as hd

    properties = None
    if value.uncertainty is not None:
        properties = hd.sr.MeasurementProperties(
            upper_measurement_uncertainty=value.uncertainty,
            lower_measurement_uncertainty=value.uncertainty,
        )
    return hd.sr.Measurement(
        name=_code(value.concept),
        value=value.value,
        unit=hd.sr.CodedConcept(value.unit, "UCUM", "no units" if value.unit == "1" else value.unit),
        derivation=_code(value.derivation) if value.derivation else None,
        properties=properties,
        referenced_coordinates=[coordinates] if coordinates is not None else None,
    )


def _evaluations(group: SrGroup) -> list[Any]:
    """Return where the calibration comes from, each source once, and the words of a mark."""
    import highdicom as hd

    name = hd.sr.CodedConcept("CALIBRATION", SCHEME, "Source of calibration")
    sources = dict.fromkeys(value.source for value in group.values if value.source)
    return [
        hd.sr.QualitativeEvaluation(
            name=name,
            value=hd.sr.CodedConcept(
                CALIBRATIONS.get(source, "CAL-STATED"), SCHEME, source[:LONGEST_MEANING]
            ),
        )
        for source in sources
    ]


def _code(word: CodeWord) -> Any:
    import highdicom as hd

    return hd.sr.CodedConcept(word[0], word[1], word[2][:LONGEST_MEANING])
