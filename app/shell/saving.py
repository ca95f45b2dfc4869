"""Saving the report by itself: soon after a change, one save at a time, nothing lost when one fails."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTime, QTimer, Signal

import resources
from app.desk import Desk
from app.engine import DraftOutcome
from app.report_model import ReportModel
from app.shell.background import Background
from reports.domain import Report

SETTINGS = ("presets", "session.json")


class ReportSaver(QObject):
    """Saves one report through the desk.

    Signals
    -------
    saved(str)
        Local time of day.
    failed(str)
        Why it was not saved; the text stays, and the next change tries again.
    """

    saved = Signal(str)
    failed = Signal(str)

    def __init__(self, desk: Desk, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._background = desk, background
        self._model: ReportModel | None = None
        self._outcomes: list[DraftOutcome] = []
        self._changes = 0
        self._kept = 0
        self._is_saving = False
        self._then: list[Callable[[bool], None]] = []
        settings = resources.table(*SETTINGS)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(round(1000 * settings["save_after_pause_seconds"]))
        self._pause.timeout.connect(self.save)
        self._at_least = QTimer(self)
        self._at_least.setSingleShot(True)
        self._at_least.setInterval(round(1000 * settings["save_at_least_every_seconds"]))
        self._at_least.timeout.connect(self.save)

    def watch(self, model: ReportModel | None) -> None:
        """Save this report from now on; the one before must have been flushed."""
        self._stop()
        self._model = model
        self._changes = self._kept = 0
        self._outcomes.clear()

    @property
    def is_dirty(self) -> bool:
        """True while something is not in the store."""
        if self._model is None or self._model.is_locked:
            return False
        return self._changes != self._kept or bool(self._outcomes)

    def touch(self) -> None:
        """Tell that the report changed: it is saved after a short rest, or while typing goes on."""
        self._changes += 1
        self._pause.start()
        if not self._at_least.isActive():
            self._at_least.start()

    def take_draft(self, outcome: DraftOutcome) -> None:
        """Keep a draft with its trace and masks."""
        self._outcomes.append(outcome)
        self.touch()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save what is open, then go on: true when everything is in the store."""
        self._then.append(then)
        if self.is_dirty or self._is_saving:
            self.save()
        else:
            self._go_on(True)

    def save(self) -> None:
        """Save now, unless a save runs: then again after it."""
        self._stop()
        model = self._model
        if self._is_saving:
            return
        if model is None or not self.is_dirty:
            self._go_on(True)
            return
        self._is_saving = True
        report, ledger, outcomes = model.report, model.ledger, tuple(self._outcomes)
        changes = self._changes

        def work() -> Report:
            for outcome in outcomes:
                self._desk.take_draft(outcome)
            return self._desk.save(report, ledger)

        def done(stored: Report) -> None:
            self._is_saving = False
            if self._model is not model:
                self._go_on(True)
                return
            self._kept = changes
            del self._outcomes[: len(outcomes)]
            model.saved(stored)
            self.saved.emit(QTime.currentTime().toString("HH:mm:ss"))
            if self.is_dirty:
                self.save()
            else:
                self._go_on(True)

        def failed(error: Exception) -> None:
            self._is_saving = False
            self.failed.emit(str(error))
            self._go_on(False)

        self._background.run(work, done, failed)

    def _stop(self) -> None:
        self._pause.stop()
        self._at_least.stop()

    def _go_on(self, is_saved: bool) -> None:
        waiting, self._then = self._then, []
        for then in waiting:
            then(is_saved)
