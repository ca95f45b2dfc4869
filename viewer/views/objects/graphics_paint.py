"""Draws the annotations of a presentation state: graphics, compound graphics, texts and overlays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath

from viewer.imaging.objects.parts import Point
from viewer.imaging.objects.presenting import FramePresentation, overlay_mask
from viewer.imaging.objects.states import Graphic, StateOverlay, TextObject
from viewer.views.frame_image import turned
from viewer.views.objects.applying import box_of
from viewer.views.objects.shapes_layer import LINE, add_cross, blended, polygon, stroke
from viewer.views.outlined_text import draw_outlined
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray, transform

ROUND: Final = 96
"""Corners of a circle as it is drawn."""

CURVE_STEPS: Final = 16
"""Pieces between two points of an interpolated line."""

POINT_REACH: Final = 5.0
TICK: Final = 5.0
HEAD, HEAD_ANGLE = 12.0, math.radians(24.0)
"""Cross of a point, tick of a ruler, head of an arrow: widget pixels, and its half opening."""

FAR: Final = 1e4
"""Widget pixels to which an infinite line goes."""

FILL_OPACITY: Final = 0.25


def circle(points: FloatArray) -> FloatArray:
    """Return a circle from its centre and a point on it."""
    (x, y), edge = points[0], points[1]
    radius = math.hypot(edge[0] - x, edge[1] - y)
    angle = np.linspace(0.0, 2.0 * math.pi, ROUND, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def ellipse(points: FloatArray) -> FloatArray:
    """Return an ellipse from the ends of its major, then of its minor axis."""
    middle = points[:2].mean(axis=0)
    major, minor = (points[1] - points[0]) / 2.0, (points[3] - points[2]) / 2.0
    angle = np.linspace(0.0, 2.0 * math.pi, ROUND, endpoint=False)[:, None]
    round_: FloatArray = middle + np.cos(angle) * major + np.sin(angle) * minor
    return round_


def curve(points: FloatArray, *, closed: bool) -> FloatArray:
    """Return a smooth line through points (Catmull-Rom)."""
    if len(points) < 3:
        return points
    ring = points[:-1] if closed else points
    ends = np.vstack([ring[-1:], ring, ring[:2]] if closed else [ring[:1], ring, ring[-1:]])
    pieces = []
    share = np.linspace(0.0, 1.0, CURVE_STEPS, endpoint=False)[:, None]
    for place in range(len(ends) - 3):
        a, b, c, d = ends[place : place + 4]
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * share
                + (2 * a - 5 * b + 4 * c - d) * share**2
                + (3 * b - a - 3 * c + d) * share**3
            )
        )
    return np.vstack([*pieces, ends[-2:-1]])


class GraphicsPainter:
    """Draws what a state says of one frame.

    Parameters
    ----------
    matrix
        3 x 3, image points to widget points.
    """

    def __init__(
        self, painter: QPainter, matrix: FloatArray, view: StackView, shown: FramePresentation
    ) -> None:
        self._painter, self._matrix, self._view, self._shown = painter, matrix, view, shown
        self._colours = {layer.name: layer.colour for layer in shown.state.layers}
        left, top, right, bottom = box_of(shown.area, view.model.image_size())
        corners = transform(matrix, [(left, top), (right, bottom)])
        self._low, self._high = corners.min(axis=0), corners.max(axis=0)
        self._shapes: dict[str, Callable[[Graphic, FloatArray], QPainterPath]] = {
            "POINT": _crosses,
            "CROSSHAIR": _crosses,
            "MULTILINE": _pairs,
            "INFINITELINE": _infinite,
            "ARROW": _arrow,
            "RECTANGLE": _rectangle,
            "RULER": _ruled,
            "AXIS": _ruled,
            "CUTLINE": _infinite,
        }

    def paint(self) -> None:
        """Draw overlays, then annotations in the order of their layers."""
        for group, layer in self._shown.state.overlay_layers:
            for overlay in self._shown.state.overlays:
                if overlay.plane.group == group:
                    self._overlay(overlay, self._ink("", layer))
        for annotation in self._shown.annotations:
            for graphic in annotation.graphics:
                self._graphic(graphic, self._ink(graphic.style.colour, annotation.layer))
            for text in annotation.texts:
                self._text(text, self._ink(text.colour, annotation.layer))

    def _ink(self, own: str, layer: str) -> QColor:
        """Return the colour of a thing: its own, that of its layer, that of marks of others."""
        colour = own or self._colours.get(layer, "")
        return QColor(colour) if colour else QColor(self._view.theme.colour("corner"))

    def _place(self, points: Sequence[Point] | FloatArray, unit: str) -> FloatArray:
        """Return widget points of image points, or of shares of the displayed area."""
        found = np.asarray(points, dtype=np.float64)
        if unit == "PIXEL":
            return transform(self._matrix, found)
        placed: FloatArray = self._low + found * (self._high - self._low)
        return placed

    def _overlay(self, overlay: StateOverlay, ink: QColor) -> None:
        model = self._view.model
        instance = model.instance()
        if instance is None:
            return
        mask = overlay_mask(overlay, instance).astype(np.uint8) * np.uint8(255)
        pixels = blended([(mask, ink.name())], (instance.rows, instance.columns), 1.0)
        pixels = np.ascontiguousarray(turned(pixels, model.state))
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_ARGB32_Premultiplied
        image = QImage(pixels.data, columns, rows, 4 * columns, kind)
        edges = transform(self._matrix, [(-0.5, -0.5), (instance.columns - 0.5, instance.rows - 0.5)])
        target = QRectF(QPointF(*edges.min(axis=0)), QPointF(*edges.max(axis=0)))
        self._painter.drawImage(target, image)

    def _graphic(self, graphic: Graphic, ink: QColor) -> None:
        points = np.asarray(graphic.points, dtype=np.float64)
        if graphic.compound and graphic.rotation:
            points = _rotated(points, graphic)
        closed = graphic.closed or (graphic.filled and len(points) > 2)
        if graphic.type == "CIRCLE" and len(points) >= 2:
            points, closed = circle(points), True
        elif graphic.type == "ELLIPSE" and len(points) >= 4:
            points, closed = ellipse(points), True
        elif graphic.type == "INTERPOLATED":
            points = curve(points, closed=closed)
        placed = self._place(points, graphic.unit)
        shape = self._shapes.get(graphic.type)
        path = _line(placed, closed=closed) if shape is None else shape(graphic, placed)
        style = graphic.style
        ink.setAlphaF(style.opacity)
        if graphic.filled:
            fill = QColor(ink)
            fill.setAlphaF(FILL_OPACITY * style.opacity)
            self._painter.fillPath(path, fill)
        width = LINE if style.thickness is None else min(max(style.thickness, 1.0), 8.0)
        stroke(self._painter, path, ink, width=width, dashed=style.dashed)

    def _text(self, text: TextObject, ink: QColor) -> None:
        """Draw a text in its box, or beside its anchor, and the line to the anchor."""
        theme = self._view.theme
        font, line = theme.font("corner"), theme.line_height("corner")
        lines = text.text.splitlines() or [text.text]
        metrics = QFontMetricsF(font)
        wide = max(metrics.horizontalAdvance(words) for words in lines)
        anchor = None if text.anchor is None else self._place([text.anchor], text.anchor_unit)[0]
        if text.box is not None:
            corners = self._place(text.box, text.box_unit)
            (left, top), (right, _) = corners.min(axis=0), corners.max(axis=0)
        else:
            assert anchor is not None  # a text has a box or an anchor
            left, top = anchor[0] + POINT_REACH, anchor[1] + POINT_REACH
            right = left + wide
        # Words that leave the viewport help nobody: the box moves in as far as it has to.
        room = self._view.model.size
        top = min(max(top, 2.0), max(room[1] - line * len(lines) - 2.0, 2.0))
        shift = min(max(left, 2.0), max(room[0] - wide - 2.0, 2.0)) - left
        left, right = left + shift, right + shift
        if anchor is not None and text.anchor_visible:
            near = (min(max(anchor[0], left), left + wide), min(max(anchor[1], top), top + line))
            stroke(self._painter, _line(np.array([anchor, near]), closed=False), ink)
        for row, words in enumerate(lines):
            own = metrics.horizontalAdvance(words)
            spare = {"CENTER": (right - left - own) / 2.0, "RIGHT": right - left - own}
            x = left + max(spare.get(text.justification, 0.0), 0.0)
            draw_outlined(self._painter, (x, top + row * line), words, font, ink)


def _rotated(points: FloatArray, graphic: Graphic) -> FloatArray:
    """Turn a compound graphic clockwise about its own point, or its middle."""
    about = np.asarray(graphic.rotation_point or points.mean(axis=0), dtype=np.float64)
    angle = math.radians(graphic.rotation)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned_: FloatArray = about + (points - about) @ turn.T
    return turned_


def _line(points: FloatArray, *, closed: bool) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(polygon(points))
    if closed:
        path.closeSubpath()
    return path


def _crosses(_graphic: Graphic, points: FloatArray) -> QPainterPath:
    path = QPainterPath()
    for point in points:
        add_cross(path, point, POINT_REACH)
    return path


def _pairs(_graphic: Graphic, points: FloatArray) -> QPainterPath:
    path = QPainterPath()
    for start in range(0, len(points) - 1, 2):
        path.addPolygon(polygon(points[start : start + 2]))
    return path


def _infinite(_graphic: Graphic, points: FloatArray) -> QPainterPath:
    along = points[-1] - points[0]
    length = float(np.hypot(*along))
    if not length:
        return QPainterPath()
    step = along / length * FAR
    return _line(np.array([points[0] - step, points[-1] + step]), closed=False)


def _arrow(_graphic: Graphic, points: FloatArray) -> QPainterPath:
    """Return a line with a head at its last point."""
    path = _line(points, closed=False)
    if len(points) < 2:
        return path
    tip, tail = points[-1], points[-2]
    along = math.atan2(tail[1] - tip[1], tail[0] - tip[0])
    for side in (-HEAD_ANGLE, HEAD_ANGLE):
        path.moveTo(QPointF(*tip))
        path.lineTo(QPointF(*tip) + HEAD * QPointF(math.cos(along + side), math.sin(along + side)))
    return path


def _rectangle(_graphic: Graphic, points: FloatArray) -> QPainterPath:
    if len(points) != 2:
        return _line(points, closed=True)
    (left, top), (right, bottom) = points
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return _line(corners, closed=True)


def _ruled(graphic: Graphic, points: FloatArray) -> QPainterPath:
    """Return a line with a tick at each end and at the places that the state names."""
    path = _line(points, closed=False)
    if len(points) < 2:
        return path
    along = points[-1] - points[0]
    length = float(np.hypot(*along)) or 1.0
    across = np.array([-along[1], along[0]]) / length * TICK
    for share in (0.0, 1.0, *(place for place, _ in graphic.ticks)):
        at = points[0] + share * along
        path.moveTo(QPointF(*(at - across)))
        path.lineTo(QPointF(*(at + across)))
    return path
