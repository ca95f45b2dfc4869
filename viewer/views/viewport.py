"""The viewport of a 2D stack: turns gestures and keys into what `StackView` shows next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.acts import VIEWER_ACTS, Scope, Tool
from viewer.views.cine import USUAL_RATE
from viewer.views.gestures import Drag
from viewer.views.key_bindings import KeyBindings
from viewer.views.layers import Layer
from viewer.views.mouse import MOUSE, Button, WheelStep
from viewer.views.mouse_events import BUTTONS, held_keys
from viewer.views.stack_view import StackView
from viewer.views.theme import Theme
from viewer.views.viewport_paint import probe_area
from viewer.views.viewport_state import ViewportState, zoomed

SERIES_MIME = "application/x-sightline-series"
"""Drag data of a series: its key (`Series.key`) as UTF-8."""

MAGNIFIER = "viewport.magnifier"
"""The act whose key is held; done by name it stays until it is done again."""

NOTCH = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""

ZOOM_PER_NOTCH = 1.15

SMALLEST_DRAG = 2.0
"""Widget pixels: a shorter drag is a click that slipped."""


class ImageViewport(StackView):
    """A 2D stack under the reader's hands; a `Pane` of the layout grid."""

    activated = Signal()
    scrolled = Signal()
    """The reader (not a link) moved to another image."""
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    actRequested = Signal(str)
    """An act of the viewer's table that concerns more than this viewport."""
    seriesDropped = Signal(str)
    placePointed = Signal(object)
    """The PatientPoint of the 3D cursor, or none when it is over."""

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self._pressed: QPointF | None = None
        self._taken_by: Layer | None = None
        self._wheel = 0
        self._pointing = False
        self.cine.stepped.connect(self._play_to)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)

    # --- acts and keys -----------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act by name; false when it is not one of a viewport's own or nothing is shown."""
        if any(layer.do(act) for layer in reversed(self.layers)):
            return True
        own: dict[str, Callable[[], None]] = {
            "viewport.regions": self._switch_regions,
            "viewport.cursor": lambda: self._point_out(self.model.pointer),
            "viewport.cine": self._switch_cine,
            MAGNIFIER: lambda: self.set_magnified(not self.model.magnified),
        }
        if act in own:
            own[act]()
            return True
        state = self.model.state_after(act)
        if state is None:
            return False
        self._move(state)
        return True

    def _switch_regions(self) -> None:
        self.model.all_regions = not self.model.all_regions
        self.update()

    def _switch_cine(self) -> None:
        if self.cine.playing:
            self.cine.stop()
        else:
            model = self.model
            self.cine.play(model.state.index, model.count, self._header_rate(), ahead=model.ahead)

    def _move(self, state: ViewportState) -> None:
        """Take a state that the reader made: linked panes follow when it is on another image."""
        before = self.model.state
        if state != before:
            self.set_state(state)
        if state.index != before.index:
            self.scrolled.emit()

    def _header_rate(self) -> float:
        """Return the frames a second that the image asks for, or was taken with; else the usual."""
        instance = self.model.instance()
        return (instance.cine_rate if instance is not None else None) or USUAL_RATE

    def _play_to(self, index: int) -> None:
        self._move(self.model.state.at(index, self.model.count))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the key to the layers, stop a cine, or do the act of the key."""
        if any(layer.key(event) for layer in reversed(self.layers)):
            return
        if self.cine.playing and event.key() == Qt.Key.Key_Escape:
            self.cine.stop()
            return
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        elif act == MAGNIFIER:
            # held: the key's own repeats must not let it flicker
            self.set_magnified(True)
        elif not self.do(act):
            self.actRequested.emit(act)

    def focusNextPrevChild(self, ahead: bool) -> bool:
        """Give Tab to the layers before the focus moves on."""
        taken = any(layer.tab(ahead) for layer in reversed(self.layers))
        return taken or super().focusNextPrevChild(ahead)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The 3D cursor ends with Shift, the magnifier with its key."""
        if event.key() == Qt.Key.Key_Shift:
            self._point_out(None)
        elif self.keys.act_of(event) == MAGNIFIER and not event.isAutoRepeat():
            self.set_magnified(False)
        super().keyReleaseEvent(event)

    # --- wheel and mouse ---------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll or zoom about the pointer, as set. Small steps of a touch pad add up."""
        self.activated.emit()
        event.accept()
        if self.model.stack is None or any(layer.wheel(event) for layer in reversed(self.layers)):
            return
        angle, step = event.angleDelta().y(), MOUSE.wheel(**held_keys(event))
        if step is WheelStep.NOTHING:
            return
        if step is WheelStep.ZOOM:
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
            model = self.model
            images = notches * model.step * (10 if step is WheelStep.SCROLL_TEN else 1)
            self._move(model.moved(-images))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Give the press to the layers, or begin a drag."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        button = BUTTONS.get(event.button())
        if button is None or self.model.stack is None:
            return
        tool = MOUSE.drag(button, **held_keys(event), chosen=self.tool)
        if tool.draws:
            # a mark belongs to one image: the one that is pressed on
            self.cine.stop()
        self._taken_by = next((one for one in reversed(self.layers) if one.press(event)), None)
        if self._taken_by is not None or tool.draws:
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
            ahead=model.ahead,
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a drag, or what a layer follows, else find the region under the pointer."""
        point = event.position()
        self._probe_at(point)
        if self._taken_by is not None:
            self._taken_by.move(event)
            return
        if self._drag is None and any(layer.move(event) for layer in reversed(self.layers)):
            return
        free = event.buttons() == Qt.MouseButton.NoButton
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._point_out((point.x(), point.y()) if free and shift else None)
        if self._drag is not None:
            if self._pressed is not None and (point - self._pressed).manhattanLength() < SMALLEST_DRAG:
                return
            self._pressed = None
            if self._drag.tool is Tool.SCROLL:
                self.cine.stop()
            self._move(self._drag.to((point.x(), point.y()), self.model.state))
        elif not self.tool.draws:
            self._point_at(self.model.region_at((point.x(), point.y())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag; a press that did not move is a click on a region."""
        taken, self._taken_by = self._taken_by, None
        if taken is not None:
            taken.release(event)
            return
        point, pressed = event.position(), self._pressed
        drags, self._drag, self._pressed = self._drag is not None, None, None
        if drags:
            found = "" if pressed is None else self.model.region_at((point.x(), point.y()))
            if found:
                self.regionClicked.emit(found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Give it to the layers, else maximise and back."""
        self._taken_by = next((one for one in reversed(self.layers) if one.double_click(event)), None)
        if self._taken_by is not None:
            return
        if event.button() is not Qt.MouseButton.LeftButton:
            self.mousePressEvent(event)
        elif not self.tool.draws:
            self.actRequested.emit("viewport.maximise")

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at outside."""
        for layer in self.layers:
            layer.leave()
        self._probe_at(None)
        self._point_out(None)
        self._point_at("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The viewport with the focus is the active one."""
        self.activated.emit()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A key that is released elsewhere must not leave the magnifier behind."""
        self.set_magnified(False)
        super().focusOutEvent(event)

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

    def _probe_at(self, point: QPointF | None) -> None:
        """Tell the value under the pointer; without the magnifier only its corner is drawn anew."""
        self.model.pointer = None if point is None else (point.x(), point.y())
        if self.model.magnified:
            self.update()
            return
        aside = bool(self.model.state.justify)
        self.update(probe_area(QRectF(self.rect()), self.theme, whole=aside).toAlignedRect())

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
