"""Keys and mouse bindings that a reader has set act at once, on any layout of the keyboard."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from viewer.acts import VIEWER_ACTS, Scope, Tool
from viewer.views.key_bindings import KeyBindings, key_of_press, keymap
from viewer.views.mouse import MOUSE_DEFAULTS, Button, MouseBindings, WheelStep, mouse_choices

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def press(key: int, modifiers: Qt.KeyboardModifier = NONE, text: str = "", scan: int = 0) -> QKeyEvent:
    """Return a press as the platform reports it."""
    return QKeyEvent(QEvent.Type.KeyPress, key, modifiers, scan, 0, 0, text)


@pytest.fixture(autouse=True)
def default_keys():
    yield
    keymap().change({})


def test_a_changed_key_acts_at_once_and_its_old_one_no_more() -> None:
    keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT)
    assert keys.act_of(press(Qt.Key.Key_I, text="i")) == "viewport.invert"
    keymap().change({"viewport.invert": ("Ctrl+I",)})
    assert keys.act_of(press(Qt.Key.Key_I, text="i")) is None
    assert keys.act_of(press(Qt.Key.Key_I, CTRL)) == "viewport.invert"
    keymap().change({})
    assert keys.act_of(press(Qt.Key.Key_I, text="i")) == "viewport.invert"


def test_a_fixed_set_of_keys_follows_nobody() -> None:
    keys = KeyBindings(VIEWER_ACTS, Scope.VIEWPORT, {"viewport.invert": ("Q",)})
    keymap().change({"viewport.invert": ("Ctrl+I",)})
    assert keys.act_of(press(Qt.Key.Key_Q, text="q")) == "viewport.invert"


@pytest.mark.skipif(sys.platform != "linux", reason="scan codes of X11 and Wayland")
@pytest.mark.parametrize(
    ("key", "text"),
    [(Qt.Key.Key_ParenLeft, "("), (Qt.Key.Key_ParenRight, ")"), (Qt.Key.Key_9, "9")],
    ids=["US", "German", "French"],
)
def test_shift_and_nine_is_the_same_key_on_every_layout(key: Qt.Key, text: str) -> None:
    event = press(key, SHIFT, text, scan=18)
    assert KeyBindings(VIEWER_ACTS, Scope.VIEWPORT).act_of(event) == "viewport.keep_preset"
    assert key_of_press(event) == "Shift+9"


@pytest.mark.parametrize(
    ("event", "written"),
    [
        (press(Qt.Key.Key_M, CTRL | SHIFT), "Ctrl+Shift+M"),
        (press(Qt.Key.Key_Question, SHIFT, "?"), "?"),
        (press(Qt.Key.Key_F11), "F11"),
        (press(Qt.Key.Key_Shift, SHIFT), ""),
        (press(Qt.Key.Key_4, Qt.KeyboardModifier.KeypadModifier, "4"), "4"),
    ],
)
def test_a_press_is_written_as_acts_are_bound(event: QKeyEvent, written: str) -> None:
    assert key_of_press(event) == written


def test_every_input_of_the_mouse_has_a_default_among_its_choices() -> None:
    for name, value in MOUSE_DEFAULTS.items():
        assert value in mouse_choices(name)


def test_the_mouse_is_a_table() -> None:
    mouse = MouseBindings()
    plain = {"ctrl": False, "shift": False}
    assert mouse.drag(Button.LEFT, **plain, chosen=Tool.WINDOW) is Tool.WINDOW
    assert mouse.drag(Button.RIGHT, **plain, chosen=Tool.WINDOW) is Tool.ZOOM
    assert mouse.wheel(ctrl=True, shift=False) is WheelStep.ZOOM
    mouse.change({"Right": "window", "Shift+Wheel": "scroll_ten", "Start": "window"})
    assert mouse.start is Tool.WINDOW
    assert mouse.drag(Button.RIGHT, **plain, chosen=Tool.PAN) is Tool.WINDOW
    assert mouse.drag(Button.RIGHT, ctrl=True, shift=False, chosen=Tool.PAN) is Tool.ZOOM
    assert mouse.wheel(ctrl=False, shift=True) is WheelStep.SCROLL_TEN
    assert mouse.wheel(**plain) is WheelStep.SCROLL
    mouse.change({})
    assert mouse.drag(Button.RIGHT, **plain, chosen=Tool.PAN) is Tool.ZOOM
