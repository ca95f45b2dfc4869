"""Headers that are built alike, read at once: `Trails` remembers how the elements of a file lie.

The files of a series have the same elements in the same order, and most of them have the same length.
A trail keeps the tags, VRs and lengths of one file that the walk in `elements` has read. When the next
file has the same bytes at the same places, the walk would take the same steps, so the values are taken
without it. Elements whose length differs from file to file are read one by one between such pieces.
Whatever does not fit is walked as if there were no trail: what comes out is always what the walk gives.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from viewer.imaging.elements import (
    DEFLATED_LE,
    IMPLICIT_LE,
    LITTLE,
    PIXEL_TAGS,
    START_BYTES,
    UNDEFINED,
    VALUE_AT,
    Odd,
    PixelElement,
    RawHeader,
    TooDeep,
    first_fragment_end,
    skip,
    walk,
)

KEPT: Final = 4
"""Trails that are tried: parts of a study lie side by side in many folders."""

PATIENCE: Final = 40
"""Files that fit no trail, beyond those that did, after which no more are learnt."""

SYNTAX: Final = 0x00020010

META: Final = 2
"""Group of the file meta information, which is always explicit."""

Unpack = Callable[[bytes, int], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of a file: where it starts, where its value starts, and where the next one starts."""

    tag: int
    start: int
    value: int
    end: int

    def alike(self, other: _Element) -> bool:
        """True when both take the same room."""
        sizes = self.value - self.start, self.end - self.value
        return sizes == (other.value - other.start, other.end - other.value)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Elements of fixed length on end, then one whose length is read.

    Parameters
    ----------
    names, expected
        What unpacks the bytes that must be as they were, and these.
    values, tags
        What unpacks the values that are kept, and whose they are.
    size
        Bytes of the elements of fixed length.
    last, at, width
        The tag of the element behind them, 0 when it is not kept; where its value begins in it, and how
        many bytes before the value its length has.
    items
        Whether items of it, where its length is undefined, are explicit.
    """

    names: Unpack
    expected: tuple[bytes, ...]
    values: Unpack
    tags: tuple[int, ...]
    size: int
    last: int
    at: int
    width: int
    items: bool


@dataclass(frozen=True, slots=True)
class _Trail:
    """How the elements of a file lie up to its pixel data, where the last piece ends."""

    syntax: str
    elements: tuple[_Element, ...]
    loose: frozenset[int]
    pieces: tuple[_Piece, ...]

    def follow(self, data: bytes, file_size: int, modified_ns: int) -> RawHeader | None:
        """Return the header of another file, none when it is built in another way."""
        found: dict[int, bytes] = {}
        position, end = 132, len(data)
        value = length = 0
        try:
            for piece in self.pieces:
                if piece.names(data, position) != piece.expected:
                    return None
                found.update(zip(piece.tags, piece.values(data, position), strict=True))
                position += piece.size
                value = position + piece.at
                if value > end:
                    return None
                length = int.from_bytes(data[value - piece.width : value], "little")
                if piece is self.pieces[-1]:
                    break
                whole = length != UNDEFINED
                if not whole and piece.at == 12 and not piece.items:
                    return None  # of unknown VR: not kept, whatever it holds
                position = value + length if whole else skip(data, value, end, piece.items, LITTLE)
                if position > end:
                    return None
                if piece.last:
                    found[piece.last] = data[value : position if whole else position - 8]
        except (struct.error, Odd, TooDeep):  # shorter than the one before, or worse
            return None
        reaches = first_fragment_end(data, value) if length == UNDEFINED else 0
        pixel = PixelElement(self.pieces[-1].last, value, length, reaches)
        implicit = self.syntax == IMPLICIT_LE
        start = data[:START_BYTES]
        return RawHeader(found, self.syntax, False, pixel, file_size, implicit, start, modified_ns)


class Trails:
    """Reads headers by the trails of those before them."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self._wanted = wanted
        self._known: tuple[_Trail, ...] = ()
        self._patience = PATIENCE

    def walk(self, data: bytes, file_size: int, modified_ns: int) -> RawHeader:
        """Return what `elements.walk` returns, mostly sooner; raises what it raises."""
        known = self._known if data[128:132] == b"DICM" else ()
        for place, trail in enumerate(known):
            raw = trail.follow(data, file_size, modified_ns)
            if raw is not None:
                if place:
                    self._keep(trail)
                self._patience = min(self._patience + 1, PATIENCE)
                return raw
        starts: list[int] = []
        raw = walk(data, self._wanted, file_size, modified_ns, starts)
        if self._patience > 0 and raw.pixel is not None:
            self._patience -= 1
            self._learn(data, raw, starts)
        return raw

    def _keep(self, trail: _Trail, instead: _Trail | None = None) -> None:
        others = (one for one in self._known if one is not trail and one is not instead)
        self._known = (trail, *others)[:KEPT]

    def _learn(self, data: bytes, raw: RawHeader, starts: Sequence[int]) -> None:
        """Make a trail of a file that was walked; of one that is built like it, both."""
        if raw.big_endian or raw.transfer_syntax_uid == DEFLATED_LE:
            return
        elements = _elements(data, raw, starts)
        for known in self._known:
            if known.syntax != raw.transfer_syntax_uid or len(known.elements) != len(elements):
                continue
            pairs = list(zip(known.elements, elements, strict=True))
            if all(one.tag == other.tag for one, other in pairs):
                loose = known.loose | {one.tag for one, other in pairs if not one.alike(other)}
                if SYNTAX not in loose:
                    self._keep(_trail(data, raw, elements, loose, self._wanted), known)
                return
        self._keep(_trail(data, raw, elements, frozenset(), self._wanted))


