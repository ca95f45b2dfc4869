"""The pages before the worklist: opening the store, its passphrase, the first start, signing in."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

import resources
from app.shell.header import centred
from app.shell.widgets import PRIMARY, QUIET, ActButton, glyph_label, plain_label
from viewer.views.theme import Theme

CARD_WIDTH = 400
"""Width of the sign-in card, logical pixels."""

WIDE_CARD = 620


def _card(theme: Theme) -> tuple[QFrame, QVBoxLayout]:
    card = QFrame()
    card.setObjectName("card")
    column = QVBoxLayout(card)
    side = theme.px(28)
    column.setContentsMargins(side, side, side, side)
    column.setSpacing(theme.length("space", "s"))
    return card, column


def _field(column: QVBoxLayout, theme: Theme, name: str, *, secret: bool = False) -> QLineEdit:
    label = plain_label(name, theme, step="note", tone="2")
    field = QLineEdit()
    field.setAccessibleName(name)
    if secret:
        field.setEchoMode(QLineEdit.EchoMode.Password)
    label.setBuddy(field)
    column.addWidget(label)
    column.addWidget(field)
    return field


class SignInPage(QWidget):
    """Name and password; a wrong one is told here, with the seconds until the next try.

    Signals
    -------
    attempted(str, str)
        Name and password. Answer with `show_error` or leave the page.
    """

    attempted = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._until = 0.0
        self._error = ""
        self._busy = False
        card, column = _card(theme)
        self.title = plain_label("Sightline", theme, step="page")
        column.addWidget(self.title)
        self.lead = plain_label("", theme, tone="2", wraps=True)
        column.addWidget(self.lead)
        column.addSpacing(theme.length("space", "s"))
        self.name = _field(column, theme, self.tr("User"))
        column.addSpacing(theme.length("space", "xs"))
        self.password = _field(column, theme, self.tr("Password"), secret=True)
        self.problem = plain_label("", theme, step="note", tone="warning", wraps=True)
        self.problem.setMinimumHeight(2 * theme.line_height("note"))
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.problem)
        self.button = ActButton(self.tr("Sign in"), theme, kind=PRIMARY)
        self.button.setMinimumHeight(theme.length("row", "input"))
        self.button.clicked.connect(self._attempt)
        column.addWidget(self.button)
        column.addSpacing(theme.length("space", "m"))
        notice = plain_label(resources.NOTICE_LONG, theme, step="note", tone="3", wraps=True)
        column.addWidget(notice)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(centred(card, theme.px(CARD_WIDTH)))
        self.name.returnPressed.connect(self._name_entered)
        self.password.returnPressed.connect(self._attempt)
        for field in (self.name, self.password):
            field.textChanged.connect(lambda _text: self._update())
        self._clock = QElapsedTimer()
        self._clock.start()
        self._tick = QTimer(self)
        self._tick.setInterval(250)
        self._tick.timeout.connect(self._update)
        self.welcome()

    def welcome(self) -> None:
        """Ask for a name and a password."""
        self.lead.setText(self.tr("Sign in to read and report."))
        self._clear(keep_name=False)

    def locked(self, printed_name: str, name: str) -> None:
        """Ask the person who locked for the password again."""
        self.lead.setText(
            self.tr(
                "Locked by {name}. Nothing was closed: your password brings the screen back."
            ).format(name=printed_name)
        )
        self.name.setText(name)
        self._clear(keep_name=True)

    def _clear(self, *, keep_name: bool) -> None:
        if not keep_name:
            self.name.clear()
        self.password.clear()
        self._error, self._busy = "", False
        self._update()
        self.focus_first()

    def focus_first(self) -> None:
        """Put the caret where the next word is wanted."""
        (self.password if self.name.text() else self.name).setFocus()

    def show_error(self, text: str, wait_seconds: float = 0.0) -> None:
        """Say why it did not work, and count down to the next try (slowed, never locked)."""
        self._busy = False
        self._error = text
        self._until = self._clock.elapsed() / 1000 + wait_seconds
        self.password.clear()
        self.password.setEnabled(True)
        self.name.setEnabled(True)
        self.password.setFocus()
        if wait_seconds:
            self._tick.start()
        self._update()

    @property
    def seconds_left(self) -> int:
        """Whole seconds until the next try."""
        return max(0, math.ceil(self._until - self._clock.elapsed() / 1000))

    def _name_entered(self) -> None:
        if self.password.text():
            self._attempt()
        else:
            self.password.setFocus()

    def _attempt(self) -> None:
        if not self.button.isEnabled():
            return
        self._busy, self._error = True, ""
        self.password.setEnabled(False)
        self.name.setEnabled(False)
        self._update()
        self.attempted.emit(self.name.text().strip(), self.password.text())

    def done(self) -> None:
        """Forget the password after it was right."""
        self._busy, self._error, self._until = False, "", 0.0
        self.password.clear()
        self.password.setEnabled(True)
        self.name.setEnabled(True)
        self._update()

    def _update(self) -> None:
        left = self.seconds_left
        if not left:
            self._tick.stop()
        words = self._error
        if left:
            words = f"{words} " + self.tr("Next try in {n} s.").format(n=left)
        self.problem.setText(self.tr("Checking the password\u2026") if self._busy else words)
        self.problem.setProperty("tone", "2" if self._busy else "warning")
        self.problem.style().unpolish(self.problem)
        self.problem.style().polish(self.problem)
        reason = ""
        if self._busy:
            reason = self.tr("The password is being checked.")
        elif left:
            reason = self.tr("Wait {n} s after the wrong password.").format(n=left)
        elif not self.name.text().strip():
            reason = self.tr("Type your user name.")
        elif not self.password.text():
            reason = self.tr("Type your password.")
        self.button.set_reason(reason)


class StorePage(QStackedWidget):
    """What is to do before anybody can sign in: wait, give the passphrase, make the first account.

    Signals
    -------
    tryAgain()
        Look for the store again.
    passphraseGiven(str)
        Open the store with this passphrase.
    """

    tryAgain = Signal()
    passphraseGiven = Signal(str)

    def __init__(self, theme: Theme, home: Path) -> None:
        super().__init__()
        self._home = home
        self._opening = self._make_opening(theme)
        self._first = self._make_first(theme)
        self._passphrase = self._make_passphrase(theme)
        self._failed = self._make_failed(theme)
        for page in (self._opening, self._first, self._passphrase, self._failed):
            self.addWidget(page)

    def show_opening(self) -> None:
        """Say that the store is being opened and its audit log checked."""
        self.setCurrentWidget(self._opening)

    def show_first_start(self) -> None:
        """Say how the store and the first account are made."""
        self.setCurrentWidget(self._first)
        self.again.setFocus()

    def ask_passphrase(self, problem: str = "") -> None:
        """Ask for the passphrase of the store."""
        self.passphrase.clear()
        self.passphrase_problem.setText(problem)
        self.setCurrentWidget(self._passphrase)
        self.passphrase.setFocus()

    def show_failure(self, text: str) -> None:
        """Say why the store does not open."""
        self.failure.setText(text)
        self.setCurrentWidget(self._failed)

    @property
    def command(self) -> str:
        """The command that makes the store with its first account."""
        return f"sightline account add NAME --home {shlex.quote(str(self._home))}"

    def _make_opening(self, theme: Theme) -> QWidget:
        card, column = _card(theme)
        column.addWidget(plain_label("Sightline", theme, step="page"))
        words = self.tr("Opening the store and checking its audit log\u2026")
        column.addWidget(plain_label(words, theme, tone="2"))
        return centred(card, theme.px(CARD_WIDTH))

    def _make_first(self, theme: Theme) -> QWidget:
        card, column = _card(theme)
        column.addWidget(plain_label(self.tr("No accounts on this machine yet"), theme, step="page"))
        lead = self.tr(
            "Reports and the audit trail are kept in an encrypted store that belongs to named people. "
            "The first account makes the store. Give this command in a terminal, with the sign-in "
            "name in place of NAME; it asks for the password and shows the recovery key once."
        )
        column.addWidget(plain_label(lead, theme, tone="2", wraps=True))
        row = QHBoxLayout()
        self.command_field = QLineEdit(self.command)
        self.command_field.setReadOnly(True)
        self.command_field.setAccessibleName(self.tr("Command that adds an account"))
        row.addWidget(self.command_field, 1)
        copy = ActButton(self.tr("Copy"), theme, glyph_name="copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.command))
        row.addWidget(copy)
        column.addLayout(row)
        more = self.tr(
            "Only looking? \u201csightline demo\u201d opens a synthetic study with its own account."
        )
        column.addWidget(plain_label(more, theme, step="note", tone="2", wraps=True))
        column.addSpacing(theme.length("space", "s"))
        self.again = ActButton(self.tr("I added an account"), theme, kind=PRIMARY)
        self.again.clicked.connect(self.tryAgain)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        return centred(card, theme.px(WIDE_CARD))

    def _make_passphrase(self, theme: Theme) -> QWidget:
        card, column = _card(theme)
        column.addWidget(plain_label("Sightline", theme, step="page"))
        lead = self.tr("The store on this machine is locked by a passphrase.")
        column.addWidget(plain_label(lead, theme, tone="2", wraps=True))
        self.passphrase = _field(column, theme, self.tr("Passphrase"), secret=True)
        self.passphrase_problem = plain_label("", theme, step="note", tone="warning", wraps=True)
        column.addWidget(self.passphrase_problem)
        unlock = ActButton(self.tr("Open the store"), theme, kind=PRIMARY)

        def give() -> None:
            self.passphraseGiven.emit(self.passphrase.text())

        unlock.clicked.connect(give)
        self.passphrase.returnPressed.connect(give)
        column.addWidget(unlock)
        return centred(card, theme.px(CARD_WIDTH))

    def _make_failed(self, theme: Theme) -> QWidget:
        card, column = _card(theme)
        head = QHBoxLayout()
        head.addWidget(glyph_label("prohibit", "warning", theme, meaning=self.tr("Problem"), size=20))
        head.addWidget(plain_label(self.tr("The store does not open"), theme, step="page"), 1)
        column.addLayout(head)
        self.failure = plain_label("", theme, wraps=True)
        self.failure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.failure)
        where = self.tr("Store: {folder}").format(folder=self._home)
        column.addWidget(plain_label(where, theme, step="note", tone="2", wraps=True))
        again = ActButton(self.tr("Try again"), theme, kind=QUIET)
        again.clicked.connect(self.tryAgain)
        column.addWidget(again, 0, Qt.AlignmentFlag.AlignLeft)
        return centred(card, theme.px(WIDE_CARD))
