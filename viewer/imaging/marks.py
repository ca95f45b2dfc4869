"""Marks: what a person drew on an image, or found in an object of others, with what it measured.

A mark lies on one image, in (column, row) pixels with the centre of the first pixel at (0, 0), or in
the patient, in LPS millimetres, when it was made on an oblique plane. Frozen, plain JSON: it is kept
with the study, exported as SR or SEG, and can become evidence (`region_of`). What it measures is
filled in by `viewer.imaging.marks_measure.measure_mark`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from viewer.imaging.marks_mask import MarkMask
from viewer.imaging.regions import Region, Shape, Space

FloatArray = npt.NDArray[np.float64]
Points = tuple[tuple[float, ...], ...]


class MarkKind(StrEnum):
    """What a mark is; its points in order are in `POINTS_OF`."""

    LENGTH = "length"
    ANGLE = "angle"
    COBB = "cobb"
    BIDIRECTIONAL = "bidirectional"
    PERPENDICULAR = "perpendicular"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    FREEHAND = "freehand"
    BRUSH = "brush"
    ARROW = "arrow"
    TEXT = "text"
    POINT = "point"

    @property
    def has_area(self) -> bool:
        """True for kinds that hold pixels: they have statistics and a histogram."""
        return self in AREAS


AREAS: Final = frozenset(
    (MarkKind.RECTANGLE, MarkKind.ELLIPSE, MarkKind.POLYGON, MarkKind.FREEHAND, MarkKind.BRUSH)
)

POINTS_OF: Final[dict[MarkKind, tuple[int, int | None]]] = {
    MarkKind.LENGTH: (2, 2),
    MarkKind.ANGLE: (3, 3),
    MarkKind.COBB: (4, 4),
    MarkKind.BIDIRECTIONAL: (4, 4),
    MarkKind.PERPENDICULAR: (2, 4),
    MarkKind.RECTANGLE: (2, 4),
    MarkKind.ELLIPSE: (4, 4),
    MarkKind.POLYGON: (3, None),
    MarkKind.FREEHAND: (3, None),
    MarkKind.BRUSH: (0, 0),
    MarkKind.ARROW: (2, 2),
    MarkKind.TEXT: (1, 1),
    MarkKind.POINT: (1, 1),
}
"""Fewest and most points of each kind, and their order.

ANGLE: one end, the vertex, the other end. COBB: the ends of one line, then of the other.
BIDIRECTIONAL, PERPENDICULAR: the ends of the long axis, then of the short one (a perpendicular
diameter may have one axis only). RECTANGLE: two opposite corners of an upright box, or all four in
order round it. ELLIPSE: the ends of one axis, then of the other, at right angles in the patient.
POLYGON, FREEHAND: the outline, first point not repeated. ARROW: its tip, then its tail. TEXT: where
its words begin, at half their height.
"""


class MarkOrigin(StrEnum):
    """Where a mark comes from: drawn here, or read from an object of others, which is read-only."""

    OWN = "own"
    SR = "SR"
    GSPS = "GSPS"
    RTSTRUCT = "RTSTRUCT"
    SEG = "SEG"


class MarkError(ValueError):
    """A mark that cannot be: wrong number of points, or no image that it lies on."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Concept(_Frozen):
    """A coded concept (PS3.3 8.8): value, coding scheme, meaning."""

    value: str
    scheme: str
    meaning: str


LENGTH: Final = Concept(value="410668003", scheme="SCT", meaning="Length")
LONG_AXIS: Final = Concept(value="103339001", scheme="SCT", meaning="Long axis")
SHORT_AXIS: Final = Concept(value="103340004", scheme="SCT", meaning="Short axis")
ANGLE: Final = Concept(value="1483009", scheme="SCT", meaning="Angle")
COBB_ANGLE: Final = Concept(value="285285000", scheme="SCT", meaning="Cobb angle")
AREA: Final = Concept(value="42798000", scheme="SCT", meaning="Area")
MEAN: Final = Concept(value="373098007", scheme="SCT", meaning="Mean")
DEVIATION: Final = Concept(value="386136009", scheme="SCT", meaning="Standard Deviation")
MINIMUM: Final = Concept(value="255605001", scheme="SCT", meaning="Minimum")
MAXIMUM: Final = Concept(value="56851009", scheme="SCT", meaning="Maximum")
MEDIAN: Final = Concept(value="373099004", scheme="SCT", meaning="Median")


