"""The right column: tabs Report, Trace, Evidence; the text, its bars, the card, signing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QImage, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.acts import REPORT_ACTS
from app.finding_phrase import FindingChoice
from app.report_history import Change
from app.report_model import ReportModel
from app.shell.act_binding import KeyFollower, act_text, bind_acts, key_of, keys_of
from app.shell.draft.trace_panel import TracePanel
from app.shell.report import words
from app.shell.report.acts import EVIDENCE_TAB, IN_MENU, REPORT_TAB, TRACE_TAB, ReportActs
from app.shell.report.bars import (
    CandidateBar,
    CountsBar,
    SignBar,
    TraceBar,
)
from app.shell.report.editor import ReportEditor
from app.shell.report.evidence_card import EvidenceCard, EvidenceList
from app.shell.report.finding_form import FindingForm
from app.shell.report.question_bar import QuestionBar
from app.shell.undoing import Undoing
from app.shell.widgets import (
    ActButton,
    Badge,
    BadgeFrame,
    Choice,
    Message,
    Toast,
    glyph_label,
    key_text,
    plain_label,
)
from reports.domain import Evidence, Section, TraceEvent, ViewState
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

NARROWEST = 320
"""Least width of the panel, logical pixels."""


class ReportPanel(QWidget):
    """Shows a `ReportModel` and turns gestures into its acts.

    Signals
    -------
    evidenceHovered(str)
        Evidence under the pointer, "" when it left: its region lights up.
    evidenceActivated(str, int)
        Evidence to jump to, and the index of its region in `Evidence.regions`.
    sentenceSelected(str)
        Another sentence holds the caret ("" for none).
    draftWanted(), cancelDraftWanted(), saveWanted(), signWanted()
        Acts that the window carries out.
    changed(Change)
        The model changed: the window saves and records it.
    """

    evidenceHovered = Signal(str)
    evidenceActivated = Signal(str, int)
    sentenceSelected = Signal(str)
    draftWanted = Signal()
    cancelDraftWanted = Signal()
    saveWanted = Signal()
    signWanted = Signal()
    changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.model: ReportModel | None = None
        self.images_now: int | None = None
        self._stop_observing: Callable[[], None] = lambda: None
        self._message: Message | None = None
        self._crop: Callable[[str, int], tuple[QImage | None, str]] = lambda _id, _region: (None, "")
        self._seed: int | None = None
        self._view: ViewState | None = None
        self.setProperty("ground", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Report panel"))
        self.editor = ReportEditor(theme)
        self.counts = CountsBar(theme)
        self.question = QuestionBar(theme)
        self.candidates = CandidateBar(theme, key_of)
        self.finding_form = FindingForm(theme)
        self.card = EvidenceCard(theme)
        self.trace_bar = TraceBar(theme)
        self.sign_bar = SignBar(theme, key_of)
        self.trace = TracePanel(theme)
        self.evidence_list = EvidenceList(theme)
        self.badge = Badge(theme)
        self._lay_out()
        self.toast = Toast(theme, self._page)
        self.undoing = Undoing(self)
        self._acts = ReportActs(self)
        self._connect()
        self.set_model(None)

    def _lay_out(self) -> None:
        theme = self.theme
        column = QVBoxLayout(self)
        # The bars leave words out when the panel is narrow, so their width of now is no minimum.
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self.setMinimumWidth(theme.px(NARROWEST))
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QFrame()
        head.setProperty("line", "bottom")
        row = QHBoxLayout(head)
        row.setContentsMargins(theme.length("space", "s"), 0, theme.length("space", "m"), 0)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(self.tr("Report, trace and evidence"))
        self.tabs.setFont(theme.font("base"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        for name in (self.tr("Report"), self.tr("Trace"), self.tr("Evidence")):
            self.tabs.addTab(name)
        row.addWidget(self.tabs)
        row.addStretch(1)
        row.addWidget(self.badge)
        column.addWidget(head)
        self._page = QWidget()
        page = QVBoxLayout(self._page)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self.question)
        page.addWidget(self.counts)
        self._message_place = QVBoxLayout()
        page.addLayout(self._message_place)
        page.addWidget(self.finding_form)
        page.addWidget(self.candidates)
        self._texts = QStackedWidget()
        self._texts.addWidget(self.editor)
        self._texts.addWidget(self._make_empty())
        page.addWidget(self._texts, 1)
        page.addWidget(self.card)
        page.addWidget(self.trace_bar)
        page.addWidget(self.sign_bar)
        self._pages = QStackedWidget()
        for widget in (self._page, self.trace, self.evidence_list):
            self._pages.addWidget(widget)
        column.addWidget(self._pages, 1)

    def _make_empty(self) -> QWidget:
        theme = self.theme
        place = QWidget()
        column = QVBoxLayout(place)
        column.setSpacing(theme.length("space", "s"))
        column.addStretch(2)
        centre = Qt.AlignmentFlag.AlignHCenter
        mark = glyph_label("file-text", "text-3", theme, meaning="", size=28)
        column.addWidget(mark, 0, centre)
        column.addWidget(plain_label(self.tr("The report is empty"), theme, step="patient"), 0, centre)
        for line in (
            self.tr("Draft it, write it yourself, or start from your normals."),
            self.tr("Your sentences are checked against the images too."),
        ):
            column.addWidget(plain_label(line, theme, tone="2"), 0, centre)
        row = QHBoxLayout()
        row.addStretch(1)
        for text, act in (
            (self.tr("Draft"), "report.draft"),
            (self.tr("Write"), "report.write"),
            (self.tr("My normals"), "report.normals"),
        ):
            button = ActButton(text, theme)
            KeyFollower(button, lambda b=button, act=act: b.setToolTip(key_text(key_of(act))))
            button.clicked.connect(lambda _checked=False, name=act: self.perform(name))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(5)
        return place

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.editor.evidenceHovered.connect(self.evidenceHovered)
        self.editor.evidenceActivated.connect(self._activated)
        self.editor.sentenceSelected.connect(self._selected)
        self.editor.normalsWanted.connect(self._acts.insert_normals)
        self.editor.refused.connect(lambda text: self.toast.say(text, can_undo=False))
        self.question.draftWanted.connect(lambda: self.perform("report.draft"))
        self.question.asked.connect(self._ask)
        self.counts.filterChanged.connect(self.editor.set_filter)
        self.candidates.accepted.connect(self._accept_candidate)
        self.candidates.rejected.connect(self._reject_candidate)
        self.candidates.shown.connect(self.editor.activate)
        self.finding_form.accepted.connect(self._accept_finding)
        self.finding_form.linkWanted.connect(self._link_region)
        self.trace.evidenceActivated.connect(self.editor.activate)
        self.trace.set_evidence(lambda key: self.model.ledger.get(key) if self.model else None)
        self.editor.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.editor.customContextMenuRequested.connect(self._open_menu)
        self.card.activated.connect(self.editor.activate)
        self.evidence_list.activated.connect(self.editor.activate)
        self.trace_bar.opened.connect(lambda: self.show_tab(TRACE_TAB))
        self.trace.cancelWanted.connect(self.cancelDraftWanted)
        self.sign_bar.blockerWanted.connect(lambda: self.perform("report.next_blocker"))
        self.sign_bar.riskWanted.connect(lambda: self.perform("report.next_blocker"))
        self.sign_bar.saveWanted.connect(lambda: self.perform("report.save"))
        self.sign_bar.signWanted.connect(lambda: self.perform("report.sign"))
        self.toast.undone.connect(self.editor.undo)
        self.editor.undoWanted.connect(self.undoing.undo)
        self.editor.redoWanted.connect(self.undoing.redo)
        self.undoing.said.connect(lambda text: self.toast.say(text, can_undo=False))

    # What the window calls

    def set_model(self, model: ReportModel | None) -> None:
        """Show a report, or none."""
        self._stop_observing()
        self.model = model
        self.undoing.watch(model)
        self.editor.set_model(model)
        # After the editor's own subscription: bars are drawn from a text that is up to date.
        self._stop_observing = model.subscribe(self._changed) if model else lambda: None
        self.card.show_evidence(None)
        self.finding_form.hide()
        self.clear_problem()
        if model is None:
            self.toast.hide()
        self._draw()

    def set_crops(self, crop: Callable[[str, int], tuple[QImage | None, str]]) -> None:
        """Give the function that cuts an evidence's region out: (id, region) -> (image, where)."""
        self._crop = crop

    def set_images_now(self, count: int | None) -> None:
        """Tell how many images the study has now; more than the draft saw blocks signing."""
        self.images_now = count
        self._draw()

    def select_evidence(self, evidence_id: str) -> None:
        """Find the sentence of a region that was clicked in the image."""
        if self.model is None:
            return
        citing = self.model.sentences_citing(evidence_id)
        if citing and not any(item.id in self.editor.rows() for item in citing):
            self.counts.clear_filter()
        if citing:
            self.show_tab(REPORT_TAB)
        self.editor.select_evidence(evidence_id)
        self.evidence_list.mark(evidence_id)
        self._show_card(evidence_id, 0)

    def ask_finding(
        self, measured: Evidence, *, body_region: str = "", view: ViewState | None = None
    ) -> None:
        """Ask whether a mark is a finding; `view` is how the reader sees it."""
        self._view = view
        self.show_tab(REPORT_TAB)
        self.finding_form.set_sentence(self.editor.selected)
        self.finding_form.show_region(measured, body_region=body_region)

    def start_draft(self, model: str = "", seed: int | None = None) -> None:
        """Show the trace of a run that begins."""
        self._seed = seed
        self.clear_problem()
        self.trace.start(model, seed)
        self.show_tab(TRACE_TAB)
        self._draw()

    def add_trace(self, event: TraceEvent, progress: float | None = None) -> None:
        """Show an event of the run."""
        self.trace.add(event)
        if progress is not None:
            self.trace.set_progress(progress)

    def finish_draft(self, *, show_report: bool = True) -> None:
        """End the run; the text comes back unless the reader looks at something else."""
        self.trace.finish()
        if show_report and self.tabs.currentIndex() == TRACE_TAB:
            self.show_tab(REPORT_TAB)
        self._draw()

    def show_trace(self, events: Sequence[TraceEvent], seed: int | None = None) -> None:
        """Show the recorded trace of a report that is opened again."""
        self._seed = seed
        self.trace.show_events(events)
        self._draw()

    def show_problem(
        self, what: str, why: str, detail: str = "", choices: Sequence[Choice] = ()
    ) -> None:
        """Show an inline message over the text: what, why, what now."""
        self.clear_problem()
        self._message = Message(self.theme, what=what, why=why, detail=detail, choices=choices)
        side = self.theme.length("space", "m")
        self._message_place.setContentsMargins(side, side, side, side)
        self._message_place.addWidget(self._message)
        self.show_tab(REPORT_TAB)

    def clear_problem(self) -> None:
        """Take the message away."""
        if self._message is not None:
            self._message_place.removeWidget(self._message)
            self._message.deleteLater()
            self._message = None
            self._message_place.setContentsMargins(0, 0, 0, 0)

    def show_tab(self, index: int) -> None:
        """Bring a tab to the front."""
        self.tabs.setCurrentIndex(index)

    def bind(self, window: QWidget) -> dict[str, QAction]:
        """Bind the keys of the report's acts to a window; returns the actions by name."""
        self.editor.act_keys = frozenset(
            QKeySequence(key) for key in keys_of(REPORT_ACTS) - {"Ctrl+Z", "Ctrl+Y"}
        )
        acts = [act for act in REPORT_ACTS if act.name not in ("report.undo", "report.redo")]
        return bind_acts(window, acts, self.perform)

    def perform(self, name: str) -> bool:
        """Do an act of `app.acts.REPORT_ACTS`; false when it does not fit now."""
        return self._acts.perform(name)

    def why_not(self, name: str) -> str:
        """Return why an act is not possible now (the palette shows it), or empty."""
        return self._acts.why_not(name)

    def show_sentence(self, sentence_id: str) -> None:
        """Jump to a sentence: tab, filter, scroll, and its evidence on the image."""
        self.show_tab(REPORT_TAB)
        if sentence_id not in self.editor.rows():
            self.counts.clear_filter()
        self.editor.select_sentence(sentence_id, shows_evidence=True)
        self.editor.setFocus()

    def write(self, section: Section) -> None:
        """Start a sentence of the reader's own in a section."""
        self.show_tab(REPORT_TAB)
        self._texts.setCurrentWidget(self.editor)
        self.editor.write(section)

    def _accept_candidate(self, evidence_id: str) -> None:
        if self.model is not None:
            self.editor.commit()
            self.model.accept_candidate(evidence_id)

    def _reject_candidate(self, evidence_id: str) -> None:
        if self.model is not None:
            self.editor.commit()
            self.model.reject_candidate(evidence_id)

    def _accept_finding(self, measured: Evidence, choice: FindingChoice) -> None:
        if self.model is None:
            return
        self.editor.commit()
        try:
            new = self.model.accept_finding(measured, replace(choice, view=self._view))
        except ValueError as error:
            self.finding_form.show_problem(str(error))
            return
        self.show_sentence(new)

    def _link_region(self, measured: Evidence) -> None:
        if self.model is not None and self.editor.selected:
            self.editor.commit()
            self.editor.activate(self.model.link_region(self.editor.selected, measured))

    def _open_menu(self, place: QPoint) -> None:
        """Offer the acts of the sentence under the pointer, with why some are not possible."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for act in REPORT_ACTS:
            if act.name in IN_MENU:
                reason = self.why_not(act.name)
                action = menu.addAction(act_text(act))
                action.setEnabled(not reason)
                action.setToolTip(plain_tip(reason) or key_text(key_of(act.name)))
                action.triggered.connect(lambda _checked=False, name=act.name: self.perform(name))
        menu.addSeparator()
        menu.addAction(self.tr("Copy"), self.editor.copy)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.editor.viewport().mapToGlobal(place))

    # Drawing

    def _changed(self, change: Change) -> None:
        self.undoing.heard(change)
        self._draw()
        self.changed.emit(change)

    def _draw(self) -> None:
        model = self.model
        self.counts.show_model(model)
        self.candidates.show_model(model)
        self.sign_bar.show_model(model, images_now=self.images_now)
        self.trace_bar.show_events(self.trace.events, self._seed)
        self.evidence_list.show_ledger(model.ledger if model else None)
        count = len(model.ledger.evidence) if model else 0
        self.tabs.setTabText(EVIDENCE_TAB, self.tr("Evidence {n}").format(n=count))
        is_empty = model is None or not (model.sentences or model.limitations)
        self._texts.setCurrentIndex(1 if is_empty else 0)
        self.counts.setVisible(not is_empty)
        is_locked = model is not None and model.is_locked
        if model is not None and (model.question or not is_empty):
            self.question.set_text(model.question)
        self.question.show_for(is_open=model is not None, is_empty=is_empty, is_locked=is_locked)
        if self.trace.is_running:
            self.badge.show_state(self.tr("Drafting"), "circle-notch", BadgeFrame.SOLID)
        elif model is None or is_empty:
            self.badge.show_state(self.tr("No draft"), "minus", BadgeFrame.NONE)
        else:
            text, name, frame = words.STATE_BADGES[model.report.state]
            self.badge.show_state(words.tr(text), name, frame)

    def _ask(self, question: str) -> None:
        if self.model is not None and not self.model.is_locked:
            self.model.ask(question)

    def _activated(self, evidence_id: str, region: int) -> None:
        self._show_card(evidence_id, region)
        self.evidence_list.mark(evidence_id)
        self.evidenceActivated.emit(evidence_id, region)

    def _show_card(self, evidence_id: str, region: int) -> None:
        if self.model is None or self._is_narrow():
            self.card.show_evidence(None)
            return
        evidence = self.model.ledger.get(evidence_id)
        crop, where = self._crop(evidence_id, region) if evidence is not None else (None, "")
        selected = self.editor.selected
        cites = {item.id for item in self.model.sentences_citing(evidence_id)}
        checks = self.editor.judging.sentences[selected].checks if selected in cites else ()
        self.card.show_evidence(evidence, checks=checks, crop=crop, where=where)

    def _selected(self, sentence_id: str) -> None:
        self.finding_form.set_sentence(sentence_id)
        self.sentenceSelected.emit(sentence_id)

    def _is_narrow(self) -> bool:
        return self.width() < self.theme.length("column", "report")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self._is_narrow()
        self.counts.set_compact(narrow)
        self.sign_bar.set_compact(narrow)
        if narrow:
            self.card.hide()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.length("column", "report"), super().sizeHint().height())
