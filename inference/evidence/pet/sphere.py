"""SUVpeak: the largest mean over a sphere of 1 mL (PERCIST 1.0, doi 10.2967/jnumed.108.057307)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Triple = tuple[float, float, float]

PEAK_RADIUS_MM = (3000.0 / (4.0 * math.pi)) ** (1.0 / 3.0)
"""6.2 mm: a sphere of 1 mL."""

PARTS = 5
"""Points along each side of a voxel by which its share of the sphere is counted."""


def sphere_weights(spacing: Triple, radius: float = PEAK_RADIUS_MM) -> FloatArray:
    """Return the share of each voxel about a voxel that lies in a sphere; the sum is 1.

    Parameters
    ----------
    spacing
        Voxel size along each axis of the array, mm.
    """
    inside = (np.arange(PARTS) + 0.5) / PARTS - 0.5
    squares = []
    for step in spacing:
        reach = math.ceil(radius / step + 0.5)
        places = (np.arange(-reach, reach + 1)[:, None] + inside).ravel() * step
        squares.append(places**2)
    distance = (
        squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
    ) <= radius**2
    sizes = [one.size // PARTS for one in squares]
    counted = distance.reshape(sizes[0], PARTS, sizes[1], PARTS, sizes[2], PARTS)
    weights = counted.sum(axis=(1, 3, 5), dtype=np.float64)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def peak_map(values: FloatArray, spacing: Triple) -> FloatArray:
    """Return the mean over a sphere of 1 mL about each voxel; the edge of the array repeats."""
    from scipy import ndimage

    found: FloatArray = ndimage.convolve(values, sphere_weights(spacing), mode="nearest")
    return found


FINE = 2
"""Positions tried on either side of a voxel's centre, along each axis, up to half a voxel."""

POINTS_MM = 1.6
"""Distance of the points by which the mean over the sphere is taken."""


def best_peak(values: FloatArray, spacing: Triple, top: tuple[int, int, int]) -> float:
    """Return the largest mean over a sphere of 1 mL whose centre lies within half a voxel of a top.

    Values between voxels are those of a cubic spline, so that the sphere need not sit on the grid.
    """
    from scipy import ndimage

    steps = np.array(spacing)
    reach = [math.ceil(PEAK_RADIUS_MM / step) + 3 for step in spacing]
    near = tuple(slice(max(at - r, 0), at + r + 1) for at, r in zip(top, reach, strict=True))
    local = ndimage.spline_filter(values[near].astype(np.float64), order=3, mode="nearest")
    start = np.array([one.start for one in near])
    ticks = np.arange(-PEAK_RADIUS_MM, PEAK_RADIUS_MM + POINTS_MM / 2.0, POINTS_MM)
    cube = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    points = cube[(cube**2).sum(axis=1) <= PEAK_RADIUS_MM**2] / steps
    shifts = np.linspace(-0.5, 0.5, 2 * FINE + 1)
    moved = np.stack(np.meshgrid(shifts, shifts, shifts, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    at = np.array(top) - start + moved + points
    sampled = ndimage.map_coordinates(
        local, at.reshape(-1, 3).T, order=3, mode="nearest", prefilter=False
    )
    return float(sampled.reshape(moved.shape[0], -1).mean(axis=1).max())
