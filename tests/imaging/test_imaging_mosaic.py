"""A Siemens mosaic is a volume: its tiles lie where the scanner measured them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.imaging.decode import decode_stack
from viewer.imaging.geometry import VerdictKind
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.mosaic import csa_values, tiles_a_side
from viewer.imaging.study import Series

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
ROWS, COLUMNS, SLICES = 3, 4, 5
SIDE = 3
NORMAL = (0.0, 0.6, 0.8)


def csa(**elements: list[str]) -> bytes:
    """Return a CSA header of format SV10 as the scanner writes it."""
    data = b"SV10\4\3\2\1" + struct.pack("<II", len(elements), 77)
    for name, values in elements.items():
        data += name.encode().ljust(64, b"\0")
        data += struct.pack("<i4siii", len(values), b"FD\0\0", 4, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            data += struct.pack("<iiii", len(text), len(text), 77, len(text))
            data += text.ljust((len(text) + 3) // 4 * 4, b"\0")
    return data + b"\0" * (len(data) % 2)


def old_csa(**elements: list[str]) -> bytes:
    """Return a CSA header of the older format: no mark, lengths counted from the first item count."""
    data = struct.pack("<II", len(elements), 77)
    first = len(next(iter(elements.values())))
    for name, values in elements.items():
        data += name.encode().ljust(64, b"\0")
        data += struct.pack("<i4siii", len(values), b"FD\0\0", 4, len(values), 205)
        for value in values:
            text = value.encode() + b"\0"
            data += struct.pack("<iiii", len(text) + first, len(text), 77, len(text))
            data += text.ljust((len(text) + 3) // 4 * 4, b"\0")
    return data + b"\0" * (len(data) % 2)


def volume() -> np.ndarray:
    """Return five slices of 3 x 4 with a different value everywhere."""
    return np.arange(SLICES * ROWS * COLUMNS, dtype=np.int16).reshape(SLICES, ROWS, COLUMNS)


def mosaic(ct_slice: Make, sign: float = 1.0, **changes: Any) -> Dataset:
    """Return a mosaic of three tiles in a row, 2.5 mm apart, its header that of the whole picture."""
    picture = np.zeros((SIDE * ROWS, SIDE * COLUMNS), dtype=np.int16)
    for number, tile in enumerate(volume()):
        row, column = divmod(number, SIDE)
        picture[row * ROWS : (row + 1) * ROWS, column * COLUMNS : (column + 1) * COLUMNS] = tile
    ds = ct_slice(Modality="MR", Rows=SIDE * ROWS, Columns=SIDE * COLUMNS)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 0.8, -0.6]
    ds.ImagePositionPatient = [10, 20, 30]
    ds.PixelSpacing, ds.SpacingBetweenSlices = [2.0, 3.0], 2.5
    ds.PixelData = picture.astype("<i2").tobytes()
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    normal = [f"{sign * part:.8f}" for part in NORMAL]
    header = csa(EchoLinePosition=["1"], NumberOfImagesInMosaic=[str(SLICES)], SliceNormalVector=normal)
    ds.add_new(0x00291010, "OB", header)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def only_series(path: Path) -> Series:
    """Return the one series of a file."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    (series,) = index.studies[0].series
    return series


