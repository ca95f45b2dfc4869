"""One compressed frame to stored values: imagecodecs first, then pydicom's plug-ins, then GDCM.

Each decoder is a row of `DECODERS`; the first that gives values of the right size wins, and its name
travels with the pixels.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.charset import clean
from viewer.imaging.study import Instance

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Array = npt.NDArray[Any]

JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR: Final = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000: Final = "1.2.840.10008.1.2.4.91"
HTJ2K: Final = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
JPEG_PROGRESSIVE: Final = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")
JPEG_XL: Final = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
RLE: Final = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"

DCT_SYNTAXES: Final = frozenset((JPEG_BASELINE, JPEG_EXTENDED, *JPEG_PROGRESSIVE, *JPEG_XL))
"""Lossy JPEG, retired progressive ones too, and JPEG XL: their codecs give RGB themselves."""

WAVELET_SYNTAXES: Final = frozenset((JPEG_2000_LOSSLESS, JPEG_2000, *HTJ2K))
"""JPEG 2000: its codec undoes the RCT or ICT."""


CODECS_WITH_PRECISION: Final = frozenset(
    (
        *(JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_LS_NEAR),
        *DCT_SYNTAXES,
        *WAVELET_SYNTAXES,
    )
)
"""Code streams that know how many bits a value has; all others carry the bits as allocated."""


class DecodeError(Exception):
    """A frame that no decoder gives; `code` as in `BadFile`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """One compressed frame with what its decoders may need.

    Parameters
    ----------
    data
        The code stream, fragments joined; it may lie in memory that is used again for the next.
    index
        Frame number from 0.
    data_set
        Returns the whole data set of the file; read once per file and only when asked.
    partial
        True when the image may be smaller than the header says: a tile at the edge of a slide.
    """

    instance: Instance
    data: bytes
    index: int
    data_set: Callable[[], Dataset]
    partial: bool = False


def _expect(instance: Instance) -> tuple[int, ...]:
    if instance.samples_per_pixel == 3:
        return instance.rows, instance.columns, 3
    return instance.rows, instance.columns


def _jpeg(frame: Frame) -> Array:
    """Baseline and extended JPEG; the colour space is that of the header, not the codec's guess."""
    import imagecodecs

    if frame.instance.samples_per_pixel == 1:
        return np.asarray(imagecodecs.jpeg_decode(frame.data))
    space = "RGB" if _is_rgb_jpeg(frame) else "YCBCR"
    return np.asarray(imagecodecs.jpeg8_decode(frame.data, colorspace=space, outcolorspace="RGB"))


def _is_rgb_jpeg(frame: Frame) -> bool:
    """True when the components are red, green, blue: said by the header, unless Adobe says other."""
    transform = _adobe_transform(frame.data)
    if transform is not None:
        return transform == 0
    return frame.instance.photometric_interpretation == "RGB" and b"JFIF" not in bytes(frame.data[:64])


