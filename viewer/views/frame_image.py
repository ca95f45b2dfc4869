"""A frame of a stack as a QImage: grey through the one grey pipeline, turned without interpolation."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from viewer.imaging.grey import GreyPipeline, pipeline_of, to_grey, to_words
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import ImageStack
from viewer.views.pyramid import Pyramid
from viewer.views.viewport_state import ViewportState

Bytes = npt.NDArray[np.uint8]
Pixels = TypeVar("Pixels", bound=npt.NDArray[Any])


def to_qimage(pixels: Bytes) -> QImage:
    """Return grey (row, column) or RGB (row, column, 3) bytes as an image of its own memory.

    The image is RGB32: QPainter scales that three times as fast as Grayscale8, and the copy costs a
    twentieth of a millisecond for 512 x 512.
    """
    pixels = np.ascontiguousarray(pixels)
    rows, columns = pixels.shape[:2]
    colour = pixels.ndim == 3
    kind = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
    wrapped = QImage(pixels.data, columns, rows, columns * (3 if colour else 1), kind)
    return wrapped.convertToFormat(QImage.Format.Format_RGB32)


def to_screen(stored: npt.NDArray[np.generic], pipeline: GreyPipeline) -> QImage:
    """Return grey stored values of up to 16 bits as an image: `to_grey`, written as RGB32 at once."""
    rows, columns = stored.shape
    image = QImage(columns, rows, QImage.Format.Format_RGB32)
    words = np.frombuffer(image.bits(), dtype=np.uint32).reshape(rows, -1)
    to_words(stored, pipeline, words[:, :columns])
    return image


def turned(pixels: Pixels, state: ViewportState) -> Pixels:
    """Apply quarter turns and mirror to the pixels themselves, so that no value is interpolated."""
    pixels = np.rot90(pixels, -state.quarter_turns)
    return pixels[:, ::-1] if state.mirrored else pixels


class FrameImages:
    """Makes the QImage of what a viewport shows, and keeps the last one.

    Scrolling, windowing and turning make a new image; panning, zooming within one halving, hovering
    and overlays reuse it.
    """

    def __init__(self) -> None:
        self._pyramid = Pyramid()
        self._key: object = None
        self._image = QImage()

    def forget(self) -> None:
        """Drop what was kept: the pixels of the stack have changed."""
        self._pyramid.clear()
        self._key = None

    def image(
        self, stack: ImageStack, state: ViewportState, window: WindowPreset | None, *, level: int
    ) -> QImage:
        """Return the image of the state's frame, halved `level` times."""
        key = (
            id(stack),
            state.index,
            window,
            state.quarter_turns,
            state.mirrored,
            state.inverted,
            level,
        )
        if key != self._key:
            frame = self._pyramid.frame(stack.stored, state.index, level)
            if stack.series.instances[stack.frames[state.index][0]].supplemental is not None:
                # A mean of two entries of a palette is another entry, not a colour between them.
                frame = stack.stored[state.index, :: 1 << level, :: 1 << level]
            self._image, self._key = _picture(stack, frame, state, window), key
        return self._image


def _picture(
    stack: ImageStack,
    frame: npt.NDArray[np.generic],
    state: ViewportState,
    window: WindowPreset | None,
) -> QImage:
    if not stack.is_colour and frame.dtype.itemsize <= 2:
        pipeline = pipeline_of(stack, state.index, window, inverted=state.inverted)
        if pipeline.palette is None:
            return to_screen(turned(frame, state), pipeline)
    grey = grey_frame(stack, state.index, frame, window, inverted=state.inverted)
    return to_qimage(turned(grey, state))


def grey_frame(
    stack: ImageStack,
    index: int,
    frame: npt.NDArray[np.generic],
    window: WindowPreset | None,
    *,
    inverted: bool,
) -> Bytes:
    """Return the bytes to show for a frame (or a halved copy of it); colour passes unchanged.

    At full size the bytes are those of `viewer.imaging.render.render_frame`.
    """
    if stack.is_colour:
        shown = np.asarray(frame, dtype=np.uint8)
        return 255 - shown if inverted else shown
    return to_grey(frame, pipeline_of(stack, index, window, inverted=inverted))
