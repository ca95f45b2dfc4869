"""Qt's mouse events as the table of the mouse knows them (`viewer.views.mouse`)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from viewer.views.mouse import Button

BUTTONS: dict[Qt.MouseButton, Button] = {
    Qt.MouseButton.LeftButton: Button.LEFT,
    Qt.MouseButton.MiddleButton: Button.MIDDLE,
    Qt.MouseButton.RightButton: Button.RIGHT,
}


def held_keys(event: QMouseEvent | QWheelEvent) -> dict[str, bool]:
    """Return which modifiers of the mouse table are held."""
    held = event.modifiers()
    return {
        "ctrl": bool(held & Qt.KeyboardModifier.ControlModifier),
        "shift": bool(held & Qt.KeyboardModifier.ShiftModifier),
    }
