"""The table of studies: one row a study, sorted by column, filtered as you type; Enter opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSignalBlocker,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionHeader,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.report_search import ReportHit
from app.shell.focus_ring import OWN_FOCUS
from app.shell.worklist.badges import badge_lines, badge_width, draw_cover, paint_badge
from app.shell.worklist.columns import COLUMNS, Column, ColumnSpec
from app.shell.worklist.entries import FILTERS, Entry, Filter, tr
from viewer.views.icons import glyph
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

ENTRY = Qt.ItemDataRole.UserRole + 1
SORT_KEY = Qt.ItemDataRole.UserRole + 2

Index = QModelIndex | QPersistentModelIndex


class WorklistModel(QAbstractTableModel):
    """Entries as rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries."""
        self.beginResetModel()
        self.entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, spec = self.entries[index.row()], COLUMNS[Column(index.column())]
        answers: dict[int, Callable[[], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda: spec.text(entry),
            Qt.ItemDataRole.AccessibleTextRole: lambda: spec.text(entry),
            Qt.ItemDataRole.ToolTipRole: lambda: plain_tip(
                "\n".join((*entry.problems, spec.text(entry)))
                if index.column() == Column.STATE
                else spec.text(entry)
            ),
            ENTRY: lambda: entry,
            SORT_KEY: lambda: spec.key(entry),
        }
        answer = answers.get(role)
        return None if answer is None else answer()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[Column(section)].title)
        return None


class WorklistOrder(QSortFilterProxyModel):
    """The rows that fit group and search, in the order of a column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.group = Filter.ALL
        self.query = ""
        self.hits: Mapping[str, ReportHit] = {}

    def narrow(
        self,
        *,
        group: Filter | None = None,
        query: str | None = None,
        hits: Mapping[str, ReportHit] | None = None,
    ) -> None:
        """Show another group, or what fits other words; `hits` stand in reports."""
        self.hits = self.hits if hits is None else hits
        self.group = self.group if group is None else group
        self.query = self.query if query is None else query
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        entry: Entry = self.sourceModel().entries[row]  # type: ignore[attr-defined]
        hit = self.hit_of(entry)
        words = frozenset() if hit is None else hit.words
        return FILTERS[self.group](entry) and entry.matches(self.query, words)

    def hit_of(self, entry: Entry) -> ReportHit | None:
        """Return what was found in the reports of a study."""
        return self.hits.get(entry.study.study_instance_uid) if self.query.strip() else None

    def lessThan(self, left: Index, right: Index) -> bool:
        return bool(left.data(SORT_KEY) < right.data(SORT_KEY))


