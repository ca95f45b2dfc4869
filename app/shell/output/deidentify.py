"""The dialog of Ctrl+Shift+E: what is taken out, which flagged series go along, and where to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.exporting.answers import Cleaned, SeriesFlag
from app.shell.layers import Layer
from app.shell.widgets import PRIMARY, QUIET, ActButton, plain_label
from reports.export.deidentify_profile import Choices, Dates
from viewer.views.theme import Theme

WIDTH, HEIGHT = 560, 620
"""Largest size, logical pixels."""

DATE_WORDS: dict[Dates, str] = {
    Dates.REMOVE: QT_TRANSLATE_NOOP("DeidentifyDialog", "Remove all dates and times"),
    Dates.SHIFT: QT_TRANSLATE_NOOP("DeidentifyDialog", "Move all dates by the same unknown time"),
    Dates.KEEP: QT_TRANSLATE_NOOP("DeidentifyDialog", "Keep dates"),
}


class DeidentifyDialog(Layer):
    """A card over the images: choices first, then progress, then what was done.

    Signals
    -------
    folderWanted(Choices), zipWanted(Choices)
        Write into a new folder, or a ZIP.
    stopWanted()
    """

    folderWanted = Signal(object)
    zipWanted = Signal(object)
    stopWanted = Signal()

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.setAccessibleName(self.tr("Export without patient data"))
        side, self._gap = theme.length("space", "l"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(theme.length("space", "m"))
        column.addWidget(plain_label(self.tr("Export without patient data"), theme, step="name"))
        self.intro = plain_label(
            self.tr(
                "Copies of the images by the Basic Application Level Confidentiality Profile (DICOM "
                "PS3.15). Free text and pixels cannot be guaranteed: look at what was written before "
                "you pass it on."
            ),
            theme,
            step="note",
            tone="2",
            wraps=True,
        )
        column.addWidget(self.intro)
        self.choices_part = self._choices_part()
        column.addWidget(self.choices_part)
        self.found = plain_label("", theme, wraps=True)
        column.addWidget(self.found)
        self._flags = QWidget()
        self._rows = QVBoxLayout(self._flags)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(self._gap)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(self._flags)
        column.addWidget(self.scroll, 1)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(theme.px(4))
        column.addWidget(self.progress)
        column.addLayout(self._buttons())
        self.boxes: dict[str, QCheckBox] = {}
        self._highest = theme.px(HEIGHT)
        self._running = False

    def _choices_part(self) -> QWidget:
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(self._gap)
        grid.setHorizontalSpacing(self.theme.length("space", "m"))
        grid.setColumnStretch(1, 1)
        self.dates, self.label = QComboBox(), QLineEdit()
        for dates in Dates:
            self.dates.addItem(self.tr(DATE_WORDS[dates]), dates)
        self.label.setMaxLength(60)
        self.label.setPlaceholderText(self.tr("A pseudonym is made when this is empty"))
        self.label.textChanged.connect(lambda _text: self._check())
        for row, (words, box) in enumerate(
            ((self.tr("Dates"), self.dates), (self.tr("New name and ID"), self.label))
        ):
            text = plain_label(words, self.theme, tone="2")
            text.setBuddy(box)
            box.setAccessibleName(words)
            grid.addWidget(text, row, 0)
            grid.addWidget(box, row, 1)
        self.characteristics = QCheckBox(self.tr("Keep sex, age, size, weight (SUV needs it)"))
        self.uids = QCheckBox(self.tr("Keep UIDs (they lead back to the originals)"))
        for row, box in ((2, self.characteristics), (3, self.uids)):
            box.setFont(self.theme.font("base"))
            grid.addWidget(box, row, 0, 1, 2)
        return part

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._gap)
        row.addStretch(1)
        self.cancel = ActButton(self.tr("Cancel"), self.theme, kind=QUIET)
        self.zip = ActButton(self.tr("Write a ZIP"), self.theme, glyph_name="files")
        self.folder = ActButton(
            self.tr("Write a folder"), self.theme, kind=PRIMARY, glyph_name="folder"
        )
        for button in (self.cancel, self.zip, self.folder):
            row.addWidget(button)
        self.cancel.clicked.connect(self._cancel)
        self.zip.clicked.connect(lambda: self.zipWanted.emit(self.choices()))
        self.folder.clicked.connect(lambda: self.folderWanted.emit(self.choices()))
        return row

    # --- what is shown -----------------------------------------------------------------------------

    def ask(self, over: QWidget) -> None:
        """Open while the images are looked at."""
        self._running = False
        self._show_flags(())
        self.choices_part.setVisible(True)
        self.found.setText(self.tr("The images are being looked at."))
        self.progress.setRange(0, 0)
        self.progress.setVisible(True)
        self.cancel.setText(self.tr("Cancel"))
        for button in (self.zip, self.folder):
            button.setVisible(True)
            button.set_reason(self.tr("The images are being looked at."))
        window = self.parentWidget()
        corner = over.mapTo(window, over.rect().topLeft())
        gap = self.theme.px(8)
        width = min(self.theme.px(WIDTH), over.width() - 2 * gap)
        height = min(self.theme.px(HEIGHT), over.height() - 2 * gap)
        self._highest = height
        self.setGeometry(corner.x() + gap, corner.y() + gap, width, height)
        self._fit()
        self.open()
        self.dates.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_survey(self, series: Sequence[SeriesFlag]) -> None:
        """List the series that may show text, and those that cannot go."""
        self.progress.setVisible(False)
        flagged = [one for one in series if one.flagged or one.refused]
        clean = len(series) - len(flagged)
        words = self.tr("{n} series can be exported.").format(n=clean)
        if flagged:
            words += " " + self.tr("These are left out unless you take them:")
        self.found.setText(words)
        self._show_flags(flagged)
        self._check()

    def _show_flags(self, flagged: Sequence[SeriesFlag]) -> None:
        while self._rows.count():
            item = self._rows.takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        self.boxes = {}
        for one in flagged:
            words = "  ".join(filter(None, (one.modality, one.description[:40])))
            count = self.tr("1 file") if one.files == 1 else self.tr("{n} files").format(n=one.files)
            line = f"{words}, {count}"
            box: QWidget = plain_label(line, self.theme, tone="2")
            if one.refused:
                box.setContentsMargins(self.theme.px(24), 0, 0, 0)
            else:
                box = QCheckBox(line)
                box.setFont(self.theme.font("base"))
                box.setAccessibleDescription(one.flagged)
                self.boxes[one.series_uid] = box
            reason = plain_label(
                one.refused or one.flagged, self.theme, step="note", tone="2", wraps=True
            )
            reason.setContentsMargins(self.theme.px(24), 0, 0, 0)
            self._rows.addWidget(box)
            self._rows.addWidget(reason)
        self._rows.addStretch(1)
        self.scroll.setVisible(bool(flagged))
        self._fit()

    def _fit(self) -> None:
        """Be as high as what is shown needs, and no higher than the images."""
        shown = min(self._flags.sizeHint().height(), self.theme.px(260))
        self.scroll.setFixedHeight(shown)
        self.layout().activate()
        needed = self.layout().totalHeightForWidth(self.width())
        needed = needed if needed > 0 else self.layout().totalSizeHint().height()
        self.resize(self.width(), min(needed, self._highest))

    def choices(self) -> Choices:
        """Return what is chosen."""
        return Choices(
            dates=Dates(self.dates.currentData()),
            keep_uids=self.uids.isChecked(),
            keep_characteristics=self.characteristics.isChecked(),
            label=self.label.text().strip(),
            with_flagged=tuple(uid for uid, box in self.boxes.items() if box.isChecked()),
        )

    def _check(self) -> None:
        try:
            self.choices()
            reason = ""
        except ValueError:
            reason = self.tr("The new name takes letters, digits, spaces, dots and hyphens only.")
        for button in (self.zip, self.folder):
            button.set_reason(reason)

    def show_progress(self, done: int, total: int) -> None:
        """Show how far the export is."""
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)

    def start(self) -> None:
        """Show that it is being written."""
        self._running = True
        self.progress.setVisible(True)
        self.choices_part.setVisible(False)
        self.scroll.setVisible(False)
        self.found.setText(self.tr("Cleaning and writing"))
        for button in (self.zip, self.folder):
            button.setVisible(False)
        self._fit()

    def show_done(self, cleaned: Cleaned, name: str) -> None:
        """Say what was written and what was left out."""
        self._running = False
        self.progress.setVisible(False)
        lines = [
            self.tr("{n} files of {series} series were written to {name}.").format(
                n=cleaned.written, series=cleaned.series, name=name
            )
        ]
        for left in cleaned.left_out:
            lines.append(
                self.tr("Left out: {n} {modality}, {reason}.").format(
                    n=left.files, modality=left.modality, reason=left.reason
                )
            )
        lines.append("; ".join(cleaned.codes))
        self.found.setText("\n".join(lines))
        self.cancel.setText(self.tr("Close"))
        self._fit()
        self.cancel.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_failed(self, why: str) -> None:
        """Say why nothing was written; the choices come back."""
        self._running = False
        self.progress.setVisible(False)
        self.choices_part.setVisible(True)
        self.scroll.setVisible(bool(self.boxes))
        for button in (self.zip, self.folder):
            button.setVisible(True)
        self.found.setText(why)
        self._fit()

    def _cancel(self) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """Close; an export that runs is stopped."""
        if self._running:
            self.stopWanted.emit()
            self._running = False
        super().dismiss()
