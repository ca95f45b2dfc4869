"""Lengths, angles and areas on one image, with unit, source of calibration and uncertainty.

Points are (column, row) pixels of the image, centre of the first pixel at (0, 0). `scale_of` says
what they mean; what cannot be measured comes back as a refusal in words, never as a number:

- cross-sections: the spacing of the frame itself (PS3.3 C.7.6.2);
- projections: at the patient only where the header says so (PS3.3 10.7.1), else "at detector";
- ultrasound: inside one region with the same length unit on both axes (PS3.3 C.8.5.5);
- everything else: in pixels, which is no length and never called mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.calibration import PROJECTION_MODALITIES, REGION_CALIBRATED
from viewer.imaging.study import Series
from viewer.imaging.ultrasound import MM_PER_CM, Point, reach_beyond, region_at

FloatArray = npt.NDArray[np.float64]

PIXEL, SQUARE_PIXEL = "{pixel}", "{pixel}2"
"""UCUM annotations of what is not calibrated."""

UNCALIBRATED: Final = "not calibrated: in pixels"

SMALLEST_ARM_PIXELS: Final = 1.0
"""An angle whose arm is shorter than a pixel has no direction."""


class RefusalKind(StrEnum):
    """Why something is not measured."""

    OUTSIDE_REGIONS = "outside the ultrasound regions"
    TWO_REGIONS = "in two ultrasound regions"
    NO_LENGTH_UNIT = "no length in this ultrasound region"
    REGIONS_BEYOND = "ultrasound regions beyond the picture"
    TOO_SHORT = "too short"
    NO_VALUES = "no values"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was measured, and why, in words for the reader."""

    kind: RefusalKind
    reason: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A value on an image.

    Parameters
    ----------
    value, unit
        With its UCUM unit: "mm", "mm2", "deg", or "{pixel}" and "{pixel}2" without calibration.
    uncertainty
        In the same unit. Each end is known to half a pixel, an outline to a quarter all along.
    source
        Where the calibration comes from: "PixelSpacing", "at detector", "magnification corrected",
        "calibrated: GEOMETRY", "ultrasound region", "not calibrated: in pixels".
    """

    value: float
    unit: str
    uncertainty: float
    source: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Size of a pixel on an image: between rows and between columns, in `unit`."""

    row: float
    column: float
    unit: str
    source: str

    def place(self, points: Sequence[Point]) -> FloatArray:
        """Return pixel points as (n, 2) in the unit of the scale."""
        placed: FloatArray = np.asarray(points, dtype=np.float64) * np.array([self.column, self.row])
        return placed

    @property
    def half(self) -> float:
        """Half a pixel, along its longer side."""
        return max(self.row, self.column) / 2.0

    @property
    def area_unit(self) -> str:
        """Unit of an area."""
        return f"{self.unit}2"


def scale_of(series: Series, frame: tuple[int, int], points: Sequence[Point]) -> Scale | Refusal:
    """Return the scale that holds for some points of a frame, or why they share none.

    Parameters
    ----------
    frame
        Instance index in the series and frame number from 1, as in `ImageStack.frames`.
    """
    if series.modality in REGION_CALIBRATED:
        return _ultrasound_scale(series, frame, points)
    plane = series.plane_of(frame)
    if series.modality not in PROJECTION_MODALITIES and plane is not None:
        return Scale(plane.row_spacing, plane.column_spacing, "mm", "PixelSpacing")
    if series.pixel_spacing is not None:
        return Scale(*series.pixel_spacing, "mm", series.spacing_source)
    if series.detector_spacing is not None:
        return Scale(*series.detector_spacing, "mm", "at detector")
    return _pixels(series, frame)


def _pixels(series: Series, frame: tuple[int, int]) -> Scale:
    """Pixels as wide as those of the image: higher than wide where its aspect ratio says so."""
    return Scale(series.instances[frame[0]].pixel_aspect, 1.0, PIXEL, UNCALIBRATED)


def _ultrasound_scale(
    series: Series, frame: tuple[int, int], points: Sequence[Point]
) -> Scale | Refusal:
    regions = series.instances[frame[0]].regions
    if not any(region.x_unit or region.y_unit for region in regions):
        return _pixels(series, frame)
    if reach_beyond(series.instances[frame[0]]):
        return Refusal(
            RefusalKind.REGIONS_BEYOND,
            "The calibrated regions reach beyond this ultrasound picture: it was scaled or cut after "
            "they were written, and nothing says how long a pixel is now.",
        )
    at_points = [region_at(regions, point) for point in points]
    first = at_points[0]
    if first is None or any(region is None for region in at_points):
        return Refusal(
            RefusalKind.OUTSIDE_REGIONS,
            "A point lies outside the calibrated regions of this ultrasound picture: measure inside "
            "one.",
        )
    if any(region != first for region in at_points):
        return Refusal(
            RefusalKind.TWO_REGIONS,
            "The points lie in different regions of this ultrasound picture, each with a calibration "
            "of its own: measure inside one.",
        )
    if (
        not first.tissue
        or (first.x_unit, first.y_unit) != ("cm", "cm")
        or not first.x_step * first.y_step
    ):
        axes = f"{first.x_unit or 'nothing'} across and {first.y_unit or 'nothing'} down"
        return Refusal(
            RefusalKind.NO_LENGTH_UNIT,
            f"This region of the ultrasound picture shows no lengths: its axes are {axes}.",
        )
    steps = abs(first.y_step) * MM_PER_CM, abs(first.x_step) * MM_PER_CM
    return Scale(*steps, "mm", "ultrasound region")


