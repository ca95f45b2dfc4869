"""Import: the bar that shows how far it is, and the list of what could not be read, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.shell.header import bar
from app.shell.widgets import (
    LINK,
    PRIMARY,
    ActButton,
    Badge,
    BadgeFrame,
    ElidedLabel,
    close_button,
    glyph_label,
    plain_label,
    rule,
)
from viewer.imaging.study import BadFile, FileNote, Series, Study, StudyIndex
from viewer.views.corner_text import badge_text, printed_name
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

MOST_ROWS = 200
"""Bad files shown as rows; a copied list has them all."""


def tr(text: str) -> str:
    """Translate a word of the import."""
    return QCoreApplication.translate("Import", text)


@dataclass(frozen=True)
class Imported:
    """Outcome of one import."""

    names: tuple[str, ...]
    index: StudyIndex
    seconds: float
    finished: str
    """Local time of day, "14:08"."""

    @property
    def title(self) -> str:
        """What was imported, by its names."""
        more = f" +{len(self.names) - 1}" if len(self.names) > 1 else ""
        return (self.names[0] if self.names else "") + more

    @property
    def loaded(self) -> int:
        """Files that are in the worklist."""
        return sum(len(series.instances) for study in self.index.studies for series in study.series)

    def troubled(self) -> list[tuple[Study, Series]]:
        """Return the series whose geometry has a problem."""
        return [
            (study, series)
            for study in self.index.studies
            for series in study.series
            if badge_text(series.verdict)
        ]

    def text(self) -> str:
        """Return the files that were left out, then those to know about, as text, a line each."""
        files = (*self.index.bad_files, *self.index.notes)
        return "\n".join(f"{one.shown}\t{one.reason}" for one in files)


class ImportBar(QFrame):
    """What is being imported, how far it is, and how to stop it; after it, what came of it.

    Signals
    -------
    cancelWanted(), listWanted()
    """

    cancelWanted = Signal()
    listWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        frame = bar(theme, "list", line="top", ground="raised")
        column.addWidget(frame)
        row = frame.layout()
        assert isinstance(row, QHBoxLayout)
        row.setSpacing(theme.length("space", "m"))
        left = QWidget()
        left.setMinimumWidth(theme.px(360))
        left.setMaximumWidth(theme.px(520))
        grid = QGridLayout(left)
        grid.setContentsMargins(0, theme.length("space", "s"), 0, theme.length("space", "s"))
        grid.setVerticalSpacing(theme.px(6))
        self.title = ElidedLabel("", theme)
        self.count = plain_label("", theme, step="note", tone="2")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.count, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.progress, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        row.addWidget(left, 2)
        self.summary = plain_label("", theme, step="note", tone="2")
        row.addWidget(self.summary)
        self.warning = glyph_label("warning", "warning", theme, meaning=tr("Problem"))
        row.addWidget(self.warning)
        self.bad = plain_label("", theme, step="note", tone="warning")
        row.addWidget(self.bad)
        self.list = ActButton(tr("List"), theme, kind=LINK)
        self.list.setAccessibleName(tr("List the files that could not be read"))
        self.list.clicked.connect(self.listWanted)
        row.addWidget(self.list)
        row.addStretch(1)
        self.cancel = ActButton(tr("Cancel"), theme)
        self.cancel.setAccessibleName(tr("Cancel import"))
        self.cancel.clicked.connect(self.cancelWanted)
        row.addWidget(self.cancel)
        self.close_button = close_button(theme, self.hide)
        row.addWidget(self.close_button)
        self.hide()

    def start(self, names: Sequence[str]) -> None:
        """Show an import that begins."""
        more = f" +{len(names) - 1}" if len(names) > 1 else ""
        self.title.set_full(tr("Importing {name}").format(name=names[0] + more))
        self.count.setText("")
        self.summary.setText(tr("Reading headers; files stay where they are."))
        self.progress.setRange(0, 0)
        self._show(running=True, bad=0)
        self.show()

    def set_progress(self, done: int, total: int) -> None:
        """Show how many files are done."""
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(done)
        self.count.setText(tr("{n} of {all} files").format(n=f"{done:,}", all=f"{total:,}"))

    def finish(self, imported: Imported) -> None:
        """Show what came of it; a clean import leaves the bar by itself when the next one starts."""
        studies = len(imported.index.studies)
        self.title.set_full(tr("Imported {name}").format(name=imported.title))
        self.count.setText(tr("{n} files").format(n=f"{imported.index.file_count:,}"))
        self.summary.setText(tr("1 study") if studies == 1 else tr("{n} studies").format(n=studies))
        self.progress.setRange(0, 1)
        self.progress.setValue(1)
        self._show(running=False, bad=len(imported.index.bad_files), notes=len(imported.index.notes))
        if not studies:
            self.summary.setText(tr("No DICOM images were found here."))

    def fail(self, names: Sequence[str], reason: str) -> None:
        """Say why an import ended without a result."""
        self.title.set_full(tr("{name} was not imported").format(name=names[0] if names else ""))
        self.count.setText("")
        self.summary.setText(reason)
        self.progress.setRange(0, 1)
        self.progress.setValue(0)
        self._show(running=False, bad=0)
        self.show()

    def _show(self, *, running: bool, bad: int, notes: int = 0) -> None:
        self.cancel.setVisible(running)
        self.close_button.setVisible(not running)
        if bad:
            words = tr("1 file could not be read") if bad == 1 else tr("{n} files could not be read")
        else:
            words = tr("1 file to know about") if notes == 1 else tr("{n} files to know about")
        self.bad.setText(words.format(n=bad or notes))
        for widget in (self.warning, self.bad, self.list):
            widget.setVisible(bad + notes > 0)


class ImportReport(QScrollArea):
    """Each file that was left out, by name and reason; each series with a problem.

    Signals
    -------
    backWanted()
        Show the studies of this import.
    """

    backWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.imported: Imported | None = None
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_import(self, imported: Imported) -> None:
        """Show the outcome of an import."""
        self.imported = imported
        theme = self._theme
        body = QWidget()
        body.setProperty("ground", "ground")
        whole = QHBoxLayout(body)
        side = theme.length("space", "xl")
        whole.setContentsMargins(side, side, side, side)
        place = QWidget()
        place.setMaximumWidth(theme.px(1320))
        whole.addWidget(place, 100)
        whole.addStretch(1)
        column = QVBoxLayout(place)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.length("space", "s"))
        column.addLayout(self._head(imported))
        column.addSpacing(theme.length("space", "s"))
        column.addWidget(self._counts(imported))
        column.addSpacing(theme.length("space", "m"))
        self._bad_files(column, imported.index.bad_files)
        self._notes(column, imported.index.notes)
        self._troubled(column, imported)
        column.addSpacing(theme.length("space", "m"))
        words = tr("Nothing was changed on the medium. Files that were left out were not copied.")
        foot = QHBoxLayout()
        foot.addWidget(glyph_label("info", "text-2", theme, meaning=""))
        foot.addWidget(plain_label(words, theme, step="note", tone="2"), 1)
        column.addLayout(foot)
        column.addStretch(1)
        self.setWidget(body)

    def _head(self, imported: Imported) -> QHBoxLayout:
        theme = self._theme
        row = QHBoxLayout()
        said = QVBoxLayout()
        said.setSpacing(0)
        name = tr("Import of {name}").format(name=imported.title)
        said.addWidget(plain_label(name, theme, step="page"))
        seconds = f"{imported.seconds:.0f} s" if imported.seconds >= 1 else tr("under 1 s")
        when = tr("Today {time}, {seconds}, finished").format(time=imported.finished, seconds=seconds)
        said.addWidget(plain_label(when, theme, step="note", tone="2"))
        row.addLayout(said, 1)
        copy = ActButton(tr("Copy list"), theme, glyph_name="copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(imported.text()))
        row.addWidget(copy)
        back = ActButton(tr("Show the studies"), theme, kind=PRIMARY)
        back.clicked.connect(self.backWanted)
        row.addWidget(back)
        return row

    def _counts(self, imported: Imported) -> QFrame:
        theme = self._theme
        card = QFrame()
        card.setObjectName("card")
        row = QHBoxLayout(card)
        side = theme.length("space", "l")
        row.setContentsMargins(side, theme.length("space", "m"), side, theme.length("space", "m"))
        row.setSpacing(theme.length("space", "s"))
        studies = imported.index.studies
        series = sum(len(study.series) for study in studies)
        troubled = len(imported.troubled())
        facts = [
            ("check", "text-2", tr("{n} files loaded").format(n=imported.loaded)),
            ("stack", "text-2", tr("{n} studies, {m} series").format(n=len(studies), m=series)),
            (
                "warning",
                "warning",
                tr("{n} files left out").format(n=len(imported.index.bad_files)),
            ),
        ]
        if troubled:
            facts.append(("stack", "warning", tr("{n} series with a problem").format(n=troubled)))
        for glyph_name, tone, words in facts:
            row.addWidget(glyph_label(glyph_name, tone, theme, meaning=""))
            row.addWidget(plain_label(words, theme))
            row.addSpacing(theme.length("space", "l"))
        row.addStretch(1)
        return card

    def _heading(self, column: QVBoxLayout, words: str, more: str) -> None:
        theme = self._theme
        row = QHBoxLayout()
        row.setSpacing(theme.length("space", "s"))
        row.addWidget(glyph_label("warning", "warning", theme, meaning=""))
        row.addWidget(plain_label(words, theme, step="name"))
        row.addWidget(plain_label(more, theme, tone="2"), 1)
        column.addLayout(row)

    def _bad_files(self, column: QVBoxLayout, bad_files: Sequence[BadFile]) -> None:
        if not bad_files:
            return
        words = (
            tr("1 file could not be read") if len(bad_files) == 1 else tr("{n} files could not be read")
        )
        self._heading(column, words.format(n=len(bad_files)), tr("Everything else is in the worklist."))
        self._files(column, bad_files)

    def _notes(self, column: QVBoxLayout, notes: Sequence[FileNote]) -> None:
        """List files that are in the worklist, of which a person should know something."""
        if not notes:
            return
        column.addSpacing(self._theme.length("space", "m"))
        words = tr("1 file to know about") if len(notes) == 1 else tr("{n} files to know about")
        self._heading(column, words.format(n=len(notes)), tr("They were read and can be used."))
        self._files(column, notes)

    def _files(self, column: QVBoxLayout, files: Sequence[BadFile | FileNote]) -> None:
        theme = self._theme
        rows = QVBoxLayout()
        rows.setSpacing(0)
        column.addLayout(rows)
        for bad in files[:MOST_ROWS]:
            rows.addWidget(rule())
            row = QHBoxLayout()
            row.setContentsMargins(theme.px(24), 0, 0, 0)
            name = ElidedLabel(Path(bad.shown).name, theme, step="name")
            name.setToolTip(plain_tip(bad.shown))
            row.addWidget(name, 2)
            reason = plain_label(bad.reason, theme, tone="2", wraps=True)
            row.addWidget(reason, 5)
            show = ActButton(tr("Show in folder"), theme, kind=LINK)
            folder = Path(bad.path.split("!")[0]).parent
            show.clicked.connect(lambda _checked=False, folder=folder: open_folder(folder))
            row.addWidget(show)
            place = QWidget()
            place.setLayout(row)
            place.setMinimumHeight(theme.px(34))
            place.setAccessibleName(f"{Path(bad.shown).name}: {bad.reason}")
            rows.addWidget(place)
        left = len(files) - MOST_ROWS
        if left > 0:
            more = tr("and {n} more: copy the list to see all").format(n=left)
            column.addWidget(plain_label(more, theme, step="note", tone="2"))

    def _troubled(self, column: QVBoxLayout, imported: Imported) -> None:
        theme = self._theme
        troubled = imported.troubled()
        if not troubled:
            return
        column.addSpacing(theme.length("space", "m"))
        words = tr("1 series has a problem") if len(troubled) == 1 else tr("{n} series have a problem")
        self._heading(column, words.format(n=len(troubled)), tr("It can be read image by image."))
        for study, series in troubled:
            column.addWidget(rule())
            row = QHBoxLayout()
            row.setContentsMargins(theme.px(24), theme.px(6), 0, theme.px(6))
            badge = Badge(theme)
            badge.show_state(badge_text(series.verdict), "warning", BadgeFrame.PROBLEM)
            row.addWidget(badge)
            about = f"{printed_name(study.patient.name)}, {series.modality} {series.description}"
            row.addWidget(plain_label(about, theme))
            row.addWidget(plain_label(series.verdict.reason, theme, tone="2", wraps=True), 1)
            column.addLayout(row)


def open_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
