"""After signing: who sealed the report, where its document is, and how an addendum starts."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.shell.widgets import (
    PRIMARY,
    ActButton,
    ElidedLabel,
    close_button,
    glyph_label,
    plain_label,
)
from app.shell.worklist.import_report import open_folder
from reports.domain import Report, ReportState
from reports.export.text import moment_words
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme


class SealedBar(QFrame):
    """Shown while the report that is open carries a signature.

    Signals
    -------
    exportWanted()
    addendumWanted(str)
        With the reason.
    """

    exportWanted = Signal()
    addendumWanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._path: Path | None = None
        self.setProperty("line", "top")
        self.setProperty("ground", "raised")
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, gap, side, gap)
        column.setSpacing(gap)
        head = QHBoxLayout()
        head.setSpacing(gap)
        head.addWidget(glyph_label("seal-check", "text", theme, meaning=self.tr("Sealed")))
        self.who = ElidedLabel("", theme, step="name")
        head.addWidget(self.who, 1)
        column.addLayout(head)
        self.file = ElidedLabel("", theme, step="note", tone="2")
        column.addWidget(self.file)
        row = QHBoxLayout()
        row.setSpacing(gap)
        self.folder = ActButton(self.tr("Open folder"), theme, glyph_name="folder-open")
        self.folder.clicked.connect(self._open_folder)
        self.export = ActButton(self.tr("Export copy"), theme, glyph_name="export")
        self.export.clicked.connect(self.exportWanted)
        self.addendum = ActButton(self.tr("Addendum"), theme, glyph_name="plus")
        self.addendum.clicked.connect(self.ask_reason)
        for button in (self.folder, self.export, self.addendum):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self._form = QWidget()
        form = QHBoxLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(gap)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText(self.tr("Reason for the addendum"))
        self.reason.setAccessibleName(self.tr("Reason for the addendum"))
        self.reason.textChanged.connect(lambda _text: self._check())
        self.reason.returnPressed.connect(self._start)
        form.addWidget(self.reason, 1)
        self.start = ActButton(self.tr("Start addendum"), theme, kind=PRIMARY)
        self.start.clicked.connect(self._start)
        form.addWidget(self.start)
        form.addWidget(close_button(theme, self._form.hide))
        column.addWidget(self._form)
        self.note = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self.note)
        self.show_report(None, None)

    def show_report(self, report: Report | None, path: Path | None) -> None:
        """Show the signature of a report and its file; hidden when it carries none."""
        signature = report.signatures[-1] if report is not None and report.signatures else None
        self._path = path
        self.setVisible(signature is not None)
        self._form.hide()
        self.note.hide()
        if signature is None or report is None:
            return
        when = moment_words(signature.signed_at)
        self.who.set_full(
            self.tr("Signed {state}: {name}, {when}").format(
                state=signature.state.value, name=signature.printed_name, when=when
            )
        )
        missing = self.tr("The sealed file was moved; a copy is in the store.")
        self.file.set_full(path.name if path is not None else missing)
        if path is not None:
            self.file.setToolTip(plain_tip(str(path)))
        self.folder.set_reason("" if path is not None else missing)
        is_final = report.state is ReportState.FINAL
        self.addendum.set_reason("" if is_final else self.tr("Only a final report gets an addendum."))

    def ask_reason(self) -> None:
        """Ask why an addendum is needed."""
        self._form.show()
        self._check()
        self.reason.setFocus()

    def say(self, text: str) -> None:
        """Tell what came of an export, or why it failed."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _check(self) -> None:
        self.start.set_reason("" if self.reason.text().strip() else self.tr("Give a reason."))

    def _start(self) -> None:
        reason = self.reason.text().strip()
        if reason:
            self.reason.clear()
            self._form.hide()
            self.addendumWanted.emit(reason)

    def _open_folder(self) -> None:
        if self._path is not None:
            open_folder(self._path.parent)
