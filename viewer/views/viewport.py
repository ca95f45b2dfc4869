"""The widget of a 2D stack: draws its model, turns gestures and keys into the next state."""

# ruff: noqa: N815 - signals are named as Qt names them

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.acts import VIEWER_ACTS, Scope, Tool
from viewer.imaging.regions import Region, Shape
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.cine import Cine
from viewer.views.drawing import SMALLEST_DRAG, Sketch
from viewer.views.frame_image import FrameImages
from viewer.views.gestures import DRAG_TOOLS, Button, Drag
from viewer.views.key_bindings import KeyBindings
from viewer.views.link import ManualLink
from viewer.views.overlay import Overlay
from viewer.views.places import Cut, PatientPoint
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_paint import paint_viewport, probe_area, spoken
from viewer.views.viewport_state import ViewportState, zoomed

SERIES_MIME = "application/x-sightline-series"
"""Drag data of a series: its key (`Series.key`) as UTF-8."""

NOTCH = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""

ZOOM_PER_NOTCH = 1.15

SHAPES: dict[Tool, Shape] = {Tool.ELLIPSE: Shape.ELLIPSE, Tool.OUTLINE: Shape.POLYGON}
BUTTONS: dict[Qt.MouseButton, Button] = {
    Qt.MouseButton.LeftButton: Button.LEFT,
    Qt.MouseButton.MiddleButton: Button.MIDDLE,
    Qt.MouseButton.RightButton: Button.RIGHT,
}


