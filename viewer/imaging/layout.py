"""How much memory the pixels of a series take, known from its header alone, and in which type.

Asked before anything is allocated or decoded, so that a header that lies about sizes is refused
with words instead of a gigabyte.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.study import Instance, Series
from viewer.imaging.tiling import MAX_OVERVIEW_PIXELS

MAX_IMAGE_BYTES: Final = 4 << 30
"""Most decoded bytes of one instance (a breast tomosynthesis study has about 2 GiB)."""

MAX_EXPANSION: Final = 2000
"""Most decoded bytes per compressed byte: lossless black images reach about 1000."""

EXPANSION_FREE_BYTES: Final = 32 << 20
"""Below this size of the decoded image no expansion is suspicious."""

GREY_TYPES: Final[dict[tuple[int, bool], type[np.generic]]] = {
    (1, False): np.uint8,
    (8, False): np.uint8,
    (8, True): np.int16,
    (16, False): np.uint16,
    (16, True): np.int16,
    (32, False): np.uint32,
    (32, True): np.int32,
}
"""Type of a grey stack by (Bits Allocated, signed)."""


class LayoutError(Exception):
    """Pixels that cannot be laid out; `code` as in `BadFile`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class StackLayout:
    """Shape and type of the decoded frames of a series, in the order of its `frame_order`."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    frames: tuple[tuple[int, int], ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the whole stack."""
        return math.prod(self.shape) * self.dtype.itemsize


def frame_shape(instance: Instance) -> tuple[int, ...]:
    """Return (rows, columns), or (rows, columns, 3) for a colour image, which is decoded to RGB."""
    if instance.samples_per_pixel == 3 or instance.photometric_interpretation == "PALETTE COLOR":
        return instance.rows, instance.columns, 3
    return instance.rows, instance.columns


def frame_dtype(instance: Instance) -> npt.DTypeLike:
    """Return the type of the decoded values: uint8 for colour, float32 for floats, else as stored.

    Raises
    ------
    LayoutError
        Bits Allocated is none that can be shown.
    """
    if len(frame_shape(instance)) == 3:
        return np.uint8
    if instance.floating:
        return np.float32
    found = GREY_TYPES.get((instance.bits_allocated, instance.signed))
    if found is None:
        raise LayoutError(
            "unsupported", f"Images of {instance.bits_allocated} bits per value cannot be shown yet."
        )
    return found


def stored_frame_bytes(instance: Instance) -> int:
    """Return the bytes of one native frame in the file, rounded up."""
    samples = 2 if instance.photometric_interpretation == "YBR_FULL_422" else instance.samples_per_pixel
    return (instance.rows * instance.columns * samples * instance.bits_allocated + 7) // 8


def check_budget(instance: Instance, *, encoded_bytes: int | None = None) -> None:
    """Refuse an image that claims more than memory may give or than its bytes can hold.

    Parameters
    ----------
    encoded_bytes
        Length of the compressed pixel data, or none for native pixel data.

    Raises
    ------
    LayoutError
        With the claimed size in words.
    """
    itemsize = np.dtype(frame_dtype(instance)).itemsize
    claimed = math.prod(frame_shape(instance)) * itemsize * instance.number_of_frames
    if claimed > MAX_IMAGE_BYTES:
        raise LayoutError(
            "too_large",
            f"Its header claims {_megabytes(claimed)} of pixels "
            f"({instance.columns} x {instance.rows}, {instance.number_of_frames} frames): more than "
            f"the {_megabytes(MAX_IMAGE_BYTES)} that one file may use.",
        )
    if encoded_bytes is not None and claimed > max(EXPANSION_FREE_BYTES, MAX_EXPANSION * encoded_bytes):
        raise LayoutError(
            "too_large",
            f"Its header claims {_megabytes(claimed)} of pixels in {encoded_bytes} compressed bytes: "
            "the sizes in the header cannot be true.",
        )


def stack_layout(series: Series) -> StackLayout:
    """Return the layout of a series: one type and size for all its frames.

    Raises
    ------
    LayoutError
        The series has no frames, mixes sizes or types, or is too large.
    """
    if not series.instances:
        raise LayoutError("no_pixels", "The series has no images.")
    frames = series.frame_order()
    first = series.instances[frames[0][0]]
    shape, dtype = frame_shape(first), np.dtype(frame_dtype(first))
    if first.tiling is not None and first.rows * first.columns > MAX_OVERVIEW_PIXELS:
        raise LayoutError(
            "too_large",
            f"The smallest level of this slide has {first.columns:,} x {first.rows:,} pixels: it is "
            "shown tile by tile only.",
        )
    for instance in (first,) if series.is_slide else series.instances:
        if frame_shape(instance) != shape or np.dtype(frame_dtype(instance)) != dtype:
            raise LayoutError("unsupported", "The series mixes images of different sizes or types.")
        check_budget(instance)
    return StackLayout((len(frames), *shape), dtype, frames)


def outward(count: int, first: int) -> Iterator[int]:
    """Yield the indices of `count` frames: `first`, then its neighbours, outward to both ends."""
    first = min(max(first, 0), count - 1)
    yield first
    for step in range(1, count):
        if first + step < count:
            yield first + step
        if first - step >= 0:
            yield first - step


def _megabytes(count: int) -> str:
    return f"{count / (1 << 20):,.0f} MiB"
