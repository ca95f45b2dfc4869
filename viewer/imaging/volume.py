"""Pixels of a series with what is needed to interpret them: an ImageStack, and the Volume it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray, GeometryVerdict, ImagePlane, VerdictKind, judge
from viewer.imaging.study import FrameAttributes, Instance, Series, WindowPreset


@dataclass(frozen=True, eq=False)
class ImageStack:
    """Decoded frames of a series in its sorted order.

    Parameters
    ----------
    series
        The series these pixels belong to; frame `i` of the stack is `frames[i]`.
    stored
        Stored values, (frame, row, column) or (frame, row, column, 3) for colour (always RGB,
        uint8). dtype is that of the file: int16, uint16, uint8, ...; float32 for floating point
        pixels, NaN where there is no image. Read-only view.
    frames
        (instance index in `series.instances`, frame number from 1) of each plane of `stored`.
    decoder
        Which decoder gave the pixels ("native", "imagecodecs", "pydicom", "gdcm").
    """

    series: Series
    stored: npt.NDArray[np.generic]
    frames: tuple[tuple[int, int], ...]
    decoder: str = "native"

    @property
    def is_colour(self) -> bool:
        """True for RGB stacks, which have no window."""
        return self.stored.ndim == 4


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack whose geometry is a box: stored int16 + LPS affine + rescale + window presets.

    Parameters
    ----------
    stored
        (slice, row, column) int16, read-only. Modality value = stored * slope + intercept.
    affine
        4 x 4: (column, row, slice, 1) -> LPS mm.
    unit
        UCUM unit of modality values ("[hnsf'U]" for CT) or "1".
    padding
        Stored value outside the field of view; excluded from statistics, or none.
    """

    series: Series
    stored: npt.NDArray[np.int16]
    affine: FloatArray
    slope: float
    intercept: float
    unit: str
    windows: tuple[WindowPreset, ...]
    padding: int | None = None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size (between slices, between rows, between columns), mm: the order of `stored`."""
        column, row, slice_ = (float(np.linalg.norm(self.affine[:3, i])) for i in range(3))
        return slice_, row, column

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel, millilitres."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def modality_values(self) -> npt.NDArray[np.float32]:
        """Return a float32 copy in modality units (HU for CT)."""
        return self.stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)


UNIT_OF_RESCALE: dict[str, str] = {
    "HU": "[hnsf'U]",
    "OD": "{optical_density}",
    "BQML": "Bq/mL",
    "CNTS": "{counts}",
    "GML": "g/mL",
}
"""UCUM unit of Rescale Type (PS3.3 C.11.1.1.2) and of Units in PET (C.8.9.1.1.3)."""


EMPTY: Final = -32768
"""Stored value of a volume of floating point pixels where there is no finite number."""


@dataclass(frozen=True, eq=False)
class StackValues:
    """The values of a stack as int16 with one slope and intercept for all; fields as in `Volume`."""

    stored: npt.NDArray[np.int16]
    slope: float
    intercept: float
    unit: str
    windows: tuple[WindowPreset, ...]
    padding: int | None


def as_volume(stack: ImageStack) -> Volume | GeometryVerdict:
    """Return the stack as a box of voxels, or the verdict that says why it is none."""
    series = stack.series
    planes = [series.plane_of(frame) for frame in stack.frames]
    verdict = judge(planes)
    if not verdict.is_volume:
        return verdict
    values = values_of(stack)
    if isinstance(values, GeometryVerdict):
        return values
    first, last = planes[0], planes[-1]
    assert first is not None and last is not None  # a uniform verdict has all planes
    step = (np.asarray(last.position) - np.asarray(first.position)) / (len(planes) - 1)
    return volume_at(series, values, first, np.asarray(first.position), step)


def volume_at(
    series: Series, values: StackValues, plane: ImagePlane, corner: FloatArray, step: FloatArray
) -> Volume:
    """Return values as a volume whose first voxel lies at `corner`, with `step` between slices, mm."""
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(plane.row_cosines) * plane.column_spacing
    affine[:3, 1] = np.asarray(plane.column_cosines) * plane.row_spacing
    affine[:3, 2] = step
    affine[:3, 3] = corner
    return Volume(
        series=series,
        stored=values.stored,
        affine=affine,
        slope=values.slope,
        intercept=values.intercept,
        unit=values.unit,
        windows=values.windows,
        padding=values.padding,
    )


def values_of(stack: ImageStack) -> StackValues | GeometryVerdict:
    """Return the values of a stack for use in three dimensions, or why there are none.

    Values that int16 cannot hold as they are (unsigned 16 bits, 32 bits, floating point, or slopes
    that differ between slices as in PET) are stored anew with one slope and intercept; the modality
    value changes by at most half a step of that slope.
    """
    series = stack.series
    if stack.is_colour:
        return GeometryVerdict(
            kind=VerdictKind.NOT_A_VOLUME, reason="Colour images are not measured in three dimensions."
        )
    instances = [series.instances[index] for index, _ in stack.frames]
    attributes = [series.instances[index].of_frame(number) for index, number in stack.frames]
    if any(one.modality_lut is not None for one in attributes):
        return GeometryVerdict(
            kind=VerdictKind.NOT_A_VOLUME,
            reason="The values of these images are mapped by a table (Modality LUT), which is not "
            "measured in three dimensions.",
        )
    slopes = np.asarray([one.rescale_slope for one in attributes])
    intercepts = np.asarray([one.rescale_intercept for one in attributes])
    unit = unit_of_frame(series, instances[0], attributes[0])
    if stack.stored.dtype.kind == "f" or _is_wide(stack.stored):
        stored, slope, intercept = _with_one_slope(stack.stored, slopes, intercepts)
        padding = EMPTY if stack.stored.dtype.kind == "f" else None
        return StackValues(stored, slope, intercept, unit, attributes[0].windows, padding)
    paddings = {one.pixel_padding_value for one in instances}
    padding = paddings.pop() if len(paddings) == 1 else None
    slope, intercept = float(slopes[0]), float(intercepts[0])
    if np.all(slopes == slope) and np.all(intercepts == intercept):
        stored, offset = _as_int16(stack.stored)
        intercept += slope * offset
        padding = None if padding is None else padding - offset
    else:
        stored, slope, intercept = _with_one_slope(stack.stored, slopes, intercepts)
        padding = None
    return StackValues(stored, slope, intercept, unit, attributes[0].windows, padding)


def unit_of(series: Series, rescale_type: str) -> str:
    """Return the UCUM unit of modality values; "1" when the header does not give one."""
    if series.modality == "CT" and rescale_type in ("", "HU") and "LOCALIZER" not in series.image_type:
        return UNIT_OF_RESCALE["HU"]
    return UNIT_OF_RESCALE.get(rescale_type, "1")


def unit_of_frame(series: Series, instance: Instance, attributes: FrameAttributes) -> str:
    """Return the UCUM unit of the modality values of a frame; "1" when the header does not give one.

    Where the rescale has no unit, a Real World Value Mapping that does the same to stored values tells
    it (PS3.3 C.7.6.16.2.11); not where a palette makes another quantity of the high values.
    """
    unit = unit_of(series, instance.rescale_type)
    if unit != "1" or attributes.modality_lut is not None or instance.supplemental is not None:
        return unit
    rescale = attributes.rescale_slope, attributes.rescale_intercept
    linear = (one for one in attributes.real_world if not one.packed)
    return next((one.unit for one in linear if (one.slope, one.intercept) == rescale), unit)


def _is_wide(stored: npt.NDArray[np.generic]) -> bool:
    """True when the values reach further than 16 bits, so that moving them is not enough."""
    return stored.dtype.itemsize > 2 and int(stored.max()) - int(stored.min()) > 65534


def _as_int16(stored: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.int16], int]:
    """Return the values as int16 and what has to be added to get them back; a view where possible."""
    if stored.dtype == np.int16:
        return stored.view(np.int16), 0
    low, high = int(stored.min()), int(stored.max())
    if stored.dtype == np.uint16 and high <= np.iinfo(np.int16).max:
        view = stored.view(np.int16)
        return view, 0
    offset = 0 if high <= np.iinfo(np.int16).max and low >= np.iinfo(np.int16).min else low + 32768
    moved = (stored.astype(np.int64) - offset).clip(-32768, 32767).astype(np.int16)
    moved.flags.writeable = False
    return moved, offset


def _with_one_slope(
    stored: npt.NDArray[np.generic], slopes: FloatArray, intercepts: FloatArray
) -> tuple[npt.NDArray[np.int16], float, float]:
    """Store slices anew with one rescale, in the range of int16; `EMPTY` where there is no value."""
    values = stored.astype(np.float32)
    values *= slopes[:, None, None].astype(np.float32)
    values += intercepts[:, None, None].astype(np.float32)
    empty = ~np.isfinite(values) if stored.dtype.kind == "f" else None
    known = values if empty is None else values[~empty]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    slope = (high - low) / 65534.0 or 1.0
    intercept = low + 32767.0 * slope
    if empty is not None:
        values[empty] = low
    moved = np.rint((values - intercept) / slope).clip(-32767, 32767).astype(np.int16)
    if empty is not None:
        moved[empty] = EMPTY
    moved.flags.writeable = False
    return moved, slope, intercept
