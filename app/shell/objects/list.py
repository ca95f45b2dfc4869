"""The list of objects: groups, objects with their makers, and under them segments, regions, images."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.shell.objects.rows import CHECKED_KINDS, GROUPS, Row, RowKind, maker_of, title_of, tr
from viewer.imaging.objects.foreign import ForeignObject, ObjectKind
from viewer.views.objects.parts import PartKey
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

ROW = Qt.ItemDataRole.UserRole + 1
NAME = 0

SWATCH = 12
"""Side of the square that shows the colour of a part, logical pixels."""

EXPANDABLE_KINDS = frozenset({ObjectKind.SEGMENTATION, ObjectKind.STRUCTURE_SET, ObjectKind.KEY_OBJECT})
"""Kinds with something to list under the object."""

Index = QModelIndex | QPersistentModelIndex


class _RowDelegate(QStyledItemDelegate):
    """Name and, under it or at the right, what goes with it; check mark and colour are the style's."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row, theme = index.data(ROW), self._theme
        high = theme.line_height("base") + theme.length("space", "xs")
        if row.kind is RowKind.OBJECT and row.note:
            high += theme.line_height("note") + theme.length("space", "xs")
        return QSize(0, high)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        option.text = ""
        option.showDecorationSelected = True

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(ROW)
        full = QStyleOptionViewItem(option)
        super().initStyleOption(full, index)
        style = option.widget.style()
        room = style.subElementRect(
            QStyle.SubElement.SE_ItemViewItemText, full, option.widget
        ).adjusted(self._theme.px(5), 0, -self._theme.length("space", "s"), 0)
        super().paint(painter, option, index)
        painter.save()
        two_lines = row.kind is RowKind.OBJECT and bool(row.note)
        name, note = QRect(room), QRect(room)
        if two_lines:
            middle = room.top() + room.height() * 20 // 36
            name.setBottom(middle)
            note.setTop(middle)
        elif row.note:
            wide = painter.fontMetrics().horizontalAdvance(row.note)
            painter.setFont(self._theme.font("note"))
            wide = painter.fontMetrics().horizontalAdvance(row.note) + 2
            name.setRight(room.right() - wide - self._theme.length("space", "s"))
            note.setLeft(room.right() - wide)
        steps = {RowKind.GROUP: "section", RowKind.OBJECT: "name", RowKind.NOTE: "note"}
        quiet = row.kind in (RowKind.GROUP, RowKind.NOTE)
        self._line(painter, name, row.text, steps.get(row.kind, "base"), "text-2" if quiet else "text")
        self._line(painter, note, row.note, "note", "text-2", right=not two_lines)
        painter.restore()

    def _line(
        self, painter: QPainter, place: QRect, text: str, step: str, token: str, *, right: bool = False
    ) -> None:
        painter.setFont(self._theme.font(step))
        painter.setPen(self._theme.colour(token))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, shown)