def _adobe_transform(data: bytes) -> int | None:
    """Return the colour transform of the APP14 Adobe marker (0 = none, 1 = YCbCr), if there is one."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, length = struct.unpack_from(">xBH", data, position)
        if marker == 0xDA:
            return None
        if marker == 0xEE and data[position + 4 : position + 9] == b"Adobe" and length >= 14:
            return data[position + 15]
        position += 2 + length
    return None


def _jpeg_lossless(frame: Frame) -> Array:
    """Lossless JPEG: libjpeg-turbo takes half the time, but makes up what is missing at the end."""
    import imagecodecs

    if frame.instance.samples_per_pixel == 1 and _is_ended(frame.data):
        try:
            return np.asarray(imagecodecs.jpeg8_decode(frame.data))
        except imagecodecs.Jpeg8Error:  # something it does not know
            pass
    return np.asarray(imagecodecs.jpegsof3_decode(frame.data))


def _is_ended(data: bytes) -> bool:
    """True when a JPEG stream ends with its End of Image, padding left out."""
    return bytes(data[-4:]).rstrip(b"\0").endswith(b"\xff\xd9")


def _jpeg_ls(frame: Frame) -> Array:
    import imagecodecs

    return np.asarray(imagecodecs.jpegls_decode(frame.data))


def _jpeg_2000(frame: Frame) -> Array:
    import imagecodecs

    return np.asarray(imagecodecs.jpeg2k_decode(frame.data, numthreads=1))


def _jpeg_xl(frame: Frame) -> Array:
    import imagecodecs

    return np.asarray(imagecodecs.jpegxl_decode(frame.data, numthreads=1))


def _deflated(frame: Frame) -> Array:
    """A deflated frame (PS3.5 A.4.12): native bytes when inflated, never more than the header says."""
    instance = frame.instance
    width = (instance.bits_allocated + 7) // 8
    shape = _expect(instance)
    size = math.prod(shape) * width
    raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame.data, size)
    values = np.frombuffer(raw, dtype=f"<u{width}", count=math.prod(shape))
    if instance.planar and len(shape) == 3:
        return np.moveaxis(values.reshape(3, *shape[:2]), 0, 2)
    return values.reshape(shape)


def _rle(frame: Frame) -> Array:
    import imagecodecs

    instance = frame.instance
    width = (instance.bits_allocated + 7) // 8
    raw = imagecodecs.dicomrle_decode(frame.data, f"<u{width}")
    planes = np.frombuffer(raw, dtype=f"<u{width}").reshape(-1, instance.rows, instance.columns)
    return planes[0] if instance.samples_per_pixel == 1 else np.moveaxis(planes, 0, 2)


def _jpeg_lossless_into(data: bytes, target: Array) -> bool:
    import imagecodecs

    if not _is_ended(data):
        return False
    imagecodecs.jpeg8_decode(data, out=target)
    return True


def _jpeg_ls_into(data: bytes, target: Array) -> bool:
    import imagecodecs

    imagecodecs.jpegls_decode(data, out=target)
    return True


def _rle_into(data: bytes, target: Array) -> bool:
    import imagecodecs

    flat = target.data.cast("B")
    return len(imagecodecs.dicomrle_decode(data, f"<u{target.itemsize}", out=flat)) == len(flat)


IN_PLACE: Final[dict[str, Callable[[bytes, Array], bool]]] = {
    JPEG_LOSSLESS: _jpeg_lossless_into,
    JPEG_LOSSLESS_SV1: _jpeg_lossless_into,
    JPEG_LS: _jpeg_ls_into,
    JPEG_LS_NEAR: _jpeg_ls_into,
    RLE: _rle_into,
}
"""Transfer syntax -> decoder that writes unsigned numbers where they are wanted."""


def decode_in_place(frame: Frame, target: Array) -> bool:
    """Decode a grey frame into its place, as unsigned numbers; false leaves it to `decode_frame`.

    One more copy is a third of the work for RLE.
    """
    instance = frame.instance
    into = IN_PLACE.get(instance.transfer_syntax_uid)
    grey = instance.photometric_interpretation in ("MONOCHROME1", "MONOCHROME2")
    if into is None or not grey or target.shape != _expect(instance):
        return False
    if instance.bits_allocated != 8 * target.itemsize or not target.flags.c_contiguous:
        return False
    try:
        return into(frame.data, target.view(f"u{target.itemsize}"))
    except MemoryError:
        raise
    except Exception:  # a damaged stream provokes whatever it likes, and is told by the chain
        return False


IMAGECODECS: Final[dict[str, Callable[[Frame], Array]]] = {
    JPEG_BASELINE: _jpeg,
    JPEG_EXTENDED: _jpeg,
    JPEG_LOSSLESS: _jpeg_lossless,
    JPEG_LOSSLESS_SV1: _jpeg_lossless,
    JPEG_LS: _jpeg_ls,
    JPEG_LS_NEAR: _jpeg_ls,
    JPEG_2000_LOSSLESS: _jpeg_2000,
    JPEG_2000: _jpeg_2000,
    **dict.fromkeys(HTJ2K, _jpeg_2000),
    **dict.fromkeys(JPEG_PROGRESSIVE, _jpeg),
    **dict.fromkeys(JPEG_XL, _jpeg_xl),
    DEFLATED_FRAMES: _deflated,
    RLE: _rle,
}
"""Transfer syntax -> decoder of imagecodecs."""


def _is_part(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return len(shape) == len(expected) and all(a <= b for a, b in zip(shape, expected, strict=True))


def _imagecodecs(frame: Frame) -> Array:
    decoder = IMAGECODECS.get(frame.instance.transfer_syntax_uid)
    if decoder is None:
        raise NotImplementedError(frame.instance.transfer_syntax_uid)
    return decoder(frame)


def _pydicom(frame: Frame, plugin: str = "") -> Array:
    from pydicom.pixels import get_decoder

    decoder = get_decoder(frame.instance.transfer_syntax_uid)
    options: dict[str, Any] = {"raw": True, "decoding_plugin": plugin}
    values, meta = decoder.as_array(frame.data_set(), index=frame.index, **options)
    if meta.get("photometric_interpretation") in ("YBR_FULL", "YBR_FULL_422") and (
        frame.instance.transfer_syntax_uid in DCT_SYNTAXES
    ):
        from viewer.imaging.colour import ybr_full_to_rgb

        values = ybr_full_to_rgb(values)
    return np.asarray(values)


def _gdcm(frame: Frame) -> Array:
    return _pydicom(frame, "gdcm")


DECODERS: Final[tuple[tuple[str, Callable[[Frame], Array]], ...]] = (
    ("imagecodecs", _imagecodecs),
    ("pydicom", _pydicom),
    ("gdcm", _gdcm),
)
"""The chain, in order."""


def decode_frame(frame: Frame) -> tuple[Array, str]:
    """Return the stored values of a frame, as the codec gives them, and the decoder's name.

    Colour comes out as RGB where the codec knows the transform (`DCT_SYNTAXES`, `WAVELET_SYNTAXES`),
    else as stored.

    Raises
    ------
    DecodeError
        No decoder of the chain gives an image of the expected size.
    """
    expected = _expect(frame.instance)
    syntax = frame.instance.transfer_syntax_uid
    if syntax not in IMAGECODECS:
        raise DecodeError(
            "unsupported", f"Its compression (transfer syntax {clean(syntax)}) is not known: not shown."
        )
    failures = []
    for name, decode in DECODERS:
        try:
            values = decode(frame)
        except MemoryError:
            raise
        except Exception as error:  # codecs raise whatever a damaged stream provokes
            failures.append(f"{name}: {type(error).__name__}")
            continue
        fits = values.shape == expected or (frame.partial and _is_part(values.shape, expected))
        if fits and values.dtype.kind in "iu":
            return values, name
        failures.append(f"{name}: {'x'.join(map(str, values.shape))}")
    raise DecodeError(
        "corrupt",
        f"Frame {frame.index + 1} cannot be decoded ({'; '.join(failures)}): its compressed data is "
        "damaged or does not match its header.",
    )
