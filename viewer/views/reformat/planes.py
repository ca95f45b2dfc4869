"""Where the three planes stand: one crosshair, three poses, and how each gesture moves them. No Qt.

Millimetres are LPS. The screen is always the plane seen along its normal: right is `row`, down is
`column`, so flips and turns change these directions and the orientation letters follow by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reading_order import is_ahead
from viewer.imaging.reformat import Slab, Vector, VoxelGrid, cross, rotation, unit, vector

SMALLEST_MAGNIFICATION: Final = 0.1
LARGEST_SCALE: Final = 64.0
"""Widget pixels for one millimetre at most."""


class PlaneName(StrEnum):
    """The three planes, in the order of the layout."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


RIGHT_AND_DOWN: Final[Mapping[PlaneName, tuple[Vector, Vector]]] = {
    PlaneName.AXIAL: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    PlaneName.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    PlaneName.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
"""What stands right and down on the screen in each plane: the patient's left (x) at the right, the back
(y) below or at the right, the head (z) on top."""


@dataclass(frozen=True)
class Pose:
    """How one plane lies and what of it is seen.

    Parameters
    ----------
    row, column
        Unit directions to the right and downwards on the screen.
    centre
        The place in the middle of the view.
    size
        Width and height in mm that just fit into the view at a magnification of 1: those of the volume
        when the plane was laid, so that turning a plane does not zoom it.
    """

    row: Vector
    column: Vector
    centre: Vector
    size: tuple[float, float]
    magnification: float = 1.0
    slab: Slab = field(default_factory=Slab)

    @property
    def normal(self) -> FloatArray:
        """Unit normal: row x column."""
        return cross(self.row, self.column)

    def turned(self, about: Vector, turn: FloatArray) -> Pose:
        """Return the pose turned about a place, which stays where it is on the screen."""
        pivot = np.asarray(about)
        return replace(
            self,
            row=vector(unit(turn @ np.asarray(self.row))),
            column=vector(unit(turn @ np.asarray(self.column))),
            centre=vector(pivot + turn @ (np.asarray(self.centre) - pivot)),
        )

    def through(self, point: npt.ArrayLike) -> Pose:
        """Return the pose moved along its normal until the plane holds a point."""
        centre, normal = np.asarray(self.centre), self.normal
        return replace(self, centre=vector(centre + ((np.asarray(point) - centre) @ normal) * normal))

    def tilt(self, other: Pose) -> float:
        """Return the angle between the normals of two poses, degrees, 0 to 90."""
        return float(np.degrees(np.arccos(min(1.0, abs(float(self.normal @ other.normal))))))


@dataclass(frozen=True)
class MprState:
    """All three planes and the place where they cross."""

    crosshair: Vector
    poses: Mapping[PlaneName, Pose]

    def with_pose(self, name: PlaneName, pose: Pose) -> MprState:
        """Return the state with another pose of one plane."""
        return replace(self, poses={**self.poses, name: pose})

    def at(self, point: npt.ArrayLike, grid: VoxelGrid) -> MprState:
        """Return the state with the crosshair at a place, kept in the volume; all planes hold it."""
        crosshair = grid.kept_inside(point)
        return MprState(crosshair, {name: pose.through(crosshair) for name, pose in self.poses.items()})

    def scrolled(self, name: PlaneName, steps: float, grid: VoxelGrid) -> MprState:
        """Return the state with a plane moved by voxels in the order of reading, or kept at the edge.

        A plane along the voxels lands on their centres.
        """
        normal = self.poses[name].normal
        normal = normal if is_ahead(normal) else -normal
        step = grid.step_along(normal)
        axis = grid.axis_along(normal)
        ahead = np.asarray(self.crosshair) + steps * step * normal
        if axis is not None:
            index = grid.index_of(ahead)[0]
            index[axis] = np.clip(np.rint(index[axis]), 0, grid.shape[2 - axis] - 1)
            ahead = grid.affine[:3, :3] @ index + grid.affine[:3, 3]
        elif not grid.contains(ahead):
            return self
        return self.at(ahead, grid)

    def rotated(self, seen: PlaneName, degrees: float, *, only: PlaneName | None = None) -> MprState:
        """Return the state with the other planes turned about the normal of the one that is looked at.

        Parameters
        ----------
        degrees
            Clockwise on the screen.
        only
            The one plane that turns; by default both others do and stay square to each other.
        """
        turn = rotation(self.poses[seen].normal, degrees)
        names = [name for name in self.poses if name != seen and only in (None, name)]
        turned = {name: self.poses[name].turned(self.crosshair, turn) for name in names}
        return replace(self, poses={**self.poses, **turned})

    def spun(self, name: PlaneName, degrees: float) -> MprState:
        """Return the state with one plane turned in itself, clockwise on the screen."""
        pose = self.poses[name]
        turned = pose.turned(pose.centre, rotation(pose.normal, -degrees))
        width, height = pose.size
        if round(degrees / 90) % 2:
            turned = replace(turned, size=(height, width))
        return self.with_pose(name, turned)

    def flipped(self, name: PlaneName, *, horizontally: bool) -> MprState:
        """Return the state with left and right, or top and bottom, of one plane swapped."""
        pose = self.poses[name]
        if horizontally:
            return self.with_pose(name, replace(pose, row=vector(-np.asarray(pose.row))))
        return self.with_pose(name, replace(pose, column=vector(-np.asarray(pose.column))))


def planes_of(grid: VoxelGrid, *, of_body: bool = False) -> MprState:
    """Lay the three planes along the axes of the voxels that are nearest to those of the body.

    A volume taken at an angle is then first seen as it was taken, without interpolation between its
    rows, and the letters say at which angle.

    Parameters
    ----------
    of_body
        Lay them along the axes of the body itself instead.
    """
    directions = np.eye(3) if of_body else grid.directions
    left = np.asarray(grid.centre)
    chosen = _nearest_axes(directions)
    poses = {}
    for name, (right, down) in RIGHT_AND_DOWN.items():
        row, column = (_along(directions, chosen, body) for body in (right, down))
        ends = [grid.extent(direction) for direction in (row, column)]
        width, height = (last - first for first, last in ends)
        poses[name] = Pose(vector(row), vector(column), vector(left), (width, height))
    return MprState(grid.kept_inside(left), poses).at(_on_voxel(grid), grid)


def _on_voxel(grid: VoxelGrid) -> FloatArray:
    """Return the middle of the voxel in the middle."""
    index = np.asarray([size // 2 for size in grid.shape[::-1]], dtype=np.float64)
    return np.asarray(grid.affine[:3, :3] @ index + grid.affine[:3, 3])


def _nearest_axes(directions: FloatArray) -> tuple[int, int, int]:
    """Return which axis of the voxels stands for x, y and z of the body: the best fit of all six."""
    orders = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    return max(
        orders, key=lambda order: sum(abs(directions[body, axis]) for body, axis in enumerate(order))
    )


def _along(directions: FloatArray, chosen: tuple[int, int, int], body: Vector) -> FloatArray:
    """Return the direction of the voxels that stands for a body direction, with its sign."""
    axis = int(np.abs(body).argmax())
    found = directions[:, chosen[axis]]
    return found if float(found[axis]) * body[axis] > 0 else -found
