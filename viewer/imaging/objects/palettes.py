"""Palette colour tables of an object (PS3.3 C.7.9), read in the imaging worker."""

from __future__ import annotations

from typing import Any

from viewer.imaging.mappings import LookupTable
from viewer.imaging.objects.values import ObjectError, value
from viewer.imaging.sequences import lookup_table

Palette = tuple[LookupTable, LookupTable, LookupTable]


def is_segmented(found: Any) -> bool:
    """True when the palette is stored in segments (PS3.3 C.7.9.2), which is not read."""
    return value(found, "SegmentedRedPaletteColorLookupTableData") is not None


def palette(found: Any) -> Palette | None:
    """Return the red, green and blue table of an object, none where it has none.

    Raises
    ------
    ObjectError
        They are damaged.
    """
    from pydicom.dataset import Dataset

    tables = []
    for colour in ("Red", "Green", "Blue"):
        descriptor = value(found, f"{colour}PaletteColorLookupTableDescriptor")
        data = value(found, f"{colour}PaletteColorLookupTableData")
        if descriptor is None or data is None:
            return None
        item = Dataset()
        try:
            item.add_new("LUTDescriptor", "US", [int(one) & 0xFFFF for one in descriptor])
            item.add_new("LUTData", "OW", data)
            tables.append(lookup_table(item, signed_input=False))
        except (ValueError, TypeError) as error:
            raise ObjectError("corrupt", f"Its palette cannot be read: {error}.") from error
    return tables[0], tables[1], tables[2]


def colour_at(tables: Palette, number: int) -> str:
    """Return "#rrggbb" of one entry, empty where the palette has none for it."""
    parts = []
    for table in tables:
        index = number - table.first
        if not 0 <= index < table.entries.size:
            return ""
        parts.append(int(table.entries[index]) >> max(table.bits - 8, 0))
    return "#" + "".join(f"{part:02x}" for part in parts)
