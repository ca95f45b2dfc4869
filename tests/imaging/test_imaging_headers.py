"""A header is read quickly and never differently from pydicom; what is hostile is refused."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from viewer.imaging.elements import MAX_DEPTH, Odd, nesting_depth
from viewer.imaging.headers import Header, HeaderError, Tag, read_header, read_plain_header

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"

CUT_IN_PIXELS = {"emri_small_jpeg_2k_lossless_too_short.dcm"}
"""pydicom drops pixel data that lacks its last delimiter; the walk says where it starts."""

TEXT_TAGS = (Tag.StudyInstanceUID, Tag.SeriesInstanceUID, Tag.SOPClassUID, Tag.SOPInstanceUID)
CODE_TAGS = (Tag.Modality, Tag.PhotometricInterpretation, Tag.StudyDate, Tag.BodyPartExamined)
NUMBER_TAGS = (Tag.Rows, Tag.Columns, Tag.BitsAllocated, Tag.BitsStored, Tag.HighBit)
DECIMAL_TAGS = (
    Tag.PixelSpacing,
    Tag.ImagePositionPatient,
    Tag.ImageOrientationPatient,
    Tag.RescaleSlope,
)


def disagreements(path: Path) -> list[str]:
    """Return where the own walk and pydicom differ on a file; `Odd` when the walk does not read it."""
    header = read_plain_header(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        wrong = []
        for tag in (*TEXT_TAGS, *CODE_TAGS):
            wanted = ds.get(tag.name)
            if header.code(tag) != ("" if wanted is None else str(wanted)):
                wrong.append(f"{tag.name}: {header.code(tag)!r} is not {wanted!r}")
        for tag in NUMBER_TAGS:
            if header.number(tag) != ds.get(tag.name):
                wrong.append(f"{tag.name}: {header.number(tag)} is not {ds.get(tag.name)}")
        for tag in DECIMAL_TAGS:
            wanted = ds.get(tag.name)
            if wanted is None:
                numbers: tuple[float, ...] = ()
            else:
                numbers = tuple(map(float, wanted if hasattr(wanted, "__iter__") else [wanted]))
            if header.decimals(tag) != numbers:
                wrong.append(f"{tag.name}: {header.decimals(tag)} is not {numbers}")
        whole = pydicom.dcmread(path)
        if path.name not in CUT_IN_PIXELS and (header.raw.pixel is not None) != any(
            keyword in whole for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
        ):
            wrong.append("presence of pixel data")
        return wrong


def compare_all(paths: list[Path]) -> tuple[int, int, dict[str, list[str]]]:
    """Return how many files were compared, how many left to pydicom, and the mismatches."""
    compared = odd = 0
    mismatches = {}
    for path in paths:
        try:
            wrong = disagreements(path)
        except (Odd, HeaderError):
            odd += 1
            continue
        compared += 1
        if wrong:
            mismatches[path.name] = wrong
    return compared, odd, mismatches


def test_the_own_walk_agrees_with_pydicom_on_all_its_test_files() -> None:
    paths = sorted(BUNDLED.glob("**/*.dcm"))
    compared, odd, mismatches = compare_all(paths)
    assert not mismatches
    assert compared > 5 * odd > 0


@pytest.mark.shared
def test_the_own_walk_agrees_with_pydicom_on_real_files(shared_data: Path) -> None:
    compared, _, mismatches = compare_all(sorted(shared_data.glob("**/*.dcm")))
    assert not mismatches
    assert compared > 800


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_encoding_gives_the_same_values(
    syntax: str, tmp_path: Path, ct_slice: Callable[..., Dataset], save: Callable[..., Path]
) -> None:
    header = read_plain_header(str(save(ct_slice(3, syntax=syntax), tmp_path / "a.dcm")))
    assert header.number(Tag.Rows) == 4
    assert header.decimals(Tag.ImagePositionPatient) == (-10.0, -20.0, 7.5)
    assert header.raw.pixel is not None


def test_sequences_of_undefined_length_are_skipped_and_not_mistaken_for_the_image(
    tmp_path: Path, ct_slice: Callable[..., Dataset], save: Callable[..., Path]
) -> None:
    ds = ct_slice()
    inner = Dataset()
    inner.Rows, inner.SOPInstanceUID = 9999, "1.2.3.4"
    deeper = Dataset()
    deeper.ReferencedImageSequence = [inner]
    ds.SourceImageSequence = [deeper, inner]
    ds["SourceImageSequence"].is_undefined_length = True
    deeper["ReferencedImageSequence"].is_undefined_length = True
    for item in (inner, deeper):
        item.is_undefined_length_sequence_item = True
    header = read_plain_header(str(save(ds, tmp_path / "a.dcm")))
    assert header.number(Tag.Rows) == 4
    assert header.code(Tag.SOPInstanceUID) == ds.SOPInstanceUID


def _nested(depth: int) -> bytes:
    """Explicit little endian sequences of undefined length inside each other, never closed."""
    level = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return level * depth


def _file(body: bytes, syntax: bytes = b"1.2.840.10008.1.2.1\0") -> bytes:
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    return bytes(128) + b"DICM" + meta + body


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 20_000])
def test_a_nested_bomb_is_refused_before_any_parser_sees_it(depth: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(_file(_nested(depth)))
    with pytest.raises(HeaderError, match="nested deeper") as refusal:
        read_header(str(path))
    assert refusal.value.code == "too_deep"


def test_a_nested_bomb_without_preamble_is_refused_before_pydicom_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(_nested(5000))
    with pytest.raises(HeaderError) as refusal:
        read_header(str(path))
    assert refusal.value.code == "too_deep"


def test_nesting_is_counted_without_parsing() -> None:
    assert nesting_depth(_nested(7)) == 7
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0"
    assert nesting_depth((_nested(1) + closed) * 50) == 1


def test_a_file_cut_at_any_element_is_read_or_refused_with_a_reason(
    tmp_path: Path, ct_slice: Callable[..., Dataset], save: Callable[..., Path]
) -> None:
    whole = save(ct_slice(), tmp_path / "whole.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    refused = set()
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        try:
            header = read_header(str(cut))
        except HeaderError as error:
            assert str(error).endswith(".")
            refused.add(error.code)
        else:
            assert isinstance(header, Header)
    assert "not_dicom" in refused
    assert "truncated" in refused


def test_an_enormous_value_length_is_truncation_and_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.dcm"
    path.write_bytes(_file(b"\x08\x00\x16\x00UT\0\0\xf0\xff\xff\xff" + b"x" * 40))
    with pytest.raises(HeaderError) as refusal:
        read_header(str(path))
    assert refusal.value.code in ("truncated", "bad_header")


def test_a_deflated_bomb_is_not_inflated_beyond_the_head(tmp_path: Path) -> None:
    import zlib

    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = b"\x08\x00\x05\x00UT\0\0" + struct.pack("<I", 1 << 31)
    body = stream.compress(zeros + bytes(8 << 20)) + stream.flush()
    path = tmp_path / "deflated.dcm"
    path.write_bytes(_file(body, b"1.2.840.10008.1.2.1.99"))
    with pytest.raises(HeaderError):
        read_header(str(path))


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "", "abc", "1\\nan"])
def test_no_number_that_is_none_comes_out_of_a_header(
    text: str, tmp_path: Path, ct_slice: Callable[..., Dataset], save: Callable[..., Path]
) -> None:
    path = save(ct_slice(KVP="120"), tmp_path / "a.dcm")
    data = path.read_bytes()
    at = data.index(b"\x18\x00\x60\x00DS")
    value = text.encode().ljust(len(text) + len(text) % 2)
    path.write_bytes(data[: at + 6] + struct.pack("<H", len(value)) + value + data[at + 12 :])
    assert read_header(str(path)).decimal(Tag.KVP) is None


@pytest.mark.parametrize("undefined_length", [False, True])
def test_a_sequence_of_megabytes_is_refused_before_it_is_kept(
    undefined_length: bool, tmp_path: Path, ct_slice: Callable[..., Dataset], save: Callable[..., Path]
) -> None:
    ds = ct_slice()
    item = Dataset()
    item.add_new(0x00283006, "OW", bytes(9 << 20))
    ds.VOILUTSequence = [item]
    ds["VOILUTSequence"].is_undefined_length = undefined_length
    with pytest.raises(HeaderError, match=r"9,437,\d+ bytes: damaged or hostile") as refusal:
        read_header(str(save(ds, tmp_path / "a.dcm")))
    assert refusal.value.code == "too_large"
