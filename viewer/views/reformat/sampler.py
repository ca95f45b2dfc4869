"""Samples planes of a volume fast: slices and NumPy along the voxels, vtkImageReslice at an angle.

VTK sees the very memory of the volume, as an image with spacing 1 at the origin; the one matrix from
samples to voxels says everything else, so no convention of VTK about directions is relied upon.
`viewer.imaging.reformat.sample` is the truth that all of it equals, within one stored unit.
"""

from __future__ import annotations

import math
import time
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import (
    ReformatPlane,
    SlabMode,
    Stored,
    Vector,
    background_of,
    grid_of,
    values_at,
)
from viewer.imaging.volume import Volume

ON_VOXEL: Final = 1e-4
"""Fractions of a voxel below this are rounding errors of positions."""

MASK_IMAGES: Final = 16
"""Masks that VTK keeps an image of; their memory is the caller's."""

USUAL_RATE: Final = 20_000.0
"""Samples a millisecond before anything was measured: two cores of an office machine."""

TELLING: Final = 20_000
"""Fewest samples whose time says how fast the machine is."""

LEARNING: Final = 0.2
"""Share of a new measurement in the rate."""

COARSEST: Final = 4
"""A plane is never coarser than this in motion: what moves must stay recognisable."""

Mask = npt.NDArray[np.bool_]
REDUCE: dict[SlabMode, Any] = {SlabMode.MIP: np.max, SlabMode.MINIP: np.min}


class VolumeSampler:
    """Samples one volume; for one thread at a time.

    Parameters
    ----------
    is_resampled
        Whether its voxels are not those of the images: masks of the images then do not fit it.
    """

    def __init__(self, volume: Volume, *, is_resampled: bool = False) -> None:
        self.volume, self.is_resampled = volume, is_resampled
        self.samples_per_ms = USUAL_RATE
        self.grid = grid_of(volume)
        self._inverse = np.linalg.inv(volume.affine)
        self._stored = np.ascontiguousarray(volume.stored)
        self._masks: dict[str, _VtkImage] = {}

    @cached_property
    def _image(self) -> _VtkImage:
        return _VtkImage(self._stored, background_of(self.volume))

    def warm(self) -> None:
        """Import VTK and lay the volume before it; takes a while the first time."""
        _ = self._image

    def sample(
        self, plane: ReformatPlane, offsets: FloatArray, mode: SlabMode = SlabMode.OFF
    ) -> Stored:
        """Return the stored values on a plane or of a slab across it, (rows, columns).

        Parameters
        ----------
        offsets
            Of the layers along the normal, mm, evenly spaced (`slab_offsets`).
        """
        step = float(offsets[1] - offsets[0]) if len(offsets) > 1 else 1.0
        matrix = self._inverse @ plane.shifted(float(offsets[0])).matrix(step)
        along = _Aligned.of(matrix, plane, self.volume.stored.shape)
        if along is not None:
            found = along.sample(self._stored, len(offsets), mode, background_of(self.volume))
            if found is not None:
                return found
        # VTK centres a slab on its plane
        matrix[:3, 3] += matrix[:3, 2] * (len(offsets) - 1) / 2
        start = time.perf_counter()
        found = self._image.reslice(matrix, plane.rows, plane.columns, len(offsets), mode)
        self._note_rate(found.size * len(offsets), time.perf_counter() - start)
        return found

    def factor(self, plane: ReformatPlane, layers: int, milliseconds: float) -> int:
        """Return by how much a plane has to be coarser to be sampled in a time, from 1 to 4.

        What runs along the voxels is quick enough as it is.
        """
        aligned = self.grid.axis_along(plane.row_cosines), self.grid.axis_along(plane.column_cosines)
        if None not in aligned:
            return 1
        needed = plane.rows * plane.columns * layers / self.samples_per_ms
        return min(max(1, math.ceil(math.sqrt(needed / milliseconds))), COARSEST)

    def rows_in(self, plane: ReformatPlane, layers: int, milliseconds: float) -> int:
        """Return how many rows of a plane are sampled in a time; at least one."""
        return max(1, int(milliseconds * self.samples_per_ms / (plane.columns * layers)))

    def _note_rate(self, samples: int, seconds: float) -> None:
        """Learn how fast this machine is, from what took long enough to tell."""
        if samples >= TELLING:
            rate = samples / max(seconds * 1000.0, 1e-3)
            self.samples_per_ms += LEARNING * (rate - self.samples_per_ms)

    def mask(self, name: str, mask: Mask, plane: ReformatPlane) -> Mask:
        """Return a mask of the volume's voxels on a plane, each sample as its nearest voxel.

        Parameters
        ----------
        name
            Under which the mask is kept for the next plane.
        """
        image = self._masks.get(name)
        if image is None:
            if len(self._masks) >= MASK_IMAGES:
                self._masks.pop(next(iter(self._masks)))
            image = _VtkImage(np.ascontiguousarray(mask).view(np.uint8), 0, nearest=True)
            self._masks[name] = image
        matrix = self._inverse @ plane.matrix()
        return image.reslice(matrix, plane.rows, plane.columns, 1, SlabMode.OFF).view(np.bool_)

    def value(self, point: Vector) -> float | None:
        """Return the modality value at a place, interpolated; none outside the volume or in padding."""
        stored = float(values_at(self.volume, np.asarray([point]))[0])
        return None if np.isnan(stored) else self._modality(stored)

    def projected_value(
        self, plane: ReformatPlane, offsets: FloatArray, mode: SlabMode
    ) -> float | None:
        """Return the modality value that a slab shows at the first sample of a plane, or none."""
        stored = int(self.sample(plane, offsets, mode)[0, 0])
        return None if stored == background_of(self.volume) else self._modality(stored)

    def _modality(self, stored: float) -> float | None:
        if round(stored) == self.volume.padding:
            return None
        return stored * self.volume.slope + self.volume.intercept


