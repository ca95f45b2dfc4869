"""The thin bar over the planes: slab and its thickness, curve, 3D, planes straight."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from viewer.imaging.reformat import Slab, SlabMode
from viewer.views.icons import icon
from viewer.views.reformat.plane_words import mode_word, tr
from viewer.views.theme import Theme

LONGEST = 12
"""Characters of a thickness."""

THINNEST_MM, THICKEST_MM = 0.5, 500.0
"""What can be typed."""


def typed_thickness(words: str) -> float | None:
    """Return the millimetres of what was typed ("20", "2.5 mm", "2,5"); none when it is none."""
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(?:mm)?\s*", words)
    if found is None:
        return None
    thickness = float(found[1].replace(",", "."))
    return thickness if THINNEST_MM <= thickness <= THICKEST_MM else None


class ThicknessField(QLineEdit):
    """A field whose Return and Escape are not those of the planes."""

    dropped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape takes back what was typed."""
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)
        event.accept()


class SlabBar(QWidget):
    """Shows the slab of the active plane; every button does an act, the thickness can be typed."""

    def __init__(
        self,
        theme: Theme,
        do: Callable[[str], object],
        set_thickness: Callable[[float], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._theme, self._set_thickness, self._slab = theme, set_thickness, Slab()
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
        self.thickness = ThicknessField()
        self.thickness.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.thickness.setFixedWidth(theme.px(64))
        self.thickness.setMaxLength(LONGEST)
        self.thickness.setFocusPolicy(Qt.FocusPolicy.ClickFocus | Qt.FocusPolicy.TabFocus)
        self.thickness.setToolTip(tr("Thickness of the slab, mm"))
        self.thickness.setAccessibleName(tr("Thickness of the slab, mm"))
        self.thickness.returnPressed.connect(self._take_thickness)
        self.thickness.editingFinished.connect(self._show_thickness)
        self.thickness.dropped.connect(self._show_thickness)
        self.thicker = self._button("", tr("Slab thicker (Ctrl+Up)"), glyph="plus")
        self.everywhere = self._button(
            tr("All planes"), tr("Same slab in all planes"), glyph="grid-four"
        )
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
        self._words = {
            button: button.text()
            for button in (self.everywhere, self.curve, self.volume, self.straight)
        }
        self._full = 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the words to the tool tips where they have no room; the buttons keep their icons."""
        super().resizeEvent(event)
        self._full = max(self._full, self.layout().sizeHint().width())
        for button, words in self._words.items():
            button.setText(words if self.width() >= self._full else "")

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
        self._slab = slab
        self._show_thickness()
        self.thinner.setEnabled(slab.mode is not SlabMode.OFF)
        self.curve.setChecked(curving)

    def _show_thickness(self) -> None:
        """Show the thickness as it is: what was typed and is none goes away."""
        off = self._slab.mode is SlabMode.OFF
        self.thickness.setText(tr("thin") if off else f"{self._slab.thickness:g} mm")

    def _take_thickness(self) -> None:
        thickness = typed_thickness(self.thickness.text())
        if thickness is not None:
            self._set_thickness(thickness)
