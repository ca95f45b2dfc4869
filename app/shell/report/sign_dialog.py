"""Signing: what is signed, what blocks, which risks are open, what is left out, and who signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import sign_off
from app.repairing import repair
from app.report_model import ReportModel
from app.shell.layers import Scrim
from app.shell.report import words
from app.shell.report.sign_rows import OmissionRow, RiskRow
from app.shell.widgets import PRIMARY, QUIET, ActButton, close_button, glyph_label, plain_label, rule
from app.sign_off import Blocker, BlockerKind, Risk
from reports.domain import ReportAct, Role
from reports.export.text import age_words, date_words, person_words
from viewer.views.theme import Theme

WIDTH = 720
"""Width of the dialog, logical pixels."""


@dataclass(frozen=True)
class Signer:
    """Who signs: printed name and role of the account that is signed in."""

    printed_name: str
    role: Role


class SignDialog(QDialog):
    """Asks for the signature of one report. The caller checks the password and answers.

    Signals
    -------
    attempted(str, ReportAct)
        Password and act. Answer with `accept()` or `show_error()`.
    showWanted(str)
        A sentence to jump to; the dialog closes.
    """

    attempted = Signal(str, object)
    showWanted = Signal(str)

    def __init__(
        self,
        theme: Theme,
        model: ReportModel,
        signer: Signer,
        *,
        images_now: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._signer = signer
        self._images_now = images_now
        self._wait = 0
        self._is_busy = False
        self._error = ""
        self.setWindowFlag(Qt.WindowType.FramelessWindowHint)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setFixedWidth(theme.px(WIDTH))
        self._scrim = Scrim(parent.window()) if parent is not None else None
        self._countdown = QTimer(self)
        self._countdown.setInterval(1000)
        self._countdown.timeout.connect(self._count_down)
        title = self.tr(words.SIGN_TITLES[self._main_act()])
        self.setWindowTitle(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._make_head(title))
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName(self.tr("What is signed"))
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._area, 1)
        column.addWidget(rule())
        column.addWidget(self._make_who())
        column.addWidget(rule())
        column.addLayout(self._make_foot())
        self._stop_observing: Callable[[], None] = model.subscribe(lambda _change: self._draw())
        self.finished.connect(self._closed)
        self._draw()
        self.password.setFocus()

    # Parts

    def _make_head(self, title: str) -> QVBoxLayout:
        theme, study = self._theme, self._model.report.study
        side = theme.length("space", "xl")
        column = QVBoxLayout()
        column.setContentsMargins(side, theme.length("space", "l"), side, theme.length("space", "s"))
        column.setSpacing(theme.px(2))
        row = QHBoxLayout()
        row.addWidget(plain_label(title, theme, step="dialog"), 1)
        row.addWidget(close_button(theme, self.reject, name=self.tr("Back to report")))
        column.addLayout(row)
        about = f"{age_words(study.age)} {study.sex}".strip()
        person = [person_words(study.patient_name), study.patient_id, about]
        images = self.tr("1 image") if study.image_count == 1 else self.tr("{n} images")
        accession = study.accession_number or self.tr("none")
        examination = [
            ", ".join(
                filter(None, (study.study_description or study.modality, date_words(study.study_date)))
            ),
            self.tr("Accession {number}").format(number=accession),
            images.format(n=study.image_count),
        ]
        for parts, tone in ((person, ""), (examination, "2")):
            line = "  \u00b7  ".join(part for part in parts if part)
            column.addWidget(plain_label(line, theme, tone=tone, wraps=True))
        return column

    def _make_who(self) -> QWidget:
        theme = self._theme
        side, gap = theme.length("space", "xl"), theme.length("space", "s")
        place = QWidget()
        place.setProperty("ground", "panel")
        place.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QGridLayout(place)
        grid.setContentsMargins(side, theme.length("space", "l"), side, theme.length("space", "l"))
        grid.setHorizontalSpacing(side)
        grid.setVerticalSpacing(gap)
        grid.addWidget(plain_label(self.tr("Signing as"), theme, step="note", tone="2"), 0, 0)
        label = plain_label(self.tr("Password"), theme, step="note", tone="2")
        grid.addWidget(label, 0, 1)
        roles = {Role.RADIOLOGIST: self.tr("radiologist"), Role.RESIDENT: self.tr("resident")}
        role = roles.get(self._signer.role, self._signer.role.value)
        grid.addWidget(plain_label(f"{self._signer.printed_name}, {role}", theme), 1, 0)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setAccessibleName(self.tr("Password"))
        self.password.textChanged.connect(self._update)
        self.password.returnPressed.connect(self._enter)
        label.setBuddy(self.password)
        grid.addWidget(self.password, 1, 1)
        self._problem = plain_label("", theme, step="note", tone="warning", wraps=True)
        self._problem.hide()
        grid.addWidget(self._problem, 2, 1)
        meaning = plain_label(sign_off.MEANINGS[self._main_act()], theme, tone="2", wraps=True)
        grid.addWidget(meaning, 3, 0, 1, 2)
        if self._offers_both():
            instead = self.tr("Sign preliminary instead: {meaning}").format(
                meaning=sign_off.MEANINGS[ReportAct.SIGN_PRELIMINARY]
            )
            grid.addWidget(plain_label(instead, theme, step="note", tone="2", wraps=True), 4, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return place

    def _make_foot(self) -> QVBoxLayout:
        theme = self._theme
        side, gap = theme.length("space", "xl"), theme.length("space", "s")
        column = QVBoxLayout()
        column.setContentsMargins(side, theme.length("space", "m"), side, theme.length("space", "m"))
        column.setSpacing(gap)
        row = QHBoxLayout()
        row.setSpacing(gap)
        back = ActButton(self.tr("Back to report"), theme, kind=QUIET, key="Esc")
        back.clicked.connect(self.reject)
        row.addWidget(back)
        row.addStretch(1)
        main = self._main_act()
        is_final = main is not ReportAct.SIGN_PRELIMINARY
        self.preliminary = ActButton(
            self.tr("Sign preliminary"), theme, kind="secondary" if is_final else PRIMARY
        )
        self.preliminary.clicked.connect(lambda: self._attempt(ReportAct.SIGN_PRELIMINARY))
        self.preliminary.setVisible(self._offers_both() or not is_final)
        self.seal = ActButton(self.tr("Sign and seal"), theme, kind=PRIMARY, glyph_name="seal-check")
        self.seal.clicked.connect(lambda: self._attempt(main))
        self.seal.setVisible(is_final)
        row.addWidget(self.preliminary)
        row.addWidget(self.seal)
        column.addLayout(row)
        self._reason = plain_label("", theme, step="note", tone="2", wraps=True)
        self._reason.setAlignment(Qt.AlignmentFlag.AlignRight)
        column.addWidget(self._reason)
        return column

    # What it says

    @property
    def reason(self) -> str:
        """Why the report cannot be signed now, as it stands under the buttons."""
        return self._reason.text()

    @property
    def problem(self) -> str:
        """What was wrong with the last attempt."""
        return self._problem.text()

    def show_error(self, text: str, wait_seconds: float = 0.0) -> None:
        """Say why an attempt failed, and how long to wait before the next (slowed, never locked)."""
        self._is_busy = False
        self._error = text
        self._wait = max(0, round(wait_seconds + 0.49))
        self.password.clear()
        self.password.setEnabled(True)
        self.password.setFocus()
        if self._wait:
            self._countdown.start()
        self._say_problem()
        self._update()

    def _count_down(self) -> None:
        self._wait = max(self._wait - 1, 0)
        if not self._wait:
            self._countdown.stop()
        self._say_problem()
        self._update()

    def _say_problem(self) -> None:
        text = self._error
        if self._wait:
            text += " " + self.tr("Try again in {n} s.").format(n=self._wait)
        self._problem.setText(text)
        self._problem.setVisible(bool(text))

    def _main_act(self) -> ReportAct:
        """Return how this person signs this report unless they choose otherwise."""
        if self._model.report.addendum_to:
            return ReportAct.SIGN_ADDENDUM
        is_resident = self._signer.role is Role.RESIDENT
        return ReportAct.SIGN_PRELIMINARY if is_resident else ReportAct.SIGN_FINAL

    def _offers_both(self) -> bool:
        return self._main_act() is ReportAct.SIGN_FINAL

    def _enter(self) -> None:
        is_preliminary = self._main_act() is ReportAct.SIGN_PRELIMINARY
        button = self.preliminary if is_preliminary else self.seal
        if button.isEnabled():
            button.click()

    def _attempt(self, act: ReportAct) -> None:
        password = self.password.text()
        self._is_busy = True
        self._error = ""
        self._say_problem()
        self.password.setEnabled(False)
        self._update()
        self.attempted.emit(password, act)

    # Drawing

    def _blockers(self) -> tuple[Blocker, ...]:
        return self._model.blockers(images_now=self._images_now)

    def _draw(self) -> None:
        theme = self._theme
        body = QWidget()
        body.setProperty("ground", "raised")
        column = QVBoxLayout(body)
        side = theme.length("space", "xl")
        column.setContentsMargins(side, theme.length("space", "s"), side, theme.length("space", "m"))
        column.setSpacing(theme.length("space", "s"))
        blockers = self._blockers()
        risks = self._model.risks()
        if blockers:
            count = len(blockers)
            text = self.tr("1 must be fixed") if count == 1 else self.tr("{n} must be fixed")
            self._heading(column, "warning-octagon-fill", text.format(n=count), "")
            for blocker in blockers:
                column.addWidget(rule())
                column.addWidget(self._blocker_row(blocker))
        if risks:
            open_now = sum(risk.is_open for risk in risks)
            text = self.tr("1 risk is open") if open_now == 1 else self.tr("{n} risks are open")
            hint = self.tr("Fix each, or keep it with a reason.")
            self._heading(column, "warning-circle", text.format(n=open_now), hint)
            for risk in risks:
                column.addWidget(rule())
                column.addWidget(self._risk_row(risk))
        omissions = sign_off.omissions(self._model.report, self._model.ledger)
        if omissions:
            count = len(omissions)
            text = self.tr("1 accepted finding is not mentioned")
            if count > 1:
                text = self.tr("{n} accepted findings are not mentioned").format(n=count)
            self._heading(column, "warning-circle", text, self.tr("Signing does not wait for this."))
            for omission in omissions:
                column.addWidget(OmissionRow(theme, omission, self._model))
        left_out = sign_off.left_out(self._model.report)
        if left_out:
            column.addWidget(rule())
            column.addLayout(self._left_out_row([sentence.text for sentence in left_out]))
        if not (blockers or risks or omissions or left_out):
            self._heading(column, "check", self.tr("Nothing is open"), "")
        column.addStretch(1)
        scroll = self._area.verticalScrollBar().value()
        self._area.setWidget(body)
        wanted = body.sizeHint().height()
        screen = self.parentWidget().window().height() if self.parentWidget() else 768
        self._area.setFixedHeight(min(wanted, max(screen - theme.px(420), theme.px(120))))
        self._area.verticalScrollBar().setValue(scroll)
        self.adjustSize()
        self._update()

    def _heading(self, column: QVBoxLayout, glyph_name: str, text: str, hint: str) -> None:
        theme = self._theme
        row = QHBoxLayout()
        row.setSpacing(theme.length("space", "s"))
        token = "text-2" if glyph_name == "check" else "warning"
        row.addWidget(glyph_label(glyph_name, token, theme, meaning=""))
        head = plain_label(text, theme, step="name")
        row.addWidget(head)
        row.addWidget(plain_label(hint, theme, step="note", tone="2"))
        row.addStretch(1)
        column.addSpacing(theme.length("space", "xs"))
        column.addLayout(row)

    def _blocker_row(self, blocker: Blocker) -> QWidget:
        theme = self._theme
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(theme.px(28), 0, 0, 0)
        row.setSpacing(theme.length("space", "s"))
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(plain_label(blocker.message, theme, wraps=True))
        if blocker.detail:
            said.addWidget(plain_label(blocker.detail, theme, step="note", tone="2", wraps=True))
        row.addLayout(said, 1)
        for one in blocker.repairs[:2]:
            button = ActButton(words.repair_text(one), theme)
            button.clicked.connect(lambda _checked=False, offered=one: repair(self._model, offered))
            row.addWidget(button)
        if blocker.kind is BlockerKind.NEW_IMAGES and self._images_now is not None:
            count = self._images_now
            button = ActButton(self.tr("I looked at them"), theme)
            button.clicked.connect(lambda: self._model.take_image_count(count))
            row.addWidget(button)
        if blocker.sentence_id:
            row.addWidget(self._show_button(blocker.sentence_id))
        place.setAccessibleName(blocker.message)
        return place

    def _risk_row(self, risk: Risk) -> RiskRow:
        row = RiskRow(self._theme, risk, self._model)
        row.kept.connect(lambda reason: self._model.keep_risk(risk.sentence_id, reason))
        row.add_button(self._show_button(risk.sentence_id))
        return row

    def _show_button(self, sentence_id: str) -> ActButton:
        button = ActButton(self.tr("Show"), self._theme, kind=QUIET)
        button.setAccessibleName(self.tr("Show in the report"))
        button.clicked.connect(lambda: self._show(sentence_id))
        return button

    def _show(self, sentence_id: str) -> None:
        self.reject()
        self.showWanted.emit(sentence_id)

    def _left_out_row(self, texts: list[str]) -> QHBoxLayout:
        theme = self._theme
        row = QHBoxLayout()
        row.setSpacing(theme.length("space", "s"))
        row.addWidget(
            glyph_label("x-circle", "text-2", theme, meaning=""), 0, Qt.AlignmentFlag.AlignTop
        )
        count = len(texts)
        head = (
            self.tr("1 sentence is left out of the sealed report and kept in the trace:")
            if count == 1
            else self.tr("{n} sentences are left out of the sealed report and kept in the trace:")
        )
        quoted = ", ".join(f"\u201c{text}\u201d" for text in texts)
        text = f"{head.format(n=count)} {quoted}"
        row.addWidget(plain_label(text, theme, step="note", tone="2", wraps=True), 1)
        return row

    def _update(self) -> None:
        blockers = len(self._blockers())
        open_risks = sum(risk.is_open for risk in self._model.risks())
        to_fix = []
        if blockers:
            to_fix.append(self.tr("what blocks is fixed"))
        if open_risks:
            to_fix.append(self.tr("each open risk is kept or fixed"))
        password = ""
        if self._is_busy:
            password = self.tr("The password is being checked.")
        elif self._wait:
            password = self.tr("Wait {n} s after the wrong password.").format(n=self._wait)
        elif not self.password.text():
            password = self.tr("Type your password.")
        both = self.tr(" and ")
        final = self.tr("Opens when {what}.").format(what=both.join(to_fix)) if to_fix else password
        preliminary = self.tr("Opens when {what}.").format(what=to_fix[0]) if blockers else password
        self.seal.set_reason(final)
        self.preliminary.set_reason(preliminary)
        self._reason.setText(preliminary if self._signer.role is Role.RESIDENT else final)

    # Opening and closing

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        if self._scrim is not None:
            self._scrim.show()
            self._scrim.raise_()
            window = self._scrim.parentWidget()
            self.move(window.mapToGlobal(window.rect().center()) - self.rect().center())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            return
        super().keyPressEvent(event)

    def _closed(self) -> None:
        self._stop_observing()
        self._countdown.stop()
        self.password.clear()
        if self._scrim is not None:
            self._scrim.hide()
            self._scrim.deleteLater()
            self._scrim = None

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(WIDTH), super().sizeHint().height())
