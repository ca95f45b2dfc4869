"""Drawing a region by hand: an ellipse by one drag, an outline by clicks; in image pixels. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from viewer.imaging.regions import Region, Shape

Point = tuple[float, float]

SMALLEST_DRAG = 2.0
"""Widget pixels: a shorter drag is a click that slipped, not an ellipse."""


@dataclass(frozen=True)
class Sketch:
    """A region that is being drawn.

    Parameters
    ----------
    points
        Corners of the box around the ellipse (start and current point, along the axes of the
        screen), or the clicked points of an outline.
    cursor
        Where the next point of an outline would go.
    """

    shape: Shape
    points: tuple[Point, ...] = ()
    cursor: Point | None = None

    def moved(self, point: Point) -> Sketch:
        """Follow the pointer."""
        if self.shape is Shape.ELLIPSE:
            return replace(self, points=(self.points[0], point))
        return replace(self, cursor=point)

    def added(self, point: Point) -> Sketch:
        """Set the next corner of an outline; a point on top of the last one changes nothing."""
        if self.points and self.points[-1] == point:
            return self
        return replace(self, points=(*self.points, point))

    def undone(self) -> Sketch:
        """Take the last corner back."""
        return replace(self, points=self.points[:-1])

    def outline_points(self) -> tuple[Point, ...]:
        """Return the points of the finished region in the order that `Region` wants.

        An ellipse has the ends of its major, then its minor axis (PS3.3 C.18.6.1.2).
        """
        if self.shape is not Shape.ELLIPSE:
            return self.points
        (x0, y0), (x1, y1) = self.points
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        across = ((min(x0, x1), y), (max(x0, x1), y))
        along = ((x, min(y0, y1)), (x, max(y0, y1)))
        return across + along if abs(x1 - x0) >= abs(y1 - y0) else along + across

    def is_closable(self) -> bool:
        """True when the points make a region with an area."""
        if self.shape is Shape.ELLIPSE:
            return len(self.points) == 2 and all(
                a != b for a, b in zip(self.points[0], self.points[1], strict=True)
            )
        return len(set(self.points)) >= 3

    def region(self, *, series_instance_uid: str, sop_instance_uid: str, frame_number: int) -> Region:
        """Return the drawn region on its image."""
        return Region(
            shape=self.shape,
            series_instance_uid=series_instance_uid,
            sop_instance_uid=sop_instance_uid,
            frame_number=frame_number,
            points=self.outline_points(),
        )
