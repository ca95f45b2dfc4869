"""The focus ring: 2 px, with a 2 px gap, round whatever has the keyboard (QSS outlines have no gap)."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QTabBar,
    QWidget,
)
from shiboken6 import isValid

from viewer.views.theme import Theme

RINGED = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView, QTabBar, QScrollArea)
"""Widgets the ring is drawn round; viewports and the report text draw their own."""

OWN_FOCUS = "drawsOwnFocus"
"""Property of a widget of these kinds that draws its focus itself: a list rings its row."""

_MOVES = frozenset({QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide})


class _Ring(QWidget):
    """The drawn ring, a child of the window that holds the focused widget."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        width = self._theme.length("focus", "ring")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("focus"), width))
        radius = self._theme.length("radius", "button") + self._theme.length("focus", "gap") + 1
        inset = width / 2
        painter.drawRoundedRect(
            self.rect().toRectF().adjusted(inset, inset, -inset, -inset), radius, radius
        )
        painter.end()


class FocusRing(QObject):
    """Keeps the ring round the focused widget. One for the application.

    A button that was clicked shows no ring: the pointer already is where the eye is. Inputs always do.
    """

    def __init__(self, application: QApplication, theme: Theme) -> None:
        super().__init__(application)
        self._theme = theme
        self._target: QWidget | None = None
        self._ring: _Ring | None = None
        self._watched: list[QWidget] = []
        application.focusChanged.connect(self._focus_changed)

    @property
    def target(self) -> QWidget | None:
        """The widget with the ring, or none."""
        return self._target if self._ring is not None and self._ring.isVisible() else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self._place()
        return False

    def _watch(self, target: QWidget) -> None:
        """See the target and what it lies in move: only these, as every event seen costs time."""
        widget: QWidget | None = target
        while widget is not None:
            widget.installEventFilter(self)
            self._watched.append(widget)
            widget = None if widget.isWindow() else widget.parentWidget()

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        self._drop()
        if (
            not isinstance(new, RINGED)
            or new.property(OWN_FOCUS)
            or (
                isinstance(new, QAbstractButton)
                and QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
            )
        ):
            return
        self._target = new
        new.destroyed.connect(self._drop)
        ring = self._ring = _Ring(new.window(), self._theme)
        # The one before is destroyed later: it must not make this one forgotten.
        ring.destroyed.connect(lambda: self._forget_ring(ring))
        self._watch(new)
        self._place()

    def _place(self) -> None:
        if self._ring is None or self._target is None:
            return
        # A list fills its place up to what lies beside it: its ring lies on its own edge.
        fills = isinstance(self._target, QAbstractItemView)
        reach = 0 if fills else self._theme.length("focus", "ring") + self._theme.length("focus", "gap")
        window = self._target.window()
        if self._ring.parentWidget() is not window:
            self._ring.setParent(window)
        corner = self._target.mapTo(window, QPoint(0, 0))
        box = QRect(corner, self._target.size()).adjusted(-reach, -reach, reach, reach)
        self._ring.setGeometry(box)
        self._ring.setVisible(self._target.isVisible())
        self._ring.raise_()

    def _drop(self) -> None:
        self._target = None
        watched, self._watched = self._watched, []
        for widget in watched:
            if isValid(widget):
                widget.removeEventFilter(self)
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.hide()
            ring.deleteLater()

    def _forget_ring(self, ring: _Ring) -> None:
        if self._ring is ring:
            self._ring = None
