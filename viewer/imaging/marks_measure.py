"""What a mark measures: lengths, angles and areas with their calibration, and the values inside.

A pixel belongs to an area when its centre lies inside (`viewer.imaging.contour`). Padding and values
that are no finite number are left out. Values are those of the modality with their unit; PET is given
as SUV, or says which tag is missing for it and stays in the unit of its header.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.grey import modality_values, no_image
from viewer.imaging.marks import (
    ANGLE,
    AREA,
    COBB_ANGLE,
    DEVIATION,
    LENGTH,
    LONG_AXIS,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    SHORT_AXIS,
    Concept,
    Mark,
    MarkKind,
    MarkValue,
    Points,
)
from viewer.imaging.marks_geometry import border_length, corners, mask_of
from viewer.imaging.measure import (
    Measured,
    Refusal,
    RefusalKind,
    Scale,
    angle,
    cobb_angle,
    ellipse_area,
    length,
    pixels_area,
    polygon_area,
    scale_of,
)
from viewer.imaging.study import FrameAttributes, Instance, Series
from viewer.imaging.suv import SuvScale, suv_scale
from viewer.imaging.ultrasound import Point
from viewer.imaging.volume import ImageStack, unit_of_frame

FloatArray = npt.NDArray[np.float64]

ON_A_PLANE: Final = "PixelSpacing and slice positions"
"""Source of lengths on an oblique plane."""

NO_PIXELS: Final = "No pixel has its centre inside."
NO_VALUES: Final = "A colour image has no values to measure."
ALL_PADDING: Final = "There is no image inside, only padding."


@dataclass(frozen=True, eq=False)
class FramePixels:
    """The pixels of one frame with what their values mean.

    Parameters
    ----------
    stored
        (row, column), or (row, column, 3) for colour.
    factor, unit, label, source
        Modality value x factor = value in `unit` (UCUM); `label` names it ("SUVbw"), `source` says
        how the factor was found.
    refusal
        Why the values are not in the unit that readers expect of them, or empty.
    """

    stored: npt.NDArray[Any]
    instance: Instance
    attributes: FrameAttributes
    factor: float = 1.0
    unit: str = "1"
    label: str = ""
    source: str = ""
    refusal: str = ""

    @property
    def is_colour(self) -> bool:
        """True for colours, which are no values."""
        return self.stored.ndim == 3

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.stored.shape[0], self.stored.shape[1]

    def inside(self, mask: npt.NDArray[np.bool_]) -> FloatArray:
        """Return the values of the pixels in a mask, without padding."""
        stored = self.stored[mask]
        stored = stored[~no_image(stored, self.instance)]
        attributes = self.attributes
        values = modality_values(
            stored, attributes.rescale_slope, attributes.rescale_intercept, attributes.modality_lut
        )
        scaled: FloatArray = values * self.factor
        return scaled

    @property
    def step(self) -> float:
        """Distance of two neighbouring values; 0 where values are not counted."""
        if self.stored.dtype.kind == "f":
            return 0.0
        table = self.attributes.modality_lut
        return abs(self.factor * (self.attributes.rescale_slope if table is None else 1.0))


def frame_pixels(stack: ImageStack, index: int) -> FramePixels:
    """Return the pixels of a frame of a stack."""
    instance_index, number = stack.frames[index]
    instance = stack.series.instances[instance_index]
    attributes = instance.of_frame(number)
    unit = unit_of_frame(stack.series, instance, attributes)
    plain = FramePixels(stack.stored[index], instance, attributes, unit=unit)
    if stack.series.pet is None:
        return plain
    suv = suv_scale(stack.series)
    if isinstance(suv, SuvScale):
        words = f"{suv.kind}: {suv.source}"
        return FramePixels(plain.stored, instance, attributes, suv.factor, suv.unit, suv.kind, words)
    return FramePixels(plain.stored, instance, attributes, unit=unit, refusal=suv.reason)


def measure_mark(
    mark: Mark, series: Series, frame: tuple[int, int] | None, pixels: FramePixels | None
) -> Mark:
    """Return a mark with its values, or with the reason why there are none.

    Parameters
    ----------
    series, frame
        The stack it lies on, and its entry of `ImageStack.frames`; no frame for a mark on an oblique
        plane, whose lengths are those between its points in the patient.
    pixels
        Of that frame (`frame_pixels`); none measures the shape alone.
    """
    measure = MEASURES.get(mark.kind)
    if measure is None:
        return mark
    if mark.mask is not None and mark.mask.count == 0:
        return mark.model_copy(update={"values": (), "refusal": NO_PIXELS})
    points, scale = _placed(mark, series, frame)
    found = measure(points, scale, mark)
    values = tuple(_value(one, got) for one, got in found if isinstance(got, Measured))
    refusal = next((got.reason for _, got in found if isinstance(got, Refusal)), "")
    if mark.kind.has_area and pixels is not None:
        inner, why = ((), NO_VALUES) if pixels.is_colour else _statistics(mark, pixels)
        values, refusal = values + inner, refusal or why
    return mark.model_copy(update={"values": values, "refusal": refusal})


def _placed(
    mark: Mark, series: Series, frame: tuple[int, int] | None
) -> tuple[Points, Scale | Refusal]:
    """Return the points and what they mean; those in the patient as steps of a voxel's longest side."""
    if mark.plane is None:
        assert frame is not None, "a mark on an image has a frame"
        points = mark.mask.box() if mark.mask is not None else mark.points
        on_image = corners(points) if mark.kind is MarkKind.RECTANGLE else points
        return points, scale_of(series, frame, [(float(x), float(y)) for x, y in on_image])
    voxel = longest_side(series)
    placed = mark.plane.place(mark.array()) / voxel
    return tuple((float(x), float(y)) for x, y in placed), Scale(voxel, voxel, "mm", ON_A_PLANE)


