"""Stored values come out as the header describes them, whatever the encoding; damage is named."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from viewer.imaging.decode import decode_stack
from viewer.imaging.index import index_paths
from viewer.imaging.layout import LayoutError, check_budget, outward, stack_layout
from viewer.imaging.study import Series

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"


def only_series(path: Path) -> Series:
    """Return the one series of a file or folder."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    return index.studies[0].series[0]


def decoded(series: Series, **options: Any) -> tuple[np.ndarray, set[str]]:
    """Return all frames and the decoders; fails when a frame is bad."""
    layout = stack_layout(series)
    stack = np.zeros(layout.shape, layout.dtype)
    result = decode_stack(series, layout, stack, **options)
    assert not result.bad, result.bad
    return stack, result.decoders


def test_frames_go_outward_from_the_first_and_none_is_left_out() -> None:
    assert list(outward(6, 2)) == [2, 3, 1, 4, 0, 5]
    assert list(outward(3, 99)) == [2, 1, 0]
    assert sorted(outward(50, 17)) == list(range(50))


VALUES = np.array([[-2048, -1, 0, 1, 5, 2047]] * 4, dtype=np.int16)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_native_values_survive_every_encoding(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    order = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
    ds = ct_slice(syntax=syntax, PixelData=VALUES.astype(order).tobytes())
    stack, _ = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert stack.dtype == np.int16
    assert np.array_equal(stack[0], VALUES)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("stored", "high"), [(16, 15), (12, 11), (12, 15), (10, 12)])
def test_bits_stored_high_bit_and_sign_are_applied_and_foreign_bits_dropped(  # noqa: PLR0917
    syntax: str, signed: bool, stored: int, high: int, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    low, top = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    wanted = np.array([[low, low + 1, 0, 1, top - 1, top]] * 4, dtype=np.int64)
    shift = high + 1 - stored
    field = ((1 << stored) - 1) << shift
    raw = ((wanted << shift) & field) | (0xFFFF & ~field)  # every foreign bit set
    ds = ct_slice(
        syntax=syntax,
        BitsStored=stored,
        HighBit=high,
        PixelRepresentation=int(signed),
        PixelData=raw.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes(),
    )
    stack, _ = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert stack.dtype == (np.int16 if signed else np.uint16)
    assert np.array_equal(stack[0], wanted)


def _compressed(syntax: str, values: np.ndarray) -> bytes:
    import imagecodecs

    if syntax == RLELossless:
        from pydicom.pixels.encoders import RLELosslessEncoder

        meta = {
            "rows": values.shape[0],
            "columns": values.shape[1],
            "samples_per_pixel": 1,
            "bits_allocated": 16,
            "bits_stored": 16,
            "pixel_representation": int(values.dtype.kind == "i"),
            "photometric_interpretation": "MONOCHROME2",
            "number_of_frames": 1,
        }
        return RLELosslessEncoder.encode(values, encoding_plugin="pydicom", **meta)
    encode = {
        JPEG2000Lossless: lambda a: imagecodecs.jpeg2k_encode(a, level=0),
        JPEGLSLossless: imagecodecs.jpegls_encode,
        JPEGLosslessSV1: imagecodecs.ljpeg_encode,
    }[syntax]
    return bytes(encode(values.view(np.uint16)))


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1, RLELossless])
def test_lossless_compression_gives_the_signed_values_back(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    rng = np.random.default_rng(7)
    values = rng.integers(-1024, 3000, size=(64, 48)).astype(np.int16)
    ds = ct_slice(syntax=syntax, Rows=64, Columns=48)
    ds.PixelData = encapsulate([_compressed(syntax, values)])
    stack, decoders = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert np.array_equal(stack[0], values)
    assert decoders == {"imagecodecs"}


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg_of_every_predictor_and_depth(
    bits: int, predictor: int, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    import imagecodecs

    kind = np.uint8 if bits == 8 else np.uint16
    values = np.random.default_rng(bits).integers(0, 1 << bits, size=(64, 48)).astype(kind)
    values[5, ::2], values[5, 1::2] = 0, (1 << bits) // 2  # the largest difference there is
    data = imagecodecs.jpeg8_encode(values, lossless=True, predictor=predictor, bitspersample=bits)
    depth = {"BitsAllocated": 8 * values.itemsize, "BitsStored": bits, "HighBit": bits - 1}
    ds = ct_slice(syntax=JPEGLossless, Rows=64, Columns=48, PixelRepresentation=0, **depth)
    ds.PixelData = encapsulate([bytes(data)])
    stack, decoders = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert np.array_equal(stack[0], values)
    assert np.array_equal(stack[0], imagecodecs.jpegsof3_decode(bytes(data)))
    assert decoders == {"imagecodecs"}


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLosslessSV1, RLELossless])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_cut_code_stream_is_never_shown(
    syntax: str, part: float, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    values = np.random.default_rng(8).integers(0, 4000, size=(64, 48)).astype(np.int16)
    data = _compressed(syntax, values)
    ds = ct_slice(syntax=syntax, Rows=64, Columns=48)
    ds.PixelData = encapsulate([data[: int(part * len(data))]])
    series = only_series(save(ds, tmp_path / "a.dcm"))
    layout = stack_layout(series)
    stack = np.full(layout.shape, 99, layout.dtype)
    result = decode_stack(series, layout, stack)
    assert list(result.bad) == [0]
    assert not stack.any()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1, RLELossless])
