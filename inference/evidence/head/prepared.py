"""What the tools of head CT share: slices, the inside of the skull, and smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.head.cavity import BoolArray, Cavity, FloatImage, cavity_of
from inference.evidence.head.slices import Misfit, Slices, slices_of
from inference.evidence.tool import Applies, MeasureContext, RefusalCode, ToolCancelled
from reports.domain import Side
from viewer.imaging.geometry import FloatArray

HEAD_CT = Applies(frozenset({"CT"}), frozenset({"head"}))

SMOOTH_MM = 1.2
"""SD of the Gaussian in the slice that tames noise before thresholds."""

DEEP_MM = 8.0
"""Brain this far from bone tells noise and typical density."""

SIDE_MARGIN_MM = 5.0
"""A place closer than this to the plane between the halves has no certain side: a head may be bent."""


@dataclass(frozen=True, eq=False)
class Head:
    """A head that can be measured; arrays are cut to the box of the cavity.

    Parameters
    ----------
    inside
        The inside of the skull.
    hu, smooth
        HU, and HU smoothed within the inside of the skull (0 outside).
    deep
        Voxels inside, far from bone.
    noise
        Robust SD of the smoothed values around their surroundings, HU; tissue counts as noise here.
    typical
        Median of deep brain, HU.
    """

    slices: Slices
    cavity: Cavity
    inside: BoolArray
    hu: FloatImage
    smooth: FloatImage
    deep: BoolArray
    noise: float
    typical: float

    def whole(self, mask: BoolArray) -> BoolArray:
        """Return a mask of the box as one of the stack."""
        full = np.zeros(self.slices.hu.shape, dtype=bool)
        full[:, self.cavity.box[0], self.cavity.box[1]] = mask
        return full

    def places(
        self, index: int, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
    ) -> FloatArray:
        """Return LPS mm of pixels of the box in a slice."""
        pixels = np.stack([columns + self.cavity.box[1].start, rows + self.cavity.box[0].start], axis=1)
        return self.slices.patient(index, pixels.astype(np.float64))

    def offsets(self, mask: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Return the distance of each voxel of a mask from the midplane (left positive), and its mL."""
        distances, weights = [np.zeros(0)], [np.zeros(0)]
        for index in np.flatnonzero(mask.any(axis=(1, 2))):
            places = self.places(int(index), *np.nonzero(mask[index]))
            distances.append(self.cavity.midplane.offset(places))
            weights.append(np.full(len(places), self.slices.voxel_ml[index]))
        return np.concatenate(distances), np.concatenate(weights)

    def side(self, mask: BoolArray) -> Side:
        """Return the side that a mask lies on; UNKNOWN near the midline or on both."""
        distances, weights = self.offsets(mask)
        centre = float((distances * weights).sum() / weights.sum())
        to_left = float(weights[distances > 0].sum() / weights.sum())
        if centre > SIDE_MARGIN_MM and to_left >= 0.9:
            return Side.LEFT
        if centre < -SIDE_MARGIN_MM and to_left <= 0.1:
            return Side.RIGHT
        return Side.UNKNOWN


NO_BRAIN_HU = (15.0, 60.0)
"""Median of deep brain; anything else is a phantom, an angiography or a specimen."""


def head_of(ctx: MeasureContext) -> Head | Misfit:
    """Return the head of a context, made once for all tools, or why it cannot be measured."""
    return ctx.once("head", lambda: _prepared(ctx))


def _prepared(ctx: MeasureContext) -> Head | Misfit:
    slices = slices_of(ctx, "What lies inside the skull")
    if not isinstance(slices, Slices):
        return slices
    cavity = cavity_of(slices)
    if ctx.cancelled():
        raise ToolCancelled
    if not isinstance(cavity, Cavity):
        return cavity
    rows, columns = cavity.box
    inside = np.ascontiguousarray(cavity.mask[:, rows, columns])
    hu = slices.hu[:, rows, columns].astype(np.float32)
    smooth = smoothed(hu, inside, slices.pixel_mm, SMOOTH_MM)
    deep = inside & (cavity.bone > DEEP_MM)
    if not deep.any():
        return RefusalCode.WRONG_REGION, "No brain was found inside the skull."
    typical = float(np.median(smooth[deep]))
    if not NO_BRAIN_HU[0] <= typical <= NO_BRAIN_HU[1]:
        reason = f"What the skull holds is not as dense as brain ({typical:.0f} HU)."
        return RefusalCode.WRONG_REGION, reason
    wide = smoothed(hu, inside, slices.pixel_mm, 4.0)
    noise = 1.4826 * float(np.median(np.abs((smooth - wide)[deep])))
    return Head(slices, cavity, inside, hu, smooth, deep, noise, typical)


def smoothed(
    hu: FloatImage, inside: BoolArray, pixel_mm: tuple[float, float], sigma_mm: float
) -> FloatImage:
    """Return values smoothed in each slice among those inside only; 0 outside."""
    from scipy import ndimage

    sigma = (0.0, sigma_mm / pixel_mm[0], sigma_mm / pixel_mm[1])
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma, truncate=3.0)
    total = ndimage.gaussian_filter(np.where(inside, hu, 0.0).astype(np.float32), sigma, truncate=3.0)
    values: FloatImage = np.where(inside, total / np.maximum(weight, 1e-3), 0.0).astype(np.float32)
    return values
