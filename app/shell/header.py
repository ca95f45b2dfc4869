"""What every page carries: the notice on top, alerts that stay, and the session's buttons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

import resources
from app.shell.act_binding import KeyFollower, key_of
from app.shell.widgets import (
    QUIET,
    ActButton,
    ElidedLabel,
    close_button,
    glyph_label,
    key_text,
    plain_label,
)
from viewer.views.icons import glyph
from viewer.views.theme import Theme


def bar(theme: Theme, height: str, *, line: str = "bottom", ground: str = "panel") -> QFrame:
    """Return a bar of the window over its whole width, with a line at one edge and a row in it."""
    frame = QFrame()
    frame.setProperty("line", line)
    frame.setProperty("ground", ground)
    frame.setFixedHeight(theme.length("row", height))
    row = QHBoxLayout(frame)
    side = theme.length("space", "m")
    row.setContentsMargins(side, 0, side, 0)
    row.setSpacing(theme.length("space", "s"))
    return frame


def upright_rule(theme: Theme) -> QFrame:
    """Return a short upright separator for a bar."""
    line = QFrame()
    line.setFixedSize(1, theme.px(20))
    line.setStyleSheet(f"background: {theme.colour('line-2').name()}; border: 0;")
    return line


class NoticeStrip(QFrame):
    """The one line that is always on top: what this program is not."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("line", "bottom")
        self.setProperty("ground", "ground")
        self.setFixedHeight(theme.length("row", "notice"))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "m"), 0, theme.length("space", "m"), 0)
        row.setSpacing(theme.length("space", "s"))
        row.addWidget(glyph_label("flask", "text-2", theme, meaning="", size=12))
        notice = plain_label(resources.NOTICE, theme, step="notice", tone="2")
        notice.setToolTip(resources.NOTICE_LONG)
        row.addWidget(notice)
        row.addStretch(1)
        self.badge = plain_label("", theme, step="notice", tone="warning")
        row.addWidget(self.badge)
        self.setAccessibleName(resources.NOTICE)

    def show_badge(self, text: str) -> None:
        """Keep words about the open store on the screen; empty for none."""
        self.badge.setText(text)


class AlertStrip(QFrame):
    """A line that stays while something is wrong with the store; it cannot be closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setProperty("ground", "raised")
        row = QHBoxLayout(self)
        side = theme.length("space", "m")
        row.setContentsMargins(side, theme.length("space", "s"), side, theme.length("space", "s"))
        row.setSpacing(theme.length("space", "s"))
        row.addWidget(glyph_label("warning-octagon-fill", "warning", theme, meaning=self.tr("Alert")))
        self.text = plain_label("", theme, wraps=True)
        row.addWidget(self.text, 1)
        self.hide()

    def show_alert(self, text: str) -> None:
        """Show what is wrong, or nothing for empty text."""
        self.text.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))


class ErrorStrip(QFrame):
    """An error that belongs to no single place of the page: what, why, what now; it can be closed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setProperty("ground", "raised")
        row = QHBoxLayout(self)
        side = theme.length("space", "m")
        row.setContentsMargins(side, theme.length("space", "xs"), side, theme.length("space", "xs"))
        row.setSpacing(theme.length("space", "s"))
        mark = glyph_label("prohibit", "warning", theme, meaning=self.tr("Problem"))
        row.addWidget(mark)
        self.text = plain_label("", theme, wraps=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.text, 1)
        row.addWidget(close_button(theme, self.clear, name=self.tr("Close message")))
        self.hide()

    def say(self, text: str) -> None:
        """Show an error until it is closed or another one comes."""
        self.text.setText(text)
        self.setAccessibleName(text)
        self.show()

    def clear(self) -> None:
        """Take the error away."""
        self.text.clear()
        self.hide()


