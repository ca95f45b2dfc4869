"""Keys of the acts: the defaults of the table of acts, changed by what a reader has set, live."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

from viewer.acts import Act, Scope

DIGIT_ROW = {"linux": 10, "win32": 2}
"""Native scan code of the key 1 in the row of digits, by platform (X11 and Wayland: evdev 2 + 8)."""

SIGNS_OF_DIGITS = dict(zip("!@#$%^&*()", "1234567890", strict=True))
"""Signs over the digits of a US keyboard, where the platform does not tell which key it was."""


class Keymap(QObject):
    """The keys in force in this process: as set by the one person who is signed in.

    Signals
    -------
    changed()
        Some act has other keys from now on.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, tuple[str, ...]] = {}

    def change(self, own: Mapping[str, tuple[str, ...]]) -> None:
        """Take the keys of single acts by act name; all others have their default keys."""
        if dict(own) != self._own:
            self._own = dict(own)
            self.changed.emit()

    def keys_of(self, act: Act) -> tuple[str, ...]:
        """Return the keys of an act, in Qt's portable text; empty when it has none."""
        return self._own.get(act.name, act.keys)

    def key_of(self, act: Act) -> str:
        """Return the first key of an act, or empty."""
        return next(iter(self.keys_of(act)), "")


@cache
def keymap() -> Keymap:
    """Return the keys in force in this process."""
    return Keymap()


class KeyBindings:
    """Looks up the act of a key press; follows the keymap.

    Parameters
    ----------
    changed
        Keys of single acts by act name in place of the keymap's: a fixed set that follows nothing.
    """

    def __init__(
        self, acts: Iterable[Act], scope: Scope, changed: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self._table = tuple(act for act in acts if act.scope is scope)
        self._fixed = changed
        self._acts: dict[int, str] = {}
        self._read()
        if changed is None:
            keymap().changed.connect(self._read)

    def _read(self) -> None:
        of = keymap().keys_of if self._fixed is None else self._fixed_keys
        self._acts = {
            QKeySequence(key)[0].toCombined(): act.name for act in self._table for key in of(act)
        }

    def _fixed_keys(self, act: Act) -> tuple[str, ...]:
        return (self._fixed or {}).get(act.name, act.keys)

    def act_of(self, event: QKeyEvent) -> str | None:
        """Return the name of the act a key press stands for, or none."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        found = self._acts.get(event.key() | modifiers.value)
        if found is None and modifiers & Qt.KeyboardModifier.ShiftModifier:
            digit = shifted_digit(event)
            found = self._acts.get(ord(digit) | modifiers.value) if digit else None
        if found is None and is_sign(event):
            # Which modifier makes a plus depends on the keyboard's layout: the sign itself decides.
            found = self._acts.get(event.key())
        return found


def shifted_digit(event: QKeyEvent) -> str:
    """Return the digit of a key of the row of digits that was pressed with Shift, or empty.

    Qt names such a press by its sign, and which sign that is depends on the layout.
    """
    first = DIGIT_ROW.get(sys.platform)
    place = event.nativeScanCode() - first if first is not None and event.nativeScanCode() else -1
    if 0 <= place <= 9:
        return "1234567890"[place]
    return SIGNS_OF_DIGITS.get(chr(event.key()), "") if event.key() < 0x80 else ""


def is_sign(event: QKeyEvent) -> bool:
    """Return whether a press writes a sign that is neither letter nor digit nor space."""
    text = event.text()
    return len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()


def key_of_press(event: QKeyEvent) -> str:
    """Return the key of a press in portable text, as an act is bound to it; empty for none.

    A modifier alone is no key. A sign that needs Shift is written as the sign: "?".
    """
    if event.key() in (
        Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr,
        Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock, Qt.Key.Key_unknown, 0,
    ):  # fmt: skip
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = event.key()
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        digit = shifted_digit(event)
        if digit:
            key = ord(digit)
        elif is_sign(event):
            modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    return QKeySequence(key | modifiers.value).toString(QKeySequence.SequenceFormat.PortableText)
