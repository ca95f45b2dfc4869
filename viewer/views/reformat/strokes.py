"""What a press on a plane takes hold of, and how its drag changes the scene: one class a grip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from viewer.acts import Tool
from viewer.imaging.marks import Mark
from viewer.imaging.marks_plane import moved_in_patient, with_handle_in_patient
from viewer.imaging.reformat import Vector, vector
from viewer.views.gestures import PIXELS_PER_IMAGE, ZOOM_PER_PIXEL
from viewer.views.mouse import Button
from viewer.views.reformat.marks import begun, draws
from viewer.views.reformat.planes import PlaneName
from viewer.views.reformat.view_frame import CrossLine, Grip, Held, Point, ViewFrame
from viewer.views.viewport_state import window_dragged

if TYPE_CHECKING:
    from viewer.views.reformat.plane_view import PlaneView

SMALLEST_DRAG: Final = 4.0
"""Widget pixels under which a press and release is a click."""

POINT_REACH: Final = 9.0
"""Widget pixels round a point of the curve that take hold of it."""


class Stroke:
    """One press with its drag. Everything is taken from the start, so that no step adds an error."""

    leaves_regions: ClassVar[bool] = True
    """Whether a press that did not move is also a click on the region of the evidence there."""

    def __init__(self, view: PlaneView, start: Point) -> None:
        frame, state = view.frame(), view.scene.state
        assert frame is not None and state is not None, "a stroke begins on a plane that is shown"
        self.view, self.scene, self.start = view, view.scene, start
        self.frame, self.state = frame, state
        self.moved = False

    def to(self, point: Point) -> None:
        """Follow the pointer, once it has gone far enough to be no click."""
        self.moved = self.moved or math.dist(point, self.start) >= SMALLEST_DRAG
        if self.moved:
            self.drag(point)

    def end(self, point: Point) -> None:
        """Let go."""
        if not self.moved:
            self.click(point)

    def drag(self, point: Point) -> None:
        """Change the scene for the pointer at a widget point."""

    def click(self, point: Point) -> None:
        """Do what a press without a drag means."""


class _Centre(Stroke):
    """Moves the crosshair in its plane; the other planes go with it."""

    def drag(self, point: Point) -> None:
        grip = self.frame.to_widget([self.state.crosshair])[0] - np.asarray(self.start)
        place = self.frame.to_patient((point[0] + grip[0], point[1] + grip[1]))
        self.view.set_moving(frozenset(PlaneName) - {self.view.name})
        self.scene.change(lambda state, grid: state.at(place, grid))


class _Line(Stroke):
    """Moves one other plane along its normal."""

    def __init__(self, view: PlaneView, start: Point, line: CrossLine) -> None:
        super().__init__(view, start)
        self.line = line

    def drag(self, point: Point) -> None:
        normal = self.state.poses[self.line.plane].normal
        there = np.subtract(self.frame.to_patient(point), self.frame.to_patient(self.start))
        place = np.asarray(self.state.crosshair) + (there @ normal) * normal
        self.view.set_moving(frozenset({self.line.plane}))
        self.scene.change(lambda state, grid: state.at(place, grid))


class _End(Stroke):
    """Turns the other planes about the crosshair, or with Shift the one that is held alone."""

    def __init__(self, view: PlaneView, start: Point, line: CrossLine, *, alone: bool) -> None:
        super().__init__(view, start)
        self.line, self.only = line, line.plane if alone else None

    def drag(self, point: Point) -> None:
        (x, y), name = self.line.middle, self.view.name
        before = math.atan2(self.start[1] - y, self.start[0] - x)
        now = math.atan2(point[1] - y, point[0] - x)
        # angles of the screen grow clockwise, as y runs down
        turned = self.state.rotated(name, math.degrees(now - before), only=self.only)
        names = frozenset(PlaneName) - {name} if self.only is None else frozenset({self.only})
        self.view.set_moving(names)
        self.scene.set_state(turned)


class _Edge(Stroke):
    """Makes another plane's slab thicker or thinner by its border."""

    def __init__(self, view: PlaneView, start: Point, line: CrossLine) -> None:
        super().__init__(view, start)
        self.line = line

    def drag(self, point: Point) -> None:
        slab = self.state.poses[self.line.plane].slab
        per_pixel = slab.thickness / 2 / self.line.half_slab
        self.view.set_moving(frozenset({self.line.plane}))
        self.view.set_slab_to(self.line.plane, round(2 * abs(self.line.aside(point)) * per_pixel, 1))


