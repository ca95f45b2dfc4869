"""Planes laid through a volume at any angle: their geometry, slabs, and the sampling that is the truth.

All of it in LPS millimetres. A plane here is a grid of samples: the view on the screen samples it fast
(`viewer.views.reformat.sampler`), `sample` here does the same slowly with SciPy and is what tests
compare with. A sample lies in the volume up to half a voxel beyond the centre of its last voxel, where
the value of that voxel counts on, as PS3.3 C.7.6.2 gives every voxel its extent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray, ImagePlane
from viewer.imaging.grey import GreyPipeline, padding_range
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import Volume

Vector = tuple[float, float, float]
Stored = npt.NDArray[np.int16]

OUTSIDE: Final = -32768
"""Stored value of samples outside a volume without a padding value of its own; drawn black."""

ALONG_AXIS: Final = 1e-6
"""A direction is along an axis of the voxels when the rest of it is below this share."""

PARALLEL: Final = 1e-6
"""Sine of the angle between two planes below which they have no line in common."""

THICKNESSES: Final = (0.0, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200)
"""Steps of the slab's thickness, mm."""

MAX_SLAB_SAMPLES: Final = 512
"""Most layers of a slab at an angle: one through a whole body stays a second's work."""


class SlabMode(StrEnum):
    """How the layers of a slab become one image."""

    OFF = "off"
    MIP = "MIP"
    MINIP = "MinIP"
    MEAN = "mean"

    def next(self) -> SlabMode:
        """Return the mode that follows, round and round."""
        modes = list(SlabMode)
        return modes[(modes.index(self) + 1) % len(modes)]


@dataclass(frozen=True, slots=True)
class Slab:
    """A projection across a plane.

    Parameters
    ----------
    thickness
        In mm, half of it on each side of the plane.
    """

    mode: SlabMode = SlabMode.OFF
    thickness: float = 10.0

    @property
    def shown(self) -> float:
        """Thickness in effect: 0 when the mode is off."""
        return 0.0 if self.mode is SlabMode.OFF else self.thickness

    def stepped(self, direction: int) -> Slab:
        """Return the slab one step thicker (1) or thinner (-1); from off it begins with a MIP."""
        if self.mode is SlabMode.OFF:
            return self if direction < 0 else Slab(SlabMode.MIP, THICKNESSES[1])
        if direction > 0:
            thicker = [step for step in THICKNESSES if step > self.thickness + 1e-9]
            return replace(self, thickness=float(thicker[0] if thicker else THICKNESSES[-1]))
        thinner = [step for step in THICKNESSES if 0 < step < self.thickness - 1e-9]
        return replace(self, thickness=float(thinner[-1])) if thinner else Slab()


@dataclass(frozen=True, slots=True)
class ReformatPlane:
    """A rectangle of samples anywhere in the patient.

    Parameters
    ----------
    origin
        LPS mm of the centre of the first sample.
    row_cosines, column_cosines
        Unit directions along a row (growing column) and along a column (growing row), LPS.
    spacing
        Between rows and between columns, mm.
    """

    origin: Vector
    row_cosines: Vector
    column_cosines: Vector
    spacing: tuple[float, float]
    rows: int
    columns: int

    @property
    def normal(self) -> FloatArray:
        """Unit normal: row_cosines x column_cosines."""
        return cross(self.row_cosines, self.column_cosines)

    def image_plane(self) -> ImagePlane:
        """Return the plane as that of an image, for letters and cuts."""
        return ImagePlane(
            position=self.origin,
            row_cosines=self.row_cosines,
            column_cosines=self.column_cosines,
            row_spacing=self.spacing[0],
            column_spacing=self.spacing[1],
        )

    def matrix(self, step: float = 1.0) -> FloatArray:
        """Return the 4 x 4 from (column, row, layer, 1) to LPS mm, with `step` mm between layers."""
        matrix = np.eye(4)
        matrix[:3, 0] = np.asarray(self.row_cosines) * self.spacing[1]
        matrix[:3, 1] = np.asarray(self.column_cosines) * self.spacing[0]
        matrix[:3, 2] = self.normal * step
        matrix[:3, 3] = self.origin
        return matrix

    def shifted(self, along_normal: float) -> ReformatPlane:
        """Return the plane moved along its normal, mm."""
        return replace(self, origin=vector(np.asarray(self.origin) + along_normal * self.normal))

    def coarser(self, factor: int) -> ReformatPlane:
        """Return the plane with every `factor`-th sample in each direction, over the same rectangle."""
        if factor <= 1:
            return self
        down, across = self.spacing
        shift = (factor - 1) / 2
        corner = (
            np.asarray(self.origin)
            + shift * across * np.asarray(self.row_cosines)
            + shift * down * np.asarray(self.column_cosines)
        )
        return replace(
            self,
            origin=vector(corner),
            spacing=(down * factor, across * factor),
            rows=max(1, math.ceil(self.rows / factor)),
            columns=max(1, math.ceil(self.columns / factor)),
        )

    def strip(self, first: int, last: int) -> ReformatPlane:
        """Return some of its rows, `first` up to but not including `last`."""
        down = first * self.spacing[0] * np.asarray(self.column_cosines)
        return replace(self, origin=vector(np.asarray(self.origin) + down), rows=last - first)