class _RowDelegate(QStyledItemDelegate):
    """Paints cells: ground of the row, picture, words, badges."""

    def __init__(self, theme: Theme, table: WorklistTable) -> None:
        super().__init__(table)
        self._theme = theme
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self._theme.length("row", "list"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, column = self._theme, Column(index.column())
        entry: Entry = index.data(ENTRY)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = index.row() == self._table.hovered_row
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = "selected" if selected else "hover" if hovered else "ground"
        painter.fillRect(option.rect, theme.colour(ground))
        line = QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1)
        painter.fillRect(line, theme.colour("line"))
        if selected and self._table.hasFocus() and self._table.by_keyboard:
            self._paint_focus(painter, option.rect, column)
        if column is Column.PICTURE:
            self._paint_picture(painter, option.rect, entry, selected=selected)
        elif column is Column.STATE:
            self._paint_badges(painter, option.rect, entry, selected=selected)
        else:
            self._paint_words(painter, option.rect, index, COLUMNS[column])
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRect, entry: Entry, *, selected: bool) -> None:
        theme = self._theme
        if selected:
            edge = QRect(rect.left(), rect.top(), theme.px(2), rect.height())
            painter.fillRect(edge, theme.colour("text"))
        gap = theme.px(6)
        box = rect.adjusted(theme.length("space", "m"), gap, -gap, -gap)
        painter.fillRect(box, theme.colour("image"))
        picture = self._table.picture_of(entry)
        if picture is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            draw_cover(painter, box, picture)
        painter.setPen(theme.colour("line-2"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(0, 0, -1, -1))

    def _paint_focus(self, painter: QPainter, rect: QRect, column: Column) -> None:
        """Paint this cell's part of the ring round the row that has the keyboard."""
        width, ink = self._theme.length("focus", "ring"), self._theme.colour("focus")
        painter.fillRect(QRect(rect.left(), rect.top(), rect.width(), width), ink)
        painter.fillRect(QRect(rect.left(), rect.bottom() - width, rect.width(), width), ink)
        if column is Column.STATE:
            painter.fillRect(QRect(rect.right() - width + 1, rect.top(), width, rect.height() - 1), ink)

    def _paint_words(self, painter: QPainter, rect: QRect, index: Index, spec: ColumnSpec) -> None:
        theme = self._theme
        font = theme.font(spec.step)
        painter.setFont(font)
        painter.setPen(theme.colour(spec.tone))
        box = rect.adjusted(theme.length("space", "s"), 0, -theme.length("space", "s"), 0)
        words = str(index.data(Qt.ItemDataRole.DisplayRole))
        shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        side = Qt.AlignmentFlag.AlignRight if spec.right else Qt.AlignmentFlag.AlignLeft
        hit = self._table.order.hit_of(index.data(ENTRY)) if spec is COLUMNS[Column.STUDY] else None
        if hit is not None:
            line = theme.line_height("note")
            self._paint_snippet(painter, box.adjusted(0, box.height() // 2, 0, 0), hit)
            box = box.adjusted(0, 0, 0, -line)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | side, shown)

    def _paint_snippet(self, painter: QPainter, box: QRect, hit: ReportHit) -> None:
        """Paint the text of the report round what was found, under the study's name."""
        theme = self._theme
        painter.save()
        painter.setFont(theme.font("note"))
        painter.setPen(theme.colour("text-2"))
        shown = painter.fontMetrics().elidedText(hit.snippet, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()

    def _paint_badges(self, painter: QPainter, rect: QRect, entry: Entry, *, selected: bool) -> None:
        lines = badge_lines(self._theme, entry.badges, rect.width())
        painter.setClipRect(rect)
        step = self._theme.length("row", "badge") + self._theme.px(3)
        middle = rect.center().y() - step * (len(lines) - 1) // 2
        for line in lines:
            left = rect.left() + self._theme.length("space", "s")
            for badge in line:
                left = paint_badge(painter, self._theme, left, middle, badge, selected=selected)
                left += self._theme.length("space", "s")
            middle += step


class _Head(QHeaderView):
    """Column titles; the sorted one carries an arrow."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setFixedHeight(theme.px(32))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        theme = self._theme
        option = QStyleOptionHeader()
        self.initStyleOption(option)
        painter.save()
        painter.fillRect(rect, theme.colour("panel"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.colour("line"))
        spec = COLUMNS[Column(section)]
        sorts = section == self.sortIndicatorSection() and section != Column.PICTURE
        font = theme.font("note")
        painter.setFont(font)
        painter.setPen(theme.colour("text" if sorts else "text-2"))
        box = rect.adjusted(theme.length("space", "s"), 0, -theme.length("space", "s"), 0)
        words = tr(spec.title)
        side = Qt.AlignmentFlag.AlignRight if spec.right else Qt.AlignmentFlag.AlignLeft
        if sorts:
            size = theme.px(12)
            up = self.sortIndicatorOrder() is Qt.SortOrder.AscendingOrder
            mark = glyph(
                "arrow-up" if up else "arrow-down",
                theme.colour("text"),
                size,
                pixel_ratio=self.devicePixelRatioF(),
            )
            width = QFontMetrics(font).horizontalAdvance(words) + theme.px(4)
            if spec.right:
                box.setRight(box.right() - size - theme.px(2))
                place = box.right() + theme.px(4)
            else:
                place = box.left() + width
            painter.drawPixmap(QPointF(place, rect.center().y() - size // 2), mark)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | side, words)
        painter.restore()


class WorklistTable(QTableView):
    """Studies with pictures and badges.

    Signals
    -------
    opened(Entry)
        Enter or a double click on a row.
    chosen(Entry or None)
        Another row is the current one.
    """

    opened = Signal(object)
    chosen = Signal(object)

    def __init__(self, theme: Theme, pictures: Mapping[str, QPixmap]) -> None:
        super().__init__()
        self._theme = theme
        self._pictures = pictures
        self.hovered_row = -1
        self.by_keyboard = False
        self.setProperty(OWN_FOCUS, True)
        self.entries_model = WorklistModel(self)
        self.order = WorklistOrder(self)
        self.order.setSourceModel(self.entries_model)
        self.order.setDynamicSortFilter(True)
        self.setModel(self.order)
        self.setItemDelegate(_RowDelegate(theme, self))
        self.setHorizontalHeader(_Head(theme, self))
        self.setSortingEnabled(True)
        self.sortByColumn(Column.DATE, Qt.SortOrder.DescendingOrder)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.length("row", "list"))
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setAccessibleName(tr("Studies"))
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(ENTRY)))
        self.selectionModel().currentRowChanged.connect(self._current_changed)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show other entries; the chosen study stays chosen."""
        before = self.current()
        self.entries_model.set_entries(entries)
        uid = before.study.study_instance_uid if before else ""
        self.set_narrow(self.width() < self._theme.px(1160))
        self.choose(uid)

    def narrow(
        self,
        *,
        group: Filter | None = None,
        query: str | None = None,
        hits: Mapping[str, ReportHit] | None = None,
    ) -> None:
        """Show another group, or what fits other words; some row is always the current one."""
        before = self.current()
        self.order.narrow(group=group, query=query, hits=hits)
        self.choose(before.study.study_instance_uid if before else "")

    def choose(self, study_instance_uid: str) -> None:
        """Make a study the current row, else the first one."""
        rows = range(self.order.rowCount())
        wanted = (
            row
            for row in rows
            if self.order.index(row, 0).data(ENTRY).study.study_instance_uid == study_instance_uid
        )
        row = next(wanted, 0 if rows else -1)
        blocker = QSignalBlocker(self)
        self.setCurrentIndex(self.order.index(row, 0) if row >= 0 else QModelIndex())
        del blocker
        self.chosen.emit(self.current())

    def current(self) -> Entry | None:
        """Return the entry of the current row."""
        entry: Entry | None = self.currentIndex().data(ENTRY) if self.currentIndex().isValid() else None
        return entry

    def shown(self) -> list[Entry]:
        """Return the entries that are shown, in order."""
        return [self.order.index(row, 0).data(ENTRY) for row in range(self.order.rowCount())]

    def picture_of(self, entry: Entry) -> QPixmap | None:
        """Return the picture of a study, or none before it was made."""
        series = entry.main_series()
        return None if series is None else self._pictures.get(series.key)

    def set_narrow(self, narrow: bool) -> None:
        """Give the columns their widths for a narrow or a wide window."""
        head = self.horizontalHeader()
        head.setMinimumSectionSize(0)
        for column, spec in COLUMNS.items():
            width = spec.width[narrow]
            if column is Column.STATE:
                width = self._state_width(width)
            self.setColumnHidden(column, width == 0)
            if width < 0:
                head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
            else:
                head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                head.resizeSection(column, self._theme.px(width))

    def _state_width(self, most: int) -> int:
        """Return the room that the widest badges need: what is left belongs to the study's name."""
        gap, widest = self._theme.length("space", "s"), 0
        for entry in self.entries_model.entries:
            for line in badge_lines(self._theme, entry.badges, self._theme.px(most)):
                width = gap + sum(badge_width(self._theme, badge) + gap for badge in line)
                widest = max(widest, width)
        return min(most, round(widest / self._theme.scale)) if widest else most

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_narrow(self.width() < self._theme.px(1160))

    def _current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        self.chosen.emit(current.data(ENTRY) if current.isValid() else None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.by_keyboard = True
        self.viewport().update()
        entry = self.current()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and entry is not None:
            self.opened.emit(entry)
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.by_keyboard = False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, row: int) -> None:
        if row != self.hovered_row:
            self.hovered_row = row
            self.viewport().update()