class _Scroll(Stroke):
    """Scrolls along the normal; a click moves the crosshair there."""

    def drag(self, point: Point) -> None:
        grid = self.scene.grid
        if grid is None:
            return
        normal = self.frame.pose.normal
        first, last = grid.extent(normal)
        count = max(1.0, (last - first) / grid.step_along(normal))
        fewest, most = PIXELS_PER_IMAGE
        pixels = min(max(self.frame.height / count, fewest), most)
        steps = int((point[1] - self.start[1]) / pixels)
        self.view.set_moving(frozenset({self.view.name}))
        self.scene.set_state(self.state.scrolled(self.view.name, steps, grid))

    def click(self, point: Point) -> None:
        place = self.view.place_at(point)
        if place is not None:
            self.scene.change(lambda state, grid: state.at(place, grid))


class _Window(Stroke):
    def __init__(self, view: PlaneView, start: Point) -> None:
        super().__init__(view, start)
        self.window = view.scene.window

    def drag(self, point: Point) -> None:
        if self.window is not None:
            dx, dy = point[0] - self.start[0], point[1] - self.start[1]
            self.scene.set_window(window_dragged(self.window, dx, dy))


class _Zoom(Stroke):
    def drag(self, point: Point) -> None:
        factor = math.exp(-(point[1] - self.start[1]) * ZOOM_PER_PIXEL)
        self.scene.change(
            lambda state, grid: state.with_pose(self.view.name, self.frame.zoomed(factor, self.start))
        )


class _Pan(Stroke):
    def drag(self, point: Point) -> None:
        pose = self.frame.panned(point[0] - self.start[0], point[1] - self.start[1])
        self.scene.change(lambda state, grid: state.with_pose(self.view.name, pose))


class _Draw(Stroke):
    """Sets points of a mark: one where the button goes down, and one where a drag ends."""

    leaves_regions = False

    def __init__(self, view: PlaneView, start: Point, tool: Tool) -> None:
        super().__init__(view, start)
        marks, point = self.scene.marks, self.on_plane(start)
        drawing = marks.drawing
        if drawing is None or drawing.name != view.name or drawing.sketch.tool is not tool:
            marks.board.select("")
            marks.drawing = begun(tool, view.name, self.frame.pose, point, start)
        elif drawing.sketch.closes_at(point, self.frame.scale):
            self.scene.finish_drawing(self.frame.scale)
        else:
            marks.drawing = drawing.with_sketch(drawing.sketch.press(point, start))

    def on_plane(self, point: Point) -> Point:
        """Return a widget point in millimetres of the plane that is drawn on."""
        return on_plane(self.frame, point)

    def to(self, point: Point) -> None:
        """Follow the pointer from the first pixel: a free-form outline takes its way."""
        marks = self.scene.marks
        if marks.drawing is not None:
            sketch = marks.drawing.sketch.move(self.on_plane(point), self.frame.scale)
            marks.drawing = marks.drawing.with_sketch(sketch)
            self.view.update()

    def end(self, point: Point) -> None:
        """Let go: what has all its points is kept."""
        marks = self.scene.marks
        if marks.drawing is None:
            return
        marks.drawing = marks.drawing.with_sketch(
            marks.drawing.sketch.release(self.on_plane(point), point)
        )
        if marks.drawing.is_complete:
            self.scene.finish_drawing(self.frame.scale)


