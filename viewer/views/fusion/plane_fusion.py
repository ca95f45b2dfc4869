"""Draws the upper series over a plane that is laid through the volume of another, slabs included."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from viewer.imaging.fusion import Look, OverVolume, Values, coloured, sampled, value_at, way_to
from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import ReformatPlane, Slab, SlabMode, Vector
from viewer.imaging.study import Series
from viewer.views.fusion.board import FusionBoard
from viewer.views.fusion.picture import to_overlay
from viewer.views.fusion.words import shown_text
from viewer.views.reformat.view_frame import ViewFrame
from viewer.views.viewport_state import transform

MOST_LAYERS: Final = 48
"""Layers of the upper series that a slab samples at most."""

FINENESS: Final = 0.5
"""Samples stand this share of its smallest voxel edge apart: between them the painter blends."""

REDUCE: Final[dict[SlabMode, Any]] = {
    SlabMode.MIP: np.max,
    SlabMode.MINIP: np.min,
    SlabMode.MEAN: np.mean,
}


class PlaneFusion:
    """A series over the volume of the planes; its look stands in the board of the viewports."""

    def __init__(self, over: OverVolume, board: FusionBoard) -> None:
        self.over, self._board = over, board

    @property
    def look(self) -> Look:
        """How it lies over the planes now."""
        return self._board.look(self.over)

    def draw(self, painter: QPainter, frame: ViewFrame, plane: ReformatPlane, base: Series) -> None:
        """Draw over the samples of a plane in its frame; nothing where nothing joins the two series."""
        way = way_to(base, self.over.series)
        if way is None:
            return
        edge = min(self.over.volume.spacing)
        coarse = plane.coarser(max(1, int(FINENESS * edge / min(plane.spacing))))
        values = self._values(coarse, frame.pose.slab, way)
        look = self.look
        ends = [(-0.5, -0.5), (coarse.columns - 0.5, coarse.rows - 0.5)]
        edges = transform(frame.matrix_of(coarse), ends)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(look.opacity)
        target = QRectF(QPointF(*edges[0].tolist()), QPointF(*edges[1].tolist()))
        painter.drawImage(target, to_overlay(coloured(self.over, values, look)))
        painter.setOpacity(1.0)

    def _values(self, plane: ReformatPlane, slab: Slab, way: FloatArray) -> Values:
        def layer(offset: float) -> Values:
            at = plane.shifted(offset) if offset else plane
            return sampled(self.over, at.image_plane(), plane.rows, plane.columns, way)

        if slab.mode is SlabMode.OFF:
            return layer(0.0)
        step = min(self.over.volume.spacing)
        count = min(max(1, round(slab.thickness / step)), MOST_LAYERS)
        offsets = (np.arange(count) + 0.5) / count * slab.thickness - slab.thickness / 2
        layers = np.stack([layer(float(offset)) for offset in offsets])
        found: Values = REDUCE[slab.mode](layers, axis=0)
        return found

    def value_words(self, place: Vector, base: Series) -> str:
        """Say the value at a place of the base series; empty where there is none."""
        way = way_to(base, self.over.series)
        if way is None:
            return ""
        return shown_text(value_at(self.over, way[:3, :3] @ np.asarray(place) + way[:3, 3]), self.over)
