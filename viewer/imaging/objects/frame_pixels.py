"""The pixels of a segmentation, frame by frame: packed bits, native values, and compressed frames."""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.codestream import DecodeError, Frame, decode_frame
from viewer.imaging.elements import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from viewer.imaging.objects.values import ObjectError, value, whole
from viewer.imaging.study import Instance

DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
"""Deflated Image Frame Compression (PS3.5 A.4.13): each frame a deflate stream of its own."""

RLE: Final = "1.2.840.10008.1.2.5"
NATIVE: Final = frozenset((IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE))
MAX_FRAME_PIXELS: Final = 1 << 27

Array = npt.NDArray[Any]


class FramePixels:
    """Frames of one sample of 1, 8 or 16 bits.

    Parameters
    ----------
    found
        The data set, with its pixel data.
    count
        Number of frames.

    Raises
    ------
    ObjectError
        The pixel data cannot be what the header says.
    """

    def __init__(self, found: Any, rows: int, columns: int, count: int) -> None:
        self.count = count
        self._shape = (rows, columns)
        self._bits = whole(found, "BitsAllocated") or 0
        if self._bits not in (1, 8, 16) or (whole(found, "SamplesPerPixel") or 1) != 1:
            raise ObjectError("unsupported", f"Masks of {self._bits} bits are not read.")
        if rows * columns > MAX_FRAME_PIXELS:
            raise ObjectError("too_large", f"A frame of {rows} x {columns} pixels is too large.")
        self._syntax = str(found.file_meta.get("TransferSyntaxUID", IMPLICIT_LE))
        data = value(found, "PixelData")
        if not isinstance(data, bytes):
            raise ObjectError("no_pixels", "It holds no pixel data.")
        self._frames: list[bytes] = []
        self._data = data
        if self._syntax not in NATIVE:
            from pydicom.encaps import generate_frames

            self._frames = list(generate_frames(data, number_of_frames=count))
            if len(self._frames) < count:
                raise ObjectError("truncated", f"It holds {len(self._frames)} of {count} frames.")
            return
        needed = (rows * columns * count * self._bits + 7) // 8
        if len(data) < needed:
            raise ObjectError(
                "truncated", f"The pixel data is incomplete: {len(data):,} of {needed:,} bytes."
            )
        if self._syntax == EXPLICIT_BE and found["PixelData"].VR == "OW":
            self._data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()

    def frame(self, index: int) -> Array:
        """Return a frame, (rows, columns) uint8 or uint16.

        Raises
        ------
        ObjectError
            It cannot be decoded.
        """
        size = self._shape[0] * self._shape[1]
        if self._frames:
            return self._compressed(index, size)
        if self._bits == 1:  # frames follow each other without padding (PS3.5 8.1.1)
            start = index * size
            raw = np.frombuffer(self._data, np.uint8)[start // 8 : (start + size + 7) // 8]
            return self._unpacked(raw, start % 8, size)
        width = self._bits // 8
        dtype = np.dtype("<u2" if width == 2 else np.uint8)
        return np.frombuffer(self._data, dtype, count=size, offset=index * size * width).reshape(
            self._shape
        )

    def _unpacked(self, raw: npt.NDArray[np.uint8], skip: int, size: int) -> Array:
        bits = np.unpackbits(raw, bitorder="little", count=skip + size)[skip:]
        return bits.reshape(self._shape)

    def _compressed(self, index: int, size: int) -> Array:
        """Return a frame of encapsulated pixel data; packed bits are padded to whole bytes a frame."""
        data = self._frames[index]
        packed = self._bits == 1 and self._syntax in (RLE, DEFLATED_FRAMES)
        length = (size + 7) // 8 if packed else size * max(self._bits // 8, 1)
        if self._syntax == DEFLATED_FRAMES:
            try:
                raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, length)
            except zlib.error as error:
                raise ObjectError("corrupt", f"Frame {index + 1} is damaged.") from error
            if len(raw) < length:
                raise ObjectError("truncated", f"Frame {index + 1} is incomplete.")
            if packed:
                return self._unpacked(np.frombuffer(raw, np.uint8), 0, size)
            return np.frombuffer(raw, "<u2" if self._bits == 16 else np.uint8).reshape(self._shape)
        shape = (1, length) if packed else self._shape
        allocated = max(self._bits, 8)
        described = Instance(
            path="",
            sop_instance_uid="",
            sop_class_uid="",
            transfer_syntax_uid=self._syntax,
            rows=shape[0],
            columns=shape[1],
            bits_allocated=allocated,
            bits_stored=allocated,
            high_bit=allocated - 1,
            photometric_interpretation="MONOCHROME2",
        )
        try:
            values, _ = decode_frame(Frame(described, data, 0, _no_data_set))
        except DecodeError as error:
            raise ObjectError(error.code, f"Frame {index + 1} cannot be decoded.") from error
        if packed:
            return self._unpacked(values.reshape(-1).astype(np.uint8), 0, size)
        return values.astype(np.uint16 if self._bits == 16 else np.uint8)


def _no_data_set() -> Any:
    raise NotImplementedError("one frame has no data set of its own")