class MenuButton(ActButton):
    """A quiet button with a caret that opens a menu below it."""

    def __init__(self, text: str, theme: Theme, *, glyph_name: str = "", kind: str = QUIET) -> None:
        super().__init__(text, theme, kind=kind, glyph_name=glyph_name)
        self._look = theme
        self.menu_below = QMenu(self)
        self.clicked.connect(self._open)

    def _open(self) -> None:
        self.menu_below.popup(self.mapToGlobal(QPoint(0, self.height())))

    def sizeHint(self) -> QSize:
        size = super().sizeHint()
        return QSize(size.width() + self._look.px(14), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        from PySide6.QtWidgets import QStyle, QStyleOptionButton, QStylePainter

        size = self._look.px(12)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.rect = self.rect().adjusted(0, 0, -size, 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        mark = glyph(
            "caret-down", self._look.colour("text-2"), size, pixel_ratio=self.devicePixelRatioF()
        )
        place = QPointF(self.width() - size - self._look.px(8), round((self.height() - size) / 2))
        QPainter.drawPixmap(painter, place, mark)
        painter.end()


class SessionBar(QWidget):
    """Palette, who is signed in, and lock: the right end of every page's header."""

    paletteWanted = Signal()
    lockWanted = Signal()
    signOutWanted = Signal()
    preferencesWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.length("space", "xs"))
        row.addWidget(upright_rule(theme))
        palette = ActButton("", theme, kind=QUIET, glyph_name="command")
        KeyFollower(palette, lambda: palette.set_key(key_of("window.palette")))
        palette.setAccessibleName(self.tr("Command palette"))
        palette.setToolTip(self.tr("Command palette"))
        palette.clicked.connect(self.paletteWanted)
        row.addWidget(palette)
        self.user = MenuButton("", theme, glyph_name="user")
        menu = self.user.menu_below
        entry = menu.addAction("", self.preferencesWanted.emit)
        words = self.tr("Preferences")
        KeyFollower(entry, lambda: entry.setText(f"{words}\t{key_text(key_of('window.preferences'))}"))
        menu.addAction(self.tr("Sign out"), self.signOutWanted.emit)
        row.addWidget(self.user)
        lock = ActButton("", theme, kind=QUIET, glyph_name="lock")
        lock.setAccessibleName(self.tr("Lock"))
        words = self.tr("Lock ({key})")
        KeyFollower(lock, lambda: lock.setToolTip(words.format(key=key_text(key_of("window.lock")))))
        lock.clicked.connect(self.lockWanted)
        row.addWidget(lock)
        for button in (palette, self.user, lock):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_user(self, printed_name: str) -> None:
        """Name who is signed in."""
        self.user.setText(printed_name)
        self.user.setAccessibleName(self.tr("Signed in: {name}").format(name=printed_name))
        self.user.updateGeometry()


class StatusLine(QFrame):
    """The line at the foot: model, device, what runs; when it was saved; that it is offline."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("line", "top")
        self.setProperty("ground", "panel")
        self.setFixedHeight(theme.length("row", "status"))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "m"), 0, theme.length("space", "m"), 0)
        row.setSpacing(theme.length("space", "xs"))

        def words(glyph_name: str = "") -> ElidedLabel:
            if glyph_name:
                row.addWidget(glyph_label(glyph_name, "text-2", theme, meaning="", size=14))
            label = plain_label("", theme, step="status", tone="2")
            row.addWidget(label)
            return label

        self.model = words("cpu")
        row.addSpacing(theme.length("space", "m"))
        self.device = words()
        row.addSpacing(theme.length("space", "m"))
        self.doing = words()
        row.addStretch(1)
        self._disk = glyph_label("floppy-disk", "text-2", theme, meaning="", size=14)
        row.addWidget(self._disk)
        self.saved = words()
        row.addSpacing(theme.length("space", "m"))
        self.offline = words("wifi-slash")
        self.offline.setText(self.tr("Offline"))
        self.offline.setToolTip(self.tr("Nothing leaves this machine unless a person sends it."))
        self.set_saved("")
        self.set_doing("")

    def set_model(self, text: str) -> None:
        """Name the model that drafts."""
        self.model.setText(text)

    def set_device(self, text: str) -> None:
        """Name what the model runs on."""
        self.device.setText(text)

    def set_doing(self, text: str) -> None:
        """Say what runs; empty for idle."""
        self.doing.setText(text or self.tr("Idle"))

    def set_saved(self, text: str) -> None:
        """Say when the report was saved, or why it was not."""
        self.saved.setText(text)
        self._disk.setVisible(bool(text))


def centred(content: QWidget, width: int) -> QWidget:
    """Return a page with one column of content in its middle."""
    page = QWidget()
    page.setProperty("ground", "ground")
    page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    content.setFixedWidth(width)
    # No alignment on the content itself: a layout gives wrapped text its height only without one.
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(content)
    row.addStretch(1)
    column = QVBoxLayout(page)
    column.addStretch(2)
    column.addLayout(row)
    column.addStretch(3)
    return page


class DropFrame(QWidget):
    """A frame round the whole window while files are dragged over it."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self._theme.colour("focus"), 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()
