"""Signed distances to simple bodies on the voxels of a slice: what the phantom is composed of.

Coordinates are LPS mm (+x left, +y back, +z head); a distance is negative inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Point = tuple[float, float, float]
"""LPS mm (or half-axes along x, y, z, mm)."""

SIZE = 384
SLICES = 60
PIXEL_MM = 0.95
SLICE_MM = 5.0
SUB_SLICES = 5
"""Planes averaged over the thickness of a slice: partial volume along z."""


@dataclass(frozen=True)
class Capsule:
    """A round-ended tube between two points, mm."""

    start: Point
    end: Point
    start_radius: float
    end_radius: float


@dataclass(frozen=True)
class Ball:
    """A sphere with its density, mm and HU."""

    centre: Point
    radius: float
    hu: float


@dataclass(frozen=True)
class Grid:
    """Coordinates of the voxels of one slice with its sub-planes, each (sub, row, column)."""

    x: FloatArray
    y: FloatArray
    z: FloatArray

    @classmethod
    def of_slice(cls, index: int) -> Grid:
        """Return the sub-planes of a slice; index 0 is the lowest."""
        inside = (np.arange(SUB_SLICES, dtype=np.float32) + 0.5) / SUB_SLICES - 0.5
        along = (np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2) * PIXEL_MM
        return cls(
            x=along[None, None, :],
            y=along[None, :, None],
            z=(index * SLICE_MM + inside * SLICE_MM).astype(np.float32)[:, None, None],
        )


def coverage(distance: FloatArray) -> FloatArray:
    """Return the part of a voxel inside a body from the signed distance of its centre (inside < 0)."""
    part: FloatArray = np.clip(np.float32(0.5) - distance / np.float32(PIXEL_MM), 0.0, 1.0)
    return part


def ellipse(grid: Grid, cx: float, cy: float, a: Any, b: Any, *, power: float = 2.0) -> FloatArray:
    """Return the distance along the radius to an elliptic cylinder whose half-axes may vary with z."""
    dx, dy = grid.x - np.float32(cx), grid.y - np.float32(cy)
    if power == 2.0:
        ratio = np.sqrt((dx / a) ** 2 + (dy / b) ** 2)
    else:
        # In double precision: the last bit of a power differs between processors.
        wide, deep = np.abs(dx / a).astype(np.float64), np.abs(dy / b).astype(np.float64)
        ratio = ((wide**power + deep**power) ** (1 / power)).astype(np.float32)
    radius = np.sqrt(dx * dx + dy * dy)
    distance: FloatArray = radius - radius / np.maximum(ratio, np.float32(1e-3))
    return np.where(ratio < 1e-3, -np.minimum(a, b), distance).astype(np.float32)


def ellipsoid(grid: Grid, centre: Point, radii: Point) -> FloatArray:
    """Return the distance along the radius to an ellipsoid."""
    (cx, cy, cz), (a, b, c) = centre, radii
    dx, dy, dz = grid.x - np.float32(cx), grid.y - np.float32(cy), grid.z - np.float32(cz)
    ratio = np.sqrt((dx / a) ** 2 + (dy / b) ** 2 + (dz / c) ** 2)
    radius = np.sqrt(dx * dx + dy * dy + dz * dz)
    distance: FloatArray = (radius - radius / np.maximum(ratio, np.float32(1e-3))).astype(np.float32)
    return np.where(ratio < 1e-3, np.float32(-min(radii)), distance)


def capsule(grid: Grid, tube: Capsule) -> FloatArray:
    """Return the distance to a tube whose radius changes evenly along it."""
    ax, ay, az = tube.start
    bx, by, bz = (end - start for start, end in zip(tube.start, tube.end, strict=True))
    px, py, pz = grid.x - np.float32(ax), grid.y - np.float32(ay), grid.z - np.float32(az)
    length2 = bx * bx + by * by + bz * bz
    along = np.clip((px * bx + py * by + pz * bz) / np.float32(length2), 0.0, 1.0)
    dx, dy, dz = px - along * bx, py - along * by, pz - along * bz
    radius = tube.start_radius + along * (tube.end_radius - tube.start_radius)
    distance: FloatArray = (np.sqrt(dx * dx + dy * dy + dz * dz) - radius).astype(np.float32)
    return distance


def union(*distances: FloatArray) -> FloatArray:
    """Return the distance to any of the bodies; shapes broadcast."""
    return reduce(np.minimum, distances)


def common(*distances: FloatArray) -> FloatArray:
    """Return the distance to what all bodies share; shapes broadcast."""
    return reduce(np.maximum, distances)


def tubes(grid: Grid, chain: tuple[Capsule, ...]) -> FloatArray:
    """Return the distance to the union of tubes."""
    return union(*(capsule(grid, tube) for tube in chain))


def chain(radius: float, *points: Point) -> tuple[Capsule, ...]:
    """Return a line of tubes of one radius through points."""
    return tuple(Capsule(a, b, radius, radius) for a, b in pairwise(points))
