"""Colour once: YBR and wide RGB become 8-bit RGB (PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Rgb = npt.NDArray[np.uint8]

YBR_FULL: Final = frozenset(("YBR_FULL", "YBR_FULL_422"))
"""Stored as luminance and two colour differences; codecs that keep these give YBR back."""


def to_eight_bits(values: Array, bits_stored: int) -> Rgb:
    """Return colour samples of more than eight bits by their upper eight."""
    if values.dtype == np.uint8 and bits_stored <= 8:
        return values.astype(np.uint8, copy=False)
    shift = max(0, bits_stored - 8)
    return (values.astype(np.uint32) >> shift).astype(np.uint8)


def _difference(blue: int, red: int) -> npt.NDArray[np.int16]:
    """What two colour differences (Cb, Cr: the high and low byte of the index) add to a channel.

    Factors in millionths. Rounding (halves up) once is exact: the luminance that it is added to is an
    integer.
    """
    high, low = np.arange(256)[:, np.newaxis] - 128, np.arange(256) - 128
    return ((2 * (blue * high + red * low) + 1_000_000) // 2_000_000).astype(np.int16).reshape(-1)


_RED: Final = _difference(0, 1_402_000)[:256]
_GREEN: Final = _difference(-344_136, -714_136)
_BLUE: Final = _difference(1_772_000, 0)[::256]
"""The inverse of the matrix in PS3.3 C.7.6.3.1.2, by Cr, by both and by Cb."""


def ybr_full_to_rgb(values: Rgb, out: Rgb | None = None) -> Rgb:
    """Convert YBR_FULL to RGB: the inverse of the matrix in PS3.3 C.7.6.3.1.2, rounded.

    Parameters
    ----------
    out
        Where the result goes, which may be `values`; new memory by default.
    """
    rgb = np.empty(values.shape, dtype=np.uint8) if out is None else out
    _add(rgb, values[..., 0], values[..., 1], values[..., 2])
    return rgb


def ybr_full_422_to_rgb(stored: npt.NDArray[np.uint8], out: Rgb) -> None:
    """Convert native YBR_FULL_422 to RGB: two luminances, then Cb and Cr of both (PS3.3 C.7.6.3.1.2).

    Parameters
    ----------
    stored
        Bytes of the frame.
    out
        (row, column, 3) RGB, C-contiguous; an even number of pixels.
    """
    pairs, shape = stored.reshape(-1, 4), out.shape[:2]
    blue, red = (np.repeat(pairs[:, part], 2).reshape(shape) for part in (2, 3))
    _add(out, pairs[:, :2].reshape(shape), blue, red)


def _add(
    rgb: Rgb,
    luminance: npt.NDArray[np.integer[Any]],
    blue: npt.NDArray[np.uint8],
    red: npt.NDArray[np.uint8],
) -> None:
    """Write red, green and blue of a luminance and its colour differences."""
    luminance = luminance.astype(np.int16)  # of its own: `rgb` may be where the values come from
    both = blue.astype(np.uint16) << 8 | red
    tables = (np.take(_RED, red), np.take(_GREEN, both), np.take(_BLUE, blue))
    for channel, difference in enumerate(tables):
        total = difference + luminance
        np.clip(total, 0, 255, out=total)
        rgb[..., channel] = total
