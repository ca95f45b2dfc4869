"""Where the compressed frames of a file lie (PS3.5 A.4); each is read when it is asked for."""

from __future__ import annotations

import mmap
import os
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from viewer.imaging.codestream import DecodeError
from viewer.imaging.elements import UNDEFINED
from viewer.imaging.headers import read_header
from viewer.imaging.study import Instance

MAX_FRAME: Final = 1 << 30
"""Most bytes of one compressed frame, and of all of a file whose frames cannot be told apart."""

ITEM: Final = (0xFFFE, 0xE000)

AT_ONCE: Final = 16 << 20
"""Files of one frame up to this size of their pixel data are read with one call."""


class Room(threading.local):
    """Memory for one code stream, of each thread its own and used again.

    Fresh memory for each would be mapped page by page, which costs as much as to read it.
    """

    def __init__(self) -> None:
        self._bytes = bytearray(1 << 20)

    def of(self, size: int) -> memoryview:
        """Return room for so many bytes, until the next call in this thread."""
        if size > len(self._bytes):
            self._bytes = bytearray(size)
        return memoryview(self._bytes)[:size]


@dataclass(frozen=True, slots=True)
class FrameTable:
    """The fragments of each frame: (offset in the file, length), bytes."""

    path: str
    frames: tuple[tuple[tuple[int, int], ...], ...]

    def read(self, index: int) -> bytes:
        """Return the code stream of a frame (from 0), fragments joined.

        Raises
        ------
        DecodeError
            The file holds no such frame, or got shorter.
        """
        if index >= len(self.frames):
            raise DecodeError("truncated", f"The file holds only {len(self.frames)} frames.")
        parts = self.frames[index]
        if sum(length for _, length in parts) > MAX_FRAME:
            raise DecodeError("too_large", "One frame has more than 1 GiB of compressed pixel data.")
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            pieces = [os.pread(descriptor, length, offset) for offset, length in parts]
        finally:
            os.close(descriptor)
        if any(len(piece) != length for piece, (_, length) in zip(pieces, parts, strict=True)):
            raise DecodeError("truncated", "The file ends inside its compressed pixel data.")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def lone_frame(descriptor: int, instance: Instance, room: Room) -> bytes | None:
    """Return the code stream of a file of one frame, read with one call, its fragments joined.

    None leaves the file to `frame_table`, which has the words for what is wrong with it.

    Parameters
    ----------
    descriptor
        The open file, which was not touched since it was indexed.
    room
        Where the code stream lies until it is asked for the next one.
    """
    start, size = instance.pixel_offset, instance.file_size
    if instance.number_of_frames != 1 or start <= 0 or not 0 < size - start <= AT_ONCE:
        return None
    data = room.of(size - start)
    if os.preadv(descriptor, [data], start) != len(data):
        return None
    _, fragments, _ = _fragments(data, 0)
    # The codecs take any buffer, though their types name bytes only.
    pieces = [cast("bytes", data[offset : offset + length]) for offset, length in fragments]
    if len(pieces) > 1:
        return b"".join(pieces)
    return pieces[0] if pieces else None


def frame_table(instance: Instance, frames: int) -> FrameTable:
    """Find the frames of a compressed file.

    Parameters
    ----------
    frames
        How many the header promises.

    Raises
    ------
    DecodeError
        The fragments end early or do not make frames.
    """
    header = read_header(instance.path)
    pixel = header.raw.pixel
    if pixel is None or pixel.length != UNDEFINED or pixel.offset < 0:
        raise DecodeError("corrupt", "Its compressed pixel data is not where its header says.")
    with (
        Path(instance.path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        offsets, fragments, whole = _fragments(data, pixel.offset)
        if not fragments:
            raise DecodeError("truncated", "Its compressed pixel data is incomplete: it has no frame.")
        if len(fragments) == frames:
            return FrameTable(instance.path, tuple((one,) for one in fragments))
        if frames == 1:
            return FrameTable(instance.path, (tuple(fragments),))
        if len(offsets) == frames:
            return FrameTable(instance.path, _by_offsets(offsets, fragments))
        if len(fragments) < frames:
            if whole:
                raise DecodeError("truncated", f"The file holds {len(fragments)} of {frames} frames.")
            return FrameTable(instance.path, tuple((one,) for one in fragments))
        return FrameTable(instance.path, _by_markers(data, fragments, frames))


Fragments = list[tuple[int, int]]


def _fragments(data: mmap.mmap | memoryview, position: int) -> tuple[list[int], Fragments, bool]:
    """Return the Basic Offset Table, the fragments, and whether the sequence ends as it should."""
    unpack = struct.Struct("<HHI").unpack_from
    offsets: list[int] = []
    fragments: Fragments = []
    first = True
    while position + 8 <= len(data):
        group, element, length = unpack(data, position)
        position += 8
        if (group, element) != ITEM or position + length > len(data):
            return offsets, fragments, (group, element) == (0xFFFE, 0xE0DD)
        if first:
            count = length // 4
            offsets = list(struct.unpack_from(f"<{count}I", data, position))
            first = False
        else:
            fragments.append((position, length))
        position += length
    return offsets, fragments, False


def _by_offsets(offsets: list[int], fragments: Fragments) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Group fragments by the Basic Offset Table, which counts from the first fragment's item tag."""
    start = fragments[0][0] - 8
    begins = {offset: number for number, offset in enumerate(offsets)}
    frames: list[Fragments] = [[] for _ in offsets]
    current = 0
    for offset, length in fragments:
        current = begins.get(offset - 8 - start, current)
        frames[current].append((offset, length))
    if not all(frames):
        raise DecodeError("corrupt", "Its offset table does not fit its compressed pixel data.")
    return tuple(map(tuple, frames))


def _by_markers(
    data: mmap.mmap, fragments: Fragments, frames: int
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Group fragments where code streams end: every frame ends with FFD9 (JPEG, JPEG-LS, JPEG 2000)."""
    found: list[Fragments] = [[]]
    for offset, length in fragments:
        found[-1].append((offset, length))
        if b"\xff\xd9" in data[max(offset, offset + length - 10) : offset + length]:
            found.append([])
    found = [parts for parts in found if parts]
    if len(found) < frames:
        raise DecodeError("truncated", f"The file holds {len(found)} of {frames} frames.")
    return tuple(map(tuple, found[:frames]))