def vector(values: npt.ArrayLike) -> Vector:
    """Return three numbers as a tuple of floats."""
    x, y, z = np.asarray(values, dtype=np.float64).tolist()
    return float(x), float(y), float(z)


def cross(first: Sequence[float], second: Sequence[float]) -> FloatArray:
    """Return the cross product of two vectors; `numpy.cross` takes twenty times as long for one."""
    (a, b, c), (x, y, z) = first, second
    return np.array((b * z - c * y, c * x - a * z, a * y - b * x))


def unit(values: npt.ArrayLike) -> FloatArray:
    """Return a vector of length one in the same direction."""
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(array / np.linalg.norm(array))


def rotation(axis: npt.ArrayLike, degrees: float) -> FloatArray:
    """Return the 3 x 3 right-handed rotation about an axis (Rodrigues)."""
    x, y, z = unit(axis)
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = math.radians(degrees)
    turned: FloatArray = np.eye(3) + math.sin(angle) * skew + (1 - math.cos(angle)) * skew @ skew
    return turned


def meeting_line(
    point: npt.ArrayLike, normal: npt.ArrayLike, other_point: npt.ArrayLike, other: npt.ArrayLike
) -> tuple[FloatArray, FloatArray] | None:
    """Return a point and the unit direction of the line in which two planes meet; none when parallel.

    Parameters
    ----------
    point, normal
        A point of the first plane and its unit normal; of the points of the line the one nearest to
        `point` is returned.
    """
    first, second = np.asarray(normal, dtype=np.float64), np.asarray(other, dtype=np.float64)
    along = cross(first.tolist(), second.tolist())
    if float(np.linalg.norm(along)) < PARALLEL:
        return None
    start = np.asarray(point, dtype=np.float64)
    ahead = second - (second @ first) * first
    distance = (np.asarray(other_point) - start) @ second
    return start + ahead * distance / float(ahead @ second), unit(along)


# --- the voxels under a plane ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """The box of voxels of a volume, as planes see it.

    Parameters
    ----------
    affine
        (column, row, slice, 1) -> LPS mm.
    shape
        Slices, rows, columns.
    """

    affine: FloatArray
    shape: tuple[int, int, int]

    @property
    def centre(self) -> FloatArray:
        """Middle of the box, LPS mm."""
        middle = (np.asarray(self.shape[::-1], dtype=np.float64) - 1) / 2
        return np.asarray(self.affine[:3, :3] @ middle + self.affine[:3, 3])

    @property
    def directions(self) -> FloatArray:
        """Unit directions of columns, rows and slices as the columns of a 3 x 3, LPS."""
        directions: FloatArray = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return directions

    @property
    def smallest_spacing(self) -> float:
        """Shortest edge of a voxel, mm."""
        return float(np.linalg.norm(self.affine[:3, :3], axis=0).min())

    def corners(self) -> FloatArray:
        """Return the eight outer corners of the box, (8, 3) LPS mm."""
        far = np.asarray(self.shape[::-1]) - 0.5
        ends = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        return np.asarray(np.where(ends, far, -0.5) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def index_of(self, points: npt.ArrayLike) -> FloatArray:
        """Map (n, 3) LPS mm to (n, 3) fractional column, row, slice."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.atleast_2d(points) @ inverse[:3, :3].T + inverse[:3, 3])

    def contains(self, point: npt.ArrayLike) -> bool:
        """Return whether a place lies in the box, its outer half voxels included."""
        index = self.index_of(point)[0]
        return bool(np.all((index >= -0.5) & (index <= np.asarray(self.shape[::-1]) - 0.5)))

    def kept_inside(self, point: npt.ArrayLike) -> Vector:
        """Return the place in the box that is nearest to a point, counted in voxels."""
        far = np.asarray(self.shape[::-1], dtype=np.float64) - 1
        index = np.clip(self.index_of(point)[0], 0.0, far)
        return vector(self.affine[:3, :3] @ index + self.affine[:3, 3])

    def extent(self, direction: npt.ArrayLike) -> tuple[float, float]:
        """Return the first and last position of the box along a unit direction, mm from LPS zero."""
        along = self.corners() @ np.asarray(direction)
        return float(along.min()), float(along.max())

    def step_along(self, direction: npt.ArrayLike) -> float:
        """Return the distance in mm that crosses one voxel along a unit direction.

        Along an axis of the voxels this is their spacing, between axes a mean of theirs; so never less
        than the shortest edge.
        """
        index = np.linalg.inv(self.affine[:3, :3]) @ np.asarray(direction, dtype=np.float64)
        return 1.0 / float(np.linalg.norm(index))

    def axis_along(self, direction: npt.ArrayLike) -> int | None:
        """Return the axis of the voxels (0 column, 1 row, 2 slice) a direction runs along, or none."""
        shares = np.abs(self.directions.T @ np.asarray(direction))
        axis = int(shares.argmax())
        return axis if shares[axis] >= 1.0 - ALONG_AXIS else None


