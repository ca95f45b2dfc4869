"""Segments as coloured areas and regions as coloured lines, over the image of one viewport."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from viewer.imaging.contour import mask_rings
from viewer.imaging.objects.placing import Misaligned
from viewer.views.frame_image import turned
from viewer.views.layers import Layer, LayerOrder
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.laying import HALF, Laid, Mask
from viewer.views.objects.parts import Part, PartKey
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray, ViewportState, transform

Premultiplied = npt.NDArray[np.uint8]
Made = TypeVar("Made")
Tinted = tuple[Mask, str]
"""A mask and its colour."""

KEPT_FRAMES = 32
"""Frames whose pictures and outlines stay: a reader goes to and fro."""

MOST_AT_ONCE = 8
"""Segments whose outlines are made while a reader scrolls; of more they follow in a moment."""

REST_MS = 80

LINE = 1.5
HALO = 3.0
"""Widths of lines and of the dark line under them, widget pixels."""

HALO_OPACITY = 0.5

POINT_REACH = 4.0
"""Half the size of the cross of a point, widget pixels."""


def blended(tinted: Sequence[Tinted], shape: tuple[int, int], opacity: float) -> Premultiplied:
    """Return masks laid over each other as (row, column, 4) bytes: blue, green, red, alpha.

    Parameters
    ----------
    tinted
        The last lies on top; a mask of 255 takes the whole opacity, one of 128 half of it.

    Returns
    -------
    numpy.ndarray
        Premultiplied, as `QImage.Format_ARGB32_Premultiplied` has it on a little-endian machine.
    """
    picture = np.zeros((*shape, 4), dtype=np.float32)
    for mask, colour in tinted:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if rows.size == 0:
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        alpha = mask[box].astype(np.float32)[..., None] * np.float32(opacity / 255.0)
        ink = QColor(colour)
        whole = np.array([ink.blue(), ink.green(), ink.red(), 255.0], dtype=np.float32)
        part = picture[box]
        part += (whole - part) * alpha
    return np.rint(picture).astype(np.uint8)


class _Kept(Generic[Made]):
    """What was made for the last frames."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, Made] = OrderedDict()

    def get(self, key: object) -> Made | None:
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found

    def put(self, key: object, made: Made) -> None:
        self._found[key] = made
        while len(self._found) > KEPT_FRAMES:
            self._found.popitem(last=False)

    def forget(self) -> None:
        self._found.clear()


