"""Marks on the image of one viewport: where they stand, which is under a point, what they measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF

from viewer.imaging.marks import Mark, MarkKind, Points
from viewer.imaging.marks_geometry import Line, handles_of, moved, with_handle
from viewer.imaging.marks_mask import MarkMask
from viewer.imaging.marks_measure import frame_pixels, measure_mark
from viewer.imaging.measure import Scale, scale_of
from viewer.imaging.ultrasound import Point
from viewer.views.marks.board import MarkBoard, Place
from viewer.views.marks.clear_of import word_boxes
from viewer.views.marks.crossings import crossings
from viewer.views.marks.paint import DrawnMark, draw_up, edges, lay_out
from viewer.views.places import plane_of, reach_of
from viewer.views.tag_place import Box
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel
from viewer.views.viewport_paint import tag_boxes
from viewer.views.viewport_state import FloatArray

LIVE_PIXELS = 1 << 20
"""Pixels in the box of a mark above which the values inside are measured when it is let go."""

BODY, LABEL = -1, -2
"""What is held of a mark beside its handles, which count from 0."""


class ImageMarks:
    """What the marks of a board are on the image that a viewport draws.

    Parameters
    ----------
    words_shown
        Says whether words are drawn over the image now.

    Attributes
    ----------
    live
        The mark in the reader's hand as it is now, in place of the one on the board.
    """

    def __init__(
        self,
        model: ViewportModel,
        board: MarkBoard,
        theme: Theme,
        words_shown: Callable[[], bool] = lambda: True,
    ) -> None:
        self.live: Mark | None = None
        self._model, self._board, self._theme = model, board, theme
        self._words_shown = words_shown
        self._looks: object = None
        self._laid: dict[Place, tuple[tuple[Mark, ...], list[DrawnMark]]] = {}

    def place(self) -> Place | None:
        """Return the image that is drawn; none while another one stands in for it."""
        model = self._model
        if model.stack is None or model.shown_index() != model.state.index:
            return None
        instance, number = model.stack.frames[model.state.index]
        return model.stack.series.instances[instance].sop_instance_uid, number

    def marks(self) -> tuple[Mark, ...]:
        """Return the marks on the image that is drawn, as the board has them."""
        place = self.place()
        return () if place is None else self._board.on_image(*place)

    def crossing(self) -> list[tuple[Mark, list[Line]]]:
        """Return the marks in the patient that cross the image, with their lines in its points."""
        model, place = self._model, self.place()
        stack = model.stack
        plane = None if stack is None or place is None else plane_of(stack, model.state.index)
        if stack is None or plane is None:
            return []
        uid = stack.series.frame_of_reference_uid
        inside = (
            (mark, crossings(mark, plane, reach_of(stack)))
            for mark in self._board.marks
            if mark.in_patient and uid and mark.frame_of_reference_uid == uid
        )
        return [(mark, lines) for mark, lines in inside if lines]

    def drawn(self) -> list[DrawnMark]:
        """Return these marks as they stand in the viewport, laid out once for each change.

        The one in hand stands where it is now; the labels of the others stay meanwhile.
        """
        place, marks = self.place(), self.marks()
        if place is None or not marks:
            return []
        matrix = self._model.matrix()
        model = self._model
        lit = model.all_regions or frozenset(model.lit | {model.pointed})
        looks = matrix.tobytes(), model.size, lit, self._words_shown()
        if looks != self._looks:
            self._looks, self._laid = looks, {}
        before, drawn = self._laid.get(place, ((), []))
        if before is not marks:
            drawn = lay_out(marks, matrix, self._theme, self.label_bounds(), self._taken(matrix))
            self._laid[place] = (marks, drawn)
        live = self.live
        if live is None:
            return drawn
        taken = [edges(one.label) for one in drawn if one.mark.id != live.id]
        moved = draw_up(live, matrix, self._theme, self.label_bounds(), taken=taken)
        return [moved if one.mark.id == live.id else one for one in drawn]

    def _taken(self, matrix: FloatArray) -> list[Box]:
        """Return where tags of the evidence and the corner text stand."""
        model, bounds = self._model, self.label_bounds()
        tags = tag_boxes(model.drawn_outlines(), matrix, self._theme, bounds).values()
        return [*tags, *(word_boxes(model, self._theme) if self._words_shown() else ())]

    def label_bounds(self) -> QRectF:
        """Return where labels may stand."""
        return QRectF(0.0, 0.0, *self._model.size).adjusted(4, 4, -4, -4)

    def found(self, at: Point, hovered: str, *, drawing: bool) -> tuple[DrawnMark, int] | None:
        """Return the mark under a widget point and what of it: a handle before a label or a line.

        With a drawing tool only the handles of the selected mark are there: a new mark may begin on
        the line of another.
        """
        selected = self._board.selected_id
        drawn = self.drawn()[::-1]
        for one in drawn:
            if one.mark.is_own and one.mark.id in ({selected} if drawing else {selected, hovered}):
                handle = one.handle_at(*at)
                if handle is not None:
                    return one, handle
        if drawing:
            return None
        for one in drawn:
            if one.is_hit(*at):
                return one, BODY
            if self.shows_label(one.mark) and one.label.contains(*at):
                return one, LABEL
        return None

    def new(self, kind: MarkKind, points: Points = (), mask: MarkMask | None = None) -> Mark:
        """Return a new mark on the image that is drawn."""
        stack, place = self._model.stack, self.place()
        assert stack is not None and place is not None  # a gesture begins on an image only
        return Mark(
            kind=kind,
            points=points,
            mask=mask,
            series_instance_uid=stack.series.series_instance_uid,
            series_key=stack.series.key,
            sop_instance_uid=place[0],
            frame_number=place[1],
            frame_of_reference_uid=stack.series.frame_of_reference_uid or None,
        )

    def measured(self, mark: Mark, *, live: bool = False) -> Mark:
        """Return a mark with its values; while it is in hand a large one without those of pixels."""
        stack, index = self._model.stack, self._model.state.index
        if stack is None:
            return mark
        small = True
        if live and mark.points:
            sides = np.ptp(mark.array(), axis=0)
            small = float(sides.prod()) <= LIVE_PIXELS
        pixels = frame_pixels(stack, index) if small and mark.kind.has_area else None
        return measure_mark(mark, stack.series, stack.frames[index], pixels)

    def carried(
        self,
        mark: Mark,
        part: int,
        step: Point,
        *,
        start: Point | None = None,
        label: Point | None = None,
    ) -> Mark:
        """Return a mark of which one part was carried by a step in image pixels.

        Parameters
        ----------
        part
            A handle, BODY or LABEL.
        start, label
            Image points where a handle was taken, itself by default, and of the corner of the label.
        """
        if part == LABEL and label is not None:
            return mark.changed(label_at=(label[0] + step[0], label[1] + step[1]))
        if part < 0:
            return moved(mark, *step)
        column, row = handles_of(mark)[part].tolist() if start is None else start
        to = column + step[0], row + step[1]
        return with_handle(mark, part, to, self.aspect(to))

    def shows_label(self, mark: Mark) -> bool:
        """Return whether the words of a mark are drawn: with the corner text they go, but for texts."""
        return self._words_shown() or mark.kind in (MarkKind.TEXT, MarkKind.ARROW)

    def aspect(self, point: Point) -> float:
        """Return the row spacing over the column spacing at an image point."""
        stack = self._model.stack
        if stack is None:
            return 1.0
        scale = scale_of(stack.series, stack.frames[self._model.state.index], [point])
        return scale.row / scale.column if isinstance(scale, Scale) else 1.0

    def image_point(self, at: Point) -> Point:
        """Return the image point under a widget point; beside the image the nearest of its edge."""
        size = self._model.image_size()
        column, row = self._model.to_image(at)
        return (
            min(max(column, -0.5), size.columns - 0.5),
            min(max(row, -0.5), size.rows - 0.5),
        )