class ObjectsList(QTreeWidget):
    """Shows rows; knows nothing of contents.

    Signals
    -------
    readWanted(str)
        An object was unfolded that was not read yet.
    checkWanted(Row, bool)
        A row was checked or unchecked by the reader.
    openWanted(Row)
        Enter or a double click on a row.
    chosen(Row)
        Another row is current.
    """

    readWanted = Signal(str)
    checkWanted = Signal(object, bool)
    openWanted = Signal(object)
    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._items: dict[str, QTreeWidgetItem] = {}
        self._is_telling = False
        self.setColumnCount(1)
        self.setHeaderHidden(True)
        self.setItemDelegate(_RowDelegate(theme, self))
        self.setIndentation(theme.px(10))
        self.setIconSize(QSize(theme.px(SWATCH), theme.px(SWATCH)))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setExpandsOnDoubleClick(False)
        self.setAccessibleName(tr("Objects of others"))
        self.itemExpanded.connect(self._expanded)
        self.itemChanged.connect(self._changed)
        self.itemDoubleClicked.connect(lambda item, _column: self.openWanted.emit(item.data(NAME, ROW)))
        self.currentItemChanged.connect(self._current)

    def show_objects(self, objects: tuple[ForeignObject, ...]) -> None:
        """List objects by kind; none are read yet."""
        self._is_telling = True
        self.clear()
        self._items.clear()
        for kind, words in GROUPS.items():
            of_kind = [one for one in objects if one.kind is kind]
            if not of_kind:
                continue
            group = self._item(None, Row(RowKind.GROUP, f"{tr(words)}  {len(of_kind)}"))
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            group.setExpanded(True)
            for found in of_kind:
                row = Row(RowKind.OBJECT, title_of(found), maker_of(found) or found.what, found)
                item = self._item(group, row)
                if kind in CHECKED_KINDS:
                    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                    item.setCheckState(NAME, Qt.CheckState.Unchecked)
                if kind in EXPANDABLE_KINDS:
                    item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
                self._items[found.sop_instance_uid] = item
        self._is_telling = False

    def show_rows(self, uid: str, rows: list[Row], *, unfold: bool) -> None:
        """List what is inside an object, or why it cannot be read."""
        item = self._items.get(uid)
        if item is None:
            return
        self._is_telling = True
        item.takeChildren()
        for row in rows:
            child = self._item(item, row)
            if row.part is not None:
                child.setFlags(child.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                child.setCheckState(NAME, Qt.CheckState.Unchecked)
                child.setIcon(NAME, _swatch(row.part.colour, self._theme.px(SWATCH)))
        if not rows:
            item.setChildIndicatorPolicy(
                QTreeWidgetItem.ChildIndicatorPolicy.DontShowIndicatorWhenChildless
            )
        self._is_telling = False
        if unfold and rows:
            item.setExpanded(True)

    def show_checks(self, shown: frozenset[PartKey], checked: frozenset[str]) -> None:
        """Check the parts that are shown and the objects that are shown as a whole."""
        self._is_telling = True
        for uid, item in self._items.items():
            children = [item.child(number) for number in range(item.childCount())]
            parts = [child for child in children if child.data(NAME, ROW).part is not None]
            for child in parts:
                is_shown = child.data(NAME, ROW).part.key in shown
                child.setCheckState(NAME, _check(1 if is_shown else 0, 1))
            if item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
                count = sum(child.checkState(NAME) is Qt.CheckState.Checked for child in parts)
                item.setCheckState(
                    NAME, _check(count, len(parts)) if parts else _check(int(uid in checked), 1)
                )
        self._is_telling = False

    def renew_rows(self, uid: str, rows: list[Row]) -> None:
        """Take other words for the rows under an object: volumes that were counted meanwhile."""
        item = self._items.get(uid)
        if item is None or item.childCount() != len(rows):
            return
        self._is_telling = True
        for number, row in enumerate(rows):
            self._put(item.child(number), row)
        self._is_telling = False

    def rows(self) -> Iterator[Row]:
        """Return every row, top to bottom."""

        def under(item: QTreeWidgetItem) -> Iterator[Row]:
            for number in range(item.childCount()):
                child = item.child(number)
                yield child.data(NAME, ROW)
                yield from under(child)

        yield from under(self.invisibleRootItem())

    def row(self) -> Row | None:
        """Return the current row."""
        item = self.currentItem()
        return None if item is None else item.data(NAME, ROW)

    def choose(self, uid: str) -> None:
        """Make an object the current row."""
        item = self._items.get(uid)
        if item is not None:
            self.setCurrentItem(item)

    def _item(self, parent: QTreeWidgetItem | None, row: Row) -> QTreeWidgetItem:
        item = QTreeWidgetItem(self.invisibleRootItem() if parent is None else parent)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self._put(item, row)
        return item

    def _put(self, item: QTreeWidgetItem, row: Row) -> None:
        item.setData(NAME, ROW, row)
        item.setText(NAME, row.text)
        words = ", ".join(one for one in (row.text, row.note) if one)
        item.setData(NAME, Qt.ItemDataRole.AccessibleTextRole, words)
        item.setToolTip(NAME, plain_tip(words))

    def _expanded(self, item: QTreeWidgetItem) -> None:
        row: Row = item.data(NAME, ROW)
        if row.kind is RowKind.OBJECT and item.childCount() == 0:
            self.readWanted.emit(row.uid)

    def _changed(self, item: QTreeWidgetItem) -> None:
        if not self._is_telling and item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            is_checked = item.checkState(NAME) is Qt.CheckState.Checked
            self.checkWanted.emit(item.data(NAME, ROW), is_checked)

    def _current(self, item: QTreeWidgetItem | None) -> None:
        self.chosen.emit(None if item is None else item.data(NAME, ROW))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.row()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            self.openWanted.emit(row)
            return
        super().keyPressEvent(event)


def _check(count: int, whole: int) -> Qt.CheckState:
    if count == 0:
        return Qt.CheckState.Unchecked
    return Qt.CheckState.Checked if count == whole else Qt.CheckState.PartiallyChecked


def _swatch(colour: str, side: int) -> QIcon:
    picture = QPixmap(side, side)
    picture.fill(QColor(colour))
    icon = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Disabled):
        icon.addPixmap(picture, mode)
    return icon
