"""What the mouse does in a viewport, as data: button or wheel with modifiers -> tool or step. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from viewer.acts import Tool


class Button(Enum):
    """Mouse buttons that drag."""

    LEFT = "Left"
    MIDDLE = "Middle"
    RIGHT = "Right"


class WheelStep(StrEnum):
    """What a notch of the wheel does."""

    SCROLL = "scroll"
    SCROLL_TEN = "scroll_ten"
    ZOOM = "zoom"
    NOTHING = "nothing"


CHOSEN = "tool"
"""Value of a drag that does what the chosen tool does."""

START = "Start"
"""Pseudo input: the tool that is chosen when somebody signs in, which the left button then uses."""

DRAG_CHOICES: tuple[str, ...] = (CHOSEN, Tool.SCROLL, Tool.WINDOW, Tool.ZOOM, Tool.PAN)
WHEEL_CHOICES: tuple[str, ...] = tuple(WheelStep)

MOUSE_DEFAULTS: dict[str, str] = {
    START: Tool.SCROLL,
    "Ctrl+Left": CHOSEN,
    "Shift+Left": CHOSEN,
    "Middle": Tool.PAN,
    "Ctrl+Middle": Tool.PAN,
    "Right": Tool.ZOOM,
    "Ctrl+Right": Tool.ZOOM,
    "Shift+Right": Tool.ZOOM,
    "Wheel": WheelStep.SCROLL,
    "Ctrl+Wheel": WheelStep.ZOOM,
    "Shift+Wheel": WheelStep.SCROLL,
}
"""Every input that can be set, with what it does when nobody set it. Left alone: the chosen tool."""


def mouse_choices(wanted: str) -> tuple[str, ...]:
    """Return what an input can do."""
    if wanted == START:
        return DRAG_CHOICES[1:]
    return WHEEL_CHOICES if wanted.endswith("Wheel") else DRAG_CHOICES


class MouseBindings:
    """What the mouse does now; changed while panes live, so each asks at every press."""

    def __init__(self, changed: Mapping[str, str] | None = None) -> None:
        self._own: dict[str, str] = {}
        self.change(changed or {})

    def change(self, changed: Mapping[str, str]) -> None:
        """Take what a person has set, by input; everything else is as by default."""
        self._own = {**MOUSE_DEFAULTS, **changed}

    @property
    def start(self) -> Tool:
        """The tool that is chosen when somebody sits down."""
        return Tool(self._own[START])

    def drag(self, button: Button, *, ctrl: bool, shift: bool, chosen: Tool) -> Tool:
        """Return the tool of a drag.

        Parameters
        ----------
        chosen
            The tool that is chosen: what the left button does, and others that are set so.
        """
        value = self._value(button.value, ctrl=ctrl, shift=shift)
        return chosen if value == CHOSEN else Tool(value)

    def wheel(self, *, ctrl: bool, shift: bool) -> WheelStep:
        """Return what a notch of the wheel does."""
        return WheelStep(self._value("Wheel", ctrl=ctrl, shift=shift))

    def _value(self, name: str, *, ctrl: bool, shift: bool) -> str:
        """Return the value with Ctrl, else Shift, else without; the left button does the tool."""
        held = [f"{key}+{name}" for key, down in (("Ctrl", ctrl), ("Shift", shift)) if down]
        return next((self._own[one] for one in (*held, name) if one in self._own), CHOSEN)


MOUSE = MouseBindings()
"""What the mouse of this machine does: as set by the one person who is signed in."""
