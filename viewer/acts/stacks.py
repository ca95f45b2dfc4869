"""Windows an image brings, phases of a 4D series. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act, viewport_act

ACTS: tuple[Act, ...] = (
    viewport_act("next_voi", "Next window or VOI LUT of the image", "Window presets"),
    viewport_act("next_phase", "Next phase of a 4D series (also Alt and wheel)", "Images", "]"),
    viewport_act("previous_phase", "Previous phase of a 4D series", "Images", "["),
    viewport_act("play_phases", "Play the phases at this place, or stop", "Images"),
)
"""In the order in which menus and the shortcut sheet show them."""