def _elements(data: bytes, raw: RawHeader, starts: Sequence[int]) -> tuple[_Element, ...]:
    """Return the elements of a header that was walked, its pixel data last."""
    found = []
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        group, element = struct.unpack_from("<HH", data, start)
        implicit = raw.implicit_vr and group != META
        at = 8 if implicit else VALUE_AT[data[start + 4 : start + 6]]
        found.append(_Element(group << 16 | element, start, start + at, end))
    return tuple(found)


def _trail(
    data: bytes,
    raw: RawHeader,
    elements: tuple[_Element, ...],
    loose: frozenset[int],
    wanted: frozenset[int],
) -> _Trail:
    pieces: list[_Piece] = []
    fixed: list[_Element] = []
    for element in elements:
        if element.tag in loose or element.tag in PIXEL_TAGS or _is_open(data, element):
            pieces.append(_piece(data, raw, fixed, element, wanted))
            fixed = []
        else:
            fixed.append(element)
    return _Trail(raw.transfer_syntax_uid, elements, loose, tuple(pieces))


def _piece(
    data: bytes, raw: RawHeader, fixed: list[_Element], last: _Element, wanted: frozenset[int]
) -> _Piece:
    """Put elements on end into two formats: of the bytes that must be as they were, and of values."""
    names, values, tags = ["<"], ["<"], []
    for one in fixed:
        head, size = one.value - one.start, one.end - one.value
        names.append(f"{head + size}s" if one.tag == SYNTAX else f"{head}s{size}x")
        if one.tag in wanted or one.tag >> 16 == META:
            values.append(f"{head}x{size}s")
            tags.append(one.tag)
        else:
            values.append(f"{head + size}x")
    at, implicit = last.value - last.start, raw.implicit_vr and last.tag >> 16 != META
    vr = b"" if implicit else data[last.start + 4 : last.start + 6]
    names.append("4s" if implicit else "6s")
    expected = struct.Struct("".join(names))
    keeps = last.tag in wanted or last.tag >> 16 == META or last.tag in PIXEL_TAGS
    start = fixed[0].start if fixed else last.start
    return _Piece(
        names=expected.unpack_from,
        expected=expected.unpack_from(data, start),
        values=struct.Struct("".join(values)).unpack_from,
        tags=tuple(tags),
        size=last.start - start,
        last=last.tag if keeps else 0,
        at=at,
        width=4 if implicit or at == 12 else 2,
        items=not implicit and vr != b"UN",
    )


def _is_open(data: bytes, one: _Element) -> bool:
    """True for an element of undefined length."""
    return data[one.value - 4 : one.value] == b"\xff\xff\xff\xff"
