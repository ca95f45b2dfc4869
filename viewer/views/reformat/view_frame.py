"""One plane on the screen: places to widget points and back, its samples, its lines. No Qt.

Widget points are (x, y) in logical pixels from the top left corner of the view.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import ReformatPlane, Vector, VoxelGrid, meeting_line, vector
from viewer.views.reformat.planes import (
    LARGEST_SCALE,
    SMALLEST_MAGNIFICATION,
    MprState,
    PlaneName,
    Pose,
)

CROSS_GAP: Final = 14.0
"""Widget pixels round the crosshair that stay bare: what one looks at is there."""

HANDLE_SHARE: Final = 0.36
"""Distance of the handles from the crosshair, as a share of the view's shorter side."""

HANDLE_REACH: Final = 12.0
LINE_REACH: Final = 5.0
"""Widget pixels beside a handle or a line that still take hold of it."""

Point = tuple[float, float]


class Grip(StrEnum):
    """What of the crossing lines is taken hold of."""

    CENTRE = "centre"
    LINE = "line"
    END = "end"
    EDGE = "edge"
    """A border of the slab."""


@dataclass(frozen=True)
class Held:
    """A grip under the pointer, and the plane whose line it is on; none for the centre."""

    grip: Grip
    plane: PlaneName | None = None


@dataclass(frozen=True, eq=False)
class CrossLine:
    """Where another plane cuts a view, in widget points.

    Parameters
    ----------
    middle
        Point of the line nearest to the crosshair.
    along
        Unit direction on the screen.
    half_slab
        Widget pixels from the line to the borders of that plane's slab; 0 without one.
    handle
        Distance of the two handles from the middle.
    """

    plane: PlaneName
    middle: Point
    along: Point
    half_slab: float
    handle: float

    def handles(self) -> tuple[Point, Point]:
        """Return both handles."""
        (x, y), (dx, dy) = self.middle, self.along
        return (x + dx * self.handle, y + dy * self.handle), (
            x - dx * self.handle,
            y - dy * self.handle,
        )

    def aside(self, point: Point) -> float:
        """Return how far a point lies from the line, widget pixels, with its side as sign."""
        return (point[1] - self.middle[1]) * self.along[0] - (point[0] - self.middle[0]) * self.along[1]


