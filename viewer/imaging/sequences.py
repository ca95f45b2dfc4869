"""Sequences of a header that say what values mean: lookup tables, real-world maps, ultrasound regions.

The own walk keeps the bytes of these few sequences; pydicom parses them here, once for all slices
that carry the same ones.
"""

from __future__ import annotations

import io
import math
import warnings
from functools import lru_cache
from typing import Any, Final

import numpy as np

from viewer.imaging.charset import clean
from viewer.imaging.headers import Header, HeaderError, Tag
from viewer.imaging.mappings import MAX_ENTRIES, LookupTable, RealWorldMap, pack

MAX_ITEMS: Final = 64
"""Most items of a sequence that are read: a hostile file may have millions."""

MAX_NESTING: Final = 4
"""Deepest nesting inside these sequences: units are coded one level down."""


def items(header: Header, tag: Tag, *, required: bool = False) -> list[Any]:
    """Return the items of a sequence as data sets, empty when it is not there.

    Parameters
    ----------
    required
        True when the pixels would be wrong without a sequence that is there; another one that
        cannot be parsed is as good as missing.

    Raises
    ------
    HeaderError
        It is required and cannot be parsed.
    """
    value = header.raw.elements.get(tag)
    if not value:
        return []
    try:
        return _items(value, header.raw.implicit_vr, header.raw.big_endian, tag.name)
    except HeaderError:
        if required:
            raise
        return []


@lru_cache(maxsize=64)
def _items(value: bytes, implicit: bool, big_endian: bool, name: str) -> list[Any]:
    from pydicom.filereader import read_sequence

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_sequence(io.BytesIO(value), implicit, not big_endian, len(value), "iso8859")
            return [_readable(item) for item in found[:MAX_ITEMS]]
    except Exception as error:  # pydicom raises whatever its input provokes
        raise HeaderError(
            "bad_header", f"Its {name} cannot be read ({type(error).__name__})."
        ) from error


def _readable(item: Any, depth: int = 0) -> Any:
    """Decode all elements of an item now and drop those that cannot be: `get` then never raises."""
    for tag in list(item.keys()):
        try:
            element = item[tag]
            if element.VR == "SQ":
                if depth >= MAX_NESTING:
                    del item[tag]
                    continue
                for inner in element.value[:MAX_ITEMS]:
                    _readable(inner, depth + 1)
        except Exception:  # pydicom raises whatever its input provokes
            del item[tag]
    return item


def number(item: Any, keyword: str) -> float | None:
    """Return the first number of an attribute of an item, none when there is no finite one."""
    try:
        value = item.get(keyword)
        if value is None or isinstance(value, bytes):
            return None
        first = value[0] if not isinstance(value, str) and hasattr(value, "__getitem__") else value
        found = float(first)
    except (TypeError, ValueError, IndexError, OverflowError, NotImplementedError):
        return None
    return found if math.isfinite(found) else None


def text(item: Any, keyword: str) -> str:
    """Return an attribute of an item as clean text."""
    value = item.get(keyword)
    return "" if value is None else clean(str(value)).strip()


def lookup_table(item: Any, *, signed_input: bool) -> LookupTable:
    """Return the table of a Modality LUT or VOI LUT item (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Parameters
    ----------
    signed_input
        True when the values that are looked up may be negative: the VR of the descriptor then is SS
        where the encoding does not say.

    Raises
    ------
    ValueError
        Descriptor and data do not make a table.
    """
    raw = item.get_item("LUTDescriptor")
    descriptor = item.get("LUTDescriptor")
    if raw is None or descriptor is None:
        raise ValueError("no LUT Descriptor")
    if isinstance(descriptor, bytes):  # implicit VR: US or SS, pydicom does not know which
        descriptor = np.frombuffer(descriptor[:6], dtype=f"{_order(item)}u2").tolist()
    if len(descriptor) != 3:
        raise ValueError("a LUT Descriptor has three values")
    count, first, bits = (int(value) for value in descriptor)
    first &= 0xFFFF
    if first >= 32768 and (signed_input or raw.VR == "SS"):
        first -= 65536
    count = (count & 0xFFFF) or MAX_ENTRIES
    return LookupTable.of(_lut_data(item, count), first=first, bits=bits & 0xFF)


def _order(item: Any) -> str:
    """Byte order of an item, as NumPy writes it."""
    return ">" if item.original_encoding[1] is False else "<"


def _lut_data(item: Any, count: int) -> Any:
    """LUT Data as `count` numbers: words, or bytes packed in OW when an entry has eight bits."""
    data = item.get("LUTData")
    if data is None:
        raise ValueError("no LUT Data")
    if not isinstance(data, bytes):
        numbers = np.atleast_1d(np.asarray(data, dtype=np.int64)) & 0xFFFF
        data = numbers.astype("<u2").tobytes()
    elif _order(item) == ">":
        data = np.frombuffer(data[: len(data) // 2 * 2], dtype=">u2").astype("<u2").tobytes()
    width = "<u2" if len(data) >= 2 * count else "u1"
    if len(data) < count:
        raise ValueError(f"LUT Data has {len(data)} bytes for {count} entries")
    return np.frombuffer(data, dtype=width, count=count)


def real_world_maps(found: list[Any]) -> tuple[RealWorldMap, ...]:
    """Return the maps of Real World Value Mapping items; incomplete and damaged ones are left out."""
    maps = []
    for item in found[:MAX_ITEMS]:
        try:
            one = _real_world_map(item)
        except (ValueError, TypeError):
            continue
        if one is not None:
            maps.append(one)
    return tuple(maps)


def _real_world_map(item: Any) -> RealWorldMap | None:
    first = number(item, "DoubleFloatRealWorldValueFirstValueMapped")
    last = number(item, "DoubleFloatRealWorldValueLastValueMapped")
    first = number(item, "RealWorldValueFirstValueMapped") if first is None else first
    last = number(item, "RealWorldValueLastValueMapped") if last is None else last
    slope, intercept = number(item, "RealWorldValueSlope"), number(item, "RealWorldValueIntercept")
    values = item.get("RealWorldValueLUTData")
    if first is None or last is None or (values is None and (slope is None or intercept is None)):
        return None
    units = item.get("MeasurementUnitsCodeSequence") or []
    packed = ""
    if values is not None:
        numbers = np.atleast_1d(np.asarray(values, dtype="<f8"))[:MAX_ENTRIES]
        packed = pack(numbers.tobytes())
    return RealWorldMap(
        label=text(item, "LUTLabel"),
        explanation=text(item, "LUTExplanation"),
        unit=next((text(unit, "CodeValue") for unit in units if hasattr(unit, "get")), "") or "1",
        first=first,
        last=last,
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        packed=packed,
    )
