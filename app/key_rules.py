"""Which key may do what: how a key is written, which are taken, which a text needs. No Qt.

Keys are written as Qt's portable text ("Ctrl+Shift+M"), single strokes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from viewer.acts import Act, Scope

MODIFIERS = ("Meta", "Ctrl", "Alt", "Shift")
"""Modifiers in the order in which Qt writes them."""

NAMED_KEYS = {
    name.lower(): name
    for name in (
        "Esc", "Tab", "Backtab", "Backspace", "Return", "Enter", "Ins", "Del", "Home", "End",
        "Left", "Up", "Right", "Down", "PgUp", "PgDown", "Space", "Pause", "Menu",
        *(f"F{number}" for number in range(1, 25)),
    )
}  # fmt: skip
NAMED_KEYS |= {
    "escape": "Esc",
    "delete": "Del",
    "insert": "Ins",
    "pageup": "PgUp",
    "pagedown": "PgDown",
}
"""Keys with a name, as Qt writes them, by lower case and by the other names people use."""

RESERVED = {
    "Esc": "Esc closes what is open and ends what runs.",
    "Tab": "Tab moves the keyboard from part to part.",
    "Backtab": "Tab moves the keyboard from part to part.",
    "Return": "Enter confirms, finishes a drawing and begins a new line.",
    "Enter": "Enter confirms, finishes a drawing and begins a new line.",
}
"""Keys that, without Ctrl or Alt, always do the same, with the reason in words."""

MOVING_KEYS = frozenset(
    {"Left", "Right", "Up", "Down", "Home", "End", "PgUp", "PgDown", "Backspace", "Del", "Ins", "Space"}
)
EDITING_LETTERS = frozenset("ACVXZY")
"""With Ctrl: select all, copy, paste, cut, undo, redo."""

NOT_A_KEY = "This is not a key: write one stroke, such as Ctrl+Shift+M."
TEXT_NEEDS_IT = "A text needs this key while it is written."
FUNCTION_KEYS = frozenset(f"F{number}" for number in range(1, 25))


@dataclass(frozen=True)
class Conflict:
    """Two acts that want one key; only the first would be done."""

    key: str
    first: Act
    second: Act


def normal_key(text: str) -> str:
    """Return a key in Qt's portable text, or empty when it is none."""
    rest = text.strip()
    found: set[str] = set()
    while "+" in rest[:-1]:
        head, _, tail = rest.partition("+")
        name = head.strip().capitalize()
        if name not in MODIFIERS or not tail:
            return ""
        found.add(name)
        rest = tail.strip()
    key = NAMED_KEYS.get(rest.lower(), _written(rest) if len(rest) == 1 and rest.isprintable() else "")
    if not key:
        return ""
    if key == "Tab" and "Shift" in found:
        key = "Backtab"
        found.discard("Shift")
    return "+".join([name for name in MODIFIERS if name in found] + [key])


def _written(sign: str) -> str:
    """Return a sign as Qt writes its key: a capital letter, where there is a single one."""
    return sign.upper() if len(sign.upper()) == 1 else sign


def _parts(key: str) -> tuple[frozenset[str], str]:
    """Return modifiers and key of a key in normal form."""
    if key.endswith("+"):
        return frozenset(part for part in key[:-1].split("+") if part), "+"
    *modifiers, name = key.split("+")
    return frozenset(modifiers), name


def same_stroke(key: str) -> str:
    """Return what two keys share that a hand cannot tell apart: both Enter keys are one."""
    return normal_key(key).replace("Enter", "Return")


def text_needs(key: str) -> bool:
    """Return whether a text editor needs a key in normal form."""
    modifiers, name = _parts(key)
    if name in FUNCTION_KEYS or "Meta" in modifiers or "Alt" in modifiers:
        return False
    if "Ctrl" not in modifiers:
        return True
    return name in MOVING_KEYS or ("Shift" not in modifiers and name in EDITING_LETTERS)


def why_refused(act: Act, key: str) -> str:
    """Return in words why an act can't have a key, or empty when it can. Its default keys it can."""
    normal = normal_key(key)
    if not normal:
        return NOT_A_KEY
    if normal in {normal_key(own) for own in act.keys}:
        return ""
    modifiers, name = _parts(normal)
    if name in RESERVED and not modifiers & {"Ctrl", "Alt", "Meta"}:
        return RESERVED[name]
    if act.scope is not Scope.VIEWPORT and text_needs(normal):
        return TEXT_NEEDS_IT
    return ""


def conflicts(acts: Iterable[Act], keys: Mapping[str, tuple[str, ...]]) -> tuple[Conflict, ...]:
    """Return every pair of acts that want the same key, in table order.

    A key of the viewport conflicts with one of the window too: the window takes it first, so that
    the viewport never sees it.

    Parameters
    ----------
    keys
        Keys in force by act name; an act that is not named has its default keys.
    """
    owners: dict[str, Act] = {}
    found: list[Conflict] = []
    for act in acts:
        for key in dict.fromkeys(same_stroke(one) for one in keys.get(act.name, act.keys)):
            owner = owners.setdefault(key, act)
            if owner is not act:
                found.append(Conflict(key, owner, act))
    return tuple(found)


def owner_of(
    key: str, acts: Iterable[Act], keys: Mapping[str, tuple[str, ...]], *, besides: str = ""
) -> Act | None:
    """Return the act that has a key, leaving one act out; none when it is free."""
    wanted = same_stroke(key)
    return next(
        (
            act
            for act in acts
            if act.name != besides
            and wanted in {same_stroke(one) for one in keys.get(act.name, act.keys)}
        ),
        None,
    )
