"""Keys of the viewer's acts: the defaults of the table of acts, changed by what a reader has set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from viewer.acts import Act, Scope


class KeyBindings:
    """Looks up the act of a key press.

    Parameters
    ----------
    changed
        Keys of single acts as the reader set them, by act name; they replace the default keys.
    """

    def __init__(
        self, acts: Iterable[Act], scope: Scope, changed: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        own = changed or {}
        self._acts = {
            QKeySequence(key)[0].toCombined(): act.name
            for act in acts
            if act.scope is scope
            for key in own.get(act.name, act.keys)
        }

    def act_of(self, event: QKeyEvent) -> str | None:
        """Return the name of the act a key press stands for, or none."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        combined = event.key() | modifiers.value
        found = self._acts.get(combined)
        if found is None and event.text() in ("+", "=", "-"):
            # Which modifier makes a plus depends on the keyboard's layout: the sign itself decides.
            found = self._acts.get(event.key())
        return found
