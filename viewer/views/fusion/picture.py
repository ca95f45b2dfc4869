"""The picture of a series that lies over another, made once for what is shown and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtGui import QImage

from viewer.imaging.fusion import Colours, Look, OverVolume, Values, coloured, sampled, way_to
from viewer.imaging.volume import ImageStack
from viewer.views.frame_image import turned
from viewer.views.places import plane_of
from viewer.views.viewport_state import ViewportState


def to_overlay(words: Colours) -> QImage:
    """Return premultiplied ARGB words (row, column) as an image of its own memory."""
    words = np.ascontiguousarray(words)
    rows, columns = words.shape
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(words.data, columns, rows, 4 * columns, kind).copy()


@dataclass(frozen=True)
class _Place:
    """All that the values depend on."""

    stack: int
    index: int
    over: int
    way: bytes


class OverPictures:
    """Samples the upper series on the pixels of a frame, and colours what was sampled last."""

    def __init__(self) -> None:
        self._place: _Place | None = None
        self._values: Values | None = None
        self._drawn: object = None
        self._image = QImage()

    def forget(self) -> None:
        """Drop what was kept."""
        self._place = self._values = self._drawn = None
        self._image = QImage()

    def image(
        self, stack: ImageStack, state: ViewportState, over: OverVolume, look: Look
    ) -> QImage | None:
        """Return the picture on the pixels of the state's frame, turned as it is shown.

        None where the frame has no plane or nothing says how the two series lie to each other.
        """
        plane, way = plane_of(stack, state.index), way_to(stack.series, over.series)
        if plane is None or way is None:
            return None
        place = _Place(id(stack), state.index, id(over), way.tobytes())
        if place != self._place or self._values is None:
            rows, columns = stack.stored.shape[1:3]
            self._values = sampled(over, plane, rows, columns, way)
            self._place, self._drawn = place, None
        # the painter lays the opacity over it: that alone makes no new picture
        drawn = replace(look, opacity=1.0), state.quarter_turns, state.mirrored
        if drawn != self._drawn:
            words = turned(coloured(over, self._values, look), state)
            self._image, self._drawn = to_overlay(words), drawn
        return self._image
