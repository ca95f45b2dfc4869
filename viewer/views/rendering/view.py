"""A volume in three dimensions under the reader's hands: a plain widget that paints pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
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

from viewer.acts import VIEWER_ACTS, Scope
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Study
from viewer.views.key_bindings import KeyBindings
from viewer.views.rendering import overlay
from viewer.views.rendering.aside import Aside
from viewer.views.rendering.camera import Direction, Point
from viewer.views.rendering.editing import Editor
from viewer.views.rendering.model import Hand, VolumeModel
from viewer.views.rendering.render_thread import RenderThread
from viewer.views.rendering.scene import Picture, Surface
from viewer.views.rendering.voxels import Voxels, voxels_of
from viewer.views.theme import Theme
from viewer.views.viewport_paint import draw_frame

REST_MS = 160
"""After this long without a move the picture is rendered as fine as it gets."""

ZOOM_PER_NOTCH = 1.15
NOTCH = 120

HANDLE_REACH = 12.0
"""Widget pixels from a handle of the crop box within which a press takes it."""

TRACE_STEP = 3.0
"""Widget pixels between two points of a scalpel's outline."""

BUTTONS = {
    Qt.MouseButton.MiddleButton: Hand.PAN,
    Qt.MouseButton.RightButton: Hand.ZOOM,
}
"""Hands of the buttons that do not follow the chosen one, as in 2D."""

Mask = npt.NDArray[np.generic]


