"""What else a keyboard alone needs: the parts of a page in turn, and columns sorted without a mouse."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHeaderView, QWidget


def first_in(part: QWidget) -> QWidget | None:
    """Return what takes the keyboard in a part of a page: itself, else its first control; or none."""
    if part.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return part
    found = part.nextInFocusChain()
    while found is not part:
        usable = found.isVisibleTo(part) and found.isEnabled()
        if part.isAncestorOf(found) and usable and found.focusPolicy() & Qt.FocusPolicy.TabFocus:
            return found
        found = found.nextInFocusChain()
    return None


def focus_next_of(parts: Sequence[QWidget]) -> None:
    """Give the keyboard to the part after the one that has it, in whichever window it is."""
    usable = [part for part in parts if part.isVisible() and first_in(part) is not None]
    if not usable:
        return
    now = QApplication.focusWidget()
    holders = [
        number
        for number, part in enumerate(usable)
        if now is not None and (part is now or part.isAncestorOf(now))
    ]
    there = first_in(usable[(holders[0] + 1) % len(usable)] if holders else usable[0])
    assert there is not None
    there.activateWindow()
    there.setFocus(Qt.FocusReason.TabFocusReason)


class SortByKeys(QObject):
    """Lets a header of columns be reached by Tab: arrows choose the column, Space turns the order."""

    def __init__(self, header: QHeaderView) -> None:
        super().__init__(header)
        self._header = header
        header.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        words = "Columns: left and right choose the one to sort by, Space turns the order"
        header.setAccessibleName(QCoreApplication.translate("SortByKeys", words))
        header.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        header, order = self._header, self._header.sortIndicatorOrder()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self._step(steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            falls = order is Qt.SortOrder.AscendingOrder
            turned = Qt.SortOrder.DescendingOrder if falls else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(header.sortIndicatorSection(), turned)
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        header = self._header
        order = [header.logicalIndex(place) for place in range(header.count())]
        shown = [section for section in order if not header.isSectionHidden(section)]
        here = header.sortIndicatorSection()
        place = shown.index(here) if here in shown else 0
        header.setSortIndicator(
            shown[min(max(place + by, 0), len(shown) - 1)], header.sortIndicatorOrder()
        )
