"""The order in which readers go through images: from head to feet, right to left, front to back.

A stack is kept in the order along its normal (`viewer.imaging.stacks`): evidence, marks, masks and
volumes count in it, and it never changes. What a person sees and presses counts from the first image to
be read: the number in the corner, wheel, keys, drag, cine, tiles and the planes of the MPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from viewer.imaging.geometry import ImagePlane
    from viewer.imaging.study import Series
    from viewer.imaging.volume import ImageStack

AHEAD: Final = (1.0, 1.0, -1.0)
"""Sense in which each body axis is read (LPS): to the left, to the back, to the feet."""


def is_ahead(direction: npt.ArrayLike) -> bool:
    """Return whether a direction of the patient (LPS) leads the way images are read.

    The body axis nearest to it decides: an oblique stack is read like the plane it is most like.
    """
    along = np.asarray(direction, dtype=np.float64)
    axis = int(np.abs(along).argmax())
    return bool(along[axis] * AHEAD[axis] >= 0.0)


def reads_backwards(first: ImagePlane | None, last: ImagePlane | None) -> bool:
    """Return whether images from one plane to another lie against the order in which they are read.

    Images without a place in the patient, or all at one place, are read as they come.
    """
    if first is None or last is None or not first.is_parallel(last):
        return False
    normal = first.normal
    apart = float((np.asarray(last.position) - np.asarray(first.position)) @ normal)
    return apart != 0.0 and not is_ahead(apart * normal)


def is_backwards(stack: ImageStack) -> bool:
    """Return whether the first image of a stack is the last one to be read."""
    return _are_backwards(stack.series, stack.frames)


def place_in_order(stack: ImageStack, index: int) -> int:
    """Return which image to be read a frame is, from 0; of such a place likewise the frame."""
    return place_of_frame(stack.series, stack.frames, index)


def place_of_frame(series: Series, frames: Sequence[tuple[int, int]], index: int) -> int:
    """Return the same for a series whose pixels need not be there; `frames` as in `frame_order`."""
    return len(frames) - 1 - index if _are_backwards(series, frames) else index


def _are_backwards(series: Series, frames: Sequence[tuple[int, int]]) -> bool:
    return reads_backwards(series.plane_of(frames[0]), series.plane_of(frames[-1]))
