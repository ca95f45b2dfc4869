"""Palettes: plain, in segments, supplemental to grey images (PS3.3 C.7.6.3.1.5, C.7.6.19, C.7.9)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut

from viewer.imaging.decode import decode_one
from viewer.imaging.grey import default_window
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.palettes import expand
from viewer.imaging.render import render_frame, thumbnail
from viewer.imaging.volume import ImageStack

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]

RAMP = np.arange(10, dtype="<u2") * 5000


def coloured(ct_slice: Make, *, first: int, syntax: str | None = None, **changes: object) -> Dataset:
    """A slice with a palette of ten entries: red rises, green falls, blue is 17."""
    ds = ct_slice(**({} if syntax is None else {"syntax": syntax}), **changes)
    tables = {"Red": RAMP, "Green": RAMP[::-1], "Blue": np.full(10, 17 << 8, "<u2")}
    for colour, table in tables.items():
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [10, first, 16])
        setattr(ds, f"{colour}PaletteColorLookupTableData", table.tobytes())
    return ds


def stack_of(path: Path) -> ImageStack:
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    series = index.studies[0].series[0]
    layout = stack_layout(series)
    stored = decode_one(series, layout, 0)[np.newaxis]
    return ImageStack(series=series, stored=stored, frames=layout.frames[:1])


def supplemental(ct_slice: Make, **changes: object) -> Dataset:
    return coloured(
        ct_slice,
        first=14,
        PixelRepresentation=0,
        PixelPresentation="COLOR",
        RescaleIntercept=0,
        WindowCenter=7,
        WindowWidth=14,
        **changes,
    )


def test_values_of_a_supplemental_palette_are_coloured_and_lower_ones_grey(
    ct_slice: Make, save: Save, tmp_path: Path
) -> None:
    stack = stack_of(save(supplemental(ct_slice), tmp_path / "a.dcm"))
    picture = render_frame(stack, 0).reshape(24, 3)
    assert not stack.is_colour  # it keeps a window, for its grey part
    assert np.all(picture[:14] == picture[:14, :1])
    assert picture[0, 0] == 0
    assert picture[13, 0] == 255
    expected = np.stack([RAMP >> 8, RAMP[::-1] >> 8, np.full(10, 17)], axis=1)
    assert np.array_equal(picture[14:], expected)
    inverted = render_frame(stack, 0, inverted=True).reshape(24, 3)
    assert np.array_equal(inverted[:14], 255 - picture[:14])
    assert np.array_equal(inverted[14:], expected)  # colours have a legend


def test_a_palette_is_no_part_of_an_automatic_window(
    ct_slice: Make, save: Save, tmp_path: Path
) -> None:
    ds = supplemental(ct_slice)
    del ds.WindowCenter, ds.WindowWidth
    window = default_window(stack_of(save(ds, tmp_path / "a.dcm")), 0)
    assert window.center + window.width / 2 <= 13.0


def test_a_thumbnail_has_the_colours(ct_slice: Make, save: Save, tmp_path: Path) -> None:
    stack = stack_of(save(supplemental(ct_slice), tmp_path / "a.dcm"))
    assert thumbnail(stack.series, stack.frames, 0, stack.stored[0], 8).shape == (4, 6, 3)


@pytest.mark.parametrize(
    "changes", [{"PixelPresentation": "MONOCHROME"}, {"PhotometricInterpretation": "MONOCHROME1"}]
)
def test_a_palette_that_is_not_for_display_changes_nothing(
    ct_slice: Make, save: Save, tmp_path: Path, changes: dict[str, str]
) -> None:
    ds = supplemental(ct_slice)
    ds.update(changes)
    assert render_frame(stack_of(save(ds, tmp_path / "a.dcm")), 0).ndim == 2


@pytest.mark.shared
def test_a_real_perfusion_map_is_shown_in_its_colours(shared_data: Path) -> None:
    stack = stack_of(shared_data / "multiframe" / "eCT_Supplemental.dcm")
    picture = render_frame(stack, 0)
    stored = stack.stored[0]
    grey = np.all(picture == picture[..., :1], axis=-1)
    assert np.all(grey[stored < 1024])
    assert np.count_nonzero(~grey) > 10_000


# Segments: code, length, then values


SEGMENTS = (
    struct.pack("<7H", 0, 5, 0, 100, 200, 300, 400)  # five entries
    + struct.pack("<3H", 1, 4, 65535)  # a line of four up to 65535
    + struct.pack("<4H", 2, 1, 0, 0)  # the first segment again
)


def test_segments_are_expanded() -> None:
    line = np.rint(400 + (65535 - 400) * np.arange(1, 5) / 4).astype(int).tolist()
    start = [0, 100, 200, 300, 400]
    assert expand(SEGMENTS, 16, "<").tolist() == [*start, *line, *start]
    swapped = np.frombuffer(SEGMENTS, "<u2").astype(">u2").tobytes()
    assert expand(swapped, 16, ">").tolist() == [*start, *line, *start]


def test_segments_of_bytes_are_expanded() -> None:
    data = bytes((0, 2, 10, 20, 1, 5, 30, 2, 2, 0, 0, 0, 0, 0))
    whole = [10, 20, 22, 24, 26, 28, 30]
    assert expand(data, 8, "<").tolist() == [*whole, *whole]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<3H", 1, 4, 9),  # a line from nowhere
        struct.pack("<3H", 7, 1, 1),  # no such kind
        struct.pack("<4H", 0, 9, 1, 2),  # too short
        struct.pack("<6H", 0, 1, 5, 2, 1, 9000),  # an offset without its second word
        struct.pack("<7H", 0, 1, 5, 2, 1, 0, 9),  # an offset behind the end
        struct.pack("<3H", 0, 1, 5) + struct.pack("<3H", 1, 65535, 9) * 3,  # more than a table has
        struct.pack("<3H", 0, 1, 5) + struct.pack("<4H", 2, 1, 6, 0),  # repeats itself
    ],
)
def test_damaged_segments_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="segment"):
        expand(data, 16, "<")


def test_a_picture_with_a_palette_in_segments_has_its_colours(
    ct_slice: Make, save: Save, tmp_path: Path
) -> None:
    count = 14
    ds = ct_slice(
        PhotometricInterpretation="PALETTE COLOR", PixelRepresentation=0, RescaleSlope=None,
        RescaleIntercept=None,
    )  # fmt: skip
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [count, 3, 16])
        setattr(ds, f"Segmented{colour}PaletteColorLookupTableData", SEGMENTS)
    path = save(ds, tmp_path / "a.dcm")
    stored = stack_of(path).stored[0]
    reference = apply_color_lut(pydicom.dcmread(path).pixel_array, pydicom.dcmread(path))
    assert np.array_equal(stored, reference >> 8)


@pytest.mark.parametrize("keyword", ["Data", "Descriptor"])
def test_a_picture_without_its_palette_is_refused_with_words(
    ct_slice: Make, save: Save, tmp_path: Path, keyword: str
) -> None:
    ds = coloured(ct_slice, first=0, PhotometricInterpretation="PALETTE COLOR", PixelRepresentation=0)
    del ds[f"GreenPaletteColorLookupTable{keyword}"]
    (bad,) = index_paths([str(save(ds, tmp_path / "a.dcm"))]).bad_files
    assert (bad.code, bad.reason) == (
        "bad_header",
        "Its colours cannot be read: the palette is missing.",
    )
