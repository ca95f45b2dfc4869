"""A mark of a person becomes evidence, on a thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.engine import Engine
from app.report_model import ReportModel
from app.shell.background import Background, Job
from app.shell.marks.words import title_words
from inference.drafting.triage import body_region
from reports.domain import Evidence, ViewState
from viewer.imaging.marks import Mark
from viewer.imaging.study import Study
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.viewport_model import ViewportModel


class Measuring(QObject):
    """Asks the evidence worker about a mark; an older answer is dropped.

    Signals
    -------
    measured(Evidence, str, Mark)
        What the tool says, the body region for the list of places, and the mark.
    doing(str), said(str)
        Words for the status line; why nothing was measured now.
    failed(str)
        Why the worker gave no answer.
    """

    measured = Signal(object, str, object)
    doing = Signal(str)
    said = Signal(str)
    failed = Signal(str)

    def __init__(
        self, engine: Engine, adapter: ReaderAdapter, background: Background, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._engine, self._adapter, self._background = engine, adapter, background
        self._job: Job | None = None

    def drop(self) -> None:
        """Want no answer any more."""
        if self._job is not None:
            self._job.drop()
            self._job = None

    def measure(self, study: Study, model: ReportModel, mark: Mark) -> None:
        """Make a mark evidence for a report; says why when that is not possible now."""
        self.drop()
        if model.is_locked:
            self.said.emit(self.tr("The report is final: a new finding belongs in an addendum."))
            return
        series = next((one for one in study.series if one.key == mark.series_key), None)
        if series is None:
            self.said.emit(self.tr("This mark lies on another study: open that one first."))
            return
        opened = self._adapter.opened(series.key)
        if opened is None:
            self.said.emit(self.tr("The images are still arriving: ask again in a moment."))
            return
        ledger, person = model.ledger, model.reader
        label = title_words(mark)
        opened.buffer.lease()

        def work() -> Evidence:
            try:
                return self._engine.measure_mark(
                    study, opened, mark, ledger, label=label, person=person
                )
            finally:
                opened.buffer.unlease()

        def done(measured: Evidence) -> None:
            self.doing.emit("")
            self.measured.emit(measured, body_region(study, series), mark)

        def failed(error: Exception) -> None:
            self.doing.emit("")
            self.failed.emit(str(error))

        self.doing.emit(self.tr("Measuring the region"))
        self._job = self._background.run(work, done, failed)


def view_of(mark: Mark, shown: ViewportModel) -> ViewState:
    """Return how a mark is seen: its image, and the window if the active viewport shows its series."""
    window = None
    if shown.stack is not None and shown.stack.series.key == mark.series_key:
        window = shown.window()
    return ViewState(
        series_key=mark.series_key,
        sop_instance_uid=mark.sop_instance_uid or "",
        frame_number=mark.frame_number,
        window_center=None if window is None else window.center,
        window_width=None if window is None else window.width,
    )
