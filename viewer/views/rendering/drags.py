"""What a press in a 3D view takes hold of, and how its drag changes the view."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent

from viewer.views.mouse import MOUSE, Button
from viewer.views.mouse_events import BUTTONS, held_keys
from viewer.views.rendering import overlay
from viewer.views.rendering.camera import Point
from viewer.views.rendering.model import HANDS, Hand

if TYPE_CHECKING:
    from viewer.views.rendering.view import VolumeView

HANDLE_REACH = 12.0
"""Widget pixels from a handle of the crop box within which a press takes it."""

TRACE_STEP = 3.0
"""Widget pixels between two points of a scalpel's outline."""

SMALLEST_DRAG = 3.0
"""Widget pixels: a shorter drag is a click."""


class Drags:
    """One press with its drag on a view.

    Attributes
    ----------
    outline
        What the scalpel has drawn so far, widget points.
    face
        Of the crop box: number of the face in the hand, or none.
    """

    def __init__(self, view: VolumeView) -> None:
        self._view = view
        self.drop()

    def drop(self) -> None:
        """Forget what was begun."""
        self.outline: list[Point] = []
        self.face: int | None = None
        self._share = 0.0
        self._hand = Hand.ROTATE
        self._start: Point | None = None
        self._last: Point = (0.0, 0.0)

    @property
    def is_down(self) -> bool:
        """True while the volume follows the pointer."""
        return self._start is not None and self.face is None

    def press(self, event: QMouseEvent) -> None:
        """Begin a drag, an outline or a click, as the mouse is set."""
        view, point, button = self._view, _point(event), BUTTONS.get(event.button())
        if view.model.camera is None or button is None:
            return
        held = held_keys(event)
        tool = MOUSE.drag(button, **held, chosen=view.tool)
        self._hand = HANDS.get(tool, Hand.ROTATE)
        if button is Button.LEFT and tool is view.tool:
            self._hand = view.model.hand
            self.face = self._face_at(point)
            if self.face is None and self._hand is Hand.PICK:
                view.editor.pick(point, back=held["shift"])
                return
            if self.face is None and self._hand.cuts:
                self.outline = [point]
                return
        if held["shift"] and self._hand is Hand.ROTATE:
            self._hand = Hand.ROLL
        self._start = self._last = point

    def move(self, event: QMouseEvent) -> None:
        """Follow the pointer; with nothing in hand find the evidence under it."""
        view, point = self._view, _point(event)
        if self.outline:
            last = self.outline[-1]
            if abs(point[0] - last[0]) + abs(point[1] - last[1]) >= TRACE_STEP:
                self.outline.append(point)
                view.update()
        elif self._start is None:
            view.point_at(self._region_at(point))
        else:
            if self.face is None:
                view.model.drag(self._hand, self._start, self._last, point)
            else:
                self._move_face(self.face, point)
            self._last = point
            view.draw(moving=True)

    def release(self, event: QMouseEvent) -> str:
        """End what was begun; return the evidence that was clicked, or an empty text."""
        view, point = self._view, _point(event)
        outline, start, face = self.outline, self._start, self.face
        self.drop()
        if outline:
            view.editor.cut(outline)
        if outline or start is not None:
            view.tell()
        clicked = start is not None and face is None and math.dist(start, point) < SMALLEST_DRAG
        left = event.button() is Qt.MouseButton.LeftButton
        return self._region_at(point) if clicked and left else ""

    def _region_at(self, point: Point) -> str:
        model = self._view.model
        if model.camera is None or model.hand.edits:
            return ""
        return self._view.evidence.at(point, model.camera, model.size)

    def _face_at(self, point: Point) -> int | None:
        """Return the face of the crop box whose handle is under a widget point."""
        model = self._view.model
        if not model.cropping or model.camera is None:
            return None
        for face, handle in enumerate(overlay.crop_handles(model, model.camera)):
            if math.dist(point, handle) <= HANDLE_REACH:
                axis, high = overlay.FACES[face]
                self._share = (model.crop.high if high else model.crop.low)[axis]
                return face
        return None

    def _move_face(self, face: int, point: Point) -> None:
        model, start = self._view.model, self._start
        if model.camera is None or start is None:
            return
        move = point[0] - start[0], point[1] - start[1]
        axis, high = overlay.FACES[face]
        moved = self._share + overlay.crop_share(model, model.camera, face, move)
        model.crop = model.crop.moved(axis, high, moved)


def _point(event: QMouseEvent) -> Point:
    return event.position().x(), event.position().y()
