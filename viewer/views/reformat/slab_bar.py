"""The thin bar over the planes: slab and its thickness, curve, 3D, planes straight."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from viewer.imaging.reformat import Slab, SlabMode
from viewer.views.icons import icon
from viewer.views.reformat.plane_words import mode_word, tr
from viewer.views.theme import Theme


class SlabBar(QWidget):
    """Shows the slab of the active plane; every button does an act."""

    def __init__(self, theme: Theme, do: Callable[[str], object], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "s"), 0, theme.length("space", "s"), 0)
        row.setSpacing(theme.px(2))
        self.setFixedHeight(theme.length("row", "bar"))
        self.plane = QLabel()
        self.plane.setMinimumWidth(theme.px(64))
        row.addWidget(self.plane)
        self.modes: dict[SlabMode, QPushButton] = {}
        for mode in SlabMode:
            button = self._button(mode_word(mode), tr("Slab: {mode}").format(mode=mode_word(mode)))
            button.setCheckable(True)
            act = f"viewport.slab.{mode.name.lower()}"
            button.clicked.connect(lambda _checked=False, act=act: do(act))
            self.modes[mode] = button
            row.addWidget(button)
        row.addSpacing(theme.px(6))
        self.thinner = self._button("", tr("Slab thinner (Ctrl+Down)"), glyph="minus")
        self.thickness = QLabel()
        self.thickness.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.thickness.setMinimumWidth(theme.px(56))
        self.thicker = self._button("", tr("Slab thicker (Ctrl+Up)"), glyph="plus")
        self.everywhere = self._button(tr("All planes"), tr("Same slab in all planes"))
        self.curve = self._button(tr("Curve"), tr("Curved reformat (Ctrl+Shift+U)"), glyph="path")
        self.curve.setCheckable(True)
        self.volume = self._button(tr("3D"), tr("Volume in the fourth cell"), glyph="cube")
        self.volume.setCheckable(True)
        self.straight = self._button(
            tr("Straight"), tr("Planes along the images again"), glyph="arrow-counter-clockwise"
        )
        for button, act in (
            (self.thinner, "viewport.slab_thinner"),
            (self.thicker, "viewport.slab_thicker"),
            (self.everywhere, "viewport.slab_everywhere"),
            (self.curve, "reformat.curved"),
            (self.volume, "reformat.volume"),
            (self.straight, "viewport.planes_straight"),
        ):
            button.clicked.connect(lambda _checked=False, act=act: do(act))
        for widget in (self.thinner, self.thickness, self.thicker, self.everywhere):
            row.addWidget(widget)
        row.addSpacing(theme.px(12))
        row.addWidget(self.curve)
        row.addWidget(self.volume)
        row.addWidget(self.straight)
        row.addStretch(1)

    def _button(self, words: str, name: str, *, glyph: str = "") -> QPushButton:
        button = QPushButton(words)
        button.setProperty("kind", "quiet")
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if glyph:
            colours = self._theme.colour("text-2"), self._theme.colour("text-3")
            button.setIcon(icon(glyph, colours[0], disabled=colours[1]))
        return button

    def show_slab(self, name: str, slab: Slab, *, curving: bool) -> None:
        """Show whose slab it is, and whether a curve is drawn."""
        self.plane.setText(name)
        for mode, button in self.modes.items():
            button.setChecked(mode is slab.mode)
        off = slab.mode is SlabMode.OFF
        self.thickness.setText(tr("thin") if off else f"{slab.thickness:g} mm")
        self.thinner.setEnabled(not off)
        self.curve.setChecked(curving)
