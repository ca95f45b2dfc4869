"""Colour is converted once and exactly: YBR_FULL, its subsampled form, in place or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from viewer.imaging.colour import ybr_full_422_to_rgb, ybr_full_to_rgb
from viewer.imaging.decode import decode_one
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


def formula(values: np.ndarray) -> np.ndarray:
    """PS3.3 C.7.6.3.1.2, inverted and written out in millionths, halves up."""
    y, cb, cr = (values[..., part].astype(np.int64) for part in range(3))
    y, cb, cr = y * 1_000_000, cb - 128, cr - 128
    rgb = [y + 1_402_000 * cr, y - 344_136 * cb - 714_136 * cr, y + 1_772_000 * cb]
    return np.clip((np.stack(rgb, axis=-1) + 500_000) // 1_000_000, 0, 255).astype(np.uint8)


def every_difference() -> np.ndarray:
    """All pairs of colour differences, with luminance in steps."""
    grids = np.meshgrid(np.arange(0, 256, 15), np.arange(256), np.arange(256), indexing="ij")
    return np.stack(grids, axis=-1).astype(np.uint8).reshape(256, -1, 3)


def test_every_colour_is_that_of_the_formula_in_place_too() -> None:
    values = every_difference()
    expected = formula(values)
    assert np.array_equal(ybr_full_to_rgb(values), expected)
    ybr_full_to_rgb(values, out=values)
    assert np.array_equal(values, expected)


def test_two_pixels_share_their_colour_differences() -> None:
    stored = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)  # four rows of four pairs
    rgb = np.empty((4, 8, 3), dtype=np.uint8)
    ybr_full_422_to_rgb(stored, rgb)
    whole = np.empty((4, 8, 3), dtype=np.uint8)
    whole[..., 0] = stored[..., :2].reshape(4, 8)
    whole[..., 1:] = np.repeat(stored[..., 2:], 2, axis=1)
    assert np.array_equal(rgb, formula(whole))


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_every_frame_of_a_colour_cine_is_converted_once(
    ct_slice: Make, save: Save, tmp_path: Path, planar: int, photometric: str
) -> None:
    frames = every_difference()[:48, :200].reshape(8, 24, 50, 3)
    stored = np.moveaxis(frames, 3, 1) if planar else frames
    ds = ct_slice(
        Modality="US", SamplesPerPixel=3, PhotometricInterpretation=photometric, Rows=24, Columns=50,
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0, RescaleSlope=None,
        RescaleIntercept=None, PixelData=stored.tobytes(),
    )  # fmt: skip
    ds.PlanarConfiguration, ds.NumberOfFrames = planar, 8
    series = index_paths([str(save(ds, tmp_path / "a.dcm"))]).studies[0].series[0]
    layout = stack_layout(series)
    for number, frame in enumerate(frames):
        expected = frame if photometric == "RGB" else formula(frame)
        assert np.array_equal(decode_one(series, layout, number), expected)
