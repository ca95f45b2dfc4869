"""How clicks and drags become a mark: one gesture a tool, as a table; in image points. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np

from viewer.acts import Tool
from viewer.imaging.contour import simplify
from viewer.imaging.marks import POINTS_OF, MarkKind, Points
from viewer.imaging.marks_geometry import points_from
from viewer.imaging.ultrasound import Point

SMALLEST_DRAG: Final = 3.0
"""Widget pixels: a shorter drag is a click, which begins a mark that the next click goes on with."""

SMALLEST_MARK: Final = 2.0
"""Widget pixels: a mark whose points all lie closer together was a slip."""

CLOSING_REACH: Final = 8.0
"""Widget pixels round the first corner of an outline in which a click closes it."""

FREEHAND_STEP: Final = 1.5
"""Widget pixels between two points of a free-form outline."""


FREEHAND_TOLERANCE: Final = 0.75
"""Widget pixels by which a free-form outline may leave the way of the pointer, to have few points."""


class How(Enum):
    """What the mouse does for a kind of mark."""

    CLICKS = "clicks"
    """Each click, or each end of a drag, sets one point; the last point ends it."""
    OUTLINE = "outline"
    """Clicks set corners until a double click, Return, or a click on the first corner."""
    STROKE = "stroke"
    """A drag draws a line that closes where the button comes up."""
    PAINT = "paint"
    """A drag paints pixels."""
    WORDS = "words"
    """A click opens a field for words."""


@dataclass(frozen=True)
class Gesture:
    """How a tool makes its mark.

    Parameters
    ----------
    steps
        What each click sets, in order.
    """

    kind: MarkKind
    how: How
    steps: tuple[str, ...]


ENDS: Final = ("one end", "other end")

GESTURES: Final[dict[Tool, Gesture]] = {
    Tool.LENGTH: Gesture(MarkKind.LENGTH, How.CLICKS, ENDS),
    Tool.ANGLE: Gesture(MarkKind.ANGLE, How.CLICKS, ("end of one arm", "vertex", "end of other arm")),
    Tool.COBB: Gesture(
        MarkKind.COBB,
        How.CLICKS,
        ("first line: one end", "other end", "second line: one end", "other end"),
    ),
    Tool.BIDIRECTIONAL: Gesture(
        MarkKind.BIDIRECTIONAL,
        How.CLICKS,
        ("long axis: one end", "other end", "short axis: one side", "other side"),
    ),
    Tool.RECTANGLE: Gesture(MarkKind.RECTANGLE, How.CLICKS, ("corner", "opposite corner")),
    Tool.ELLIPSE: Gesture(MarkKind.ELLIPSE, How.CLICKS, ("corner of its box", "opposite corner")),
    Tool.OUTLINE: Gesture(MarkKind.POLYGON, How.OUTLINE, ("corner",)),
    Tool.FREEHAND: Gesture(MarkKind.FREEHAND, How.STROKE, ("outline",)),
    Tool.BRUSH: Gesture(MarkKind.BRUSH, How.PAINT, ("pixels; with Shift: fewer",)),
    Tool.ARROW: Gesture(MarkKind.ARROW, How.CLICKS, ("tip", "tail")),
    Tool.TEXT: Gesture(MarkKind.TEXT, How.WORDS, ("where the words begin",)),
}
"""What each drawing tool does."""


@dataclass(frozen=True)
class Sketch:
    """A mark that is being drawn.

    Parameters
    ----------
    clicks
        Points that are set.
    cursor
        Where the next one would be.
    pressed
        Widget point where the button went down, while it is down.
    """

    tool: Tool
    clicks: tuple[Point, ...]
    cursor: Point
    pressed: Point | None = None

    @property
    def gesture(self) -> Gesture:
        """How its tool draws."""
        return GESTURES[self.tool]

    @property
    def kind(self) -> MarkKind:
        """Kind of the mark."""
        return self.gesture.kind

    @property
    def step(self) -> str:
        """What the next click sets."""
        steps = self.gesture.steps
        return steps[min(len(self.clicks), len(steps) - 1)]

    @property
    def is_complete(self) -> bool:
        """True when every point of a fixed number is set."""
        return self.gesture.how is How.CLICKS and len(self.clicks) == len(self.gesture.steps)

    def press(self, point: Point, at: Point) -> Sketch:
        """Put the button down: set a point, unless it lies on the one before."""
        clicks = self.clicks if self.clicks and self.clicks[-1] == point else (*self.clicks, point)
        return replace(self, clicks=clicks, cursor=point, pressed=at)

    def move(self, point: Point, scale: float) -> Sketch:
        """Follow the pointer; a free-form outline takes the way it goes.

        Parameters
        ----------
        scale
            Widget pixels of one image pixel.
        """
        clicks = self.clicks
        if self.gesture.how is How.STROKE and math.dist(clicks[-1], point) * scale >= FREEHAND_STEP:
            clicks = (*clicks, point)
        return replace(self, clicks=clicks, cursor=point)

    def release(self, point: Point, at: Point) -> Sketch:
        """Let the button go: the end of a drag sets a point too."""
        dragged = self.pressed is not None and math.dist(self.pressed, at) >= SMALLEST_DRAG
        freed = replace(self, cursor=point, pressed=None)
        if dragged and self.gesture.how is How.CLICKS:
            return replace(freed, clicks=(*self.clicks, point))
        return freed

    def taken_back(self) -> Sketch | None:
        """Return the sketch without its last point; none when that was the only one."""
        return replace(self, clicks=self.clicks[:-1]) if len(self.clicks) > 1 else None

    def closes_at(self, point: Point, scale: float) -> bool:
        """Return whether a click at a point closes the outline."""
        near = math.dist(self.clicks[0], point) * scale <= CLOSING_REACH
        return self.gesture.how is How.OUTLINE and near and len(self.clicks) >= 3

    def provisional(self, aspect: float) -> Points:
        """Return the points as they would be with the next one at the pointer."""
        if self.gesture.how is How.STROKE or self.is_complete:
            return points_from(self.kind, self.clicks, aspect)
        return points_from(self.kind, (*self.clicks, self.cursor), aspect)

    def finished(self, aspect: float, scale: float) -> Points | None:
        """Return the points of the mark; none when they make none: too few, or a slip."""
        points = points_from(self.kind, self.clicks, aspect)
        if self.gesture.how is How.STROKE:
            fewer = simplify(np.asarray(points, dtype=np.float64), FREEHAND_TOLERANCE / scale)
            points = tuple((float(column), float(row)) for column, row in fewer)
        fewest, _ = POINTS_OF[self.kind]
        if len(set(points)) < fewest or is_slip(self.kind, self.clicks, scale):
            return None
        return points


def is_slip(kind: MarkKind, points: Sequence[Point], scale: float) -> bool:
    """Return whether points lie so close together that nobody meant them: a box has two sides."""
    sides = [max(p[axis] for p in points) - min(p[axis] for p in points) for axis in (0, 1)]
    box = kind in (MarkKind.RECTANGLE, MarkKind.ELLIPSE)
    side = min(sides) if box else max(sides)
    return side * scale < SMALLEST_MARK
