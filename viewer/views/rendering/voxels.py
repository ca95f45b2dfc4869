"""The voxels that are rendered: those of a volume, or fewer where it is too large. No Qt, no VTK."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Series

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BYTES_PER_VOXEL = 7
"""What rendering takes for a voxel: a copy of the value without what was cut away (2), the direction
(2) and size (1) of its gradient, and the same for the smaller copy."""

MEMORY_LIMIT = 768 << 20
"""Most bytes that one 3D view takes for its voxels."""

COARSE_FROM = 6_000_000
"""Voxels from which a copy at half resolution is shown first: its gradients are soon there."""

LARGEST_SAMPLE = 2_000_000
"""Voxels that the range of the values is estimated from."""

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.8


@dataclass(frozen=True, eq=False)
class Voxels:
    """Values on a box.

    Parameters
    ----------
    values
        (slice, row, column) int16, as stored. Modality value = value * slope + intercept.
    spacing
        Voxel size along column, row and slice index, mm: the order of VTK.
    pose
        4 x 4 rigid: millimetres along the axes of the box to LPS mm; the centre of the first voxel is
        the origin.
    steps
        How many voxels of the volume one of these stands for, along slice, row and column.
    badge
        What was done to the volume before (`ShownVolume.badge`).
    value_range
        Modality values between which nearly all of the volume lies.
    mirrored
        Whether its slices are those of the volume taken from the other end.
    """

    series: Series
    values: npt.NDArray[np.int16]
    spacing: tuple[float, float, float]
    pose: FloatArray
    slope: float
    intercept: float
    steps: tuple[int, int, int] = (1, 1, 1)
    badge: str = ""
    value_range: tuple[float, float] = (0.0, 1.0)
    mirrored: bool = False

    @property
    def extent(self) -> FloatArray:
        """Millimetres from the first to the last voxel along the axes of the box."""
        count = np.asarray(self.values.shape[::-1], dtype=np.float64)
        size: FloatArray = np.maximum(count - 1.0, 1.0) * np.asarray(self.spacing)
        return size

    def corners(self) -> FloatArray:
        """Return the eight corners, (8, 3) LPS mm."""
        unit = np.array([(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=np.float64)
        return self.to_patient(unit * self.extent)

    def to_patient(self, millimetres: FloatArray) -> FloatArray:
        """Return LPS mm of points along the axes of the box."""
        moved: FloatArray = millimetres @ self.pose[:3, :3].T + self.pose[:3, 3]
        return moved

    def stored(self, modality_value: float) -> float:
        """Return a modality value as it is stored."""
        return (modality_value - self.intercept) / self.slope

    @cached_property
    def emptiest(self) -> int:
        """The lowest stored value: what is put where something was cut away."""
        return int(self._sample().min()) if self.slope > 0 else int(self._sample().max())

    def find_range(self) -> tuple[float, float]:
        """Return modality values between which nearly all of the volume lies."""
        low, high = np.percentile(self._sample(), (LOW_PERCENT, HIGH_PERCENT))
        found = sorted(float(end) * self.slope + self.intercept for end in (low, high))
        return found[0], found[1]

    def _sample(self) -> npt.NDArray[np.int16]:
        step = max(1, math.ceil((self.values.size / LARGEST_SAMPLE) ** (1 / 3)))
        return self.values[::step, ::step, ::step]

    def reduced(self) -> Voxels:
        """Return half the resolution: pairs averaged along each axis that is as fine as the finest."""
        finest = min(self.spacing)
        factors = tuple(
            2 if space < 1.5 * finest and count > 1 else 1
            for space, count in zip(self.spacing[::-1], self.values.shape, strict=True)
        )
        values = block_mean(self.values, factors)
        offset = np.asarray([(factor - 1) / 2 for factor in factors[::-1]]) * self.spacing
        pose = self.pose.copy()
        pose[:3, 3] = self.to_patient(offset[None])[0]
        column, row, slice_ = (
            space * factor for space, factor in zip(self.spacing, factors[::-1], strict=True)
        )
        first, second, third = (a * b for a, b in zip(self.steps, factors, strict=True))
        return replace(
            self,
            values=values,
            spacing=(column, row, slice_),
            pose=pose,
            steps=(first, second, third),
        )


@dataclass(frozen=True, eq=False)
class Removed:
    """A mask of voxels that are not drawn, one bit each: packing takes a while for many voxels."""

    packed: npt.NDArray[np.uint8]
    shape: tuple[int, ...]

    @staticmethod
    def of(mask: Mask) -> Removed:
        """Return a mask packed."""
        return Removed(np.packbits(mask), mask.shape)

    def mask(self) -> Mask:
        """Return the mask."""
        bits = np.unpackbits(self.packed, count=math.prod(self.shape))
        return bits.view(np.bool_).reshape(self.shape)


def block_mean(values: npt.NDArray[np.int16], factors: tuple[int, ...]) -> npt.NDArray[np.int16]:
    """Return the means of blocks of one or two voxels along each axis; an odd last one is left out."""
    for axis, factor in enumerate(factors):
        if factor == 1:
            continue
        whole = values.shape[axis] // 2 * 2
        first = values[(slice(None),) * axis + (slice(0, whole, 2),)]
        second = values[(slice(None),) * axis + (slice(1, whole, 2),)]
        # the mean without a wider type: halves first, then what both lost
        values = (first >> 1) + (second >> 1) + (first & second & 1)
    return np.ascontiguousarray(values)


def voxels_of(shown: ShownVolume, *, limit: int = MEMORY_LIMIT) -> Voxels:
    """Return what is rendered of a volume, at most `limit` bytes of memory with all that VTK adds."""
    volume = shown.volume
    affine, stored = volume.affine, volume.stored
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    pose = np.eye(4)
    pose[:3, :3] = affine[:3, :3] / spacing
    pose[:3, 3] = affine[:3, 3]
    mirrored = bool(np.linalg.det(pose[:3, :3]) < 0)
    if mirrored:
        # a mirrored box cannot be posed by turning it: its slices are taken from the other end
        stored = stored[::-1]
        pose[:3, 3] += affine[:3, 2] * (stored.shape[0] - 1)
        pose[:3, 2] *= -1
    whole = Voxels(
        series=volume.series,
        values=np.ascontiguousarray(_without_padding(stored, volume.padding)),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        pose=pose,
        slope=volume.slope,
        intercept=volume.intercept,
        badge=shown.badge,
        mirrored=mirrored,
    )
    while whole.values.size * BYTES_PER_VOXEL > limit:
        whole = whole.reduced()
    return replace(whole, value_range=whole.find_range())


def _without_padding(stored: npt.NDArray[np.int16], padding: int | None) -> npt.NDArray[np.int16]:
    """Put the lowest value where the image has none, when it is not the lowest already."""
    if padding is None:
        return stored
    outside = stored == padding
    if not outside.any() or outside.all():
        return stored
    lowest = stored[~outside].min()
    return stored if padding <= lowest else np.where(outside, lowest, stored)


def on_grid(mask: npt.NDArray[np.generic], voxels: Voxels) -> Mask:
    """Return a mask in the grid of the volume in that of the rendered voxels."""
    z, y, x = voxels.steps
    whole = mask[::-1] if voxels.mirrored else mask
    taken = np.asarray(whole[::z, ::y, ::x], dtype=bool)
    count = voxels.values.shape
    return taken[: count[0], : count[1], : count[2]]


def shrunk(mask: Mask, grid: Voxels, voxels: Voxels) -> Mask:
    """Return a mask of `voxels` in the grid of a copy at lower resolution."""
    z, y, x = (a // b for a, b in zip(grid.steps, voxels.steps, strict=True))
    count = grid.values.shape
    return mask[::z, ::y, ::x][: count[0], : count[1], : count[2]]


def shrunk_all(mask: Mask, grid: Voxels, voxels: Voxels) -> Mask:
    """Return where all voxels that one of a copy stands for are in a mask."""
    steps = [a // b for a, b in zip(grid.steps, voxels.steps, strict=True)]
    for axis, (factor, count) in enumerate(zip(steps, grid.values.shape, strict=True)):
        if factor > 1:
            along = np.moveaxis(mask, axis, 0)[: count * factor]
            parts = along.reshape(count, factor, *along.shape[1:])
            mask = np.moveaxis(np.logical_and.reduce(parts, axis=1), 0, axis)
    return mask


def enlarged(mask: Mask, grid: Voxels, voxels: Voxels) -> Mask:
    """Return a mask of a smaller grid in that of voxels; an odd last voxel repeats the one before."""
    for axis, (small, large) in enumerate(zip(grid.steps, voxels.steps, strict=True)):
        factor = small // large
        if factor > 1:
            mask = np.repeat(mask, factor, axis=axis)
        lacking = voxels.values.shape[axis] - mask.shape[axis]
        if lacking > 0:
            edge = [(0, lacking if each == axis else 0) for each in range(3)]
            mask = np.pad(mask, edge, mode="edge")
    return mask
