"""The reading page: images and report of one study, drafting, linking, drawing, saving and signing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.desk import Desk, OpenedReport
from app.engine import DraftOutcome, Engine, empty_ledger
from app.report_history import Change
from app.report_model import ReportModel
from app.shell.background import Background, Job
from app.shell.by_keys import focus_next_of
from app.shell.draft.drafting import main_series
from app.shell.draft.flow import DraftFlow
from app.shell.marks.measuring import Measuring, view_of
from app.shell.part_table import PARTS
from app.shell.parts import PartContext, Parts
from app.shell.reading_acts import ReadingActs
from app.shell.reading_header import ReadingHeader
from app.shell.report.evidence_link import EvidenceLink
from app.shell.report.panel import ReportPanel
from app.shell.report.sealed_bar import SealedBar
from app.shell.report.signing import OnTheDesk, Signing
from app.shell.saving import ReportSaver
from app.shell.side_panel import SidePanel
from app.shell.tool_bar import ToolBar
from app.shell.widgets import Choice
from app.shell.worklist.entries import Entry
from inference.evidence.masks import MaskStore
from inference.validation.rules import check_sentence
from reports.domain import (
    LOCKED,
    Evidence,
    Report,
    ReportState,
    Trace,
)
from viewer.imaging.marks import Mark
from viewer.imaging.study import Study
from viewer.views.mouse import MOUSE
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.reading_area import ReadingArea
from viewer.views.series_strip import SeriesItem
from viewer.views.theme import Theme

LONGEST_LINES = 920
"""Width of the report where it has the page to itself, logical pixels: longer lines tire."""

KEEPING_ACTS = frozenset({"report.saved"})
"""Changes that come from the store itself: they need no saving."""


class ReadingPage(QWidget):
    """One study, open. Work of the store and of the workers runs on threads.

    Signals
    -------
    doing(str)
        What runs, for the status line; empty for idle.
    savedAt(str)
        When the report was saved, or why it was not.
    exportWanted()
        Ask where to write the document.
    """

    doing = Signal(str)
    savedAt = Signal(str)
    exportWanted = Signal()

    def __init__(self, theme: Theme, engine: Engine, adapter: ReaderAdapter) -> None:
        super().__init__()
        self.theme = theme
        self.model: ReportModel | None = None
        self.masks = MaskStore()
        self._desk: Desk | None = None
        self._store_thread: Background | None = None
        self._entry: Entry | None = None
        self._is_lent = False
        self._trace: Trace | None = None
        self._opening: Job | None = None
        self._signing: Signing | None = None
        self._saver: ReportSaver | None = None
        self.work = Background(2, self)
        self.header = ReadingHeader(theme)
        self.area = ReadingArea(adapter, theme)
        self.panel = ReportPanel(theme)
        self.sealed = SealedBar(theme)
        context = self._context(engine)
        self.drafts = DraftFlow(context, lambda: self.masks, self)
        self.measuring = Measuring(engine, adapter, self.work, self)
        self.link = EvidenceLink(self.panel, self.area, self.work, self)
        self.parts = Parts(context, PARTS)
        self.acts = ReadingActs(self.area, self.parts, self.say)
        self.tools = ToolBar(
            theme,
            self.area.grid,
            self.acts.do,
            stage=self.area.stage,
            why_not=self.acts.why_not,
        )
        self.side = SidePanel(theme, self.parts.pages())
        self.area.add_beside_strip(self.side)
        self._lay_out()
        self._connect()

    def _context(self, engine: Engine) -> PartContext:
        return PartContext(
            theme=self.theme,
            engine=engine,
            area=self.area,
            panel=self.panel,
            work=self.work,
            desk=lambda: self._desk,
            store_thread=lambda: self._store_thread,
            entry=lambda: self._entry,
            study=lambda: self.study,
            model=lambda: self.model,
            say=self.say,
            problem=self.panel.show_problem,
            show_side_page=self.show_side_page,
            name_side_page=lambda name, title: self.side.set_title(name, title),  # noqa: PLW0108 - made later
            window=self.window,
            save_all=self.flush,
        )

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.tools)
        row = QHBoxLayout()
        row.setSpacing(0)
        self._column, self._row = column, row
        row.addWidget(self.area, 1)
        self._right = QWidget()
        self._right.setProperty("ground", "panel")
        self._right.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        right = QVBoxLayout(self._right)
        right.setContentsMargins(1, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.panel, 1)
        right.addWidget(self.sealed)
        row.addWidget(self._right)
        column.addLayout(row, 1)

    def _connect(self) -> None:
        self.area.seriesProblem.connect(self._series_problem)
        self.area.said.connect(self.say)
        self.area.marks.findingRequested.connect(self._measure)
        self.panel.draftWanted.connect(self.draft)
        self.panel.cancelDraftWanted.connect(self.cancel_draft)
        self.panel.saveWanted.connect(self.save_now)
        self.panel.changed.connect(self._changed)
        self.link.notShown.connect(lambda text: self.panel.toast.say(text, can_undo=False))
        self.measuring.measured.connect(self._measured)
        self.measuring.doing.connect(self.doing)
        self.measuring.said.connect(lambda text: self.panel.toast.say(text, can_undo=False))
        self.measuring.failed.connect(self._not_measured)
        self.drafts.drafted.connect(self._take)
        self.drafts.doing.connect(self.doing)
        self.sealed.exportWanted.connect(self.exportWanted)
        self.sealed.addendumWanted.connect(self.start_addendum)

    # --- opening and closing -----------------------------------------------------------------------

    def sit_down(self, desk: Desk, store_thread: Background) -> None:
        """Work at this desk from now on."""
        self._desk, self._store_thread = desk, store_thread
        self._saver = ReportSaver(desk, store_thread, self)
        self._saver.saved.connect(self._saved)
        self._saver.failed.connect(self._not_saved)
        signing = Signing(self.theme, desk, store_thread, self._saver, self._on_the_desk, parent=self)
        signing.signed.connect(self._signed)
        signing.showWanted.connect(self.panel.show_sentence)
        signing.doing.connect(self.doing)
        signing.said.connect(lambda text: self.panel.toast.say(text, can_undo=False))
        signing.failed.connect(self.panel.show_problem)
        self.panel.signWanted.connect(signing.ask)
        self._signing = signing
        for part in self.parts.all:
            part.sit_down(desk)

    @property
    def desk(self) -> Desk:
        """The desk of who is signed in."""
        assert self._desk is not None
        return self._desk

    @property
    def signing(self) -> Signing:
        """What signs and exports the open report."""
        assert self._signing is not None
        return self._signing

    @property
    def saver(self) -> ReportSaver:
        """What saves the open report."""
        assert self._saver is not None
        return self._saver

    @property
    def entry(self) -> Entry | None:
        """The study that is open."""
        return self._entry

    @property
    def study(self) -> Study | None:
        """The study that is open."""
        return self._entry.study if self._entry is not None else None

    def open_entry(self, entry: Entry, *, number: int, count: int, draft: bool = False) -> None:
        """Open a study: images at once, the report as soon as the store has given it."""
        self._entry = entry
        self.drafts.wanted = draft
        self._trace = None
        self.masks = MaskStore()
        self.header.show_entry(entry, number, count)
        self._show_model(None)
        self.sealed.show_report(None, None)
        self.panel.show_trace(())
        self.panel.question.start(entry.study.request)
        if self.area.grid.tool.draws:
            # The first click in another patient's images must not leave a mark there.
            self.area.grid.set_tool(MOUSE.start)
        self.area.open_study(entry.study, entry.earlier)
        assert self._store_thread is not None
        self._opening = self._store_thread.run(
            lambda: self.desk.open_study(entry.study), self._opened, self._not_opened
        )
        # After the report was asked for: what they say is then not taken away with its coming.
        for part in self.parts.all:
            part.open_study(entry.study)
        self.area.grid.active_pane().widget().setFocus()

    def close_study(self, then: Callable[[bool], None]) -> None:
        """Save what is open and give the memory back; false when it could not be saved.

        Then the study stays open with its text, and the reason stands over it.
        """
        if self._entry is None:
            then(True)
            return

        def saved(is_saved: bool) -> None:
            if is_saved:
                self._let_go()
            then(is_saved)

        self.flush(saved)

    def has_unsaved(self) -> bool:
        """Return whether something that was written or marked is not in the store."""
        return self.saver.is_dirty or self.parts.has_unsaved()

    def flush(self, then: Callable[[bool], None]) -> None:
        """Save report and parts now, then tell whether all of it is saved."""
        self.panel.editor.commit()
        self.saver.flush(
            lambda is_saved: self.parts.flush(lambda are_saved: then(is_saved and are_saved))
        )

    def _let_go(self) -> None:
        self.drafts.cancel()
        self.measuring.drop()
        if self._opening is not None:
            self._opening.drop()
        self._entry = None
        self._show_model(None)
        self.area.open_study(None)
        for part in self.parts.all:
            part.open_study(None)
        self.doing.emit("")
        self.savedAt.emit("")

    def _opened(self, opened: OpenedReport) -> None:
        study = self.study
        assert study is not None
        ledger = opened.ledger or empty_ledger(study, main_series(study))
        account = self.desk.account
        model = ReportModel(
            opened.report,
            ledger,
            candidates=opened.candidates,
            check=check_sentence,
            role=account.role,
            reader=account.printed_name,
        )
        self.masks = opened.masks
        self._trace = opened.trace
        self.drafts.seed = opened.report.seed or 0
        self._show_model(model)
        self.panel.set_images_now(sum(series.image_count for series in study.series))
        if opened.trace is not None:
            self.panel.show_trace(opened.trace.events, opened.trace.seed)
        self._show_sealed(opened.report)
        self.drafts.draft_if_wanted()

    def _show_sealed(self, report: Report) -> None:
        """Show signature and file; a final report has nothing left to sign."""
        self.sealed.show_report(report, self.desk.sealed_file(report))
        self.panel.sign_bar.setVisible(report.state not in LOCKED)

    def _not_opened(self, error: Exception) -> None:
        self.panel.show_problem(
            self.tr("The report cannot be opened"),
            str(error),
            self.tr("The images can be read; nothing can be written before the store works again."),
        )

    def _show_model(self, model: ReportModel | None) -> None:
        self.model = model
        if self._saver is not None:
            self._saver.watch(model)
        self.panel.set_model(model)
        self.link.show_report(model, self.masks)

    def _series_problem(self, key: str, words: str) -> None:
        study = self.study
        series = next((one for one in study.series if one.key == key), None) if study else None
        number = series.series_number if series and series.series_number is not None else "?"
        self.drafts.series_failed(key)
        self.panel.show_problem(self.tr("Series {n}").format(n=number), words)

    # --- drafting ----------------------------------------------------------------------------------

    def draft(self) -> None:
        """Make a draft of the series that carries the study; it arrives as proposals."""
        self.drafts.draft()

    def cancel_draft(self) -> bool:
        """Stop a draft; the window is free at once. False when none is made."""
        return self.drafts.cancel()

    def _take(self, outcome: DraftOutcome) -> None:
        """Bring a draft into the report: as proposals, what a person wrote stays as it is."""
        model = self.model
        assert model is not None
        self.masks = outcome.masks
        self._trace = outcome.result.trace
        self.panel.editor.commit()
        model.load_draft(outcome.result.draft, outcome.result.ledger)
        self.link.show_report(model, self.masks)
        self.saver.take_draft(outcome)

    # --- a mark becomes evidence -------------------------------------------------------------------

    def _measure(self, mark: Mark) -> None:
        if self.study is not None and self.model is not None:
            self.measuring.measure(self.study, self.model, mark)

    def _measured(self, measured: Evidence, region: str, mark: Mark) -> None:
        view = view_of(mark, self.area.grid.active_pane().model)
        self.panel.ask_finding(measured, body_region=region, view=view)

    def _not_measured(self, why: str) -> None:
        self.panel.show_problem(self.tr("The region was not measured"), why, self.tr("Draw it again."))

    # --- saving ------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        self.link.refresh()
        if change.act not in KEEPING_ACTS:
            self.saver.heard(change)

    def save_now(self) -> None:
        """Save what is open without waiting for a rest."""
        self.panel.editor.commit()

        def told(is_saved: bool) -> None:
            if is_saved:
                self.panel.toast.say(self.tr("Saved"), can_undo=False)

        self.saver.flush(told)

    def _saved(self, time: str) -> None:
        self.savedAt.emit(self.tr("Saved {time}").format(time=time))

    def _not_saved(self, why: str) -> None:
        self.savedAt.emit(self.tr("Not saved"))
        self.panel.show_problem(
            self.tr("The report was not saved"),
            why,
            self.tr("Your text is kept here and is saved with the next change."),
            (Choice(self.tr("Save again"), self._save_again),),
        )

    def _save_again(self) -> None:
        self.panel.clear_problem()
        self.save_now()

    # --- signing and documents ---------------------------------------------------------------------

    def _on_the_desk(self) -> OnTheDesk | None:
        if self.model is None or self.study is None:
            return None
        self.panel.editor.commit()
        drafted = self.drafts.opened_stack()
        open_now = (self.area.adapter.opened(series.key) for series in self.study.series)
        beside = tuple(one for one in open_now if one is not None and one is not drafted)
        images = self.panel.images_now
        return OnTheDesk(self.model, self.study, drafted, self._trace, images, beside)

    def _signed(self, report: Report) -> None:
        if self.model is not None and self.model.report.id == report.id:
            self.model.saved(report)
            self.saver.watch(self.model)
            self._show_sealed(report)

    def start_addendum(self, reason: str) -> None:
        """Start a new part that adds to the final report that is open."""
        model, entry = self.model, self._entry
        if model is None or entry is None or model.report.state is not ReportState.FINAL:
            return
        report = model.report

        def done(opened: OpenedReport) -> None:
            self._opened(opened)

        def work() -> OpenedReport:
            self.desk.start_addendum(report, reason=reason)
            return self.desk.open_study(entry.study)

        assert self._store_thread is not None
        self._store_thread.run(work, done, lambda error: self.sealed.say(str(error)))

    # --- acts and layout ---------------------------------------------------------------------------

    def say(self, words: str) -> None:
        """Say something that passes."""
        self.panel.toast.say(words, can_undo=False)

    def show_side_page(self, name: str) -> None:
        """Open the side panel at a page."""
        self.side.show_page(name)
        self.side.show()

    def toggle_strip(self) -> None:
        """Show or hide the strip of series."""
        self.area.strip.setVisible(not self.area.strip.isVisible())

    def toggle_panel(self) -> None:
        """Show or hide the report."""
        self._right.setVisible(not self._right.isVisible())

    def lend_images(self) -> tuple[QWidget, QWidget]:
        """Give tool bar and images to another window; the report takes the page."""
        self._column.removeWidget(self.tools)
        self._row.removeWidget(self.area)
        self._is_lent = True
        self._size_parts()
        return self.tools, self.area

    def take_images_back(self) -> None:
        """Have tool bar and images on this page again."""
        self._column.insertWidget(1, self.tools)
        self._row.insertWidget(0, self.area, 1)
        self._is_lent = False
        self._size_parts()

    def focus_next_part(self) -> None:
        """Give the keyboard to the next of images, report, series strip and side panel."""
        workspace = self.area.stage.workspace
        images = workspace.widget() if workspace else self.area.grid.active_pane().widget()
        strip = self.area.strip.findChildren(SeriesItem)[:1]
        focus_next_of([images, self.panel.editor, *strip, self.side])

    def focus_images(self) -> None:
        """Give the keyboard back to the active viewport."""
        pane = self.area.grid.active_pane().widget()
        if self._is_lent:
            pane.activateWindow()
        pane.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._size_parts()

    def _size_parts(self) -> None:
        narrow = self.width() < self.theme.length("column", "narrow-below")
        self.area.set_narrow(narrow)
        self.side.set_narrow(narrow)
        self.tools.set_narrow(narrow)
        self.header.set_narrow(narrow)
        # One pixel more: the line at the panel's left edge.
        width = 1 + self.theme.length("column", "report-narrow" if narrow else "report")
        self._right.setMinimumWidth(width)
        self._right.setMaximumWidth(self.theme.px(LONGEST_LINES) if self._is_lent else width)

    def close_page(self) -> None:
        """End threads and give all memory back."""
        for part in self.parts.all:
            part.close()
        self.drafts.runs.close()
        self.work.close()
        self.area.adapter.close()
