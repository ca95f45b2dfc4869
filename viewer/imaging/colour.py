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


def ybr_full_to_rgb(values: Rgb) -> Rgb:
    """Convert YBR_FULL to RGB: the inverse of the matrix in PS3.3 C.7.6.3.1.2, rounded."""
    luminance = values[..., 0].astype(np.float32)
    blue = values[..., 1].astype(np.float32) - 128.0
    red = values[..., 2].astype(np.float32) - 128.0
    rgb = np.empty(values.shape, dtype=np.uint8)
    for channel, plane in enumerate(
        (
            luminance + 1.402 * red,
            luminance - 0.344136 * blue - 0.714136 * red,
            luminance + 1.772 * blue,
        )
    ):
        rgb[..., channel] = np.clip(np.floor(plane + 0.5), 0, 255)
    return rgb
