"""Planes through a volume: three linked ones, slabs, curves. No Qt."""

from __future__ import annotations

from typing import Final

from viewer.acts.act import Act, Scope, viewport_act

WORKSPACE: Final = "workspace.mpr"
"""The act that enters and leaves the three planes."""

ACTS: tuple[Act, ...] = (
    Act(
        WORKSPACE,
        "Three linked planes (MPR) of this series, and back",
        Scope.WINDOW,
        "MPR",
        ("Ctrl+Shift+M",),
        "cube-focus",
    ),
    Act(
        "reformat.curved",
        "MPR: draw a curve for a curved reformat, or end it",
        Scope.WINDOW,
        "MPR",
        ("Ctrl+Shift+U",),
        "path",
    ),
    Act("reformat.volume", "MPR: 3D view in the fourth cell, and back", Scope.WINDOW, "MPR"),
    Act("reformat.swap", "MPR: this cell first, in place of the one there", Scope.WINDOW, "MPR"),
    viewport_act("slab_mode", "MPR: slab off, MIP, MinIP, mean", "MPR", "Shift+M"),
    *(
        viewport_act(f"slab.{mode}", f"MPR: slab {words}", "MPR")
        for mode, words in (("off", "off"), ("mip", "MIP"), ("minip", "MinIP"), ("mean", "mean"))
    ),
    viewport_act("slab_thicker", "MPR: slab thicker", "MPR", "Ctrl+Up"),
    viewport_act("slab_thinner", "MPR: slab thinner", "MPR", "Ctrl+Down"),
    viewport_act("slab_everywhere", "MPR: same slab in all planes", "MPR"),
    viewport_act("planes_turn_right", "MPR: turn the other planes clockwise by 5°", "MPR"),
    viewport_act("planes_turn_left", "MPR: turn the other planes back by 5°", "MPR"),
    viewport_act("planes_straight", "MPR: planes along the images again", "MPR"),
    viewport_act("planes_body", "MPR: planes along the axes of the body", "MPR"),
)
"""In the order in which menus and the shortcut sheet show them."""
