"""A drafting run from the window: on a thread, heard as it happens, cancelled at once."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.engine import DraftOutcome, Engine
from app.shell.background import Background, Job
from app.wording import WORDING
from inference.drafting.draft import DraftCancelled
from inference.drafting.triage import NoSeries, choose_series
from inference.models.generation import ModelError
from reports.domain import Draft, Ledger, Limitation, Step, Trace, TraceEvent, TraceStatus
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Series, Study
from viewer.imaging.worker.cancel import CancelToken

PROGRESS: dict[Step, tuple[float, float]] = {
    Step.TRIAGE: (0.0, 0.05),
    Step.COLLECT: (0.05, 0.55),
    Step.COMPOSE: (0.55, 0.75),
    Step.VERIFY: (0.75, 1.0),
    Step.DONE: (1.0, 1.0),
}
"""Where on the progress bar each step lies: measuring takes longest on a usual machine."""


@dataclass(frozen=True)
class DraftWish:
    """All that a run needs."""

    study: Study
    opened: OpenStack
    ledger: Ledger | None
    model: str = ""
    seed: int = 0
    question: str = ""


class Drafting(QObject):
    """At most one run at a time.

    Signals
    -------
    heard(TraceEvent, float)
        A row of the trace, and how far the run is (0 to 1).
    finished(DraftOutcome)
        The draft, whole or with what the model left out named in its limitations.
    measuredOnly(DraftOutcome, Exception)
        No model could be used: what was measured, and why nothing was written.
    failed(Exception)
        Nothing came of it; the message says why.
    cancelled(Trace or None)
        The run was cancelled; the trace follows when the worker has answered.
    """

    heard = Signal(object, float)
    finished = Signal(object)
    measuredOnly = Signal(object, object)
    failed = Signal(object)
    cancelled = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._background = Background(2, self)
        self._job: Job | None = None
        self._cancel: CancelToken | None = None
        self._rows: dict[Step, int] = {}

    @property
    def is_running(self) -> bool:
        """True from `start` until an answer came or it was cancelled."""
        return self._job is not None

    def start(self, wish: DraftWish) -> None:
        """Begin a run; one that runs is cancelled."""
        self.cancel()
        token = self._cancel = CancelToken()
        self._rows = {}
        wish.opened.buffer.lease()
        job = Job()

        def tell(event: TraceEvent) -> None:
            self._background.tell(job, self._heard, event)

        def work() -> DraftOutcome:
            try:
                return self._engine.draft(
                    wish.study,
                    wish.opened,
                    model=wish.model,
                    question=wish.question,
                    language=WORDING.language,
                    style=WORDING.style,
                    seed=wish.seed,
                    ledger=wish.ledger,
                    on_event=tell,
                    cancel=token,
                )
            finally:
                wish.opened.buffer.unlease()

        def failed(error: Exception) -> None:
            self._failed(wish, error)

        self._job = job
        self._background.run(work, self._finished, failed, job=job)

    def cancel(self) -> bool:
        """Stop the run; returns at once, whatever the workers do. False when none runs."""
        if self._job is None:
            return False
        job, token = self._job, self._cancel
        self._job = self._cancel = None
        job.drop()
        if token is not None:
            token.cancel()
        self.cancelled.emit(None)
        return True

    def close(self) -> None:
        """Stop and wait for the threads."""
        self.cancel()
        self._background.close()

    def _heard(self, event: TraceEvent) -> None:
        start, end = PROGRESS[event.step]
        if event.status is not TraceStatus.RUNNING:
            self._rows[event.step] = self._rows.get(event.step, 0) + 1
        # How many rows a step will have is not known before: each takes a third of what is left.
        share = 1.0 - (2.0 / 3.0) ** self._rows.get(event.step, 0)
        self.heard.emit(event, start + (end - start) * share)

    def _finished(self, outcome: DraftOutcome) -> None:
        self._job = self._cancel = None
        self.finished.emit(outcome)

    def _failed(self, wish: DraftWish, error: Exception) -> None:
        token = self._cancel
        self._job = self._cancel = None
        if isinstance(error, DraftCancelled):
            self.cancelled.emit(error.trace)
        elif isinstance(error, ModelError) and token is not None:
            self._measure_only(wish, error, token)
        else:
            self.failed.emit(error)

    def _measure_only(self, wish: DraftWish, error: ModelError, token: CancelToken) -> None:
        """Measure without a model: the ledger does not depend on one."""
        self._cancel = token
        wish.opened.buffer.lease()

        def work() -> DraftOutcome:
            try:
                ledger, masks = self._engine.collect(wish.study, wish.opened, cancel=token)
            finally:
                wish.opened.buffer.unlease()
            return unwritten(wish, ledger, masks, error)

        def done(outcome: DraftOutcome) -> None:
            self._job = self._cancel = None
            self.measuredOnly.emit(outcome, error)

        def failed(_second: Exception) -> None:
            self._job = self._cancel = None
            self.failed.emit(error)

        self._job = self._background.run(work, done, failed)


def unwritten(wish: DraftWish, ledger: Ledger, masks: object, error: ModelError) -> DraftOutcome:
    """Return what was measured as a draft without sentences that says why there are none."""
    from app.documents import program_name
    from inference.drafting.draft import DraftResult

    events = tuple(
        TraceEvent(
            sequence=number,
            step=Step.COLLECT,
            subject=item.label,
            status=TraceStatus.REFUSED if item.refusal else TraceStatus.DONE,
            message=item.refusal.reason
            if item.refusal
            else ", ".join(value.text for value in item.values),
            evidence_ids=(item.id,),
        )
        for number, item in enumerate(ledger.evidence)
    )
    last = TraceEvent(
        sequence=len(events),
        step=Step.COMPOSE,
        subject=wish.model or "model",
        status=TraceStatus.FAILED,
        message=str(error),
    )
    draft = Draft(
        study_instance_uid=wish.study.study_instance_uid,
        series_key=wish.opened.stack.series.key,
        seed=wish.seed,
        complete=False,
        limitations=(Limitation(text=str(error), code=f"compose_{error.code}"),),
    )
    trace = Trace(program=program_name(), seed=wish.seed, events=(*events, last))
    return DraftOutcome(DraftResult(ledger, draft, trace), masks)


def draftable(study: Study) -> Series | None:
    """Return the series that carries the study, or none when it holds no images to draft from."""
    try:
        return choose_series(study)
    except NoSeries:
        return None


def main_series(study: Study) -> Series | None:
    """Return the series whose ledger the report begins with; none where the study has no images."""
    return draftable(study) or next(iter(study.series), None)
