"""How a viewport has to stand to show what a presentation state asks for. No Qt."""

from __future__ import annotations

from dataclasses import replace

from viewer.imaging.objects.presenting import FramePresentation
from viewer.imaging.objects.states import DisplayedArea, PresentationContent
from viewer.imaging.study import WindowPreset
from viewer.views.viewport_state import ImageSize, ViewportState, at_scale

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in image points, outer edges of the pixels."""


def box_of(area: DisplayedArea | None, image: ImageSize) -> Box:
    """Return the displayed area; the whole image where a state names none."""
    if area is None:
        return -0.5, -0.5, image.columns - 0.5, image.rows - 0.5
    (left, top), (right, bottom) = area.top_left, area.bottom_right
    return left - 0.5, top - 0.5, right + 0.5, bottom + 0.5


def standing(
    shown: FramePresentation,
    state: ViewportState,
    image: ImageSize,
    size: tuple[float, float],
    *,
    pixel_ratio: float,
) -> ViewportState:
    """Return the state of a viewport that shows a frame as a presentation state asks.

    Parameters
    ----------
    size
        Width and height of the viewport, widget pixels.

    Notes
    -----
    TRUE SIZE needs the size of the screen's pixels, which is not known: the area is fitted.
    """
    content = shown.state
    turned = replace(
        state,
        quarter_turns=content.rotation // 90 % 4,
        mirrored=content.flipped,
        inverted=False,
        justify="",
        window=next(iter(shown.windows), None),
    )
    left, top, right, bottom = box_of(shown.area, image)
    wide, high = max(right - left, 1.0), max(bottom - top, 1.0) * image.aspect
    if turned.quarter_turns % 2:
        wide, high = high, wide
    scale = min(size[0] / wide, size[1] / high)
    area = shown.area
    if area is not None and area.mode == "MAGNIFY" and area.magnification is not None:
        scale = area.magnification / pixel_ratio
    centred = replace(turned, centre=((left + right) / 2, (top + bottom) / 2))
    return at_scale(centred, image, *size, scale=scale)


def window_for(shown: FramePresentation, state: ViewportState) -> WindowPreset | None:
    """Return the window that the reader chose in place of those of the presentation state."""
    asked = {window for choice in shown.state.windows for window in choice.windows}
    return None if state.window is None or state.window in asked else state.window


def label_of(content: PresentationContent) -> str:
    """Return what a presentation state is called."""
    about = content.about
    return about.label or about.content_description or about.description or about.what