@dataclass(frozen=True)
class ViewFrame:
    """A pose in a view of a size.

    Parameters
    ----------
    width, height
        Of the view, logical pixels.
    """

    pose: Pose
    width: float
    height: float

    @property
    def scale(self) -> float:
        """Widget pixels for one millimetre."""
        wide, high = self.pose.size
        return min(min(self.width / wide, self.height / high) * self.pose.magnification, LARGEST_SCALE)

    def to_widget(self, points: npt.ArrayLike) -> FloatArray:
        """Map (n, 3) LPS mm to (n, 2) widget points of their feet on the plane."""
        away = np.atleast_2d(np.asarray(points, dtype=np.float64)) - np.asarray(self.pose.centre)
        axes = np.stack([self.pose.row, self.pose.column], axis=1)
        placed: FloatArray = away @ axes * self.scale + (self.width / 2, self.height / 2)
        return placed

    def to_patient(self, point: Point) -> Vector:
        """Return the place on the plane under a widget point, LPS mm."""
        right, down = (
            (point[0] - self.width / 2) / self.scale,
            (point[1] - self.height / 2) / self.scale,
        )
        return vector(
            np.asarray(self.pose.centre)
            + right * np.asarray(self.pose.row)
            + down * np.asarray(self.pose.column)
        )

    def matrix_of(self, plane: ReformatPlane) -> FloatArray:
        """Return the 3 x 3 from samples (column, row) of a plane with this orientation to widget."""
        matrix = np.diag([self.scale * plane.spacing[1], self.scale * plane.spacing[0], 1.0])
        matrix[:2, 2] = self.to_widget([plane.origin])[0]
        return matrix

    # --- what is sampled ---------------------------------------------------------------------------

    def plane(self, grid: VoxelGrid, pixel_ratio: float = 1.0) -> ReformatPlane | None:
        """Return the samples that show this view; along the voxels these are the voxels themselves.

        At an angle, what of the volume is in view, as fine as the screen or the smallest voxel edge,
        whichever is coarser. None when nothing of the volume is in view.
        """
        axes = grid.axis_along(self.pose.row), grid.axis_along(self.pose.column)
        if None not in axes:
            return self._voxels(grid, axes)  # type: ignore[arg-type]
        spacing = max(grid.smallest_spacing, 1.0 / (self.scale * pixel_ratio))
        first, count = [], []
        near = _section(grid, self.pose)
        if near is None:
            near = grid.corners()
        half = (self.width / 2 / self.scale, self.height / 2 / self.scale)
        for direction, reach in zip((self.pose.row, self.pose.column), half, strict=True):
            along, middle = near @ np.asarray(direction), float(np.dot(self.pose.centre, direction))
            low, high = max(float(along.min()), middle - reach), min(float(along.max()), middle + reach)
            # a grid that does not move with the view: panning does not shimmer
            start = math.floor(low / spacing) * spacing
            first.append(start - middle)
            count.append(math.ceil((high - start) / spacing) + 1)
        if min(count) < 1:
            return None
        origin = (
            np.asarray(self.pose.centre)
            + first[0] * np.asarray(self.pose.row)
            + first[1] * np.asarray(self.pose.column)
        )
        return ReformatPlane(
            vector(origin), self.pose.row, self.pose.column, (spacing, spacing), count[1], count[0]
        )

    def _voxels(self, grid: VoxelGrid, axes: tuple[int, int]) -> ReformatPlane:
        """Return the whole plane of voxels, between two slices where the plane lies there."""
        index = grid.index_of(self.pose.centre)[0]
        sizes, spacing = grid.shape[::-1], np.linalg.norm(grid.affine[:3, :3], axis=0)
        for axis, direction in zip(axes, (self.pose.row, self.pose.column), strict=True):
            ahead = float(grid.directions[:, axis] @ np.asarray(direction)) > 0
            index[axis] = 0 if ahead else sizes[axis] - 1
        origin = grid.affine[:3, :3] @ index + grid.affine[:3, 3]
        return ReformatPlane(
            vector(origin),
            self.pose.row,
            self.pose.column,
            (float(spacing[axes[1]]), float(spacing[axes[0]])),
            sizes[axes[1]],
            sizes[axes[0]],
        )

    # --- zoom and pan ------------------------------------------------------------------------------

    def zoomed(self, factor: float, about: Point | None = None) -> Pose:
        """Return the pose with another magnification; what is under `about` stays there."""
        magnification = max(self.pose.magnification * factor, SMALLEST_MAGNIFICATION)
        after = replace(self, pose=replace(self.pose, magnification=magnification))
        if about is None:
            return after.pose
        fixed, moved = np.asarray(self.to_patient(about)), np.asarray(after.to_patient(about))
        return replace(after.pose, centre=vector(np.asarray(self.pose.centre) + fixed - moved))

    def panned(self, dx: float, dy: float) -> Pose:
        """Return the pose with the image moved by widget pixels."""
        there = self.to_patient((self.width / 2 - dx, self.height / 2 - dy))
        return replace(self.pose, centre=there)

    # --- the lines of the other planes -------------------------------------------------------------

    def lines(self, name: PlaneName, state: MprState) -> list[CrossLine]:
        """Return where the other planes cut this view; none for one that lies parallel."""
        found = []
        for other, pose in state.poses.items():
            met = None
            if other != name:
                met = meeting_line(state.crosshair, self.pose.normal, state.crosshair, pose.normal)
            if met is None:
                continue
            along = np.array(
                [met[1] @ np.asarray(self.pose.row), met[1] @ np.asarray(self.pose.column)]
            )
            along = along / np.linalg.norm(along)
            x, y = self.to_widget([state.crosshair])[0].tolist()
            # across a plane at an angle its slab looks wider than it is
            sine = math.sqrt(max(1e-6, 1.0 - float(self.pose.normal @ pose.normal) ** 2))
            half = pose.slab.shown / 2 / sine * self.scale
            handle = HANDLE_SHARE * min(self.width, self.height)
            found.append(CrossLine(other, (x, y), (float(along[0]), float(along[1])), half, handle))
        return found

    def held_at(self, point: Point, lines: Iterable[CrossLine]) -> Held | None:
        """Return what of the crossing lines lies under a widget point."""
        lines = list(lines)
        for line in lines:
            for handle in line.handles():
                if math.dist(handle, point) <= HANDLE_REACH:
                    return Held(Grip.END, line.plane)
        for line in lines:
            if math.dist(line.middle, point) <= CROSS_GAP:
                return Held(Grip.CENTRE)
        for line in lines:
            if abs(line.aside(point)) <= LINE_REACH:
                return Held(Grip.LINE, line.plane)
        for line in lines:
            if line.half_slab and abs(abs(line.aside(point)) - line.half_slab) <= LINE_REACH:
                return Held(Grip.EDGE, line.plane)
        return None


EDGES: Final = tuple((start, start | bit) for start in range(8) for bit in (1, 2, 4) if not start & bit)
"""The twelve edges of a box, as pairs of the corners that `VoxelGrid.corners` counts."""


def _section(grid: VoxelGrid, pose: Pose) -> FloatArray | None:
    """Return the corners of the polygon in which a plane cuts the box; none with a slab or beside it.

    A slab shows what lies before and behind its plane, so the box as a whole bounds it.
    """
    if pose.slab.shown:
        return None
    corners = grid.corners()
    away = (corners - np.asarray(pose.centre)) @ pose.normal
    found = [
        corners[a] + away[a] / (away[a] - away[b]) * (corners[b] - corners[a])
        for a, b in EDGES
        if (away[a] < 0) != (away[b] < 0)
    ]
    return np.asarray(found) if found else None
