"""Marks by the keyboard alone: a crosshair that arrows move sets points; a selected mark is moved.

The arrows scroll images. So both begin when the reader asks for it (`viewport.mark_by_keys`, Return)
and end with Return or Escape; meanwhile the arrows move by one image pixel, with Shift by ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPen

from viewer.imaging.marks import Mark
from viewer.imaging.marks_geometry import handles_of
from viewer.imaging.ultrasound import Point
from viewer.views.marks.image_marks import BODY
from viewer.views.marks.sketch import How
from viewer.views.marks.words import tr
from viewer.views.viewport_state import FloatArray, transform

if TYPE_CHECKING:
    from viewer.views.marks.layer import MarksLayer

ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
"""Image columns and rows."""

QUICK_STEP = 10
"""Image pixels of an arrow with Shift."""

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

ARM, GAP = 14.0, 4.0
"""Arms of the crosshair and the room it leaves in its middle, widget pixels."""

HELD_HANDLE = 5.5
"""Half the side of the handle that the arrows move, widget pixels."""


class ByKeys:
    """What the keyboard does to the marks of a layer.

    Attributes
    ----------
    crosshair
        Image point where the next point is set, while one is drawing.
    """

    def __init__(self, layer: MarksLayer) -> None:
        self._layer = layer
        self.forget()

    def forget(self) -> None:
        """Leave all as it is on the board."""
        self.crosshair: Point | None = None
        self._mark: Mark | None = None
        self._part = BODY
        self._step = (0, 0)

    @property
    def is_active(self) -> bool:
        """True while the arrows are for marks."""
        return self.crosshair is not None or self._mark is not None

    def begin(self) -> bool:
        """Draw with the tool in use; without one move the selected mark. False when neither can be."""
        layer = self._layer
        gesture, mark = layer.gesture(), layer.board.chosen()
        if layer.here.place() is None or (gesture is not None and gesture.how is How.STROKE):
            return False
        if gesture is not None:
            self._move_to(self._start())
        elif mark is not None and mark.is_own and mark in layer.here.marks():
            self._hold(mark, BODY)
        else:
            return False
        return True

    def end(self) -> None:
        """Keep the mark as it stands now."""
        layer, moved = self._layer, self._layer.here.live
        mark = self._mark
        self.forget()
        if mark is not None:
            layer.here.live = None
            if moved is not None and moved.id == mark.id:
                layer.board.replace(moved)
        layer.view.update()

    def note(self) -> str:
        """Say what the keys do now, or nothing."""
        if self.crosshair is not None:
            return tr("Arrows move, Return sets a point, Esc ends")
        if self._mark is not None:
            return tr("Arrows move, Tab: next handle, Return ends")
        return ""

    def key(self, event: QKeyEvent) -> bool:
        """Take an arrow, Return or Escape; any other key ends it and is the image's."""
        if not self.is_active:
            return False
        key, shift = event.key(), event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        arrow = ARROWS.get(Qt.Key(key))
        if arrow is not None:
            size = QUICK_STEP if shift else 1
            self._nudge(arrow[0] * size, arrow[1] * size)
        elif key in ENTER and not shift:
            self._set_point() if self.crosshair is not None else self.end()
        elif key == Qt.Key.Key_Escape:
            self._layer.drop()
        elif self.crosshair is not None and key == Qt.Key.Key_Backspace:
            return False
        elif key not in MODIFIERS:
            self.end()
            return False
        return True

    def tab(self, ahead: bool) -> bool:
        """Take hold of the next handle of the mark, or of the one before; after the last of it all."""
        mark = self._mark
        if mark is None:
            return False
        mark = self._layer.here.live or mark
        places = 1 + len(handles_of(mark))
        here = (self._part + 1 + (1 if ahead else -1)) % places
        self._hold(mark, here - 1)
        return True

    # --- drawing -----------------------------------------------------------------------------------

    def _start(self) -> Point:
        """Return the image point under the pointer, else in the middle of the viewport."""
        model = self._layer.view.model
        at = model.pointer or (model.size[0] / 2, model.size[1] / 2)
        column, row = self._layer.here.image_point(at)
        return float(round(column)), float(round(row))

    def _move_to(self, point: Point) -> None:
        """Put the crosshair, and what is drawn, at an image point; its value is told."""
        self.crosshair = point
        self._layer.view.model.pointer = self._layer.view.model.to_widget(point)
        self._layer.follow(point)
        self._layer.view.update()

    def _set_point(self) -> None:
        """Set a point; an outline ends with its last point set twice."""
        layer, point = self._layer, self.crosshair
        assert point is not None, "there is a crosshair"
        sketch = layer.sketch
        if sketch is not None and sketch.clicks[-1] == point:
            layer.finish(sketch)
        else:
            at = layer.view.model.to_widget(point)
            layer.put_down(point, at)
            layer.lift(point, at)
        layer.view.update()

    # --- moving ------------------------------------------------------------------------------------

    def _hold(self, mark: Mark, part: int) -> None:
        self._mark, self._part, self._step = mark, part, (0, 0)
        self._layer.here.live = mark
        self._layer.view.update()

    def _nudge(self, columns: int, rows: int) -> None:
        here = self._layer.here
        if self.crosshair is not None:
            column, row = self.crosshair
            at = self._layer.view.model.to_widget((column + columns, row + rows))
            self._move_to(here.image_point(at))
        elif self._mark is not None:
            self._step = self._step[0] + columns, self._step[1] + rows
            here.live = here.measured(here.carried(self._mark, self._part, self._step))
            self._layer.view.update()

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the crosshair, or the handle that the arrows move."""
        theme, live = self._layer.view.theme, self._layer.here.live
        pens = QPen(theme.colour("image"), 3.0), QPen(theme.colour("text"), 1.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.crosshair is not None:
            x, y = transform(matrix, [self.crosshair])[0].tolist()
            for pen in pens:
                painter.setPen(pen)
                for dx, dy in ARROWS.values():
                    painter.drawLine(
                        QPointF(x + dx * GAP, y + dy * GAP), QPointF(x + dx * ARM, y + dy * ARM)
                    )
        elif self._mark is not None and live is not None and self._part >= 0:
            x, y = transform(matrix, handles_of(live)[self._part : self._part + 1])[0].tolist()
            side = 2 * HELD_HANDLE
            for pen in pens:
                painter.setPen(pen)
                painter.drawRect(QRectF(x - HELD_HANDLE, y - HELD_HANDLE, side, side))


MODIFIERS = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_Meta,
    Qt.Key.Key_AltGr,
)
"""Keys that mean nothing alone."""
