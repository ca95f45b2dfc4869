"""Keys, mouse, presets, screens: what a person sets. No Qt."""

from __future__ import annotations

from app.acts.naming import window_act
from viewer.acts import Act

ACTS: tuple[Act, ...] = (
    window_act(
        "preferences", "Preferences: keys, mouse, windows, display", "Ctrl+,", icon="sliders-horizontal"
    ),
    window_act("second_screen", "Images on the second screen, and back", "F11", icon="monitor"),
    window_act("display_check", "Display check pattern", "Ctrl+Shift+D", icon="grid-nine"),
)
"""In the order of the sheet."""
