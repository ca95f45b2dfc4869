"""Marks on a plane: drawn and measured in millimetres of the patient. No Qt.

A mark on a reformat lies on no image, so it is kept in patient coordinates with the plane it was drawn
on (`viewer.imaging.marks.Mark`), and is seen wherever a plane holds it. It is drawn as on an image
(`viewer.views.marks.sketch`), in millimetres of the plane in place of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from viewer.acts import Tool
from viewer.imaging.marks import POINTS_OF, Mark, MarkKind, MarkPlane, Points
from viewer.imaging.marks_plane import lifted
from viewer.imaging.study import Series
from viewer.imaging.ultrasound import Point
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.sketch import How, Sketch
from viewer.views.reformat.planes import PlaneName, Pose

KINDS: Final[dict[Tool, MarkKind]] = {
    Tool.LENGTH: MarkKind.LENGTH,
    Tool.ANGLE: MarkKind.ANGLE,
    Tool.COBB: MarkKind.COBB,
    Tool.BIDIRECTIONAL: MarkKind.PERPENDICULAR,
    Tool.RECTANGLE: MarkKind.RECTANGLE,
    Tool.ELLIPSE: MarkKind.ELLIPSE,
    Tool.OUTLINE: MarkKind.POLYGON,
    Tool.FREEHAND: MarkKind.FREEHAND,
}
"""Tools that measure on a reformat, and what they make."""


@dataclass(frozen=True)
class Drawing:
    """A mark that is being drawn.

    Parameters
    ----------
    name, pose
        The plane it is drawn on.
    sketch
        How far it is, in millimetres to the right and down from the middle of the pose.
    """

    name: PlaneName
    pose: Pose
    sketch: Sketch

    @property
    def kind(self) -> MarkKind:
        """Kind of the mark on a reformat."""
        return KINDS[self.sketch.tool]

    @property
    def is_outline(self) -> bool:
        """True for an outline that ends when the reader says so."""
        return self.sketch.gesture.how is How.OUTLINE

    @property
    def is_complete(self) -> bool:
        """True when nothing is left to be set once the button comes up."""
        return self.sketch.is_complete or self.sketch.gesture.how is How.STROKE

    def with_sketch(self, sketch: Sketch) -> Drawing:
        """Return the drawing further on."""
        return replace(self, sketch=sketch)

    def provisional(self, series: Series) -> Mark | None:
        """Return the mark as it would be with the next point at the pointer; none while some lack."""
        points = self.sketch.provisional(1.0)
        if self.kind is MarkKind.PERPENDICULAR and len(points) == 3:
            points = points[:2]  # of the second axis there is no length yet
        return self._mark(points, series) if len(points) >= POINTS_OF[self.kind][0] else None

    def lines(self) -> Points:
        """Return the points so far, LPS mm, with the one under the pointer."""
        return tuple(self._place(point) for point in self.sketch.provisional(1.0))

    def finished(self, series: Series, scale: float) -> Mark | None:
        """Return the mark, or none when it was a slip.

        Parameters
        ----------
        scale
            Widget pixels for one millimetre.
        """
        points = self.sketch.finished(1.0, scale)
        return None if points is None else self._mark(points, series)

    def _place(self, point: tuple[float, ...]) -> tuple[float, float, float]:
        pose = self.pose
        place = (
            np.asarray(pose.centre)
            + point[0] * np.asarray(pose.row)
            + point[1] * np.asarray(pose.column)
        )
        return float(place[0]), float(place[1]), float(place[2])

    def _mark(self, points: Points, series: Series) -> Mark:
        pose = self.pose
        few = POINTS_OF[self.kind][0]
        plain = Mark(
            kind=self.kind,
            points=tuple(pose.centre for _ in range(4 if self.kind is MarkKind.RECTANGLE else few)),
            series_instance_uid=series.series_instance_uid,
            series_key=series.key,
            frame_of_reference_uid=series.frame_of_reference_uid,
            plane=MarkPlane(origin=pose.centre, row_cosines=pose.row, column_cosines=pose.column),
        )
        return lifted(plain, points)


def begun(tool: Tool, name: PlaneName, pose: Pose, point: Point, at: Point) -> Drawing:
    """Return a drawing whose first point is set.

    Parameters
    ----------
    point, at
        In millimetres of the plane, and in the widget.
    """
    return Drawing(name, pose, Sketch(tool, (point,), point, at))


def draws(tool: Tool) -> bool:
    """Return whether a tool leaves a mark on a reformat."""
    return tool in KINDS


class PlaneMarks:
    """The marks in the patient that lie in one series, on the board of all marks; and the drawing."""

    def __init__(self, board: MarkBoard) -> None:
        self.board = board
        self.series_key = ""
        self.drawing: Drawing | None = None
        self.held: Mark | None = None
        """The mark in the reader's hand as it is now, in place of the one on the board."""

    @property
    def all(self) -> tuple[Mark, ...]:
        """The marks of this series that were drawn on a plane."""
        held = self.held
        return tuple(
            held if held is not None and held.id == mark.id else mark
            for mark in self.board.marks
            if mark.in_patient and mark.series_key == self.series_key
        )

    def on_plane(self, pose: Pose, reach: float) -> list[Mark]:
        """Return the marks that lie in a plane, at most `reach` mm beside it."""
        centre, normal = np.asarray(pose.centre), pose.normal
        return [
            mark for mark in self.all if float(np.abs((mark.array() - centre) @ normal).max()) <= reach
        ]

    def remove(self) -> bool:
        """Take a point of the drawing back, else the selected mark of this series; false without."""
        chosen = self.board.chosen()
        if self.drawing is not None:
            sketch = self.drawing.sketch.taken_back()
            self.drawing = None if sketch is None else self.drawing.with_sketch(sketch)
        elif chosen is not None and chosen in self.all:
            self.board.remove(chosen.id)
        else:
            return False
        return True
