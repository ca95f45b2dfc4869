"""Layers over the window: the scrim behind a dialog, and the frame of palette and key sheet."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QWidget

from viewer.views.theme import Theme

SCRIM_OPACITY = 0.6
"""How dark the window gets behind signing and the key sheet, the only two that dim it."""


class Scrim(QWidget):
    """Dims a window while a dialog or the key sheet is over it, and keeps the pointer out."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget():
            self.setGeometry(self.parentWidget().rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, round(255 * SCRIM_OPACITY)))
        painter.end()


class Layer(QFrame):
    """A card over a window that Esc closes; the focus goes back to where it was."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self.theme = theme
        self._before: QWidget | None = None
        self.setObjectName("layer")
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(theme.px(24))
        shadow.setOffset(0, theme.px(6))
        shadow.setColor(QColor(0, 0, 0, 160))
        self.setGraphicsEffect(shadow)
        self.hide()

    def open(self) -> None:
        """Show the layer on top and remember who had the focus."""
        self._before = self.window().focusWidget()
        self.show()
        self.raise_()

    def dismiss(self) -> None:
        """Close the layer; the focus goes back."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus(Qt.FocusReason.OtherFocusReason)
            self._before = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)
