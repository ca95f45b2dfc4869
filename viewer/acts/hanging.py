"""How a study is hung: protocols, priors, links of zoom and window. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act, Scope, viewport_act

HANGING, LINKS = "Hanging", "Links"


def _hanging(name: str, text: str, *keys: str, icon: str = "") -> Act:
    return Act(f"hanging.{name}", text, Scope.WINDOW, HANGING, keys, icon)


ACTS: tuple[Act, ...] = (
    viewport_act("link_zoom", "Zoom and move all viewports together", LINKS, "Shift+Z"),
    viewport_act("link_window", "Window all viewports of a modality together", LINKS, "Shift+W"),
    _hanging("choose", "Choose a hanging protocol", "Ctrl+H", icon="grid-four"),
    _hanging("keep", "Keep this layout as hanging protocol", "Ctrl+Shift+H"),
    _hanging("edit", "Edit hanging protocols"),
    _hanging("priors", "Priors and their reports", icon="clock"),
    _hanging("prior_beside", "Show the prior beside", "Ctrl+Shift+P"),
)
"""In the order in which menus and the shortcut sheet show them."""
