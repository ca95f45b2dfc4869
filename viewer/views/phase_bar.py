"""The time control of a 4D series: a slider at the lower edge of its viewport, with words."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from viewer.imaging.study import Phase
from viewer.views.icons import icon
from viewer.views.theme import Theme

HEIGHT: Final = 28
"""Logical pixels."""


class PhaseBar(QWidget):
    """Slider, play button and what sets the phase apart."""

    chosen = Signal(int)
    """Show this phase, from 0."""
    playWanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(4), 0, theme.px(8), 0)
        row.setSpacing(theme.px(8))
        self.play = QToolButton(self)
        self.play.setAutoRaise(True)
        self.play.setCheckable(True)
        self.play.setToolTip(self.tr("Play the phases at this place"))
        self.play.setAccessibleName(self.play.toolTip())
        self.play.clicked.connect(self.playWanted)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setPageStep(1)
        names = {name: theme.colour(name).name() for name in ("control", "text-2")}
        side = theme.px(12)
        self.slider.setStyleSheet(
            f"QSlider::groove:horizontal {{ height: 2px; background: {names['control']}; }}"
            f"QSlider::handle:horizontal {{ width: {side}px; height: {side}px; "
            f"margin: -{side // 2 - 1}px 0; border-radius: {side // 2}px; "
            f"background: {names['text-2']}; }}"
        )
        self.slider.setAccessibleName(self.tr("Phase"))
        self.slider.valueChanged.connect(self.chosen)
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setFont(theme.font("corner"))
        palette = self.words.palette()
        palette.setColor(self.words.foregroundRole(), theme.colour("corner"))
        self.words.setPalette(palette)
        for widget in (self.play, self.slider):
            # keys stay with the viewport
            widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.addWidget(self.play)
        row.addWidget(self.slider, 1)
        row.addWidget(self.words)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.show_playing(False)

    def sizeHint(self) -> QSize:
        """Thin."""
        return QSize(self._theme.px(200), self._theme.px(HEIGHT))

    def show_phase(self, phase: Phase, place: int, count: int) -> None:
        """Point to a phase, from 0, and say which it is."""
        self.slider.blockSignals(True)
        self.slider.setRange(0, count - 1)
        self.slider.setValue(place)
        self.slider.blockSignals(False)
        self.words.setText(phase_words(phase, place, count))

    def show_playing(self, playing: bool) -> None:
        """Show what the button does next."""
        size = self._theme.length("icon", "size")
        name = "pause" if playing else "play"
        self.play.setIcon(icon(name, self._theme.colour("text-2"), size=size))
        self.play.setChecked(playing)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground: this is no part of the image."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        painter.end()


def phase_words(phase: Phase, place: int, count: int) -> str:
    """Say which phase it is and what sets it apart ("phase 3/8 · b 1000 s/mm²")."""
    words = QCoreApplication.translate("PhaseBar", "phase {n}/{count}").format(n=place + 1, count=count)
    value = phase.value.replace("mm2", "mm²")
    return f"{words} · {value}" if value else words
