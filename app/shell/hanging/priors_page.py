"""The page of priors: each earlier study with its date, and its report to read, never to change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from app.shell.parts import PartContext
from app.shell.widgets import QUIET, ActButton, glyph_label, plain_label, rule
from viewer.imaging.priors import PriorStudy
from viewer.views.corner_text import printed_date

LEAST_LINES, MOST_LINES = 3, 22
"""Lines of a report that are shown without scrolling."""


class PriorCard(QFrame):
    """One earlier study: what it is, and its report once it was asked for."""

    def __init__(self, prior: PriorStudy, context: PartContext) -> None:
        super().__init__()
        self.prior, self._context = prior, context
        theme, study = context.theme, prior.study
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.length("space", "s"))
        column.setSpacing(theme.length("space", "xs"))
        date = printed_date(study.date) or self.tr("no date")
        words = f"{date}  {' '.join(study.modalities)}"
        column.addWidget(plain_label(words, theme, step="name"))
        if study.description:
            column.addWidget(plain_label(study.description, theme, tone="2", wraps=True))
        if not prior.same_id:
            warned = QHBoxLayout()
            warned.addWidget(glyph_label("warning", "warning", theme, meaning=self.tr("Warning")))
            words = self.tr("Same name and birth date, not the same ID")
            warned.addWidget(plain_label(words, theme, step="note", wraps=True), 1)
            column.addLayout(warned)
        self.button = ActButton(self.tr("Read the report"), theme, kind=QUIET)
        self.button.clicked.connect(self.read)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column.addLayout(row)
        self.report = QPlainTextEdit()
        self.report.setReadOnly(True)
        self.report.setAccessibleName(self.tr("Report of {date}").format(date=date))
        self.report.setFont(theme.font("base"))
        self.report.hide()
        column.addWidget(self.report)
        column.addWidget(rule())

    def read(self) -> None:
        """Read the report from the store and show it."""
        desk, thread = self._context.desk(), self._context.store_thread()
        if desk is None or thread is None:
            return
        uid = self.prior.study.study_instance_uid
        self.button.set_reason(self.tr("It is being read."))
        thread.run(lambda: desk.report_text(uid), self._show, lambda error: self._show(str(error)))

    def _show(self, text: str) -> None:
        self.button.hide()
        self.report.setPlainText(text or self.tr("No report of this study is kept here."))
        lines = min(max(text.count("\n") + 2, LEAST_LINES), MOST_LINES)
        self.report.setFixedHeight(lines * self._context.theme.line_height("base") + 12)
        self.report.show()


class PriorsPage(QWidget):
    """Earlier studies of the patient, newest first."""

    def __init__(self, context: PartContext) -> None:
        super().__init__()
        self._context = context
        self.cards: list[PriorCard] = []
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._area)
        self.show_priors(())

    def show_priors(self, priors: Sequence[PriorStudy]) -> None:
        """List other priors."""
        theme = self._context.theme
        body = QWidget()
        body.setProperty("ground", "panel")
        column = QVBoxLayout(body)
        side = theme.length("space", "m")
        column.setContentsMargins(side, side, side, side)
        self.cards = [PriorCard(prior, self._context) for prior in priors]
        for card in self.cards:
            column.addWidget(card)
        if not self.cards:
            words = self.tr("No earlier study of this patient is in the worklist.")
            column.addWidget(plain_label(words, theme, tone="2", wraps=True))
        column.addStretch(1)
        self._area.setWidget(body)
