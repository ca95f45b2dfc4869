"""Overlay planes (60xx groups) over the image: one colour, a dark edge, pixel for pixel."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from viewer.views.layers import Layer, LayerOrder
from viewer.views.reader_adapter import ReaderAdapter
from viewer.views.viewport_state import FloatArray

if TYPE_CHECKING:
    from viewer.imaging.reader import Overlay
    from viewer.imaging.volume import ImageStack
    from viewer.views.grid import ViewportGrid
    from viewer.views.stack_view import StackView

Mask = npt.NDArray[np.bool_]
Key = tuple[str, tuple[int, int]]

KEPT_BYTES: Final = 64 << 20
"""Masks kept: 60 of a CT, 8 of a large radiograph."""

EDGE_OPACITY: Final = 0.75


class OverlayPlanes(QObject):
    """The overlay planes of frames: read when first shown, the newest kept, never waited for."""

    changed = Signal()
    """Masks have come in."""

    def __init__(self, adapter: ReaderAdapter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._adapter = adapter
        self._kept: OrderedDict[Key, Mask | None] = OrderedDict()
        self._asked: set[Key] = set()
        adapter.overlaysRead.connect(self._take)

    def mask(self, stack: ImageStack, index: int) -> Mask | None:
        """Return what the overlays of a frame draw, all together; none without, or not read yet."""
        frame = stack.frames[index]
        if not stack.series.instances[frame[0]].overlays:
            return None
        key = stack.series.key, frame
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._asked:
            self._asked.add(key)
            self._adapter.read_overlays(stack.series, frame)
        return None

    def forget(self) -> None:
        """Drop all masks: another study is opened; what is shown of it by now is asked for again."""
        self._kept.clear()
        self._asked.clear()
        self.changed.emit()

    def _take(self, key: str, frame: tuple[int, int], overlays: tuple[Overlay, ...]) -> None:
        if (key, frame) not in self._asked:
            return  # of a study that was left
        self._asked.discard((key, frame))
        masks = [one.mask for one in overlays if one.mask.any()]
        self._kept[key, frame] = np.logical_or.reduce(masks) if masks else None
        held = sum(mask.nbytes for mask in self._kept.values() if mask is not None)
        while held > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            held -= 0 if oldest is None else oldest.nbytes
        self.changed.emit()


class PlanesLayer(Layer):
    """Draws the overlay planes of the image that is shown, while graphics are shown."""

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView, planes: OverlayPlanes, grid: ViewportGrid) -> None:
        super().__init__(view)
        self._planes, self._grid = planes, grid
        self._drawn: tuple[Mask, int, QImage] | None = None
        planes.changed.connect(view.update)

    def note(self) -> str:
        """Say that graphics are hidden where there are some."""
        model = self.view.model
        if self._grid.graphics_shown or model.stack is None:
            return ""
        instance = model.instance()
        hides = instance is not None and instance.overlays
        return QCoreApplication.translate("PlanesLayer", "graphics hidden") if hides else ""

    def stack_changed(self) -> None:
        """Another stack has other planes."""
        self._drawn = None

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the planes where they lie in the image, turned and mirrored with it."""
        model = self.view.model
        if model.stack is None or not self._grid.graphics_shown:
            return
        if model.shown_index() != model.state.index:
            return
        mask = self._planes.mask(model.stack, model.state.index)
        if mask is None:
            return
        block = block_for(model.scale() * model.pixel_ratio)
        if self._drawn is None or self._drawn[0] is not mask or self._drawn[1] != block:
            colour = self.view.theme.colour("corner")
            self._drawn = (mask, block, plane_image(mask, colour, block))
        image = self._drawn[2]
        (a, b, x), (c, d, y) = matrix[:2].tolist()
        painter.setTransform(QTransform(a, c, b, d, x, y), combine=True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        # The image has a rim of one block for the dark edge of what touches the image's own edge.
        corner = -0.5 - block
        painter.drawImage(
            QRectF(QPointF(corner, corner), image.size().toSizeF() * block), image, image.rect()
        )


def block_for(scale: float) -> int:
    """Return how many image pixels become one of the drawn planes: thin lines survive a small view.

    Parameters
    ----------
    scale
        Device pixels for one image pixel.
    """
    return 1 if scale >= 1.0 else 1 << int(np.ceil(-np.log2(scale)))


def plane_image(mask: Mask, colour: QColor, block: int = 1) -> QImage:
    """Return a mask in one colour with a dark edge of a block round it.

    Parameters
    ----------
    block
        Image pixels for one pixel of the result, each way: drawn where any of them is.
    """
    rows, columns = (-(-side // block) for side in mask.shape)
    padded = np.zeros((rows * block, columns * block), dtype=bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    small = padded.reshape(rows, block, columns, block).any(axis=(1, 3))
    inner = np.pad(small, 1)
    wide = inner.copy()
    for axis in (0, 1):
        before, after = np.roll(wide, 1, axis), np.roll(wide, -1, axis)
        wide = wide | before | after
    edge = QColor(0, 0, 0)
    edge.setAlphaF(EDGE_OPACITY)
    pixels = np.zeros(inner.shape, dtype=np.uint32)
    pixels[wide] = edge.rgba()
    pixels[inner] = colour.rgba()
    image = QImage(
        pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], QImage.Format.Format_ARGB32
    )
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
