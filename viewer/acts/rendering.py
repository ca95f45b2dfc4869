"""The volume in three dimensions. No Qt."""

from __future__ import annotations

from typing import Final

import resources
from viewer.acts.act import Act, Scope

WORKSPACE: Final = "workspace.rendering"
"""The act that enters and leaves the 3D view."""


def _rendering(name: str, text: str, *keys: str, icon: str = "") -> Act:
    return Act(f"rendering.{name}", text, Scope.WINDOW, "3D", keys, icon)


ACTS: tuple[Act, ...] = (
    Act(WORKSPACE, "3D view of this series, and back", Scope.WINDOW, "3D", ("Ctrl+Shift+V",), "cube"),
    *(
        _rendering(f"preset.{row['name']}", f"3D preset: {row['text']}")
        for row in resources.table("presets", "rendering.json")
    ),
    _rendering("mip", "3D: maximum projection instead of rendering, and back"),
    _rendering("from.front", "3D: from the front"),
    _rendering("from.back", "3D: from the back"),
    _rendering("from.left", "3D: from the patient's left"),
    _rendering("from.right", "3D: from the patient's right"),
    _rendering("from.head", "3D: from the head"),
    _rendering("from.feet", "3D: from the feet"),
    *(
        _rendering(f"turn.{way}", f"3D: turn {words} by 5\N{DEGREE SIGN} (arrow key in the 3D view)")
        for way, words in (("left", "left"), ("right", "right"), ("up", "up"), ("down", "down"))
    ),
    _rendering("crop", "3D: crop box", icon="crop"),
    _rendering("hand.cut_inside", "3D: cut away inside an outline", icon="lasso"),
    _rendering("hand.cut_outside", "3D: cut away outside an outline"),
    _rendering("bone", "3D: remove bone automatically", icon="bone"),
    _rendering("couch", "3D: remove the couch automatically"),
    _rendering("hand.pick", "3D: take away or bring back a part by clicking", icon="hand-pointing"),
    _rendering("undo", "3D: take the last cut back", icon="arrow-u-up-left"),
)
"""In the order in which menus and the shortcut sheet show them."""