class MarkValue(_Frozen):
    """One thing that a mark measured.

    Parameters
    ----------
    label
        Short words beside the value: "Length", "SD".
    unit
        UCUM: "mm", "mm2", "deg", "{pixel}", "[hnsf'U]", "1" for none.
    uncertainty
        In the same unit; none where none can be stated.
    source
        Where the calibration comes from, as in `viewer.imaging.measure.Measured`, or what made a
        value of pixels ("SUVbw: dose decayed over 60.0 min ...").
    """

    concept: Concept
    label: str
    value: float
    unit: str
    uncertainty: float | None = None
    source: str = ""


class MarkPlane(_Frozen):
    """The oblique plane on which a mark was made: LPS mm and unit cosines."""

    origin: tuple[float, float, float]
    row_cosines: tuple[float, float, float]
    column_cosines: tuple[float, float, float]

    def place(self, points: FloatArray) -> FloatArray:
        """Return (n, 3) LPS mm as (n, 2) mm along rows and columns of the plane."""
        away = np.atleast_2d(np.asarray(points, dtype=np.float64)) - np.asarray(self.origin)
        axes = np.stack([self.row_cosines, self.column_cosines], axis=1)
        placed: FloatArray = away @ axes
        return placed


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Mark(_Frozen):
    """One mark.

    Parameters
    ----------
    name
        What the person calls it ("T1"); empty until named.
    text
        The words of a TEXT mark, or those beside an ARROW.
    points
        (column, row) pixels of the image, or LPS mm when `plane` is set.
    series_key
        `Series.key` of the stack: a series of the header may be several stacks.
    frame_number
        As in `ImageStack.frames`, from 1: frame of a multi-frame object, tile of a mosaic.
    frame_of_reference_uid, plane
        For a mark in the patient: it lies on an oblique plane and on no image.
    mask
        The pixels of a BRUSH mark.
    label_at
        Where the reader put the label's top left corner, in image pixels; none: beside the mark.
    colour
        "#rrggbb", or empty for the colour of its origin.
    values, refusal
        What it measured, or why nothing, in words for the reader.
    author
        Printed name of who made it; empty for the reader.
    created_at, modified_at
        ISO 8601, UTC.
    """

    id: str = Field(default_factory=lambda: uuid4().hex)
    kind: MarkKind
    name: str = ""
    text: str = ""
    points: Points = ()
    series_instance_uid: str
    series_key: str
    sop_instance_uid: str | None = None
    frame_number: int = Field(default=1, ge=1)
    frame_of_reference_uid: str | None = None
    plane: MarkPlane | None = None
    mask: MarkMask | None = None
    label_at: tuple[float, float] | None = None
    colour: str = ""
    values: tuple[MarkValue, ...] = ()
    refusal: str = ""
    lesion_id: str | None = None
    tracking_uid: str | None = None
    author: str = ""
    origin: MarkOrigin = MarkOrigin.OWN
    created_at: str = Field(default_factory=_now)
    modified_at: str = Field(default_factory=_now)

    @model_validator(mode="after")
    def _check(self) -> Mark:
        fewest, most = POINTS_OF[self.kind]
        if len(self.points) < fewest or (most is not None and len(self.points) > most):
            raise MarkError(f"A mark of kind {self.kind} cannot have {len(self.points)} points.")
        if self.sop_instance_uid is None and self.frame_of_reference_uid is None:
            raise MarkError("A mark names its image or its frame of reference.")
        width = 3 if self.in_patient else 2
        if any(len(point) != width for point in self.points):
            raise MarkError(f"The points of this mark have {width} coordinates.")
        if self.in_patient and self.plane is None:
            raise MarkError("A mark in the patient names its plane.")
        if self.in_patient and self.kind is MarkKind.RECTANGLE and len(self.points) != 4:
            raise MarkError("A rectangle in the patient has four corners.")
        if (self.kind is MarkKind.BRUSH) != (self.mask is not None):
            raise MarkError("A brush mark has a mask, and no other has.")
        return self

    @property
    def in_patient(self) -> bool:
        """True for a mark in millimetres, on an oblique plane and on no image."""
        return self.sop_instance_uid is None

    @property
    def is_own(self) -> bool:
        """True for a mark that can be changed here."""
        return self.origin is MarkOrigin.OWN

    def array(self) -> FloatArray:
        """Return the points as an (n, 2) or (n, 3) array."""
        return np.asarray(self.points, dtype=np.float64)

    def changed(self, **fields: object) -> Mark:
        """Return the mark with other fields, checked, modified now."""
        return Mark.model_validate({**dict(self), "modified_at": _now(), **fields})


