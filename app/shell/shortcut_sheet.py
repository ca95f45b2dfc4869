"""The sheet of all keys (?), built from the same tables of acts as everything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.shell.act_binding import act_group, act_text
from app.shell.command_palette import matches
from app.shell.layers import Layer, Scrim
from app.shell.widgets import close_button, key_cap, plain_label, rule
from viewer.acts import Act
from viewer.views.key_bindings import keymap
from viewer.views.theme import Theme

COLUMN = 270
"""Least width of a column of keys, logical pixels."""

MOST_COLUMNS = 6
LARGEST = (1840, 960)
"""Width and height that the sheet takes where the window has them, logical pixels."""


def keyed_groups(acts: Iterable[Act], query: str = "") -> dict[str, list[Act]]:
    """Return the acts that have a key, by group in table order, as far as they match the query."""
    groups: dict[str, list[Act]] = {}
    for act in acts:
        keys = keymap().keys_of(act)
        if keys and matches(f"{act_text(act)} {' '.join(keys)} {act_group(act)}", query):
            groups.setdefault(act.group, []).append(act)
    return groups


class ShortcutSheet(Layer):
    """Keys by group in columns, with a search field."""

    def __init__(self, theme: Theme, window: QWidget, acts: Sequence[Act]) -> None:
        super().__init__(theme, window)
        self._acts = tuple(acts)
        self._scrim = Scrim(window)
        self.setAccessibleName(self.tr("All keys"))
        side = theme.length("space", "xl")
        column = QVBoxLayout(self)
        column.setContentsMargins(side, theme.length("space", "l"), side, theme.length("space", "l"))
        column.setSpacing(theme.length("space", "l"))
        head = QHBoxLayout()
        head.setSpacing(theme.length("space", "l"))
        head.addWidget(plain_label(self.tr("Keys"), theme, step="dialog"))
        head.addWidget(plain_label(self.tr("Single keys act on the active viewport."), theme, tone="2"))
        head.addStretch(1)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Find a key or an action"))
        self.field.setAccessibleName(self.tr("Find a key or an action"))
        self.field.setFixedWidth(theme.px(260))
        self.field.textChanged.connect(self._fill)
        head.addWidget(self.field)
        head.addWidget(close_button(theme, self.dismiss))
        column.addLayout(head)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setAccessibleName(self.tr("Keys by group"))
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._area, 1)

    def open(self) -> None:
        """Show the sheet in the middle of the window."""
        window = self.window()
        margin = self.theme.px(48)
        width = min(window.width() - margin, self.theme.px(LARGEST[0]))
        height = min(window.height() - margin, self.theme.px(LARGEST[1]))
        self.setGeometry((window.width() - width) // 2, (window.height() - height) // 2, width, height)
        self._scrim.setGeometry(window.rect())
        self._scrim.show()
        self._scrim.raise_()
        super().open()
        self.field.clear()
        self._fill()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Close the sheet."""
        self._scrim.hide()
        super().dismiss()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Question:
            self.dismiss()
            return
        super().keyPressEvent(event)

    def _fill(self) -> None:
        theme = self.theme
        body = QWidget()
        body.setProperty("ground", "raised")
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, theme.length("space", "m"), 0)
        row.setSpacing(theme.length("space", "xl"))
        groups = keyed_groups(self._acts, self.field.text())
        count = max(1, min(MOST_COLUMNS, self.width() // theme.px(COLUMN)))
        for part in _columns(groups, count):
            column = QVBoxLayout()
            column.setSpacing(theme.length("space", "l"))
            for name in part:
                column.addLayout(self._group(name, groups[name]))
            column.addStretch(1)
            row.addLayout(column, 1)
        if not groups:
            row.addWidget(plain_label(self.tr("Nothing has this name"), theme, tone="2"))
        self._area.setWidget(body)

    def _group(self, name: str, acts: Sequence[Act]) -> QGridLayout:
        theme = self.theme
        grid = QGridLayout()
        grid.setVerticalSpacing(theme.px(5))
        grid.setColumnStretch(0, 1)
        grid.addWidget(plain_label(act_group(acts[0]), theme, step="name"), 0, 0, 1, 2)
        grid.addWidget(rule(), 1, 0, 1, 2)
        for number, act in enumerate(acts, start=2):
            grid.addWidget(plain_label(act_text(act), theme, tone="2", wraps=True), number, 0)
            keys = QHBoxLayout()
            keys.setSpacing(theme.length("space", "xs"))
            for key in keymap().keys_of(act):
                keys.addWidget(key_cap(key, theme))
            grid.addLayout(keys, number, 1, Qt.AlignmentFlag.AlignRight)
        return grid


def _columns(groups: dict[str, list[Act]], count: int) -> list[list[str]]:
    """Share groups over columns in their order, so that the columns are about equally long."""
    sizes = {name: len(acts) + 3 for name, acts in groups.items()}
    limit = sum(sizes.values()) / count
    columns: list[list[str]] = [[]]
    filled = 0.0
    for name, size in sizes.items():
        if columns[-1] and filled + size / 2 > limit * len(columns) and len(columns) < count:
            columns.append([])
        columns[-1].append(name)
        filled += size
    return columns
