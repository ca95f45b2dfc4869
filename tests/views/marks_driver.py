"""Drives marks on a viewport with the mouse, and reads what became of them."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.volume import ImageStack
from viewer.views.marks.board import MarkBoard
from viewer.views.marks.layer import MarksLayer
from viewer.views.viewport import ImageViewport

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
SHIFT, NONE = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
POSITIONS = list(itertools.product(range(4), (False, True)))


def layer_of(viewport: ImageViewport) -> MarksLayer:
    (layer,) = viewport.layers
    assert isinstance(layer, MarksLayer)
    return layer


def at(viewport: ImageViewport, column: float, row: float) -> QPoint:
    x, y = viewport.model.to_widget((column, row))
    return QPoint(round(x), round(y))


def move(viewport: ImageViewport, point: QPoint) -> None:
    """Move the mouse: the X server's own events arrive when they like."""
    place, none = QPointF(point), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, place, viewport.mapToGlobal(place), none, none, NONE)
    QApplication.sendEvent(viewport, event)


def drag(
    viewport: ImageViewport,
    start: tuple[float, float],
    *way: tuple[float, float],
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    QTest.mousePress(viewport, LEFT, keys, at(viewport, *start))
    for point in way:
        move(viewport, at(viewport, *point))
    QTest.mouseRelease(viewport, LEFT, keys, at(viewport, *way[-1]))


def click(viewport: ImageViewport, *points: tuple[float, float]) -> None:
    for point in points:
        move(viewport, at(viewport, *point))
        QTest.mouseClick(viewport, LEFT, NONE, at(viewport, *point))


def reach(viewport: ImageViewport) -> float:
    """The mouse hits whole widget pixels: within half of one, in image pixels."""
    return 0.75 / viewport.model.scale()


def only(board: MarkBoard) -> Mark:
    (mark,) = board.marks
    return mark


def value_of(mark: Mark, concept: object) -> float:
    return next(value.value for value in mark.values if value.concept == concept)


def make(stack: ImageStack, kind: MarkKind, *points: tuple[float, float], **fields: object) -> Mark:
    """A mark on the fifth image."""
    series = stack.series
    return Mark(
        kind=kind,
        points=points,
        series_instance_uid=series.series_instance_uid,
        series_key=series.key,
        sop_instance_uid=series.instances[4].sop_instance_uid,
        **fields,  # type: ignore[arg-type]
    )
