"""Marks over the image of one viewport: they are drawn, drawn anew by hand, moved and changed here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent

from viewer.imaging.marks import POINTS_OF, Mark, MarkKind, Points
from viewer.imaging.ultrasound import Point
from viewer.views.layers import Layer, LayerOrder
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.brush import Brush
from viewer.views.marks.by_keys import ENTER, ByKeys
from viewer.views.marks.crossings import paint_crossings
from viewer.views.marks.image_marks import ImageMarks
from viewer.views.marks.paint import DrawnMark, draw_up, paint_brush, paint_label, paint_lines
from viewer.views.marks.sketch import GESTURES, SMALLEST_DRAG, Gesture, How, Sketch
from viewer.views.marks.word_field import WordField
from viewer.views.marks.words import spoken_words, tr
from viewer.views.mouse import MOUSE, Button
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray, transform

NOTCH = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""


@dataclass(frozen=True)
class Held:
    """A mark in the reader's hand.

    Parameters
    ----------
    mark
        As it was when it was taken.
    part
        Its handle, `image_marks.BODY` or `LABEL`.
    start, at
        Image point and widget point where it was taken.
    label
        Image point of its label's top left corner.
    """

    mark: Mark
    part: int
    start: Point
    at: Point
    label: Point


class MarksLayer(Layer):
    """Shows the marks of a board on one viewport and turns mouse and keys into what happens to them."""

    order: ClassVar[LayerOrder] = LayerOrder.MARKS

    def __init__(self, view: StackView, board: MarkBoard) -> None:
        super().__init__(view)
        self.board = board
        self.here = ImageMarks(view.model, board, view.theme, lambda: view.corner_text)
        self.brush = Brush()
        self.sketch: Sketch | None = None
        self.held: Held | None = None
        self.hovered = ""
        self.by_keys = ByKeys(self)
        self._field: WordField | None = None
        self._pointing = False
        self._dirty = QRectF()
        board.renewed.connect(self._renew)
        board.selected.connect(lambda _mark_id: self._tell_selected())
        self._acts: dict[str, Callable[[], bool]] = {
            "viewport.mark_delete": self._delete,
            "viewport.mark_rename": self._rename,
            "viewport.mark_next": lambda: board.jump_by(1),
            "viewport.mark_previous": lambda: board.jump_by(-1),
            "viewport.mark_finding": board.ask_finding,
            "viewport.mark_by_keys": self.by_keys.begin,
        }

    def _renew(self) -> None:
        if self.held is not None and self.board.mark(self.held.mark.id) is None:
            self.drop()
        self._tell_selected()

    def _tell_selected(self) -> None:
        """Tell assistive technology what the selected mark of this image measures."""
        chosen = self.board.chosen()
        here = chosen is not None and chosen in self.here.marks()
        self.view.setAccessibleDescription(spoken_words(chosen) if here and chosen else "")
        self.view.update()

    def stack_changed(self) -> None:
        """Drop what is in hand: it belongs to other images."""
        self.drop()

    def frame_changed(self) -> None:
        """A drawing never moves to another image; what the keys moved stays there."""
        self.by_keys.end()
        self.drop()
        self._tell_selected()

    def drop(self) -> None:
        """Forget what is in hand: marks are as on the board."""
        self.by_keys.forget()
        self.sketch, self.held, self.here.live, self.hovered = None, None, None, ""
        self.brush.drop()
        if self._field is not None:
            self._field.close_unsaved()
        self.view.update()

    # --- painting ----------------------------------------------------------------------------------

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw all marks, then the one that is being drawn, then all labels."""
        theme, selected = self.view.theme, self.board.selected_id
        drawn = self.here.drawn()
        paint_crossings(painter, self.here.crossing(), matrix, theme)
        sketched = self._sketched(matrix)
        for one in drawn:
            if one.mark.id != self.brush.mark_id:
                shown = one.mark.id in (selected, self.hovered) and one.mark.is_own
                paint_lines(painter, one, theme, handles=shown)
        if sketched is not None:
            paint_lines(painter, sketched, theme, handles=True, unfinished=self.sketch is not None)
        for one in (*drawn, *([sketched] if sketched is not None else [])):
            shown = one is sketched or self.here.shows_label(one.mark)
            if shown and (self._field is None or self._field.mark_id != one.mark.id):
                paint_label(painter, one, theme)
        self.by_keys.paint(painter, matrix)
        if self.gesture_is(How.PAINT) and self.view.model.pointer is not None:
            radius = self.brush.radius * self.view.model.scale()
            paint_brush(painter, QPointF(*self.view.model.pointer), radius, theme)

    def _sketched(self, matrix: FloatArray) -> DrawnMark | None:
        """Return what is being drawn as it stands in the viewport."""
        sketch = self._sketch_here()
        if self.brush.is_down:
            mark = _unfinished(MarkKind.BRUSH, ())
            lines = [(transform(matrix, ring), closed) for ring, closed in self.brush.lines()]
        elif sketch is not None:
            mark, lines = self._provisional(sketch), None
        else:
            return None
        return draw_up(mark, matrix, self.view.theme, self.here.label_bounds(), lines)

    def _provisional(self, sketch: Sketch) -> Mark:
        """Return the mark as it would be with the next point at the pointer; it may lack some."""
        aspect = self.here.aspect(sketch.cursor)
        points = sketch.provisional(aspect)
        mark = _unfinished(sketch.kind, points)
        if len(points) >= POINTS_OF[sketch.kind][0]:
            return self.here.measured(mark, live=True)
        # Of a mark with many steps the label says which one is next.
        steps = sketch.gesture.steps
        return mark.model_copy(update={"name": tr(sketch.step)}) if len(steps) > 2 else mark

    def _refresh(self) -> None:
        """Draw anew where the thing in hand was and where it is."""
        matrix = self.view.model.matrix()
        here = QRectF()
        sketched = self._sketched(matrix)
        if sketched is not None:
            here = sketched.area()
        elif self.here.live is not None:
            live = self.here.live.id
            here = next((one.area() for one in self.here.drawn() if one.mark.id == live), QRectF())
        self.view.update(self._dirty.united(here).toAlignedRect())
        self._dirty = here

    # --- the mouse ---------------------------------------------------------------------------------

    def press(self, event: QMouseEvent) -> bool:
        """Take hold of a mark, or begin one, or go on with it."""
        if not self._is_ours(event):
            return False
        at = self._widget_point(event)
        point, sketch = self.here.image_point(at), self._sketch_here()
        self.by_keys.end()
        gesture = self.gesture()
        if sketch is not None:
            self.put_down(point, at)
            return True
        found = self.here.found(at, self.hovered, drawing=gesture is not None)
        if found is not None:
            self._take(*found, point, at)
            return True
        if gesture is None:
            self.board.select("")
            return False
        erase = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.put_down(point, at, erase=erase)
        return True

    def put_down(self, point: Point, at: Point, *, erase: bool = False) -> None:
        """Set a point of what is drawn, or begin to draw, at an image point and a widget point."""
        sketch, gesture = self._sketch_here(), self.gesture()
        if sketch is None and gesture is not None:
            self._begin(gesture, point, at, erase=erase)
        elif sketch is not None and sketch.closes_at(point, self.view.model.scale()):
            self.finish(sketch)
        elif sketch is not None:
            self._go_on(sketch.press(point, at))

    def _is_ours(self, event: QMouseEvent) -> bool:
        """Return whether a press is for marks: the left button, unless a modifier binds it."""
        if event.button() is not Qt.MouseButton.LeftButton or self.here.place() is None:
            return False
        held, tool = event.modifiers(), self.view.tool
        ctrl = bool(held & Qt.KeyboardModifier.ControlModifier)
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        return MOUSE.drag(Button.LEFT, ctrl=ctrl, shift=shift, chosen=tool) is tool

    def _begin(self, gesture: Gesture, point: Point, at: Point, *, erase: bool) -> None:
        if gesture.how is How.WORDS:
            self._write(self.here.new(MarkKind.TEXT, points=(point,)))
        elif gesture.how is How.PAINT:
            model = self.view.model
            assert model.stack is not None  # there is an image under the pointer
            chosen, size = self.board.chosen(), model.image_size()
            goes_on = chosen is not None and chosen.mask is not None and chosen in self.here.marks()
            base = chosen if goes_on and chosen is not None and chosen.is_own else None
            self.brush.begin(base, (size.rows, size.columns), point, inside=not erase)
            self._refresh()
        else:
            self.board.select("")
            self._go_on(Sketch(self.view.tool, (point,), point, at))

    def move(self, event: QMouseEvent) -> bool:
        """Follow what is in hand; else find the mark under the pointer."""
        at = self._widget_point(event)
        point, sketch = self.here.image_point(at), self._sketch_here()
        if self.held is not None:
            if self.here.live is not None or math.dist(self.held.at, at) >= SMALLEST_DRAG:
                held, step = self.held, (point[0] - self.held.start[0], point[1] - self.held.start[1])
                moved = self.here.carried(
                    held.mark, held.part, step, start=held.start, label=held.label
                )
                self.here.live = self.here.measured(moved, live=True)
                self._refresh()
        elif self.brush.is_down:
            self.brush.move(point)
            self._refresh()
            self._move_circle(at)
        elif sketch is not None:
            self.follow(point)
        else:
            if self.gesture_is(How.PAINT):
                self._move_circle(at)
            return event.buttons() == Qt.MouseButton.NoButton and self._point_at(at)
        return True

    def follow(self, point: Point) -> None:
        """Let what is drawn follow the pointer, or the crosshair of the keyboard."""
        if self.sketch is not None:
            self._go_on(self.sketch.move(point, self.view.model.scale()))

    def _move_circle(self, at: Point) -> None:
        """Draw anew where the circle of the brush was and where it is."""
        reach = self.brush.radius * self.view.model.scale() + 3.0
        here = QRectF(at[0] - reach, at[1] - reach, 2 * reach, 2 * reach)
        self.view.update(self._dirty.united(here).toAlignedRect())
        self._dirty = here

    def release(self, event: QMouseEvent) -> bool:
        """Let go."""
        at = self._widget_point(event)
        if self.held is not None:
            self._let_go()
        else:
            self.lift(self.here.image_point(at), at)
        return True

    def lift(self, point: Point, at: Point) -> None:
        """End what `put_down` began: a stroke, or the last point of a mark."""
        sketch = self._sketch_here()
        if self.brush.is_down:
            self._painted()
        elif sketch is not None:
            sketch = sketch.release(point, at)
            if sketch.is_complete or sketch.gesture.how is How.STROKE:
                self.finish(sketch)
            else:
                self._go_on(sketch)

    def double_click(self, event: QMouseEvent) -> bool:
        """Close an outline; else open the words of a text; with a drawing tool it is two clicks."""
        if not self._is_ours(event):
            return False
        sketch = self._sketch_here()
        if sketch is not None and sketch.gesture.how is How.OUTLINE:
            self.finish(sketch)
            return True
        found = self.here.found(self._widget_point(event), self.hovered, drawing=False)
        if sketch is None and found is not None and found[0].mark.is_own:
            if found[0].mark.kind is MarkKind.TEXT:
                self._write(found[0].mark)
            return True
        return self.gesture() is not None and self.press(event)

    def wheel(self, event: QWheelEvent) -> bool:
        """Change the size of the brush with Alt."""
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if not alt or not self.gesture_is(How.PAINT):
            return False
        # Qt turns the wheel sideways while Alt is held on some systems.
        angle = event.angleDelta().y() or event.angleDelta().x()
        self.brush.resize(angle / NOTCH)
        self.view.update()
        return True

    def leave(self) -> None:
        """Nothing is under the pointer any more."""
        if self.hovered or self.gesture_is(How.PAINT):
            self.hovered = ""
            self.view.update()

    # --- keys and acts -----------------------------------------------------------------------------

    def key(self, event: QKeyEvent) -> bool:
        """Finish or cancel what is in hand, take a point back, select nothing."""
        if self.by_keys.key(event):
            return True
        sketch, key = self._sketch_here(), event.key()
        if key == Qt.Key.Key_Escape:
            return self._escapes()
        if sketch is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if key == Qt.Key.Key_Backspace:
            self._go_on(sketch.taken_back())
            return True
        ends = key in ENTER and sketch.gesture.how is How.OUTLINE
        if ends:
            self.finish(sketch)
        return ends

    def _escapes(self) -> bool:
        """Drop what is in hand, else select nothing; false when neither was so."""
        if self.sketch is not None or self.held is not None or self.brush.is_down:
            self.drop()
        elif self.board.selected_id:
            self.board.select("")
        else:
            return False
        return True

    def tab(self, ahead: bool) -> bool:
        """Take hold of the next handle of a mark that the keys move."""
        return self.by_keys.tab(ahead)

    def note(self) -> str:
        """Say what the keys do while they draw or move."""
        return self.by_keys.note()

    def do(self, act: str) -> bool:
        """Do an act on the selected mark, or go to another one."""
        step = self._acts.get(act)
        return step is not None and step()

    def _delete(self) -> bool:
        mark = self.board.chosen()
        if mark is None or not mark.is_own:
            return False
        self.board.remove(mark.id)
        return True

    def _rename(self) -> bool:
        mark = self.board.chosen()
        if mark is None or not mark.is_own or mark not in self.here.marks():
            return False
        self._write(mark)
        return True

    # --- steps of a drawing ------------------------------------------------------------------------

    def gesture(self) -> Gesture | None:
        """Return how the tool in use draws; none for one that leaves no mark."""
        return GESTURES.get(self.view.tool)

    def gesture_is(self, how: How) -> bool:
        """Return whether the tool in use draws in a way."""
        gesture = self.gesture()
        return gesture is not None and gesture.how is how

    def _sketch_here(self) -> Sketch | None:
        """Return the sketch; one of a tool that is put away is dropped."""
        if self.sketch is not None and self.sketch.tool is not self.view.tool:
            self.sketch = None
        return self.sketch

    def _go_on(self, sketch: Sketch | None) -> None:
        self.sketch = sketch
        self._refresh()

    def finish(self, sketch: Sketch) -> None:
        """Keep what was drawn, unless it was a slip."""
        self._go_on(None)
        points = sketch.finished(self.here.aspect(sketch.cursor), self.view.model.scale())
        if points is not None:
            self._keep(self.here.measured(self.here.new(sketch.kind, points=points)))

    def _keep(self, mark: Mark) -> None:
        if self.board.mark(mark.id) is None:
            self.board.add(mark)
        else:
            self.board.replace(mark)
        self.board.select(mark.id)

    def _painted(self) -> None:
        """Keep the pixels of a stroke; a mask without any goes away."""
        painted = self.brush.finish()
        if painted is None:
            return
        base, mask = painted
        if mask.count == 0:
            if base is not None:
                self.board.remove(base.id)
        elif base is not None:
            self._keep(self.here.measured(base.changed(mask=mask)))
        else:
            self._keep(self.here.measured(self.here.new(MarkKind.BRUSH, mask=mask)))
        self._refresh()

    def _take(self, drawn: DrawnMark, part: int, point: Point, at: Point) -> None:
        self.board.select(drawn.mark.id)
        if drawn.mark.is_own:
            corner = drawn.label.left(), drawn.label.top()
            self.held = Held(drawn.mark, part, point, at, self.view.model.to_image(corner))
            self._dirty = drawn.area()

    def _let_go(self) -> None:
        live, self.held, self.here.live = self.here.live, None, None
        if live is not None:
            self._keep(self.here.measured(live))
        self._refresh()

    def _write(self, mark: Mark) -> None:
        """Open a field for the words of a text, or for the name of another mark."""
        is_text = mark.kind is MarkKind.TEXT

        def keep(words: str) -> None:
            if words and is_text:
                self._keep(mark.changed(text=words))
            elif is_text:
                self.board.remove(mark.id)
            elif words != mark.name:
                self._keep(mark.changed(name=words))

        def closed() -> None:
            self._field = None
            self.view.update()

        theme = self.view.theme
        words = mark.text if is_text else mark.name
        self._field = WordField(self.view, theme, mark.id, words, keep, closed)
        self._field.open_at(self._place_of_words(mark))
        self.view.update()

    def _place_of_words(self, mark: Mark) -> QPoint:
        found = next((one for one in self.here.drawn() if one.mark.id == mark.id), None)
        if found is None or found.label.isEmpty():
            x, y = self.view.model.to_widget((mark.points[0][0], mark.points[0][1]))
            return QPoint(round(x), round(y))
        return QPoint(round(found.label.left()), round(found.label.center().y()))

    def _point_at(self, at: Point) -> bool:
        """Light the mark under the pointer up; true when there is one."""
        drawing = self.gesture() is not None
        found = (
            None if self.here.place() is None else self.here.found(at, self.hovered, drawing=drawing)
        )
        hovered = "" if found is None else found[0].mark.id
        if (hovered, found is None) != (self.hovered, not self._pointing):
            self.hovered, self._pointing = hovered, found is not None
            usual = Qt.CursorShape.CrossCursor if drawing else Qt.CursorShape.ArrowCursor
            self.view.setCursor(usual if found is None else Qt.CursorShape.SizeAllCursor)
            self.view.update()
        return found is not None

    def _widget_point(self, event: QMouseEvent) -> Point:
        return event.position().x(), event.position().y()


def _unfinished(kind: MarkKind, points: Points) -> Mark:
    """Return a mark that may lack points, to be laid out and not to be kept."""
    return Mark.model_construct(
        kind=kind, points=points, series_instance_uid="", series_key="", sop_instance_uid="-"
    )
