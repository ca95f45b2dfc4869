"""The lesion of the selected mark: its name and what it measured in every study, with the change."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.shell.widgets import glyph_label, plain_label
from inference.evidence.quantities import number
from reports.domain import Lesion, LesionEntry
from reports.domain.lesion import COMPARED, Change, change
from viewer.views.theme import Theme


def date_words(date: str) -> str:
    """Return a DICOM date as "2026-03-01"; empty stays empty."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date


def size_words(entry: LesionEntry) -> str:
    """Return the size of a lesion in one study: "12.3 x 8.1 mm", or its leading value."""
    long, short = entry.compared("long"), entry.compared("short")
    if long is not None and short is not None and long.unit == short.unit:
        return f"{long.text.partition(' ')[0]} \u00d7 {short.text}"
    found = (entry.compared(name) for name in COMPARED)
    return next((value.text for value in found if value is not None), "")


def change_words(found: Change) -> str:
    """Return a change with its sign, in the unit of the value and in percent: "+2.0 mm, +20 %"."""
    unit = found.now.text.partition(" ")[2]
    digits = len(found.now.text.partition(" ")[0].partition(".")[2])
    words = f"{_signed(found.absolute, digits)} {unit}".rstrip()
    return words if found.share is None else f"{words}, {_signed(100 * found.share, 0)} %"


def _signed(value: float, digits: int) -> str:
    text = number(value, digits)
    return f"+{text}" if float(f"{value:.{digits}f}") > 0 else text


class LesionView(QWidget):
    """Shows one lesion; its name is written in place.

    Signals
    -------
    renamed(str)
        The new name.
    """

    renamed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        gap = theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "xs"))
        head = QHBoxLayout()
        head.setSpacing(gap)
        head.addWidget(glyph_label("clock", "text-2", theme, meaning=""))
        head.addWidget(plain_label(self.tr("Lesion"), theme, tone="2"))
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the lesion"))
        self.name.setMaxLength(64)
        self.name.editingFinished.connect(self._rename)
        head.addWidget(self.name, 1)
        column.addLayout(head)
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(gap)
        self._rows.setVerticalSpacing(0)
        self._rows.setColumnStretch(1, 1)
        column.addLayout(self._rows)
        self._lesion: Lesion | None = None
        self.hide()

    def show_lesion(self, lesion: Lesion | None, study_instance_uid: str) -> None:
        """Show a lesion as it stands in this study; none hides it."""
        self._lesion = lesion
        self.setVisible(lesion is not None)
        while (item := self._rows.takeAt(0)) is not None:
            item.widget().deleteLater()
        if lesion is None:
            return
        self.name.setText(lesion.name)
        before: LesionEntry | None = None
        for row, entry in enumerate(lesion.timeline()):
            is_now = entry.study_instance_uid == study_instance_uid
            # A second mark in one study is no change over time.
            is_later = before is not None and before.study_instance_uid != entry.study_instance_uid
            found = change(entry, before) if before is not None and is_later else None
            self._add(row, entry, found, is_now=is_now)
            before = entry

    def _add(self, row: int, entry: LesionEntry, found: Change | None, *, is_now: bool) -> None:
        theme, step = self._theme, "name" if is_now else "base"
        date = date_words(entry.study_date) or self.tr("no date")
        words = change_words(found) if found is not None else ""
        for column, text, tone in (
            (0, date, "2"), (1, size_words(entry), ""), (2, words, "" if is_now else "2"),
        ):  # fmt: skip
            label = plain_label(text, theme, step=step, tone=tone)
            label.setToolTip(entry.label)
            if column:
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._rows.addWidget(label, row, column)

    def texts(self) -> list[list[str]]:
        """Return the rows as they are shown."""
        rows = []
        for row in range(self._rows.rowCount()):
            cells = [self._rows.itemAtPosition(row, column) for column in range(3)]
            if all(cells):
                rows.append([cell.widget().text() for cell in cells])
        return rows

    def _rename(self) -> None:
        name = self.name.text().strip()
        if self._lesion is None:
            return
        if not name:
            self.name.setText(self._lesion.name)
        elif name != self._lesion.name:
            self.renamed.emit(name)
