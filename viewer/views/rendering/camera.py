"""From where a volume is seen: parallel projection, and what drags do to it. No Qt, no VTK.

Patient points are LPS millimetres. On the screen x runs to the right, y down, and depth away from the
reader; widget points are in pixels with (0, 0) at the top left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from viewer.imaging.letters import EdgeLetters, direction_letters

FloatArray = npt.NDArray[np.float64]
Point = tuple[float, float]
Size = tuple[float, float]

HALF_TURN_SHARE = 1.0
"""A drag over this share of the view's shorter side turns the volume by 180 degrees."""

SMALLEST_MM, LARGEST_MM = 1.0, 20_000.0
"""Least and most millimetres that the height of a view shows."""

MARGIN = 1.06
"""How much larger than the volume the view is after a reset."""


class Direction(StrEnum):
    """Where the reader stands."""

    FRONT = "front"
    BACK = "back"
    LEFT = "left"
    RIGHT = "right"
    HEAD = "head"
    FEET = "feet"


AXES: dict[Direction, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    Direction.FRONT: ((1, 0, 0), (0, 0, -1)),
    Direction.BACK: ((-1, 0, 0), (0, 0, -1)),
    Direction.LEFT: ((0, 1, 0), (0, 0, -1)),
    Direction.RIGHT: ((0, -1, 0), (0, 0, -1)),
    Direction.HEAD: ((-1, 0, 0), (0, 1, 0)),
    Direction.FEET: ((1, 0, 0), (0, 1, 0)),
}
"""Patient directions (LPS) of the screen's right and down. From the feet the patient's left is at the
right, as on an axial image; from the front too, as on a radiograph."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A parallel view of the patient.

    Parameters
    ----------
    centre
        The point in the middle of the view, LPS mm.
    axes
        3 x 3: unit vectors (LPS) of the screen's right, down and depth as rows; right-handed.
    height
        Millimetres over the height of the view.
    """

    centre: FloatArray
    axes: FloatArray
    height: float

    @property
    def depth(self) -> FloatArray:
        """Unit vector away from the reader."""
        away: FloatArray = self.axes[2]
        return away

    def letters(self) -> EdgeLetters:
        """Return the patient directions at the edges of the view."""
        right, down = self.axes[0], self.axes[1]
        return EdgeLetters(
            left=direction_letters(-right),
            right=direction_letters(right),
            top=direction_letters(-down),
            bottom=direction_letters(down),
        )

    def project(self, points: npt.ArrayLike, size: Size) -> FloatArray:
        """Return (n, 3) widget x, y and depth (mm beyond the centre) of patient points."""
        away = (np.asarray(points, dtype=np.float64).reshape(-1, 3) - self.centre) @ self.axes.T
        scale = size[1] / self.height
        seen: FloatArray = np.column_stack(
            (away[:, 0] * scale + size[0] / 2, away[:, 1] * scale + size[1] / 2, away[:, 2])
        )
        return seen

    def place(self, point: Point, size: Size) -> FloatArray:
        """Return the patient point under a widget point, at the depth of the centre."""
        scale = self.height / size[1]
        across, down = (point[0] - size[0] / 2) * scale, (point[1] - size[1] / 2) * scale
        found: FloatArray = self.centre + across * self.axes[0] + down * self.axes[1]
        return found

    def rotated(self, across: float, down: float) -> Camera:
        """Turn the volume: what lies in front moves across and down, both in radians."""
        turn = _turn(0, 2, across) @ _turn(1, 2, down)
        return replace(self, axes=_upright(turn @ self.axes))

    def rolled(self, angle: float) -> Camera:
        """Turn the picture clockwise by an angle in radians."""
        return replace(self, axes=_upright(_turn(0, 1, angle) @ self.axes))

    def panned(self, across: float, down: float, size: Size) -> Camera:
        """Move the volume by widget pixels."""
        scale = self.height / size[1]
        return replace(self, centre=self.centre - scale * (across * self.axes[0] + down * self.axes[1]))

    def zoomed(self, factor: float, about: Point | None, size: Size) -> Camera:
        """Enlarge by a factor; the place under `about` stays where it is."""
        height = min(max(self.height / factor, SMALLEST_MM), LARGEST_MM)
        larger = replace(self, height=height)
        if about is None:
            return larger
        return replace(larger, centre=self.centre + self.place(about, size) - larger.place(about, size))


def _turn(first: int, second: int, angle: float) -> FloatArray:
    """Return the rotation of view coordinates that moves (−second) towards (+first)."""
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = math.cos(angle)
    turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
    return turn


def _upright(axes: FloatArray) -> FloatArray:
    """Take the rounding of many small turns out: unit vectors, at right angles, right-handed."""
    right = axes[0] / np.linalg.norm(axes[0])
    down = axes[1] - (axes[1] @ right) * right
    down /= np.linalg.norm(down)
    return np.stack((right, down, np.cross(right, down)))


def camera_from(direction: Direction, corners: FloatArray, size: Size) -> Camera:
    """Return the view that shows the whole of a box, from one side of the patient.

    Parameters
    ----------
    corners
        (8, 3) corners of the box, LPS mm.
    """
    right, down = (np.asarray(axis, dtype=np.float64) for axis in AXES[direction])
    axes = np.stack((right, down, np.cross(right, down)))
    centre = corners.mean(axis=0)
    span = np.ptp((corners - centre) @ axes.T, axis=0)
    aspect = size[0] / size[1] if size[1] else 1.0
    height = MARGIN * max(float(span[1]), float(span[0]) / aspect)
    return Camera(centre=centre, axes=axes, height=max(height, SMALLEST_MM))
