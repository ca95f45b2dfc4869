"""Frames of a series into one buffer: native bytes are read straight into it, the rest is decoded.

`decode_stack` takes the first frame that the reader wants, then goes outward from it. Stored values
come out as the header describes them (PS3.5 8.1.1): Bits Stored and High Bit applied, sign extended,
host byte order; colour as 8-bit RGB.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.codestream import (
    CODECS_WITH_PRECISION,
    DCT_SYNTAXES,
    DecodeError,
    Frame,
    decode_frame,
    decode_in_place,
)
from viewer.imaging.colour import YBR_FULL, to_eight_bits, ybr_full_422_to_rgb, ybr_full_to_rgb
from viewer.imaging.elements import EXPLICIT_BE
from viewer.imaging.fragments import FrameTable, Room, frame_table, lone_frame
from viewer.imaging.headers import HeaderError
from viewer.imaging.images import NATIVE_SYNTAXES, is_deflated
from viewer.imaging.layout import (
    LayoutError,
    StackLayout,
    frame_dtype,
    frame_shape,
    outward,
    stored_frame_bytes,
)
from viewer.imaging.mosaic import picture_of, tiles_a_side
from viewer.imaging.native import correct_bits, empty_padding, is_direct, is_subsampled
from viewer.imaging.same_file import check_same
from viewer.imaging.sources import Cancelled
from viewer.imaging.study import BadFile, Instance, Series
from viewer.imaging.tiling import Tiling

Array = npt.NDArray[Any]

CORES: Final = os.cpu_count() or 1

THREADS: Final = min(8, 2 * CORES)
"""Threads that read and decode; the codecs and preadv release the interpreter, and some wait."""

EVENT_SECONDS: Final = 0.02
"""Frames that came are told this often; the first at once."""


@dataclass
class Decoded:
    """What became of the frames of a stack.

    Parameters
    ----------
    decoders
        Names of the decoders that gave pixels, in the order of the chain.
    bad
        Frame index in the stack -> why it has no pixels.
    """

    decoders: set[str] = field(default_factory=set)
    bad: dict[int, BadFile] = field(default_factory=dict)


def decode_stack(
    series: Series,
    layout: StackLayout,
    stack: Array | dict[int, Array],
    *,
    first: int = 0,
    wanted: Sequence[int] | None = None,
    prepare: Callable[[Array], None] = lambda _: None,
    on_frames: Callable[[list[int]], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Decoded:
    """Fill a stack with the frames of a series.

    Parameters
    ----------
    stack
        Writable array of `layout.shape` and `layout.dtype`, or frames of it by index.
    first
        Index of the frame that is decoded first.
    wanted
        Frame indices to decode, in order; all, outward from `first`, by default.
    prepare
        Called with the place of a frame in the stack, in the thread that is about to fill it.
    on_frames
        Called in this thread with the indices that came since the last call.

    Raises
    ------
    Cancelled
        `cancelled` said so.
    """
    order = outward(len(layout.frames), first) if wanted is None else wanted
    # Filters of warnings belong to the process: set here once, not in the threads.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _Decoding(series, layout, stack, order, prepare).run(on_frames, cancelled)


class _Decoding:
    """Threads that take frames from one queue, and the thread that tells what came."""

    def __init__(
        self,
        series: Series,
        layout: StackLayout,
        stack: Array | dict[int, Array],
        order: Iterable[int],
        prepare: Callable[[Array], None],
    ) -> None:
        self._series, self._layout, self._stack = series, layout, stack
        self._prepare = prepare
        self._order = deque(order)
        self._total = len(self._order)
        self._readers = _Readers(series)
        self._done: list[tuple[int, str | BadFile]] = []
        self._told = 0
        self._stop, self._finished = threading.Event(), threading.Event()

    def run(self, on_frames: Callable[[list[int]], None], cancelled: Callable[[], bool]) -> Decoded:
        """Decode all frames of the queue."""
        decoded = Decoded()
        opening = self._order.popleft() if self._order else None
        count = min(THREADS, len(self._order))
        threads = [threading.Thread(target=self._work, name=f"decode-{n}") for n in range(count)]
        try:
            if opening is not None:
                # What the reader looks at comes before everything else: beside it only the other
                # cores work, and these not where a frame is only read.
                beside = CORES - 1 if self._is_compressed(opening) else 0
                for thread in threads[:beside]:
                    thread.start()
                self._done.append((opening, self._outcome(opening)))
                self._tell(decoded, on_frames)
            for thread in threads:
                if thread.ident is None:
                    thread.start()
            while self._told < self._total:
                if cancelled():
                    raise Cancelled
                self._finished.wait(EVENT_SECONDS)
                self._tell(decoded, on_frames)
        finally:
            self._stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        return decoded

    def _is_compressed(self, index: int) -> bool:
        return self._series.instances[self._layout.frames[index][0]].pixel_length == 0

    def _tell(self, decoded: Decoded, on_frames: Callable[[list[int]], None]) -> None:
        """Tell the caller of frames that came since the last time."""
        batch = self._done[self._told : len(self._done)]
        self._told += len(batch)
        good = [index for index, outcome in batch if self._note(index, outcome, decoded)]
        if good:
            on_frames(good)

    def _note(self, index: int, outcome: str | BadFile, decoded: Decoded) -> bool:
        """Keep what became of a frame; true when it has pixels."""
        if isinstance(outcome, BadFile):
            self._stack[index][...] = 0
            decoded.bad[index] = outcome
            return False
        decoded.decoders.add(outcome)
        return True

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                index = self._order.popleft()
            except IndexError:
                return
            self._done.append((index, self._outcome(index)))
            if len(self._done) >= self._total:
                self._finished.set()

    def _outcome(self, index: int) -> str | BadFile:
        """Read one frame; return the decoder's name, or why there are no pixels."""
        instance_index, number = self._layout.frames[index]
        path = self._series.instances[instance_index].path
        target = self._stack[index]
        try:
            self._prepare(target)
            return self._readers.of(instance_index).read(number - 1, target)
        except (DecodeError, HeaderError, LayoutError) as error:
            return BadFile(path=path, reason=str(error), code=error.code)
        except OSError as error:
            words = f"The file cannot be read any more: {error.strerror}."
            return BadFile(path=path, reason=words, code="unreadable")
        except Exception as error:  # a damaged file provokes anything in the parsers below
            words = f"Its pixels cannot be read ({type(error).__name__})."
            return BadFile(path=path, reason=words, code="corrupt")