class ImageViewport(QWidget):
    """One 2D stack with its overlays; a `Pane` of the layout grid. `model` answers what is shown."""

    activated = Signal()
    stateChanged = Signal()
    scrolled = Signal()
    """The reader (not a link) moved to another image."""
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    regionDrawn = Signal(object)
    actRequested = Signal(str)
    """An act of the viewer's table that concerns more than this viewport."""
    seriesDropped = Signal(str)
    placePointed = Signal(object)
    """The PatientPoint of the 3D cursor, or none when it is over."""

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ViewportModel()
        self.theme = theme or Theme()
        self.tool = Tool.SCROLL
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self.active = False
        self.corner_text = True
        self.sketch: Sketch | None = None
        self._images = FrameImages()
        self._drag: Drag | None = None
        self._pressed: QPointF | None = None
        self._wheel = 0
        self._pointing = False
        self.cine = Cine(self)
        self.cine.stepped.connect(self._play_to)
        self.cine.changed.connect(self._cine_changed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._describe()

    # --- what is shown -----------------------------------------------------------------------------

    def widget(self) -> QWidget:
        """Return this widget (`Pane`)."""
        return self

    def stack(self) -> ImageStack | None:
        """Return the images shown, or none."""
        return self.model.stack

    def shown_frame(self) -> int:
        """Return the frame shown, from 0."""
        return self.model.state.index

    def show_stack(
        self,
        stack: ImageStack | None,
        study: Study | None = None,
        *,
        arrived: Iterable[int] | None = None,
        index: int | None = None,
    ) -> None:
        """Show a stack.

        Parameters
        ----------
        arrived
            Frames whose pixels are in; none means all. Tell the others by `frames_arrived`.
        index
            Frame to begin with; none means the middle one.
        """
        self.cine.stop()
        self._images.forget()
        self.sketch, self._drag = None, None
        self.model.show(stack, study, arrived, index)
        self.set_state(self.model.state)

    def frames_arrived(self, indices: Iterable[int]) -> None:
        """Say that the pixels of more frames are in the stack's buffer."""
        if self.model.frames_arrived(indices):
            self._images.forget()
        self.update()

    def complete_stack(self, stack: ImageStack) -> None:
        """Take the stack as it is when all pixels are in, without a change of the view."""
        self._images.forget()
        self.model.complete(stack)
        self.set_state(self.model.state)

    def set_state(self, state: ViewportState) -> None:
        """Show another frame, window, zoom or position.

        A drawing never moves to another frame, and a cine ends where somebody goes elsewhere.
        """
        if state.index != self.model.state.index:
            self.sketch = None
        if state.index != self.cine.index:
            self.cine.stop()
        self.model.state = state
        self._describe()
        self.update()
        self.stateChanged.emit()

    def set_window(self, window: WindowPreset | None) -> None:
        """Set the window; none returns to the image's own."""
        self.set_state(self.model.state.windowed(window))

    def set_active(self, active: bool) -> None:
        """Draw or take away the frame of the active viewport."""
        self.active = active
        self.update()

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does; an unfinished drawing is dropped."""
        self.tool = tool
        self.sketch = None
        self.setCursor(Qt.CursorShape.CrossCursor if tool.draws else Qt.CursorShape.ArrowCursor)
        self.update()

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the image."""
        self.corner_text = shown
        self.update()

    # --- regions -----------------------------------------------------------------------------------

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions that can be shown."""
        self.model.overlay = overlay
        self.update()

    def set_selected(self, evidence_ids: frozenset[str]) -> None:
        """Outline the regions of the selected evidence."""
        self.model.selected = evidence_ids
        self.update()

    def set_hovered(self, evidence_id: str) -> None:
        """Outline the regions of the evidence under the pointer elsewhere; empty for none."""
        self.model.hovered = evidence_id
        self.update()

    def holds(self, region: Region) -> bool:
        """Return whether this stack can show a region."""
        return self.model.holds(region)

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Jump to slice, window and zoom of a region, in one frame; false when it is not here."""
        state = self.model.state_showing(region, window)
        if state is None:
            return False
        self.set_state(state)
        return True

    def follow(self, source: ImageStack, index: int, link: ManualLink | None = None) -> None:
        """Go to the place of another series' image: by frame of reference, else by hand."""
        state = self.model.state_beside(source, index, link)
        if state != self.model.state:
            self.set_state(state)

    def cut(self) -> Cut | None:
        """Return the image shown as a cut through the patient, or none without an orientation."""
        return self.model.cut()

    def set_reference(self, cut: Cut | None) -> None:
        """Draw where the image of the active viewport cuts this one."""
        if cut != self.model.reference:
            self.model.reference = cut
            self.update()

    def set_link(self, link: ManualLink | None) -> None:
        """Say in the corner by which offset this series follows the active one; none says nothing."""
        if link != self.model.link:
            self.model.link = link
            self.update()

    def show_place(self, point: PatientPoint | None) -> None:
        """Go to the image of a place that is pointed at elsewhere and mark it; none ends that."""
        if point == self.model.cursor:
            return
        self.model.cursor = point
        state = self.model.state if point is None else self.model.state_at_place(point)
        if state != self.model.state:
            self.set_state(state)
        self.update()

    # --- acts and keys -----------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act by name; false when it is not one of a viewport's own or nothing is shown."""
        if act == "viewport.regions":
            self.model.all_regions = not self.model.all_regions
            self.update()
            return True
        if act == "viewport.cursor":
            self._point_out(self.model.pointer)
            return True
        if act == "viewport.cine":
            if self.cine.playing:
                self.cine.stop()
            else:
                self.cine.play(self.model.state.index, self.model.count)
            return True
        state = self.model.state_after(act)
        if state is None:
            return False
        self._move(state)
        return True

    def _move(self, state: ViewportState) -> None:
        """Take a state that the reader made: linked panes follow when it is on another image."""
        before = self.model.state
        if state != before:
            self.set_state(state)
        if state.index != before.index:
            self.scrolled.emit()

    def _play_to(self, index: int) -> None:
        self._move(self.model.state.at(index, self.model.count))

    def _cine_changed(self) -> None:
        self.model.cine_rate = self.cine.rate
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do the act of the key, or finish or cancel a drawing, or stop a cine."""
        if self.sketch is not None and self._sketch_key(event.key()):
            return
        if self.cine.playing and event.key() == Qt.Key.Key_Escape:
            self.cine.stop()
            return
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        elif not self.do(act):
            self.actRequested.emit(act)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The 3D cursor ends with Shift."""
        if event.key() == Qt.Key.Key_Shift:
            self._point_out(None)
        super().keyReleaseEvent(event)

    # --- wheel and mouse ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl zoom about the pointer. Small steps of a touch pad add up."""
        self.activated.emit()
        event.accept()
        if self.model.stack is None:
            return
        angle = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            about = (event.position().x(), event.position().y())
            factor = ZOOM_PER_NOTCH ** (angle / NOTCH)
            model = self.model
            self._move(zoomed(model.state, model.image_size(), *model.size, factor=factor, about=about))
            return
        self.cine.stop()
        self._wheel += angle
        notches = int(self._wheel / NOTCH)
        self._wheel -= notches * NOTCH
        if notches:
            self._move(self.model.state.at(self.model.state.index - notches, self.model.count))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag or a drawing."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        button = BUTTONS.get(event.button())
        if button is None or self.model.stack is None:
            return
        tool = DRAG_TOOLS.get(button, self.tool)
        if tool.draws:
            self._begin_or_add(SHAPES[tool], event.position())
            return
        model, point = self.model, event.position()
        self._pressed = point if button is Button.LEFT else None
        self._drag = Drag(
            tool=tool,
            state=model.state,
            window=model.window(),
            image=model.image_size(),
            start=(point.x(), point.y()),
            size=model.size,
            count=model.count,
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a drag or a drawing, else find the region under the pointer."""
        point = event.position()
        self._probe_at(point)
        free = event.buttons() == Qt.MouseButton.NoButton and self.sketch is None
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._point_out((point.x(), point.y()) if free and shift else None)
        if self._drag is not None:
            if self._pressed is not None and (point - self._pressed).manhattanLength() < SMALLEST_DRAG:
                return
            self._pressed = None
            self._move(self._drag.to((point.x(), point.y()), self.model.state))
        elif self.sketch is not None:
            self.sketch = self.sketch.moved(self._image_point(point))
            self.update()
        elif not self.tool.draws:
            self._point_at(self.model.region_at((point.x(), point.y())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag; a press that did not move is a click on a region."""
        point, pressed = event.position(), self._pressed
        drags, self._drag, self._pressed = self._drag is not None, None, None
        if drags:
            found = "" if pressed is None else self.model.region_at((point.x(), point.y()))
            if found:
                self.regionClicked.emit(found)
        elif self.sketch is not None and self.sketch.shape is Shape.ELLIPSE:
            self._finish_sketch()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Close an outline, else maximise and back."""
        if event.button() is not Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
        elif self.sketch is not None and self.sketch.shape is Shape.POLYGON:
            self._finish_sketch()
        elif not self.tool.draws:
            self.actRequested.emit("viewport.maximise")

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at outside."""
        self._probe_at(None)
        self._point_out(None)
        self._point_at("")

    def hideEvent(self, event: QHideEvent) -> None:
        """What nobody sees does not play."""
        self.cine.stop()
        super().hideEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The viewport with the focus is the active one."""
        self.activated.emit()
        super().focusInEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a series of the strip."""
        if event.mimeData().hasFormat(SERIES_MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for the dropped series."""
        key = bytes(event.mimeData().data(SERIES_MIME).data()).decode()
        event.acceptProposedAction()
        self.activated.emit()
        self.seriesDropped.emit(key)

    def _image_point(self, point: QPointF) -> tuple[float, float]:
        return self.model.to_image((point.x(), point.y()))

    def _probe_at(self, point: QPointF | None) -> None:
        """Tell the value under the pointer; only its corner is drawn anew."""
        self.model.pointer = None if point is None else (point.x(), point.y())
        self.update(probe_area(QRectF(self.rect()), self.theme).toAlignedRect())

    def _point_out(self, point: tuple[float, float] | None) -> None:
        """Show the place under a widget point in the other viewports (3D cursor); none ends that."""
        place = None if point is None or self.model.stack is None else self.model.place_at(point)
        if place is not None or self._pointing:
            self._pointing = place is not None
            self.placePointed.emit(place)

    def _point_at(self, evidence_id: str) -> None:
        if evidence_id == self.model.pointed:
            return
        self.model.pointed = evidence_id
        if not self.tool.draws:
            shape = Qt.CursorShape.PointingHandCursor if evidence_id else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
        self.update()
        self.regionHovered.emit(evidence_id)

    # --- drawing a region --------------------------------------------------------------------------

    def _begin_or_add(self, shape: Shape, point: QPointF) -> None:
        at = self._image_point(point)
        if self.sketch is None:
            self.sketch = Sketch(shape, (at, at) if shape is Shape.ELLIPSE else (at,))
        elif shape is Shape.POLYGON:
            self.sketch = self.sketch.added(at)
        self.update()

    def _sketch_key(self, key: int) -> bool:
        steps: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Escape: self._drop_sketch,
            Qt.Key.Key_Return: self._finish_sketch,
            Qt.Key.Key_Enter: self._finish_sketch,
            Qt.Key.Key_Backspace: self._take_back,
        }
        step = steps.get(key)
        if step is not None:
            step()
        return step is not None

    def _drop_sketch(self) -> None:
        self.sketch = None
        self.update()

    def _take_back(self) -> None:
        if self.sketch is not None and self.sketch.shape is Shape.POLYGON:
            shorter = self.sketch.undone()
            self.sketch = shorter if shorter.points else None
            self.update()

    def _finish_sketch(self) -> None:
        sketch, stack = self.sketch, self.model.stack
        self._drop_sketch()
        if sketch is None or stack is None or not sketch.is_closable():
            return
        instance, frame_number = stack.frames[self.model.state.index]
        self.regionDrawn.emit(
            sketch.region(
                series_instance_uid=stack.series.series_instance_uid,
                sop_instance_uid=stack.series.instances[instance].sop_instance_uid,
                frame_number=frame_number,
            )
        )

    # --- painting ----------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Viewports take what there is."""
        return QSize(512, 512)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same part of the patient stays in view at another size."""
        self.model.size = (float(max(self.width(), 1)), float(max(self.height(), 1)))
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the image, then what lies over it."""
        self.model.pixel_ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        paint_viewport(
            painter,
            self.model,
            self._images,
            self.theme,
            sketch=self.sketch,
            corner_text=self.corner_text,
            active=self.active,
        )
        painter.end()

    def _describe(self) -> None:
        """Tell assistive technology what is shown."""
        self.setAccessibleName(spoken(self.model) or self.tr("empty viewport"))
