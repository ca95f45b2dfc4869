"""An axial head CT slice by slice at its true places: what tilted and uneven stacks can be measured on.

Nothing is interpolated. Areas are measured in each slice; a volume is the sum of area times the length
along the normal that a slice stands for, which is right for a tilted gantry too (a shear keeps volume).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.orientation import OBLIQUE_LIMIT
from inference.evidence.quantities import HU
from inference.evidence.tool import MeasureContext, RefusalCode
from viewer.imaging.geometry import FloatArray, ImagePlane, VerdictKind, judge
from viewer.imaging.volume import StackValues, values_of

IntArray = npt.NDArray[np.int16]
Misfit = tuple[RefusalCode, str]

MEASURABLE = frozenset(
    (VerdictKind.UNIFORM, VerdictKind.TILTED, VerdictKind.NON_UNIFORM, VerdictKind.MISSING)
)
"""Verdicts of stacks whose slices are parallel and stand at places of their own."""

FEWEST_SLICES = 5

AIR_HU = -1024
"""Padding and everything below are written as this."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Parallel axial slices with their places.

    Parameters
    ----------
    hu
        (slice, row, column), in the order of the stack.
    planes
        Of each slice.
    heights
        Along the normal, towards the head, mm.
    thick
        Length along the normal that each slice stands for, mm.
    pixel_mm
        Between rows and between columns.
    missing
        Slices that are known to be missing.
    """

    hu: IntArray
    planes: tuple[ImagePlane, ...]
    heights: FloatArray
    thick: FloatArray
    pixel_mm: tuple[float, float]
    missing: int = 0

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel."""
        return self.pixel_mm[0] * self.pixel_mm[1]

    @property
    def voxel_ml(self) -> FloatArray:
        """Volume that a pixel of each slice stands for, mL."""
        volumes: FloatArray = self.thick * self.pixel_mm2 / 1000.0
        return volumes

    def ml(self, mask: npt.NDArray[np.bool_]) -> float:
        """Return the volume of a mask, mL."""
        return float((mask.sum(axis=(1, 2), dtype=np.int64) * self.voxel_ml).sum())

    def patient(self, index: int, points: FloatArray) -> FloatArray:
        """Return (n, 3) LPS mm of (n, 2) column/row pixels of a slice."""
        return self.planes[index].pixel_to_patient(points)


def slices_of(ctx: MeasureContext, what: str) -> Slices | Misfit:
    """Return the slices of a head CT, or why they cannot be measured.

    Parameters
    ----------
    what
        The measure, as the reason of a refusal begins: "High density inside the skull".
    """
    series = ctx.series
    if series.modality != "CT" or ctx.stack.is_colour:
        return RefusalCode.WRONG_MODALITY, f"{what} is measured on CT; this series is no grey CT."
    known = [series.plane_of(frame) for frame in ctx.stack.frames]
    verdict = judge(known)
    if verdict.kind not in MEASURABLE:
        return RefusalCode.GEOMETRY, f"{what} needs parallel slices with a place each: {verdict.reason}"
    planes = tuple(plane for plane in known if plane is not None)
    if len(planes) < FEWEST_SLICES:
        return RefusalCode.GEOMETRY, f"{what} needs at least {FEWEST_SLICES} slices of the head."
    if abs(float(planes[0].normal[2])) < OBLIQUE_LIMIT or abs(planes[0].row_cosines[0]) < OBLIQUE_LIMIT:
        return RefusalCode.GEOMETRY, f"{what} is measured on axial slices; these run another way."
    values = values_of(ctx.stack)
    if not isinstance(values, StackValues) or values.unit != HU:
        return RefusalCode.WRONG_MODALITY, "The values of this series are not in Hounsfield units."
    heights = np.asarray([plane.position for plane in planes]) @ planes[0].normal
    return Slices(
        hu=_hounsfield(values),
        planes=planes,
        heights=heights * np.sign(planes[0].normal[2]),
        thick=_lengths(heights, verdict.spacing if verdict.kind is VerdictKind.MISSING else None),
        pixel_mm=(planes[0].row_spacing, planes[0].column_spacing),
        missing=sum(count for _, count in verdict.missing),
    )


def _lengths(heights: FloatArray, usual: float | None) -> FloatArray:
    """Return what each slice stands for: half way to its neighbours, at the ends as far as inside.

    Where slices are missing (`usual` given) a slice stands for its usual spacing only.
    """
    gaps = np.abs(np.diff(heights))
    if usual is not None:
        gaps = np.minimum(gaps, usual)
    below = np.concatenate(([gaps[0]], gaps))
    above = np.concatenate((gaps, [gaps[-1]]))
    lengths: FloatArray = (below + above) / 2.0
    return lengths


def _hounsfield(values: StackValues) -> IntArray:
    scaled = values.stored.astype(np.float32)
    if values.slope != 1.0:
        scaled *= np.float32(values.slope)
    scaled += np.float32(values.intercept)
    hu = np.clip(np.rint(scaled), AIR_HU, 4095).astype(np.int16)
    if values.padding is not None:
        hu[values.stored == values.padding] = AIR_HU
    return hu
