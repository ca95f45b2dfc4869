"""Binds acts of the tables to a window: shortcut, enabled state and what is done, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.acts import REPORT_ACTS, WINDOW_ACTS
from viewer.acts import VIEWER_ACTS, Act
from viewer.views.key_bindings import keymap

ACTS: tuple[Act, ...] = (*REPORT_ACTS, *VIEWER_ACTS, *WINDOW_ACTS)
"""Every act of the program."""

_BY_NAME = {act.name: act for act in ACTS}


def act_text(act: Act) -> str:
    """Return the act's words in the reader's language."""
    return QCoreApplication.translate("Act", act.text)


def act_group(act: Act) -> str:
    """Return the name of the act's group in the reader's language."""
    return QCoreApplication.translate("Act", act.group)


def act_of(name: str) -> Act:
    """Return an act by its name."""
    return _BY_NAME[name]


def key_of(name: str) -> str:
    """Return the first key in force of an act, or empty."""
    return keymap().key_of(_BY_NAME[name])


class KeyFollower(QObject):
    """Shows the keys in force: now and whenever they change, as long as its owner lives."""

    def __init__(self, owner: QObject, show: Callable[[], object]) -> None:
        super().__init__(owner)
        self._show = show
        keymap().changed.connect(self._changed)
        show()

    def _changed(self) -> None:
        self._show()


def bind_acts(
    window: QWidget,
    acts: Iterable[Act],
    perform: Callable[[str], object],
    *,
    context: Qt.ShortcutContext = Qt.ShortcutContext.WindowShortcut,
) -> dict[str, QAction]:
    """Add an action for each act to a window; `perform` is called with the act's name.

    The actions have the keys in force, also when these change.
    """
    bound: dict[str, QAction] = {}
    table = tuple(acts)
    for act in table:
        action = QAction(act_text(act), window)
        action.setObjectName(act.name)
        action.setShortcutContext(context)
        action.triggered.connect(lambda _checked=False, name=act.name: perform(name))
        window.addAction(action)
        bound[act.name] = action

    def show() -> None:
        for act in table:
            bound[act.name].setShortcuts([QKeySequence(key) for key in keymap().keys_of(act)])

    KeyFollower(window, show)
    return bound


def keys_of(acts: Iterable[Act]) -> frozenset[str]:
    """Return all shortcuts of some acts that are in force."""
    return frozenset(key for act in acts for key in keymap().keys_of(act))
