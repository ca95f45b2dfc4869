"""The worklist: search, groups, studies, what is known of the chosen one, and where to drop files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.report_search import ReportHit
from app.shell.act_binding import KeyFollower, key_of
from app.shell.header import MenuButton, SessionBar, bar
from app.shell.pictures import Pictures
from app.shell.widgets import (
    PRIMARY,
    SECONDARY,
    ActButton,
    ElidedLabel,
    glyph_label,
    key_text,
    plain_label,
    rule,
)
from app.shell.worklist.entries import FILTERS, Entry, Filter, tr
from app.shell.worklist.import_report import ImportReport
from app.shell.worklist.study_detail import StudyDetail
from app.shell.worklist.table import WorklistTable
from viewer.views.icons import glyph
from viewer.views.theme import Theme

GROUPS: dict[Filter, tuple[str, str]] = {
    Filter.ALL: ("All studies", "stack"),
    Filter.TO_READ: ("To read", "tray"),
    Filter.DRAFTED: ("Drafted", "pencil-simple-line"),
    Filter.PRELIMINARY: ("Preliminary", "signature"),
    Filter.FINAL: ("Final", "seal-check"),
    Filter.PROBLEMS: ("With problems", "warning"),
    Filter.LAST_IMPORT: ("Last import", "download-simple"),
}
"""Words and glyph of each group."""

GROUPS_OF_STATE = 5
"""So many groups stand above the line."""


class GroupButton(ActButton):
    """One group with its count at the right end."""

    def __init__(self, kind: Filter, theme: Theme) -> None:
        words, glyph_name = GROUPS[kind]
        super().__init__(tr(words), theme, kind="row", glyph_name=glyph_name)
        self._look = theme
        self._glyph_name = glyph_name
        self._count = 0
        self.setCheckable(True)
        self.setFixedHeight(theme.px(32))

    def set_count(self, count: int) -> None:
        """Say how many studies the group holds."""
        self._count = count
        self.setAccessibleName(f"{self.text()}: {count}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._look.px(160), self._look.px(32))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._look
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected" if self.isChecked() else "hover"))
            painter.drawRoundedRect(self.rect(), 4, 4)
        side, size = theme.length("space", "m"), theme.length("icon", "size")
        ink = "text" if self.isChecked() else "text-2"
        mark = glyph(self._glyph_name, theme.colour(ink), size, pixel_ratio=self.devicePixelRatioF())
        painter.drawPixmap(side, (self.height() - size) // 2, mark)
        painter.setFont(theme.font("name" if self.isChecked() else "base"))
        painter.setPen(theme.colour(ink))
        box = self.rect().adjusted(side + size + theme.px(10), 0, -side, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(theme.colour("text-2"))
        painter.drawText(
            box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, str(self._count)
        )
        painter.end()


class DropHint(QWidget):
    """Dashed frame with the words that files can be dropped anywhere."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(theme.px(56))
        words = tr("Drop a folder, ZIP or files anywhere in this window")
        self._words = words
        self.setAccessibleName(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("control"), 1, Qt.PenStyle.DashLine))
        radius = theme.length("radius", "card")
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, radius, radius)
        painter.setFont(theme.font("base"))
        painter.setPen(theme.colour("text-2"))
        size = theme.length("icon", "size")
        width = painter.fontMetrics().horizontalAdvance(self._words) + size + theme.px(10)
        left = (self.width() - width) // 2
        mark = glyph(
            "download-simple", theme.colour("text-2"), size, pixel_ratio=self.devicePixelRatioF()
        )
        painter.drawPixmap(left, (self.height() - size) // 2, mark)
        place = QRect(left + size + theme.px(10), 0, width, self.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self._words)
        painter.end()


class EmptyWorklist(QWidget):
    """What to do while there are no studies: a dashed card in the middle."""

    folderWanted = Signal()
    filesWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._card = QWidget()
        self._card.setFixedWidth(theme.px(560))
        column = QVBoxLayout(self._card)
        side = theme.px(48)
        column.setContentsMargins(side, side, side, theme.px(40))
        column.setSpacing(theme.length("space", "xs"))
        centre = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(glyph_label("folder-open", "text-2", theme, meaning="", size=36), 0, centre)
        column.addSpacing(theme.length("space", "m"))
        column.addWidget(plain_label(tr("No studies yet"), theme, step="dialog"), 0, centre)
        column.addSpacing(theme.length("space", "xs"))
        for line in (
            tr("Drop a folder, ZIP or single files here."),
            tr("Folders are read where they are. Nothing leaves this machine."),
        ):
            label = plain_label(line, theme, tone="2", wraps=True)
            label.setAlignment(centre)
            column.addWidget(label)
        column.addSpacing(theme.length("space", "l"))
        self.button = ActButton(
            tr("Choose a folder"), theme, kind=PRIMARY, glyph_name="folder-open", key="Ctrl+O"
        )
        self.button.clicked.connect(self.folderWanted)
        files = ActButton(tr("Choose files"), theme, glyph_name="files")
        files.clicked.connect(self.filesWanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.length("space", "s"))
        buttons.addStretch(1)
        buttons.addWidget(self.button)
        buttons.addWidget(files)
        buttons.addStretch(1)
        column.addLayout(buttons)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._card)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(3)
        whole.addLayout(row)
        whole.addStretch(4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("control"), 1, Qt.PenStyle.DashLine))
        radius = self._theme.length("radius", "card")
        box = self._card.geometry().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, radius, radius)
        painter.end()


