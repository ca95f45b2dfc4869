"""Overlays lie where the header puts them, whether they have data of their own or use spare bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from viewer.imaging.index import index_paths
from viewer.imaging.overlays import overlay_masks
from viewer.imaging.reader import Reader
from viewer.imaging.study import Instance

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
DRAWN = np.array([[1, 0, 1], [0, 1, 1]], dtype=bool)


def only_image(path: Path) -> Instance:
    """Return the one image of a file."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    return index.studies[0].series[0].instances[0]


def add_overlay(ds: Dataset, drawn: np.ndarray, origin: tuple[int, int], group: int = 0x6000) -> None:
    """Add Overlay Data: one bit a point, the first in the lowest bit (PS3.5 8.1.2)."""
    rows, columns = drawn.shape[-2:]
    for element, vr, value in (
        (0x0010, "US", rows),
        (0x0011, "US", columns),
        (0x0040, "CS", "G"),
        (0x0050, "SS", list(origin)),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x1500, "LO", "Pen"),
    ):
        ds.add_new(group << 16 | element, vr, value)
    data = np.packbits(drawn.reshape(-1), bitorder="little").tobytes()
    ds.add_new(group << 16 | 0x3000, "OB", data + b"\0" * (len(data) % 2))


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_an_overlay_is_put_at_its_origin(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(syntax=syntax)
    add_overlay(ds, DRAWN, (2, 3))
    image = only_image(save(ds, tmp_path / "a.dcm"))
    assert (image.overlays[0].label, image.overlays[0].region) == ("Pen", False)
    wanted = np.zeros((4, 6), dtype=bool)
    wanted[1:3, 2:5] = DRAWN  # (2, 3) is row 2, column 3, counted from 1 (PS3.3 C.9.2.1.1)
    assert np.array_equal(overlay_masks(image, 1)[0x6000], wanted)


@pytest.mark.parametrize(
    ("origin", "part"),
    [((0, 1), (0, 0, DRAWN[1:])), ((4, 5), (3, 4, DRAWN[:1, :2])), ((-9, 1), None), ((1, 7), None)],
)
def test_what_lies_outside_of_the_image_is_cut_off(
    origin: tuple[int, int],
    part: tuple[int, int, np.ndarray] | None,
    tmp_path: Path,
    ct_slice: Make,
    save: Save,
) -> None:
    ds = ct_slice()
    add_overlay(ds, DRAWN, origin)
    wanted = np.zeros((4, 6), dtype=bool)
    if part is not None:
        row, column, inside = part
        wanted[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    mask = overlay_masks(only_image(save(ds, tmp_path / "a.dcm")), 1)[0x6000]
    assert np.array_equal(mask, wanted)


def test_an_overlay_of_frames_belongs_to_those_frames(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ct_slice(NumberOfFrames=4)
    ds.PixelData = bytes(2 * 4 * 6 * 4)
    frames = np.stack([DRAWN, ~DRAWN])
    add_overlay(ds, frames, (1, 1))
    ds.add_new(0x60000015, "IS", 2)
    ds.add_new(0x60000051, "US", 2)
    image = only_image(save(ds, tmp_path / "a.dcm"))
    assert [sorted(overlay_masks(image, number)) for number in (1, 2, 3, 4)] == [
        [],
        [24576],
        [24576],
        [],
    ]
    for number, drawn in ((2, DRAWN), (3, ~DRAWN)):
        assert np.array_equal(overlay_masks(image, number)[0x6000][:2, :3], drawn)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_an_overlay_in_spare_bits_is_read_and_the_values_are_free_of_it(
    syntax: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    drawn = np.arange(24).reshape(4, 6) % 3 == 0
    cells = np.arange(24, dtype=np.uint16).reshape(4, 6) | (drawn.astype(np.uint16) << 14)
    ds = ct_slice(syntax=syntax, BitsStored=12, HighBit=11, PixelRepresentation=0)
    ds.PixelData = cells.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    for element, value in ((0x0010, 4), (0x0011, 6), (0x0100, 16), (0x0102, 14)):
        ds.add_new(0x60020000 | element, "US", value)
    ds.add_new(0x60020050, "SS", [1, 1])
    path = save(ds, tmp_path / "a.dcm")
    assert np.array_equal(overlay_masks(only_image(path), 1)[0x6002], drawn)
    with Reader() as reader, reader.open(reader.index([path]).studies[0].series[0]) as opened:
        assert np.array_equal(opened.stack.stored[0], np.arange(24).reshape(4, 6))


def test_an_overlay_without_its_data_is_left_out(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    ds = ct_slice()
    add_overlay(ds, DRAWN, (1, 1))
    del ds[0x60003000]
    add_overlay(ds, DRAWN, (1, 1), group=0x6002)
    assert sorted(overlay_masks(only_image(save(ds, tmp_path / "a.dcm")), 1)) == [0x6002]


def test_the_reader_brings_overlays_from_the_worker(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    ds = ct_slice()
    add_overlay(ds, DRAWN, (1, 1))
    plain = save(ct_slice(1, SOPInstanceUID="1.2.3"), tmp_path / "b.dcm")
    path = save(ds, tmp_path / "a.dcm")
    with Reader() as reader:
        series = reader.index([path]).studies[0].series[0]
        (overlay,) = reader.overlays(series, (0, 1))
        assert np.array_equal(overlay.mask[:2, :3], DRAWN)
        assert overlay.mask.sum() == DRAWN.sum()
        assert overlay.plane.label == "Pen"
        assert reader.overlays(reader.index([plain]).studies[0].series[0], (0, 1)) == ()


@pytest.mark.shared
def test_overlays_of_real_files_are_those_that_pydicom_reads(shared_data: Path) -> None:
    for name in ("mr/sag_thumbnail_MR-SIEMENS-overlays.dcm", "sr-seg-rt/gsps/overlay.dcm"):
        path = shared_data / name
        ds = pydicom.dcmread(path)
        masks = overlay_masks(only_image(path), 1)
        own = [group for group in masks if group << 16 | 0x3000 in ds]
        assert own
        for group in own:
            assert np.array_equal(masks[group], ds.overlay_array(group).astype(bool))
        cells = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns)
        for group in set(masks) - set(own):
            assert np.array_equal(masks[group], cells >> ds[group, 0x0102].value & 1)
    assert len(masks) == 4
