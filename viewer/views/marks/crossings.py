"""Where marks that were drawn on oblique planes cross an image: lines that lie on it, else points.

Such a mark lies on no image. On one that it crosses it is seen dashed and is not changed there; the
planes are where it is drawn anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.marks import Mark
from viewer.imaging.marks_geometry import Line, lines_of
from viewer.imaging.marks_plane import flattened
from viewer.views.marks.paint import HALO, colour_of
from viewer.views.theme import Theme
from viewer.views.viewport_state import FloatArray, transform

CROSS = 4.0
"""Half the size of the cross where a line goes through the image, widget pixels."""

DASHES = [4.0, 3.0]
"""In widths of the line."""


def crossings(mark: Mark, plane: ImagePlane, reach: float) -> list[Line]:
    """Return where a mark in the patient crosses an image, in its points (column, row).

    Parameters
    ----------
    reach
        How far from the image in mm a line still lies on it: then it is there as a whole. Of another
        one there are the points in which it goes through; two points of an outline are joined.
    """
    assert mark.plane is not None, "a mark in the patient has a plane"
    axes = np.stack([mark.plane.row_cosines, mark.plane.column_cosines])
    found: list[Line] = []
    for flat, closed in lines_of(flattened(mark)):
        places = np.asarray(mark.plane.origin) + flat @ axes
        away = places @ plane.normal - plane.offset
        if float(np.abs(away).max()) <= reach:
            found.append((plane.patient_to_pixel(places), closed))
            continue
        through = _through(places, away, closed=closed)
        if not len(through):
            continue
        points = plane.patient_to_pixel(through)
        if closed and len(points) == 2:
            found.append((points, False))
        else:
            found.extend((point[None], False) for point in points)
    return found


def _through(places: FloatArray, away: FloatArray, *, closed: bool) -> FloatArray:
    """Return the places, (n, 3), in which a line goes from one side to the other."""
    ahead, beyond = np.roll(places, -1, axis=0), np.roll(away, -1)
    crossing = (away < 0) != (beyond < 0)
    if not closed:
        crossing[-1] = False
    share = (away[crossing] / (away[crossing] - beyond[crossing]))[:, None]
    found: FloatArray = places[crossing] + share * (ahead[crossing] - places[crossing])
    return found


def paint_crossings(
    painter: QPainter, found: Iterable[tuple[Mark, list[Line]]], matrix: FloatArray, theme: Theme
) -> None:
    """Draw marks dashed where they cross the image."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mark, lines in found:
        under, pen = QPen(HALO, 3.0), QPen(colour_of(mark, theme), 1.5)
        pen.setDashPattern(DASHES)
        for points, closed in lines:
            placed = [QPointF(x, y) for x, y in transform(matrix, points).tolist()]
            for each in (under, pen):
                painter.setPen(each)
                if len(placed) == 1:
                    _cross(painter, placed[0])
                elif closed:
                    painter.drawPolygon(QPolygonF(placed))
                else:
                    painter.drawPolyline(QPolygonF(placed))


def _cross(painter: QPainter, middle: QPointF) -> None:
    for across, down in ((CROSS, CROSS), (CROSS, -CROSS)):
        step = QPointF(across, down)
        painter.drawLine(QLineF(middle - step, middle + step))
