"""Choosing how a study hangs (Ctrl+H), and keeping the present layout under a name (Ctrl+Shift+H)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.shell.hanging.rows import HELD, ProtocolRow, protocol_item
from app.shell.layers import Layer
from app.shell.widgets import PRIMARY, QUIET, ActButton, plain_label
from viewer.imaging.hanging import Hanging
from viewer.imaging.hanging_protocol import HangingProtocol
from viewer.views.theme import Theme

WIDTH, HEIGHT = 520, 460
"""Largest size of the chooser, logical pixels."""


class HangingChooser(Layer):
    """The protocols that fit the study, the best first, each with the reason."""

    chosen = Signal(object)
    """A Hanging."""
    keepWanted = Signal()
    editWanted = Signal()

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.setAccessibleName(self.tr("Hanging protocols"))
        column = QVBoxLayout(self)
        side = theme.length("space", "m")
        column.setContentsMargins(0, side, 0, side)
        column.setSpacing(theme.length("space", "s"))
        title = plain_label(self.tr("Hanging protocols that fit"), theme, step="name")
        title.setContentsMargins(side, 0, side, 0)
        column.addWidget(title)
        self.list = QListWidget()
        self.list.setItemDelegate(ProtocolRow(theme, self.list))
        self.list.setAccessibleName(self.tr("Hanging protocols that fit"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self._take)
        self.list.itemClicked.connect(self._take)
        column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.setContentsMargins(side, 0, side, 0)
        keep = ActButton(self.tr("Keep this layout"), theme, key="Ctrl+Shift+H")
        keep.clicked.connect(self._keep)
        edit = ActButton(self.tr("Edit"), theme, kind=QUIET)
        edit.clicked.connect(self._edit)
        row.addWidget(keep)
        row.addWidget(edit)
        row.addStretch(1)
        column.addLayout(row)

    def ask(self, hangings: Sequence[Hanging], current: HangingProtocol | None, over: QWidget) -> None:
        """Show the list over the upper left of the images; the present protocol is chosen."""
        self.list.clear()
        for hanging in hangings:
            protocol = hanging.protocol
            item = protocol_item(protocol, hanging.reason, hanging)
            self.list.addItem(item)
            if protocol == current:
                self.list.setCurrentItem(item)
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)
        window = self.parentWidget()
        corner = over.mapTo(window, over.rect().topLeft())
        rows = min(max(len(hangings), 3), 6) * self.list.sizeHintForRow(0)
        height = min(rows + self.theme.px(110), self.theme.px(HEIGHT), over.height())
        width = min(self.theme.px(WIDTH), over.width())
        self.setGeometry(corner.x() + self.theme.px(8), corner.y() + self.theme.px(8), width, height)
        self.open()
        self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _take(self, item: QListWidgetItem) -> None:
        hanging = item.data(HELD)
        self.dismiss()
        self.chosen.emit(hanging)

    def _keep(self) -> None:
        self.dismiss()
        self.keepWanted.emit()

    def _edit(self) -> None:
        self.dismiss()
        self.editWanted.emit()


class LayoutName(Layer):
    """Asks under which name the present layout is kept, and says for which studies it will be."""

    named = Signal(str)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window)
        self.setAccessibleName(self.tr("Keep this layout as hanging protocol"))
        side = theme.length("space", "l")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, side, side, side)
        column.setSpacing(theme.length("space", "s"))
        column.addWidget(plain_label(self.tr("Keep this layout as"), theme, step="name"))
        self.field = QLineEdit()
        self.field.setMaxLength(80)
        self.field.setAccessibleName(self.tr("Name of the hanging protocol"))
        self.field.textChanged.connect(lambda _words: self._check())
        column.addWidget(self.field)
        self.rule = plain_label("", theme, step="note", tone="2", wraps=True)
        column.addWidget(self.rule)
        row = QHBoxLayout()
        row.addStretch(1)
        cancel = ActButton(self.tr("Cancel"), theme, kind=QUIET)
        cancel.clicked.connect(self.dismiss)
        self.button = ActButton(self.tr("Keep"), theme, kind=PRIMARY, key="Return")
        self.button.clicked.connect(self._accept)
        row.addWidget(cancel)
        row.addWidget(self.button)
        column.addLayout(row)

    def ask(self, name: str, rule: str, over: QWidget) -> None:
        """Propose a name; `rule` says in words for which studies."""
        self.field.setText(name)
        self.rule.setText(rule)
        window = self.parentWidget()
        corner = over.mapTo(window, over.rect().topLeft())
        width = min(self.theme.px(420), over.width())
        self.setFixedWidth(width)
        self.adjustSize()
        self.move(corner.x() + self.theme.px(8), corner.y() + self.theme.px(8))
        self.open()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        self._check()

    def _check(self) -> None:
        self.button.set_reason("" if self.field.text().strip() else self.tr("Give it a name."))

    def _accept(self) -> None:
        name = self.field.text().strip()
        if name:
            self.dismiss()
            self.named.emit(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._accept()
        else:
            super().keyPressEvent(event)
