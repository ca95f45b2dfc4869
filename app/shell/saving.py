"""Saving the report, and what else is kept with a study, by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject

import resources
from app.desk import Desk
from app.engine import DraftOutcome
from app.report_history import Change
from app.report_model import ReportModel
from app.shell.background import Background
from app.shell.report.autosave import Autosave
from app.shell.session import SETTINGS
from reports.domain import Report
from reports.store.kinds import RecordKind

MakeBody = Callable[[dict[str, Any] | None], Mapping[str, Any]]
"""Makes the body to keep from the one that is kept; called on the thread of the store."""


class ReportSaver(Autosave):
    """Saves one report through the desk."""

    def __init__(self, desk: Desk, background: Background, parent: QObject | None = None) -> None:
        settings = resources.table(*SETTINGS)
        super().__init__(
            background,
            pause=settings["save_after_pause_seconds"],
            at_least=settings["save_at_least_every_seconds"],
            parent=parent,
        )
        self._desk = desk
        self._model: ReportModel | None = None
        self._outcomes: list[DraftOutcome] = []
        self._acts: list[str] = []
        self._taken = self._named = 0

    def watch(self, model: ReportModel | None) -> None:
        """Save this report from now on; the one before must have been flushed."""
        self.begin()
        self._model = model
        self._outcomes.clear()
        self._acts.clear()

    @property
    def is_dirty(self) -> bool:
        """True while something is not in the store."""
        if self._model is None or self._model.is_locked:
            return False
        return super().is_dirty or bool(self._outcomes)

    def heard(self, change: Change) -> None:
        """Hear of a change of the report: it is saved, and the audit log names the act."""
        way = "undo " if change.is_undo else "redo " if change.is_redo else ""
        self._acts.append(f"{way}{change.act}")
        self.touch()

    def take_draft(self, outcome: DraftOutcome) -> None:
        """Keep a draft with its trace and masks."""
        self._outcomes.append(outcome)
        self.touch()

    def take(self) -> Callable[[], Report] | None:
        """Return the call that saves the report with the drafts that are not kept yet."""
        if self._model is None:
            return None
        report, ledger, outcomes = self._model.report, self._model.ledger, tuple(self._outcomes)
        acts = tuple(self._acts)
        self._taken, self._named = len(outcomes), len(acts)

        def work() -> Report:
            for outcome in outcomes:
                self._desk.take_draft(outcome)
            return self._desk.save(report, ledger, acts=acts)

        return work

    def stored(self, result: Report) -> None:
        """Take over what the store made of it."""
        del self._outcomes[: self._taken]
        del self._acts[: self._named]
        assert self._model is not None
        self._model.saved(result)


class RecordSaver(Autosave):
    """Saves one record of a study through the desk, with the names of the acts since the last save."""

    def __init__(self, kind: RecordKind, background: Background, parent: QObject | None = None) -> None:
        settings = resources.table(*SETTINGS)
        super().__init__(
            background,
            pause=settings["save_record_after_pause_seconds"],
            at_least=settings["save_record_at_least_every_seconds"],
            parent=parent,
        )
        self._kind = kind
        self._desk: Desk | None = None
        self._subject_uid = ""
        self._make: MakeBody | None = None
        self._acts: list[str] = []
        self._taken = 0

    def watch(self, desk: Desk | None, subject: str) -> None:
        """Save the record of this study or patient from now on; the one before must be flushed."""
        self.begin()
        self._desk, self._subject_uid = desk, subject
        self._make = None
        self._acts.clear()

    def put(self, make: MakeBody, act: str) -> None:
        """Keep what `make` gives; `act` is what the person did, in the program's words."""
        self._make = make
        self._acts.append(act)
        self.touch()

    def take(self) -> Callable[[], None] | None:
        """Return the call that saves the newest body."""
        desk, make = self._desk, self._make
        if desk is None or make is None:
            return None
        self._taken = len(self._acts)
        words = "; ".join(dict.fromkeys(self._acts))
        subject = self._subject_uid

        def work() -> None:
            body = make(desk.study_record(subject, self._kind))
            desk.save_study_record(subject, self._kind, body, act=words)

        return work

    def stored(self, result: None) -> None:
        """Forget the acts that the audit log has now."""
        del self._acts[: self._taken]
