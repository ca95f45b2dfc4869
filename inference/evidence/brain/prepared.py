"""The brain of an MR series: its mask, its values freed of the coil's shading, and their spread.

Signal intensities of MR have no unit: values are given relative to the brain around them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evidence.brain.sequence import Misfit
from inference.evidence.tool import RefusalCode
from viewer.imaging.volume import Volume

BoolArray = npt.NDArray[np.bool_]
FloatImage = npt.NDArray[np.float32]
Box = tuple[slice, slice, slice]

PLAUSIBLE_ML = (700.0, 1900.0)
"""Volume of a whole brain mask; on T2 the fluid around it belongs to it."""

SMOOTH_MM = 0.7
"""SD of the Gaussian that tames noise before thresholds."""

BRIDGE_MM = 3.0
"""Bridges between brain and scalp thinner than twice this are cut."""

CLOSED_MM = 5.0
"""Fissures up to twice this are closed before holes are filled."""

SHADING_MM = 25.0
"""SD of the Gaussian that follows the shading of the coil, and no lesion."""

RIM_MM = 3.0
"""Outermost part of the mask that is not searched: partial volume with scalp, vessels and dura."""


@dataclass(frozen=True, eq=False)
class Brain:
    """A brain that can be searched; arrays are cut to its box.

    Parameters
    ----------
    box
        Where the arrays lie in the volume, (slice, row, column).
    mask
        Brain with its ventricles.
    depth
        Distance to the outer edge of the mask, mm; 0 outside.
    values
        Smoothed signal over that of the brain around: about 1 in the brain, 0 outside.
    median, spread
        Median and robust SD of `values` in brain tissue: `robust`.
    """

    volume: Volume
    box: Box
    mask: BoolArray
    depth: FloatImage
    values: FloatImage
    median: float
    spread: float

    @property
    def searched(self) -> BoolArray:
        """The mask without its rim."""
        inner: BoolArray = self.mask & (self.depth > RIM_MM)
        return inner

    def ml(self, mask: BoolArray) -> float:
        """Return the volume of a mask, mL."""
        return float(np.count_nonzero(mask)) * self.volume.voxel_volume_ml

    def whole(self, mask: BoolArray) -> BoolArray:
        """Return a mask of the box as one of the volume."""
        full = np.zeros(self.volume.stored.shape, dtype=bool)
        full[self.box] = mask
        return full


def brain_of(volume: Volume) -> Brain | Misfit:
    """Return the brain of a volume, or why none was found."""
    import SimpleITK as sitk  # noqa: N813  # loaded in the evidence worker only

    signal = volume.modality_values()
    if volume.padding is not None:
        signal[volume.stored == volume.padding] = 0.0
    image = _image(np.maximum(signal, 0.0), volume.spacing)
    smooth = sitk.SmoothingRecursiveGaussian(image, SMOOTH_MM)
    mask = _mask(smooth)
    size = float(np.count_nonzero(mask)) * volume.voxel_volume_ml
    low, high = PLAUSIBLE_ML
    if not low <= size <= high:
        reason = (
            f"The brain could not be told from what surrounds it: the part found has {size:.0f} mL, "
            f"and a whole brain has {low:.0f} to {high:.0f} mL."
        )
        return RefusalCode.UNCERTAIN, reason
    box = _box(mask)
    inside = np.ascontiguousarray(mask[box])
    values = sitk.GetArrayFromImage(smooth)[box].astype(np.float32)
    depth = distance_inside(inside, volume.spacing)
    even, median, spread = _evened(values, inside & (depth > RIM_MM), inside, volume.spacing)
    if not 0.0 < spread < 0.4:
        return RefusalCode.UNCERTAIN, "The signal of the brain varies too much to tell what is bright."
    return Brain(volume, box, inside, depth, even, median, spread)


def distance_inside(mask: BoolArray, spacing: tuple[float, float, float]) -> FloatImage:
    """Return the distance of each voxel of a mask to its edge, mm; 0 outside."""
    import SimpleITK as sitk  # noqa: N813

    padded = _image(np.pad(mask, 1).astype(np.uint8), spacing)
    away = sitk.SignedMaurerDistanceMap(
        padded, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    distance: FloatImage = np.maximum(sitk.GetArrayFromImage(away)[1:-1, 1:-1, 1:-1], 0.0)
    return distance


def _image(values: npt.NDArray[Any], spacing: tuple[float, float, float]) -> Any:
    """Return an array as an image whose axes have the spacing of the voxels."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(values)
    image.SetSpacing(tuple(reversed(spacing)))
    return image


def _mask(smooth: Any) -> BoolArray:
    """Return the brain: signal over the lower of two Otsu thresholds, cut free of the scalp."""
    import SimpleITK as sitk  # noqa: N813

    edge = sitk.OtsuMultipleThresholds(smooth, numberOfThresholds=2) > 0
    core = sitk.SignedMaurerDistanceMap(
        edge, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(core > BRIDGE_MM))
    near = sitk.SignedMaurerDistanceMap(
        parts == 1, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    brain = sitk.And(near <= BRIDGE_MM + max(smooth.GetSpacing()) / 2.0, edge)
    around = sitk.SignedMaurerDistanceMap(
        brain, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    back = sitk.SignedMaurerDistanceMap(
        around <= CLOSED_MM, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    closed = sitk.BinaryFillhole(sitk.Or(back > CLOSED_MM, brain))
    found: BoolArray = sitk.GetArrayFromImage(closed).astype(bool)
    return found


def _box(mask: BoolArray) -> Box:
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero(mask.any(axis=others))
        spans.append(slice(int(used[0]), int(used[-1]) + 1))
    return spans[0], spans[1], spans[2]


def _evened(
    values: FloatImage, inner: BoolArray, mask: BoolArray, spacing: tuple[float, float, float]
) -> tuple[FloatImage, float, float]:
    """Return values over their surroundings, with median and robust SD of tissue.

    Surroundings are a wide mean of what is tissue: neither fluid nor lesion, by two rounds.
    """
    even = values / np.float32(max(float(np.median(values[inner])), 1e-6))
    median, spread = robust(even[inner])
    for _ in range(2):
        tissue = inner & (np.abs(even - np.float32(median)) < np.float32(2.5 * spread))
        even = np.where(mask, values / _around(values, tissue, spacing), 0.0).astype(np.float32)
        median, spread = robust(even[inner])
    return even, median, spread


def _around(values: FloatImage, tissue: BoolArray, spacing: tuple[float, float, float]) -> FloatImage:
    import SimpleITK as sitk  # noqa: N813

    weight, total = (
        sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(_image(part, spacing), SHADING_MM))
        for part in (tissue.astype(np.float32), np.where(tissue, values, 0.0).astype(np.float32))
    )
    floor = np.float32(1e-3 * max(float(np.median(values[tissue])), 1e-6)) if tissue.any() else 1.0
    mean: FloatImage = np.maximum(total / np.maximum(weight, 1e-4), floor).astype(np.float32)
    return mean


def robust(values: FloatImage) -> tuple[float, float]:
    """Return the median and 1.4826 times the median absolute deviation."""
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - np.float32(middle))))
