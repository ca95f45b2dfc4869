"""The preferences (Ctrl+,): a card over the right side, so that images stay in sight and in use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.files import write_private
from app.preferences import Preferences, PreferencesError, read_file
from app.shell.act_binding import ACTS
from app.shell.layers import Layer
from app.shell.preferences.key_editor import KeyPage
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.preferences.pages import DisplayPage, MousePage
from app.shell.preferences.preset_editor import PresetPage
from app.shell.widgets import QUIET, ActButton, card_head, close_button, plain_label, rule
from viewer.imaging.study import WindowPreset
from viewer.views.theme import Theme
from viewer.views.viewport_model import ViewportModel


def _scrolled(page: QWidget) -> QScrollArea:
    """Return a page that scrolls where it has no room; Tab goes to its controls, not to it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.setProperty("ground", "raised")
    area.setWidget(page)
    return area


class PreferencesLayer(Layer):
    """Keys, mouse, windows and display in tabs; every change is in force at once.

    Parameters
    ----------
    model, show_window
        What the active viewport shows, and a way to set its window: presets are edited on the image.
    """

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        preferences: OwnPreferences,
        model: Callable[[], ViewportModel | None],
        show_window: Callable[[WindowPreset], None],
    ) -> None:
        super().__init__(theme, window)
        self.preferences = preferences
        self._anchor: QWidget = window
        self.setAccessibleName(self.tr("Preferences"))
        self.keys = KeyPage(theme, preferences)
        self.mouse = MousePage(theme, preferences)
        self.presets = PresetPage(theme, preferences, model, show_window)
        self.display = DisplayPage(theme, preferences)
        side = theme.length("space", "l")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, theme.length("space", "m"), side, theme.length("space", "m"))
        column.setSpacing(theme.length("space", "s"))
        close = close_button(theme, self.dismiss)
        column.addLayout(card_head(self.tr("Preferences"), theme, close))
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(self.tr("Parts of the preferences"))
        self.stack = QStackedWidget()
        for title, page in (
            (self.tr("Keys"), self.keys),
            (self.tr("Mouse"), self.mouse),
            (self.tr("Window presets"), self.presets),
            (self.tr("Display"), self.display),
        ):
            self.tabs.addTab(title)
            self.stack.addWidget(page if page is self.keys else _scrolled(page))
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        column.addWidget(self.tabs)
        column.addWidget(rule())
        column.addWidget(self.stack, 1)
        self.words = plain_label("", theme, step="note", tone="2", wraps=True)
        self.words.hide()
        column.addWidget(self.words)
        column.addWidget(rule())
        foot = QHBoxLayout()
        foot.setSpacing(theme.length("space", "xs"))
        self.buttons = [
            self._button(self.tr("Import\u2026"), self.choose_import),
            self._button(self.tr("Export\u2026"), self.choose_export),
            self._button(self.tr("Reset all"), self.reset_all),
        ]
        for button in self.buttons:
            foot.addWidget(button)
        foot.addStretch(1)
        self.undo = self._button(self.tr("Undo"), self.take_back)
        self.undo.hide()
        foot.addWidget(self.undo)
        column.addLayout(foot)
        QWidget.setTabOrder(self.undo, close)
        self._before_change: Preferences | None = None
        window.installEventFilter(self)

    def _button(self, text: str, do: Callable[[], None]) -> ActButton:
        button = ActButton(text, self.theme, kind=QUIET)
        button.clicked.connect(lambda _checked=False: do())
        return button

    # --- place -------------------------------------------------------------------------------------

    def open_over(self, anchor: QWidget) -> None:
        """Open over a panel at the right; the search for a key has the keyboard."""
        self.say("")
        self.presets.begin()
        self.move_over(anchor)
        if not self.isVisible():
            self.open()
        self.tabs.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if self.tabs.currentIndex() == 0:
            self.keys.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def move_over(self, anchor: QWidget) -> None:
        """Stand over another panel."""
        self._anchor = anchor
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        corner = self._anchor.mapTo(self.window(), QPoint(0, 0))
        gap = self.theme.length("space", "s")
        most = self.theme.length("column", "report")
        width = min(max(self._anchor.width(), self.theme.px(424)), most) - 2 * gap
        left = corner.x() + self._anchor.width() - gap - width
        self.setGeometry(left, corner.y() + gap, width, self._anchor.height() - 2 * gap)

    def dismiss(self) -> None:
        """Close the card; a field that is being edited is taken first."""
        focused = self.window().focusWidget()
        if focused is not None and self.isAncestorOf(focused):
            focused.clearFocus()
        super().dismiss()

    # --- files -------------------------------------------------------------------------------------

    def say(self, text: str, *, undo: Preferences | None = None) -> None:
        """Say what was done, with a way back when there is one; empty for nothing."""
        self._before_change = undo
        self.words.setText(text)
        self.words.setAccessibleName(text)
        self.words.setVisible(bool(text))
        self.undo.setVisible(undo is not None)

    def take_back(self) -> None:
        """Put back what was in force before the import or the reset."""
        if self._before_change is not None:
            self.preferences.take(self._before_change)
        self.say("")

    def reset_all(self) -> None:
        """Forget every choice of the person."""
        before = self.preferences.own
        self.preferences.take(Preferences())
        self.say(self.tr("Everything is as it was before you changed it."), undo=before)

    def choose_import(self) -> None:
        """Ask for a file of preferences."""
        chosen, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Import preferences"), "", "JSON (*.json)"
        )
        if chosen:
            self.import_file(Path(chosen))

    def import_file(self, path: Path) -> None:
        """Take the preferences of a file; what cannot be used is named."""
        before = self.preferences.own
        try:
            found, notes = read_file(path, ACTS)
        except PreferencesError as error:
            self.say(str(error))
            return
        self.preferences.take(found)
        words = self.tr("{name} is in force.").format(name=path.name)
        if notes:
            left = self.tr("{n} entries were left out: {notes}")
            words += " " + left.format(n=len(notes), notes="; ".join(notes[:3]))
        self.say(words, undo=before)

    def choose_export(self) -> None:
        """Ask where to write the preferences."""
        start = str(Path.home() / "sightline-preferences.json")
        chosen, _kind = QFileDialog.getSaveFileName(
            self, self.tr("Export preferences"), start, "JSON (*.json)"
        )
        if chosen:
            self.export_file(Path(chosen))

    def export_file(self, path: Path) -> None:
        """Write what the person has set, over what the machine sets, into one file."""
        try:
            write_private(path, self.preferences.now.to_text().encode("utf-8"))
        except OSError as error:
            self.say(self.tr("The file was not written: {why}.").format(why=error.strerror))
            return
        self.say(self.tr("Written to {name}.").format(name=path.name))
