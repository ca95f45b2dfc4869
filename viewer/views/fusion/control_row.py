"""The thin row over the images while one series lies over another: which, how strong, which colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QWidget,
)

from viewer.imaging.fusion import Look, OverVolume, colour_maps
from viewer.imaging.study import Series
from viewer.views.corner_text import series_text
from viewer.views.fusion.board import FusionBoard
from viewer.views.fusion.words import number_text, tr, unit_word
from viewer.views.icons import icon
from viewer.views.theme import Theme

PERCENT: Final = 100

SERIES_WIDTH, MAP_WIDTH, SLIDER_WIDTH, NUMBER_WIDTH = 190, 128, 110, 62
"""Logical pixels."""


class FusionRow(QWidget):
    """Shows and changes how the upper series looks; hidden while nothing lies over anything."""

    seriesChosen = Signal(str)
    """Key of another series to lie over the same image."""

    def __init__(self, theme: Theme, board: FusionBoard, do: Callable[[str], object]) -> None:
        super().__init__()
        self._theme, self._board = theme, board
        self.over: OverVolume | None = None
        self.setFixedHeight(theme.length("row", "bar"))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.length("space", "s"), 0, theme.length("space", "s"), 0)
        row.setSpacing(theme.px(6))
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.series = self._combo(tr("Series that lies over the image"), SERIES_WIDTH)
        self.series.activated.connect(lambda at: self.seriesChosen.emit(self.series.itemData(at)))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, PERCENT)
        self.opacity.setFixedWidth(theme.px(SLIDER_WIDTH))
        self._name(self.opacity, tr("Opacity (Ctrl+Shift+Up, Ctrl+Shift+Down)"))
        self.opacity.valueChanged.connect(lambda value: self._change(opacity=value / PERCENT))
        self.percent = QLabel()
        self.percent.setMinimumWidth(theme.px(40))
        self.colours = self._combo(tr("Colour map"), MAP_WIDTH)
        for name, found in colour_maps().items():
            self.colours.addItem(tr(found.text), name)
        self.colours.activated.connect(lambda at: self._change(colour_map=self.colours.itemData(at)))
        self.low = self._number(tr("Lower end of the window"))
        self.high = self._number(tr("Upper end of the window"))
        self.unit = QLabel()
        self.swap = QPushButton(tr("Swap"))
        self.swap.setProperty("kind", "quiet")
        self._name(self.swap, tr("Upper and lower series change places"))
        self.swap.clicked.connect(lambda: do("fusion.swap"))
        self.warning = QLabel()
        self.warning.setProperty("tone", "warning")
        self.end = QPushButton()
        self.end.setProperty("kind", "quiet")
        self.end.setIcon(icon("x", theme.colour("text-2")))
        self._name(self.end, tr("End the fusion (Ctrl+Shift+F)"))
        self.end.clicked.connect(lambda: do("fusion.switch"))
        dash = QLabel("\u2013")
        for widget in (
            self.series, self.opacity, self.percent, self.colours, self.low, dash, self.high, self.unit,
            self.swap,
        ):  # fmt: skip
            row.addWidget(widget)
        row.addWidget(self.warning, 1)
        row.addStretch(0)
        row.addWidget(self.end)
        for label in (self.percent, dash, self.unit, self.warning):
            label.setFont(theme.font("base"))
        board.changed.connect(self.refresh)
        self.hide()

    def _name(self, widget: QWidget, words: str) -> None:
        widget.setToolTip(words)
        widget.setAccessibleName(words)
        widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _combo(self, words: str, width: int) -> QComboBox:
        combo = QComboBox()
        combo.setFixedWidth(self._theme.px(width))
        combo.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._name(combo, words)
        return combo

    def _number(self, words: str) -> QLineEdit:
        line = QLineEdit()
        line.setFixedWidth(self._theme.px(NUMBER_WIDTH))
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.setValidator(QDoubleValidator(line))
        self._name(line, words)
        line.editingFinished.connect(self._take_window)
        return line

    def show_over(self, over: OverVolume | None, choices: Sequence[Series]) -> None:
        """Show how a series looks (none: hide), with the others that could lie there."""
        self.over = over
        with QSignalBlocker(self.series):
            self.series.clear()
            for one in choices:
                self.series.addItem(series_text(one, None), one.key)
            if over is not None:
                self.series.setCurrentIndex(self.series.findData(over.series.key))
        self.refresh()
        self.setVisible(over is not None)

    def refresh(self) -> None:
        """Show the look as it is now."""
        over = self.over
        if over is None:
            return
        look = self._board.look(over)
        with QSignalBlocker(self.opacity), QSignalBlocker(self.colours):
            self.opacity.setValue(round(PERCENT * look.opacity))
            self.colours.setCurrentIndex(self.colours.findData(look.colour_map))
        self.percent.setText(f"{PERCENT * look.opacity:.0f} %")
        for line, value in ((self.low, look.low), (self.high, look.high)):
            if not line.hasFocus() or not line.isModified():
                line.setText(number_text(value, over))
        self.unit.setText(unit_word(over))
        self.warning.setText(over.why)
        self.warning.setToolTip(over.why)

    def _change(self, **changes: object) -> None:
        if self.over is not None:
            look: Look = replace(self._board.look(self.over), **changes)  # type: ignore[arg-type]
            self._board.set_look(self.over, look)

    def _take_window(self) -> None:
        try:
            low, high = float(self.low.text()), float(self.high.text())
        except ValueError:
            low = high = 0.0
        for line in (self.low, self.high):
            line.setModified(False)
        if low < high:
            self._change(low=low, high=high)
        self.refresh()
