"""Cutting away what lies under an outline drawn on the view, through the whole depth. No Qt, no VTK."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from viewer.views.rendering.camera import Camera, Point, Size
from viewer.views.rendering.scene import Crop
from viewer.views.rendering.voxels import FloatArray, Mask, Voxels

LEAST_POINTS = 3
"""Points of an outline that encloses something."""


def inside_outline(outline: Sequence[Point], width: int, height: int) -> Mask:
    """Return the pixels whose centre lies inside a closed outline (even-odd rule), (height, width)."""
    inside = np.zeros((height, width + 1), dtype=bool)
    points = np.asarray(outline, dtype=np.float64)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        first, last = sorted((y0, y1))
        rows = np.arange(max(0, int(np.ceil(first - 0.5))), min(height, int(np.ceil(last - 0.5))))
        crossing = x0 + (rows + 0.5 - y0) / (y1 - y0) * (x1 - x0)
        columns = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.intp)
        inside[rows, columns] ^= True
    return np.logical_xor.accumulate(inside, axis=1)[:, :width]


def to_view(voxels: Voxels, camera: Camera, size: Size) -> tuple[FloatArray, FloatArray]:
    """Return the affine map from (column, row, slice) index to widget x, y and depth in mm."""
    corners = voxels.to_patient(np.vstack((np.zeros(3), np.diag(voxels.spacing))))
    seen = camera.project(corners, size)
    return (seen[1:] - seen[0]).T, seen[0]


def cut(
    voxels: Voxels,
    camera: Camera,
    outline: Sequence[Point],
    size: Size,
    *,
    inside: bool,
    crop: Crop,
    clip: float | None,
) -> Mask:
    """Return the voxels that are seen and lie inside (or outside) an outline of widget points.

    Parameters
    ----------
    crop, clip
        As in `Scene`: what they hide is left as it is.
    """
    width, height = max(1, round(size[0])), max(1, round(size[1]))
    hit = inside_outline(outline, width, height)
    if not inside:
        hit = ~hit
    # one pixel of rim stands for everything beyond the edges of the view
    hit = np.pad(hit, 1, constant_values=not inside)
    axes, first = to_view(voxels, camera, size)
    shape = voxels.values.shape
    removed = np.zeros(shape, dtype=bool)
    spans = [
        _span(low, high, count)
        for low, high, count in zip(crop.low, crop.high, shape[::-1], strict=True)
    ]
    columns = np.arange(*spans[0], dtype=np.float32)[None, :]
    rows = np.arange(*spans[1], dtype=np.float32)[:, None]
    middle = camera.project(voxels.corners().mean(axis=0), size)[0, 2]
    for number in range(*spans[2]):
        x, y, depth = (
            np.float32(axes[k, 0]) * columns
            + np.float32(axes[k, 1]) * rows
            + np.float32(axes[k, 2] * number + first[k])
            for k in range(3)
        )
        taken = hit[_index(y, height), _index(x, width)]
        if clip is not None:
            taken &= depth >= middle + clip
        removed[number, spans[1][0] : spans[1][1], spans[0][0] : spans[0][1]] = taken
    return removed


def _span(low: float, high: float, count: int) -> tuple[int, int]:
    return round(low * (count - 1)), round(high * (count - 1)) + 1


def _index(place: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """Return the index in an array with a rim of one pixel."""
    return np.clip(np.floor(place) + 1, 0, count + 1).astype(np.intp)
