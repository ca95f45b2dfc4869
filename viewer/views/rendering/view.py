"""A volume in three dimensions under the reader's hands: a plain widget that paints pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from viewer.acts import VIEWER_ACTS, Scope, Tool
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Study
from viewer.imaging.volume import ImageStack
from viewer.views.key_bindings import KeyBindings
from viewer.views.mouse import MOUSE, WheelStep
from viewer.views.mouse_events import held_keys
from viewer.views.rendering import overlay
from viewer.views.rendering.aside import Aside
from viewer.views.rendering.camera import Direction, Point
from viewer.views.rendering.drags import Drags
from viewer.views.rendering.editing import Editor
from viewer.views.rendering.evidence_layer import EvidenceLayer
from viewer.views.rendering.model import (
    HANDS,
    QUICK_TURN_DEGREES,
    TURN_DEGREES,
    TURNS,
    Hand,
    VolumeModel,
)
from viewer.views.rendering.render_thread import RenderThread
from viewer.views.rendering.scene import Picture, Surface
from viewer.views.rendering.voxels import Voxels, voxels_of
from viewer.views.theme import Theme
from viewer.views.viewport_paint import draw_frame

REST_MS = 160
"""After this long without a move the picture is rendered as fine as it gets."""

ZOOM_PER_NOTCH = 1.15
NOTCH = 120

ARROWS = {
    Qt.Key.Key_Left: "rendering.turn.left",
    Qt.Key.Key_Right: "rendering.turn.right",
    Qt.Key.Key_Up: "rendering.turn.up",
    Qt.Key.Key_Down: "rendering.turn.down",
}

TOOL = "viewport.tool."
PRESET = "viewport.preset."
"""What the names of acts of tools and of presets begin with."""

Mask = npt.NDArray[np.generic]


class VolumeView(QWidget):
    """One volume rendered; may stand in a workspace of its own or as one cell of another."""

    activated = Signal()
    changed = Signal()
    """What is shown, or how, is another: bars beside it show it."""
    actRequested = Signal(str)
    """An act of the viewer's table that this view does not know, or that others take part in."""
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    """The evidence whose surface is under the pointer from now on, or empty."""

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self.model = VolumeModel()
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self.refusal = self.step = ""
        self.corner_text = True
        self.editor = Editor(self.model, Aside(self))
        self.editor.removed.connect(self._show_removed)
        self.editor.aside.busyChanged.connect(lambda _busy: self.tell())
        self.tool = Tool.SCROLL
        self.evidence = EvidenceLayer(self.theme, self)
        self.evidence.changed.connect(self._put_surfaces)
        self._masks: Sequence[Surface] = ()
        self._made: list[ShownVolume] = []
        self._stack: ImageStack | None = None
        self._pointed = ""
        self._study: Study | None = None
        self._thread: RenderThread | None = None
        self._picture: Picture | None = None
        self._image: QImage | None = None
        self._active = False
        self.drags = Drags(self)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(lambda: self.draw(moving=False))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(self.theme.px(120), self.theme.px(90))

    # --- what is shown -----------------------------------------------------------------------------

    def show_volume(
        self, shown: ShownVolume, study: Study | None = None, *, stack: ImageStack | None = None
    ) -> None:
        """Show a volume from the front."""
        self.show_made(lambda: shown, study, stack=stack)

    def show_made(
        self,
        make: Callable[[], ShownVolume | GeometryVerdict],
        study: Study | None = None,
        *,
        let_go: Callable[[], None] | None = None,
        stack: ImageStack | None = None,
    ) -> None:
        """Show a volume that is made on the rendering thread, since that may take a while.

        Parameters
        ----------
        stack
            The images it is made of, on which masks of the evidence were made.
        let_go
            Called once, on any thread, when the pixels are not used any more.
        """
        self.clear()
        self._study, self._stack = study, stack
        made: list[ShownVolume] = []
        self._made = made
        thread = RenderThread()
        thread.painted.connect(self._paint_later)
        thread.refused.connect(self._refuse)
        thread.loaded.connect(self._loaded)
        thread.begun.connect(self._take_step)
        self._thread = thread
        thread.start(lambda: _voxels(make, made), let_go)
        self.tell()

    def clear(self) -> None:
        """Show nothing and let go of all memory; rendering stops after what is under way."""
        self._rest.stop()
        self.editor.clear()
        self.evidence.clear()
        if self._thread is not None:
            for signal in (
                self._thread.painted,
                self._thread.refused,
                self._thread.loaded,
                self._thread.begun,
            ):
                signal.disconnect()
            self._thread.end()
        self._thread = self._picture = self._image = self._study = self._stack = None
        self._masks, self._made, self._pointed = (), [], ""
        self.drags.drop()
        self.refusal = self.step = ""
        self.model.clear()
        self.tell()

    def rendering(self) -> RenderThread | None:
        """Return the thread that renders, none when nothing is shown."""
        return self._thread

    def picture(self) -> Picture | None:
        """Return the newest picture."""
        return self._picture

    def is_current(self) -> bool:
        """Return whether the picture is as fine as it gets and shows what was asked for last."""
        picture, model = self._picture, self.model
        return (
            picture is not None
            and picture.complete
            and not self._rest.isActive()
            and not self.editor.aside.is_busy
            and not self.evidence.is_busy
            and picture.scene == model.scene(moving=False)
        )

    def set_masks(self, masks: Sequence[tuple[Mask, tuple[float, float, float], float, str]]) -> None:
        """Show masks as surfaces.

        Parameters
        ----------
        masks
            Of each: the mask in the volume's grid (slice, row, column), colour (0 to 1), opacity, name.
        """
        self._masks = [Surface(*mask) for mask in masks]
        self._put_surfaces()

    def _put_surfaces(self) -> None:
        if self._thread is not None:
            self._thread.set_surfaces([*self._masks, *self.evidence.surfaces()])
            self.draw(moving=False)
            self.update()

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left button does; tools that measure turn the volume."""
        self.tool = tool
        self.model.hand = HANDS.get(tool, Hand.ROTATE)
        self.tell()

    def set_active(self, active: bool) -> None:
        """Draw or take away the frame of the active pane."""
        self._active = active
        self.update()

    def set_corner_text(self, shown: bool) -> None:
        """Show or hide all text over the picture, but never why it is not for measuring."""
        self.corner_text = shown
        self.update()

    def _loaded(self, found: Voxels | GeometryVerdict) -> None:
        if isinstance(found, GeometryVerdict):
            self._refuse(found.reason)
            return
        self.model.show(found)
        self.model.hand = HANDS.get(self.tool, Hand.ROTATE)
        if self._stack is not None and self._made:
            self.evidence.open(self._stack, self._made[0])
        self.tell()
        self.draw(moving=True)

    def _take_step(self, words: str) -> None:
        """Say what is done before the first picture."""
        self.step = words
        self.tell()

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self.tell()

    # --- pictures ----------------------------------------------------------------------------------

    def draw(self, *, moving: bool) -> None:
        """Ask for a picture; after a coarse one a fine one follows when the reader rests."""
        scene = self.model.scene(moving=moving)
        if scene is None or self._thread is None:
            return
        self._thread.draw(scene)
        if moving:
            self._rest.start()

    def _paint_later(self, picture: Picture) -> None:
        if self.sender() is not self._thread:
            return
        rows, columns = picture.pixels.shape[:2]
        self._picture = picture
        self._image = QImage(
            picture.pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGBX8888
        )
        self.update()
        if not picture.complete and not picture.scene.moving and not self._rest.isActive():
            self.draw(moving=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the newest picture with letters and words."""
        painter, theme, model = QPainter(self), self.theme, self.model
        bounds = QRectF(self.rect())
        painter.fillRect(bounds, theme.colour("image"))
        if self._image is not None and self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(bounds, self._image)
            camera = self._picture.scene.camera
            if self._picture.scene.look.white_ground:
                theme = theme.on_white()
            self.evidence.paint(painter, camera, model.size)
            if self.corner_text:
                overlay.paint_words(painter, model, self._study, camera, note=self._note(), theme=theme)
                overlay.paint_cube(painter, model, camera, theme)
            if model.cropping:
                overlay.paint_crop(painter, model, camera, self.drags.face, theme)
            if len(self.drags.outline) > 1:
                overlay.paint_outline(painter, self.drags.outline, theme)
            hint = self._hint()
            if hint:
                overlay.paint_hint(painter, hint, model, theme)
        elif self.refusal:
            overlay.paint_refusal(painter, self.refusal, model, theme)
        elif self._thread is not None:
            overlay.paint_refusal(painter, self.step or self.tr("Preparing 3D \u2026"), model, theme)
        if self._active:
            width = theme.length("viewport", "frame")
            draw_frame(painter, bounds, theme.colour("viewport-frame"), width)

    def _note(self) -> str:
        stale = self._picture is not None and self._picture.scene.edition != self.model.edition
        if self.editor.aside.is_busy or stale:
            return self.tr("working \u2026")
        picture = self._picture
        rests = picture is None or picture.complete or self._rest.isActive() or self.drags.is_down
        return "" if rests else self.tr("refining \u2026")

    def _hint(self) -> str:
        hints = {
            Hand.CUT_INSIDE: self.tr("Draw an outline: what lies inside is cut away"),
            Hand.CUT_OUTSIDE: self.tr("Draw an outline: what lies outside is cut away"),
            Hand.PICK: self.tr("Click a part to take it away, with Shift to bring it back"),
        }
        return hints.get(self.model.hand, "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Render at the new size."""
        old = self.model.size
        self.model.size = (float(max(1, self.width())), float(max(1, self.height())))
        self.model.ratio = self.devicePixelRatioF()
        model = self.model
        if model.camera is not None and model.direction is not None and model.size != old:
            model.look_from(model.direction)
        self.draw(moving=True)

    # --- acts --------------------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act by name; false when it is not one of a 3D view's or nothing is shown."""
        if self.model.voxels is None:
            return False
        area, _, rest = act.partition(".")
        model = self.model
        if act.startswith(TOOL):
            self.set_tool(Tool(act.removeprefix(TOOL)))
            return False  # the tool bar shows the tool that the viewports have
        if act == "viewport.reset":
            model.reset()
        elif act == "viewport.zoom_in":
            model.zoom(ZOOM_PER_NOTCH)
        elif act == "viewport.zoom_out":
            model.zoom(1 / ZOOM_PER_NOTCH)
        elif act == "viewport.regions":
            self.evidence.switch_all()
        elif act in TURNS:
            self._turn(act, TURN_DEGREES)
        elif act.startswith(PRESET):
            presets = model.presets()[int(act.removeprefix(PRESET)) - 1 :]
            if not presets:
                return False
            model.set_preset(presets[0].name)
        elif area != "rendering" or not self._do_own(rest):
            return False
        self.tell()
        self.draw(moving=True)
        return True

    def _do_own(self, act: str) -> bool:
        kind, _, name = act.partition(".")
        model = self.model
        if kind == "from":
            model.look_from(Direction(name))
        elif kind == "preset":
            return model.set_preset(name)
        elif kind == "hand":
            hand, usual = Hand(name), HANDS.get(self.tool, Hand.ROTATE)
            model.hand = usual if model.hand is hand else hand
        elif act == "mip":
            model.toggle_mip()
        elif act == "crop":
            model.cropping = not model.cropping
        else:
            return self.editor.do(act)
        return True

    def why_not(self, act: str) -> str:
        """Return why an act is not possible now, or empty."""
        return self.editor.why_not(act.removeprefix("rendering."))

    def set_clip_share(self, share: float) -> None:
        """Take away the nearest share of the volume, 0 to 1."""
        self.model.set_clip_share(share)
        self.draw(moving=True)
        self.tell()

    def _show_removed(self) -> None:
        if self._thread is not None:
            self._thread.remove(self.model.removed())
        self.tell()
        self.draw(moving=True)

    def tell(self) -> None:
        """Show how the view stands: pointer, name, and the bars beside it."""
        points = bool(self._pointed) or self.model.hand is Hand.PICK
        usual = Qt.CursorShape.CrossCursor if self.model.hand.cuts else Qt.CursorShape.ArrowCursor
        self.setCursor(Qt.CursorShape.PointingHandCursor if points else usual)
        spoken = ", ".join(overlay.spoken(self.model))
        self.setAccessibleName(spoken or self.refusal or self.step)
        self.update()
        self.changed.emit()

    # --- mouse and keys ----------------------------------------------------------------------------

    def _turn(self, act: str, degrees: float) -> None:
        across, down = TURNS[act]
        self.model.turn(across * degrees, down * degrees)
        self.draw(moving=True)
        self.tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do the act of the key; arrows turn the volume, Escape puts the scalpel down first."""
        if event.key() == Qt.Key.Key_Escape and self.model.hand.edits:
            self.drags.drop()
            self.set_tool(self.tool)
            return
        arrow = ARROWS.get(Qt.Key(event.key()))
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if arrow is not None and (shift or not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier):
            self._turn(arrow, QUICK_TURN_DEGREES if shift else TURN_DEGREES)
            return
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        elif not self.do(act):
            self.actRequested.emit(act)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer, unless the wheel is set to do nothing."""
        self.activated.emit()
        event.accept()
        if MOUSE.wheel(**held_keys(event)) is WheelStep.NOTHING:
            return
        factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)
        self.model.zoom(factor, _point(event.position()))
        self.draw(moving=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag, an outline or a click."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        self.drags.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow what was begun; else find the evidence under the pointer."""
        self.drags.move(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at outside."""
        self.point_at("")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was begun; a press that did not move is a click on evidence."""
        found = self.drags.release(event)
        if found:
            self.regionClicked.emit(found)

    def point_at(self, evidence_id: str) -> None:
        """Say which evidence is under the pointer."""
        if evidence_id != self._pointed:
            self._pointed = evidence_id
            self.tell()
            self.regionHovered.emit(evidence_id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the whole stage, or the way back."""
        if event.button() is Qt.MouseButton.LeftButton and not self.model.hand.edits:
            self.actRequested.emit("viewport.maximise")
        else:
            self.mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The view with the focus is the active one."""
        self.activated.emit()
        super().focusInEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is refined that nobody sees."""
        self._rest.stop()
        super().hideEvent(event)


def _point(place: QPointF) -> Point:
    return place.x(), place.y()


def _voxels(
    make: Callable[[], ShownVolume | GeometryVerdict], keep: list[ShownVolume]
) -> Voxels | GeometryVerdict:
    """Return the voxels of what is made, and keep that for the window."""
    made = make()
    if isinstance(made, GeometryVerdict):
        return made
    keep.append(made)
    return voxels_of(made)
