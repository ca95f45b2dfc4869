"""The clinical question: one line over the report, typed or pasted, that a draft is held against."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit

from app.shell.widgets import ActButton, plain_label
from viewer.views.theme import Theme

LONGEST = 500
"""Characters that a question may have: a request in a few lines, not a record."""


class QuestionBar(QFrame):
    """Shown while the report is empty, while there is a question, and when it is asked for.

    Signals
    -------
    draftWanted()
        Enter in the field, or the button.
    asked(str)
        The question was typed: the field was left with another text.
    """

    draftWanted = Signal()
    asked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("line", "bottom")
        self._is_asked = False
        self._is_open, self._is_empty = False, True
        self._told = ""
        row = QHBoxLayout(self)
        side, gap = theme.length("space", "m"), theme.length("space", "xs")
        row.setContentsMargins(side, gap, side, gap)
        row.setSpacing(theme.length("space", "s"))
        label = plain_label(self.tr("Question"), theme, step="note", tone="2")
        self.field = QLineEdit()
        self.field.setFont(theme.font("base"))
        self.field.setMaxLength(LONGEST)
        self.field.setPlaceholderText(self.tr("From the order, or typed"))
        self.field.setAccessibleName(self.tr("Clinical question"))
        self.field.setToolTip(
            self.tr("The clinical question. A draft whose images do not fit it is refused.")
        )
        self.field.returnPressed.connect(self._enter)
        self.field.textChanged.connect(lambda _text: self._show())
        self.field.editingFinished.connect(self._left)
        label.setBuddy(self.field)
        row.addWidget(label)
        row.addWidget(self.field, 1)
        self._draft = ActButton(self.tr("Draft"), theme)
        self._draft.setToolTip(self.tr("Draft with this question (Enter)"))
        self._draft.clicked.connect(self.draftWanted)
        row.addWidget(self._draft)

    @property
    def text(self) -> str:
        """The question, or empty."""
        return self.field.text().strip()

    def start(self, request: str) -> None:
        """Forget the question: another study is opened, of which the order asks this."""
        self._is_asked = False
        self.set_text(request)

    def set_text(self, text: str) -> None:
        """Show the question of a report, or what the order asks."""
        if text != self.text:
            self.field.setText(text)
        self._told = text
        self._show()

    def ask(self) -> None:
        """Show the field and give it the keyboard."""
        self._is_asked = True
        self._show()
        self.field.setFocus()
        self.field.selectAll()

    def show_for(self, *, is_open: bool, is_empty: bool, is_locked: bool) -> None:
        """Fit what is open: a report that cannot change any more asks nothing."""
        self._is_open = is_open and not is_locked
        self._is_empty = is_empty
        self._show()

    def _show(self) -> None:
        self.setVisible(self._is_open and (self._is_empty or self._is_asked or bool(self.text)))
        self._draft.setVisible(bool(self.text))

    def _left(self) -> None:
        if self.text != self._told:
            self._told = self.text
            self.asked.emit(self.text)

    def _enter(self) -> None:
        if self.text:
            self.draftWanted.emit()
