"""What a tool makes of a mouse drag, as data: tool -> gesture -> the state it makes. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from viewer.acts import Tool
from viewer.imaging.study import WindowPreset
from viewer.views.viewport_state import (
    ImageSize,
    ViewportState,
    panned,
    window_dragged,
    zoomed,
)

ZOOM_PER_PIXEL = 0.008
"""Natural logarithm of the zoom factor for one widget pixel of a drag: 87 pixels double the image."""

PIXELS_PER_IMAGE = (2.0, 12.0)
"""Fewest and most widget pixels of a drag that move a stack by one image."""


@dataclass(frozen=True)
class Drag:
    """A drag from its start: everything a gesture needs, so that no step adds an error to the next.

    Parameters
    ----------
    state, window
        What was shown when the button went down (`window` is the one in effect).
    start
        Widget point where the button went down.
    size
        Width and height of the viewport in widget pixels.
    count
        Frames of the stack.
    ahead
        1 or -1: the way a drag downwards goes through the stack, which is that of reading.
    """

    tool: Tool
    state: ViewportState
    window: WindowPreset | None
    image: ImageSize
    start: tuple[float, float]
    size: tuple[float, float]
    count: int
    ahead: int = 1

    def to(self, point: tuple[float, float], current: ViewportState) -> ViewportState:
        """Return the state with the pointer at a widget point; `current` is what is shown now."""
        dx, dy = point[0] - self.start[0], point[1] - self.start[1]
        return GESTURES[self.tool](self, current, dx, dy)


def _scroll(drag: Drag, current: ViewportState, dx: float, dy: float) -> ViewportState:
    fewest, most = PIXELS_PER_IMAGE
    step = min(max(drag.size[1] / max(drag.count, 1), fewest), most)
    return current.at(drag.state.index + drag.ahead * int(dy / step), drag.count)


def _window(drag: Drag, current: ViewportState, dx: float, dy: float) -> ViewportState:
    if drag.window is None:
        return current
    return replace(current, window=window_dragged(drag.window, dx, dy))


def _zoom(drag: Drag, current: ViewportState, dx: float, dy: float) -> ViewportState:
    factor = math.exp(-dy * ZOOM_PER_PIXEL)
    base = replace(current, magnification=drag.state.magnification, centre=drag.state.centre)
    return zoomed(base, drag.image, *drag.size, factor=factor, about=drag.start)


def _pan(drag: Drag, current: ViewportState, dx: float, dy: float) -> ViewportState:
    base = replace(current, magnification=drag.state.magnification, centre=drag.state.centre)
    return panned(base, drag.image, *drag.size, by=(dx, dy))


GESTURES: dict[Tool, Callable[[Drag, ViewportState, float, float], ViewportState]] = {
    Tool.SCROLL: _scroll,
    Tool.WINDOW: _window,
    Tool.ZOOM: _zoom,
    Tool.PAN: _pan,
}
"""How each tool turns a drag into a state; tools that draw are not here."""
