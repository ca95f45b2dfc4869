"""Shows stored values as a presentation state asks: one function from a frame to screen values.

Stored value
-> Modality LUT or rescale of the state
-> its window or VOI LUT; without one the whole range of the values
-> its Presentation LUT, or IDENTITY or INVERSE; then its palette, where it is a pseudo-colour state
-> shutters.
What the image itself says about these steps is not used, MONOCHROME1 included (PS3.4 N.2.1): the state
says INVERSE where it is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.grey import modality_values, voi
from viewer.imaging.objects.outlines import enclosed
from viewer.imaging.objects.states import (
    Annotation,
    DisplayedArea,
    PresentationContent,
    Shutter,
    StateOverlay,
)
from viewer.imaging.overlays import placed
from viewer.imaging.study import Instance, WindowPreset

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FramePresentation:
    """What a state says of one frame.

    Parameters
    ----------
    windows
        The first is the one to apply; none: the whole range of the values.
    annotations
        Those of the frame, in the order in which their layers are drawn.
    """

    state: PresentationContent
    windows: tuple[WindowPreset, ...]
    area: DisplayedArea | None
    annotations: tuple[Annotation, ...]


def for_frame(
    state: PresentationContent, sop_instance_uid: str, frame: int
) -> FramePresentation | None:
    """Return what a state says of a frame (from 1); none where it is not for it."""
    if not state.is_for(sop_instance_uid, frame):
        return None

    def is_meant(one: Any) -> bool:
        return not one.images or any(image.is_of(sop_instance_uid, frame) for image in one.images)

    order = {layer.name: place for place, layer in enumerate(state.layers)}
    return FramePresentation(
        state=state,
        windows=tuple(
            window for choice in state.windows if is_meant(choice) for window in choice.windows
        ),
        area=next(filter(is_meant, state.displayed_areas), None),
        annotations=tuple(
            sorted(
                filter(is_meant, state.annotations),
                key=lambda one: order.get(one.layer, len(order)),
            )
        ),
    )


def present(
    stored: npt.NDArray[Any],
    shown: FramePresentation,
    instance: Instance,
    *,
    window: WindowPreset | None = None,
) -> Picture:
    """Return a frame as a state asks for it, one pixel for one pixel, shutters closed.

    Parameters
    ----------
    stored
        (row, column) stored values, or (row, column, 3) RGB, which has no tables.
    window
        In place of that of the state: the reader's own.

    Returns
    -------
    numpy.ndarray
        (row, column) uint8, or (row, column, 3) for colour images and pseudo-colour states.
    """
    state = shown.state
    if stored.ndim == 3:
        picture: Picture = stored.astype(np.uint8)
    else:
        chosen = window or next(iter(shown.windows), None)
        if stored.dtype.itemsize > 2 or stored.dtype.kind not in "iu":
            picture = _screen(stored, state, chosen, instance)
        else:
            info = np.iinfo(stored.dtype)
            table = _screen(np.arange(info.min, info.max + 1, dtype=np.int64), state, chosen, instance)
            picture = table[stored.astype(np.int64) - info.min]
    if state.shutter is None:
        return picture
    hidden = ~open_pixels(state.shutter, state, instance)
    picture[hidden] = _shutter_value(state.shutter, colour=picture.ndim == 3)
    return picture


def _screen(
    stored: npt.NDArray[Any],
    state: PresentationContent,
    window: WindowPreset | None,
    instance: Instance,
) -> Picture:
    """Run all tables on values of any shape."""
    values = modality_values(stored, state.rescale_slope, state.rescale_intercept, state.modality_lut)
    level = _whole_range(values, state, instance) if window is None else voi(values, window)
    if state.presentation_lut is not None:
        # C.11.6.1: the input of the table is the whole range of the VOI output, from 0
        table = state.presentation_lut
        entries = table.entries
        index = np.floor(level / 255.0 * (entries.size - 1) + 0.5).astype(np.intp)
        level = np.asarray(entries[index] * (255.0 / ((1 << table.bits) - 1)), dtype=np.float64)
    grey = np.floor(np.clip(level, 0.0, 255.0) + 0.5).astype(np.uint8)
    if state.presentation_lut is None and state.presentation_lut_shape == "INVERSE":
        grey = 255 - grey
    return grey if state.palette is None else _coloured(level, state)


def _whole_range(values: FloatArray, state: PresentationContent, instance: Instance) -> FloatArray:
    """Map the whole range that the values can have to 0 to 255: no VOI means identity."""
    if state.modality_lut is not None:
        low, high = 0.0, float((1 << state.modality_lut.bits) - 1)
    else:
        bits = instance.bits_stored
        ends = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if instance.signed else (0, (1 << bits) - 1)
        low, high = sorted(end * state.rescale_slope + state.rescale_intercept for end in ends)
    return np.asarray((values - low) * (255.0 / max(high - low, 1e-9)))


def _coloured(level: FloatArray, state: PresentationContent) -> Picture:
    """Look the output up in the palette, its whole range on all entries (PS3.3 C.11.13)."""
    assert state.palette is not None
    channels = []
    for table in state.palette:
        entries = table.entries
        index = np.floor(np.clip(level, 0.0, 255.0) / 255.0 * (entries.size - 1) + 0.5).astype(np.intp)
        channels.append(np.floor(entries[index] * (255.0 / ((1 << table.bits) - 1)) + 0.5))
    return np.stack(channels, axis=-1).astype(np.uint8)


def open_pixels(shutter: Shutter, state: PresentationContent, instance: Instance) -> Mask:
    """Return the pixels that all shapes of a shutter leave visible."""
    rows, columns = instance.rows, instance.columns
    visible = np.ones((rows, columns), dtype=np.bool_)
    if shutter.rectangle is not None:
        left, right, upper, lower = shutter.rectangle
        inside = np.zeros_like(visible)
        inside[max(upper, 0) : max(lower + 1, 0), max(left, 0) : max(right + 1, 0)] = True
        visible &= inside
    if shutter.circle is not None:
        column, row, radius = shutter.circle
        across = (np.arange(columns) - column) ** 2
        down = (np.arange(rows) - row) ** 2
        visible &= down[:, None] + across[None, :] <= radius**2
    if shutter.polygon:
        visible &= enclosed([np.array(shutter.polygon)], (rows, columns))
    bitmap = next((one for one in state.overlays if one.plane.group == shutter.bitmap), None)
    if bitmap is not None:
        visible &= ~overlay_mask(bitmap, instance)
    return visible


def overlay_mask(overlay: StateOverlay, instance: Instance) -> Mask:
    """Return an overlay of the state where it lies in an image, true where it is drawn."""
    return placed(overlay.drawn, overlay.plane, instance)


def _shutter_value(shutter: Shutter, *, colour: bool) -> Any:
    if not colour:
        return shutter.grey
    if not shutter.colour:
        return (shutter.grey,) * 3
    return tuple(int(shutter.colour[at : at + 2], 16) for at in (1, 3, 5))
