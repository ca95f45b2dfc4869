"""Marks on oblique planes: their points in millimetres of the plane, and the values inside.

Values are interpolated, as the plane shows them: on samples one smallest voxel edge apart whose centre
lies inside the mark and in the volume. Of a slab they are those of its projection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.marks import Mark, MarkKind, Points
from viewer.imaging.marks_geometry import corners, mask_of, with_handle
from viewer.imaging.marks_measure import ALL_PADDING, NO_PIXELS, measure_mark, value_statistics
from viewer.imaging.reformat import ReformatPlane, Slab, SlabMode, Stored, VoxelGrid, vector
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume

FloatArray = npt.NDArray[np.float64]

MOST_SAMPLES: Final = 1 << 20
"""Samples of the box round a mark; a larger mark is sampled more coarsely."""

INTERPOLATED: Final = "interpolated on the plane"
"""Source of values inside a mark on a plane without a slab."""

ON_A_FLAT_PLANE: Final = "-"
"""Image of a mark whose points are those of its plane: none, and never kept."""


@dataclass(frozen=True, eq=False)
class PlaneValues:
    """How the values of a plane are read.

    Parameters
    ----------
    sample
        Returns the stored values on a rectangle of samples, of the slab where there is one.
    factor, unit
        Modality value x factor = value in `unit` (UCUM).
    source
        What the values are of (`source_of`).
    refusal
        Why the values are not in the unit that readers expect of them, or empty.
    """

    volume: Volume
    grid: VoxelGrid
    sample: Callable[[ReformatPlane], Stored]
    factor: float
    unit: str
    source: str
    refusal: str = ""


def source_of(slab: Slab) -> str:
    """Return what the values on a plane with a slab are of, in words."""
    if slab.mode is SlabMode.OFF:
        return INTERPOLATED
    return f"{slab.mode.name} over {slab.thickness:g} mm"


def flattened(mark: Mark) -> Mark:
    """Return a mark in the patient with points in mm along rows and columns of its plane."""
    assert mark.plane is not None, "a mark in the patient has a plane"
    placed = mark.plane.place(mark.array())
    points = tuple((float(x), float(y)) for x, y in placed)
    return mark.changed(points=points, plane=None, sop_instance_uid=ON_A_FLAT_PLANE)


def lifted(mark: Mark, points: Points) -> Mark:
    """Return a mark in the patient with other points, given in mm of its plane."""
    assert mark.plane is not None, "a mark in the patient has a plane"
    flat = corners(points) if mark.kind is MarkKind.RECTANGLE else np.asarray(points)
    plane = mark.plane
    places = (
        np.asarray(plane.origin)
        + flat[:, :1] * np.asarray(plane.row_cosines)
        + flat[:, 1:] * np.asarray(plane.column_cosines)
    )
    return mark.changed(points=tuple(vector(place) for place in places))


def with_handle_in_patient(mark: Mark, handle: int, to: npt.ArrayLike) -> Mark:
    """Return a mark with one of its handles at another place, LPS mm: at its foot on the plane."""
    assert mark.plane is not None, "a mark in the patient has a plane"
    ((x, y),) = mark.plane.place(np.atleast_2d(to))
    return lifted(mark, with_handle(flattened(mark), handle, (float(x), float(y))).points)


def moved_in_patient(mark: Mark, by: npt.ArrayLike) -> Mark:
    """Return a mark moved by LPS mm, within its plane."""
    assert mark.plane is not None, "a mark in the patient has a plane"
    axes = np.stack([mark.plane.row_cosines, mark.plane.column_cosines])
    within = (axes @ np.asarray(by)) @ axes
    return mark.changed(points=tuple(vector(point + within) for point in mark.array()))


def measure_in_patient(mark: Mark, series: Series, values: PlaneValues | None) -> Mark:
    """Return a mark with its sizes and, of an area, with the values of the plane inside.

    Parameters
    ----------
    values
        None measures the shape alone.
    """
    measured = measure_mark(mark, series, None, None)
    if values is None or not mark.kind.has_area:
        return measured
    inside = _inside(mark, values)
    if isinstance(inside, str):
        return measured.model_copy(update={"refusal": measured.refusal or inside})
    found = value_statistics(inside * values.factor, values.unit, values.source)
    return measured.model_copy(
        update={
            "values": measured.values + found,
            "refusal": measured.refusal or values.refusal,
        }
    )


def _inside(mark: Mark, values: PlaneValues) -> FloatArray | str:
    """Return the modality values inside a mark, or why there are none."""
    flat, plane = flattened(mark), mark.plane
    assert plane is not None, "a mark in the patient has a plane"
    outline = _outline(flat)
    low, span = outline.min(axis=0), np.ptp(outline, axis=0)
    step = max(values.grid.smallest_spacing, math.sqrt(float(span.prod()) / MOST_SAMPLES))
    columns, rows = (int(size / step) + 2 for size in span)
    # the first sample stands half a step inside, so that no edge falls on a row of samples
    first = low + step / 2
    rectangle = ReformatPlane(
        origin=vector(
            np.asarray(plane.origin)
            + first[0] * np.asarray(plane.row_cosines)
            + first[1] * np.asarray(plane.column_cosines)
        ),
        row_cosines=plane.row_cosines,
        column_cosines=plane.column_cosines,
        spacing=(step, step),
        rows=rows,
        columns=columns,
    )
    points = tuple((float(x), float(y)) for x, y in (flat.array() - first) / step)
    index = _index_of(rectangle, values.grid)
    far = np.asarray(values.grid.shape[::-1]) - 0.5
    in_volume = ((index >= -0.5) & (index <= far)).all(axis=2)
    within = mask_of(flat.changed(points=points), (rows, columns)) & in_volume
    if not within.any():
        return NO_PIXELS
    stored = values.sample(rectangle)[within]
    volume = values.volume
    if volume.padding is not None:
        stored = stored[(stored != volume.padding) & ~_beside_padding(volume, index[within])]
    if not stored.size:
        return ALL_PADDING
    found: FloatArray = stored.astype(np.float64) * volume.slope + volume.intercept
    return found


def _outline(flat: Mark) -> FloatArray:
    """Return points whose box holds a mark; of an ellipse the corners of the box round its axes."""
    points = flat.array()
    if flat.kind is not MarkKind.ELLIPSE:
        return points
    middle = points[:2].mean(axis=0)
    half = (np.abs(points[1] - points[0]) + np.abs(points[3] - points[2])) / 2
    return np.stack([middle - half, middle + half])


def _index_of(plane: ReformatPlane, grid: VoxelGrid) -> FloatArray:
    """Return where the samples of a plane lie, (row, column, 3): fractional column, row, slice."""
    columns, rows = np.meshgrid(np.arange(plane.columns), np.arange(plane.rows))
    matrix = plane.matrix()
    samples = np.stack([columns.ravel(), rows.ravel()], axis=1)
    index = grid.index_of(samples @ matrix[:3, :2].T + matrix[:3, 3])
    return index.reshape(plane.rows, plane.columns, 3)


def _beside_padding(volume: Volume, index: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which places are interpolated with a voxel of padding: their values mean nothing."""
    last = np.asarray(volume.stored.shape[::-1]) - 1
    low = np.clip(np.floor(index), 0, last).astype(np.intp)
    high = np.clip(np.ceil(index), 0, last).astype(np.intp)
    found = np.zeros(len(index), dtype=bool)
    for corner in range(8):
        column, row, slice_ = ((high if corner >> axis & 1 else low)[:, axis] for axis in range(3))
        found |= volume.stored[slice_, row, column] == volume.padding
    return found
