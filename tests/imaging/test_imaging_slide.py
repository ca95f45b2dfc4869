"""Whole-slide images: levels, tiles on demand, one level shown whole, label and overview told apart."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    VLWholeSlideMicroscopyImageStorage,
)

from viewer.imaging.index import index_paths
from viewer.imaging.layout import LayoutError, stack_layout
from viewer.imaging.reader import Reader
from viewer.imaging.slide import companions, levels_of
from viewer.imaging.study import BadFile, Series, Study
from viewer.imaging.tiles import SlideTiles, TilePlace
from viewer.imaging.tiling import Flavour, overview_index
from viewer.imaging.worker.host import WorkerError

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]

TILE = 32


def picture(rows: int, columns: int) -> np.ndarray:
    """A smooth colour picture: JPEG keeps it within a few levels."""
    down, right = np.mgrid[0:rows, 0:columns]
    return np.stack(
        [down * 255 // rows, right * 255 // columns, np.full_like(down, 90)], axis=-1
    ).astype(np.uint8)


def tiles_of(whole: np.ndarray) -> list[np.ndarray]:
    """Tiles row after row; those at the edges filled up."""
    rows, columns = (-(-size // TILE) for size in whole.shape[:2])
    pad = [(0, rows * TILE - whole.shape[0]), (0, columns * TILE - whole.shape[1])]
    full = np.pad(whole, [*pad, *[(0, 0)] * (whole.ndim - 2)], mode="edge")
    return [
        full[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        for row in range(rows)
        for column in range(columns)
    ]


def slide_level(
    ct_slice: Make,
    whole: np.ndarray,
    number: int,
    *,
    jpeg: bool = False,
    flavour: str = "VOLUME",
    spacing: float = 0.0005,
    tiles: list[np.ndarray] | None = None,
    **changes: Any,
) -> Dataset:
    """One level as a data set."""
    tiles = tiles_of(whole) if tiles is None else tiles
    colour = whole.ndim == 3
    ds = ct_slice(
        number,
        syntax=JPEGBaseline8Bit if jpeg else ExplicitVRLittleEndian,
        SOPClassUID=VLWholeSlideMicroscopyImageStorage,
        Modality="SM",
        ImageType=["ORIGINAL", "PRIMARY", flavour, "NONE"],
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        PixelSpacing=None,
        RescaleSlope=None,
        RescaleIntercept=None,
        Rows=TILE,
        Columns=TILE,
        SamplesPerPixel=3 if colour else 1,
        PhotometricInterpretation="RGB" if colour else "MONOCHROME2",
        BitsAllocated=whole.itemsize * 8,
        BitsStored=whole.itemsize * 8,
        HighBit=whole.itemsize * 8 - 1,
        PixelRepresentation=0,
    )
    if colour:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames = len(tiles)
    ds.TotalPixelMatrixRows, ds.TotalPixelMatrixColumns = whole.shape[:2]
    ds.DimensionOrganizationType = "TILED_FULL"
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [spacing, spacing]
    shared.PixelMeasuresSequence = [measures]
    ds.SharedFunctionalGroupsSequence = [shared]
    if jpeg:
        ds.PhotometricInterpretation = "YBR_FULL_422"
        ds.PixelData = encapsulate([jpeg_of(tile) for tile in tiles])
        ds["PixelData"].is_undefined_length = True
    else:
        ds.PixelData = b"".join(tile.astype(f"<u{whole.itemsize}").tobytes() for tile in tiles)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def jpeg_of(tile: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(tile).save(buffer, format="JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as shared:
        yield shared


@pytest.fixture
def pyramid(ct_slice: Make, save: Save, tmp_path: Path) -> Path:
    """Levels of 100 x 140 and 50 x 70 pixels, a label and an overview."""
    save(slide_level(ct_slice, picture(50, 70), 1, spacing=0.001), tmp_path / "1.dcm")
    save(slide_level(ct_slice, picture(100, 140), 0, jpeg=True), tmp_path / "0.dcm")
    save(slide_level(ct_slice, picture(30, 20), 2, flavour="LABEL"), tmp_path / "2.dcm")
    save(slide_level(ct_slice, picture(40, 64), 3, flavour="OVERVIEW"), tmp_path / "3.dcm")
    return tmp_path


def study_of(path: Path) -> Study:
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    return index.studies[0]


def slide_of(study: Study) -> Series:
    return max(study.series, key=lambda series: len(series.instances))


def test_a_slide_is_one_series_of_levels_and_its_label_is_apart(pyramid: Path) -> None:
    study = study_of(pyramid)
    slide = slide_of(study)
    levels = levels_of(slide)
    assert [(one.tiling.total_rows, one.tiling.total_columns) for one in levels] == [
        (100, 140),
        (50, 70),
    ]
    assert [one.downsample for one in levels] == [1.0, 2.0]
    assert [one.tiling.spacing for one in levels] == [(0.0005, 0.0005), (0.001, 0.001)]
    assert (slide.is_slide, slide.image_count) == (True, 1)
    found = companions(study, slide)
    assert found[Flavour.LABEL].instances[0].rows == 30
    assert found[Flavour.OVERVIEW].instances[0].rows == 40
    assert len(study.series) == 3


def test_tiles_are_those_of_the_picture(pyramid: Path, reader: Reader) -> None:
    tiles = reader.slide(slide_of(study_of(pyramid)))
    for level, whole, tolerance in ((0, picture(100, 140), 8), (1, picture(50, 70), 0)):
        rows, columns = tiles.levels[level].tiling.grid
        for row in range(rows):
            for column in range(columns):
                tile = tiles.tile(level, row, column)
                expected = whole[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                assert tile.shape == expected.shape
                assert np.abs(tile.astype(int) - expected.astype(int)).max() <= tolerance


def test_tiles_are_kept_up_to_a_limit(pyramid: Path, reader: Reader) -> None:
    slide = slide_of(study_of(pyramid))
    tiles = SlideTiles(slide, reader.host, reader.pool, kept_bytes=2 * TILE * TILE * 3)
    places = [TilePlace(0, 0, column) for column in range(3)]
    assert all(tiles.kept(place) is None for place in places)
    found = tiles.tiles(places)
    assert [tiles.kept(place) is not None for place in places] == [False, True, True]
    assert tiles.kept(places[2]) is found[places[2]]
    assert not found[places[2]].flags.writeable
    tiles.forget()
    assert tiles.kept(places[2]) is None


def test_there_are_no_tiles_outside(pyramid: Path, reader: Reader) -> None:
    tiles = reader.slide(slide_of(study_of(pyramid)))
    with pytest.raises(IndexError, match="4 x 5 tiles"):
        tiles.tile(0, 4, 0)
    with pytest.raises(ValueError, match="no whole-slide"):
        reader.slide(study_of(pyramid).series[0].model_copy(update={"instances": ()}))


def test_a_stack_of_a_slide_is_one_level_put_together(pyramid: Path, reader: Reader) -> None:
    slide = slide_of(study_of(pyramid))
    with reader.open(slide) as opened:
        stored = opened.stack.stored
        assert stored.shape == (1, 100, 140, 3)
        assert np.abs(stored[0].astype(int) - picture(100, 140)).max() <= 8
        assert opened.stack.decoder == "imagecodecs"
    assert slide.pixel_spacing == (0.0005, 0.0005)
    assert reader.thumbnail(slide, size=32).shape == (23, 32, 3)


def test_the_level_shown_whole_is_the_smallest_that_is_large_enough() -> None:
    assert overview_index([(80000, 90000), (5000, 6000), (900, 1100), (450, 550)]) == 2
    assert overview_index([(300, 400), (600, 800)]) == 1


def test_a_slide_of_one_huge_level_is_refused_as_a_stack_and_read_by_tiles(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    side = 32 * 400
    corner = TILE * TILE * 3
    ds = slide_level(ct_slice, picture(64, 64), 0)
    ds.TotalPixelMatrixRows = ds.TotalPixelMatrixColumns = side
    ds.NumberOfFrames = 400 * 400
    data = bytearray(corner * 400 * 400)
    data[-corner:] = bytes([7]) * corner
    ds.PixelData = bytes(data)
    slide = slide_of(study_of(save(ds, tmp_path / "a.dcm")))
    with pytest.raises(LayoutError, match="tile by tile"):
        stack_layout(slide)
    with pytest.raises(WorkerError, match="tile by tile"):
        reader.begin(slide)
    tiles = reader.slide(slide)
    assert np.all(tiles.tile(0, 399, 399) == 7)
    assert np.all(tiles.tile(0, 399, 398) == 0)


def test_sparse_tiles_lie_where_the_header_places_them(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    whole = picture(64, 96)
    all_tiles = tiles_of(whole)
    stored = [5, 0, 2]
    ds = slide_level(ct_slice, whole, 0, tiles=[all_tiles[number] for number in stored])
    ds.DimensionOrganizationType = "TILED_SPARSE"
    ds.PerFrameFunctionalGroupsSequence = [placed(*divmod(number, 3)) for number in stored]
    slide = slide_of(study_of(save(ds, tmp_path / "a.dcm")))
    tiles = reader.slide(slide)
    for number, expected in enumerate(all_tiles):
        tile = tiles.tile(0, *divmod(number, 3))
        assert np.array_equal(tile, expected if number in stored else np.full_like(expected, 255))


def placed(row: int, column: int) -> Dataset:
    group, place = Dataset(), Dataset()
    place.RowPositionInTotalImagePixelMatrix = row * TILE + 1
    place.ColumnPositionInTotalImagePixelMatrix = column * TILE + 1
    place.ZOffsetInSlideCoordinateSystem = 0
    group.PlanePositionSlideSequence = [place]
    return group


def test_sparse_tiles_between_the_grid_are_refused(ct_slice: Make, save: Save, tmp_path: Path) -> None:
    ds = slide_level(ct_slice, picture(64, 64), 0)
    ds.DimensionOrganizationType = "TILED_SPARSE"
    groups = [placed(*divmod(number, 2)) for number in range(4)]
    groups[3].PlanePositionSlideSequence[0].RowPositionInTotalImagePixelMatrix = 20
    ds.PerFrameFunctionalGroupsSequence = groups
    (bad,) = index_paths([str(save(ds, tmp_path / "a.dcm"))]).bad_files
    assert bad.code == "unsupported"
    assert "side by side" in bad.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"NumberOfFrames": 3}, "3 of 4 tiles"),
        ({"TotalPixelMatrixRows": 4_000_000, "TotalPixelMatrixColumns": 4_000_000}, "impossible"),
    ],
)
def test_tiles_that_make_no_matrix_are_refused(
    ct_slice: Make, save: Save, tmp_path: Path, changes: dict[str, int], words: str
) -> None:
    ds = slide_level(ct_slice, picture(64, 64), 0, **changes)
    (bad,) = index_paths([str(save(ds, tmp_path / "a.dcm"))]).bad_files
    assert words in bad.reason


def test_grey_tiles_of_16_bits_share_one_window(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    whole = (np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)
    path = save(slide_level(ct_slice, whole, 0), tmp_path / "a.dcm")
    tiles = reader.slide(slide_of(study_of(path)))
    grey = tiles.tile(0, 1, 1)
    assert grey.ndim == 2
    expected = np.clip((whole[32:, 32:] - 32767.5) / 65535 + 0.5, 0, 1) * 255
    assert np.abs(grey - expected).max() <= 1


def test_focal_planes_and_paths_follow_each_other(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    whole = picture(64, 32)
    stored = [np.full((TILE, TILE, 3), number, np.uint8) for number in range(2 * 3 * 2)]
    ds = slide_level(
        ct_slice, whole, 0, tiles=stored, TotalPixelMatrixFocalPlanes=3, NumberOfOpticalPaths=2
    )
    tiles = reader.slide(slide_of(study_of(save(ds, tmp_path / "a.dcm"))))
    place = TilePlace(0, 1, 0, plane=2, path=1)
    found = tiles.tiles([place])[place]
    assert not isinstance(found, BadFile)
    assert np.all(found == 11)


def test_a_damaged_tile_is_named_and_the_others_are_shown(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    ds = slide_level(ct_slice, picture(64, 64), 0, jpeg=True)
    good = [jpeg_of(tile) for tile in tiles_of(picture(64, 64))]
    ds.PixelData = encapsulate([good[0], b"\xff\xd8rubbish\xff\xd9", *good[2:]])
    ds["PixelData"].is_undefined_length = True
    tiles = reader.slide(slide_of(study_of(save(ds, tmp_path / "a.dcm"))))
    places = [TilePlace(0, row, column) for row in range(2) for column in range(2)]
    found = tiles.tiles(places)
    assert [isinstance(found[place], BadFile) for place in places] == [False, True, False, False]
    with pytest.raises(WorkerError, match="cannot be decoded"):
        tiles.tile(0, 0, 1)


def test_a_tile_in_several_fragments_is_joined_by_the_offset_table(
    ct_slice: Make, save: Save, tmp_path: Path, reader: Reader
) -> None:
    whole = picture(32, 64)
    ds = slide_level(ct_slice, whole, 0, jpeg=True)
    frames = [jpeg_of(tile) for tile in tiles_of(whole)]
    ds.PixelData = encapsulate(frames, fragments_per_frame=3)
    ds["PixelData"].is_undefined_length = True
    tiles = reader.slide(slide_of(study_of(save(ds, tmp_path / "a.dcm"))))
    assert np.abs(tiles.tile(0, 0, 1).astype(int) - whole[:, 32:]).max() <= 8
    # and without the table, by the markers at their ends
    data = ds.PixelData
    (length,) = struct.unpack_from("<I", data, 4)
    ds.PixelData = data[:4] + bytes(4) + data[8 + length :]
    ds["PixelData"].is_undefined_length = True
    tiles = reader.slide(slide_of(study_of(save(ds, tmp_path / "b.dcm"))))
    assert np.abs(tiles.tile(0, 0, 1).astype(int) - whole[:, 32:]).max() <= 8


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sm_image", "sm_image_jpegls", "sm_image_grayscale"])
def test_real_slides_of_few_tiles(shared_data: Path, reader: Reader, name: str) -> None:
    path = shared_data / "multiframe" / "wsi_highdicom" / f"{name}.dcm"
    slide = slide_of(study_of(path))
    tiles = reader.slide(slide)
    assert tiles.levels[0].tiling.grid == (5, 5)
    frames = pydicom.dcmread(path).pixel_array
    for number, expected in enumerate(frames):
        tile = tiles.tile(0, *divmod(number, 5))
        assert tile.shape == expected.shape
        assert expected.ndim == 2 or np.array_equal(tile, expected)


@pytest.mark.shared
def test_a_real_slide_of_140_tiles_with_a_smaller_one_at_its_corner(
    shared_data: Path, reader: Reader
) -> None:
    slide = slide_of(study_of(shared_data / "multiframe" / "wsi_140tiles_jpeg.dcm"))
    with reader.open(slide) as opened:
        assert opened.stack.stored.shape == (1, 2281, 3175, 3)
        whole = opened.stack.stored[0].copy()
    tiles = reader.slide(slide)
    assert tiles.levels[0].tiling.grid == (10, 14)
    corner = tiles.tile(0, 9, 13)
    assert corner.shape == (121, 55, 3)
    assert np.array_equal(corner, whole[2160:, 3120:])
    assert len(np.unique(whole)) > 100
