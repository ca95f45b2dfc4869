"""The palette of an image: its three lookup tables, plain or in segments (PS3.3 C.7.6.3.1.5, C.7.9)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.headers import Header, HeaderError, Tag
from viewer.imaging.mappings import MAX_ENTRIES, ColourTable
from viewer.imaging.study import Instance

Bytes = npt.NDArray[np.uint8]

CHANNELS: Final = (
    (
        Tag.RedPaletteColorLookupTableDescriptor,
        Tag.RedPaletteColorLookupTableData,
        Tag.SegmentedRedPaletteColorLookupTableData,
    ),
    (
        Tag.GreenPaletteColorLookupTableDescriptor,
        Tag.GreenPaletteColorLookupTableData,
        Tag.SegmentedGreenPaletteColorLookupTableData,
    ),
    (
        Tag.BluePaletteColorLookupTableDescriptor,
        Tag.BluePaletteColorLookupTableData,
        Tag.SegmentedBluePaletteColorLookupTableData,
    ),
)
"""Descriptor, data and segmented data of each colour."""

SUPPLEMENTAL: Final = ("COLOR", "MIXED")
"""Pixel Presentation of grey images with a supplemental palette (PS3.3 C.8.16.2.1.1.1)."""

DISCRETE, LINEAR, INDIRECT = range(3)
"""Kinds of segments (PS3.3 C.7.9.2)."""


def palette_of(header: Header, instance: Instance) -> ColourTable | None:
    """Return the palette that gives an image its colours; none for one that has no use for it.

    Raises
    ------
    HeaderError
        The colours are missing or damaged: without them every pixel would be wrong.
    """
    whole = instance.photometric_interpretation == "PALETTE COLOR"
    if not whole and (
        instance.photometric_interpretation != "MONOCHROME2"
        or header.code(Tag.PixelPresentation) not in SUPPLEMENTAL
        or not header.has(Tag.RedPaletteColorLookupTableDescriptor)
    ):
        return None
    raw = header.raw.elements
    values = tuple(tuple(raw.get(tag, b"") for tag in channel) for channel in CHANNELS)
    try:
        return _palette(values, instance.signed, ">" if header.raw.big_endian else "<")
    except ValueError as error:
        raise HeaderError("bad_header", f"Its colours cannot be read: {error}.") from error


@lru_cache(maxsize=32)
def _palette(values: tuple[tuple[bytes, ...], ...], signed: bool, order: str) -> ColourTable:
    tables = []
    start = 0
    for descriptor, data, segmented in values:
        if len(descriptor) < 6 or not (data or segmented):
            raise ValueError("the palette is missing")
        count, first, bits = np.frombuffer(descriptor[:6], dtype=f"{order}u2").tolist()
        count = count or MAX_ENTRIES
        start = first - 65536 if signed and first >= 32768 else first
        tables.append(
            _entries(data, count, bits, order)
            if data
            else _eight_bits(expand(segmented, bits, order), count, bits)
        )
    if len({len(table) for table in tables}) != 1:
        raise ValueError("the tables of the palette differ in length")
    return ColourTable.of(np.stack(tables, axis=1), first=start)


def _entries(data: bytes, count: int, bits: int, order: str) -> Bytes:
    """Return `count` entries of one colour, scaled to eight bits."""
    if bits <= 8 and len(data) < 2 * count:
        if len(data) < count:
            raise ValueError("the palette is too short")
        return np.frombuffer(data, dtype=np.uint8, count=count)
    if len(data) < 2 * count:
        raise ValueError("the palette is too short")
    return _eight_bits(np.frombuffer(data, dtype=f"{order}u2", count=count), count, bits)


def _eight_bits(entries: npt.NDArray[np.uint16], count: int, bits: int) -> Bytes:
    """Scale entries to eight bits; some writers announce 16 bits and fill the lower eight only."""
    if len(entries) != count:
        raise ValueError(f"the palette has {len(entries)} of {count} entries")
    return (entries if bits <= 8 or int(entries.max()) < 256 else entries >> 8).astype(np.uint8)


def expand(data: bytes, bits: int, order: str) -> npt.NDArray[np.uint16]:
    """Return the entries that the segments of one colour stand for (PS3.3 C.7.9.2).

    Raises
    ------
    ValueError
        The segments are damaged or stand for more entries than a table has.
    """
    wide = bits > 8
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype=f"{order}u2" if wide else np.uint8).tolist()
    entries: list[int] = []
    position = 0
    while position + 2 < len(words):  # two words alone are no segment: padding
        if words[position] != INDIRECT:
            position = _segment(words, position, entries)
            continue
        count, low = words[position + 1], words[position + 2 : position + (4 if wide else 6)]
        position += 4 if wide else 6
        if len(low) != (2 if wide else 4):
            raise ValueError("a segment of the palette ends early")
        at = (low[0] | low[1] << 16) // 2 if wide else int.from_bytes(bytes(low), "little")
        for _ in range(count):
            at = _segment(words, at, entries)
    return np.asarray(entries, dtype=np.uint16)


def _segment(words: list[int], position: int, entries: list[int]) -> int:
    """Append the entries of a discrete or linear segment; return the position behind it."""
    if position + 2 >= len(words):
        raise ValueError("a segment of the palette ends early")
    kind, length = words[position : position + 2]
    position += 2
    if len(entries) + length > MAX_ENTRIES:
        raise ValueError("its segments stand for too many entries")
    if kind == DISCRETE:
        found = words[position : position + length]
        if len(found) != length:
            raise ValueError("a segment of the palette ends early")
        entries += found
        return position + length
    if kind != LINEAR or not entries or not length:
        raise ValueError("a segment of the palette is of an unknown kind")
    start, end = entries[-1], words[position]
    steps = np.arange(1, length + 1) * ((end - start) / length) + start
    entries += np.rint(steps).astype(int).tolist()
    return position + 1