class WorklistPage(QWidget):
    """The page of the worklist.

    Signals
    -------
    openWanted(Entry, bool)
        Open a study; true when it is to be drafted at once.
    folderWanted(), filesWanted()
        Choose a folder, or files and archives, to import.
    """

    openWanted = Signal(object, bool)
    folderWanted = Signal()
    filesWanted = Signal()

    def __init__(self, theme: Theme, pictures: Pictures) -> None:
        super().__init__()
        self.theme = theme
        self._pictures = pictures
        self.session = SessionBar(theme)
        self.table = WorklistTable(theme, pictures.by_key)
        self.detail = StudyDetail(theme, pictures)
        self.empty = EmptyWorklist(theme)
        self.report = ImportReport(theme)
        self._entries: tuple[Entry, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_header())
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self._make_groups())
        self._pages = QStackedWidget()
        self._list = self._make_list()
        for page in (self._list, self.empty, self.report):
            self._pages.addWidget(page)
        row.addWidget(self._pages, 1)
        row.addWidget(self.detail)
        column.addLayout(row, 1)
        self.table.opened.connect(lambda entry: self.openWanted.emit(entry, False))
        self.table.chosen.connect(self._chosen)
        self.detail.openWanted.connect(lambda: self.open_current(False))
        self.detail.draftWanted.connect(lambda: self.open_current(True))
        self.empty.folderWanted.connect(self.folderWanted)
        self.empty.filesWanted.connect(self.filesWanted)
        self.report.backWanted.connect(lambda: self.show_group(Filter.LAST_IMPORT))
        pictures.made.connect(lambda _key: self.table.viewport().update())
        self._groups[Filter.ALL].setChecked(True)
        self.show_entries(())

    def _make_header(self) -> QWidget:
        theme = self.theme
        frame = bar(theme, "header")
        row = frame.layout()
        assert isinstance(row, QHBoxLayout)
        row.addWidget(plain_label(tr("Worklist"), theme, step="patient"))
        row.addSpacing(theme.length("space", "xl"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Name, ID, accession, date, study, report text"))
        self.search.setAccessibleName(tr("Search the worklist"))
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(theme.px(420))
        search = self.search
        KeyFollower(search, lambda: search.setToolTip(key_text(key_of("window.search"))))
        self.search.textChanged.connect(self._searched)
        self.search.installEventFilter(self)
        row.addWidget(self.search)
        row.addStretch(1)
        self.import_button = MenuButton(tr("Import"), theme, glyph_name="folder-open", kind=SECONDARY)
        choices = self.import_button.menu_below
        choices.addAction(f"{tr('Folder')}\tCtrl O", self.folderWanted.emit)
        choices.addAction(f"{tr('Files or ZIP archives')}\tCtrl Shift O", self.filesWanted.emit)
        row.addWidget(self.import_button)
        row.addSpacing(theme.length("space", "s"))
        row.addWidget(self.session)
        return frame

    def _make_groups(self) -> QWidget:
        theme = self.theme
        side = QFrame()
        side.setProperty("ground", "panel")
        side.setStyleSheet(f"QFrame {{ border-right: 1px solid {theme.colour('line').name()}; }}")
        self._side = side
        column = QVBoxLayout(side)
        gap = theme.length("space", "s")
        column.setContentsMargins(gap, theme.length("space", "m"), gap, gap)
        column.setSpacing(0)
        self._groups: dict[Filter, GroupButton] = {}
        buttons = QButtonGroup(self)
        for number, kind in enumerate(Filter):
            if number == GROUPS_OF_STATE:
                column.addSpacing(gap)
                column.addWidget(rule())
                column.addSpacing(gap)
            button = GroupButton(kind, theme)
            button.clicked.connect(lambda _checked=False, kind=kind: self.show_group(kind))
            buttons.addButton(button)
            self._groups[kind] = button
            column.addWidget(button)
        column.addStretch(1)
        return side

    def _make_list(self) -> QWidget:
        theme = self.theme
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        self.nothing = ElidedLabel("", theme, tone="2")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        column.addWidget(self.nothing)
        gap = theme.length("space", "l")
        place = QVBoxLayout()
        place.setContentsMargins(gap, gap, gap, gap)
        place.addWidget(DropHint(theme))
        column.addLayout(place)
        return page

    # --- what is shown -----------------------------------------------------------------------------

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show the studies of the store."""
        self._entries = tuple(entries)
        self.table.set_entries(self._entries)
        for kind, button in self._groups.items():
            button.set_count(sum(FILTERS[kind](entry) for entry in self._entries))
        wanted = [entry.main_series() for entry in self.table.shown()]
        self._pictures.want(series for series in wanted if series is not None)
        if self._pages.currentWidget() is not self.report:
            self._show_list()

    def show_group(self, kind: Filter) -> None:
        """Show one group of studies."""
        self._groups[kind].setChecked(True)
        self.table.narrow(group=kind)
        self._show_list()

    def show_import_report(self) -> None:
        """Show what the last import could not read."""
        self._groups[Filter.LAST_IMPORT].setChecked(True)
        self._pages.setCurrentWidget(self.report)
        self.detail.hide()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All studies, in the order of the store."""
        return self._entries

    @property
    def shows_list(self) -> bool:
        """True while the table is in front."""
        return self._pages.currentWidget() is self._list

    def open_current(self, draft: bool) -> None:
        """Open the chosen study."""
        entry = self.table.current()
        if entry is not None:
            self.openWanted.emit(entry, draft)

    def focus_search(self) -> None:
        """Put the caret into the search field."""
        self.search.setFocus()
        self.search.selectAll()

    def focus_list(self) -> None:
        """Give the list the keyboard."""
        if self.shows_list:
            self.table.setFocus()
        elif self._pages.currentWidget() is self.empty:
            self.empty.button.setFocus()

    def _show_list(self) -> None:
        some = bool(self._entries)
        self._pages.setCurrentWidget(self._list if some else self.empty)
        self.detail.setVisible(some)
        shown = len(self.table.shown())
        words = (
            tr("No study fits these words.") if self.search.text() else tr("No study in this group.")
        )
        self.nothing.set_full("" if shown else words)
        self.nothing.setVisible(some and not shown)

    def _searched(self, words: str) -> None:
        # What stands in reports follows when the typing rests; hits of other words do not count.
        self.table.narrow(query=words, hits={})
        self._show_list()

    def show_hits(self, hits: Mapping[str, ReportHit]) -> None:
        """Add what was found in the reports for the words that are typed."""
        self.table.narrow(hits=hits)
        self._show_list()

    def _chosen(self, entry: Entry | None) -> None:
        self.detail.show_entry(entry)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.table.setFocus()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.open_current(False)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.search.clear()
                self.table.setFocus()
                return True
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < self.theme.length("column", "narrow-below")
        self._side.setFixedWidth(self.theme.px(172 if narrow else 208))
        self.detail.setFixedWidth(self.theme.px(300 if narrow else 448))
        self.search.setFixedWidth(self.theme.px(340 if narrow else 480))