class _Aligned:
    """A plane whose samples are voxels, but for a fraction along its normal."""

    def __init__(self, matrix: FloatArray, axes: tuple[int, int, int], plane: ReformatPlane) -> None:
        across, down, self.deep = axes
        start = matrix[:3, 3]
        self.depth = float(start[self.deep])
        self.deeper = float(matrix[self.deep, 2])
        self.slices = [slice(None)] * 3
        for axis, column, count in ((across, 0, plane.columns), (down, 1, plane.rows)):
            first, sign = round(float(start[axis])), 1 if matrix[axis, column] > 0 else -1
            stop = first + sign * count
            self.slices[axis] = slice(first, stop if stop >= 0 else None, sign)
        self.transposed = down < across  # voxels are stored slice, row, column

    @classmethod
    def of(cls, matrix: FloatArray, plane: ReformatPlane, shape: tuple[int, ...]) -> _Aligned | None:
        """Return the plane as slices of the voxels, or none when it lies at an angle or reaches out."""
        steps = np.abs(matrix[:3, :2])
        across, down = (int(axis) for axis in steps.argmax(axis=0))
        unit = np.zeros((3, 2))
        unit[across, 0] = unit[down, 1] = 1.0
        if across == down or np.abs(steps - unit).max() * max(plane.rows, plane.columns) > ON_VOXEL:
            return None
        ends = matrix @ np.array([[0, 0, 0, 1], [plane.columns - 1, plane.rows - 1, 0, 1]]).T
        for axis in (across, down):
            if np.abs(ends[axis] - np.rint(ends[axis])).max() > ON_VOXEL:
                return None
            if not 0 <= np.rint(ends[axis]).min() <= np.rint(ends[axis]).max() < shape[2 - axis]:
                return None
        return cls(matrix, (across, down, 3 - across - down), plane)

    def sample(self, stored: Stored, layers: int, mode: SlabMode, background: int) -> Stored | None:
        """Return the samples; none where layers of a slab lie between voxels."""
        count = stored.shape[2 - self.deep]
        if layers == 1:
            return self._single(stored, count, background)
        last = self.depth + self.deeper * (layers - 1)
        low, high = sorted((self.depth, last))
        whole = abs(abs(self.deeper) - 1.0) * layers < ON_VOXEL and abs(low - round(low)) < ON_VOXEL
        if not whole or round(low) < 0 or round(high) >= count:
            return None
        box = self._cut(stored, slice(round(low), round(high) + 1))
        axis = 2 - self.deep
        if axis == 2:  # values beside each other in memory are reduced slowly
            box, axis = np.ascontiguousarray(np.moveaxis(box, 2, 0)), 0
        if mode is SlabMode.MEAN:
            total = box.sum(axis=axis, dtype=np.int32)
            return self._turned(np.rint(total / np.float32(layers)).astype(np.int16))
        return self._turned(REDUCE[mode](box, axis=axis))

    def _single(self, stored: Stored, count: int, background: int) -> Stored:
        if not -0.5 <= self.depth <= count - 0.5:
            shape = self._turned(self._slice(stored, 0)).shape
            return np.full(shape, background, dtype=np.int16)
        depth = min(max(self.depth, 0.0), count - 1.0)
        below = int(depth)
        share = depth - below
        if share < ON_VOXEL or below == count - 1:
            return self._turned(self._slice(stored, below))
        if share > 1.0 - ON_VOXEL:
            return self._turned(self._slice(stored, below + 1))
        blended = self._slice(stored, below) * np.float32(1.0 - share)
        blended += self._slice(stored, below + 1) * np.float32(share)
        return self._turned(np.rint(blended).astype(np.int16))

    def _cut(self, stored: Stored, deep: slice) -> Stored:
        slices = list(self.slices)
        slices[self.deep] = deep
        return stored[slices[2], slices[1], slices[0]]

    def _slice(self, stored: Stored, index: int) -> Stored:
        return self._cut(stored, slice(index, index + 1)).squeeze(axis=2 - self.deep)

    def _turned(self, image: Stored) -> Stored:
        return np.ascontiguousarray(image if not self.transposed else image.T)


