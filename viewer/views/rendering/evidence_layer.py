"""Evidence in a 3D view: its masks as surfaces, a tag at each, and what is under the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QPainter

from viewer.imaging.resample import ShownVolume
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Overlay
from viewer.views.rendering.aside import Aside
from viewer.views.rendering.camera import Camera, Point, Size
from viewer.views.rendering.evidence import OPACITY, PlacedMask, mask_under, masks_of
from viewer.views.rendering.scene import Surface
from viewer.views.tag_place import Box, place_tag
from viewer.views.theme import Theme
from viewer.views.viewport_paint import draw_tag, tag_size


class EvidenceLayer(QObject):
    """Knows which evidence lies in the volume; its masks are placed beside the window."""

    changed = Signal()
    """Other evidence is drawn from now on."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._aside = Aside(self)
        self._aside.failed.connect(lambda: self._take(()))
        self._stack: ImageStack | None = None
        self._shown: ShownVolume | None = None
        self._overlay = Overlay()
        self._selected: frozenset[str] = frozenset()
        self.all_regions = False
        self.placed: Sequence[PlacedMask] = ()

    @property
    def is_busy(self) -> bool:
        """True while masks are placed."""
        return self._aside.is_busy

    def open(self, stack: ImageStack, shown: ShownVolume) -> None:
        """Draw the evidence of a series whose volume is rendered."""
        self._stack, self._shown = stack, shown
        self._refresh()

    def clear(self) -> None:
        """Let go of the volume and of all masks."""
        self._aside.drop()
        self._stack = self._shown = None
        self.placed = ()

    def set_overlay(self, overlay: Overlay) -> None:
        """Take the regions of the evidence."""
        if overlay is not self._overlay:
            self._overlay = overlay
            self._refresh()

    def select(self, evidence_ids: frozenset[str]) -> None:
        """Draw the masks of the selected evidence."""
        if evidence_ids != self._selected:
            self._selected = evidence_ids
            self._refresh()

    def switch_all(self) -> None:
        """Draw all masks, or those of the selected evidence alone."""
        self.all_regions = not self.all_regions
        self._refresh()

    def _refresh(self) -> None:
        stack, shown, overlay = self._stack, self._shown, self._overlay
        if stack is None or shown is None:
            return
        wanted = None if self.all_regions else self._selected
        if not overlay.regions or wanted == frozenset():
            self._aside.drop()
            self._take(())
        else:
            self._aside.run(partial(masks_of, overlay, wanted, stack, shown), self._take)

    def _take(self, placed: Sequence[PlacedMask]) -> None:
        if not placed and not self.placed:
            return
        self.placed = placed
        self.changed.emit()

    def surfaces(self) -> list[Surface]:
        """Return what is drawn: all in the colour of evidence."""
        colour = self._theme.colour("evidence")
        rgb = colour.redF(), colour.greenF(), colour.blueF()
        return [Surface(one.mask, rgb, OPACITY, one.evidence_id) for one in self.placed]

    def at(self, point: Point, camera: Camera, size: Size) -> str:
        """Return the evidence whose surface lies under a widget point, or an empty text."""
        if self._shown is None or not self.placed:
            return ""
        return mask_under(self.placed, self._shown.volume, camera, point, size)

    def paint(self, painter: QPainter, camera: Camera, size: Size) -> None:
        """Draw the tag of each evidence over its middle."""
        taken: list[Box] = []
        for one in {placed.evidence_id: placed for placed in self.placed}.values():
            x, y, _ = camera.project(one.middle, size)[0].tolist()
            tag = tag_size(one.evidence_id, self._theme)
            beside = np.array([(x - 8, y - 8), (x + 8, y + 8)])
            bounds = (4.0, 4.0, size[0] - 4.0, size[1] - 4.0)
            left, top, right, bottom = place_tag(beside, (tag.width(), tag.height()), bounds, taken)
            taken.append((left, top, right, bottom))
            filled = one.evidence_id in self._selected
            place = QRectF(left, top, right - left, bottom - top)
            draw_tag(painter, place, one.evidence_id, self._theme, filled=filled)