class _Mark(Stroke):
    """Selects a mark, and moves the handle of it that is held, or all of it."""

    leaves_regions = False

    def __init__(self, view: PlaneView, start: Point, mark: Mark, handle: int | None) -> None:
        super().__init__(view, start)
        self.mark, self.handle = mark, handle
        self.scene.marks.board.select(mark.id)

    def drag(self, point: Point) -> None:
        if not self.mark.is_own:
            return
        place = np.asarray(self.frame.to_patient(point))
        if self.handle is None:
            moved = moved_in_patient(self.mark, place - self.frame.to_patient(self.start))
        else:
            moved = with_handle_in_patient(self.mark, self.handle, place)
        self.scene.hold(self.scene.measured(moved))

    def end(self, point: Point) -> None:
        super().end(point)
        self.scene.let_go()


class _CurvePoint(Stroke):
    """Moves a point of the curve in the plane."""

    leaves_regions = False

    def __init__(self, view: PlaneView, start: Point, index: int) -> None:
        super().__init__(view, start)
        self.index = index

    def drag(self, point: Point) -> None:
        points = list(self.scene.curve_points)
        normal = self.frame.pose.normal
        depth = (np.asarray(points[self.index]) - np.asarray(self.frame.pose.centre)) @ normal
        points[self.index] = vector(np.asarray(self.frame.to_patient(point)) + depth * normal)
        self.scene.set_curve(tuple(points))


class _CurveEnd(Stroke):
    """A click puts the next point of the curve."""

    leaves_regions = False

    def click(self, point: Point) -> None:
        place = self.view.place_at(point)
        if place is not None:
            self.scene.set_curve((*self.scene.curve_points, place))


TOOLS: Final[dict[Tool, type[Stroke]]] = {
    Tool.SCROLL: _Scroll,
    Tool.WINDOW: _Window,
    Tool.ZOOM: _Zoom,
    Tool.PAN: _Pan,
}


def on_plane(frame: ViewFrame, point: Point) -> Point:
    """Return a widget point in millimetres to the right and down from the middle of a frame's pose."""
    return (point[0] - frame.width / 2) / frame.scale, (point[1] - frame.height / 2) / frame.scale


def begin_stroke(
    view: PlaneView, button: Button, tool: Tool, start: Point, *, ctrl: bool, shift: bool
) -> Stroke:
    """Return what a press takes hold of: the curve, the lines, then what the tool does."""
    left = button is Button.LEFT and not ctrl
    scene, frame = view.scene, view.frame()
    assert frame is not None, "a press counts on a plane that is shown"
    if left:
        point = _curve_point_at(scene.curve_points, frame, start)
        if point is not None:
            return _CurvePoint(view, start, point)
        if scene.drawing_curve:
            return _CurveEnd(view, start)
        mark = _mark_at(view, start)
        if mark is not None and scene.marks.drawing is None:
            return mark
        lines = view.lines() if scene.marks.drawing is None else []
        held = frame.held_at(start, lines)
        if held is not None and not (tool.draws and held.grip is not Grip.END):
            return _on_line(view, start, held, lines, alone=shift)
    if draws(tool):
        return _Draw(view, start, tool)
    return TOOLS.get(tool, _Scroll)(view, start)


def _on_line(
    view: PlaneView, start: Point, held: Held, lines: list[CrossLine], *, alone: bool
) -> Stroke:
    if held.plane is None:
        return _Centre(view, start)
    line = next(line for line in lines if line.plane == held.plane)
    if held.grip is Grip.END:
        return _End(view, start, line, alone=alone)
    return (_Line if held.grip is Grip.LINE else _Edge)(view, start, line)


def _mark_at(view: PlaneView, at: Point) -> _Mark | None:
    """Return the press on a mark: on a handle of the selected one, else on any line."""
    board = view.scene.marks.board
    for drawn in view.drawn_marks():
        mark = board.mark(drawn.mark.id)
        handle = drawn.handle_at(*at) if drawn.mark.id == board.selected_id else None
        if mark is not None and (handle is not None or drawn.is_hit(*at)):
            return _Mark(view, at, mark, handle)
    return None


def _curve_point_at(points: tuple[Vector, ...], frame: ViewFrame, at: Point) -> int | None:
    if not points:
        return None
    away = np.linalg.norm(frame.to_widget(np.asarray(points)) - np.asarray(at), axis=1)
    nearest = int(away.argmin())
    return nearest if away[nearest] <= POINT_REACH else None
