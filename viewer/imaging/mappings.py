"""Lookup tables and real-world maps of an image: from one kind of value to another.

The tables travel with the image in the index, so that the window, the measuring worker and the
command line all map values alike and only the imaging worker parses DICOM. A table is packed:
differences of neighbours, deflated, in base64. The 3,447 entries of a mammogram's VOI LUT take
about 400 characters.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

FloatArray = npt.NDArray[np.float64]

MAX_ENTRIES: Final = 65536
"""Most entries of a table: the descriptor counts them in 16 bits (PS3.3 C.11.1.1.1)."""


class LookupTable(BaseModel):
    """A Modality LUT or VOI LUT (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Parameters
    ----------
    first
        The input value that the first entry is for; lower inputs take the first entry, inputs
        beyond the table its last.
    bits
        Bits of an entry: the output runs from 0 to 2**bits - 1.
    packed
        The entries, as `pack` writes them.
    """

    model_config = ConfigDict(frozen=True)

    first: int
    bits: int
    packed: str

    @staticmethod
    def of(entries: Sequence[int] | npt.NDArray[Any], *, first: int, bits: int) -> LookupTable:
        """Return a table; entries that need more bits than announced raise `bits`.

        Raises
        ------
        ValueError
            No entries, or too many.
        """
        values = np.asarray(entries)
        if not 1 <= values.size <= MAX_ENTRIES or values.min() < 0 or values.max() > 65535:
            raise ValueError("a lookup table has 1 to 65536 entries of 16 bits")
        needed = max(bits, int(values.max()).bit_length(), 1)
        differences = np.diff(values.astype("<u2"), prepend=np.uint16(0)).astype("<u2")
        return LookupTable(first=first, bits=needed, packed=pack(differences.tobytes()))

    @property
    def entries(self) -> npt.NDArray[np.uint16]:
        """The entries, read-only."""
        return _entries(self.packed)

    def apply(self, values: FloatArray) -> FloatArray:
        """Look values up; fractions go to the nearest input, halves up."""
        entries = self.entries
        index = np.floor(values + 0.5) - self.first
        found: FloatArray = entries[np.clip(index, 0, entries.size - 1).astype(np.intp)].astype(
            np.float64
        )
        return found


class ColourTable(BaseModel):
    """A palette: stored value to colour (PS3.3 C.7.6.3.1.5, C.7.6.19).

    Parameters
    ----------
    first
        The stored value that the first entry is for.
    packed
        Red, green and blue of each entry, eight bits each, as `pack` writes them.
    """

    model_config = ConfigDict(frozen=True)

    first: int
    packed: str

    @staticmethod
    def of(entries: npt.NDArray[np.uint8], *, first: int) -> ColourTable:
        """Return the table of (entry, 3) colours."""
        return ColourTable(first=first, packed=pack(entries.tobytes()))

    @property
    def entries(self) -> npt.NDArray[np.uint8]:
        """(entry, 3) red, green and blue, read-only."""
        return _colours(self.packed)

    def apply(self, stored: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Look stored values up; values outside the table take its ends."""
        entries = self.entries
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(entries) - 1)
        return np.asarray(entries[index])


class RealWorldMap(BaseModel):
    """One Real World Value Mapping item: stored value to a value with a unit (PS3.3 C.7.6.16.2.11).

    Parameters
    ----------
    label, explanation
        LUT Label and LUT Explanation.
    unit
        Code of the measurement unit, of UCUM as the standard asks; "1" without a unit.
    first, last
        The stored values that are mapped; no others are.
    slope, intercept
        Of a linear map.
    packed
        Float64 values of a table instead; empty for a linear map.
    """

    model_config = ConfigDict(frozen=True)

    label: str = ""
    explanation: str = ""
    unit: str = "1"
    first: float
    last: float
    slope: float = 1.0
    intercept: float = 0.0
    packed: str = ""

    def value(self, stored: float) -> float | None:
        """Return the real-world value of a stored value; none where the map does not reach."""
        if not self.first <= stored <= self.last:
            return None
        if not self.packed:
            return stored * self.slope + self.intercept
        values = np.frombuffer(unpack(self.packed, MAX_ENTRIES * 8), dtype="<f8")
        index = int(stored - self.first)
        return float(values[index]) if index < values.size else None


def pack(raw: bytes) -> str:
    """Return bytes deflated, in base64."""
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def unpack(packed: str, limit: int) -> bytes:
    """Return packed bytes, at most `limit` of them.

    Raises
    ------
    ValueError
        The text is none that `pack` wrote.
    """
    try:
        return zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), limit)
    except (zlib.error, binascii.Error) as error:
        raise ValueError("damaged lookup table") from error


@lru_cache(maxsize=32)
def _colours(packed: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(unpack(packed, MAX_ENTRIES * 3), dtype=np.uint8).reshape(-1, 3)


@lru_cache(maxsize=128)
def _entries(packed: str) -> npt.NDArray[np.uint16]:
    differences = np.frombuffer(unpack(packed, MAX_ENTRIES * 2), dtype="<u2")
    entries = np.cumsum(differences, dtype=np.uint16)
    entries.flags.writeable = False
    return entries
