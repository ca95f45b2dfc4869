"""Structured reports, key object selections and encapsulated documents as values (PS3.3 A.35, A.45)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from viewer.imaging.mappings import unpack
from viewer.imaging.objects.foreign import ForeignObject, SeriesReference
from viewer.imaging.objects.parts import Code, Frozen, ImageReference, PatientPoint, Point


class ImageShape(Frozen):
    """Coordinates on an image (SCOORD, PS3.3 C.18.6).

    Parameters
    ----------
    type
        POINT, MULTIPOINT, POLYLINE, CIRCLE (centre, a point on it) or ELLIPSE (ends of the major, then
        of the minor axis).
    image
        The image they lie on; none where the report names none.
    name
        What the shape is of, in words (Image Region, Long Axis, ...).
    """

    type: str
    points: tuple[Point, ...]
    image: ImageReference | None = None
    name: str = ""


class PatientShape(Frozen):
    """Coordinates in the patient (SCOORD3D, PS3.3 C.18.9).

    Parameters
    ----------
    type
        POINT, MULTIPOINT, POLYLINE, POLYGON, ELLIPSE or ELLIPSOID.
    points
        LPS mm in `frame_of_reference_uid`.
    """

    type: str
    points: tuple[PatientPoint, ...]
    frame_of_reference_uid: str = ""
    name: str = ""


Shape = ImageShape | PatientShape


class Measurement(Frozen):
    """A value with its unit (NUM, PS3.3 C.18.1).

    Parameters
    ----------
    value
        None where the report gives no number; `qualifier` then says why ("Not a number").
    unit
        UCUM code, "1" without a unit; `unit_meaning` is what to show.
    modifiers
        Method, derivation, laterality and the like: pairs of name and value in words.
    shapes, images
        What this one value was measured on, beside what its group was.
    """

    concept: Code
    value: float | None
    unit: str = "1"
    unit_meaning: str = ""
    qualifier: str = ""
    modifiers: tuple[tuple[str, str], ...] = ()
    shapes: tuple[Shape, ...] = ()
    images: tuple[ImageReference, ...] = ()

    @property
    def label(self) -> str:
        """What was measured, with its derivation: "SUVbw, Mean"."""
        derived = [answer for name, answer in self.modifiers if name == "Derivation"]
        return ", ".join((self.concept.meaning or self.concept.value, *derived))


class Evaluation(Frozen):
    """A qualitative evaluation: a name and a coded or written answer."""

    concept: Code
    answer: str
    code: Code | None = None


class MeasurementGroup(Frozen):
    """Measurements of one thing (TID 1410 planar, 1411 volumetric, 1501 group).

    Parameters
    ----------
    template
        "1410", "1411", "1501", or empty where the report does not say.
    category, finding
        Finding category and finding.
    sites
        Finding sites with laterality, in words; `site_codes` their codes.
    time_point
        Time point or session in words.
    segments
        Segmentations with the segment numbers that this was measured in.
    surfaces
        True when volume surfaces are given that are not drawn.
    images
        Source images of the measurements.
    algorithm
        Name and version of the algorithm.
    """

    template: str = ""
    activity: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    category: Code | None = None
    finding: Code | None = None
    sites: tuple[str, ...] = ()
    site_codes: tuple[Code, ...] = ()
    method: str = ""
    time_point: str = ""
    measurements: tuple[Measurement, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    shapes: tuple[Shape, ...] = ()
    segments: tuple[ImageReference, ...] = ()
    images: tuple[ImageReference, ...] = ()
    source_series: tuple[str, ...] = ()
    algorithm: str = ""


class ReportLine(Frozen):
    """One item of a report's content tree, to be shown at its depth.

    Parameters
    ----------
    type
        Value Type: CONTAINER, TEXT, NUM, CODE, PNAME, DATE, IMAGE, ...
    concept, value
        In words; a container has no value.
    """

    depth: int
    type: str
    concept: str = ""
    value: str = ""
    image: ImageReference | None = None


class ReportContent(Frozen):
    """A structured report: who says what, as groups of measurements and as a readable tree.

    Parameters
    ----------
    template
        Template Identifier of the root ("1500"), or empty.
    completion, verification
        COMPLETE or PARTIAL; VERIFIED or UNVERIFIED.
    observers
        Persons and devices that observed, in words.
    verified_by
        Verifying observers with date.
    """

    kind: Literal["structured report"] = "structured report"
    about: ForeignObject
    title: str = ""
    template: str = ""
    completion: str = ""
    verification: str = ""
    observers: tuple[str, ...] = ()
    verified_by: tuple[str, ...] = ()
    groups: tuple[MeasurementGroup, ...] = ()
    lines: tuple[ReportLine, ...] = ()
    notes: tuple[str, ...] = ()


class KeyObjectContent(Frozen):
    """A key object selection: the images chosen, why, and what was written to them (TID 2010)."""

    kind: Literal["key object selection"] = "key object selection"
    about: ForeignObject
    title: str = ""
    modifiers: tuple[str, ...] = ()
    description: str = ""
    observers: tuple[str, ...] = ()
    images: tuple[ImageReference, ...] = ()
    series: tuple[SeriesReference, ...] = ()


class DocumentPage(Frozen):
    """One page as a picture: rows x columns x 3, 8 bits, deflated, base64."""

    rows: int
    columns: int
    data: str

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """(rows, columns, 3) uint8, read-only."""
        count = self.rows * self.columns * 3
        raw = np.frombuffer(unpack(self.data, count), dtype=np.uint8)
        return raw.reshape(self.rows, self.columns, 3)


class DocumentContent(Frozen):
    """An encapsulated PDF as pictures of its pages.

    Parameters
    ----------
    page_count
        Pages of the document; `pages` holds at most `MAX_PAGES` of them.
    """

    kind: Literal["encapsulated PDF"] = "encapsulated PDF"
    about: ForeignObject
    title: str = ""
    page_count: int = 0
    pages: tuple[DocumentPage, ...] = ()
    notes: tuple[str, ...] = ()
