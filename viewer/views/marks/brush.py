"""The brush while it paints: pixels of one image, added or taken away. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.imaging.contour import mask_rings
from viewer.imaging.marks import Mark
from viewer.imaging.marks_geometry import Line
from viewer.imaging.marks_mask import MarkMask, paint_disc
from viewer.imaging.ultrasound import Point

USUAL_RADIUS, SMALLEST_RADIUS, LARGEST_RADIUS = 6.0, 0.5, 200.0
"""Of the brush, in image pixels."""

GROWTH = 1.15
"""By which factor one notch of the wheel changes the radius."""


@dataclass(eq=False)
class Stroke:
    """One stroke: the mask as painted so far, in place of that of `base` where there is one."""

    base: Mark | None
    mask: npt.NDArray[np.bool_]
    last: Point
    inside: bool


class Brush:
    """A round brush with its stroke.

    Attributes
    ----------
    radius
        In image pixels; pixels whose centre lies within it are painted.
    """

    def __init__(self) -> None:
        self.radius = USUAL_RADIUS
        self._stroke: Stroke | None = None

    @property
    def is_down(self) -> bool:
        """True while a stroke is under way."""
        return self._stroke is not None

    @property
    def mark_id(self) -> str:
        """Id of the mark that is painted on, or empty."""
        stroke = self._stroke
        return stroke.base.id if stroke is not None and stroke.base is not None else ""

    def resize(self, notches: float) -> None:
        """Make the brush larger, or smaller by negative notches."""
        radius = self.radius * GROWTH**notches
        self.radius = min(max(radius, SMALLEST_RADIUS), LARGEST_RADIUS)

    def begin(self, base: Mark | None, shape: tuple[int, int], at: Point, *, inside: bool) -> None:
        """Put the brush down on an image of some rows and columns, or on a mark of that image."""
        fresh = base is None or base.mask is None
        mask = np.zeros(shape, dtype=bool) if fresh else base.mask.unpack()
        self._stroke = Stroke(base, mask, at, inside)
        self.move(at)

    def move(self, to: Point) -> None:
        """Paint the way to an image point."""
        stroke = self._stroke
        if stroke is not None:
            paint_disc(stroke.mask, stroke.last, to, self.radius, inside=stroke.inside)
            stroke.last = to

    def lines(self) -> list[Line]:
        """Return the outline of what is painted, while a stroke is under way."""
        return [] if self._stroke is None else [(ring, True) for ring in mask_rings(self._stroke.mask)]

    def finish(self) -> tuple[Mark | None, MarkMask] | None:
        """Lift the brush: the mark that was painted on, if any, and its pixels; none when not down."""
        stroke, self._stroke = self._stroke, None
        return None if stroke is None else (stroke.base, MarkMask.of(stroke.mask))

    def drop(self) -> None:
        """Forget the stroke."""
        self._stroke = None
