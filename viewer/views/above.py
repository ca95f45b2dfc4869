"""A widget with thin rows above it that are there only while they are needed."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget


class Above(QWidget):
    """Keeps a widget in the room that the rows above it leave."""

    def __init__(self, kept: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(kept, 1)
        self._rows = 0

    def add(self, row: QWidget) -> None:
        """Put a row under those that are there."""
        self._column.insertWidget(self._rows, row)
        self._rows += 1
