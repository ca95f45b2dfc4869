"""Lengths and diameters on a plane: drawn and measured in millimetres of the patient. No Qt.

A mark on a reformat lies on no image, so it is kept in patient coordinates with the plane it was drawn
on (`viewer.imaging.marks.Mark`), and is seen wherever a plane holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from viewer.acts import Tool
from viewer.imaging.geometry import FloatArray
from viewer.imaging.marks import Mark, MarkKind, MarkPlane
from viewer.imaging.marks_measure import measure_mark
from viewer.imaging.reformat import Vector, unit, vector
from viewer.imaging.study import Series
from viewer.views.marks.board import MarkBoard
from viewer.views.reformat.planes import PlaneName, Pose

KINDS: Final[dict[Tool, MarkKind]] = {
    Tool.LENGTH: MarkKind.LENGTH,
    Tool.BIDIRECTIONAL: MarkKind.PERPENDICULAR,
}
"""Tools that measure on a reformat, and what they make."""

SHORTEST_MM: Final = 0.2
"""A line shorter than this was a click."""


@dataclass(frozen=True)
class Drawing:
    """A mark that is being drawn: one or two lines, each from where the button went down.

    Parameters
    ----------
    name, pose
        The plane it is drawn on.
    points
        LPS mm, the last one under the pointer.
    """

    kind: MarkKind
    name: PlaneName
    pose: Pose
    points: tuple[Vector, ...]

    @property
    def wants_more(self) -> bool:
        """True for a diameter whose second axis is still to be drawn."""
        return self.kind is MarkKind.PERPENDICULAR and len(self.points) == 2

    def begun(self, place: Vector) -> Drawing:
        """Return the drawing with its next line begun."""
        return replace(self, points=(*self.points, place, place))

    def moved(self, place: Vector) -> Drawing:
        """Return the drawing with its last point elsewhere; a second axis stays square to the first."""
        if len(self.points) < 4:
            return replace(self, points=(*self.points[:-1], place))
        start = np.asarray(self.points[2])
        across = unit(np.cross(self._axis(), self.pose.normal))
        there = start + ((np.asarray(place) - start) @ across) * across
        return replace(self, points=(*self.points[:-1], vector(there)))

    def _axis(self) -> FloatArray:
        return unit(np.asarray(self.points[1]) - np.asarray(self.points[0]))

    def is_long_enough(self) -> bool:
        """Return whether its newest line is one."""
        return float(np.linalg.norm(np.subtract(self.points[-1], self.points[-2]))) >= SHORTEST_MM

    def mark(self, series: Series) -> Mark:
        """Return what was drawn, measured."""
        made = Mark(
            kind=self.kind,
            points=self.points,
            series_instance_uid=series.series_instance_uid,
            series_key=series.key,
            frame_of_reference_uid=series.frame_of_reference_uid,
            plane=MarkPlane(
                origin=self.pose.centre, row_cosines=self.pose.row, column_cosines=self.pose.column
            ),
        )
        return measure_mark(made, series, None, None)


class PlaneMarks:
    """The marks in the patient that lie in one series, on the board of all marks; and the drawing."""

    def __init__(self, board: MarkBoard) -> None:
        self.board = board
        self.series_key = ""
        self.drawing: Drawing | None = None

    @property
    def all(self) -> tuple[Mark, ...]:
        """The marks of this series that were drawn on a plane."""
        return tuple(
            mark for mark in self.board.marks if mark.in_patient and mark.series_key == self.series_key
        )

    def on_plane(self, pose: Pose, reach: float) -> list[Mark]:
        """Return the marks that lie in a plane, at most `reach` mm beside it."""
        centre, normal = np.asarray(pose.centre), pose.normal
        return [
            mark for mark in self.all if float(np.abs((mark.array() - centre) @ normal).max()) <= reach
        ]

    def remove(self) -> bool:
        """Take back the drawing, else the selected mark of this series; false when there is none."""
        chosen = self.board.chosen()
        if self.drawing is not None:
            self.drawing = None
        elif chosen is not None and chosen in self.all:
            self.board.remove(chosen.id)
        else:
            return False
        return True


def moved_point(mark: Mark, index: int, place: Vector, series: Series) -> Mark:
    """Return a mark with one of its points elsewhere, measured anew."""
    points = (*mark.points[:index], place, *mark.points[index + 1 :])
    return measure_mark(mark.changed(points=points), series, None, None)