def region_of(mark: Mark) -> Region | None:
    """Return the place of a mark as a region of evidence; none for a mask without a pixel.

    An area keeps its shape (a mask by the outline of its largest part), two axes become the
    quadrilateral of their ends. A line has no area: its region runs along it and back.
    """
    if mark.mask is not None and mark.mask.count == 0:
        return None
    shape, points = _shape_of(mark)
    return Region(
        shape=shape,
        space=Space.PATIENT if mark.in_patient else Space.IMAGE,
        series_instance_uid=mark.series_instance_uid,
        sop_instance_uid=mark.sop_instance_uid,
        frame_number=mark.frame_number,
        frame_of_reference_uid=mark.frame_of_reference_uid if mark.in_patient else None,
        points=points,
    )


def _shape_of(mark: Mark) -> tuple[Shape, Points]:
    if mark.mask is not None:
        return Shape.POLYGON, mark.mask.outline()
    if mark.kind is MarkKind.RECTANGLE and len(mark.points) == 2:
        (x0, y0), (x1, y1) = mark.points
        return Shape.BOX, ((min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1)))
    shape, order = SHAPE_OF[mark.kind]
    return shape, order(mark.points)


def _first(points: Points) -> Points:
    return points[:1]


def _there_and_back(points: Points) -> Points:
    return (*points, *(points[-2:0:-1] or points[:1]))


def _round_axes(points: Points) -> Points:
    """Return the corners of the quadrilateral round two axes; one axis runs there and back."""
    return (points[0], points[2], points[1], points[3]) if len(points) == 4 else _there_and_back(points)


def _major_first(points: Points) -> Points:
    """Return the ends of the longer axis of an ellipse first (PS3.3 C.18.6.1.2)."""
    ends = np.asarray(points, dtype=np.float64)
    first, second = (float(np.linalg.norm(ends[i + 1] - ends[i])) for i in (0, 2))
    return points if first >= second else (*points[2:], *points[:2])


SHAPE_OF: Final[dict[MarkKind, tuple[Shape, Callable[[Points], Points]]]] = {
    MarkKind.LENGTH: (Shape.POLYGON, _there_and_back),
    MarkKind.ANGLE: (Shape.POLYGON, _there_and_back),
    MarkKind.COBB: (Shape.POLYGON, _there_and_back),
    MarkKind.BIDIRECTIONAL: (Shape.POLYGON, _round_axes),
    MarkKind.PERPENDICULAR: (Shape.POLYGON, _round_axes),
    MarkKind.RECTANGLE: (Shape.POLYGON, tuple),
    MarkKind.ELLIPSE: (Shape.ELLIPSE, _major_first),
    MarkKind.POLYGON: (Shape.POLYGON, tuple),
    MarkKind.FREEHAND: (Shape.POLYGON, tuple),
    MarkKind.ARROW: (Shape.POINT, _first),
    MarkKind.TEXT: (Shape.POINT, _first),
    MarkKind.POINT: (Shape.POINT, _first),
}
"""Shape of the region of each kind, and its points from those of the mark."""

KIND_OF: Final[dict[Shape, MarkKind]] = {
    Shape.POINT: MarkKind.POINT,
    Shape.BOX: MarkKind.RECTANGLE,
    Shape.POLYGON: MarkKind.POLYGON,
    Shape.ELLIPSE: MarkKind.ELLIPSE,
}
"""Kind of the mark that shows a region; a mask of a volume is none."""


def mark_of(region: Region, series_key: str, *, name: str = "") -> Mark | None:
    """Return a region on one image as a mark; none for a mask of a volume or one in millimetres."""
    kind = KIND_OF.get(region.shape)
    if kind is None or region.sop_instance_uid is None:
        return None
    return Mark(
        kind=kind,
        name=name,
        points=region.points,
        series_instance_uid=region.series_instance_uid,
        series_key=series_key,
        sop_instance_uid=region.sop_instance_uid,
        frame_number=region.frame_number,
    )
