"""Small parts that every panel and dialog is built of: buttons, key caps, badges, messages, toasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from viewer.views.icons import glyph, icon
from viewer.views.plain_tip import plain_tip
from viewer.views.theme import Theme

SECONDARY, PRIMARY, QUIET, LINK, COUNT, WARNING = (
    "secondary", "primary", "quiet", "link", "count", "warning",
)  # fmt: skip


def plain_label(
    text: str, theme: Theme, *, step: str = "base", tone: str = "", wraps: bool = False
) -> QLabel:
    """Return a label that shows text from data as it is, never as markup."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    label.setFont(theme.font(step))
    label.setWordWrap(wraps)
    if tone:
        label.setProperty("tone", tone)
    return label


class ElidedLabel(QLabel):
    """One line of plain text that ends in an ellipsis when there is no room; the tooltip has it all."""

    def __init__(self, text: str, theme: Theme, *, step: str = "base", tone: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(step))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if tone:
            self.setProperty("tone", tone)
        self._full = text
        self.set_full(text)

    def set_full(self, text: str) -> None:
        """Set the whole text."""
        self._full = text
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown if self.width() > 0 else self._full)
        self.setToolTip(plain_tip(self._full) if shown != self._full else "")

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        # An advance is rounded: with not a pixel to spare the last letters may be elided.
        wanted = self.fontMetrics().horizontalAdvance(self._full) + 2
        return QSize(wanted, super().sizeHint().height())


def glyph_label(name: str, token: str, theme: Theme, *, meaning: str, size: int = 16) -> QLabel:
    """Return a glyph with its meaning as accessible name."""
    label = QLabel()
    pixels = theme.px(size)
    label.setPixmap(glyph(name, theme.colour(token), pixels, pixel_ratio=label.devicePixelRatioF()))
    label.setFixedSize(pixels, pixels)
    label.setAccessibleName(meaning)
    return label


def rule() -> QFrame:
    """Return a 1 px separator."""
    line = QFrame()
    line.setObjectName("rule")
    return line


def key_text(key: str) -> str:
    """Return a shortcut as a key cap shows it: "Ctrl+Return" -> "Ctrl Enter"."""
    parts = key.replace("Return", "Enter").split("+")
    if key.endswith("+"):
        parts = [*parts[:-2], "+"]
    arrows = {"Up": "\u2191", "Down": "\u2193", "Left": "\u2190", "Right": "\u2192"}
    return " ".join(arrows.get(part, part) for part in parts if part)


def key_cap(key: str, theme: Theme) -> QLabel:
    """Return a key cap for a shortcut in portable text."""
    cap = plain_label(key_text(key), theme, step="corner")
    cap.setObjectName("keycap")
    cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
    cap.setFixedHeight(theme.length("row", "badge"))
    cap.setMinimumWidth(theme.length("row", "badge"))
    return cap


