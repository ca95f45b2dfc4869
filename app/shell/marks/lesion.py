"""The lesion of the selected mark: its name and what it measured in every study, with the change."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.shell.widgets import glyph_label, plain_label
from inference.evidence.quantities import number
from reports.domain import Change, Lesion, LesionEntry
from reports.domain.lesion import COMPARED, Difference, difference
from viewer.views.corner_text import printed_date
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme


def size_words(entry: LesionEntry) -> str:
    """Return the size of a lesion in one study: "12.3 x 8.1 mm", or its leading value."""
    long, short = entry.compared("long"), entry.compared("short")
    if long is not None and short is not None and long.unit == short.unit:
        return f"{long.text.partition(' ')[0]} \u00d7 {short.text}"
    found = (entry.compared(name) for name in COMPARED)
    return next((value.text for value in found if value is not None), "")


CHANGES = {
    Change.LARGER: QT_TRANSLATE_NOOP("LesionView", "larger"),
    Change.SMALLER: QT_TRANSLATE_NOOP("LesionView", "smaller"),
    Change.NO_MEASURABLE_CHANGE: QT_TRANSLATE_NOOP("LesionView", "no measurable change"),
}


def difference_words(found: Difference) -> str:
    """Return a difference with its sign, in the unit of the value and in percent: "+2.0 mm, +20 %"."""
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
        for entry in lesion.timeline():
            is_now = entry.study_instance_uid == study_instance_uid
            # A second mark in one study is no change over time.
            is_later = before is not None and before.study_instance_uid != entry.study_instance_uid
            found = difference(entry, before) if before is not None and is_later else None
            self._add(entry, found, is_now=is_now)
            before = entry

    def _add(self, entry: LesionEntry, found: Difference | None, *, is_now: bool) -> None:
        theme, row = self._theme, self._rows.rowCount()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        date = printed_date(entry.study_date) or self.tr("no date")
        first = plain_label(date, theme, step="name" if is_now else "base", tone="" if is_now else "2")
        first.setToolTip(plain_tip(entry.label))
        size = plain_label(size_words(entry), theme, step="name" if is_now else "base")
        self._rows.addWidget(first, row, 0)
        self._rows.addWidget(size, row, 1, right)
        if found is not None:
            note = plain_label(self._judged(found), theme, step="note", tone="2")
            unit = found.now.text.partition(" ")[2]
            limit = f"{number(found.limit, 1)} {unit}".rstrip()
            note.setToolTip(
                plain_tip(
                    self.tr("A change is more than {limit} ({source}).").format(
                        limit=limit, source=found.source
                    )
                )
            )
            self._rows.addWidget(note, row + 1, 0, 1, 2, right)

    def _judged(self, found: Difference) -> str:
        """Return a difference with the word for it, and the doubling time of a volume that grew."""
        words = f"{difference_words(found)}: {self.tr(CHANGES[found.change])}"
        if found.doubling_days is None:
            return words
        days = number(found.doubling_days, 0)
        return words + ", " + self.tr("doubling time {days} d").format(days=days)

    def texts(self) -> list[str]:
        """Return what is shown, row by row."""
        items = [self._rows.itemAt(place) for place in range(self._rows.count())]
        return [item.widget().text() for item in items]

    def _rename(self) -> None:
        name = self.name.text().strip()
        if self._lesion is None:
            return
        if not name:
            self.name.setText(self._lesion.name)
        elif name != self._lesion.name:
            self.renamed.emit(name)
