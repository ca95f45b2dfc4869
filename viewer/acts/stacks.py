"""Phases of a 4D series, graphics over an image, levels of a slide. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act

ACTS: tuple[Act, ...] = ()
"""In the order in which menus and the shortcut sheet show them."""
