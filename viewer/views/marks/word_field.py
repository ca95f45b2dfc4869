"""A field over the image for the words or the name of a mark."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from viewer.views.theme import Theme

LONGEST = 200
"""Characters of a text or a name."""

WIDE = 200
"""Width of the field in logical pixels."""


class WordField(QLineEdit):
    """One line to write in; Return or a click elsewhere keeps it, Escape does not.

    Parameters
    ----------
    keep
        Takes the words.
    closed
        Called when the field is gone, kept or not.
    """

    def __init__(  # noqa: PLR0917 - built in one place
        self,
        view: QWidget,
        theme: Theme,
        mark_id: str,
        words: str,
        keep: Callable[[str], None],
        closed: Callable[[], None],
    ) -> None:
        super().__init__(words, view)
        self.mark_id = mark_id
        self._keep: Callable[[str], None] | None = keep
        self._closed = closed
        self.setFont(theme.font("corner"))
        self.setMaxLength(LONGEST)
        self.setFixedWidth(theme.px(WIDE))
        self.setAccessibleName(self.tr("Words of the mark"))
        self.setStyleSheet(
            f"QLineEdit {{ background: {theme.colour('raised').name()};"
            f" color: {theme.colour('mark').name()}; border: 1px solid"
            f" {theme.colour('control').name()}; padding: 1px 3px; }}"
        )
        self.selectAll()
        self.returnPressed.connect(self.close_kept)

    def open_at(self, place: QPoint) -> None:
        """Show the field with its left edge at a point of the viewport, inside it."""
        view = self.parentWidget()
        size = self.sizeHint()
        left = max(0, min(place.x(), view.width() - self.width()))
        top = max(0, min(place.y() - size.height() // 2, view.height() - size.height()))
        self.move(left, top)
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_kept(self) -> None:
        """Keep the words and go."""
        self._close(self.text().strip())

    def close_unsaved(self) -> None:
        """Go; the words are as they were."""
        self._close(None)

    def _close(self, words: str | None) -> None:
        keep, self._keep = self._keep, None
        if keep is None:
            return
        if self.hasFocus():
            self.parentWidget().setFocus(Qt.FocusReason.OtherFocusReason)
        self.hide()
        self.deleteLater()
        self._closed()
        if words is not None:
            keep(words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_unsaved()
            return
        super().keyPressEvent(event)
        # what the field has no use for is no act of the viewport behind it
        event.accept()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.close_kept()
