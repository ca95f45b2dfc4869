"""The chooser of Ctrl+P: what is printed, on which paper, with or without patient data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QT_TRANSLATE_NOOP, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.shell.layers import Layer
from app.shell.output.sheet import PAPERS
from app.shell.widgets import PRIMARY, QUIET, ActButton, plain_label
from viewer.views.theme import Theme

WIDTH = 460


class What(StrEnum):
    """What can be printed."""

    VIEWPORT = "viewport"
    VIEWPORTS = "viewports"
    KEY_IMAGES = "key images"
    REPORT = "report"


WHAT_WORDS: dict[What, str] = {
    What.VIEWPORT: QT_TRANSLATE_NOOP("PrintChooser", "The active viewport"),
    What.VIEWPORTS: QT_TRANSLATE_NOOP("PrintChooser", "All viewports as they hang"),
    What.KEY_IMAGES: QT_TRANSLATE_NOOP("PrintChooser", "Key images"),
    What.REPORT: QT_TRANSLATE_NOOP("PrintChooser", "Report"),
}


@dataclass(frozen=True)
class PrintWish:
    """What a person chose to print."""

    what: What
    paper: str
    landscape: bool
    with_patient: bool


class PrintChooser(Layer):
    """A card over the images.

    Signals
    -------
    printWanted(PrintWish), pdfWanted(PrintWish)
    """

    printWanted = Signal(object)
    pdfWanted = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.setAccessibleName(self.tr("Print"))
        side, gap = theme.length("space", "l"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(theme.length("space", "m"))
        column.addWidget(plain_label(self.tr("Print"), theme, step="name"))
        grid = QGridLayout()
        grid.setVerticalSpacing(gap)
        grid.setHorizontalSpacing(theme.length("space", "m"))
        grid.setColumnStretch(1, 1)
        self.what, self.paper, self.way = QComboBox(), QComboBox(), QComboBox()
        for what in What:
            self.what.addItem(self.tr(WHAT_WORDS[what]), what)
        for paper in PAPERS:
            self.paper.addItem(paper)
        for words, landscape in ((self.tr("Portrait"), False), (self.tr("Landscape"), True)):
            self.way.addItem(words, landscape)
        for row, (words, box) in enumerate(
            (
                (self.tr("What"), self.what),
                (self.tr("Paper"), self.paper),
                (self.tr("Turned"), self.way),
            )
        ):
            label = plain_label(words, theme, tone="2")
            label.setBuddy(box)
            box.setAccessibleName(words)
            grid.addWidget(label, row, 0)
            grid.addWidget(box, row, 1)
        column.addLayout(grid)
        self.named = QCheckBox(self.tr("With patient data"))
        self.named.setFont(theme.font("base"))
        column.addWidget(self.named)
        self.note = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self.note)
        buttons = QHBoxLayout()
        buttons.setSpacing(gap)
        buttons.addStretch(1)
        self.cancel = ActButton(self.tr("Cancel"), theme, kind=QUIET)
        self.pdf = ActButton(self.tr("Save as PDF"), theme, glyph_name="file-pdf")
        self.printer = ActButton(
            self.tr("Print"), theme, kind=PRIMARY, glyph_name="printer", key="Return"
        )
        for button in (self.cancel, self.pdf, self.printer):
            buttons.addWidget(button)
        column.addLayout(buttons)
        self.cancel.clicked.connect(self.dismiss)
        self.pdf.clicked.connect(lambda: self._take(self.pdfWanted))
        self.printer.clicked.connect(lambda: self._take(self.printWanted))
        self.what.currentIndexChanged.connect(lambda _index: self._changed())
        self.named.toggled.connect(lambda _on: self._changed())
        self._reasons: dict[What, str] = {}
        self._has_printer = True

    def ask(self, reasons: dict[What, str], over: QWidget, *, has_printer: bool) -> None:
        """Open over the upper left of the images.

        Parameters
        ----------
        reasons
            Why something cannot be printed now.
        has_printer
            Whether this computer knows a printer; a PDF needs none.
        """
        self._reasons, self._has_printer = reasons, has_printer
        self.named.setChecked(False)
        self._changed()
        window = self.parentWidget()
        corner = over.mapTo(window, over.rect().topLeft())
        self.setFixedWidth(min(self.theme.px(WIDTH), over.width()))
        self.adjustSize()
        self.move(corner.x() + self.theme.px(8), corner.y() + self.theme.px(8))
        self.open()
        self.what.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def wish(self) -> PrintWish:
        """Return what is chosen."""
        return PrintWish(
            What(self.what.currentData()),
            self.paper.currentText(),
            bool(self.way.currentData()),
            self.named.isChecked() or What(self.what.currentData()) is What.REPORT,
        )

    def _changed(self) -> None:
        what = What(self.what.currentData())
        reason = self._reasons.get(what, "")
        is_report = what is What.REPORT
        self.named.setEnabled(not is_report)
        self.pdf.set_reason(reason)
        self.printer.set_reason(
            reason or ("" if self._has_printer else self.tr("No printer is known to this computer."))
        )
        free = self.tr("What is written into the pixels themselves is printed in any case.")
        named = self.tr("Name, ID and date of the study stand on each page.")
        if not self._has_printer:
            free = " ".join((free, self.tr("No printer is known to this computer.")))
        words = reason or (named if is_report or self.named.isChecked() else free)
        self.note.setText(words)

    def _take(self, wanted: object) -> None:
        wish = self.wish()
        self.dismiss()
        wanted.emit(wish)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            target = self.printer if self.printer.isEnabled() else self.pdf
            if target.isEnabled():
                target.click()
        else:
            super().keyPressEvent(event)
