"""Tools, images, display and layouts: the acts of any viewport. No Qt."""

from __future__ import annotations

from enum import StrEnum

from viewer.acts.act import Act, Scope, viewport_act


class Tool(StrEnum):
    """What the left button does in a viewport; the value is the last part of the act's name."""

    SCROLL = "scroll"
    WINDOW = "window"
    ZOOM = "zoom"
    PAN = "pan"
    LENGTH = "length"
    ANGLE = "angle"
    COBB = "cobb"
    BIDIRECTIONAL = "bidirectional"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    OUTLINE = "outline"
    FREEHAND = "freehand"
    BRUSH = "brush"
    ARROW = "arrow"
    TEXT = "text"

    @property
    def draws(self) -> bool:
        """True for tools that leave a mark on the image."""
        return self not in (Tool.SCROLL, Tool.WINDOW, Tool.ZOOM, Tool.PAN)


class Arrangement(StrEnum):
    """Layouts of the viewports, rows x columns; the value is the last part of the act's name."""

    ONE = "1x1"
    SIDE_BY_SIDE = "1x2"
    STACKED = "2x1"
    FOUR = "2x2"
    THREE = "1x3"
    SIX = "2x3"
    EIGHT = "2x4"
    NINE = "3x3"
    TWELVE = "3x4"
    SIXTEEN = "4x4"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.value.split("x")
        return int(rows), int(columns)


PRESET_KEYS = tuple("123456789")
"""Digits that select the window presets of the modality, in the order of `resources/presets`."""


ACTS: tuple[Act, ...] = (
    viewport_act("tool.scroll", "Scroll", "Tools", "S", icon="cursor"),
    viewport_act("tool.window", "Window", "Tools", "W", icon="sun"),
    viewport_act("tool.zoom", "Zoom", "Tools", "Z", icon="magnifying-glass"),
    viewport_act("tool.pan", "Pan", "Tools", "P", icon="hand"),
    viewport_act("next", "Next image", "Images", "Down", "Right"),
    viewport_act("previous", "Previous image", "Images", "Up", "Left"),
    viewport_act("next_ten", "10 images on", "Images", "Shift+Down"),
    viewport_act("previous_ten", "10 images back", "Images", "Shift+Up"),
    viewport_act("first", "First image", "Images", "Home"),
    viewport_act("last", "Last image", "Images", "End"),
    viewport_act("next_series", "Next series", "Images", "PgDown"),
    viewport_act("previous_series", "Previous series", "Images", "PgUp"),
    viewport_act("cine", "Play the images, or stop", "Images", "C"),
    viewport_act("reset", "Reset view", "Display", "Space", icon="arrow-counter-clockwise"),
    viewport_act("invert", "Invert grey scale", "Display", "I", icon="circle-half"),
    viewport_act("flip_horizontal", "Flip left to right", "Display", "H", icon="flip-horizontal"),
    viewport_act("flip_vertical", "Flip top to bottom", "Display", "V", icon="flip-vertical"),
    viewport_act("rotate_right", "Rotate right", "Display", "R", icon="arrow-clockwise"),
    viewport_act("rotate_left", "Rotate left", "Display", "Shift+R"),
    viewport_act("zoom_in", "Zoom in", "Display", "+", "="),
    viewport_act("zoom_out", "Zoom out", "Display", "-"),
    viewport_act("one_to_one", "One image pixel on one screen pixel", "Display", "0"),
    viewport_act("magnifier", "Magnifier while held", "Display", "M", icon="magnifying-glass"),
    *(
        viewport_act(f"preset.{key}", f"Window preset {key}", "Window presets", key)
        for key in PRESET_KEYS
    ),
    viewport_act("keep_preset", "Keep this window as preset 9", "Window presets", "Shift+9"),
    viewport_act("regions", "Show all regions", "Regions", "G"),
    viewport_act("maximise", "Maximise viewport and back", "Layout", "F"),
    viewport_act("link", "Scroll series of one frame of reference together", "Links", "K", icon="link"),
    viewport_act(
        "link_here",
        "Link here with another frame of reference",
        "Links",
        "Shift+K",
    ),
    viewport_act("reference_lines", "Reference lines", "Links", "X"),
    viewport_act("cursor", "Show this place in all viewports (also Shift and move)", "Links", "O"),
    Act("layout.1x1", "One viewport", Scope.WINDOW, "Layout", ("Ctrl+1",), "square"),
    Act("layout.1x2", "Two viewports side by side", Scope.WINDOW, "Layout", ("Ctrl+2",), "columns"),
    Act("layout.2x1", "Two viewports stacked", Scope.WINDOW, "Layout", ("Ctrl+3",), "rows"),
    Act("layout.2x2", "Four viewports", Scope.WINDOW, "Layout", ("Ctrl+4",), "grid-four"),
    Act("layout.1x3", "Three viewports side by side", Scope.WINDOW, "Layout", ("Ctrl+5",)),
    Act("layout.2x3", "Six viewports", Scope.WINDOW, "Layout", ("Ctrl+6",)),
    Act("layout.2x4", "Eight viewports", Scope.WINDOW, "Layout"),
    Act("layout.3x3", "Nine viewports", Scope.WINDOW, "Layout", ("Ctrl+7",)),
    Act("layout.3x4", "Twelve viewports", Scope.WINDOW, "Layout", ("Ctrl+8",)),
    Act("layout.4x4", "Sixteen viewports", Scope.WINDOW, "Layout", ("Ctrl+9",)),
    Act(
        "layout.tiles",
        "Tiles: consecutive images of one series",
        Scope.WINDOW,
        "Layout",
        ("Ctrl+0",),
    ),
    Act("view.corner_text", "Corner text", Scope.WINDOW, "Display", ("F2",), "text-aa"),
)
"""In the order in which menus and the shortcut sheet show them."""
