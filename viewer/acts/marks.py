"""Measuring and marking on an image, and what is done with a mark. No Qt."""

from __future__ import annotations

from viewer.acts.act import Act, viewport_act

ACTS: tuple[Act, ...] = (
    viewport_act("tool.length", "Length", "Measure", "L", "D", icon="ruler"),
    viewport_act("tool.angle", "Angle", "Measure", "A", icon="angle"),
    viewport_act("tool.cobb", "Cobb angle", "Measure", "Shift+A", icon="line-segments"),
    viewport_act("tool.bidirectional", "Long and short axis", "Measure", "B", icon="vector-two"),
    viewport_act("tool.rectangle", "Rectangle", "Measure", "U", icon="rectangle"),
    viewport_act("tool.ellipse", "Ellipse", "Measure", "E", icon="circle"),
    viewport_act("tool.outline", "Outline, point by point", "Measure", "Shift+E", icon="polygon"),
    viewport_act("tool.freehand", "Free-form outline", "Measure", "Shift+F", icon="scribble-loop"),
    viewport_act("tool.brush", "Brush", "Measure", "Shift+B", icon="paint-brush"),
    viewport_act("tool.arrow", "Arrow", "Measure", "Y", icon="arrow-up-right"),
    viewport_act("tool.text", "Text", "Measure", "T", icon="text-t"),
    viewport_act(
        "mark_by_keys", "Draw, or move the selected mark, by arrow keys; end", "Measure", "Return"
    ),
    viewport_act("mark_next", "Next mark", "Measure", "N"),
    viewport_act("mark_previous", "Previous mark", "Measure", "Shift+N"),
    viewport_act(
        "mark_finding",
        "Make the selected mark a finding",
        "Measure",
        "Shift+Return",
        icon="clipboard-text",
    ),
    viewport_act(
        "mark_rename", "Rename the selected mark", "Measure", "Ctrl+T", icon="pencil-simple-line"
    ),
    viewport_act("mark_delete", "Delete the selected mark", "Measure", "Del", icon="trash"),
)
"""In the order in which menus and the shortcut sheet show them."""
