"""One frame as the screen shows it at 1:1: for the command line, thumbnails and key images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from viewer.imaging.grey import pipeline_of, to_grey
from viewer.imaging.study import Series, WindowPreset
from viewer.imaging.volume import ImageStack


def render_frame(
    stack: ImageStack, index: int, window: WindowPreset | None = None, *, inverted: bool = False
) -> npt.NDArray[np.uint8]:
    """Return frame `index` of the stack as (row, column) grey, or (row, column, 3) RGB.

    Parameters
    ----------
    window
        Centre and width in modality units; the default window of the frame when none is given.
        Colour has no window.
    inverted
        The reader's invert.

    Raises
    ------
    IndexError
        The stack has no such frame.
    """
    if not 0 <= index < len(stack.frames):
        raise IndexError(f"The series has images 0 to {len(stack.frames) - 1}; there is no {index}.")
    stored = stack.stored[index]
    if stack.is_colour:
        colour = np.asarray(stored, dtype=np.uint8)
        return 255 - colour if inverted else colour.copy()
    return to_grey(stored, pipeline_of(stack, index, window, inverted=inverted))


def thumbnail(
    series: Series,
    frames: tuple[tuple[int, int], ...],
    index: int,
    stored: npt.NDArray[np.generic],
    size: int,
) -> npt.NDArray[np.uint8]:
    """Return a decoded frame through the grey pipeline, its longer side at most `size` pixels."""
    from PIL import Image

    stack = ImageStack(series=series, stored=stored[np.newaxis], frames=(frames[index],))
    picture = Image.fromarray(render_frame(stack, 0))
    picture.thumbnail((size, size), Image.Resampling.BOX)
    return np.asarray(picture)
