"""The cell beside the planes: their facts, the image along a curve, or the volume in 3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from viewer.imaging.reader import OpenStack
from viewer.imaging.resample import ShownVolume
from viewer.imaging.study import Study
from viewer.views.reformat.curved_view import CurvedView
from viewer.views.reformat.facts_panel import FactsPanel
from viewer.views.reformat.plane_words import tr
from viewer.views.reformat.scene import MprScene
from viewer.views.theme import Theme

if TYPE_CHECKING:
    from viewer.views.rendering.view import VolumeView

RENDERING = "rendering."
"""What the names of the acts of the 3D view begin with."""


class FourthCell(QStackedWidget):
    """Shows one of three things; the 3D view is made and fed when it is asked for."""

    actRequested = Signal(str)
    regionClicked = Signal(str)
    regionHovered = Signal(str)

    def __init__(self, scene: MprScene, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._scene = theme, scene
        self.facts = FactsPanel(scene, theme, self)
        self.curved = CurvedView(scene, theme, self)
        self.volume: VolumeView | None = None
        self.addWidget(self.facts)
        self.addWidget(self.curved)

    @property
    def shows_volume(self) -> bool:
        """True while the 3D view stands here."""
        return self.volume is not None and self.currentWidget() is self.volume

    def show_curve(self, wanted: bool) -> None:
        """Show the image along the curve, or what stood here before it."""
        if wanted:
            self.setCurrentWidget(self.curved)
        elif self.currentWidget() is self.curved:
            fed = self.volume is not None and self.volume.rendering() is not None
            self.setCurrentWidget(self.volume if self.volume is not None and fed else self.facts)

    def show_volume(self, shown: ShownVolume, study: Study | None, opened: OpenStack) -> None:
        """Show the volume in three dimensions; its pixels are leased until the renderer lets go."""
        if self.volume is None:
            from viewer.views.rendering.view import VolumeView

            self.volume = VolumeView(self._theme, self)
            self.volume.actRequested.connect(self.actRequested)
            self.volume.regionClicked.connect(self.regionClicked)
            self.volume.regionHovered.connect(self.regionHovered)
            self._scene.changed.connect(self._sync)
            self.addWidget(self.volume)
        if self.volume.rendering() is None:
            opened.buffer.lease()
            let_go, stack = opened.buffer.unlease, self._scene.stack
            self.volume.show_made(lambda: shown, study, let_go=let_go, stack=stack)
            self._sync()
        self.setCurrentWidget(self.volume)

    def _sync(self) -> None:
        """Let the 3D view follow the scene: evidence, tool, text."""
        volume, scene = self.volume, self._scene
        if volume is None or volume.rendering() is None:
            return
        volume.evidence.set_overlay(scene.overlay)
        volume.evidence.select(scene.selected)
        if volume.tool is not scene.tool:
            volume.set_tool(scene.tool)
        if volume.corner_text != scene.corner_text:
            volume.set_corner_text(scene.corner_text)

    def clear(self) -> None:
        """Show the facts and let go of all memory."""
        if self.volume is not None:
            self.volume.clear()
        self.setCurrentWidget(self.facts)

    def do(self, act: str) -> bool:
        """Do an act of the 3D view, while it stands here."""
        return self.shows_volume and self.volume is not None and self.volume.do(act)

    def why_not(self, act: str) -> str:
        """Return why an act of the 3D view is not possible now, or empty."""
        if not self.shows_volume or self.volume is None:
            return tr("the 3D view is not open")
        return self.volume.why_not(act)
