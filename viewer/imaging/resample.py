"""A tilted, unevenly spaced or incomplete stack as a box of voxels to look at, at its true positions.

For views in three dimensions alone: what is measured there would be measured on interpolated values,
so measuring asks `as_volume`, which refuses such a stack. The gantry tilt is undone by moving every
slice to where it was (a shear that is not stored anywhere but in the positions); nothing is cut off.
Where slices are missing nothing is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray, GeometryVerdict, ImagePlane, VerdictKind, judge
from viewer.imaging.volume import ImageStack, StackValues, Volume, as_volume, values_of, volume_at

RESAMPLED: Final = frozenset((VerdictKind.TILTED, VerdictKind.NON_UNIFORM, VerdictKind.MISSING))
"""The verdicts that resampling mends for the eye."""

LARGEST_GAP: Final = 1.51
"""Slices further apart than this, in usual distances, have something missing between them."""

SMALLEST_STEP: Final = 0.5
"""Slices of the box are at least this far apart, in median spacings: one odd pair does not make it
huge."""

MAX_VOXELS: Final = 1 << 30
"""Most voxels of a box: 2 GiB."""

NO_PIXEL: Final = 1e-6
"""Shifts below this, in pixels, are rounding errors of the positions."""

Slices = npt.NDArray[np.int16]
FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ShownVolume:
    """A volume to look at.

    Parameters
    ----------
    badge
        What was done to it, in words to show with every view of it; empty for a stack that is a box.
    """

    volume: Volume
    badge: str = ""


def as_shown_volume(stack: ImageStack) -> ShownVolume | GeometryVerdict:
    """Return the stack as a box of voxels for views in three dimensions, or why it is none."""
    known = [stack.series.plane_of(frame) for frame in stack.frames]
    verdict = judge(known)
    if verdict.kind not in RESAMPLED:
        whole = as_volume(stack)
        return whole if isinstance(whole, GeometryVerdict) else ShownVolume(whole)
    values = values_of(stack)
    if isinstance(values, GeometryVerdict):
        return values
    grid = _grid([plane for plane in known if plane is not None], values.stored.shape[1:], verdict)
    if math.prod(grid.shape) > MAX_VOXELS:
        return GeometryVerdict(
            kind=VerdictKind.NOT_A_VOLUME,
            reason=f"Resampled at its true positions it would take {math.prod(grid.shape):,} voxels.",
        )
    empty = int(values.stored.min()) if values.padding is None else values.padding
    moved = replace(values, stored=_resampled(values.stored, grid, empty, values.padding))
    return ShownVolume(_volume(stack, moved, grid), f"Resampled. {verdict.reason}")


@dataclass(frozen=True, eq=False)
class _Grid:
    """Where the slices lie, and the box that holds them all.

    Parameters
    ----------
    offsets
        Along the normal, from the first slice, mm.
    shifts
        Of each slice in its plane against the first: (rows, columns), in pixels.
    origin
        Row and column of the box's first pixel in those of the first slice; never positive.
    heights
        Offsets of the slices of the box, mm.
    usual
        Between each two slices: the distance that is usual there, mm.
    """

    plane: ImagePlane
    offsets: FloatArray
    shifts: FloatArray
    origin: tuple[int, int]
    shape: tuple[int, int, int]
    heights: FloatArray
    usual: FloatArray


def _usual(gaps: FloatArray, median: float, kind: VerdictKind) -> FloatArray:
    """Return the usual distance at each gap: the median, unless spacing changes along the stack.

    A head is often scanned in thin slices at its base and thick ones above: there a gap is judged by
    those beside it.
    """
    if kind is not VerdictKind.NON_UNIFORM:
        return np.full(gaps.shape, median)
    beside = np.concatenate(([0.0], gaps, [0.0]))
    local: FloatArray = np.maximum(np.maximum(beside[:-2], beside[2:]), median)
    return local


def _grid(planes: Sequence[ImagePlane], size: tuple[int, ...], verdict: GeometryVerdict) -> _Grid:
    """Lay a box around parallel slices of `size` rows and columns, in the plane of the first."""
    first = planes[0]
    away = np.asarray([plane.position for plane in planes]) - np.asarray(first.position)
    offsets: FloatArray = away @ first.normal
    pixels = first.patient_to_pixel(away + np.asarray(first.position))
    shifts = np.where(np.abs(pixels) < NO_PIXEL, 0.0, pixels)[:, ::-1]
    low, high = np.floor(shifts.min(axis=0)), np.ceil(shifts.max(axis=0))
    rows, columns = (int(part) for part in np.asarray(size) + high - low)
    gaps = np.diff(offsets)
    median = float(np.median(gaps))
    step = max(float(gaps.min()), SMALLEST_STEP * median)
    count = math.floor(offsets[-1] / step + NO_PIXEL) + 1
    heights: FloatArray = np.arange(count, dtype=np.float64) * step
    return _Grid(
        plane=first,
        offsets=offsets,
        shifts=shifts,
        origin=(int(low[0]), int(low[1])),
        shape=(count, rows, columns),
        heights=heights,
        usual=_usual(gaps, median, verdict.kind),
    )


def _volume(stack: ImageStack, values: StackValues, grid: _Grid) -> Volume:
    row, column = grid.origin
    corner = grid.plane.pixel_to_patient(np.asarray([[column, row]]))[0]
    step = grid.plane.normal * (grid.heights[1] - grid.heights[0] if len(grid.heights) > 1 else 1.0)
    return volume_at(stack.series, values, grid.plane, corner, step)


def _resampled(stored: Slices, grid: _Grid, empty: int, padding: int | None) -> Slices:
    """Interpolate the slices of the box linearly between their neighbours, each at its true place.

    A voxel that lies not between two pixels of the image is `empty`, as is padding: nothing is blended
    with it.
    """
    box = np.full(grid.shape, empty, dtype=np.int16)
    placed: dict[int, FloatImage] = {}

    def slice_at(index: int) -> FloatImage:
        if index not in placed:
            for old in [known for known in placed if known < index - 1]:
                del placed[old]
            image = stored[index].astype(np.float32)
            if padding is not None:
                image[stored[index] == padding] = np.nan
            placed[index] = _placed(image, grid.shifts[index], grid)
        return placed[index]

    for number, height in enumerate(grid.heights):
        above = min(int(np.searchsorted(grid.offsets, height)), len(grid.offsets) - 1)
        below = max(above - 1, 0)
        gap = grid.offsets[above] - grid.offsets[below]
        share = 1.0 if gap == 0.0 else min((height - grid.offsets[below]) / gap, 1.0)
        usual = float(grid.usual[below]) if above > below else gap
        if gap > LARGEST_GAP * usual:
            # Half a usual spacing beyond each of the two slices is theirs, the rest is nobody's.
            reach = usual / 2.0 / gap
            if reach < share < 1.0 - reach:
                continue
            share = round(share)
        blended = slice_at(below) if share < 1.0 else slice_at(above)
        if 0.0 < share < 1.0:
            blended = blended * np.float32(1.0 - share) + slice_at(above) * np.float32(share)
        box[number] = np.where(np.isnan(blended), empty, np.rint(blended)).astype(np.int16)
    box.flags.writeable = False
    return box


def _placed(image: FloatImage, shift: FloatArray, grid: _Grid) -> FloatImage:
    """Move a slice by fractions of pixels to its place in the plane of the box, NaN around it."""
    moved = np.full(grid.shape[1:], np.nan, dtype=np.float32)
    down, across = (float(part) - start for part, start in zip(shift, grid.origin, strict=True))
    row, column = int(down), int(across)
    values = _slid(_slid(image, down - row, axis=0), across - column, axis=1)
    rows, columns = image.shape
    if down > row:  # the first row would need the pixels before the image
        row, rows = row + 1, rows - 1
    if across > column:
        column, columns = column + 1, columns - 1
    moved[row : row + rows, column : column + columns] = values[-rows:, -columns:]
    return moved


def _slid(image: FloatImage, fraction: float, *, axis: int) -> FloatImage:
    """Interpolate an image that lies `fraction` of a pixel further on; its first line is no image."""
    if fraction == 0.0:
        return image
    before = np.roll(image, 1, axis=axis)
    return image * np.float32(1.0 - fraction) + before * np.float32(fraction)
