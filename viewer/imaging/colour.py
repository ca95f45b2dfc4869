"""Colour once: YBR and wide RGB become 8-bit RGB (PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Final

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


_RED: Final = _difference(0, 1_402_000)
_GREEN: Final = _difference(-344_136, -714_136)
_BLUE: Final = _difference(1_772_000, 0)
"""The inverse of the matrix in PS3.3 C.7.6.3.1.2, by Cb and Cr."""


def ybr_full_to_rgb(values: Rgb, out: Rgb | None = None) -> Rgb:
    """Convert YBR_FULL to RGB: the inverse of the matrix in PS3.3 C.7.6.3.1.2, rounded.

    Parameters
    ----------
    out
        Where the result goes, which may be `values`; new memory by default.
    """
    rgb = np.empty(values.shape, dtype=np.uint8) if out is None else out
    both = values[..., 1].astype(np.uint16)
    both <<= 8
    both |= values[..., 2]
    _add(rgb, values[..., 0], both)
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
    words = stored.reshape(-1).view("<u2")
    luminance = words[0::2].copy().view(np.uint8)
    both = np.repeat(words[1::2].byteswap(), 2)
    _add(out, luminance.reshape(out.shape[:2]), both.reshape(out.shape[:2]))


def _add(rgb: Rgb, luminance: npt.NDArray[np.uint8], both: npt.NDArray[np.uint16]) -> None:
    """Write red, green and blue of a luminance and its colour differences, Cb in the high byte."""
    wide = luminance.astype(np.int16)  # of its own: `rgb` may be where the values come from
    for channel, table in enumerate((_RED, _GREEN, _BLUE)):
        total = np.take(table, both)
        total += wide
        np.clip(total, 0, 255, out=total)
        rgb[..., channel] = total
