"""A walk over the head of a DICOM file: the raw bytes of the wanted elements and where the pixels lie.

PS3.5 section 7 (data elements, sequences) and PS3.10 section 7 (file meta information). Everything
that is not plainly encoded raises `Odd`, and the caller asks pydicom instead; nothing is guessed.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

MAX_DEPTH: Final = 32
"""Deepest nesting of sequences that is followed; real objects stay below 15."""

HEAD_BYTES: Final = 16 * 1024
"""First read of a file; larger headers are mapped."""

MAX_INFLATED: Final = 1 << 30
"""Most bytes that a deflated data set may become."""

START_BYTES: Final = 8
"""So many bytes of the preamble are kept: enough to know every format by."""

MAX_VALUE: Final = 8 << 20
"""Longest value that is kept, bytes: eight VOI LUTs of 65,536 entries take one MiB."""

UNDEFINED: Final = 0xFFFFFFFF
IMPLICIT_LE: Final = "1.2.840.10008.1.2"
EXPLICIT_LE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE: Final = "1.2.840.10008.1.2.2"

PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, Double Float and Pixel Data: the walk ends there."""

PIXEL_GROUP: Final = 0x7FE0

FIRST_GROUPS: Final = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")
"""How a data set without preamble begins: group 0002 or 0008 in either byte order."""

