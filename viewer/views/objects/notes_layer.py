"""What a reader has to know of the objects over an image: the state applied, what does not fit."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.placing import Misaligned
from viewer.views.layers import Layer, LayerOrder
from viewer.views.objects.applying import label_of
from viewer.views.objects.board import ObjectsBoard
from viewer.views.objects.presentation_layer import presented_frame
from viewer.views.stack_view import StackView
from viewer.views.viewport_state import FloatArray

MOST_NOTES = 3
"""Notes on one image; more would hide it."""

WIDEST = 0.6
"""Share of the viewport's width that a note takes."""


def tr(text: str) -> str:
    """Translate a note."""
    return QCoreApplication.translate("ObjectNotes", text)


class NotesLayer(Layer):
    """Draws notes in the upper middle: the words of the corners stay readable."""

    order: ClassVar[LayerOrder] = LayerOrder.GRAPHICS

    def __init__(self, view: StackView, board: ObjectsBoard) -> None:
        super().__init__(view)
        self._board = board

    def notes(self) -> list[str]:
        """Return the notes in words, the most important first."""
        model, board = self.view.model, self._board
        stack = model.stack
        if stack is None:
            return []
        found = []
        state = board.state_of(self.view)
        if state is not None:
            words = tr("Presentation state: {name}")
            if presented_frame(self.view, board) is None:
                words = tr("Presentation state {name}: not for this image")
            found.append(words.format(name=label_of(state)))
        shapes = board.shown_shapes()
        has_lines = any(isinstance(content, StructureSetContent) for content, _ in shapes)
        if not board.graphics and (state is not None or has_lines):
            found.append(tr("Graphics of others are hidden"))
        for content, _ in shapes:
            laid = board.laid(content, stack)
            name = content.about.label or content.about.description or content.about.what
            note = laid.reason if isinstance(laid, Misaligned) else laid.badge
            if note:
                found.append(f"{name}: {note}")
        return found[:MOST_NOTES]

    def paint(self, painter: QPainter, matrix: FloatArray) -> None:
        """Draw each note in a frame of its own."""
        notes, theme = self.notes(), self.view.theme
        if not notes:
            return
        font, high = theme.font("badge"), theme.length("row", "badge")
        metrics, pad = QFontMetricsF(font), theme.px(6)
        wide, _ = self.view.model.size
        top = theme.value("viewport", "margin") + 2 * theme.line_height("letter")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        for words in notes:
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, WIDEST * wide)
            width = round(metrics.horizontalAdvance(shown)) + 2 * pad
            place = QRectF(round((wide - width) / 2), top, width, high)
            radius = theme.length("radius", "badge")
            painter.setPen(QPen(theme.colour("control"), 1))
            painter.setBrush(theme.colour("image"))
            painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
            painter.setPen(theme.colour("text"))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, shown)
            top += high + theme.px(3)
