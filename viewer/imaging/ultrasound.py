"""Regions of an ultrasound picture, each with its own calibration (PS3.3 C.8.5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from viewer.imaging.sequences import number
from viewer.imaging.study import Instance, UltrasoundRegion

UNITS: Final = ("", "%", "dB", "cm", "s", "Hz", "dB/s", "cm/s", "cm2", "cm2/s", "cm3", "cm3/s", "deg")
"""UCUM unit of Physical Units X and Y Direction, by its number (PS3.3 C.8.5.5.1.15)."""

TWO_DIMENSIONAL: Final = 1
"""Region Spatial Format of a tissue picture (PS3.3 C.8.5.5.1.1)."""

BEYOND_PIXELS: Final = 1
"""Writers give the last pixel of a region, or the one after it."""

MM_PER_CM: Final = 10.0

Point = tuple[float, float]


def ultrasound_regions(found: Sequence[Any]) -> tuple[UltrasoundRegion, ...]:
    """Return the regions of a Sequence of Ultrasound Regions; one without a place is left out."""
    regions = (_region(item) for item in found)
    return tuple(region for region in regions if region is not None)


def _region(item: Any) -> UltrasoundRegion | None:
    corners = [number(item, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    left, top, right, bottom = (-1 if corner is None else int(corner) for corner in corners)
    if not (0 <= left < right and 0 <= top < bottom):
        return None
    x_unit, y_unit = (_unit(item, f"PhysicalUnits{axis}Direction") for axis in "XY")
    x_step, y_step = (number(item, f"PhysicalDelta{axis}") or 0.0 for axis in "XY")
    return UltrasoundRegion(
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        x_unit=x_unit,
        y_unit=y_unit,
        x_step=x_step,
        y_step=y_step,
        tissue=number(item, "RegionSpatialFormat") == TWO_DIMENSIONAL,
        high_priority=int(number(item, "RegionFlags") or 0) & 1 == 1,
    )


def _unit(item: Any, keyword: str) -> str:
    code = number(item, keyword)
    return UNITS[int(code)] if code is not None and 0 <= code < len(UNITS) else ""


def region_at(regions: Sequence[UltrasoundRegion], point: Point) -> UltrasoundRegion | None:
    """Return the region that a point (column, row) belongs to; none outside of all that measure.

    A region without units measures nothing and covers nothing. Where regions overlap, one of high
    priority is on top (PS3.3 C.8.5.5.1.3), then the smaller one.
    """

    def covered(region: UltrasoundRegion) -> int:
        return (region.right - region.left) * (region.bottom - region.top)

    column, row = point
    there = [
        region
        for region in regions
        if (region.x_unit or region.y_unit)
        and region.left - 0.5 <= column <= region.right + 0.5
        and region.top - 0.5 <= row <= region.bottom + 0.5
    ]
    there.sort(key=lambda region: (not region.high_priority, covered(region)))
    return there[0] if there else None


def reach_beyond(instance: Instance) -> bool:
    """Return whether regions lie beyond the picture: it was scaled or cut after they were written."""
    return any(
        (region.x_unit or region.y_unit)
        and (
            region.right > instance.columns - 1 + BEYOND_PIXELS
            or region.bottom > instance.rows - 1 + BEYOND_PIXELS
        )
        for region in instance.regions
    )


def tissue_spacing(instance: Instance) -> tuple[float, float] | None:
    """Return the row and column spacing in mm that all tissue pictures of an image share, or none."""
    found = {
        (abs(region.y_step) * MM_PER_CM, abs(region.x_step) * MM_PER_CM)
        for region in instance.regions
        if region.tissue and (region.x_unit, region.y_unit) == ("cm", "cm")
    }
    (shared,) = found if len(found) == 1 else [(0.0, 0.0)]
    return shared if all(shared) and not reach_beyond(instance) else None