class VolumeView(QWidget):
    """One volume rendered; may stand in a workspace of its own or as one cell of another."""

    activated = Signal()
    changed = Signal()
    """What is shown, or how, is another: bars beside it show it."""
    actRequested = Signal(str)
    """An act of the viewer's table that this view does not know."""

    def __init__(self, theme: Theme | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme or Theme()
        self.model = VolumeModel()
        self.keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
        self.refusal = ""
        self.corner_text = True
        self.editor = Editor(self.model, Aside(self))
        self.editor.removed.connect(self._show_removed)
        self.editor.aside.busyChanged.connect(lambda _busy: self._tell())
        self._study: Study | None = None
        self._thread: RenderThread | None = None
        self._picture: Picture | None = None
        self._image: QImage | None = None
        self._active = False
        self._pressed: tuple[Hand, Point, Point] | None = None
        self._handle: tuple[int, float, Point] | None = None
        self._outline: list[Point] = []
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(lambda: self._draw(moving=False))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(self.theme.px(120), self.theme.px(90))

    # --- what is shown -----------------------------------------------------------------------------

    def show_volume(self, shown: ShownVolume, study: Study | None = None) -> None:
        """Show a volume from the front."""
        self.show_made(lambda: shown, study)

    def show_made(
        self,
        make: Callable[[], ShownVolume | GeometryVerdict],
        study: Study | None = None,
        *,
        let_go: Callable[[], None] | None = None,
    ) -> None:
        """Show a volume that is made on the rendering thread, since that may take a while.

        Parameters
        ----------
        let_go
            Called once, on any thread, when the pixels are not used any more.
        """
        self.clear()
        self._study = study
        thread = RenderThread()
        thread.painted.connect(self._paint_later)
        thread.refused.connect(self._refuse)
        thread.loaded.connect(self._loaded)
        self._thread = thread
        thread.start(lambda: _voxels(make), let_go)
        self._tell()

    def clear(self) -> None:
        """Show nothing and let go of all memory; rendering stops after what is under way."""
        self._rest.stop()
        self.editor.clear()
        if self._thread is not None:
            for signal in (self._thread.painted, self._thread.refused, self._thread.loaded):
                signal.disconnect()
            self._thread.end()
        self._thread = self._picture = self._image = self._study = None
        self._pressed = self._handle = None
        self._outline = []
        self.refusal = ""
        self.model.clear()
        self._tell()

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
            and picture.scene == model.scene(moving=False)
        )

    def set_masks(self, masks: Sequence[tuple[Mask, tuple[float, float, float], float, str]]) -> None:
        """Show masks as surfaces.

        Parameters
        ----------
        masks
            Of each: the mask in the volume's grid (slice, row, column), colour (0 to 1), opacity, name.
        """
        if self._thread is not None:
            self._thread.set_surfaces([Surface(*mask) for mask in masks])
            self._draw(moving=False)

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
        self._tell()
        self._draw(moving=True)

    def _refuse(self, reason: str) -> None:
        self.refusal = reason
        self._tell()

    # --- pictures ----------------------------------------------------------------------------------

    def _draw(self, *, moving: bool) -> None:
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
            self._draw(moving=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the newest picture with letters and words."""
        painter, theme, model = QPainter(self), self.theme, self.model
        bounds = QRectF(self.rect())
        ground = "image"
        painter.fillRect(bounds, theme.colour(ground))
        if self._image is not None and self._picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(bounds, self._image)
            camera = self._picture.scene.camera
            if self.corner_text:
                overlay.paint_words(painter, model, self._study, camera, note=self._note(), theme=theme)
                overlay.paint_cube(painter, model, camera, theme)
            if model.cropping:
                held = None if self._handle is None else self._handle[0]
                overlay.paint_crop(painter, model, camera, held, theme)
            if len(self._outline) > 1:
                overlay.paint_outline(painter, self._outline, theme)
            hint = self._hint()
            if hint:
                overlay.paint_hint(painter, hint, model, theme)
        elif self.refusal:
            overlay.paint_refusal(painter, self.refusal, model, theme)
        elif self._thread is not None:
            overlay.paint_refusal(painter, self.tr("Preparing 3D \u2026"), model, theme)
        if self._active:
            width = theme.length("viewport", "frame")
            draw_frame(painter, bounds, theme.colour("viewport-frame"), width)

    def _note(self) -> str:
        stale = self._picture is not None and self._picture.scene.edition != self.model.edition
        if self.editor.aside.is_busy or stale:
            return self.tr("working \u2026")
        picture = self._picture
        rests = (
            picture is None or picture.complete or self._rest.isActive() or self._pressed is not None
        )
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
        self._draw(moving=True)

    # --- acts --------------------------------------------------------------------------------------

    def do(self, act: str) -> bool:
        """Do an act by name; false when it is not one of a 3D view's or nothing is shown."""
        if self.model.voxels is None:
            return False
        area, _, rest = act.partition(".")
        model = self.model
        if act == "viewport.reset":
            model.reset()
        elif act == "viewport.zoom_in":
            model.zoom(ZOOM_PER_NOTCH)
        elif act == "viewport.zoom_out":
            model.zoom(1 / ZOOM_PER_NOTCH)
        elif act in HANDS_OF_TOOLS:
            model.hand = HANDS_OF_TOOLS[act]
        elif area != "rendering" or not self._do_own(rest):
            return False
        self._tell()
        self._draw(moving=True)
        return True

    def _do_own(self, act: str) -> bool:
        kind, _, name = act.partition(".")
        model = self.model
        if kind == "from":
            model.look_from(Direction(name))
        elif kind == "preset":
            return model.set_preset(name)
        elif kind == "hand":
            hand = Hand(name)
            model.hand = Hand.ROTATE if model.hand is hand else hand
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
        self._draw(moving=True)
        self._tell()

    def _show_removed(self) -> None:
        if self._thread is not None:
            self._thread.remove(self.model.removed())
        self._tell()
        self._draw(moving=True)

    def _tell(self) -> None:
        shapes = {Hand.ROTATE: Qt.CursorShape.ArrowCursor, Hand.PICK: Qt.CursorShape.PointingHandCursor}
        self.setCursor(shapes.get(self.model.hand, Qt.CursorShape.CrossCursor))
        self.setAccessibleName(", ".join(overlay.spoken(self.model)) or self.refusal)
        self.update()
        self.changed.emit()

    # --- mouse and keys ----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do the act of the key; Escape puts the scalpel down first."""
        if event.key() == Qt.Key.Key_Escape and self.model.hand is not Hand.ROTATE:
            self.model.hand, self._outline = Hand.ROTATE, []
            self._tell()
            return
        act = self.keys.act_of(event)
        if act is None:
            super().keyPressEvent(event)
        elif not self.do(act):
            self.actRequested.emit(act)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        self.activated.emit()
        event.accept()
        factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / NOTCH)
        self.model.zoom(factor, _point(event.position()))
        self._draw(moving=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag, an outline or a click."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        point = _point(event.position())
        hand = BUTTONS.get(event.button(), self.model.hand)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self.model.camera is None:
            return
        if event.button() is Qt.MouseButton.LeftButton:
            if self._take_handle(point):
                return
            if hand is Hand.PICK:
                self.editor.pick(point, back=shift)
                return
            if hand.cuts:
                self._outline = [point]
                return
            if shift and hand is Hand.ROTATE:
                hand = Hand.ROLL
        self._pressed = hand, point, point

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow what was begun."""
        point = _point(event.position())
        if self._handle is not None:
            face, share, start = self._handle
            camera = self.model.camera
            if camera is not None:
                move = point[0] - start[0], point[1] - start[1]
                axis, high = overlay.FACES[face]
                moved = share + overlay.crop_share(self.model, camera, face, move)
                self.model.crop = self.model.crop.moved(axis, high, moved)
                self._draw(moving=True)
        elif self._outline:
            last = self._outline[-1]
            if abs(point[0] - last[0]) + abs(point[1] - last[1]) >= TRACE_STEP:
                self._outline.append(point)
                self.update()
        elif self._pressed is not None:
            hand, start, last = self._pressed
            self.model.drag(hand, start, last, point)
            self._pressed = hand, start, point
            self._draw(moving=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End what was begun."""
        ended = self._pressed is not None or self._handle is not None
        outline, self._outline = self._outline, []
        self._pressed = self._handle = None
        if outline:
            self.editor.cut(outline)
        if ended or outline:
            self._tell()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the whole stage, or the way back."""
        if event.button() is Qt.MouseButton.LeftButton and self.model.hand is Hand.ROTATE:
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

    def _take_handle(self, point: Point) -> bool:
        model = self.model
        if not model.cropping or model.camera is None:
            return False
        for face, (x, y) in enumerate(overlay.crop_handles(model, model.camera)):
            if np.hypot(point[0] - x, point[1] - y) <= HANDLE_REACH:
                axis, high = overlay.FACES[face]
                self._handle = face, (model.crop.high if high else model.crop.low)[axis], point
                return True
        return False


HANDS_OF_TOOLS = {
    "viewport.tool.scroll": Hand.ROTATE,
    "viewport.tool.window": Hand.WINDOW,
    "viewport.tool.zoom": Hand.ZOOM,
    "viewport.tool.pan": Hand.PAN,
}
"""The tools of the 2D viewport by what they are here."""


def _point(place: QPointF) -> Point:
    return place.x(), place.y()


def _voxels(make: Callable[[], ShownVolume | GeometryVerdict]) -> Voxels | GeometryVerdict:
    made = make()
    return made if isinstance(made, GeometryVerdict) else voxels_of(made)