def longest_side(series: Series) -> float:
    """Return the longest side of a voxel, mm: it limits what is known on an oblique plane."""
    planes = (series.plane_of(frame) for frame in series.frame_order())
    first = next((plane for plane in planes if plane is not None), None)
    between = series.verdict.spacing or series.slice_thickness or 0.0
    in_plane = (first.row_spacing, first.column_spacing) if first is not None else (0.0, 0.0)
    return max(*in_plane, between) or 1.0


Named = tuple[tuple[Concept, str], Measured | Refusal]
Measure = Callable[[Points, "Scale | Refusal", Mark], list[Named]]


def _pairs(points: Points) -> list[tuple[Point, Point]]:
    """Return the points two by two, as lines."""
    flat = [(point[0], point[1]) for point in points]
    return list(zip(flat[::2], flat[1::2], strict=True))


def _length(points: Points, scale: Scale | Refusal, mark: Mark) -> list[Named]:
    ((start, end),) = _pairs(points)
    return [((LENGTH, "Length"), length(scale, start, end))]


def _angle(points: Points, scale: Scale | Refusal, mark: Mark) -> list[Named]:
    first, vertex, second = ((point[0], point[1]) for point in points)
    return [((ANGLE, "Angle"), angle(scale, first, vertex, second))]


def _cobb(points: Points, scale: Scale | Refusal, mark: Mark) -> list[Named]:
    first, second = _pairs(points)
    return [((COBB_ANGLE, "Cobb angle"), cobb_angle(scale, first, second))]


def _axes(points: Points, scale: Scale | Refusal, mark: Mark) -> list[Named]:
    """The longer of two axes is the long one, whichever was drawn first."""
    found = [length(scale, *line) for line in _pairs(points)]
    if len(found) == 2 and all(isinstance(one, Measured) for one in found):
        found.sort(key=lambda one: one.value if isinstance(one, Measured) else 0.0, reverse=True)
    return list(zip((LONG, SHORT), found, strict=False))


def _area(points: Points, scale: Scale | Refusal, mark: Mark) -> list[Named]:
    if mark.mask is not None:
        mask = mark.mask.unpack()
        found = pixels_area(scale, mark.mask.count, border_length(mask))
    elif mark.kind is MarkKind.ELLIPSE:
        found = ellipse_area(scale, [(x, y) for x, y in points])
    else:
        ring = corners(points) if mark.kind is MarkKind.RECTANGLE else np.asarray(points)
        found = polygon_area(scale, [(float(x), float(y)) for x, y in ring])
    return [((AREA, "Area"), found)]


