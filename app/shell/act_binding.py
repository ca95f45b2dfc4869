"""Binds acts of the tables to a window: shortcut, enabled state and what is done, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from viewer.acts import Act


def act_text(act: Act) -> str:
    """Return the act's words in the reader's language."""
    return QCoreApplication.translate("Act", act.text)


def bind_acts(
    window: QWidget,
    acts: Iterable[Act],
    perform: Callable[[str], object],
    *,
    context: Qt.ShortcutContext = Qt.ShortcutContext.WindowShortcut,
) -> dict[str, QAction]:
    """Add an action for each act to a window; `perform` is called with the act's name."""
    bound: dict[str, QAction] = {}
    for act in acts:
        action = QAction(act_text(act), window)
        action.setObjectName(act.name)
        action.setShortcuts([QKeySequence(key) for key in act.keys])
        action.setShortcutContext(context)
        action.triggered.connect(lambda _checked=False, name=act.name: perform(name))
        window.addAction(action)
        bound[act.name] = action
    return bound


def keys_of(acts: Iterable[Act]) -> frozenset[str]:
    """Return all default shortcuts of some acts."""
    return frozenset(key for act in acts for key in act.keys)
