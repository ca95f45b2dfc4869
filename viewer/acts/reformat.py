"""Planes through a volume: three linked ones, slabs, curves. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act

ACTS: tuple[Act, ...] = ()
"""In the order in which menus and the shortcut sheet show them."""
