"""Drives the three planes with the mouse, and reads where they stand."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from viewer.views.reformat.plane_view import PlaneView
from viewer.views.reformat.planes import PlaneName
from viewer.views.reformat.workspace import MprWorkspace

AXIAL, CORONAL, SAGITTAL = PlaneName
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drag(
    view: QWidget,
    start: tuple[float, float],
    end: tuple[float, float],
    button: Qt.MouseButton = LEFT,
    keys: Qt.KeyboardModifier = NONE,
) -> None:
    """Press, move in three steps, and release."""
    points = [
        QPoint(
            round(start[0] + (end[0] - start[0]) * part), round(start[1] + (end[1] - start[1]) * part)
        )
        for part in (0.0, 0.4, 0.8, 1.0)
    ]
    QTest.mousePress(view, button, keys, points[0])
    for point in points[1:]:
        QTest.mouseMove(view, point)
        QApplication.processEvents()
    QTest.mouseRelease(view, button, keys, points[-1])


def wheel(view: QWidget, notches: int, keys: Qt.KeyboardModifier = NONE) -> None:
    """Turn the wheel over the middle of a view."""
    middle = QPointF(view.rect().center())
    event = QWheelEvent(
        middle,
        view.mapToGlobal(middle),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def crosshair(workspace: MprWorkspace) -> np.ndarray:
    """The place where the planes cross."""
    assert workspace.scene.state is not None
    return np.asarray(workspace.scene.state.crosshair)


def middle_of(view: PlaneView) -> tuple[float, float]:
    """Where the crosshair stands in a view."""
    frame = view.frame()
    assert frame is not None and view.scene.state is not None
    x, y = frame.to_widget([view.scene.state.crosshair])[0].tolist()
    return x, y
