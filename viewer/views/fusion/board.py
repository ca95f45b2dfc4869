"""Which series lies over which viewport, and how: shared by all viewports and planes of a window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from viewer.imaging.fusion import Look, OverVolume, colour_maps

OPACITY_STEP: Final = 0.1

NARROWEST: Final = 1e-3
"""Smallest width of a window as a share of the width with which the series came up."""


@dataclass(frozen=True, eq=False)
class Fused:
    """A series over another.

    Parameters
    ----------
    base_key
        Key of the series beneath: a viewport that shows another one shows no fusion.
    """

    base_key: str
    over: OverVolume


class FusionBoard(QObject):
    """What is fused where. The look belongs to the upper series, wherever it lies over another."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fused: WeakKeyDictionary[QWidget, Fused] = WeakKeyDictionary()
        self._looks: dict[str, Look] = {}

    def fuse(self, view: QWidget, fused: Fused) -> None:
        """Lay a series over what a viewport shows, in place of one that lies there."""
        self._fused[view] = fused
        self.changed.emit()

    def part(self, view: QWidget) -> None:
        """Take away what lies over a viewport."""
        if self._fused.pop(view, None) is not None:
            self.changed.emit()

    def fused_in(self, view: QWidget) -> Fused | None:
        """Return what lies over a viewport, also while it shows another series; none for nothing."""
        return self._fused.get(view)

    def uses(self, key: str) -> bool:
        """Return whether a series lies over any viewport."""
        return any(fused.over.series.key == key for fused in self._fused.values())

    def clear(self) -> None:
        """Let go of everything: another study comes."""
        self._fused.clear()
        self._looks.clear()
        self.changed.emit()

    # --- looks -------------------------------------------------------------------------------------

    def look(self, over: OverVolume) -> Look:
        """Return how a series lies over others."""
        return self._looks.get(over.series.key, over.look)

    def set_look(self, over: OverVolume, look: Look) -> None:
        """Show a series otherwise; the window stays a window, the opacity between 0 and 1."""
        least = NARROWEST * (over.look.high - over.look.low)
        look = replace(
            look, opacity=min(max(look.opacity, 0.0), 1.0), high=max(look.high, look.low + least)
        )
        if look != self.look(over):
            self._looks[over.series.key] = look
            self.changed.emit()

    def step_opacity(self, over: OverVolume, direction: int) -> None:
        """Show more (1) or less (-1) of a series, in steps of a tenth."""
        look = self.look(over)
        self.set_look(over, replace(look, opacity=round(look.opacity + direction * OPACITY_STEP, 2)))

    def next_map(self, over: OverVolume) -> None:
        """Show a series in the next palette, round and round."""
        look, names = self.look(over), list(colour_maps())
        following = names[(names.index(look.colour_map) + 1) % len(names)]
        self.set_look(over, replace(look, colour_map=following))
