"""Images that are kept for the report, or copied. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act, Scope, viewport_act

GROUP = "Key images"

ACTS: tuple[Act, ...] = (
    viewport_act("key_image", "Keep as key image, or no longer", GROUP, "J", icon="bookmark-simple"),
    viewport_act("key_next", "Next key image", GROUP, "."),
    viewport_act("key_previous", "Previous key image", GROUP, ","),
    Act(
        "viewport.copy_image",
        "Copy image without patient data",
        Scope.VIEWPORT,
        GROUP,
        ("Ctrl+C",),
        "copy",
        audited=True,
    ),
)
"""In the order in which menus and the shortcut sheet show them."""