VALUE_AT: Final = {
    **dict.fromkeys(
        (
            *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS"),
            *(b"LO", b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
        ),
        8,
    ),
    **dict.fromkeys(
        (
            *(b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ"),
            *(b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"),
        ),
        12,
    ),
}
"""VR -> bytes from the start of an explicit element to its value (PS3.5 7.1.2)."""


class Odd(Exception):
    """Encoded in a way that this walk does not follow; pydicom may."""


class Short(Odd):
    """The bytes end inside an element."""


class TooDeep(Exception):
    """Sequences nested deeper than `MAX_DEPTH`: no parser should be shown this file."""


class TooLong(Exception):
    """A wanted value longer than `MAX_VALUE`: damaged or hostile."""


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixel data of a file starts.

    Parameters
    ----------
    tag
        0x7FE00010, or that of (double) float pixel data.
    offset
        Byte in the file where the value starts; -1 in a deflated file.
    length
        Value length from the header; `UNDEFINED` when encapsulated.
    reaches
        When encapsulated: the byte up to which the file must go for its first fragment to be whole;
        0 where that was not looked at.
    """

    tag: int
    offset: int
    length: int
    reaches: int = 0


@dataclass(frozen=True, slots=True)
class RawHeader:
    """Raw values of the wanted elements of one file, undecoded.

    Parameters
    ----------
    elements
        Tag (group << 16 | element) -> value bytes as stored, numbers in `big_endian` order. Of a
        sequence: its items, encoded as `implicit_vr` and `big_endian` say.
    file_size
        Bytes of the whole file.
    implicit_vr
        True when elements carry no VR.
    start
        First bytes of the preamble, which may be those of another format (PS3.10 7.1, 7.5).
    modified_ns
        When the file was last changed, ns since 1970; 0 when not known.
    """

    elements: dict[int, bytes]
    transfer_syntax_uid: str
    big_endian: bool
    pixel: PixelElement | None
    file_size: int
    implicit_vr: bool = False
    start: bytes = b""
    modified_ns: int = 0


WalkHead = Callable[[bytes, int, int], RawHeader]
"""Bytes of a file from its start, its size and when it was changed -> its header."""


@dataclass(frozen=True, slots=True)
class Order:
    """Unpackers of one byte order: tag+VR+short length, tag+long length, and a lone long length."""

    short: Callable[..., tuple[Any, ...]]
    long: Callable[..., tuple[Any, ...]]
    length: Callable[..., tuple[Any, ...]]


LITTLE = Order(
    struct.Struct("<HH2sH").unpack_from,
    struct.Struct("<HHI").unpack_from,
    struct.Struct("<I").unpack_from,
)
_BIG = Order(
    struct.Struct(">HH2sH").unpack_from,
    struct.Struct(">HHI").unpack_from,
    struct.Struct(">I").unpack_from,
)


def read_raw(path: str, wanted: frozenset[int], walk_head: WalkHead | None = None) -> RawHeader:
    """Read the wanted elements of a file up to its pixel data.

    Parameters
    ----------
    walk_head
        Walks the first bytes of a file as `walk` does, given them, the size of the file and when it was
        changed; for who knows how files like it are built.

    Raises
    ------
    Odd
        The file is not plainly encoded, or (`Short`) ends inside an element.
    TooDeep
        Nested deeper than `MAX_DEPTH`.
    TooLong
        A wanted value is longer than `MAX_VALUE`.
    OSError
        The file cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.read(descriptor, HEAD_BYTES)
        status = os.fstat(descriptor)
        is_whole = len(head) < HEAD_BYTES
        size, modified = len(head) if is_whole else status.st_size, status.st_mtime_ns
        own = walk_head or (lambda *facts: walk(facts[0], wanted, *facts[1:]))
        if is_whole:
            return own(head, size, modified)
        try:
            return own(head, size, modified)
        except Odd:
            if size <= HEAD_BYTES or head[128:132] != b"DICM":
                raise
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as whole:
            return walk(whole, wanted, size, modified)
    finally:
        os.close(descriptor)


def walk(
    data: bytes | mmap.mmap,
    wanted: frozenset[int],
    file_size: int,
    modified_ns: int = 0,
    starts: list[int] | None = None,
) -> RawHeader:
    """Collect the wanted elements of the top level, other sequences skipped, until the pixel data.

    Parameters
    ----------
    starts
        Filled with where each element of the top level starts, the pixel data last.
    """
    starts = [] if starts is None else starts
    if data[128:132] != b"DICM":
        raise Odd("no DICM prefix")
    elements: dict[int, bytes] = {}
    position, end = 132, len(data)
    while position + 8 <= end and data[position : position + 2] == b"\x02\x00":
        starts.append(position)
        position = _meta_element(data, position, end, elements)
    syntax = elements.get(0x00020010, b"").rstrip(b"\0 ").decode("ascii", "replace")
    if not syntax:
        raise Odd("no transfer syntax")
    if syntax == DEFLATED_LE:
        body: bytes | mmap.mmap = inflate(data[position:], limit=MAX_INFLATED)
        pixel = _data_set(body, 0, wanted, elements, starts, explicit=True, order=LITTLE)
        if pixel is not None:
            pixel = PixelElement(pixel.tag, -1, pixel.length)
    else:
        order = _BIG if syntax == EXPLICIT_BE else LITTLE
        pixel = _data_set(
            data, position, wanted, elements, starts, explicit=syntax != IMPLICIT_LE, order=order
        )
    if pixel is None and end < file_size:
        raise Short
    if pixel is not None and pixel.offset > 0 and pixel.length == UNDEFINED:
        reaches = first_fragment_end(data, pixel.offset)
        pixel = PixelElement(pixel.tag, pixel.offset, pixel.length, reaches)
    big_endian, implicit = syntax == EXPLICIT_BE, syntax == IMPLICIT_LE
    start = bytes(data[:START_BYTES])
    return RawHeader(elements, syntax, big_endian, pixel, file_size, implicit, start, modified_ns)


def first_fragment_end(data: bytes | mmap.mmap, offset: int) -> int:
    """Return where the first fragment behind the offset table ends (PS3.5 A.4), 0 if it is not seen.

    Most images of one frame are one fragment: a file that was cut is found without reading on.
    """
    for _ in ("offset table", "first fragment"):
        if offset + 8 > len(data):
            return 0
        group, element, length = LITTLE.long(data, offset)
        if (group, element) != (0xFFFE, 0xE000):
            return 0
        offset += 8 + length
    return offset


def inflate(data: bytes, *, limit: int) -> bytes:
    """Inflate a deflated data set (PS3.5 A.5), at most `limit` bytes.

    Raises
    ------
    Odd
        The stream is damaged, or larger than the limit.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = stream.decompress(data, limit)
    except zlib.error as error:
        raise Odd("damaged deflate stream") from error
    if stream.unconsumed_tail:
        raise Odd("deflated data set above the limit")
    return body


def _data_set(
    data: bytes | mmap.mmap,
    position: int,
    wanted: frozenset[int],
    elements: dict[int, bytes],
    starts: list[int],
    *,
    explicit: bool,
    order: Order,
) -> PixelElement | None:
    end = len(data)
    read_short, read_long, read_length = order.short, order.long, order.length
    value_at = VALUE_AT.get
    while position + 8 <= end:
        starts.append(position)
        if explicit:
            group, element, vr, length = read_short(data, position)
            at = value_at(vr)
            if at is None:
                raise Odd("unknown VR")
            value = position + at
            if at == 12:
                if value > end:
                    raise Short
                (length,) = read_length(data, position + 8)
        else:
            vr = b""
            group, element, length = read_long(data, position)
            value = position + 8
        tag = group << 16 | element
        if group == PIXEL_GROUP and tag in PIXEL_TAGS:
            return PixelElement(tag, value, length)
        if length == UNDEFINED:
            position = skip(data, value, end, explicit and vr != b"UN", order)
            if tag in wanted and vr != b"UN":
                elements[tag] = _kept(data, value, position - 8)  # without the delimiter
            continue
        position = value + length
        if tag in wanted:
            if position > end:
                raise Short
            elements[tag] = _kept(data, value, position)
    if position != end:
        raise Short
    return None


def _kept(data: bytes | mmap.mmap, start: int, end: int) -> bytes:
    """Return the bytes of a value.

    Raises
    ------
    TooLong
        It is longer than any that is needed.
    """
    if end - start > MAX_VALUE:
        raise TooLong(f"{end - start:,} bytes")
    return data[start:end]


def _meta_element(data: bytes | mmap.mmap, position: int, end: int, elements: dict[int, bytes]) -> int:
    """Keep one element of the file meta information; return the position behind it."""
    group, element, vr, length = LITTLE.short(data, position)
    at = VALUE_AT.get(vr)
    if at is None:
        raise Odd("unknown VR")
    value = position + at
    if at == 12:
        if value > end:
            raise Short
        (length,) = LITTLE.length(data, position + 8)
    if length == UNDEFINED:
        raise Odd("undefined length in the file meta information")
    if value + length > end:
        raise Short
    elements[group << 16 | element] = data[value : value + length]
    behind: int = value + length
    return behind


def skip(  # noqa: PLR0912 - a state machine, flat because hostile files nest deeply
    data: bytes | mmap.mmap, position: int, end: int, explicit: bool, order: Order
) -> int:
    """Return the position behind a sequence of undefined length, without recursion.

    `position` is that of its first item. Items and elements of defined length are jumped over.
    """
    read_short, read_long, read_length = order.short, order.long, order.length
    open_sequences = [explicit]
    in_item = False
    while position + 8 <= end:
        group, element, length = read_long(data, position)
        if not in_item:
            position += 8
            if (group, element) == (0xFFFE, 0xE0DD):
                open_sequences.pop()
                if not open_sequences:
                    return position
                in_item = True
            elif (group, element) != (0xFFFE, 0xE000):
                raise Odd("no item where one must be")
            elif length == UNDEFINED:
                in_item = True
            else:
                position += length
            continue
        if group == 0xFFFE:
            if element != 0xE00D:
                raise Odd("no end of item where one must be")
            position += 8
            in_item = False
            continue
        inner = open_sequences[-1]
        if inner:
            _, _, vr, length = read_short(data, position)
            at = VALUE_AT.get(vr)
            if at is None:
                raise Odd("unknown VR in a sequence")
            if at == 12:
                if position + 12 > end:
                    raise Short
                (length,) = read_length(data, position + 8)
            position += at
            inner = vr != b"UN"
        else:
            position += 8
        if length == UNDEFINED:
            if len(open_sequences) >= MAX_DEPTH:
                raise TooDeep
            open_sequences.append(inner)
            in_item = False
            continue
        position += length
    raise Short


def nesting_depth(data: bytes | mmap.mmap) -> int:
    """Return an upper estimate of how deep items of undefined length are nested in these bytes.

    Counts item starts and ends in either byte order without parsing, so that it can be asked of
    bytes which no parser has accepted yet.
    """
    deepest = 0
    for start, stop in (
        (b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"),
        (b"\xff\xfe\xe0\x00\xff\xff\xff\xff", b"\xff\xfe\xe0\x0d\x00\x00\x00\x00"),
    ):
        depth, opened, closed = 0, data.find(start), data.find(stop)
        while opened >= 0:
            if 0 <= closed < opened:
                depth = max(0, depth - 1)
                closed = data.find(stop, closed + 8)
                continue
            depth += 1
            deepest = max(deepest, depth)
            opened = data.find(start, opened + 8)
    return deepest