def length(scale: Scale | Refusal, start: Point, end: Point) -> Measured | Refusal:
    """Measure the distance of two points."""
    if isinstance(scale, Refusal):
        return scale
    a, b = scale.place((start, end))
    value = float(np.linalg.norm(b - a))
    return Measured(value, scale.unit, scale.half * math.sqrt(2.0), scale.source)


def angle(scale: Scale | Refusal, first: Point, vertex: Point, second: Point) -> Measured | Refusal:
    """Measure the angle at `vertex`, 0 to 180 degrees."""
    return _angle(scale, (vertex, first), (vertex, second), undirected=False)


def cobb_angle(
    scale: Scale | Refusal, first: tuple[Point, Point], second: tuple[Point, Point]
) -> Measured | Refusal:
    """Measure the angle between two lines (end plates), 0 to 90 degrees, however they were drawn."""
    return _angle(scale, first, second, undirected=True)


def _angle(
    scale: Scale | Refusal,
    first: tuple[Point, Point],
    second: tuple[Point, Point],
    *,
    undirected: bool,
) -> Measured | Refusal:
    if isinstance(scale, Refusal):
        return scale
    if min(math.dist(*first), math.dist(*second)) < SMALLEST_ARM_PIXELS:
        return Refusal(RefusalKind.TOO_SHORT, "An arm of the angle is shorter than a pixel.")
    u, v = (line[1] - line[0] for line in (scale.place(first), scale.place(second)))
    cross = float(u[0] * v[1] - u[1] * v[0])
    value = math.degrees(math.atan2(abs(cross), float(u @ v)))
    if undirected:
        value = min(value, 180.0 - value)
    # Each end moves by half a pixel across its arm; arms are independent.
    turns = [scale.half * math.sqrt(2.0) / float(np.linalg.norm(arm)) for arm in (u, v)]
    return Measured(value, "deg", math.degrees(math.hypot(*turns)), scale.source)


def polygon_area(scale: Scale | Refusal, outline: Sequence[Point]) -> Measured | Refusal:
    """Measure the area inside a closed outline that does not cross itself."""
    if len(outline) < 3:
        return Refusal(RefusalKind.TOO_SHORT, "An outline needs three points.")
    if isinstance(scale, Refusal):
        return scale
    points = scale.place(outline)
    ahead = np.roll(points, -1, axis=0)
    twice = float(np.sum(points[:, 0] * ahead[:, 1] - points[:, 1] * ahead[:, 0]))
    perimeter = float(np.linalg.norm(ahead - points, axis=1).sum())
    return Measured(abs(twice) / 2.0, scale.area_unit, perimeter * scale.half / 2.0, scale.source)


def ellipse_area(scale: Scale | Refusal, ends: Sequence[Point]) -> Measured | Refusal:
    """Measure an ellipse by the ends of one axis, then of the other (PS3.3 C.18.6.1.2)."""
    if isinstance(scale, Refusal):
        return scale
    one, other, left, right = scale.place(ends)
    first, second = (other - one) / 2.0, (right - left) / 2.0
    area = math.pi * abs(float(first[0] * second[1] - first[1] * second[0]))
    a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    # Ramanujan's perimeter of an ellipse, within 5e-5 of the true one up to an axis ratio of 10
    ratio = ((a - b) / (a + b)) ** 2 if a + b > 0.0 else 0.0
    perimeter = math.pi * (a + b) * (1.0 + 3.0 * ratio / (10.0 + math.sqrt(4.0 - 3.0 * ratio)))
    return Measured(area, scale.area_unit, perimeter * scale.half / 2.0, scale.source)


def pixels_area(scale: Scale | Refusal, count: int, border: int) -> Measured | Refusal:
    """Measure an area of whole pixels.

    Parameters
    ----------
    count
        Pixels inside.
    border
        Sides of pixels along the edge of the area: each is known to a quarter of a pixel.
    """
    if isinstance(scale, Refusal):
        return scale
    pixel = scale.row * scale.column
    side = max(scale.row, scale.column)
    return Measured(count * pixel, scale.area_unit, border * side * scale.half / 2.0, scale.source)
