"""How a draft comes about on the reading page: asked for, waited for, heard, cancelled, taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.engine import DraftOutcome
from app.shell.draft.drafting import Drafting, DraftWish, draftable
from app.shell.draft.messages import DraftMessages
from app.shell.parts import PartContext
from inference.evidence.masks import MaskStore
from reports.domain import Ledger, Trace, TraceEvent
from viewer.imaging.reader import OpenStack


class DraftFlow(QObject):
    """Makes drafts of the study that is open.

    Parameters
    ----------
    masks
        The masks of the report that is open.

    Signals
    -------
    doing(str)
        What runs, for the status line; empty for idle.
    drafted(DraftOutcome)
        A draft with its masks, for the report: as proposals.
    """

    doing = Signal(str)
    drafted = Signal(object)

    def __init__(
        self, context: PartContext, masks: Callable[[], MaskStore], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._panel, self._masks = context, context.panel, masks
        self.model_title = ""
        """Name of the model that drafts, once its manifest was read."""
        self.seed = 0
        self.wanted = False
        """Whether a draft is to be made as soon as report and pixels are there."""
        self.runs = Drafting(context.engine, self)
        self.messages = DraftMessages(self._panel, self.draft)
        self.runs.heard.connect(self._heard)
        self.runs.finished.connect(self._finished)
        self.runs.measuredOnly.connect(self._measured_only)
        self.runs.failed.connect(self._failed)
        self.runs.cancelled.connect(self._cancelled)
        context.area.seriesReady.connect(self._series_ready)

    def opened_stack(self) -> OpenStack | None:
        """Return the series that is drafted and printed, once its pixels are in."""
        study = self._context.study()
        series = draftable(study) if study is not None else None
        return self._context.area.adapter.opened(series.key) if series is not None else None

    def draft(self) -> None:
        """Make a draft of the series that carries the study; it arrives as proposals."""
        study, model = self._context.study(), self._context.model()
        if study is None or model is None or self.runs.is_running or model.is_locked:
            return
        series = draftable(study)
        if series is None:
            self.messages.unfit()
            return
        model.ask(self._panel.question.text)
        self._panel.start_draft(self.model_title, self.seed)
        self.doing.emit(self.tr("Drafting"))
        opened = self.opened_stack()
        if opened is None:
            # The pixels are still coming; the run starts when they are in.
            self.wanted = True
            self._context.area.adapter.open(series)
            return
        known = model.ledger if model.ledger.evidence and self._has_masks(model.ledger) else None
        wish = DraftWish(study, opened, known, seed=self.seed, question=self._panel.question.text)
        self.runs.start(wish)

    def draft_if_wanted(self) -> None:
        """Make the draft that waited for the report to be read."""
        if self.wanted:
            self.wanted = False
            self.draft()

    def cancel(self) -> bool:
        """Stop a draft; the window is free at once. False when none is made."""
        if self.wanted and not self.runs.is_running:
            self.wanted = False
            self._cancelled(None)
            return True
        return self.runs.cancel()

    def series_failed(self, key: str) -> None:
        """End a draft that waited for the pixels of a series that cannot be opened."""
        study = self._context.study()
        waited_for = draftable(study) if study else None
        if self.wanted and waited_for is not None and waited_for.key == key:
            self.wanted = False
            self._panel.finish_draft()
            self.doing.emit("")

    def _has_masks(self, ledger: Ledger) -> bool:
        """Return whether every mask that the ledger names is here: else it is measured again."""
        kept = {ref.sha256 for ref in self._masks()}
        named = {
            region.mask_sha256
            for item in ledger.evidence
            for region in item.regions
            if region.mask_sha256 is not None
        }
        return named <= kept

    def _series_ready(self, _key: str, _stack: object) -> None:
        if self._context.model() is not None and self.opened_stack() is not None:
            self.draft_if_wanted()

    def _heard(self, event: TraceEvent, progress: float) -> None:
        self._panel.add_trace(event, progress)
        self.doing.emit(self.tr("Drafting, {n} %").format(n=round(100 * progress)))

    def _finished(self, outcome: DraftOutcome) -> None:
        self._take(outcome)
        self.messages.finished(outcome)

    def _measured_only(self, outcome: DraftOutcome, error: Exception) -> None:
        self._take(outcome)
        self.messages.measured_only(outcome, error)

    def _failed(self, error: Exception) -> None:
        self.doing.emit("")
        self.messages.failed(error)

    def _cancelled(self, trace: Trace | None) -> None:
        self.doing.emit("")
        self.messages.cancelled(trace)

    def _take(self, outcome: DraftOutcome) -> None:
        """Hand the draft over with its masks: those of the report when nothing was measured anew."""
        self.doing.emit("")
        model = self._context.model()
        if model is not None and not model.is_locked:
            kept = outcome if len(outcome.masks) else replace(outcome, masks=self._masks())
            self.drafted.emit(kept)
