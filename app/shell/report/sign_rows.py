"""Rows of the signing dialog: a risk with its reason, a finding that nobody mentions."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QWidget

from app import sign_off
from app.repairing import repair
from app.report_checks import Omission
from app.report_model import ReportModel
from app.shell.report import words
from app.shell.report.chip import ChipButton
from app.shell.widgets import ActButton, plain_label
from app.sign_off import Risk
from viewer.views.theme import Theme


class RiskRow(QWidget):
    """One open risk: a tick with a reason. Digits on the tick pick a reason at once."""

    kept = Signal(str)
    """The reason, or empty when the tick was taken away."""

    def __init__(self, theme: Theme, risk: Risk, model: ReportModel) -> None:
        super().__init__()
        self._is_filling = True
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.length("space", "s"))
        grid.setVerticalSpacing(theme.length("space", "xs"))
        self.tick = QCheckBox()
        self.tick.setFixedWidth(theme.px(20))
        self.tick.setChecked(not risk.is_open)
        self.tick.setAccessibleName(self.tr("Keep: {text}").format(text=risk.message))
        self.tick.setToolTip(self.tr("Keys 1 to {n} pick a reason").format(n=len(sign_off.REASONS)))
        self.tick.toggled.connect(self._ticked)
        grid.addWidget(self.tick, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        head = QHBoxLayout()
        head.addWidget(plain_label(risk.message, theme, wraps=True), 1)
        cited = model.sentence(risk.sentence_id).citations
        for evidence_id in dict.fromkeys(citation.evidence_id for citation in cited):
            chip = ChipButton(evidence_id, model.ledger.get(evidence_id), theme)
            chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            head.addWidget(chip)
        grid.addLayout(head, 0, 1)
        detail = self.tr("Weak: {why} Risk {n} of 4.").format(why=risk.detail, n=risk.risk)
        grid.addWidget(plain_label(detail, theme, step="note", tone="2", wraps=True), 1, 1)
        self.reason = QComboBox()
        self.reason.setEditable(True)
        self.reason.addItems(sign_off.REASONS)
        self.reason.setAccessibleName(self.tr("Reason"))
        self.reason.setCurrentText(risk.reason)
        self.reason.setVisible(not risk.is_open)
        self.reason.activated.connect(lambda _index: self._given())
        self.reason.lineEdit().editingFinished.connect(self._given)
        grid.addWidget(self.reason, 2, 1)
        grid.setColumnStretch(1, 1)
        self._grid = grid
        self._risk = risk
        self._is_filling = False

    def add_button(self, button: ActButton) -> None:
        """Put a button at the right end."""
        self._grid.addWidget(button, 0, 2, Qt.AlignmentFlag.AlignTop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_1
        if self.window().focusWidget() is self.tick and 0 <= number < len(sign_off.REASONS):
            self.kept.emit(sign_off.REASONS[number])
            return
        super().keyPressEvent(event)

    def _ticked(self, checked: bool) -> None:
        self.kept.emit(sign_off.REASONS[0] if checked else "")

    def _given(self) -> None:
        text = self.reason.currentText().strip()
        if text and text != self._risk.reason:
            self.kept.emit(text)


class OmissionRow(QWidget):
    """An accepted finding that no sentence mentions, with the button that writes it."""

    def __init__(self, theme: Theme, omission: Omission, model: ReportModel) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(28), 0, 0, 0)
        row.setSpacing(theme.length("space", "s"))
        row.addWidget(plain_label(omission.words, theme, wraps=True), 1)
        chip = ChipButton(omission.evidence_id, model.ledger.get(omission.evidence_id), theme)
        chip.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.addWidget(chip)
        offered = sign_off.write(omission)
        self.write = ActButton(words.repair_text(offered), theme)
        self.write.clicked.connect(lambda: repair(model, offered))
        row.addWidget(self.write)
        self.setAccessibleName(omission.words)
