"""The list of marks: name, kind, value, image, lesion; Enter jumps, names are written in place."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import (
    QT_TRANSLATE_NOOP,
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.shell.act_binding import bind_acts
from app.shell.marks.words import kind_words, title_words
from viewer.acts import VIEWER_ACTS
from viewer.imaging.marks import MEAN, Mark, MarkKind
from viewer.views.icons import glyph
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.words import label_lines, refusal_lines, spoken_words, tr, value_words
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

KIND_ICONS: dict[MarkKind, str] = {
    MarkKind.LENGTH: "ruler",
    MarkKind.ANGLE: "angle",
    MarkKind.COBB: "line-segments",
    MarkKind.BIDIRECTIONAL: "vector-two",
    MarkKind.PERPENDICULAR: "vector-two",
    MarkKind.RECTANGLE: "rectangle",
    MarkKind.ELLIPSE: "circle",
    MarkKind.POLYGON: "polygon",
    MarkKind.FREEHAND: "scribble-loop",
    MarkKind.BRUSH: "paint-brush",
    MarkKind.ARROW: "arrow-up-right",
    MarkKind.TEXT: "text-t",
    MarkKind.POINT: "crosshair-simple",
}

MARK = Qt.ItemDataRole.UserRole + 1
LONGEST_NAME = 64
LIST_ACTS = frozenset(
    f"viewport.{name}"
    for name in ("mark_delete", "mark_rename", "mark_next", "mark_previous", "mark_finding")
)
"""Acts on marks that the list does with the keys of the viewport."""

Index = QModelIndex | QPersistentModelIndex
Where = Callable[[Mark], str]


class Whose(StrEnum):
    """Which marks are listed."""

    ALL = "all"
    OWN = "own"
    OTHERS = "others"


WHOSE_WORDS: dict[Whose, str] = {
    Whose.ALL: QT_TRANSLATE_NOOP("MarksPage", "All marks"),
    Whose.OWN: QT_TRANSLATE_NOOP("MarksPage", "My marks"),
    Whose.OTHERS: QT_TRANSLATE_NOOP("MarksPage", "Marks of others"),
}


def summary(mark: Mark) -> str:
    """Return the leading value of a mark (of an area the mean), its words, or why there is none."""
    mean = next((value for value in mark.values if value.concept == MEAN), None)
    if mean is not None:
        return f"{tr(mean.label)} {value_words(mean)}"
    lines = label_lines(mark.model_copy(update={"name": ""}))
    return next(iter((*lines, mark.text, *refusal_lines(mark))), "")


class MarksModel(QAbstractListModel):
    """The marks of a board that the filter lets through.

    Parameters
    ----------
    where
        Series and image of a mark in words.
    lesion
        Name of the lesion of a mark, or empty.
    """

    def __init__(self, board: MarkBoard, where: Where, lesion: Where, parent: QWidget) -> None:
        super().__init__(parent)
        self._board, self._where, self._lesion = board, where, lesion
        self.whose = Whose.ALL
        self._rows: tuple[Mark, ...] = ()
        board.renewed.connect(self.renew)

    def renew(self) -> None:
        """Take the marks as they are now."""
        wanted = {Whose.ALL: (True, False), Whose.OWN: (True,), Whose.OTHERS: (False,)}[self.whose]
        rows = tuple(mark for mark in self._board.marks if mark.is_own in wanted)
        same = [mark.id for mark in rows] == [mark.id for mark in self._rows]
        if not same:
            self.beginResetModel()
        self._rows = rows
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def mark(self, row: int) -> Mark:
        """Return the mark of a row."""
        return self._rows[row]

    def row_of(self, mark_id: str) -> int:
        """Return the row of a mark, or -1."""
        return next((row for row, mark in enumerate(self._rows) if mark.id == mark_id), -1)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        mark = self._rows[index.row()]
        if role == MARK:
            return mark
        if role == Qt.ItemDataRole.EditRole:
            return mark.name
        if role == Qt.ItemDataRole.DisplayRole:
            return title_words(mark)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            parts = (kind_words(mark.kind), spoken_words(mark), self.note(mark))
            words = ", ".join(part for part in parts if part)
            return plain_tip(words) if role == Qt.ItemDataRole.ToolTipRole else words
        return None

    def note(self, mark: Mark) -> str:
        """Return where a mark is, its lesion and, for one of others, who made it."""
        author = "" if mark.is_own else mark.author or str(mark.origin)
        parts = (self._where(mark), self._lesion(mark), author)
        return " \u00b7 ".join(part for part in parts if part)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        is_own = index.isValid() and self._rows[index.row()].is_own
        return flags | Qt.ItemFlag.ItemIsEditable if is_own else flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        mark = self._rows[index.row()]
        name = " ".join(str(value).split())[:LONGEST_NAME]
        if role != Qt.ItemDataRole.EditRole or name == mark.name:
            return False
        self._board.replace(mark.changed(name=name))
        return True


class _RowDelegate(QStyledItemDelegate):
    """Two lines a mark: kind, name and value; below them where it is."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        theme = self._theme
        lines = theme.line_height("base") + theme.line_height("note")
        return QSize(0, lines + 2 * theme.length("space", "xs"))

    def _text_left(self) -> int:
        return self._theme.length("space", "m") + self._theme.px(16) + self._theme.length("space", "s")

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, mark = self._theme, index.data(MARK)
        style = option.widget.style()
        style.drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        painter.save()
        side, small = theme.length("space", "m"), theme.length("space", "xs")
        top, height = option.rect.top() + small, theme.line_height("base")
        ratio = painter.device().devicePixelRatioF()
        name = KIND_ICONS[mark.kind]
        picture = glyph(name, theme.colour("text-2"), theme.px(16), pixel_ratio=ratio)
        painter.drawPixmap(QPointF(side, top + (height - theme.px(16)) / 2), picture)
        left, right = self._text_left(), option.rect.right() - side
        model = index.model()
        font = theme.font("name") if mark.name else theme.font("base")
        title = title_words(mark)
        # The value is never cut for its name: a number without its unit says something else.
        said = QFontMetrics(theme.font("base")).horizontalAdvance(summary(mark)) + 1
        room = max((right - left) // 3, right - left - side - said)
        wide = min(QFontMetrics(font).horizontalAdvance(title), room - 1)
        self._line(painter, QRect(left, top, wide + 1, height), title, font, "text")
        value = QRect(left + wide + 1 + side, top, right - left - wide - 1 - side, height)
        self._line(painter, value, summary(mark), theme.font("base"), "text", right=True)
        below = QRect(left, top + height, right - left, theme.line_height("note"))
        self._line(painter, below, model.note(mark), theme.font("note"), "text-2")
        painter.restore()

    def _line(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        font: QFont,
        token: str,
        *,
        right: bool = False,
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, shown)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setMaxLength(LONGEST_NAME)
        editor.setPlaceholderText(self.tr("Name"))
        editor.setAccessibleName(self.tr("Name of the mark"))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        left = self._text_left()
        height = editor.sizeHint().height()
        top = option.rect.center().y() - height // 2
        editor.setGeometry(
            left, top, option.rect.right() - left - self._theme.length("space", "s"), height
        )


class MarksList(QListView):
    """Shows a `MarksModel`, one row selected at most, in step with the board.

    Signals
    -------
    jumpWanted(str)
        Id of the mark whose image is wanted.
    actWanted(str)
        An act of the viewer's table on the selected mark.
    """

    jumpWanted = Signal(str)
    actWanted = Signal(str)

    def __init__(self, board: MarkBoard, where: Where, lesion: Where, theme: Theme) -> None:
        super().__init__()
        self._board = board
        self.rows = MarksModel(board, where, lesion, self)
        self.setModel(self.rows)
        self.setItemDelegate(_RowDelegate(theme, self))
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Marks"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(lambda index: self.jumpWanted.emit(index.data(MARK).id))
        self.selectionModel().currentChanged.connect(self._current)
        self.rows.modelReset.connect(lambda: self.show_selected(board.selected_id))
        board.selected.connect(self.show_selected)
        acts = [act for act in VIEWER_ACTS if act.name in LIST_ACTS]
        bind_acts(self, acts, self.actWanted.emit, context=Qt.ShortcutContext.WidgetShortcut)

    def show_selected(self, mark_id: str) -> None:
        """Select the row of a mark; none for one that is not listed."""
        row = self.rows.row_of(mark_id)
        if row < 0:
            self.selectionModel().clear()
        elif self.currentIndex().row() != row or not self.selectionModel().hasSelection():
            self.setCurrentIndex(self.rows.index(row))

    def rename(self, mark_id: str) -> None:
        """Write the name of a mark in its row."""
        row = self.rows.row_of(mark_id)
        if row >= 0:
            self.show_selected(mark_id)
            self.scrollTo(self.rows.index(row))
            self.edit(self.rows.index(row))

    def _current(self, index: QModelIndex) -> None:
        if index.isValid():
            self._board.select(index.data(MARK).id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            if self.currentIndex().isValid():
                self.jumpWanted.emit(self.currentIndex().data(MARK).id)
            return
        super().keyPressEvent(event)
