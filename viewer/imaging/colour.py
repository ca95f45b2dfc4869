"""Colour once: YBR, palette and wide RGB become 8-bit RGB (PS3.3 C.7.6.3.1.2, C.7.6.3.1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

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


class Palette:
    """The palette colour lookup table of one image.

    Parameters
    ----------
    data_set
        Header with the Palette Color Lookup Table descriptors and data.

    Raises
    ------
    ValueError
        The table is missing or damaged.
    """

    def __init__(self, data_set: Dataset) -> None:
        tables = []
        for colour in ("Red", "Green", "Blue"):
            descriptor = data_set.get(f"{colour}PaletteColorLookupTableDescriptor")
            data = data_set.get(f"{colour}PaletteColorLookupTableData")
            if descriptor is None or data is None or len(descriptor) != 3:
                raise ValueError("the palette is missing")
            count, first, bits = (int(number) for number in descriptor)
            count = count or 65536
            tables.append(_entries(bytes(data), count, bits, big_endian=not data_set.is_little_endian))
        self._first = first - 65536 if first >= 32768 else first
        self._table = np.stack(tables, axis=1)

    def to_rgb(self, stored: Array) -> Rgb:
        """Look stored values up; values outside the table take its ends."""
        index = np.clip(stored.astype(np.int64) - self._first, 0, len(self._table) - 1)
        rgb: Rgb = self._table[index]
        return rgb


def _entries(data: bytes, count: int, bits: int, *, big_endian: bool) -> Rgb:
    """Return `count` entries of one colour, scaled to eight bits."""
    if bits <= 8 and len(data) < 2 * count:
        if len(data) < count:
            raise ValueError("the palette is too short")
        return np.frombuffer(data, dtype=np.uint8, count=count)
    if len(data) < 2 * count:
        raise ValueError("the palette is too short")
    wide = np.frombuffer(data, dtype=">u2" if big_endian else "<u2", count=count)
    # Some writers announce 16 bits and fill the lower eight only.
    return (wide if bits <= 8 or int(wide.max()) < 256 else wide >> 8).astype(np.uint8)
