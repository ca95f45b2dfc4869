"""The page of marks in the side panel: the list, what the selected mark measured, and its lesion."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from app.shell.act_binding import KeyFollower, key_of
from app.shell.marks.figures import HistogramView, ValueTable
from app.shell.marks.lesion import LesionView, size_words
from app.shell.marks.list import WHOSE_WORDS, MarksList, Where, Whose
from app.shell.marks.words import title_words
from app.shell.widgets import PRIMARY, ActButton, ElidedLabel, plain_label
from reports.domain import Lesion
from viewer.imaging.marks import Mark
from viewer.imaging.marks_measure import Histogram
from viewer.views.corner_text import printed_date
from viewer.views.marks.board import MarkBoard
from viewer.views.theme import Theme

FIGURES_SHARE = 5
"""Of the height of the page, in tenths: no more for what the selected mark measured."""


class MarksPage(QWidget):
    """Shows the marks of a board.

    Signals
    -------
    actWanted(str)
        An act of a table on the selected mark.
    lesionWanted(str)
        Link the selected mark to this lesion, "" for none.
    newLesionWanted()
        Link the selected mark to a lesion of its own.
    lesionRenamed(str)
        Another name for the lesion of the selected mark.
    """

    actWanted = Signal(str)
    lesionWanted = Signal(str)
    newLesionWanted = Signal()
    lesionRenamed = Signal(str)

    def __init__(
        self,
        board: MarkBoard,
        theme: Theme,
        *,
        where: Where,
        lesion_name: Where,
        known: Callable[[], tuple[Lesion, ...]],
    ) -> None:
        super().__init__()
        self._board, self._theme, self._known = board, theme, known
        self.list = MarksList(board, where, lesion_name, theme)
        self.whose = QComboBox()
        self.count = plain_label("", theme, step="note", tone="2")
        self.title = ElidedLabel("", theme, step="name")
        self.values = ValueTable(theme)
        self.histogram = HistogramView(theme)
        self.lesion = LesionView(theme)
        self.finding_button = ActButton(
            self.tr("Make finding"), theme, kind=PRIMARY, key=key_of("viewport.mark_finding")
        )
        self.lesion_button = ActButton(self.tr("Lesion"), theme, glyph_name="link")
        self.delete_button = ActButton(self.tr("Delete"), theme, key=key_of("viewport.mark_delete"))
        self._lay_out()
        self._connect()
        self.draw()

    def _lay_out(self) -> None:
        theme = self._theme
        side, gap = theme.length("space", "m"), theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(side, gap, side, gap)
        head.setSpacing(gap)
        self.whose.setAccessibleName(self.tr("Whose marks"))
        for whose in Whose:
            self.whose.addItem(self.tr(WHOSE_WORDS[whose]), whose)
        head.addWidget(self.whose, 1)
        head.addWidget(self.count)
        column.addLayout(head)
        self._empty = plain_label("", theme, tone="2", wraps=True)
        self._empty.setContentsMargins(side, gap, side, gap)
        column.addWidget(self._empty)
        column.addWidget(self.list, 10 - FIGURES_SHARE)
        self._figures = QFrame()
        self._figures.setProperty("line", "top")
        inner = QVBoxLayout(self._figures)
        inner.setContentsMargins(side, gap, side, gap)
        inner.setSpacing(gap)
        for widget in (self.title, self.values, self.lesion, self.histogram):
            inner.addWidget(widget)
        inner.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._figures)
        self._scroll.setAccessibleName(self.tr("What the selected mark measured"))
        column.addWidget(self._scroll, FIGURES_SHARE)
        foot = QFrame()
        foot.setProperty("line", "top")
        rows = QVBoxLayout(foot)
        rows.setContentsMargins(side, gap, side, gap)
        rows.setSpacing(gap)
        rows.addWidget(self.finding_button)
        second = QHBoxLayout()
        second.setSpacing(gap)
        second.addWidget(self.lesion_button, 1)
        second.addWidget(self.delete_button, 1)
        rows.addLayout(second)
        column.addWidget(foot)

    def _connect(self) -> None:
        self._board.renewed.connect(self.draw)
        self._board.selected.connect(lambda _mark_id: self.draw())
        self.whose.currentIndexChanged.connect(self._filter)
        self.list.jumpWanted.connect(self._board.jump_to)
        self.list.actWanted.connect(self.actWanted)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.finding_button.clicked.connect(lambda: self.actWanted.emit("viewport.mark_finding"))
        self.delete_button.clicked.connect(lambda: self.actWanted.emit("viewport.mark_delete"))
        self.lesion_button.clicked.connect(self.open_lesions)
        self.lesion.renamed.connect(self.lesionRenamed)
        KeyFollower(self, self._show_keys)

    def _show_keys(self) -> None:
        self.finding_button.set_key(key_of("viewport.mark_finding"))
        self.delete_button.set_key(key_of("viewport.mark_delete"))

    def _filter(self) -> None:
        self.list.rows.whose = Whose(self.whose.currentData())
        self.list.rows.renew()
        self.draw()

    def show_lesion(self, lesion: Lesion | None, study_instance_uid: str) -> None:
        """Show the lesion of the selected mark."""
        self.lesion.show_lesion(lesion, study_instance_uid)

    def show_histogram(self, histogram: Histogram | None, mark: Mark | None) -> None:
        """Show the histogram of the selected mark."""
        self.histogram.show_histogram(histogram, mark)

    def open_lesions(self) -> None:
        """Offer a new lesion, those of the patient, and no lesion."""
        mark = self._board.chosen()
        if mark is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("New lesion"), self.newLesionWanted.emit)
        menu.addSeparator()
        for lesion in self._known():
            last = lesion.timeline()[-1]
            parts = (lesion.name, printed_date(last.study_date), size_words(last))
            action = menu.addAction("   ".join(part for part in parts if part))
            action.setCheckable(True)
            action.setChecked(lesion.id == mark.lesion_id)
            action.triggered.connect(
                lambda _checked=False, lesion_id=lesion.id: self.lesionWanted.emit(lesion_id)
            )
        menu.addSeparator()
        none = menu.addAction(self.tr("No lesion"), lambda: self.lesionWanted.emit(""))
        none.setEnabled(mark.lesion_id is not None)
        menu.popup(self.lesion_button.mapToGlobal(self.lesion_button.rect().topLeft()))

    def set_reasons(self, finding: str, lesion: str) -> None:
        """Say why no finding or lesion can be made of the selected mark; empty: it can."""
        self.finding_button.set_reason(finding)
        self.lesion_button.set_reason(lesion)

    def draw(self) -> None:
        """Show what is selected now."""
        mark, rows = self._board.chosen(), self.list.rows
        count = rows.rowCount()
        self.count.setText(str(count))
        empty = (
            self.tr("No marks yet: draw one on an image.")
            if not self._board.marks
            else self.tr("None of these marks.")
        )
        self._empty.setText(empty)
        self._empty.setVisible(count == 0)
        self.list.setVisible(count > 0)
        self._scroll.setVisible(mark is not None)
        self.title.set_full("" if mark is None else title_words(mark))
        self.values.show_mark(mark)
        reason = self.tr("No mark is selected.") if mark is None else ""
        if mark is not None and not mark.is_own:
            reason = self.tr("The mark of somebody else is only read.")
        self.delete_button.set_reason(reason)