def grid_of(volume: Volume) -> VoxelGrid:
    """Return the box of voxels of a volume."""
    slices, rows, columns = volume.stored.shape
    return VoxelGrid(volume.affine, (slices, rows, columns))


def slab_offsets(
    grid: VoxelGrid, point: npt.ArrayLike, normal: npt.ArrayLike, slab: Slab
) -> FloatArray:
    """Return where the layers of a slab lie along the normal, mm from the plane through `point`.

    Along an axis of the voxels the layers are the slices whose centres lie in the slab (at least the
    nearest one); at an angle they stand one voxel apart, evenly about the plane, and further apart
    where the slab would need too many: it is always as thick as it says.
    """
    if slab.mode is SlabMode.OFF:
        return np.zeros(1)
    step, half = grid.step_along(normal), slab.thickness / 2
    axis = grid.axis_along(normal)
    if axis is None:
        count = max(1, round(slab.thickness / step))
        if count > MAX_SLAB_SAMPLES:
            count, step = MAX_SLAB_SAMPLES, slab.thickness / MAX_SLAB_SAMPLES
        return np.asarray((np.arange(count) - (count - 1) / 2) * step)
    here = float(grid.index_of(point)[0, axis])
    first = max(math.ceil(here - half / step - ALONG_AXIS), 0)
    last = min(math.floor(here + half / step + ALONG_AXIS), grid.shape[2 - axis] - 1)
    if last < first:
        first = last = round(here)
    sign = 1.0 if float(grid.directions[:, axis] @ np.asarray(normal)) > 0 else -1.0
    return np.asarray(sign * (np.arange(first, last + 1) - here) * step)


def background_of(volume: Volume) -> int:
    """Return the stored value of samples outside the volume: its padding, else `OUTSIDE`."""
    return OUTSIDE if volume.padding is None else volume.padding


def volume_pipeline(volume: Volume, window: WindowPreset, *, inverted: bool = False) -> GreyPipeline:
    """Return the pipeline from the volume's values to grey, the same as that of its images.

    Parameters
    ----------
    inverted
        The reader's invert, on top of that of the images (MONOCHROME1).
    """
    first = volume.series.instances[0]
    padding = (background_of(volume), background_of(volume))
    given = padding_range(first)
    if given is not None and volume.padding is not None and first.pixel_padding_value is not None:
        moved = volume.padding - first.pixel_padding_value
        padding = (given[0] + moved, given[1] + moved)
    return GreyPipeline(
        slope=volume.slope,
        intercept=volume.intercept,
        window=window,
        inverted=first.is_inverse != inverted,
        padding=padding,
        dtype="int16",
    )


# --- the truth -------------------------------------------------------------------------------------


def values_at(volume: Volume, points: FloatArray, *, nearest: bool = False) -> FloatArray:
    """Return the stored values at (n, 3) LPS mm, trilinear; NaN outside the volume."""
    from scipy.ndimage import map_coordinates

    index = grid_of(volume).index_of(points)
    far = np.asarray(volume.stored.shape[::-1]) - 0.5
    found = map_coordinates(
        volume.stored,
        index.T[::-1],
        output=np.float64,
        order=0 if nearest else 1,
        mode="nearest",
        prefilter=False,
    )
    found[~np.all((index >= -0.5) & (index <= far), axis=1)] = np.nan
    return np.asarray(found)


def projected(layers: FloatArray, mode: SlabMode, background: int) -> Stored:
    """Make one image of layers along the first axis; NaN takes no part, and alone is background."""
    there = ~np.isnan(layers)
    if mode is SlabMode.MIP:
        image = np.where(there, layers, -np.inf).max(axis=0)
    elif mode is SlabMode.MINIP:
        image = np.where(there, layers, np.inf).min(axis=0)
    else:
        image = np.where(there, layers, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    rounded = np.rint(np.where(there.any(axis=0), image, background))
    return np.asarray(rounded.astype(np.int16))


def sample(
    volume: Volume, plane: ReformatPlane, offsets: FloatArray, mode: SlabMode = SlabMode.OFF
) -> Stored:
    """Sample a plane, or the layers of a slab across it; slow, and what every fast way must equal.

    Parameters
    ----------
    offsets
        Of the layers along the normal, mm (`slab_offsets`); one zero is the plane alone.

    Returns
    -------
    numpy.ndarray
        (rows, columns) int16 stored values.
    """
    columns, rows = np.meshgrid(np.arange(plane.columns), np.arange(plane.rows))
    matrix = plane.matrix()
    on_plane = np.stack([columns.ravel(), rows.ravel()], axis=1) @ matrix[:3, :2].T + matrix[:3, 3]
    layers = [
        values_at(volume, on_plane + offset * plane.normal).reshape(plane.rows, plane.columns)
        for offset in offsets
    ]
    return projected(np.stack(layers), mode, background_of(volume))
