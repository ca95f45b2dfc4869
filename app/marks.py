"""The marks of a study: how they are kept, what an act on them is called, and the way back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from reports.store.kinds import RecordKind
from viewer.imaging.marks import Mark, MarkKind

if TYPE_CHECKING:
    from app.desk import Desk

MARKS_SCHEMA: Final = "sightline.marks/1"

Marks = tuple[Mark, ...]

NOT_AN_ACT: Final = frozenset({"values", "refusal", "modified_at"})
"""Fields that a measurement fills in by itself: a change of these alone is nothing to take back."""


class MarksError(Exception):
    """Stored marks that cannot be read; the message is for the reader."""


def body_of(marks: Sequence[Mark]) -> dict[str, Any]:
    """Return the record of a study's own marks; what others marked stays in their objects."""
    return {
        "schema": MARKS_SCHEMA,
        "marks": [mark.model_dump(mode="json", exclude_none=True) for mark in marks if mark.is_own],
    }


def marks_in(body: Mapping[str, Any] | None) -> Marks:
    """Return the marks of a record; none of no record.

    Raises
    ------
    MarksError
        Another schema, or a mark that this program does not know.
    """
    if body is None:
        return ()
    if body.get("schema") != MARKS_SCHEMA:
        raise MarksError("A newer Sightline wrote the marks of this study.")
    try:
        return tuple(Mark.model_validate(item) for item in body["marks"])
    except (KeyError, TypeError, ValidationError):
        raise MarksError("The marks of this study cannot be read.") from None


def marks_of_study(desk: Desk, study_instance_uid: str) -> Marks:
    """Return the marks that are kept with a study, for whoever writes them out (blocks).

    Raises
    ------
    MarksError
        They cannot be read.
    StoreError
        The store refused.
    """
    return marks_in(desk.study_record(study_instance_uid, RecordKind.MARKS))


class MarkAct(StrEnum):
    """What a person did to marks, in words that the audit log takes."""

    ADD = "add"
    DELETE = "delete"
    RENAME = "rename"
    LINK = "link to a lesion"
    UNLINK = "unlink from a lesion"
    CHANGE = "change"


@dataclass(frozen=True)
class MarkChange:
    """One act on marks.

    Parameters
    ----------
    kind
        Of the mark, none when it was several of different kinds.
    mark_ids
        The marks it was done to.
    """

    act: MarkAct
    kind: MarkKind | None
    mark_ids: tuple[str, ...]

    def words(self) -> str:
        """Return it for the audit log: nothing that was typed, "rename length"."""
        what = str(self.kind or "mark")
        count = len(self.mark_ids)
        return f"{self.act}: {what}" if count == 1 else f"{self.act}: {count} of kind {what}"


def change_between(before: Sequence[Mark], after: Sequence[Mark]) -> MarkChange | None:
    """Return what was done between two states, or none when nothing was that a person did."""
    old, new = {mark.id: mark for mark in before}, {mark.id: mark for mark in after}
    added = [mark for key, mark in new.items() if key not in old]
    gone = [mark for key, mark in old.items() if key not in new]
    moved = [
        mark for key, mark in new.items() if key in old and mark != old[key] and _fields(old[key], mark)
    ]
    if added and not gone:
        return _change(MarkAct.ADD, added)
    if gone and not added:
        return _change(MarkAct.DELETE, gone)
    if added:
        return _change(MarkAct.CHANGE, [*added, *gone])
    if not moved:
        return None
    fields = set().union(*(_fields(old[mark.id], mark) for mark in moved))
    return _change(_act_of(fields, moved), moved)


def _act_of(fields: set[str], moved: Sequence[Mark]) -> MarkAct:
    if fields <= {"lesion_id", "tracking_uid"}:
        return MarkAct.LINK if any(mark.lesion_id for mark in moved) else MarkAct.UNLINK
    return MarkAct.RENAME if fields == {"name"} else MarkAct.CHANGE


def _change(act: MarkAct, marks: Sequence[Mark]) -> MarkChange:
    kinds = {mark.kind for mark in marks}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    return MarkChange(act, kind, tuple(mark.id for mark in marks))


def _fields(before: Mark, after: Mark) -> set[str]:
    names = type(after).model_fields
    return {name for name in names if getattr(before, name) != getattr(after, name)} - NOT_AN_ACT


class Way(StrEnum):
    """How the marks came to be as they are now."""

    NEW = "new"
    UNDO = "undo"
    REDO = "redo"
    MEASURED = "measured"
    """Values were filled in; there is nothing to take back."""


@dataclass(frozen=True)
class MarksTold:
    """What observers are told."""

    way: Way
    change: MarkChange | None


@dataclass(frozen=True)
class _Step:
    before: Marks
    after: Marks
    change: MarkChange


class MarksHistory:
    """The own marks of an open study with the way back.

    Parameters
    ----------
    show
        Puts a state on the screen when a step was taken back or done again.
    """

    def __init__(self, marks: Sequence[Mark], show: Callable[[Marks], None]) -> None:
        self.marks: Marks = tuple(marks)
        self._show = show
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self._observers: list[Callable[[MarksTold], None]] = []

    def subscribe(self, observer: Callable[[MarksTold], None]) -> None:
        """Call `observer` after every change."""
        self._observers.append(observer)

    def put(self, after: Sequence[Mark]) -> None:
        """Take over what the screen shows now; what only got its values is no act of its own."""
        before, self.marks = self.marks, tuple(after)
        if before == self.marks:
            return
        change = change_between(before, self.marks)
        if change is not None:
            self._past.append(_Step(before, self.marks, change))
            self._future.clear()
        elif self._past:
            last = self._past[-1]
            self._past[-1] = _Step(last.before, self.marks, last.change)
        self._tell(MarksTold(Way.MEASURED if change is None else Way.NEW, change))

    def undo(self) -> MarkChange | None:
        """Take back the newest act; none when there is none."""
        if not self._past:
            return None
        step = self._past.pop()
        self._future.append(step)
        return self._go(step.before, step.change, Way.UNDO)

    def redo(self) -> MarkChange | None:
        """Do again what was taken back last; none when there is nothing."""
        if not self._future:
            return None
        step = self._future.pop()
        self._past.append(step)
        return self._go(step.after, step.change, Way.REDO)

    def _go(self, marks: Marks, change: MarkChange, way: Way) -> MarkChange:
        self.marks = marks
        self._show(marks)
        self._tell(MarksTold(way, change))
        return change

    def _tell(self, told: MarksTold) -> None:
        for observer in tuple(self._observers):
            observer(told)