LONG: Final = (LONG_AXIS, "Long axis")
SHORT: Final = (SHORT_AXIS, "Short axis")

MEASURES: Final[dict[MarkKind, Measure]] = {
    MarkKind.LENGTH: _length,
    MarkKind.ANGLE: _angle,
    MarkKind.COBB: _cobb,
    MarkKind.BIDIRECTIONAL: _axes,
    MarkKind.PERPENDICULAR: _axes,
    MarkKind.RECTANGLE: _area,
    MarkKind.ELLIPSE: _area,
    MarkKind.POLYGON: _area,
    MarkKind.FREEHAND: _area,
    MarkKind.BRUSH: _area,
}
"""What each kind measures; arrows, texts and points measure nothing."""


def _value(named: tuple[Concept, str], found: Measured) -> MarkValue:
    concept, label = named
    return MarkValue(
        concept=concept,
        label=label,
        value=found.value,
        unit=found.unit,
        uncertainty=found.uncertainty,
        source=found.source,
    )


STATISTICS: Final[tuple[tuple[Concept, str, Callable[[FloatArray], Any]], ...]] = (
    (MEAN, "Mean", np.mean),
    (DEVIATION, "SD", np.std),
    (MINIMUM, "Min", np.min),
    (MAXIMUM, "Max", np.max),
    (MEDIAN, "Median", np.median),
)
"""What is said of the values inside an area; SD is that of these pixels (divided by n)."""


def _statistics(mark: Mark, pixels: FramePixels) -> tuple[tuple[MarkValue, ...], str]:
    mask = mask_of(mark, pixels.shape)
    if not mask.any():
        return (), NO_PIXELS
    inside = pixels.inside(mask)
    if not inside.size:
        return (), ALL_PADDING
    return value_statistics(inside, pixels.unit, pixels.source), pixels.refusal


def value_statistics(inside: FloatArray, unit: str, source: str) -> tuple[MarkValue, ...]:
    """Return what is said of values, at least one, inside an area."""
    return tuple(
        MarkValue(concept=concept, label=label, value=float(function(inside)), unit=unit, source=source)
        for concept, label, function in STATISTICS
    )


# --- histogram ---------------------------------------------------------------------------------------

FEWEST_BINS, MOST_BINS = 8, 64


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur in an area: bin i reaches from edge i to edge i + 1.

    Parameters
    ----------
    unit, label
        As in `FramePixels`.
    """

    edges: FloatArray
    counts: npt.NDArray[np.int64]
    unit: str
    label: str = ""


def histogram_of(mark: Mark, pixels: FramePixels) -> Histogram | Refusal:
    """Return the histogram of the values inside a mark.

    Bins are as wide as Freedman and Diaconis say (2 x interquartile range / cube root of n), between
    8 and 64 of them; of counted values each bin holds a whole number of steps, so that none is empty
    for want of values that could fall in it.
    """
    if pixels.is_colour:
        return Refusal(RefusalKind.NO_VALUES, "A colour image has no values to count.")
    mask = mask_of(mark, pixels.shape)
    inside = pixels.inside(mask)
    if not inside.size:
        return Refusal(RefusalKind.NO_VALUES, ALL_PADDING if mask.any() else NO_PIXELS)
    low, high = float(inside.min()), float(inside.max())
    lower, upper = np.percentile(inside, (25.0, 75.0))
    span = high - low
    wanted = 2.0 * float(upper - lower) / float(np.cbrt(inside.size))
    width = min(max(wanted, span / MOST_BINS), span / FEWEST_BINS)
    step = pixels.step
    if step > 0.0:
        width = step * max(1.0, float(np.ceil(width / step - 1e-9)))
        low -= step / 2.0
        span = high + step / 2.0 - low
    if width <= 0.0:
        low, width, span = low - 0.5, 1.0, 1.0
    bins = max(1, int(np.ceil(span / width - 1e-9)))
    edges: FloatArray = low + width * np.arange(bins + 1, dtype=np.float64)
    counts, _ = np.histogram(inside, bins=edges)
    return Histogram(edges, counts, pixels.unit, pixels.label)
