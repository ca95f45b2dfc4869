"""One of the three planes under the reader's hands."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.acts import VIEWER_ACTS, Scope
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.letters import edge_letters
from viewer.imaging.reformat import Vector
from viewer.views.corner_paint import draw_corners, draw_scale_bar
from viewer.views.key_bindings import KeyBindings
from viewer.views.marks.paint import DrawnMark
from viewer.views.mouse import MOUSE, WheelStep
from viewer.views.mouse_events import BUTTONS, held_keys
from viewer.views.reformat.marks import draws
from viewer.views.reformat.plane_image import REST_MS, PlaneImage
from viewer.views.reformat.plane_paint import (
    draw_cross_lines,
    draw_curve,
    draw_marks,
    lay_out,
    lay_out_points,
)
from viewer.views.reformat.plane_regions import PlaneRegions
from viewer.views.reformat.plane_words import plane_corners, plane_text
from viewer.views.reformat.planes import PlaneName, Pose
from viewer.views.reformat.scene import MprScene
from viewer.views.reformat.strokes import Stroke, begin_stroke, on_plane
from viewer.views.reformat.view_frame import CrossLine, Grip, Held, ViewFrame
from viewer.views.scale_bar import scale_bar
from viewer.views.tag_place import Box
from viewer.views.theme import Theme
from viewer.views.viewport_paint import (
    draw_frame,
    draw_letters,
    draw_regions,
    tag_boxes,
)
from viewer.views.viewport_state import transform

NOTCH: Final = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""

ZOOM_PER_NOTCH: Final = 1.15

CURSORS: Final[dict[Grip, Qt.CursorShape]] = {
    Grip.CENTRE: Qt.CursorShape.SizeAllCursor,
    Grip.LINE: Qt.CursorShape.OpenHandCursor,
    Grip.END: Qt.CursorShape.PointingHandCursor,
    Grip.EDGE: Qt.CursorShape.SplitHCursor,
}


class PlaneView(QWidget):
    """Shows one plane of a scene and turns gestures into changes of the scene."""

    actRequested = Signal(str)
    """A key of the viewport's table of acts was pressed here."""
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    """The evidence whose region is under the pointer from now on, or empty."""

    def __init__(
        self, name: PlaneName, scene: MprScene, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.name, self.scene, self.theme = name, scene, theme
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self.pointer: tuple[float, float] | None = None
        self.held: Held | None = None
        self.alone = False
        """Whether this plane is the only one that is seen."""
        self._stroke: Stroke | None = None
        self._wheel = 0
        self._regions = PlaneRegions(scene)
        self._canvas, self._canvas_of = QPixmap(), None
        self._picture = PlaneImage(self)
        self._picture.refined.connect(self.update)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(lambda: scene.set_turning(frozenset()))
        scene.changed.connect(self._scene_changed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(theme.px(120), theme.px(90))

    # --- what is shown -----------------------------------------------------------------------------

    @property
    def is_refining(self) -> bool:
        """True while the picture is coarser than it can be."""
        return self._picture.is_refining

    def pose(self) -> Pose | None:
        """Return how this plane lies, none without a volume."""
        return None if self.scene.state is None else self.scene.state.poses[self.name]

    def frame(self) -> ViewFrame | None:
        """Return this plane in this widget, none without a volume."""
        pose = self.pose()
        return None if pose is None else ViewFrame(pose, float(self.width()), float(self.height()))

    def lines(self) -> list[CrossLine]:
        """Return the lines of the other planes."""
        frame = self.frame()
        if frame is None or self.scene.state is None or not self.scene.lines_shown:
            return []
        return frame.lines(self.name, self.scene.state)

    def reach(self) -> float:
        """Return how far from the plane in mm a thing still counts as lying in it."""
        pose, grid = self.pose(), self.scene.grid
        if pose is None or grid is None:
            return 0.0
        return max(pose.slab.shown, grid.step_along(pose.normal)) / 2 + 1e-6

    def place_at(self, point: tuple[float, float]) -> Vector | None:
        """Return the place under a widget point, none beside the volume."""
        frame, grid = self.frame(), self.scene.grid
        if frame is None or grid is None:
            return None
        place = frame.to_patient(point)
        return place if grid.contains(place) else None

    def _scene_changed(self) -> None:
        if self.scene.sampler is None:
            self._picture.forget()
            self._regions.forget()
            self._canvas, self._canvas_of = QPixmap(), None
            self._stroke = None
        pose = self.pose()
        self.setAccessibleName("" if pose is None else plane_text(self.name, pose))
        self.update()

    # --- painting ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the plane, then what lies over it."""
        painter = QPainter(self)
        try:
            self._paint(painter, QRectF(self.rect()))
        finally:
            painter.end()

    def _paint(self, painter: QPainter, bounds: QRectF) -> None:
        frame = self.frame()
        if frame is None:
            painter.fillRect(bounds, self.theme.colour("image"))
        else:
            painter.drawPixmap(0, 0, self._scaled(frame))
            self._paint_over(painter, frame, bounds)
            if self.scene.corner_text:
                self._paint_words(painter, frame, bounds)
        if self.scene.active == self.name and not self.scene.on_curve:
            colour, width = self.theme.colour("viewport-frame"), self.theme.length("viewport", "frame")
            draw_frame(painter, bounds, colour, width)

    def _scaled(self, frame: ViewFrame) -> QPixmap:
        """Return the picture of the plane in the size of this view.

        It is kept: most paints only move lines and words over it, and scaling takes longest.
        """
        pipeline, sampler = self.scene.pipeline(), self.scene.sampler
        assert pipeline is not None and sampler is not None, "a frame is that of a volume"
        ratio = self.devicePixelRatioF()
        found = self._picture.image(
            sampler,
            frame,
            pipeline,
            pixel_ratio=ratio,
            moving=len(self.scene.turning),
        )
        target, key = QRectF(), 0
        if found is not None:
            image, plane = found
            ends = [(-0.5, -0.5), (plane.columns - 0.5, plane.rows - 0.5)]
            corners = transform(frame.matrix_of(plane), ends)
            target = QRectF(QPointF(*corners[0].tolist()), QPointF(*corners[1].tolist()))
            key = image.cacheKey()
        fusion = self.scene.fusion
        upper = None if fusion is None else (fusion, fusion.look)
        if (key, target, self.size(), ratio, upper) == self._canvas_of:
            return self._canvas
        self._canvas_of = (key, target, self.size(), ratio, upper)
        self._canvas = QPixmap(self.size() * ratio)
        self._canvas.setDevicePixelRatio(ratio)
        self._canvas.fill(self.theme.colour("image"))
        if found is not None:
            painter = QPainter(self._canvas)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, found[0])
            if fusion is not None and self.scene.stack is not None:
                fusion.draw(painter, frame, found[1], self.scene.stack.series)
            painter.end()
        return self._canvas

    def _paint_over(self, painter: QPainter, frame: ViewFrame, bounds: QRectF) -> None:
        scene = self.scene
        self._paint_shapes(painter, frame)
        self._paint_regions(painter, frame, bounds)
        lines = self.lines()
        handles = self.pointer is not None or self._stroke is not None
        draw_cross_lines(painter, lines, bounds, self.theme, held=self.held, handles=handles)
        if scene.curve_points:
            places = np.asarray(scene.curve_points)
            near = np.abs((places - np.asarray(frame.pose.centre)) @ frame.pose.normal) <= self.reach()
            curve = None if scene.curve is None else frame.to_widget(scene.curve.points)
            draw_curve(painter, curve, frame.to_widget(places), near.tolist(), self.theme)
        marks = self.drawn_marks()
        selected = scene.marks.board.selected_id
        draw_marks(painter, marks, self.theme, selected=selected, unfinished=self._unfinished(frame))

    def drawn_marks(self) -> list[DrawnMark]:
        """Return the marks that lie in this plane, as they are drawn."""
        frame, bounds = self.frame(), QRectF(self.rect()).adjusted(4, 4, -4, -4)
        if frame is None:
            return []
        marks = self.scene.marks.on_plane(frame.pose, self.reach())
        tags = self._tag_boxes(frame, bounds) if marks else []
        found: list[DrawnMark] = []
        for mark in marks:
            taken = [*tags, *(one.label.getCoords() for one in found)]
            found.append(lay_out(mark, frame, bounds, self.theme, taken))
        return found

    def _tag_boxes(self, frame: ViewFrame, bounds: QRectF) -> list[Box]:
        """Return where the tags of the evidence stand, for words to keep clear of."""
        regions = self._regions.drawn(frame, self.reach(), self.devicePixelRatioF())
        if regions is None:
            return []
        outlines, plane = regions
        return list(tag_boxes(outlines, frame.matrix_of(plane), self.theme, bounds).values())

    def _unfinished(self, frame: ViewFrame) -> DrawnMark | None:
        drawing, stack = self.scene.marks.drawing, self.scene.stack
        if drawing is None or stack is None or drawing.name != self.name:
            return None
        bounds = QRectF(self.rect()).adjusted(4, 4, -4, -4)
        mark = drawing.provisional(stack.series)
        if mark is None:
            return lay_out_points(drawing.kind, drawing.lines(), frame, bounds, self.theme)
        return lay_out(self.scene.measured(mark), frame, bounds, self.theme)

    def _paint_shapes(self, painter: QPainter, frame: ViewFrame) -> None:
        scene = self.scene
        if scene.shapes is not None and scene.sampler is not None and scene.stack is not None:
            scene.shapes.paint(
                painter,
                self.name,
                frame,
                scene.sampler,
                scene.stack,
                ratio=self.devicePixelRatioF(),
                coarse=bool(scene.turning),
            )

    def _paint_regions(self, painter: QPainter, frame: ViewFrame, bounds: QRectF) -> None:
        found = self._regions.drawn(frame, self.reach(), self.devicePixelRatioF())
        if found is None:
            return
        outlines, plane = found
        draw_regions(
            painter,
            outlines,
            frame.matrix_of(plane),
            self.theme,
            selected=self.scene.selected,
            bounds=bounds.adjusted(4, 4, -4, -4),
            line="reformat-region-line",
        )

    def region_at(self, point: tuple[float, float]) -> str:
        """Return the evidence whose region lies under a widget point, or an empty text."""
        frame = self.frame()
        if frame is None:
            return ""
        return self._regions.at(point, frame, self.reach(), self.devicePixelRatioF())

    def _point_at(self, evidence_id: str) -> None:
        if evidence_id != self.scene.pointed:
            self.scene.set_pointed(evidence_id)
            self.regionHovered.emit(evidence_id)

    def _paint_words(self, painter: QPainter, frame: ViewFrame, bounds: QRectF) -> None:
        scene = self.scene
        if scene.stack is None or scene.window is None or scene.sampler is None:
            return
        place = None if self.pointer is None else self.place_at(self.pointer)
        grid = scene.sampler.grid
        letters = edge_letters(self._image_plane(frame), np.eye(3))
        if letters is not None:
            draw_letters(painter, letters, bounds, self.theme)
        bar = scale_bar(scale=frame.scale, column_spacing=1.0, height=float(self.height()))
        if bar is not None:
            draw_scale_bar(painter, bar, bounds, self.theme)
        words = plane_corners(
            name=self.name,
            pose=frame.pose,
            stack=scene.stack,
            study=scene.study,
            window=scene.window,
            inverted=scene.inverted,
            badge=scene.badge,
            value="" if place is None else scene.value_words(place, frame.pose),
            zoom_percent=100 * frame.scale * grid.smallest_spacing * self.devicePixelRatioF(),
            tall=self.height() >= self.theme.value("viewport", "identity-from-height"),
            identity=self.alone or self.name is PlaneName.AXIAL,
        )
        draw_corners(painter, words, "", bounds, self.theme)

    @staticmethod
    def _image_plane(frame: ViewFrame) -> ImagePlane:
        pose = frame.pose
        return ImagePlane(
            position=pose.centre,
            row_cosines=pose.row,
            column_cosines=pose.column,
            row_spacing=1.0,
            column_spacing=1.0,
        )

    # --- wheel, keys, mouse ------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll along the normal, or zoom about the pointer, as set."""
        event.accept()
        self.scene.set_active(self.name)
        frame, angle = self.frame(), event.angleDelta().y()
        if frame is None:
            return
        step = MOUSE.wheel(**held_keys(event))
        if step is WheelStep.ZOOM:
            about = (event.position().x(), event.position().y())
            self._set_pose(frame.zoomed(ZOOM_PER_NOTCH ** (angle / NOTCH), about))
        elif step is not WheelStep.NOTHING:
            self._wheel += angle
            notches = int(self._wheel / NOTCH)
            self._wheel -= notches * NOTCH
            if notches:
                self.scroll_by(-notches * (10 if step is WheelStep.SCROLL_TEN else 1))

    def scroll_by(self, steps: int) -> None:
        """Move this plane along its normal by voxels."""
        self.scene.change(lambda state, grid: state.scrolled(self.name, steps, grid))

    def zoom_by(self, factor: float) -> None:
        """Zoom about the middle."""
        frame = self.frame()
        if frame is not None:
            self._set_pose(frame.zoomed(factor))

    def zoom_to_voxels(self) -> None:
        """Show the smallest voxel edge on one screen pixel."""
        frame, grid = self.frame(), self.scene.grid
        if frame is not None and grid is not None:
            wanted = 1.0 / (grid.smallest_spacing * self.devicePixelRatioF())
            self._set_pose(frame.zoomed(wanted / frame.scale))

    def set_moving(self, names: frozenset[PlaneName]) -> None:
        """Say which planes move until the hand rests."""
        self._rest.start()
        self.scene.set_turning(names)

    def _set_pose(self, pose: Pose) -> None:
        self.scene.change(lambda state, grid: state.with_pose(self.name, pose))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for the act of a key."""
        self.scene.set_active(self.name)
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        else:
            self.actRequested.emit(act)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a line, a point of the curve or the image."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.scene.set_active(self.name)
        button = BUTTONS.get(event.button())
        if button is None or self.frame() is None:
            return
        tool = MOUSE.drag(button, **held_keys(event), chosen=self.scene.tool)
        self._stroke = begin_stroke(self, button, tool, _point(event), **held_keys(event))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow what is held; else show what could be, and the value under the pointer."""
        self.pointer = _point(event)
        if self._stroke is not None:
            self._stroke.to(self.pointer)
            return
        held = held_keys(event)
        if held["shift"]:
            self.point_out()
        frame, marks = self.frame(), self.scene.marks
        drawing = marks.drawing
        if drawing is not None and frame is not None and drawing.name == self.name:
            sketch = drawing.sketch.move(on_plane(frame, self.pointer), frame.scale)
            marks.drawing = drawing.with_sketch(sketch)
        before, self.held = self.held, None
        if frame is not None and drawing is None:
            self.held = frame.held_at(self.pointer, self.lines())
        drawn = self.scene.tool.draws or self.scene.drawing_curve
        region, free = self.scene.pointed, event.buttons() == Qt.MouseButton.NoButton
        self._point_at(self.region_at(self.pointer) if free and not drawn else "")
        if (before, region) != (self.held, self.scene.pointed):
            usual = Qt.CursorShape.CrossCursor if drawn else Qt.CursorShape.ArrowCursor
            usual = Qt.CursorShape.PointingHandCursor if self.scene.pointed else usual
            self.setCursor(usual if self.held is None else CURSORS[self.held.grip])
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was held; a press that did not move was a click."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.end(_point(event))
        self.scene.set_turning(frozenset())
        left = event.button() is Qt.MouseButton.LeftButton
        if left and stroke is not None and stroke.leaves_regions and not stroke.moved:
            found = self.region_at(_point(event))
            if found:
                self.regionClicked.emit(found)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """End the outline or the curve that is drawn, else maximise; two clicks with a drawing tool."""
        self.scene.set_active(self.name)
        drawing, frame = self.scene.marks.drawing, self.frame()
        if drawing is not None and drawing.is_outline and frame is not None:
            self.scene.finish_drawing(frame.scale)
        elif event.button() is not Qt.MouseButton.LeftButton or draws(self.scene.tool):
            self.mousePressEvent(event)
        elif self.scene.drawing_curve:
            self.actRequested.emit("reformat.curved")
        else:
            self.actRequested.emit("viewport.maximise")

    def point_out(self) -> None:
        """Move the crosshair to what is under the pointer."""
        place = None if self.pointer is None else self.place_at(self.pointer)
        if place is not None:
            self.set_moving(frozenset(PlaneName) - {self.name})
            self.scene.change(lambda state, grid: state.at(place, grid))

    def set_slab_to(self, name: PlaneName, thickness: float) -> None:
        """Give another plane's slab a thickness, by its border."""
        state = self.scene.state
        if state is not None:
            slab = replace(state.poses[name].slab, thickness=max(0.5, thickness))
            self.scene.set_slab(slab, name=name)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at outside."""
        self.pointer, self.held = None, None
        self._point_at("")
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The plane with the focus is the active one."""
        self.scene.set_active(self.name)
        super().focusInEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Sample anew for the new size."""
        self.update()
        super().resizeEvent(event)


def _point(event: QMouseEvent) -> tuple[float, float]:
    return event.position().x(), event.position().y()
