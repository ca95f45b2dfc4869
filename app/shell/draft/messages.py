"""What a reader is told when a draft did not come out whole: what, why, what now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from app.engine import DraftOutcome
from app.shell.report.panel import ReportPanel
from app.shell.widgets import Choice
from inference.drafting.draft import DraftRefused
from reports.domain import Step, Trace, TraceStatus
from viewer.imaging.worker.errors import WorkerError


def tr(text: str) -> str:
    """Translate a message."""
    return QCoreApplication.translate("Drafting", text)


class DraftMessages:
    """Ends a run on the panel and leaves the message over the text, where drafting was asked for."""

    def __init__(self, panel: ReportPanel, again: Callable[[], None]) -> None:
        self._panel = panel
        self._again = again

    def finished(self, outcome: DraftOutcome) -> None:
        """Say what the model left out, if it did."""
        self._panel.finish_draft()
        if outcome.result.draft.complete:
            return
        reasons = [
            event.message
            for event in outcome.result.trace.events
            if event.step is Step.COMPOSE and event.status is TraceStatus.FAILED
        ]
        self._show(
            tr("The draft is not complete"),
            reasons[-1] if reasons else tr("The model did not finish."),
            tr("What was measured and what was written before is kept."),
        )

    def measured_only(self, outcome: DraftOutcome, error: Exception) -> None:
        """Say why no model wrote, and where the measurements are."""
        self._panel.finish_draft()
        self._panel.show_trace(outcome.result.trace.events, outcome.result.trace.seed)
        self._show(
            tr("Nothing was written by the model"),
            str(error),
            tr("The measurements stand under Evidence; your text is as it was."),
        )

    def failed(self, error: Exception) -> None:
        """Say why nothing came of it."""
        self._panel.finish_draft()
        known = isinstance(error, (DraftRefused, WorkerError))
        self._show(
            tr("No draft was made") if isinstance(error, DraftRefused) else tr("The draft stopped"),
            str(error) if known else f"{type(error).__name__}: {error}",
            tr("Your text is as it was. You can go on writing, or draft again."),
        )

    def unfit(self) -> None:
        """Say that there is nothing to draft from."""
        self._panel.show_problem(
            tr("No draft was made"),
            tr("The study has no series of images that can be drafted."),
            tr("You can write the report yourself."),
        )

    def cancelled(self, trace: Trace | None) -> None:
        """Say that a person stopped it."""
        self._panel.finish_draft()
        if trace is not None:
            self._panel.show_trace(trace.events, trace.seed)
        self._panel.toast.say(tr("Drafting was cancelled"), can_undo=False)

    def _show(self, what: str, why: str, detail: str) -> None:
        self._panel.show_problem(what, why, detail, (Choice(tr("Draft again"), self._draft_again),))

    def _draft_again(self) -> None:
        self._panel.clear_problem()
        self._again()
