"""What others left with the images: segmentations, contours, reports, presentation states. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act

ACTS: tuple[Act, ...] = ()
"""In the order in which menus and the shortcut sheet show them."""