class SegmentsLayer(Layer):
    """Draws the segments of the board: an area of the chosen opacity, and its outline.

    A pixel of a mask covers exactly its pixel of the image, at any zoom. Fractions are drawn by their
    opacity and have no outline.
    """

    order: ClassVar[LayerOrder] = LayerOrder.COLOUR

    def __init__(self, view: StackView, board: ObjectsBoard) -> None:
        super().__init__(view)
        self._board = board
        self._pictures: _Kept[QImage] = _Kept()
        self._paths: _Kept[list[tuple[QPainterPath, str]]] = _Kept()
        self._masks_of: object = None
        self._found: list[Tinted] = []
        self._rests = False
        self._rest = QTimer(view, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._draw_outlines)
        board.changed.connect(view.update)

    def stack_changed(self) -> None:
        """Drop what was made for other images."""
        self._pictures.forget()
        self._paths.forget()
        self._masks_of, self._found = None, []

    def frame_changed(self) -> None:
        """Draw areas at once; outlines of many segments when the reader rests on an image."""
        self._rests = False
        self._rest.stop()

    def _draw_outlines(self) -> None:
        self._rests = True
        self.view.update()

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw areas, then outlines, of what is shown on this frame."""
        model = self.view.model
        stack = model.stack
        if stack is None or model.shown_index() != model.state.index:
            return
        for content, parts in self._board.shown_shapes():
            laid = self._board.laid(content, stack)
            if not isinstance(laid, Misaligned):
                self._paint_areas(painter, matrix, laid, parts)
                if not laid.is_fractional:
                    self._paint_outlines(painter, matrix, laid, parts)

    def _masks(self, laid: Laid, parts: Sequence[Part]) -> list[Tinted]:
        """Return the masks on the frame, made once for areas and outlines."""
        index = self.view.model.state.index
        key = (index, _keys(parts))
        if key != self._masks_of:
            found = [(laid.mask(part.key.number, index), part.colour) for part in parts]
            self._found = [(mask, colour) for mask, colour in found if mask is not None]
            self._masks_of = key
        return self._found

    def _paint_areas(
        self, painter: QPainter, matrix: FloatArray, laid: Laid, parts: Sequence[Part]
    ) -> None:
        model = self.view.model
        state, size = model.state, model.image_size()
        key = (state.index, state.quarter_turns, state.mirrored, self._board.opacity, _keys(parts))
        image = self._pictures.get(key)
        if image is None:
            image = self._picture(laid, parts, state)
            self._pictures.put(key, image)
        if image.isNull():
            return
        corners = [(-0.5, -0.5), (size.columns - 0.5, size.rows - 0.5)]
        edges = transform(matrix, corners)
        target = QRectF(QPointF(*edges.min(axis=0)), QPointF(*edges.max(axis=0)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(target, image)

    def _picture(self, laid: Laid, parts: Sequence[Part], state: ViewportState) -> QImage:
        """Return the areas of a frame, turned as the image is; none without an area."""
        size = self.view.model.image_size()
        tinted = self._masks(laid, parts)
        if not tinted or self._board.opacity == 0.0:
            return QImage()
        pixels = blended(tinted, (size.rows, size.columns), self._board.opacity)
        pixels = np.ascontiguousarray(turned(pixels, state))
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, columns, rows, 4 * columns, kind).copy()

    def _paint_outlines(
        self, painter: QPainter, matrix: FloatArray, laid: Laid, parts: Sequence[Part]
    ) -> None:
        key = (self.view.model.state.index, _keys(parts))
        paths = self._paths.get(key)
        if paths is None:
            if len(self._masks(laid, parts)) > MOST_AT_ONCE and not self._rests:
                if not self._rest.isActive():  # a pointer that moves paints too
                    self._rest.start()
                return
            paths = [(_outline(mask), colour) for mask, colour in self._masks(laid, parts)]
            self._paths.put(key, paths)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setTransform(widget_transform(matrix), combine=True)
        for path, colour in paths:
            pen = QPen(QColor(colour), LINE)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(path)
        painter.restore()


def _outline(mask: Mask) -> QPainterPath:
    """Return the outline of a mask in image points."""
    path = QPainterPath()
    for ring in mask_rings(mask >= HALF):
        path.addPolygon(polygon(ring))
        path.closeSubpath()
    return path


class ContoursLayer(Layer):
    """Draws the contours of regions on the images whose planes they belong to, and nowhere between."""

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView, board: ObjectsBoard) -> None:
        super().__init__(view)
        self._board = board
        board.changed.connect(view.update)

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw the contours of the regions that are shown."""
        model = self.view.model
        if model.stack is None or model.shown_index() != model.state.index or not self._board.graphics:
            return
        for content, parts in self._board.shown_shapes():
            laid = self._board.laid(content, model.stack)
            if isinstance(laid, Misaligned):
                continue
            for part in parts:
                path = QPainterPath()
                for outline in laid.outlines(part.key.number, model.state.index):
                    _add_contour(path, transform(matrix, outline.points), outline.contour.closed)
                if not path.isEmpty():
                    stroke(painter, path, QColor(part.colour))


def _add_contour(path: QPainterPath, points: FloatArray, closed: bool) -> None:
    if len(points) == 1:
        add_cross(path, points[0], POINT_REACH)
        return
    path.addPolygon(polygon(points))
    if closed:
        path.closeSubpath()


def add_cross(path: QPainterPath, point: FloatArray, reach: float) -> None:
    """Add an upright cross about a widget point."""
    middle = QPointF(*point)
    for arm in (QPointF(reach, 0.0), QPointF(0.0, reach)):
        path.moveTo(middle - arm)
        path.lineTo(middle + arm)


def polygon(points: FloatArray) -> QPolygonF:
    """Return points as Qt takes them."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def widget_transform(matrix: FloatArray) -> QTransform:
    """Return a 3 x 3 affine (column vectors) as Qt has it."""
    (a, c, x), (b, d, y) = matrix[:2].tolist()
    return QTransform(a, b, c, d, x, y)


def stroke(
    painter: QPainter, path: QPainterPath, colour: QColor, *, width: float = LINE, dashed: bool = False
) -> None:
    """Draw a line of widget points in a colour, on a dark halo."""
    halo = QColor(0, 0, 0)
    halo.setAlphaF(HALO_OPACITY * colour.alphaF())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, wide in ((halo, width + HALO - LINE), (colour, width)):
        pen = QPen(ink, wide)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if dashed and ink is colour:
            pen.setDashPattern([4.0, 2.0])
        painter.setPen(pen)
        painter.drawPath(path)


def _keys(parts: Sequence[Part]) -> tuple[PartKey, ...]:
    return tuple(part.key for part in parts)
