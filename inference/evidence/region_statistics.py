"""Statistics of a region that a person drew: area, diameters, and values of the pixels inside.

Recipe and sources in docs/evidence/region-statistics.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.diameters import Diameters, diameters, polygon_area
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import HU, NO_UNIT, PIXEL_MEASURES, Measure, quantity
from inference.evidence.sides import side_of
from inference.evidence.tool import (
    EVERYTHING,
    Applies,
    DrawnRegion,
    IdSource,
    MeasureContext,
    Need,
    RefusalCode,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side
from viewer.imaging.contour import inside_polygon
from viewer.imaging.geometry import FloatArray
from viewer.imaging.grey import modality_values, no_image
from viewer.imaging.regions import Region, Shape, Space, outline, to_image
from viewer.imaging.study import Instance
from viewer.imaging.volume import unit_of_frame

OUTLINE_SEGMENTS = 360
"""Points of an ellipse's outline: its polygon lacks 5e-5 of the area."""

ALLOWED = (Shape.ELLIPSE, Shape.POLYGON, Shape.BOX)

THIN_SHARE = 1 / 3
"""A size is doubtful when slices are thicker than this share of it (facts: lesion size)."""

LESION = Code(value="52988006", scheme="SCT", meaning="Lesion")

REASONS: dict[RefusalCode, str] = {
    RefusalCode.COLOUR: "A colour image has no values to average: only grey images can be measured.",
    RefusalCode.NO_AREA: "A {shape} has no area to measure: draw an ellipse or a polygon.",
    RefusalCode.OUTSIDE_IMAGE: "The region lies outside the image: draw it on the picture.",
    RefusalCode.GEOMETRY: "The image of this region is not in the open series: open its series first.",
}


