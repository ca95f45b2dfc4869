"""The bar over a 3D view: preset, kind of view, direction, crop box, clip plane, cutting away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from viewer.acts import VIEWER_ACTS, Act
from viewer.views.icons import icon
from viewer.views.plain_tip import plain_tip
from viewer.views.rendering.camera import Direction
from viewer.views.rendering.model import Hand
from viewer.views.rendering.presets import Mode
from viewer.views.rendering.view import VolumeView
from viewer.views.theme import Theme

ACTS: dict[str, Act] = {act.name: act for act in VIEWER_ACTS}

DIRECTION_WORDS = {
    Direction.FRONT: "From the front",
    Direction.BACK: "From the back",
    Direction.LEFT: "From the left",
    Direction.RIGHT: "From the right",
    Direction.HEAD: "From the head",
    Direction.FEET: "From the feet",
}

SIDE_WORDS = {
    Direction.FRONT: "Front",
    Direction.BACK: "Back",
    Direction.LEFT: "Left",
    Direction.RIGHT: "Right",
    Direction.HEAD: "Head",
    Direction.FEET: "Feet",
}
"""What the button says: there is no room for more in a narrow window."""

CUTS = ("rendering.hand.cut_inside", "rendering.hand.cut_outside")
REMOVALS = ("rendering.bone", "rendering.couch", "rendering.hand.pick")

CLIP_STEPS = 200
"""Steps of the slider of the clip plane over the depth of the volume."""


def act_words(name: str) -> str:
    """Return an act's text in the reader's language, without the area it names for the palette."""
    text = QCoreApplication.translate("Acts", ACTS[name].text).removeprefix("3D: ")
    return text[:1].upper() + text[1:]


class RenderingBar(QWidget):
    """Does the acts of one view and shows how it stands."""

    def __init__(self, view: VolumeView, do: Callable[[str], object]) -> None:
        super().__init__()
        self._view, self._theme, self._do = view, view.theme, do
        theme = self._theme
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(_sheet(theme))
        self.setFixedHeight(theme.length("row", "bar"))
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "s"), 0, theme.length("space", "s"), 0)
        row.setSpacing(theme.px(2))
        self.preset = self._menu_button(self.tr("Preset"), self._fill_presets)
        self.mip = self._button("rendering.mip", words=self.tr("MIP"), checkable=True)
        self.direction = self._menu_button(self.tr("Front"), self._fill_directions)
        self.direction.setToolTip(self.tr("From which side"))
        self.crop = self._button("rendering.crop", words=self.tr("Crop"), checkable=True)
        self.clip = QSlider(Qt.Orientation.Horizontal)
        self.clip.setRange(0, CLIP_STEPS)
        self.clip.setFixedWidth(theme.px(92))
        self.clip.setAccessibleName(self.tr("Clip plane: depth that is taken away"))
        self.clip.setToolTip(self.clip.accessibleName())
        self.clip.valueChanged.connect(lambda value: view.set_clip_share(value / CLIP_STEPS))
        self.clip_words = QLabel(self.tr("Clip"))
        self.clip_words.setFont(theme.font("base"))
        self.clip_words.setProperty("tone", "2")
        self.cutting = self._menu_button(self.tr("Scalpel"), self._fill_cuts, glyph_name="lasso")
        self.removing = self._menu_button(self.tr("Remove"), self._fill_removals, glyph_name="bone")
        self.undo = self._button("rendering.undo")
        for widget in (
            self.preset, self.mip, self.direction, self.crop, self.clip_words, self.clip, self.cutting,
            self.removing, self.undo,
        ):  # fmt: skip
            row.addWidget(widget)
            if widget is self.clip_words:
                row.addSpacing(theme.px(4))
            elif widget in (self.mip, self.direction, self.crop, self.clip):
                row.addSpacing(theme.px(6))
        row.addStretch(1)
        self.reset = self._button("viewport.reset")
        row.addWidget(self.reset)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        view.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how the view stands."""
        model = self._view.model
        there = model.voxels is not None
        self.setEnabled(there)
        if model.look is not None:
            self.preset.setText(_preset_words(model.look.preset.text))
            self.mip.setChecked(model.look.mode is Mode.MIP)
        turned = self.tr("Turned")
        self.direction.setText(
            turned if model.direction is None else self.tr(SIDE_WORDS[model.direction])
        )
        self.crop.setChecked(model.cropping)
        self.cutting.setChecked(model.hand.cuts)
        self.removing.setChecked(model.hand is Hand.PICK)
        self.undo.setEnabled(there and not self._view.why_not("rendering.undo"))
        self._fit()
        with QSignalBlocker(self.clip):
            self.clip.setValue(round(model.clip_share() * CLIP_STEPS) if there else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave words out where there is no room for them."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is None:
            return
        for narrow in (False, True):
            only = Qt.ToolButtonStyle.ToolButtonIconOnly
            style = only if narrow else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            for button in (self.crop, self.cutting, self.removing):
                button.setToolButtonStyle(style)
            self.clip_words.setVisible(not narrow)
            layout.invalidate()
            if layout.minimumSize().width() <= self.width():
                return

    def add_right(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(widget)

    # --- parts -------------------------------------------------------------------------------------

    def _button(self, act: str, *, words: str = "", checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setFont(self._theme.font("base"))
        button.setCheckable(checkable)
        button.setToolTip(act_words(act))
        button.setAccessibleName(act_words(act))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if words:
            button.setText(words)
        if ACTS[act].icon:
            self._put_icon(button, ACTS[act].icon, beside=bool(words))
        button.clicked.connect(lambda: self._act(act))
        return button

    def _menu_button(
        self, words: str, fill: Callable[[QMenu], None], *, glyph_name: str = ""
    ) -> QToolButton:
        button = QToolButton()
        button.setFont(self._theme.font("base"))
        button.setText(words)
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        if glyph_name:
            button.setCheckable(True)
            self._put_icon(button, glyph_name, beside=True)
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self._refill(menu, fill))
        button.setMenu(menu)
        return button

    def _put_icon(self, button: QToolButton, name: str, *, beside: bool) -> None:
        theme, size = self._theme, self._theme.length("icon", "size")
        colour, faint = theme.colour("text-2"), theme.colour("line-2")
        button.setIcon(icon(name, colour, size=size, disabled=faint))
        button.setIconSize(QSize(size, size))
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if beside else None
        button.setToolButtonStyle(style or Qt.ToolButtonStyle.ToolButtonIconOnly)

    def _refill(self, menu: QMenu, fill: Callable[[QMenu], None]) -> None:
        menu.clear()
        fill(menu)

    def _act(self, name: str) -> None:
        self._do(name)
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.refresh()

    def _entry(self, menu: QMenu, act: str, words: str, *, checked: bool | None = None) -> QAction:
        action = menu.addAction(words, lambda: self._act(act))
        why_not = self._view.why_not(act)
        action.setEnabled(not why_not)
        action.setToolTip(plain_tip(why_not))
        if checked is not None:
            action.setCheckable(True)
            action.setChecked(checked)
        return action

    def _fill_presets(self, menu: QMenu) -> None:
        model = self._view.model
        group = QActionGroup(menu)
        for preset in model.presets():
            shown = model.look is not None and model.look.preset.name == preset.name
            words = _preset_words(preset.text)
            group.addAction(self._entry(menu, f"rendering.preset.{preset.name}", words, checked=shown))

    def _fill_directions(self, menu: QMenu) -> None:
        for direction, words in DIRECTION_WORDS.items():
            shown = self._view.model.direction is direction
            self._entry(menu, f"rendering.from.{direction}", self.tr(words), checked=shown)

    def _fill_cuts(self, menu: QMenu) -> None:
        for act in CUTS:
            shown = act == f"rendering.hand.{self._view.model.hand}"
            self._entry(menu, act, act_words(act), checked=shown)

    def _fill_removals(self, menu: QMenu) -> None:
        menu.setToolTipsVisible(True)
        for act in REMOVALS:
            picks = act == "rendering.hand.pick"
            shown = (self._view.model.hand is Hand.PICK) if picks else None
            self._entry(menu, act, act_words(act), checked=shown)


def _preset_words(text: str) -> str:
    return QCoreApplication.translate("RenderPresets", text)


def _sheet(theme: Theme) -> str:
    """Return the look of the bar from the theme's tokens."""
    name = {
        token: theme.colour(token).name()
        for token in (
            "panel",
            "line",
            "text",
            "text-2",
            "text-3",
            "hover",
            "selected",
            "control",
            "primary",
        )
    }
    radius, pad, high = theme.length("radius", "button"), theme.px(7), theme.px(26)
    return f"""
RenderingBar {{ background: {name["panel"]}; border-bottom: 1px solid {name["line"]}; }}
QToolButton {{ color: {name["text-2"]}; background: transparent; border: 1px solid transparent;
  border-radius: {radius}px; padding: 0 {pad}px; min-height: {high}px; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QToolButton:hover {{ background: {name["hover"]}; color: {name["text"]}; }}
QToolButton:checked {{ background: {name["selected"]}; color: {name["text"]}; }}
QToolButton:disabled {{ color: {name["text-3"]}; }}
QSlider::groove:horizontal {{ height: 2px; background: {name["control"]}; }}
QSlider::handle:horizontal {{ width: {theme.px(10)}px; height: {theme.px(10)}px;
  margin: -{theme.px(4)}px 0; border-radius: {theme.px(5)}px; background: {name["primary"]}; }}
QSlider::handle:horizontal:disabled {{ background: {name["line"]}; }}
"""
