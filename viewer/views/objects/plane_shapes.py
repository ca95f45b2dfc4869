"""A volume of labels as coloured areas on planes through the volume."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from viewer.imaging.reformat import ReformatPlane
from viewer.imaging.volume import ImageStack
from viewer.views.objects.volumes import LabelVolume
from viewer.views.reformat.sampler import VolumeSampler
from viewer.views.reformat.slice_masks import mask_on_plane
from viewer.views.reformat.view_frame import ViewFrame
from viewer.views.viewport_state import transform


class PlaneShapes:
    """Draws labels on the planes of a scene; the picture of each plane is kept while it stays."""

    def __init__(self, volume: LabelVolume, opacity: float) -> None:
        self._volume = volume
        table = np.zeros((256, 4), dtype=np.float64)
        for place, part in enumerate(volume.parts, start=1):
            ink = QColor(part.colour)
            table[place] = np.array([ink.blue(), ink.green(), ink.red(), 255.0]) * opacity
        self._table = np.rint(table).astype(np.uint8)
        self._kept: dict[str, tuple[ReformatPlane, QImage]] = {}

    def paint(
        self,
        painter: QPainter,
        name: str,
        frame: ViewFrame,
        sampler: VolumeSampler,
        stack: ImageStack,
        *,
        ratio: float,
        coarse: bool,
    ) -> None:
        """Draw what a plane cuts; coarser while planes turn.

        Parameters
        ----------
        name
            Of the plane.
        ratio
            Pixels of the screen in a widget pixel.
        """
        plane = frame.plane(sampler.grid, ratio)
        if plane is None:
            return
        plane = plane.coarser(2) if coarse else plane
        kept = self._kept.get(name)
        if kept is None or kept[0] != plane:
            kept = (plane, self._picture(plane, sampler, stack))
            self._kept[name] = kept
        ends = [(-0.5, -0.5), (plane.columns - 0.5, plane.rows - 0.5)]
        corners = transform(frame.matrix_of(plane), ends)
        target = QRectF(QPointF(*corners[0].tolist()), QPointF(*corners[1].tolist()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(target, kept[1])

    def _picture(self, plane: ReformatPlane, sampler: VolumeSampler, stack: ImageStack) -> QImage:
        labels = self._volume.labels
        if sampler.is_resampled:
            found = mask_on_plane(labels, stack, plane)
        else:
            found = sampler.mask(self._volume.name, labels, plane)
        pixels = np.ascontiguousarray(self._table[found.view(np.uint8)])
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, columns, rows, 4 * columns, kind).copy()
