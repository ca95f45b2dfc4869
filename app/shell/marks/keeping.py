"""Keeping marks: those of the study that is read, and of earlier ones beside it, each in its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.desk import Desk
from app.marks import Marks, MarksError, body_of, marks_in
from app.shell.background import Background
from app.shell.saving import MakeBody, RecordSaver
from reports.store.errors import RecordDamagedError
from reports.store.kinds import RecordKind
from viewer.imaging.marks import Mark
from viewer.imaging.study import Study


def read_marks(
    desk: Desk, study: Study, earlier: Sequence[Study]
) -> tuple[dict[str, Marks], dict[str, str]]:
    """Return the marks kept with studies, and why some have none to show; by Study UID (blocks).

    An earlier study whose record cannot be read stands in the second only: it is shown without its
    marks, none are drawn on it, and nothing is written over it.

    Raises
    ------
    MarksError
        The marks of the study itself cannot be read.
    """
    uid = study.study_instance_uid
    found = {uid: marks_in(desk.study_record(uid, RecordKind.MARKS))}
    unread: dict[str, str] = {}
    for one in earlier:
        uid = one.study_instance_uid
        try:
            found[uid] = marks_in(desk.study_record(uid, RecordKind.MARKS))
        except (MarksError, RecordDamagedError) as error:
            unread[uid] = str(error)
    return found, unread


class MarksKeeping(QObject):
    """Saves marks with their studies and lesions with their patient, each soon after it changed.

    Signals
    -------
    failed(str)
        Why something was not saved.
    """

    failed = Signal(str)

    def __init__(self, desk: Desk, thread: Background, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._thread = desk, thread
        self._lesions = self._saver(RecordKind.LESIONS)
        self._savers: dict[str, RecordSaver] = {}
        self._kept: dict[str, Marks] = {}
        self._home = ""
        self._homes: dict[str, str] = {}

    def _saver(self, kind: RecordKind) -> RecordSaver:
        saver = RecordSaver(kind, self._thread, self)
        saver.failed.connect(self.failed)
        return saver

    def begin(self, studies: Sequence[Study], kept: Mapping[str, Marks], patient: str) -> None:
        """Keep marks with these studies from now on; those of no study go with the first.

        Parameters
        ----------
        kept
            What the store has, by study; a study that is missing is not written to, and a mark on
            one of its series is not kept with another.
        """
        for saver in self._savers.values():
            saver.deleteLater()
        # A store that can only be read takes nothing: the alert on the screen says so.
        usable = kept if self._desk.alert is None else {}
        self._kept = dict(usable)
        self._home = studies[0].study_instance_uid if studies else ""
        self._homes = {
            series.key: study.study_instance_uid for study in studies for series in study.series
        }
        self._savers = {uid: self._saver(RecordKind.MARKS) for uid in usable}
        for uid, saver in self._savers.items():
            saver.watch(self._desk, uid)
        self._lesions.watch(self._desk if usable and patient else None, patient)

    def keep(self, marks: Marks, act: str) -> None:
        """Save the studies whose marks changed; `act` is what the person did."""
        by_home: dict[str, list[Mark]] = {uid: [] for uid in self._savers}
        for mark in marks:
            home = self._homes.get(mark.series_key, self._home)
            if home in by_home:
                by_home[home].append(mark)
        for uid, found in by_home.items():
            if tuple(found) != self._kept[uid]:
                self._kept[uid] = tuple(found)
                # The marks are frozen: their JSON is made on the thread of the store.
                self._savers[uid].put(partial(_body, self._kept[uid]), act)

    def keep_lesions(self, make: MakeBody, act: str) -> None:
        """Save the lesions of the patient."""
        self._lesions.put(make, act)

    @property
    def is_dirty(self) -> bool:
        """True while something is not in the store."""
        return any(saver.is_dirty for saver in (*self._savers.values(), self._lesions))

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save what is open, then tell whether all of it is in the store."""

        def step(left: tuple[RecordSaver, ...], went_well: bool) -> None:
            if not left:
                then(went_well)
                return
            left[0].flush(lambda well: step(left[1:], went_well and well))

        step((*self._savers.values(), self._lesions), True)


def _body(marks: Marks, _stored: Mapping[str, Any] | None) -> dict[str, Any]:
    return body_of(marks)