@dataclass(frozen=True)
class RegionStatistics:
    """Measures each drawn region of the context."""

    name: str = "region-statistics"
    version: str = "1"
    title: str = "Region statistics"
    concept: Code = LESION
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = EVERYTHING
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence for each drawn region, in their order; none when nothing was drawn."""
        return tuple(self.measure_one(ctx, drawn, ids.take()) for drawn in ctx.regions)

    def measure_one(self, ctx: MeasureContext, drawn: DrawnRegion, evidence_id: str) -> Evidence:
        """Return the evidence of one region."""
        if ctx.stack.is_colour:
            return self._refusal(evidence_id, RefusalCode.COLOUR)
        if drawn.region.shape not in ALLOWED:
            return self._refusal(evidence_id, RefusalCode.NO_AREA, shape=drawn.region.shape.value)
        place = _frame_of(ctx, drawn.region)
        if place is None:
            return self._refusal(evidence_id, RefusalCode.GEOMETRY)
        frame, instance, region = place
        points = outline(region, segments=OUTLINE_SEGMENTS)
        stored = ctx.stack.stored[frame]
        attributes = instance.of_frame(region.frame_number)
        values = modality_values(
            stored, attributes.rescale_slope, attributes.rescale_intercept, attributes.modality_lut
        ).astype(np.float32)
        inside = inside_polygon(points, values.shape) & ~no_image(stored, instance)
        if not inside.any():
            return self._refusal(evidence_id, RefusalCode.OUTSIDE_IMAGE)
        spacing = ctx.series.pixel_spacing
        size = _measure_shape(points, spacing)
        middle = float(points[:, 0].mean()), float(points[:, 1].mean())
        unit = unit_of_frame(ctx.series, instance, attributes)
        is_ct = ctx.series.modality == "CT" and unit == HU
        return Evidence(
            id=evidence_id,
            kind=EvidenceKind.MEASUREMENT,
            concept=self.concept,
            label=drawn.label,
            side=side_of(middle, attributes.plane, values) if is_ct else Side.UNKNOWN,
            values=(
                *_size_values(size, spacing),
                *_pixel_values(values[inside], unit),
            ),
            regions=(region,),
            source=source(self),
            report_default=self.report_default,
            checks=_checks(ctx, int(np.count_nonzero(inside))),
            warnings=_warnings(ctx, size, spacing),
        )

    def _refusal(self, evidence_id: str, code: RefusalCode, **words: str) -> Evidence:
        return refused(self, evidence_id, code, REASONS[code].format(**words))


def _frame_of(ctx: MeasureContext, region: Region) -> tuple[int, Instance, Region] | None:
    """Return the frame that a region lies on, its instance, and the region in its pixels."""
    if region.space is Space.PATIENT:
        return _nearest_frame(ctx, region)
    for index, (number, frame) in enumerate(ctx.stack.frames):
        instance = ctx.series.instances[number]
        if instance.sop_instance_uid == region.sop_instance_uid and frame == region.frame_number:
            return index, instance, region
    return None


def _nearest_frame(ctx: MeasureContext, region: Region) -> tuple[int, Instance, Region] | None:
    """Return the frame nearest to a region in millimetres, or none in another frame of reference."""
    if not region.frame_of_reference_uid or (
        region.frame_of_reference_uid != ctx.series.frame_of_reference_uid
    ):
        return None
    planes = [ctx.series.plane_of(frame) for frame in ctx.stack.frames]
    known = [(index, plane) for index, plane in enumerate(planes) if plane is not None]
    if not known:
        return None
    centre = region.array().mean(axis=0)
    index, plane = min(known, key=lambda one: abs(float(centre @ one[1].normal) - one[1].offset))
    number, frame = ctx.stack.frames[index]
    instance = ctx.series.instances[number]
    moved = to_image(region, plane, sop_instance_uid=instance.sop_instance_uid, frame_number=frame)
    return index, instance, moved


@dataclass(frozen=True)
class _Size:
    area: float
    area_uncertainty: float
    diameters: Diameters
    length_uncertainty: float


def _measure_shape(points: FloatArray, spacing: tuple[float, float] | None) -> _Size:
    """Return sizes in mm (or pixels when nothing calibrates the image).

    Each end of a length is uncertain by half a pixel; the outline by a quarter of one all along.
    """
    row_mm, column_mm = spacing or (1.0, 1.0)
    scaled = points * np.array([column_mm, row_mm])
    half = max(row_mm, column_mm) / 2.0
    edges = np.roll(scaled, -1, axis=0) - scaled
    perimeter = float(np.hypot(edges[:, 0], edges[:, 1]).sum())
    return _Size(
        area=polygon_area(scaled),
        area_uncertainty=perimeter * half / 2.0,
        diameters=diameters(scaled),
        length_uncertainty=half * math.sqrt(2.0),
    )


def _size_values(size: _Size, spacing: tuple[float, float] | None) -> tuple[Quantity, ...]:
    how = PIXEL_MEASURES if spacing is None else {}
    return (
        quantity("area", size.area, uncertainty=size.area_uncertainty, measure=how.get("area")),
        quantity(
            "long", size.diameters.longest, uncertainty=size.length_uncertainty, measure=how.get("long")
        ),
        quantity(
            "short",
            size.diameters.perpendicular,
            uncertainty=size.length_uncertainty,
            measure=how.get("short"),
        ),
    )


def _pixel_values(inside: npt.NDArray[np.float32], unit: str) -> tuple[Quantity, ...]:
    count = int(inside.size)
    spread = float(inside.std(ddof=1)) if count > 1 else 0.0
    facts = {
        "mean": (float(inside.mean(dtype=np.float64)), spread / math.sqrt(count)),
        "sd": (spread, spread / math.sqrt(2.0 * max(count - 1, 1))),
        "minimum": (float(inside.min()), None),
        "maximum": (float(inside.max()), None),
    }
    return tuple(
        quantity(
            name,
            value,
            uncertainty=uncertainty,
            measure=None if unit == HU else Measure(NO_UNIT, "", _digits(value)),
        )
        for name, (value, uncertainty) in facts.items()
    )


def _digits(value: float) -> int:
    """Return the decimals of a value without a unit: three figures."""
    if value == 0 or abs(value) >= 100:
        return 0
    return min(max(2 - math.floor(math.log10(abs(value))), 0), 6)


def _checks(ctx: MeasureContext, count: int) -> tuple[str, ...]:
    calibrated = ctx.series.pixel_spacing is not None
    source_words = ctx.series.spacing_source or ("PixelSpacing" if calibrated else "none")
    return (f"{count} pixels", f"calibration {source_words}")


def _warnings(ctx: MeasureContext, size: _Size, spacing: tuple[float, float] | None) -> tuple[str, ...]:
    found = []
    if spacing is None:
        found.append("image is not calibrated at the patient: lengths are in pixels")
    elif ctx.series.spacing_source == "at detector":
        found.append("calibrated at the detector: the patient is smaller than measured")
    thickness = ctx.series.slice_thickness
    if spacing is not None and thickness and thickness > size.diameters.longest * THIN_SHARE:
        found.append("slices are thicker than a third of the size")
    return tuple(found)
