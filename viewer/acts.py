"""Acts as data: one table that menu, toolbar, command palette, shortcut sheet and audit read. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where an act applies: single keys act on the focused viewport only."""

    VIEWPORT = "viewport"
    REPORT = "report"
    WINDOW = "window"


@dataclass(frozen=True)
class Act:
    """One thing a person can do.

    Parameters
    ----------
    name
        Stable id: "viewport.invert". Palette, key bindings and audit use it.
    text
        What the person reads (translated by the Qt layer).
    keys
        Default shortcuts in Qt's portable text ("Ctrl+K"); empty when there is none.
    icon
        Name of a Phosphor icon in `resources/icons`, or empty.
    audited
        Whether doing it leaves an audit event.
    """

    name: str
    text: str
    scope: Scope
    group: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    audited: bool = False


class Tool(StrEnum):
    """What the left button does in a viewport; the value is the last part of the act's name."""

    SCROLL = "scroll"
    WINDOW = "window"
    ZOOM = "zoom"
    PAN = "pan"
    ELLIPSE = "ellipse"
    OUTLINE = "outline"

    @property
    def draws(self) -> bool:
        """True for tools that make a region."""
        return self in (Tool.ELLIPSE, Tool.OUTLINE)


class Arrangement(StrEnum):
    """Layouts of the viewports, rows x columns; the value is the last part of the act's name."""

    ONE = "1x1"
    SIDE_BY_SIDE = "1x2"
    STACKED = "2x1"
    FOUR = "2x2"
    THREE = "1x3"
    SIX = "2x3"
    NINE = "3x3"
    TWELVE = "3x4"
    SIXTEEN = "4x4"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.value.split("x")
        return int(rows), int(columns)


PRESET_KEYS = tuple("12345678")
"""Digits that select the window presets of the modality, in the order of `resources/presets`."""


def _viewport(name: str, text: str, group: str, *keys: str, icon: str = "") -> Act:
    return Act(f"viewport.{name}", text, Scope.VIEWPORT, group, keys, icon)


VIEWER_ACTS: tuple[Act, ...] = (
    _viewport("tool.scroll", "Scroll", "Tools", "S", icon="cursor"),
    _viewport("tool.window", "Window", "Tools", "W", icon="sun"),
    _viewport("tool.zoom", "Zoom", "Tools", "Z", icon="magnifying-glass"),
    _viewport("tool.pan", "Pan", "Tools", "P", icon="hand"),
    _viewport("tool.ellipse", "Ellipse", "Tools", "E", icon="circle"),
    _viewport("tool.outline", "Region", "Tools", "Shift+E", icon="polygon"),
    _viewport("next", "Next image", "Images", "Down", "Right"),
    _viewport("previous", "Previous image", "Images", "Up", "Left"),
    _viewport("next_ten", "10 images on", "Images", "Shift+Down"),
    _viewport("previous_ten", "10 images back", "Images", "Shift+Up"),
    _viewport("first", "First image", "Images", "Home"),
    _viewport("last", "Last image", "Images", "End"),
    _viewport("next_series", "Next series", "Images", "PgDown"),
    _viewport("previous_series", "Previous series", "Images", "PgUp"),
    _viewport("cine", "Play the images, or stop", "Images", "C"),
    _viewport("reset", "Reset view", "Display", "Space", icon="arrow-counter-clockwise"),
    _viewport("invert", "Invert grey scale", "Display", "I", icon="circle-half"),
    _viewport("flip_horizontal", "Flip left to right", "Display", "H", icon="flip-horizontal"),
    _viewport("flip_vertical", "Flip top to bottom", "Display", "V", icon="flip-vertical"),
    _viewport("rotate_right", "Rotate right", "Display", "R", icon="arrow-clockwise"),
    _viewport("rotate_left", "Rotate left", "Display", "Shift+R"),
    _viewport("zoom_in", "Zoom in", "Display", "+", "="),
    _viewport("zoom_out", "Zoom out", "Display", "-"),
    _viewport("one_to_one", "One image pixel on one screen pixel", "Display", "0"),
    _viewport("magnifier", "Magnifier while held", "Display", "M", icon="magnifying-glass"),
    *(_viewport(f"preset.{key}", f"Window preset {key}", "Window presets", key) for key in PRESET_KEYS),
    _viewport("regions", "Show all regions", "Regions", "G"),
    _viewport("maximise", "Maximise viewport and back", "Layout", "F"),
    _viewport("link", "Scroll series of one frame of reference together", "Layout", "K", icon="link"),
    _viewport(
        "link_here",
        "Link here with another frame of reference",
        "Layout",
        "Shift+K",
    ),
    _viewport("reference_lines", "Reference lines", "Layout", "X"),
    _viewport("cursor", "Show this place in all viewports (also Shift and move)", "Layout", "O"),
    Act("layout.1x1", "One viewport", Scope.WINDOW, "Layout", ("Ctrl+1",), "square"),
    Act("layout.1x2", "Two viewports side by side", Scope.WINDOW, "Layout", ("Ctrl+2",), "columns"),
    Act("layout.2x1", "Two viewports stacked", Scope.WINDOW, "Layout", ("Ctrl+3",), "rows"),
    Act("layout.2x2", "Four viewports", Scope.WINDOW, "Layout", ("Ctrl+4",), "grid-four"),
    Act("layout.1x3", "Three viewports side by side", Scope.WINDOW, "Layout", ("Ctrl+5",)),
    Act("layout.2x3", "Six viewports", Scope.WINDOW, "Layout", ("Ctrl+6",)),
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
"""Every act of the viewer, in the order in which menus and the shortcut sheet show them."""
