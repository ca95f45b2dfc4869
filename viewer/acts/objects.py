"""What others left with the images: segmentations, contours, reports, presentation states. No Qt."""

from __future__ import annotations

from typing import Final

from viewer.acts.act import Act, Scope, viewport_act

PAGE: Final = "objects.page"
"""The act that lists the objects of the study."""

GROUP: Final = "Objects"

ACTS: tuple[Act, ...] = (
    Act(PAGE, "Objects of others: segmentations, contours, reports", Scope.WINDOW, GROUP),
    viewport_act("graphics", "Graphics of others on the images, or none", GROUP, "Shift+G"),
    Act("objects.hide_all", "Hide all objects of others", Scope.WINDOW, GROUP),
    Act("objects.key_next", "Next image of a key object selection", Scope.WINDOW, GROUP),
    Act("objects.key_previous", "Previous image of a key object selection", Scope.WINDOW, GROUP),
)
"""In the order in which menus and the shortcut sheet show them."""
