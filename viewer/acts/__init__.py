"""Acts as data: one table that menu, toolbar, command palette, shortcut sheet and audit read. No Qt.

Each area has a module with its acts; this one puts them together.
"""

from __future__ import annotations

from viewer.acts import (
    base,
    fusion,
    hanging,
    key_images,
    marks,
    objects,
    reformat,
    rendering,
    stacks,
)
from viewer.acts.act import Act, Scope
from viewer.acts.base import PRESET_KEYS, Arrangement, Tool

__all__ = ["PRESET_KEYS", "VIEWER_ACTS", "Act", "Arrangement", "Scope", "Tool"]

VIEWER_ACTS: tuple[Act, ...] = (
    *base.ACTS,
    *marks.ACTS,
    *stacks.ACTS,
    *objects.ACTS,
    *key_images.ACTS,
    *hanging.ACTS,
    *reformat.ACTS,
    *rendering.ACTS,
    *fusion.ACTS,
)
"""Every act of the viewer, in the order in which menus and the shortcut sheet show them."""
