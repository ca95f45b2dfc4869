"""The marks of one study: one owner, which every viewport, list and store listens to."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from viewer.imaging.marks import Mark

Marks = tuple[Mark, ...]
Place = tuple[str, int]
"""SOP Instance UID and frame number."""


class MarkBoard(QObject):
    """Holds marks in the order in which they were made, and which of them is selected.

    Marks of others (`Mark.is_own` is false) are shown and selected like the reader's, and not changed.

    Signals
    -------
    changed(before, after)
        The reader did something: all marks (tuples of `Mark`) as they were and as they are. To undo,
        give `before` back to `restore`.
    renewed()
        Marks, or their order, are others than before, by whatever way: draw and list them anew.
    selected(str)
        Id of the mark that is selected from now on, or empty.
    jumpRequested(Mark)
        The reader wants to see a mark: go to its image.
    findingRequested(Mark)
        The reader wants a mark to become a finding of the report.
    """

    changed = Signal(object, object)
    renewed = Signal()
    selected = Signal(str)
    jumpRequested = Signal(object)
    findingRequested = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._marks: Marks = ()
        self._by_place: dict[Place, Marks] = {}
        self._selected = ""

    @property
    def marks(self) -> Marks:
        """All marks."""
        return self._marks

    @property
    def selected_id(self) -> str:
        """Id of the selected mark, or empty."""
        return self._selected

    def mark(self, mark_id: str) -> Mark | None:
        """Return a mark by its id."""
        return next((mark for mark in self._marks if mark.id == mark_id), None)

    def chosen(self) -> Mark | None:
        """Return the selected mark."""
        return self.mark(self._selected) if self._selected else None

    def on_image(self, sop_instance_uid: str, frame_number: int) -> Marks:
        """Return the marks on one image."""
        return self._by_place.get((sop_instance_uid, frame_number), ())

    # --- what the reader does ----------------------------------------------------------------------

    def add(self, *marks: Mark) -> None:
        """Add marks at the end."""
        self._take((*self._marks, *marks), told=True)

    def replace(self, mark: Mark) -> None:
        """Put a mark in the place of the one with its id; nothing happens where there is none."""
        self._take(tuple(mark if one.id == mark.id else one for one in self._marks), told=True)

    def remove(self, *mark_ids: str) -> None:
        """Take marks away; those of others stay."""
        kept = (one for one in self._marks if one.id not in mark_ids or not one.is_own)
        self._take(tuple(kept), told=True)

    def select(self, mark_id: str) -> None:
        """Select a mark; empty, or an id that is not here, selects none."""
        found = mark_id if self.mark(mark_id) is not None else ""
        if found != self._selected:
            self._selected = found
            self.selected.emit(found)

    def jump_by(self, step: int) -> bool:
        """Go to the mark so many places after the selected one, round the end; false without any."""
        if not self._marks:
            return False
        ids = [mark.id for mark in self._marks]
        here = ids.index(self._selected) if self._selected else (-1 if step > 0 else 0)
        self.jump_to(ids[(here + step) % len(ids)])
        return True

    def ask_finding(self) -> bool:
        """Ask for the selected mark to become a finding; false when none is selected."""
        mark = self.chosen()
        if mark is not None:
            self.findingRequested.emit(mark)
        return mark is not None

    def jump_to(self, mark_id: str) -> None:
        """Select a mark and ask for its image."""
        mark = self.mark(mark_id)
        if mark is not None:
            self.select(mark_id)
            self.jumpRequested.emit(mark)

    # --- what comes from elsewhere -----------------------------------------------------------------

    def restore(self, marks: Iterable[Mark]) -> None:
        """Take marks as they were kept, or as they were before an undo: `changed` is not emitted."""
        self._take(tuple(marks), told=False)

    def _take(self, marks: Marks, *, told: bool) -> None:
        before, self._marks = self._marks, marks
        if marks == before:
            return
        places: dict[Place, list[Mark]] = {}
        for mark in marks:
            if mark.sop_instance_uid is not None:
                places.setdefault((mark.sop_instance_uid, mark.frame_number), []).append(mark)
        self._by_place = {place: tuple(found) for place, found in places.items()}
        if self._selected and self.mark(self._selected) is None:
            self.select("")
        self.renewed.emit()
        if told:
            self.changed.emit(before, marks)
