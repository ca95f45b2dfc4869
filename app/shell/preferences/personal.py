"""What a person set and where it is set: preferences, second screen and display check of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from app.acts import REPORT_ACTS, WINDOW_ACTS
from app.preferences import OWN_PRESET, Preset
from app.shell.act_binding import KeyFollower, key_of, keys_of
from app.shell.by_keys import SortByKeys
from app.shell.preferences.display_check import DisplayCheck
from app.shell.preferences.layer import PreferencesLayer
from app.shell.preferences.own_preferences import OwnPreferences
from app.shell.preferences.second_screen import SecondScreen
from app.shell.widgets import key_text
from viewer.imaging.own_presets import PRESETS
from viewer.imaging.study import WindowPreset
from viewer.views.mouse import MOUSE
from viewer.views.viewport_model import ViewportModel

if TYPE_CHECKING:
    from app.shell.window import SightlineWindow

TEXT_KEYS = frozenset({"Ctrl+Left", "Ctrl+Right", "?", "Ctrl+Z", "Ctrl+Y"})
"""Keys that move by words, write or undo while text is edited, and step studies and so on else."""

KEEP_PRESET = "viewport.keep_preset"


class Personal(QObject):
    """Holds the preferences of who is signed in and puts them in force in the window."""

    def __init__(self, window: SightlineWindow, preferences: OwnPreferences) -> None:
        super().__init__(window)
        self._window = window
        self._layer: PreferencesLayer | None = None
        self._check: DisplayCheck | None = None
        self.preferences = preferences
        self.second = SecondScreen(
            window.theme, window, window.reading, self._may_show, self._remember_screen
        )
        self.preferences.entered.connect(self._begin)
        self.preferences.noted.connect(window.error.say)
        window.reading.area.actLeft.connect(self._act_left)
        window.pages.currentChanged.connect(lambda _index: self._follow_page())
        KeyFollower(self, self._tell_editor)
        for bar in (window.worklist.session, window.reading.header.session):
            bar.preferencesWanted.connect(self.open_preferences)
        SortByKeys(window.worklist.table.horizontalHeader())

    # --- the session -------------------------------------------------------------------------------

    def enter(self, *, comes_back: bool) -> None:
        """Put the preferences of who has signed in in force; who comes back finds them so."""
        desk = self._window.desk
        if not comes_back and desk is not None:
            self.preferences.enter(desk)
        self.second.refresh()

    def leave(self, *, forget: bool) -> None:
        """Hide everything; `forget` when the person signs out and does not come back."""
        if self._layer is not None:
            self._layer.dismiss()
        if self._check is not None:
            self._check.close()
        self.second.refresh()
        if forget:
            self.second.set_on(False)
            self.preferences.leave()

    def close(self) -> None:
        """The window closes: so do its others."""
        self.second.set_on(False)
        if self._check is not None:
            self._check.close()

    def _begin(self) -> None:
        """Begin a session as the person has set it."""
        grid = self._window.reading.area.grid
        display = self.preferences.now.display
        grid.set_tool(MOUSE.start)
        if display.corner_text is not None:
            grid.set_corner_text(display.corner_text)
        self.second.set_on(bool(display.second_screen))

    def _may_show(self) -> bool:
        window = self._window
        return window.session.is_open and window.pages.currentWidget() is window.reading

    def _follow_page(self) -> None:
        self.second.refresh()
        if self._layer is not None and self._layer.isVisible():
            # After the pages are laid out: the card stands over the panel of the new one.
            QTimer.singleShot(0, self._layer, lambda: self._layer.move_over(self._window.side_anchor()))

    def _tell_editor(self) -> None:
        """Let the keys of acts go past the report's text, but those that mean the same to it."""
        taken = keys_of((*REPORT_ACTS, *WINDOW_ACTS)) - TEXT_KEYS
        self._window.reading.panel.editor.act_keys = frozenset(QKeySequence(key) for key in taken)

    def _remember_screen(self, on: bool) -> None:
        self.preferences.take(self.preferences.own.with_display(second_screen=on))

    # --- acts --------------------------------------------------------------------------------------

    def open_preferences(self) -> None:
        """Open the card, or close it when it is open."""
        if self._layer is None:
            self._layer = PreferencesLayer(
                self._window.theme, self._window, self.preferences, self._model, self._show_window
            )
            self._layer.display.checkWanted.connect(self.show_check)
        if self._layer.isVisible():
            self._layer.dismiss()
        else:
            self._window.activateWindow()
            self._layer.open_over(self._window.side_anchor())

    def dismiss(self) -> bool:
        """Close the card; false when it is not open."""
        if self._layer is None or not self._layer.isVisible():
            return False
        self._layer.dismiss()
        return True

    @property
    def layer(self) -> PreferencesLayer | None:
        """The card of the preferences, once it was opened."""
        return self._layer

    @property
    def check(self) -> DisplayCheck | None:
        """The display check, once it was opened."""
        return self._check

    def show_check(self) -> None:
        """Cover the screen of the images with the check pattern."""
        if self._check is None:
            self._check = DisplayCheck(self._window.theme)
        images: QWidget = self.second.window or self._window
        self._check.open_on(images.screen())

    def keep_preset(self) -> None:
        """Keep the window of the active viewport as preset 9 of its modality."""
        model = self._model()
        window = model.window() if model is not None else None
        if model is None or model.stack is None or window is None:
            self._window.reading.say(self.tr("This image has no grey-scale window to keep."))
            return
        modality = model.stack.series.modality
        known = PRESETS.of(modality).get(OWN_PRESET)
        name = known.explanation if known is not None else self.tr("Own window")
        preset = Preset(name=name, centre=window.center, width=window.width)
        self.preferences.take(self.preferences.own.with_preset(modality, OWN_PRESET, preset))
        words = self.tr("{modality}: key {key} chooses W {width} L {centre}")
        self._window.reading.say(
            words.format(
                modality=modality,
                key=key_text(key_of(f"viewport.preset.{OWN_PRESET}")),
                width=f"{window.width:.6g}",
                centre=f"{window.center:.6g}".replace("-", "\u2212"),
            )
        )

    def _act_left(self, act: str) -> None:
        if act == KEEP_PRESET and not self._window.why_not(act):
            self.keep_preset()

    def _model(self) -> ViewportModel | None:
        return getattr(self._window.reading.area.grid.active_pane(), "model", None)

    def _show_window(self, window: WindowPreset) -> None:
        self._window.reading.area.grid.active_pane().set_window(window)
