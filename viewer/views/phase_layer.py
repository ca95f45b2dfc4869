"""Gives the viewport of a 4D series its time control, its keys and Alt with the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent

from viewer.views.layers import Layer
from viewer.views.phase_bar import PhaseBar
from viewer.views.phase_steps import PhaseSteps

if TYPE_CHECKING:
    from viewer.views.stack_view import StackView

NOTCH: Final = 120
"""Wheel angle of one notch, in eighths of a degree (Qt)."""

STEPS: Final = {"viewport.next_phase": 1, "viewport.previous_phase": -1}
"""Acts that change the phase, and by how many."""


class PhaseLayer(Layer):
    """Draws nothing itself: the control stands under the image, where there are phases."""

    def __init__(self, view: StackView, steps: PhaseSteps) -> None:
        super().__init__(view)
        self._steps = steps
        self._wheel = 0
        self.bar: PhaseBar | None = None
        steps.changed.connect(self._show_playing)

    def stack_changed(self) -> None:
        """Show the control of this series' phases, or none."""
        phases, place = self._steps.phases(self.view), self._steps.place(self.view)
        if not phases or phases[place].phase is None or not self._steps.has_control(self.view):
            if self._steps.is_playing(self.view):
                self._steps.play(None)
            self.view.set_foot(None)
            return
        if self.bar is None:
            self.bar = PhaseBar(self.view.theme, self.view)
            self.bar.chosen.connect(lambda at: self._steps.show(self.view, at))
            self.bar.playWanted.connect(self._switch_play)
        self.bar.show_phase(phases[place].phase, place, len(phases))
        self.view.set_foot(self.bar)

    def do(self, act: str) -> bool:
        """Change the phase, or play the phases."""
        if act in STEPS:
            return self._steps.step(self.view, STEPS[act])
        if act == "viewport.play_phases" and self._steps.phases(self.view):
            self._switch_play()
            return True
        return False

    def wheel(self, event: QWheelEvent) -> bool:
        """Change the phase while Alt is held; Qt then turns the wheel sideways."""
        if not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return False
        if not self._steps.phases(self.view):
            return False
        angle = event.angleDelta()
        self._wheel += angle.y() or angle.x()
        notches = int(self._wheel / NOTCH)
        self._wheel -= notches * NOTCH
        if notches:
            self._steps.step(self.view, -notches)
        return True

    def _switch_play(self) -> None:
        self._steps.play(None if self._steps.is_playing(self.view) else self.view)

    def _show_playing(self) -> None:
        if self.bar is not None:
            self.bar.show_playing(self._steps.is_playing(self.view))