def decoded(series: Series) -> np.ndarray:
    """Return all frames."""
    layout = stack_layout(series)
    stack = np.zeros(layout.shape, layout.dtype)
    assert not decode_stack(series, layout, stack).bad
    return stack


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_tiles_are_slices_along_the_normal_of_the_scanner(
    sign: float, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    series = only_series(save(mosaic(ct_slice, sign), tmp_path / "a.dcm"))
    assert series.verdict.kind is VerdictKind.UNIFORM
    assert series.verdict.spacing == pytest.approx(2.5)
    # Image planes are sorted along row x column, so a stack downwards comes out reversed.
    order = [frame for _, frame in series.frame_order()]
    assert order == ([1, 2, 3, 4, 5] if sign > 0 else [5, 4, 3, 2, 1])
    assert np.array_equal(decoded(series), volume()[:: int(sign)])
    first = series.instances[0].of_frame(1).plane
    second = series.instances[0].of_frame(2).plane
    assert first is not None
    assert second is not None
    # The picture has 12 columns of 3 mm and 9 rows of 2 mm, a slice 4 and 3: half the rest is 12, 6 mm.
    wanted = np.array([10.0, 20.0, 30.0]) + 12.0 * np.array([1, 0, 0]) + 6.0 * np.array([0, 0.8, -0.6])
    assert first.position == pytest.approx(tuple(wanted))
    step = np.asarray(second.position) - np.asarray(first.position)
    assert step == pytest.approx(sign * 2.5 * np.asarray(NORMAL))


@pytest.mark.parametrize(
    "changes",
    [
        {"SpacingBetweenSlices": None},
        {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},  # the tiles do not stack along their normal
        {"ImageType": ["ORIGINAL", "PRIMARY", "M"]},
        {"Modality": "CT"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_mosaic_that_is_not_fully_described_stays_the_picture_that_it_is(
    changes: dict[str, Any], tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    series = only_series(save(mosaic(ct_slice, **changes), tmp_path / "a.dcm"))
    assert (series.instances[0].rows, series.instances[0].columns) == (9, 12)
    assert decoded(series).shape == (1, 9, 12)


def test_a_mosaic_with_the_older_csa_header_is_split_too(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = mosaic(ct_slice)
    ds[0x00291010].value = old_csa(
        EchoLinePosition=["1", "2", "3"],
        NumberOfImagesInMosaic=[str(SLICES)],
        SliceNormalVector=[f"{part:.8f}" for part in NORMAL],
    )
    series = only_series(save(ds, tmp_path / "a.dcm"))
    assert series.verdict.kind is VerdictKind.UNIFORM
    assert np.array_equal(decoded(series), volume())


def test_elements_of_the_older_header_that_end_early_hide_no_others() -> None:
    whole = old_csa(One=["1"], Two=["22"], Three=["3.5", "4"])
    assert csa_values(whole, "Three") == ("3.5", "4")
    at = whole.index(b"Two") + 84  # the length of its only item
    short = whole[:at] + struct.pack("<i", 0) + whole[at + 4 : at + 16] + whole[at + 20 :]
    assert csa_values(short, "Two") == ()
    assert csa_values(short, "Three") == ("3.5", "4")


@pytest.mark.parametrize("header", [b"", b"SV10", csa(SliceNormalVector=["0", "0.6", "0.8"])])
def test_a_mosaic_without_its_csa_header_stays_a_picture(
    header: bytes, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = mosaic(ct_slice)
    ds[0x00291010].value = header
    assert decoded(only_series(save(ds, tmp_path / "a.dcm"))).shape == (1, 9, 12)


def test_mosaics_of_a_series_are_its_times(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    for number in (3, 1, 2):
        fields = {"InstanceNumber": number, "SOPInstanceUID": f"1.2.3.{number}"}
        save(mosaic(ct_slice, **fields), tmp_path / f"{number}.dcm")
    study = index_paths([str(tmp_path)]).studies[0]
    phases = study.phases_of(study.series[0])
    assert [one.instances[0].instance_number for one in phases] == [1, 2, 3]
    assert all(one.verdict.kind is VerdictKind.UNIFORM for one in phases)


def test_damaged_csa_headers_say_nothing_and_break_nothing() -> None:
    whole = csa(One=["1"], Two=["2.5", "3"])
    assert csa_values(whole, "Two") == ("2.5", "3")
    assert csa_values(whole, "Three") == ()
    for end in range(len(whole)):
        assert csa_values(whole[:end], "Three") == ()
    rng = np.random.default_rng(5)
    for _ in range(300):
        noise = bytearray(whole)
        for at in rng.integers(4, len(noise), size=8):
            noise[at] = int(rng.integers(256))
        assert len(csa_values(bytes(noise), "Two")) < 1001


@pytest.mark.parametrize(("count", "side"), [(2, 2), (4, 2), (5, 3), (9, 3), (10, 4), (35, 6), (36, 6)])
def test_a_mosaic_is_the_smallest_square_that_holds_its_slices(count: int, side: int) -> None:
    assert tiles_a_side(count) == side


@pytest.mark.shared
def test_the_slices_of_a_real_mosaic_lie_where_its_protocol_says(shared_data: Path) -> None:
    path = shared_data / "mr/mosaic_siemens_epi_35slices.dcm"
    series = only_series(path)
    assert series.verdict.kind is VerdictKind.UNIFORM
    ds = pydicom.dcmread(path)
    protocol = ds[0x0029, 0x1020].value.decode("latin-1")
    for number in (0, 1, 34):
        place = series.instances[0].of_frame(number + 1).plane
        assert place is not None
        centre = place.pixel_to_patient(np.array([[32.0, 32.0]]))[0]  # pixel N / 2 of 64
        for axis, name in ((1, "dCor"), (2, "dTra")):
            text = re.search(rf"asSlice\[{number}\]\.sPosition\.{name}\s*=\s*(\S+)", protocol)
            assert text is not None
            assert centre[axis] == pytest.approx(float(text.group(1)), abs=2e-4)
    picture = ds.pixel_array
    stack = decoded(series)
    for index, (_, frame) in enumerate(series.frame_order()):
        row, column = divmod(frame - 1, 6)
        tile = picture[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        assert np.array_equal(stack[index], tile)
