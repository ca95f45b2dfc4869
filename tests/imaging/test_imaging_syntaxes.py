"""Transfer syntaxes beside the common ones: newer codecs read, video and remote pixels refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from viewer.imaging.codestream import DecodeError
from viewer.imaging.decode import decode_one
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.study import Series
from viewer.imaging.syntaxes import REFERENCED, STREAMS, VIDEO

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]

JXL_LOSSLESS, JXL_RECOMPRESSION, JXL = (f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
PROGRESSIVE = "1.2.840.10008.1.2.4.55"

COLOUR: dict[str, Any] = {
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "RGB",
    "PlanarConfiguration": 0,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
    "RescaleSlope": None,
    "RescaleIntercept": None,
    "Rows": 32,
    "Columns": 48,
}


def compressed(ct_slice: Make, syntax: str, frames: list[bytes], **changes: Any) -> Dataset:
    planar = changes.pop("PlanarConfiguration", None)
    ds = ct_slice(syntax=JPEG2000Lossless, PixelData=encapsulate(frames), **changes)
    if planar is not None:
        ds.PlanarConfiguration = planar
    ds.NumberOfFrames = len(frames)
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    return ds


def series_of(path: Path) -> Series:
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    return index.studies[0].series[0]


def pixels(path: Path, frame: int = 0) -> np.ndarray:
    series = series_of(path)
    return decode_one(series, stack_layout(series), frame)


def save_any(ds: Dataset, path: Path) -> Path:
    """Write a file whose transfer syntax pydicom may not know: as another, then its name changed."""
    uid = str(ds.file_meta.TransferSyntaxUID).encode()
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.save_as(path, enforce_file_format=True)
    raw, tag = path.read_bytes(), b"\x02\x00\x10\x00UI"
    at = raw.index(tag)
    (length,) = struct.unpack_from("<H", raw, at + 6)
    (group,) = struct.unpack_from("<I", raw, 140)
    value = uid + b"\0" * (len(uid) % 2)
    behind = raw[at + 8 + length :]
    path.write_bytes(
        raw[:140]
        + struct.pack("<I", group + len(value) - length)
        + raw[144:at]
        + tag
        + struct.pack("<H", len(value))
        + value
        + behind
    )
    return path


def picture() -> np.ndarray:
    down, right = np.mgrid[0:32, 0:48]
    return np.stack([down * 7, right * 5, np.full_like(down, 60)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("signed", [False, True])
def test_jpeg_xl_of_12_bits(ct_slice: Make, tmp_path: Path, signed: bool) -> None:
    values = np.arange(24, dtype=np.int16).reshape(4, 6) * 100 - (1000 if signed else 0)
    stored = values.view(np.uint16) & 0x0FFF
    ds = compressed(
        ct_slice,
        JXL_LOSSLESS,
        [imagecodecs.jpegxl_encode(stored, lossless=True)],
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=int(signed),
    )
    assert np.array_equal(pixels(save_any(ds, tmp_path / "a.dcm")), values)


def test_jpeg_xl_in_colour_and_from_jpeg(ct_slice: Make, tmp_path: Path) -> None:
    whole = picture()
    ds = compressed(ct_slice, JXL, [imagecodecs.jpegxl_encode(whole, lossless=True)], **COLOUR)
    assert np.array_equal(pixels(save_any(ds, tmp_path / "a.dcm")), whole)
    jpeg = imagecodecs.jpeg8_encode(whole, level=95)
    ds = compressed(
        ct_slice,
        JXL_RECOMPRESSION,
        [imagecodecs.jpegxl_encode_jpeg(jpeg)],
        **{**COLOUR, "PhotometricInterpretation": "YBR_FULL_422"},
    )
    found = pixels(save_any(ds, tmp_path / "b.dcm")).astype(int)
    assert np.abs(found - imagecodecs.jpeg8_decode(jpeg)).max() <= 6


@pytest.mark.parametrize("planar", [0, 1])
def test_deflated_frames(ct_slice: Make, tmp_path: Path, planar: int) -> None:
    whole = [picture(), 255 - picture()]
    frames = []
    for one in whole:
        packer = zlib.compressobj(wbits=-15)
        raw = (np.moveaxis(one, 2, 0) if planar else one).tobytes()
        frames.append(packer.compress(raw) + packer.flush())
    changes = {**COLOUR, "PlanarConfiguration": planar}
    path = save_any(compressed(ct_slice, DEFLATED_FRAMES, frames, **changes), tmp_path / "a.dcm")
    assert all(np.array_equal(pixels(path, number), one) for number, one in enumerate(whole))


def test_a_deflated_frame_never_becomes_more_than_its_header_says(
    ct_slice: Make, tmp_path: Path
) -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(200 << 20)) + packer.flush()
    path = save_any(compressed(ct_slice, DEFLATED_FRAMES, [bomb]), tmp_path / "a.dcm")
    assert not pixels(path).any()


def test_progressive_jpeg(ct_slice: Make, tmp_path: Path) -> None:
    grey = picture()[..., 1]
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="JPEG", quality=95, progressive=True)
    changes = {**COLOUR, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}
    del changes["PlanarConfiguration"]
    path = save_any(compressed(ct_slice, PROGRESSIVE, [buffer.getvalue()], **changes), tmp_path / "a")
    assert np.abs(pixels(path).astype(int) - grey).max() <= 4


@pytest.mark.parametrize("syntax", sorted(VIDEO))
def test_video_is_refused_with_its_codec_size_and_length(
    ct_slice: Make, tmp_path: Path, syntax: str
) -> None:
    ds = compressed(ct_slice, syntax, [b"\0\0\1\xb3" * 8], **COLOUR)
    ds.NumberOfFrames, ds.FrameTime = 250, 40.0
    (bad,) = index_paths([str(save_any(ds, tmp_path / "a.dcm"))]).bad_files
    assert bad.code == "video"
    assert f"({VIDEO[syntax]}, 48 x 32, 250 frames, 10 s)" in bad.reason
    assert "JPEG" in bad.reason


@pytest.mark.parametrize("syntax", [*sorted(STREAMS), *sorted(REFERENCED)])
def test_pixels_held_elsewhere_are_refused_with_words(
    ct_slice: Make, tmp_path: Path, syntax: str
) -> None:
    ds = ct_slice(PixelData=encapsulate([b"\0\0"]))
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    (bad,) = index_paths([str(save_any(ds, tmp_path / "a.dcm"))]).bad_files
    assert (bad.code == "video") == (syntax in STREAMS)
    assert "holds no image" in bad.reason or "on a server" in bad.reason


def test_an_unknown_compression_is_called_that(ct_slice: Make, tmp_path: Path) -> None:
    path = save_any(compressed(ct_slice, "1.2.3.4.5", [b"rubbish."]), tmp_path / "a.dcm")
    with pytest.raises(DecodeError, match=r"transfer syntax 1\.2\.3\.4\.5\) is not known") as caught:
        pixels(path)
    assert caught.value.code == "unsupported"
