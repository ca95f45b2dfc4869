"""Accept a drawn region as a finding: an inline form of three picks, never a dialog over the image."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout

from app.finding_phrase import FindingChoice
from app.shell.report.chip import ChipButton
from app.shell.report.evidence_card import quantity_name, quantity_text
from app.shell.widgets import PRIMARY, QUIET, ActButton, ElidedLabel, plain_label
from inference.evidence.findings import anatomies, descriptors, sides
from reports.domain import Evidence, Side
from viewer.views.theme import Theme


class FindingForm(QFrame):
    """Shows what was measured in the region and asks what it is, where, and on which side.

    Side is filled from geometry; where that is unknown it stays empty and asks.

    Signals
    -------
    accepted(Evidence, FindingChoice)
    linkWanted(Evidence)
        Cite the region in the selected sentence instead.
    dismissed()
        The region stays on the image, without a finding.
    """

    accepted = Signal(object, object)
    linkWanted = Signal(object)
    dismissed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._measured: Evidence | None = None
        self._body_region = ""
        self.setProperty("line", "bottom")
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(gap)
        self._head = QHBoxLayout()
        self._head.setSpacing(gap)
        self._title = ElidedLabel("", theme, step="name")
        self._head.addWidget(self._title, 1)
        column.addLayout(self._head)
        self._values = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self._values)
        grid = QGridLayout()
        grid.setHorizontalSpacing(gap)
        grid.setVerticalSpacing(theme.length("space", "xs"))
        self.descriptor = self._pick(grid, 0, self.tr("Finding"))
        self.anatomy = self._pick(grid, 1, self.tr("Place"))
        self.side = self._pick(grid, 2, self.tr("Side"))
        column.addLayout(grid)
        self._problem = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self._problem)
        row = QHBoxLayout()
        row.setSpacing(gap)
        self.accept_button = ActButton(self.tr("Accept finding"), theme, kind=PRIMARY)
        self.accept_button.clicked.connect(self.accept)
        self._dismiss = ActButton(self.tr("Not a finding"), theme, kind=QUIET)
        self._dismiss.clicked.connect(self.dismiss)
        self.link_button = ActButton(self.tr("Link to sentence"), theme, glyph_name="link")
        self.link_button.clicked.connect(self._link)
        row.addWidget(self.accept_button)
        row.addWidget(self.link_button)
        row.addWidget(self._dismiss)
        row.addStretch(1)
        column.addLayout(row)
        self._chip: ChipButton | None = None
        self.descriptor.addItems(descriptors())
        self.descriptor.setCurrentIndex(-1)
        self.descriptor.currentIndexChanged.connect(self._fill_places)
        self.anatomy.currentIndexChanged.connect(self._fill_sides)
        self.side.currentIndexChanged.connect(self._check)
        self.hide()

    def _pick(self, grid: QGridLayout, column: int, name: str) -> QComboBox:
        label = plain_label(name, self._theme, step="note", tone="2")
        box = QComboBox()
        box.setAccessibleName(name)
        box.setPlaceholderText(self.tr("Pick\u2026"))
        box.setMinimumContentsLength(6)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        label.setBuddy(box)
        grid.addWidget(label, 0, column)
        grid.addWidget(box, 1, column)
        grid.setColumnStretch(column, 2 if column < 2 else 1)
        return box

    def show_region(self, measured: Evidence, *, body_region: str = "") -> None:
        """Ask about a region that was drawn and measured.

        Parameters
        ----------
        measured
            Result of the region tool: values, regions, and the side that geometry gives.
        body_region
            Region of the body ("chest"): limits the list of places; empty or unknown shows all.
        """
        self._measured, self._body_region = measured, body_region
        self._title.set_full(measured.label)
        values = " \u00b7 ".join(f"{quantity_name(q)} {quantity_text(q)}" for q in measured.values)
        refusal = measured.refusal.reason if measured.refusal else ""
        self._values.setText("\n".join(text for text in (values, refusal, *measured.warnings) if text))
        if self._chip is not None:
            self._chip.deleteLater()
        self._chip = ChipButton(measured.id, measured, self._theme)
        self._head.insertWidget(0, self._chip)
        self.descriptor.setCurrentIndex(-1)
        self._fill_places()
        self.show()
        self.descriptor.setFocus()

    def accept(self) -> None:
        """Give the finding on, when all three picks are made."""
        choice = self.choice()
        if choice is not None and self._measured is not None:
            measured = self._measured
            self.hide()
            self.accepted.emit(measured, choice)

    def _link(self) -> None:
        if self._measured is not None:
            self.hide()
            self.linkWanted.emit(self._measured)

    def set_sentence(self, sentence_id: str) -> None:
        """Tell which sentence is selected: the region can be linked to it."""
        self.link_button.set_reason("" if sentence_id else self.tr("No sentence is selected."))

    def dismiss(self) -> None:
        """Close the form without a finding."""
        self.hide()
        self.dismissed.emit()

    def show_problem(self, text: str) -> None:
        """Say why a finding was not accepted; the picks stay."""
        self._problem.setText(text)
        self.show()

    def choice(self) -> FindingChoice | None:
        """Return the picks, or none while one is missing."""
        side = self.side.currentData()
        if not (self.descriptor.currentText() and self.anatomy.currentText() and side):
            return None
        return FindingChoice(self.descriptor.currentText(), Side(side), self.anatomy.currentText())

    def _fill_places(self) -> None:
        before = self.anatomy.currentText()
        self.anatomy.clear()
        given = self._measured.side if self._measured else Side.UNKNOWN
        words = anatomies(self.descriptor.currentText(), self._body_region)
        if given in (Side.LEFT, Side.RIGHT):
            # A place that the geometry rules out is not offered: no middle lobe on the left.
            words = tuple(word for word in words if given in sides(word) or Side.NONE in sides(word))
        self.anatomy.addItems(words)
        self.anatomy.setCurrentIndex(self.anatomy.findText(before) if before else -1)
        self._fill_sides()

    def _fill_sides(self) -> None:
        self.side.clear()
        given = self._measured.side if self._measured else Side.UNKNOWN
        place = self.anatomy.currentText()
        options = sides(place) if place else ()
        names = {
            Side.LEFT: self.tr("left"),
            Side.RIGHT: self.tr("right"),
            Side.BILATERAL: self.tr("bilateral"),
            Side.NONE: self.tr("no side"),
        }
        for option in options:
            self.side.addItem(names.get(option, option.value), option.value)
        self.side.setCurrentIndex(-1)
        if given in options:
            self.side.setCurrentIndex(self.side.findData(given.value))
        elif len(options) == 1:
            self.side.setCurrentIndex(0)
        self._check()

    def _check(self) -> None:
        missing = ""
        if self._measured is not None and self._measured.refusal is not None:
            missing = self.tr("This region could not be measured.")
        elif not self.descriptor.currentText():
            missing = self.tr("Pick what it is.")
        elif not self.anatomy.currentText():
            missing = self.tr("Pick where it is.")
        elif not self.side.currentData():
            missing = self.tr("Geometry does not tell the side: pick it.")
        self._problem.setText(missing)
        self.accept_button.set_reason(missing)
