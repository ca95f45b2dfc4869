"""The command palette (Ctrl+K): every act by name, sentences of the report, and why some acts wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPen, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.shell.act_binding import act_group, act_text
from app.shell.layers import Layer
from app.shell.report import words
from app.shell.widgets import glyph_label, key_cap, key_text, plain_label, rule
from reports.domain import Sentence
from viewer.acts import Act
from viewer.views.icons import glyph
from viewer.views.key_bindings import keymap
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

MOST_SENTENCES = 8
_ROW = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class PaletteRow:
    """One row: an act or a sentence; `reason` says why an act is not available now."""

    text: str
    name: str = ""
    sentence_id: str = ""
    icon: str = ""
    key: str = ""
    reason: str = ""
    group: str = ""

    @property
    def is_heading(self) -> bool:
        """True for the name of a group."""
        return not (self.name or self.sentence_id)


def matches(text: str, query: str) -> bool:
    """Return true when every word of the query stands in the text."""
    return all(word in text.lower() for word in query.lower().split())


def _rank(text: str, query: str) -> int:
    """Return how well a match fits: the text begins with it, a word does, or it stands inside one."""
    if text.lower().startswith(query.lower()):
        return 0
    return 1 if f" {query.lower()}" in text.lower() else 2


def palette_rows(
    query: str,
    acts: Iterable[Act],
    sentences: Iterable[Sentence],
    why_not: Callable[[str], str],
    headings: tuple[str, str, str],
) -> list[PaletteRow]:
    """Return the rows of a query: acts first, then sentences, then what is not available, with why.

    Without a query the acts stand by their groups, under the names of these.
    """
    ready: list[PaletteRow] = []
    waiting: list[PaletteRow] = []
    for act in acts:
        text = act_text(act)
        if matches(text, query):
            key = keymap().key_of(act)
            reason = why_not(act.name)
            row = PaletteRow(
                text, name=act.name, icon=act.icon, key=key, reason=reason, group=act_group(act)
            )
            (waiting if reason else ready).append(row)
    found = [
        PaletteRow(item.text, sentence_id=item.id, icon=words.ORIGIN_GLYPHS[item.origin])
        for item in sentences
        if query.strip() and matches(item.text, query)
    ][:MOST_SENTENCES]
    for group in (ready, waiting):
        group.sort(key=lambda row: _rank(row.text, query))
    rows: list[PaletteRow] = []
    if not query.strip():
        rows, ready = _by_group(ready), []
    for heading, group in zip(headings, (ready, found, waiting), strict=True):
        if group:
            rows += [PaletteRow(heading), *group]
    return rows


def _by_group(rows: Iterable[PaletteRow]) -> list[PaletteRow]:
    """Return rows under the names of their groups, in the order in which these come up first."""
    groups: dict[str, list[PaletteRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return [one for name, group in groups.items() for one in (PaletteRow(name.upper()), *group)]


class CommandPalette(Layer):
    """Hangs over the report panel, never over the image; dims nothing.

    Signals
    -------
    actWanted(str), sentenceWanted(str), sheetWanted()
    """

    actWanted = Signal(str)
    sentenceWanted = Signal(str)
    sheetWanted = Signal()

    def __init__(
        self, theme: Theme, window: QWidget, acts: Sequence[Act], why_not: Callable[[str], str]
    ) -> None:
        super().__init__(theme, window)
        self._acts = tuple(acts)
        self._why_not = why_not
        self._sentences: tuple[Sentence, ...] = ()
        self._anchor: QWidget | None = None
        self.setAccessibleName(self.tr("Command palette"))
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(self._make_head())
        column.addWidget(rule())
        self.list = QListWidget()
        self.list.setItemDelegate(_RowDelegate(theme, self.field.text, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.itemClicked.connect(lambda _item: self.run())
        column.addWidget(self.list, 1)
        column.addWidget(rule())
        column.addLayout(self._make_foot())
        self.field.textChanged.connect(lambda _text: self._fill())

    def _make_head(self) -> QHBoxLayout:
        theme = self.theme
        row = QHBoxLayout()
        side = theme.length("space", "l")
        row.setContentsMargins(side, 0, side, 0)
        row.setSpacing(theme.length("space", "m"))
        row.addWidget(glyph_label("magnifying-glass", "text", theme, meaning=""))
        self.field = QLineEdit()
        self.field.setProperty("bare", "true")
        self.field.setFont(theme.font("sentence"))
        self.field.setMinimumHeight(theme.length("row", "header"))
        self.field.setPlaceholderText(self.tr("Find an action or a sentence"))
        self.field.setAccessibleName(self.tr("Find an action or a sentence"))
        self.field.installEventFilter(self)
        row.addWidget(self.field, 1)
        row.addWidget(key_cap("Esc", theme))
        return row

    def _make_foot(self) -> QHBoxLayout:
        theme = self.theme
        row = QHBoxLayout()
        side = theme.length("space", "l")
        row.setContentsMargins(side, theme.length("space", "s"), side, theme.length("space", "s"))
        row.setSpacing(theme.length("space", "xs"))
        for keys, text in ((("Up", "Down"), self.tr("move")), (("Return",), self.tr("run"))):
            for key in keys:
                row.addWidget(key_cap(key, theme))
            row.addWidget(plain_label(text, theme, step="note", tone="2"))
            row.addSpacing(theme.length("space", "m"))
        row.addStretch(1)
        row.addWidget(key_cap("?", theme))
        row.addWidget(plain_label(self.tr("all keys"), theme, step="note", tone="2"))
        return row

    def open_over(self, anchor: QWidget, sentences: Iterable[Sentence] = ()) -> None:
        """Open over a panel, with its report's sentences."""
        self._sentences = tuple(sentences)
        self._anchor = anchor
        self.field.clear()
        self._fill()
        self.open()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _place(self) -> None:
        if self._anchor is None:
            return
        corner = self._anchor.mapTo(self.window(), QPoint(0, 0))
        gap = self.theme.length("space", "s")
        rows = sum(self.list.sizeHintForRow(index) for index in range(self.list.count()))
        frame = 2 * self.theme.length("row", "header") + 2 * gap
        height = min(rows + frame, self._anchor.height() - 2 * gap)
        # Over a page without a panel it takes a panel's width, at the right.
        width = min(self._anchor.width(), self.theme.length("column", "report")) - 2 * gap
        left = corner.x() + self._anchor.width() - gap - width
        self.setGeometry(left, corner.y() + gap, width, height)

    def _fill(self) -> None:
        headings = (self.tr("ACTIONS"), self.tr("SENTENCES"), self.tr("NOT AVAILABLE NOW"))
        rows = palette_rows(self.field.text(), self._acts, self._sentences, self._why_not, headings)
        self.list.clear()
        for row in rows or [PaletteRow(self.tr("Nothing has this name"))]:
            item = QListWidgetItem(row.text)
            item.setData(_ROW, row)
            if row.is_heading or row.reason:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            if row.reason:
                item.setToolTip(plain_tip(row.reason))
            self.list.addItem(item)
        self._move(0, 1)
        self._place()

    def rows(self) -> list[PaletteRow]:
        """Return the rows that are shown."""
        return [self.list.item(index).data(_ROW) for index in range(self.list.count())]

    def _move(self, start: int, by: int) -> None:
        count = self.list.count()
        for step in range(count):
            index = (start + by * step) % count
            if self.list.item(index).flags() & Qt.ItemFlag.ItemIsSelectable:
                self.list.setCurrentRow(index)
                return

    def run(self) -> None:
        """Do what the current row says."""
        item = self.list.currentItem()
        row: PaletteRow | None = item.data(_ROW) if item is not None else None
        if row is None or row.is_heading or row.reason:
            return
        self.dismiss()
        if row.sentence_id:
            self.sentenceWanted.emit(row.sentence_id)
        else:
            self.actWanted.emit(row.name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                by = 1 if key == Qt.Key.Key_Down else -1
                self._move(self.list.currentRow() + by, by)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run()
                return True
            if event.text() == "?" and not self.field.text():
                self.dismiss()
                self.sheetWanted.emit()
                return True
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.dismiss()
        return False


class _RowDelegate(QStyledItemDelegate):
    """Paints a row: glyph, words with the match in bold, reason, key."""

    def __init__(self, theme: Theme, query: Callable[[], str], parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._query = query

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        row: PaletteRow = index.data(_ROW)
        height = self._theme.px(30) if row.is_heading else self._theme.length("row", "menu")
        return QSize(0, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        theme = self._theme
        row: PaletteRow = index.data(_ROW)
        side, gap = theme.length("space", "l"), theme.length("space", "s")
        box = option.rect.adjusted(side, 0, -side, 0)
        painter.save()
        if row.is_heading:
            painter.setFont(theme.font("section"))
            painter.setPen(theme.colour("text-3"))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, row.text)
            painter.restore()
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, theme.colour("selected"))
            edge = QRect(option.rect.left(), option.rect.top(), theme.px(2), option.rect.height())
            painter.fillRect(edge, theme.colour("text"))
        ink = "text-3" if row.reason else "text"
        size = theme.length("icon", "size")
        if row.icon:
            mark = glyph(
                row.icon, theme.colour("text-2"), size, pixel_ratio=option.widget.devicePixelRatioF()
            )
            painter.drawPixmap(QPoint(box.left(), box.center().y() - size // 2 + 1), mark)
        box.setLeft(box.left() + size + gap + theme.px(4))
        if row.key:
            box.setRight(self._paint_key(painter, box, key_text(row.key)) - gap)
        note = QFontMetrics(theme.font("note"))
        extra = note.horizontalAdvance(row.reason) + gap if row.reason else 0
        width = self._paint_words(painter, box.adjusted(0, 0, -extra, 0), row.text, ink)
        if row.reason:
            painter.setFont(theme.font("note"))
            painter.setPen(theme.colour("text-2"))
            place = box.adjusted(width + gap, 0, 0, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, row.reason)
        painter.restore()

    def _paint_key(self, painter: QPainter, box: QRect, key: str) -> int:
        theme = self._theme
        painter.setFont(theme.font("corner"))
        width = QFontMetrics(theme.font("corner")).horizontalAdvance(key) + theme.px(10)
        height = theme.length("row", "badge") - 2
        cap = QRect(box.right() - width, box.center().y() - height // 2, width, height)
        painter.setPen(QPen(theme.colour("line-2"), 1))
        painter.setBrush(theme.colour("ground"))
        painter.drawRoundedRect(cap, theme.length("radius", "chip"), theme.length("radius", "chip"))
        painter.setPen(theme.colour("text"))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, key)
        return cap.left()

    def _paint_words(self, painter: QPainter, box: QRect, text: str, ink: str) -> int:
        """Paint text with the query's words in bold; returns its width."""
        theme = self._theme
        font = theme.font("base")
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        layout = QTextLayout(shown, font)
        ranges = []
        for word in self._query().lower().split():
            at = shown.lower().find(word)
            if at >= 0:
                bold = QTextLayout.FormatRange()
                bold.start, bold.length = at, len(word)
                style = QTextCharFormat()
                style.setFontWeight(600)
                bold.format = style
                ranges.append(bold)
        layout.setFormats(ranges)
        layout.beginLayout()
        line = layout.createLine()
        layout.endLayout()
        painter.setPen(theme.colour(ink))
        layout.draw(painter, QPoint(box.left(), round(box.center().y() - line.height() / 2)).toPointF())
        return round(line.naturalTextWidth())