class _VtkImage:
    """Voxels that VTK reslices in their own memory."""

    def __init__(self, voxels: npt.NDArray[Any], background: int, *, nearest: bool = False) -> None:
        from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
        from vtkmodules.vtkCommonDataModel import vtkImageData
        from vtkmodules.vtkCommonMath import vtkMatrix4x4
        from vtkmodules.vtkImagingCore import vtkImageReslice

        self._voxels = voxels  # VTK holds no reference to the memory it reads
        self._to_numpy = vtk_to_numpy
        image = vtkImageData()
        slices, rows, columns = voxels.shape
        image.SetDimensions(columns, rows, slices)
        image.GetPointData().SetScalars(numpy_to_vtk(voxels.reshape(-1), deep=False))
        self._axes = vtkMatrix4x4()
        self._reslice = vtkImageReslice()
        self._reslice.SetInputData(image)
        self._reslice.SetOutputDimensionality(2)
        self._reslice.SetOutputSpacing(1.0, 1.0, 1.0)
        self._reslice.SetOutputOrigin(0.0, 0.0, 0.0)
        self._reslice.SetResliceAxes(self._axes)
        self._reslice.SetBackgroundLevel(background)
        if nearest:
            self._reslice.SetInterpolationModeToNearestNeighbor()
        else:
            self._reslice.SetInterpolationModeToLinear()

    def reslice(
        self, matrix: FloatArray, rows: int, columns: int, layers: int, mode: SlabMode
    ) -> npt.NDArray[Any]:
        """Return (rows, columns) samples; `matrix` maps (column, row, layer, 1) to voxels."""
        reslice = self._reslice
        self._axes.DeepCopy(matrix.reshape(-1).tolist())
        reslice.SetOutputExtent(0, columns - 1, 0, rows - 1, 0, 0)
        reslice.SetSlabNumberOfSlices(layers)
        if mode is SlabMode.MIP:
            reslice.SetSlabModeToMax()
        elif mode is SlabMode.MINIP:
            reslice.SetSlabModeToMin()
        else:
            reslice.SetSlabModeToMean()
        reslice.Update()
        scalars = reslice.GetOutput().GetPointData().GetScalars()
        return self._to_numpy(scalars).reshape(rows, columns).copy()
