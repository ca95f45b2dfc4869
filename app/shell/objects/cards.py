"""Documents and reports of others to read: a card over the window that changes nothing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QImage, QKeyEvent, QPixmap, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QTextEdit, QVBoxLayout, QWidget

from app.shell.layers import Layer
from app.shell.widgets import QUIET, ActButton, ElidedLabel, plain_label, rule
from viewer.imaging.objects.reports import DocumentContent, DocumentPage, ReportContent, ReportLine
from viewer.views.corner_text import printed_name
from viewer.views.theme import Theme

SHARE = 0.92
"""Of the window's height, and at most of its width, that a card takes."""

WIDEST = 980
"""Logical pixels of a card: longer lines tire."""

ZOOM_STEP, LEAST_ZOOM, MOST_ZOOM = 1.25, 0.25, 6.0


class ObjectCard(Layer):
    """A card with the name of what is read, who made it, and a way out."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        side, gap = theme.length("space", "l"), theme.length("space", "s")
        self.title = ElidedLabel("", theme, step="dialog")
        self.maker = ElidedLabel("", theme, step="note", tone="2")
        self.done = ActButton(self.tr("Close"), theme, key="Esc")
        self.done.clicked.connect(self.dismiss)
        head = QHBoxLayout()
        head.setContentsMargins(side, gap, side, gap)
        head.setSpacing(gap)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.maker)
        head.addLayout(names, 1)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(gap)
        head.addLayout(self.tools)
        head.addWidget(self.done)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(1, 1, 1, 1)
        self.column.setSpacing(0)
        self.column.addLayout(head)
        self.column.addWidget(rule())
        window.installEventFilter(self)

    def open(self) -> None:
        """Show the card in the middle of the window."""
        self._place()
        super().open()

    def _place(self) -> None:
        window = self.parentWidget()
        wide = min(self.theme.px(WIDEST), round(SHARE * window.width()))
        high = round(SHARE * window.height())
        self.setGeometry((window.width() - wide) // 2, (window.height() - high) // 2, wide, high)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget() and self.isVisible():
            self._place()
        return False


class DocumentCard(ObjectCard):
    """The pages of an encapsulated PDF, one at a time, fitted to the width or larger."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self._content: DocumentContent | None = None
        self._picture = QImage()
        self.number = 0
        self.zoom = 1.0
        self.page = QLabel()
        self.page.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.scroll = QScrollArea()
        self.scroll.setWidgetResizable(True)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll.setWidget(self.page)
        self.count = plain_label("", theme, tone="2")
        self.previous = self._tool("caret-left", self.tr("Previous page"), lambda: self.turn(-1))
        self.following = self._tool("caret-right", self.tr("Next page"), lambda: self.turn(1))
        self.tools.insertWidget(1, self.count)
        self._tool("minus", self.tr("Smaller"), lambda: self.magnify(1.0 / ZOOM_STEP))
        self._tool("plus", self.tr("Larger"), lambda: self.magnify(ZOOM_STEP))
        self.column.addWidget(self.scroll, 1)
        self.notes = plain_label("", theme, step="note", tone="2", wraps=True)
        self.notes.setContentsMargins(theme.length("space", "l"), 4, theme.length("space", "l"), 4)
        self.column.addWidget(self.notes)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _tool(self, glyph: str, words: str, do: object) -> ActButton:
        button = ActButton("", self.theme, kind=QUIET, glyph_name=glyph)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.clicked.connect(do)
        self.tools.addWidget(button)
        return button

    def show_document(self, content: DocumentContent, title: str, maker: str) -> None:
        """Show the first page of a document."""
        self._content = content
        self.title.set_full(title)
        self.maker.set_full(maker)
        self.notes.setText("\n".join(content.notes))
        self.notes.setVisible(bool(content.notes))
        self.number, self.zoom = 0, 1.0
        self.open()
        self.setFocus()
        self._draw_page()

    def turn(self, step: int) -> None:
        """Turn pages."""
        if self._content is None:
            return
        there = min(max(self.number + step, 0), len(self._content.pages) - 1)
        if there != self.number:
            self.number = there
            self._draw_page()
            self.scroll.verticalScrollBar().setValue(0)

    def magnify(self, factor: float) -> None:
        """Show the page larger or smaller; 1 fits the width."""
        self.zoom = min(max(self.zoom * factor, LEAST_ZOOM), MOST_ZOOM)
        self._draw_page()

    def dismiss(self) -> None:
        """Close and let go of the pages."""
        super().dismiss()
        self._content = None
        self._picture = QImage()
        self.page.clear()

    def _draw_page(self) -> None:
        if self._content is None or not self._content.pages:
            return
        last = len(self._content.pages) - 1
        words = self.tr("Page {n} of {all}")
        self.count.setText(words.format(n=self.number + 1, all=self._content.page_count))
        self.previous.set_reason(self.tr("This is the first page.") if self.number == 0 else "")
        self.following.set_reason(self.tr("This is the last page.") if self.number == last else "")
        picture = picture_of(self._content.pages[self.number])
        ratio = self.devicePixelRatioF()
        bar = self.scroll.verticalScrollBar().sizeHint().width()
        fitted = min(self.width() - bar - 2, picture.width())
        wide = max(round(fitted * self.zoom * ratio), 1)
        shown = picture.scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)
        shown.setDevicePixelRatio(ratio)
        self.page.setPixmap(QPixmap.fromImage(shown))
        self.page.setAccessibleName(self.count.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn with the page keys and arrows, scroll with up and down, zoom with plus and minus."""
        bar, line = self.scroll.verticalScrollBar(), self.theme.px(60)
        steps = {
            Qt.Key.Key_PageDown: lambda: self.turn(1),
            Qt.Key.Key_Right: lambda: self.turn(1),
            Qt.Key.Key_Space: lambda: self.turn(1),
            Qt.Key.Key_PageUp: lambda: self.turn(-1),
            Qt.Key.Key_Left: lambda: self.turn(-1),
            Qt.Key.Key_Down: lambda: bar.setValue(bar.value() + line),
            Qt.Key.Key_Up: lambda: bar.setValue(bar.value() - line),
            Qt.Key.Key_Plus: lambda: self.magnify(ZOOM_STEP),
            Qt.Key.Key_Equal: lambda: self.magnify(ZOOM_STEP),
            Qt.Key.Key_Minus: lambda: self.magnify(1.0 / ZOOM_STEP),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            step()


class ReportCard(ObjectCard):
    """A structured report as an indented tree: text that can be selected and not changed."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(theme.font("base"))
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.document().setDocumentMargin(theme.length("space", "l"))
        self.column.addWidget(self.text, 1)

    def show_report(self, content: ReportContent, title: str, maker: str) -> None:
        """Show a report from its beginning."""
        self.title.set_full(content.title or title)
        self.maker.set_full(maker)
        self.text.clear()
        cursor = self.text.textCursor()
        plain, strong, quiet = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        plain.setForeground(self.theme.colour("text"))
        strong.setForeground(self.theme.colour("text"))
        strong.setFontWeight(600)
        quiet.setForeground(self.theme.colour("text-2"))
        for line in content.notes:
            _write(cursor, 0, ((line, quiet),))
        for line in content.lines:
            name = strong if line.type == "CONTAINER" else quiet
            colon = ": " if line.concept and line.value else ""
            _write(cursor, line.depth, ((line.concept + colon, name), (_value(line), plain)))
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.text.setAccessibleName(self.title.accessibleName())
        self.open()
        self.text.setFocus()


def _write(cursor: QTextCursor, depth: int, words: tuple[tuple[str, QTextCharFormat], ...]) -> None:
    """Write a line; text of a file is never taken for markup."""
    if not cursor.atStart():
        cursor.insertBlock()
    block = cursor.blockFormat()
    block.setIndent(max(depth, 0))
    cursor.setBlockFormat(block)
    for text, form in words:
        cursor.insertText(text, form)


def _value(line: ReportLine) -> str:
    return printed_name(line.value) if line.type == "PNAME" else line.value


def picture_of(page: DocumentPage) -> QImage:
    """Return a page as a picture of its own memory."""
    pixels = page.pixels
    kind = QImage.Format.Format_RGB888
    return QImage(pixels.data, page.columns, page.rows, 3 * page.columns, kind).copy()
