"""What an act is. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where an act applies: single keys act on the focused viewport only."""

    VIEWPORT = "viewport"
    REPORT = "report"
    WINDOW = "window"


@dataclass(frozen=True)
class Act:
    """One thing a person can do.

    Parameters
    ----------
    name
        Stable id: "viewport.invert". Palette, key bindings and audit use it.
    text
        What the person reads (translated by the Qt layer).
    keys
        Default shortcuts in Qt's portable text ("Ctrl+K"); empty when there is none.
    icon
        Name of a Phosphor icon in `resources/icons`, or empty.
    audited
        Whether doing it leaves an audit event.
    """

    name: str
    text: str
    scope: Scope
    group: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    audited: bool = False


def viewport_act(name: str, text: str, group: str, *keys: str, icon: str = "") -> Act:
    """Return an act of the focused viewport; its name begins with "viewport."."""
    return Act(f"viewport.{name}", text, Scope.VIEWPORT, group, keys, icon)