class ActButton(QPushButton):
    """A push button of one of the kinds of the style sheet, with an icon and a key hint.

    A disabled button says why in its tooltip: use `set_reason`.
    """

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        kind: str = SECONDARY,
        glyph_name: str = "",
        key: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self._key = key_text(key) if key else ""
        self.setProperty("kind", kind)
        self.setFont(theme.font("base"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if glyph_name:
            self.set_glyph(glyph_name)
        if self._key:
            self.setAccessibleDescription(self._key)

    def set_glyph(self, name: str) -> None:
        """Show an icon of the theme before the words."""
        kind, theme = str(self.property("kind")), self._theme
        tint = {PRIMARY: "on-primary", WARNING: "warning"}.get(kind, "text-2")
        size = theme.length("icon", "size")
        disabled = theme.colour("text-3")
        self.setIcon(icon(name, theme.colour(tint), size=size, disabled=disabled))
        self.setIconSize(QSize(size, size))

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        # The style leaves hardly any room between glyph and word.
        super().initStyleOption(option)
        if not self.icon().isNull() and option.text:
            option.text = f"\u2005{option.text}"

    def set_key(self, key: str) -> None:
        """Show another key, in portable text; empty for none."""
        self._key = key_text(key) if key else ""
        self.setAccessibleDescription(self._key)
        self.updateGeometry()
        self.update()

    def set_reason(self, reason: str) -> None:
        """Disable the button with a reason, or enable it when there is none."""
        self.setEnabled(not reason)
        self.setToolTip(plain_tip(reason))

    def _hint_width(self) -> int:
        if not self._key:
            return 0
        metrics = QFontMetrics(self._theme.font("corner"))
        return metrics.horizontalAdvance(self._key) + 2 * self._theme.px(5)

    def sizeHint(self) -> QSize:
        size = super().sizeHint()
        extra = self._hint_width() + self._theme.length("space", "s") if self._key else 0
        if not self.icon().isNull() and self.text():
            extra += self._theme.px(4)
        return QSize(size.width() + extra, size.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._key:
            super().paintEvent(event)
            return
        # The hint takes the right end, so the text is centred in what is left of it.
        from PySide6.QtWidgets import QStyle, QStylePainter

        hint, gap = self._hint_width(), self._theme.length("space", "s")
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.rect = self.rect().adjusted(0, 0, -(hint + gap), 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_primary = self.property("kind") == PRIMARY and self.isEnabled()
        edge = "control" if is_primary else "line-2"
        ink = "on-primary" if is_primary else ("text" if self.isEnabled() else "text-3")
        height = self._theme.px(18)
        box = self.rect().toRectF()
        box.setLeft(box.right() - hint - self._theme.length("space", "s"))
        box.setWidth(hint)
        box.setTop(round(self.height() / 2 - height / 2) + 0.5)
        box.setHeight(height - 1)
        painter.setPen(QPen(self._theme.colour(edge), 1))
        if not is_primary:
            painter.setBrush(self._theme.colour("ground"))
        painter.drawRoundedRect(box, 3, 3)
        painter.setFont(self._theme.font("corner"))
        painter.setPen(self._theme.colour(ink))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._key)
        painter.end()


def close_button(theme: Theme, close: Callable[[], object], *, name: str = "") -> ActButton:
    """Return the cross that takes a card or a line away; `name` says where it leads."""
    button = ActButton("", theme, kind=QUIET, glyph_name="x")
    button.setAccessibleName(name or QCoreApplication.translate("Widgets", "Close"))
    button.clicked.connect(lambda _checked=False: close())
    return button


def card_head(title: str, theme: Theme, *after: QWidget) -> QHBoxLayout:
    """Return the first row of a card: its title, and at the right what follows (its cross last)."""
    row = QHBoxLayout()
    row.addWidget(plain_label(title, theme, step="dialog"))
    row.addStretch(1)
    for widget in after:
        row.addWidget(widget)
    return row


class BadgeFrame(StrEnum):
    """How a badge is framed: its shape says the state without colour."""

    NONE = "none"
    DASHED = "dashed"
    SOLID = "solid"
    FILLED = "filled"
    PROBLEM = "problem"


class Badge(QWidget):
    """Glyph and word in a frame whose shape tells the state."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text, self._glyph, self._frame = "", "minus", BadgeFrame.NONE
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The word that is shown."""
        return self._text

    def show_state(self, text: str, glyph_name: str, frame: BadgeFrame) -> None:
        """Show a word with its glyph and frame."""
        self._text, self._glyph, self._frame = text, glyph_name, frame
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        text = QFontMetrics(self._theme.font("badge")).horizontalAdvance(self._text)
        return QSize(text + self._theme.px(14 + 4 + 14), self._theme.length("row", "badge"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, frame = self._theme, self._frame
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = "warning" if frame is BadgeFrame.PROBLEM else "text"
        edge = "warning-edge" if frame is BadgeFrame.PROBLEM else "control"
        if frame is not BadgeFrame.NONE:
            pen = QPen(theme.colour("selected" if frame is BadgeFrame.FILLED else edge), 1)
            if frame is BadgeFrame.DASHED:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            if frame is BadgeFrame.FILLED:
                painter.setBrush(theme.colour("selected"))
            box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(
                box, theme.length("radius", "badge"), theme.length("radius", "badge")
            )
        size = theme.px(14)
        mark = glyph(self._glyph, theme.colour(ink), size, pixel_ratio=self.devicePixelRatioF())
        painter.drawPixmap(QPointF(theme.px(7), round((self.height() - size) / 2)), mark)
        painter.setFont(theme.font("badge"))
        painter.setPen(theme.colour(ink))
        painter.drawText(
            self.rect().adjusted(theme.px(7 + 14 + 4), 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter,
            self._text,
        )
        painter.end()


@dataclass(frozen=True)
class Choice:
    """A button of a message: its words and what it does."""

    text: str
    do: Callable[[], None]


class Message(QFrame):
    """An inline error where it happened: what, why, what now."""

    def __init__(
        self, theme: Theme, *, what: str, why: str, detail: str = "", choices: Sequence[Choice] = ()
    ) -> None:
        super().__init__()
        self.setObjectName("message")
        gap = theme.length("space", "s")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.length("space", "m"), gap, theme.length("space", "m"), gap)
        column.setSpacing(theme.length("space", "xs"))
        head = QHBoxLayout()
        head.setSpacing(gap)
        head.addWidget(glyph_label("prohibit", "warning", theme, meaning=self.tr("Problem")))
        title = plain_label(what, theme, step="name")
        head.addWidget(title, 1)
        column.addLayout(head)
        column.addWidget(plain_label(why, theme, wraps=True))
        if detail:
            column.addWidget(plain_label(detail, theme, step="note", tone="2", wraps=True))
        if choices:
            row = QHBoxLayout()
            row.setSpacing(gap)
            for index, choice in enumerate(choices):
                button = ActButton(choice.text, theme, kind=SECONDARY if index == 0 else QUIET)
                button.clicked.connect(lambda _checked=False, do=choice.do: do())
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
        self.setAccessibleName(f"{what}. {why}")


class Toast(QFrame):
    """One line at the bottom of a panel for six seconds, with undo; never for an error."""

    undone = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "m"), 4, theme.length("space", "m"), 4)
        row.addWidget(glyph_label("check", "text-2", theme, meaning=""))
        self._text = plain_label("", theme)
        row.addWidget(self._text, 1)
        self._undo = ActButton(self.tr("Undo"), theme, kind=LINK)
        self._undo.clicked.connect(self._take_back)
        row.addWidget(self._undo)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(int(theme.value("motion", "toast-seconds") * 1000))
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What the toast says."""
        return self._text.text()

    def say(self, text: str, *, can_undo: bool = True) -> None:
        """Show a line; an older one gives way."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self._undo.setVisible(can_undo)
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _take_back(self) -> None:
        self.hide()
        self.undone.emit()

    def _place(self) -> None:
        gap = self._theme.length("space", "m")
        parent = self.parentWidget()
        height = max(self.sizeHint().height(), self._theme.length("row", "bar"))
        self.setGeometry(gap, parent.height() - height - gap, parent.width() - 2 * gap, height)