def decode_one(series: Series, layout: StackLayout, index: int) -> Array:
    """Return one frame of a series.

    Raises
    ------
    DecodeError
        It has no pixels.
    """
    frame = np.zeros(layout.shape[1:], dtype=layout.dtype)
    decoded = decode_stack(series, layout, {index: frame}, wanted=[index])
    if index in decoded.bad:
        raise DecodeError(decoded.bad[index].code, decoded.bad[index].reason)
    return frame


class _Readers:
    """One reader per multi-frame instance, shared by the threads; single frames get a fresh one."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._lock = threading.Lock()
        self._kept: dict[int, _Reader] = {}
        self._room = Room()

    def of(self, index: int) -> _Reader:
        """Return the reader of an instance."""
        instance = self._series.instances[index]
        if instance.number_of_frames == 1:
            return _Reader(instance, room=self._room)
        with self._lock:
            if index not in self._kept:
                self._kept[index] = _Reader(instance)
            return self._kept[index]


class _Reader:
    """Reads frames of one instance; what several frames share is read once."""

    def __init__(self, instance: Instance, *, partial: bool = False, room: Room | None = None) -> None:
        self.instance = instance
        self._room = room
        self._partial = partial  # tiles at the edge may be stored smaller
        self._lock = threading.Lock()
        self._frames: FrameTable | None = None
        self._data_set: Any = None
        self._picture: tuple[Array, str] | None = None

    def read(self, index: int, target: Array) -> str:
        """Write one frame (from 0) into its place in the stack; return the decoder's name."""
        descriptor = os.open(self.instance.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            untouched = check_same(self.instance, os.fstat(descriptor))
            return self._read(descriptor, index, target, untouched=untouched)
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int, index: int, target: Array, *, untouched: bool) -> str:
        """Write one frame of the open file into its place."""
        instance = self.instance
        if instance.mosaic:
            return self._tile(index, target)
        if instance.tiling is not None:
            return self._slide(instance.tiling, target)
        if instance.pixel_length > 0 and (is_direct(instance) or is_subsampled(instance)):
            self._in_place(descriptor, index, target)
            return "native"
        if instance.pixel_length > 0 or is_deflated(instance):
            values, name = self._native(descriptor, index)
            self._store(values, target)
            return name
        if instance.transfer_syntax_uid in NATIVE_SYNTAXES:
            self._store(self._by_pydicom(index), target)
            return "pydicom"
        data = lone_frame(descriptor, instance, self._room) if untouched and self._room else None
        return self._compressed(data or self._codestream(index), index, target)

    def _compressed(self, data: bytes, index: int, target: Array) -> str:
        """Decode one compressed frame into its place."""
        instance = self.instance
        frame = Frame(instance, data, index, self._whole, self._partial)
        if decode_in_place(frame, target):
            self._correct(target, unsigned=True)
            return "imagecodecs"
        values, name = decode_frame(frame)
        self._store(values, target[: values.shape[0], : values.shape[1]])
        return name

    def _in_place(self, descriptor: int, index: int, target: Array) -> None:
        """Read a native frame into its place in the stack, and make its values there."""
        instance = self.instance
        if is_subsampled(instance):
            ybr_full_422_to_rgb(self._raw(descriptor, index), target)
            return
        _read_into(descriptor, instance, index, target)
        if instance.floating:
            empty_padding(target, target, instance)
        elif instance.samples_per_pixel == 1:
            correct_bits(target, instance)
        elif instance.photometric_interpretation == "YBR_FULL":
            ybr_full_to_rgb(target, out=target)

    def _tile(self, index: int, target: Array) -> str:
        """Write one slice of a mosaic: tiles lie side by side, row after row."""
        instance = self.instance
        with self._lock:
            if self._picture is None:
                whole = picture_of(instance)
                picture = np.empty((whole.rows, whole.columns), dtype=target.dtype)
                self._picture = picture, _Reader(whole).read(0, picture)
        picture, name = self._picture
        row, column = divmod(index, tiles_a_side(instance.number_of_frames))
        top, left = row * instance.rows, column * instance.columns
        target[...] = picture[top : top + instance.rows, left : left + instance.columns]
        return name

    def _slide(self, tiling: Tiling, target: Array) -> str:
        """Write a level of a slide that fits into memory, put together from its tiles."""
        tiles = TileReader(self.instance, tiling)
        rows, columns = tiling.grid
        name = "native"
        for row in range(rows):
            for column in range(columns):
                tile, name = tiles.read(row, column)
                top, left = row * tiling.rows, column * tiling.columns
                target[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        return name

    def _store(self, values: Array, target: Array) -> None:
        """Turn decoded samples into the values of the stack."""
        instance = self.instance
        photometric, syntax = instance.photometric_interpretation, instance.transfer_syntax_uid
        if photometric == "PALETTE COLOR" and instance.palette is not None:
            target[...] = instance.palette.apply(values)
        elif instance.samples_per_pixel == 3:
            rgb = to_eight_bits(values, instance.bits_stored)
            if photometric in YBR_FULL and syntax not in DCT_SYNTAXES:
                ybr_full_to_rgb(rgb, out=target)
            else:
                target[...] = rgb
        elif instance.floating:
            # Double precision is more than any map has: 7 digits stay.
            target[...] = values.astype(target.dtype)
            empty_padding(target, values, instance)
        else:
            target[...] = values.astype(target.dtype, copy=False)
            self._correct(target, unsigned=values.dtype.kind == "u")

    def _correct(self, target: Array, *, unsigned: bool) -> None:
        """Make values of what a codec gave for a grey frame; `unsigned` tells as what it gave it."""
        instance = self.instance
        if instance.transfer_syntax_uid not in CODECS_WITH_PRECISION:
            correct_bits(target, instance)
        elif target.dtype.kind == "i" and unsigned:
            # The code stream is unsigned, its values are two's complement in Bits Stored bits.
            correct_bits(target, instance, high_bit=instance.bits_stored - 1)

    def _native(self, descriptor: int, index: int) -> tuple[Array, str]:
        """Samples of a native frame that cannot be read in place: colour, palette, big endian.

        And the decoder's name.
        """
        instance = self.instance
        if instance.photometric_interpretation == "YBR_FULL_422" or instance.bits_allocated == 1:
            return self._by_pydicom(index), "pydicom"
        width = instance.bits_allocated // 8
        order = ">" if instance.transfer_syntax_uid == EXPLICIT_BE else "<"
        if width == 1 and order == ">" and self._whole()["PixelData"].VR == "OW":
            return self._by_pydicom(index), "pydicom"  # bytes swapped in pairs (PS3.5 8.1.1)
        kind = f"f{width}" if instance.floating else f"u{width}"
        values = self._raw(descriptor, index).view(f"{order}{kind}")
        if instance.samples_per_pixel == 1:
            return values.reshape(instance.rows, instance.columns).astype(f"={kind}"), "native"
        if instance.planar:
            planes = values.reshape(3, instance.rows, instance.columns)
            return np.moveaxis(planes, 0, 2), "native"
        return values.reshape(instance.rows, instance.columns, 3), "native"

    def _raw(self, descriptor: int, index: int) -> Array:
        """Bytes of one native frame; those of a deflated file from its inflated data set."""
        size = stored_frame_bytes(self.instance)
        if self.instance.pixel_length > 0:
            raw = np.empty(size, dtype=np.uint8)
            _read_into(descriptor, self.instance, index, raw)
            return raw
        keyword = "PixelData"
        if self.instance.floating:
            keyword = "FloatPixelData" if self.instance.bits_allocated == 32 else "DoubleFloatPixelData"
        data = self._whole()[keyword].value
        if len(data) < (index + 1) * size:
            raise DecodeError("truncated", "The inflated pixel data is shorter than its header says.")
        return np.frombuffer(data, dtype=np.uint8, count=size, offset=index * size)

    def _by_pydicom(self, index: int) -> Array:
        from pydicom.pixels import get_decoder

        decoder = get_decoder(self.instance.transfer_syntax_uid)
        values, _ = decoder.as_array(self._whole(), index=index, raw=True)
        return np.asarray(values)

    def _whole(self) -> Any:
        """The whole data set, read once."""
        from pydicom import dcmread

        with self._lock:
            if self._data_set is None:
                data_set = dcmread(self.instance.path, force=True)
                if "TransferSyntaxUID" not in data_set.file_meta:
                    data_set.file_meta.TransferSyntaxUID = self.instance.transfer_syntax_uid
                self._data_set = data_set
            return self._data_set

    def _codestream(self, index: int) -> bytes:
        """The code stream of one frame, fragments joined."""
        with self._lock:
            if self._frames is None:
                self._frames = frame_table(self.instance, self.instance.number_of_frames)
        return self._frames.read(index)


class TileReader:
    """Reads the tiles of one level of a slide.

    Parameters
    ----------
    instance, tiling
        The level and how its frames lie.
    """

    def __init__(self, instance: Instance, tiling: Tiling) -> None:
        self.tiling = tiling
        self.stored = instance.model_copy(
            update={
                "tiling": None,
                "rows": tiling.rows,
                "columns": tiling.columns,
                "number_of_frames": tiling.frames,
            }
        )
        self._reader = _Reader(self.stored, partial=True)

    def read(self, row: int, column: int, *, plane: int = 0, path: int = 0) -> tuple[Array, str]:
        """Return a tile without what reaches over the slide, and the decoder's name.

        Where the slide was not scanned the tile is white (black where it is no colour).

        Raises
        ------
        IndexError
            There is no such tile.
        DecodeError
            It cannot be decoded.
        """
        rows, columns = self.tiling.tile_shape(row, column)
        frame = self.tiling.frame_of(row, column, plane=plane, path=path)
        shape = frame_shape(self.stored)
        tile = np.full(shape, 255 if len(shape) == 3 else 0, dtype=frame_dtype(self.stored))
        name = "native" if frame is None else self._reader.read(frame, tile)
        return tile[:rows, :columns], name


def _read_into(descriptor: int, instance: Instance, index: int, target: Array) -> None:
    """Read the bytes of a native frame straight into an array.

    Raises
    ------
    DecodeError
        The file got shorter since it was indexed.
    """
    size = stored_frame_bytes(instance)
    view = target.data.cast("B") if target.flags.c_contiguous else None
    if view is None or len(view) != size:
        raise DecodeError("corrupt", "Its pixel data does not have the size that its header says.")
    offset, filled = instance.pixel_offset + index * size, 0
    while filled < size:
        count = os.preadv(descriptor, [view[filled:]], offset + filled)
        if count == 0:
            raise DecodeError(
                "truncated", f"The pixel data is incomplete: {filled:,} of {size:,} bytes are there."
            )
        filled += count
