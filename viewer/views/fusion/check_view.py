"""The view in which a person checks a registration, moves it by hand, and confirms or discards it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reader import OpenStack
from viewer.imaging.reformat import grid_of
from viewer.imaging.regions import Region
from viewer.imaging.registration import nudged, turn_of
from viewer.imaging.study import Study, WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.fusion.check_plane import AXES, CheckPlane, Mode, Pair
from viewer.views.fusion.words import tr
from viewer.views.overlay import Overlay
from viewer.views.places import PatientPoint
from viewer.views.theme import Theme

MOVE_MM, TURN_DEGREES = 1.0, 0.5
"""One step by hand."""

FINE: Final = 0.2
"""Steps with Shift are this share of the usual ones."""

ARROWS: Final = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}

TURNS: Final = {Qt.Key.Key_PageUp: -1.0, Qt.Key.Key_PageDown: 1.0}


class CheckView(QWidget):
    """Three cuts through both series; nothing counts until somebody confirms it here."""

    leaveWanted = Signal()
    regionClicked = Signal(str)
    regionHovered = Signal(str)
    confirmWanted = Signal()
    discardWanted = Signal()
    searchWanted = Signal()
    stopWanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.pair: Pair | None = None
        self.moved_by_hand = False
        self.planes = {name: CheckPlane(name, theme, self) for name in AXES}
        self.active = "axial"
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Check of a registration"))
        self._build()
        for name, plane in self.planes.items():
            plane.placeChosen.connect(self._go_to)
            plane.entered.connect(lambda name=name: self._set_active(name))
        self._set_active("axial")

    def _build(self) -> None:
        theme = self._theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = QHBoxLayout()
        side = theme.length("space", "s")
        bar.setContentsMargins(side, side // 2, side, side // 2)
        bar.setSpacing(theme.px(4))
        self.modes: dict[Mode, QPushButton] = {}
        for number, (mode, words) in enumerate(
            (
                (Mode.BLEND, tr("Blend")),
                (Mode.SWIPE, tr("Swipe")),
                (Mode.SQUARES, tr("Squares")),
                (Mode.TURNS, tr("In turns")),
            ),
            start=1,
        ):
            button = self._button(words, lambda mode=mode: self.set_mode(mode), key=str(number))
            button.setCheckable(True)
            self.modes[mode] = button
            bar.addWidget(button)
        self.split = QSlider(Qt.Orientation.Horizontal)
        self.split.setRange(0, 100)
        self.split.setFixedWidth(theme.px(120))
        self.split.setAccessibleName(tr("Where the swipe divides the images"))
        self.split.valueChanged.connect(self._set_split)
        bar.addWidget(self.split)
        bar.addStretch(1)
        self.again = self._button(tr("Search again"), self.searchWanted.emit)
        self.back = self._button(tr("As the coordinates say"), self.reset)
        self.discard = self._button(tr("Discard"), self.discardWanted.emit, key="Esc", kind="")
        self.confirm = self._button(tr("Confirm"), self.confirmWanted.emit, kind="primary")
        for button in (self.again, self.back, self.discard, self.confirm):
            bar.addWidget(button)
        column.addLayout(bar)
        column.addLayout(self._notes())
        grid = QGridLayout()
        grid.setSpacing(theme.length("column", "gap"))
        grid.addWidget(self.planes["axial"], 0, 0, 2, 1)
        grid.addWidget(self.planes["coronal"], 0, 1)
        grid.addWidget(self.planes["sagittal"], 1, 1)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        column.addLayout(grid, 1)
        self.help = QLabel(
            tr(
                "Arrows move by 1 mm, Page Up and Page Down turn by 0.5°, with Shift finer. "
                "Space shows the other series. Click or wheel: another place."
            )
        )
        self.help.setFont(theme.font("note"))
        self.help.setProperty("tone", "2")
        self.help.setContentsMargins(side, side // 2, side, side // 2)
        column.addWidget(self.help)

    def _notes(self) -> QHBoxLayout:
        """Return the line that says how good the match is, and how far a search."""
        theme, side = self._theme, self._theme.length("space", "s")
        notes = QHBoxLayout()
        notes.setContentsMargins(side, 0, side, side // 2)
        self.quality = QLabel()
        self.quality.setTextFormat(Qt.TextFormat.PlainText)
        self.quality.setWordWrap(True)
        self.quality.setFont(theme.font("base"))
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(theme.px(140))
        self.progress.setFixedHeight(theme.px(6))
        self.stop = self._button(tr("Stop"), self.stopWanted.emit)
        notes.addWidget(self.quality, 1)
        notes.addWidget(self.progress)
        notes.addWidget(self.stop)
        return notes

    def _button(
        self, words: str, done: Callable[[], object], *, key: str = "", kind: str = "quiet"
    ) -> QPushButton:
        button = QPushButton(words)
        if kind:
            button.setProperty("kind", kind)
        button.setToolTip(f"{words} ({key})" if key else words)
        button.setFont(self._theme.font("base"))
        button.setAutoDefault(False)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _checked: done())
        return button

    # --- what is shown -----------------------------------------------------------------------------

    def show_pair(self, pair: Pair | None) -> None:
        """Show another pair (none: nothing)."""
        self.pair, self.moved_by_hand = pair, False
        for plane in self.planes.values():
            plane.show_pair(pair)
        self._refresh()

    def show_search(self, share: float | None, words: str) -> None:
        """Say how far a search is (none: none runs), and what there is to say about the match."""
        runs = share is not None
        self.progress.setVisible(runs)
        self.stop.setVisible(runs)
        self.progress.setValue(round(100 * (share or 0.0)))
        self.quality.setText(words)
        for button in (self.again, self.back, self.confirm):
            button.setEnabled(not runs)
        self.confirm.setToolTip(tr("The search still runs") if runs else tr("Confirm"))

    def set_matrix(self, matrix: FloatArray, *, by_hand: bool) -> None:
        """Lay the moving series otherwise."""
        if self.pair is not None:
            self.pair.matrix = matrix
            self.moved_by_hand = by_hand
            self._refresh()

    def reset(self) -> None:
        """Lay the moving series as its coordinates say."""
        self.set_matrix(np.eye(4), by_hand=True)

    def set_mode(self, mode: Mode) -> None:
        """Compare in another way."""
        if self.pair is not None:
            self.pair.mode = mode
            self._refresh()

    def nudge(self, across: float, down: float, degrees: float = 0.0) -> None:
        """Move the moving series in the active cut, mm, or turn it about the place."""
        pair, plane = self.pair, self.planes[self.active]
        if pair is None or self.progress.isVisible():
            return
        shift = across * plane.row + down * plane.column
        axis = plane.normal if degrees else None
        self.set_matrix(
            nudged(pair.matrix, pair.place, shift=shift, axis=axis, degrees=degrees), by_hand=True
        )

    def moved_words(self) -> str:
        """Say by how much the moving series is moved and turned at the place."""
        pair = self.pair
        if pair is None:
            return ""
        there = np.linalg.inv(pair.matrix) @ np.append(pair.place, 1.0)
        away = float(np.linalg.norm(pair.place - there[:3]))
        words = tr("moved by {mm} mm and turned by {degrees}°")
        return words.format(mm=f"{away:.1f}", degrees=f"{turn_of(pair.matrix):.1f}")

    def _set_active(self, name: str) -> None:
        self.active = name
        for each, plane in self.planes.items():
            plane.active = each == name
            plane.update()

    def _set_split(self, value: int) -> None:
        if self.pair is not None:
            self.pair.split, self.pair.mode = value / 100, Mode.SWIPE
            self._refresh()

    def _go_to(self, place: FloatArray) -> None:
        if self.pair is not None:
            self.pair.place = np.asarray(grid_of(self.pair.fixed.volume).kept_inside(place))
            self._refresh()

    def _refresh(self) -> None:
        mode = None if self.pair is None else self.pair.mode
        for each, button in self.modes.items():
            button.setChecked(each is mode)
        with QSignalBlocker(self.split):
            self.split.setValue(50 if self.pair is None else round(100 * self.pair.split))
        for plane in self.planes.values():
            plane.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move and turn, Space shows the other series, digits choose how to compare."""
        held, key = event.modifiers(), Qt.Key(event.key())
        size = FINE if held & Qt.KeyboardModifier.ShiftModifier else 1.0
        digits = dict(zip((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4), Mode, strict=True))
        if key in ARROWS:
            across, down = ARROWS[key]
            self.nudge(across * MOVE_MM * size, down * MOVE_MM * size)
        elif key in TURNS:
            self.nudge(0.0, 0.0, TURNS[key] * TURN_DEGREES * size)
        elif key == Qt.Key.Key_Space and self.pair is not None:
            self.pair.shows_moving = not self.pair.shows_moving
            self.set_mode(Mode.TURNS)
        elif key in digits:
            self.set_mode(digits[key])
        elif key == Qt.Key.Key_Escape:
            self.discardWanted.emit()
        else:
            super().keyPressEvent(event)

    # --- the workspace -----------------------------------------------------------------------------

    def widget(self) -> QWidget:
        """Return this widget."""
        return self

    def open(
        self, stack: ImageStack, study: Study | None, opened: OpenStack, place: PatientPoint | None
    ) -> None:
        """Nothing is shown before `show_pair`."""
        self.show_pair(None)
        self.show_search(0.0, "")

    def close(self) -> bool:  # type: ignore[override]  # Qt's own close() hides; so does the stage
        """Let go of the volumes."""
        self.show_pair(None)
        return True

    def do(self, act: str) -> bool:
        """No act of the viewer's table is this view's."""
        return False

    def why_not(self, act: str) -> str:
        """Say that a registration is being checked."""
        return tr("a registration is being checked")

    def set_overlay(self, overlay: Overlay) -> None:
        """No regions are drawn here."""

    def select_regions(self, evidence_ids: frozenset[str]) -> None:
        """No regions are drawn here."""

    def hover_regions(self, evidence_id: str) -> None:
        """No regions are drawn here."""

    def show_region(self, region: Region, window: WindowPreset | None = None) -> bool:
        """Regions are shown in the viewports."""
        return False

    def place(self) -> PatientPoint | None:
        """Return the place at which the cuts meet."""
        if self.pair is None:
            return None
        x, y, z = self.pair.place.tolist()
        return PatientPoint(self.pair.fixed.series.frame_of_reference_uid, (x, y, z))