def test_one_frame_in_several_fragments(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    values = np.random.default_rng(9).integers(-1024, 3000, size=(64, 48)).astype(np.int16)
    ds = ct_slice(syntax=syntax, Rows=64, Columns=48)
    ds.PixelData = encapsulate([_compressed(syntax, values)], fragments_per_frame=3)
    stack, _ = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert np.array_equal(stack[0], values)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_comes_out_as_rgb_whatever_its_planes(
    planar: int, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, size=(4, 6, 3), dtype=np.uint8)
    ds = ct_slice(
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=planar,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=(np.moveaxis(rgb, 2, 0) if planar else rgb).tobytes(),
    )
    stack, _ = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert np.array_equal(stack[0], rgb)


def test_ybr_is_converted_once(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    # PS3.3 C.7.6.3.1.2: grey has Cb = Cr = 128; pure red is (76, 85, 255) when rounded
    ybr = np.zeros((4, 6, 3), dtype=np.uint8)
    ybr[:2], ybr[2:] = (90, 128, 128), (76, 85, 255)
    ds = ct_slice(
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL",
        PlanarConfiguration=0,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        PixelData=ybr.tobytes(),
    )
    stack, _ = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert stack[0, 0, 0].tolist() == [90, 90, 90]
    assert np.abs(stack[0, 3, 0].astype(int) - [255, 0, 0]).max() <= 1


# What this program shows otherwise than pydicom's array: colour of more than 8 bits is scaled to 8.
WIDE_COLOUR = ("_16bit", "_32bit")
# Lossy colour: rounding of the codec's own colour transform.
ONE_LEVEL = ("GH538",)


def agreeing(paths: list[Path]) -> int:
    """Return how many files give the pixels that pydicom gives; fails on the first that does not."""
    same = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            if any(word in path.name for word in WIDE_COLOUR):
                continue
            index = index_paths([str(path)])
            if index.bad_files or not any(study.series for study in index.studies):
                continue
            series = index.studies[0].series[0]
            try:
                ds = pydicom.dcmread(path)
                reference = np.asarray(pydicom.pixels.pixel_array(ds))
                if series.instances[0].photometric_interpretation == "PALETTE COLOR":
                    reference = pydicom.pixels.apply_color_lut(reference, ds)
                    if reference.dtype == np.uint16:
                        reference = reference >> 8
            except Exception:
                continue  # no reference: three of its JPEG extended files do not decode in pydicom
            layout = stack_layout(series)
            stack = np.zeros(layout.shape, layout.dtype)
            result = decode_stack(series, layout, stack)
            assert not result.bad, (path.name, result.bad)
            reference = reference.reshape(-1, *layout.shape[1:])
            reference = reference[[number - 1 for _, number in layout.frames]]
            difference = np.abs(reference.astype(np.int64) - stack.astype(np.int64)).max()
            lossy = any(word in path.name for word in ONE_LEVEL) or series.instances[0].lossy
            assert difference <= int(lossy), path.name
            same += 1
    return same


def test_every_bundled_image_is_decoded_as_pydicom_decodes_it() -> None:
    assert agreeing(sorted(BUNDLED.glob("*.dcm"))) >= 40


@pytest.mark.shared
def test_every_transfer_syntax_is_decoded_as_pydicom_decodes_it(shared_data: Path) -> None:
    assert agreeing(sorted((shared_data / "transfer-syntax").rglob("*.dcm"))) >= 40


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_extended_jpeg_of_12_bits_is_decoded(name: str) -> None:
    stack, _ = decoded(only_series(BUNDLED / name))
    assert np.ptp(stack) > 50


@pytest.mark.shared
@pytest.mark.parametrize("name", ["HTJ2K_08_RGB.dcm", "HTJ2KLossless_08_RGB.dcm"])
def test_high_throughput_jpeg_2000_is_decoded(name: str, shared_data: Path) -> None:
    stack, _ = decoded(only_series(shared_data / "transfer-syntax" / "pydicom-data" / name))
    assert np.ptp(stack) > 50


@pytest.mark.shared
def test_real_series_have_the_pinned_pixels(shared_data: Path) -> None:
    truth = json.loads((shared_data / "GROUND_TRUTH.json").read_text())["series"]
    key = "stored_pixels_sha256_int32_le_sorted_by_normal"
    for folder, expected in truth.items():
        series = max(
            (one for study in index_paths([str(shared_data / folder)]).studies for one in study.series),
            key=lambda one: one.image_count,
        )
        stack, _ = decoded(series)
        digest = hashlib.sha256(np.ascontiguousarray(stack.astype("<i4")).tobytes()).hexdigest()
        assert digest == expected[key], folder


def test_a_damaged_image_is_named_and_the_rest_is_decoded(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    for number in range(5):
        values = np.full((64, 48), number, dtype=np.int16)
        data = _compressed(JPEGLSLossless, values)
        ds = ct_slice(number, syntax=JPEGLSLossless, Rows=64, Columns=48)
        ds.PixelData = encapsulate([data[:20] if number == 2 else data])
        save(ds, tmp_path / f"{number}.dcm")
    series = only_series(tmp_path)
    layout = stack_layout(series)
    stack = np.full(layout.shape, 99, layout.dtype)
    result = decode_stack(series, layout, stack)
    assert list(result.bad) == [2]
    assert result.bad[2].path.endswith("2.dcm")
    assert "damaged" in result.bad[2].reason
    assert [int(frame.max()) for frame in stack] == [0, 1, 0, 3, 4]


def test_a_file_that_shrank_after_it_was_indexed_is_named(
    write_series: Callable[..., Path],
) -> None:
    folder = write_series(3)
    series = only_series(folder)
    path = folder / "001.dcm"
    path.write_bytes(path.read_bytes()[:-10])
    layout = stack_layout(series)
    result = decode_stack(series, layout, np.zeros(layout.shape, layout.dtype))
    assert result.bad[1].code == "truncated"
    (folder / "001.dcm").unlink()
    result = decode_stack(series, layout, np.zeros(layout.shape, layout.dtype))
    assert result.bad[1].code == "unreadable"


def test_the_first_frame_is_told_first(write_series: Callable[..., Path]) -> None:
    series = only_series(write_series(40))
    told: list[list[int]] = []
    decoded(series, first=25, on_frames=told.append)
    assert told[0][0] == 25
    assert sorted(frame for batch in told for frame in batch) == list(range(40))


def test_sizes_are_checked_from_the_header_alone(write_series: Callable[..., Path]) -> None:
    instance = only_series(write_series(1)).instances[0]
    bomb = instance.model_copy(update={"rows": 65535, "columns": 65535, "number_of_frames": 4000})
    with pytest.raises(LayoutError, match="MiB") as refusal:
        check_budget(bomb)
    assert refusal.value.code == "too_large"
    with pytest.raises(LayoutError, match="cannot be true"):
        check_budget(instance.model_copy(update={"rows": 20000, "columns": 20000}), encoded_bytes=438)


@pytest.mark.shared
def test_an_enhanced_object_is_sorted_by_the_positions_of_its_frames(shared_data: Path) -> None:
    series = only_series(shared_data / "multiframe" / "siemens_xa_4d_a.dcm")
    assert series.verdict.is_volume
    planes = [series.plane_of(frame) for frame in series.frame_order()]
    offsets = [plane.offset for plane in planes if plane is not None]
    assert len(offsets) == 34
    assert offsets == sorted(offsets)


@pytest.mark.parametrize("signed", [True, False])
def test_values_of_eight_bits_keep_their_sign(
    signed: bool, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    wanted = np.array([[-128, -1, 0, 1, 2, 127]] * 4) if signed else np.arange(24).reshape(4, 6) * 10
    ds = ct_slice(
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=int(signed),
        PixelData=(wanted & 0xFF).astype(np.uint8).tobytes(),
    )
    stack, decoders = decoded(only_series(save(ds, tmp_path / "a.dcm")))
    assert np.array_equal(stack[0], wanted)
    assert decoders == {"native"}
