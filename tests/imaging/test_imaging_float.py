"""Float and double float pixel data: parametric maps with real units (PS3.3 C.7.6.24, A.75)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ParametricMapStorage,
)

from viewer.imaging.decode import decode_stack
from viewer.imaging.grey import default_window, pipeline_of, to_grey
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.probe import probe
from viewer.imaging.render import render_frame
from viewer.imaging.study import WindowPreset
from viewer.imaging.volume import EMPTY, ImageStack, Volume, as_volume, values_of

VALUES = np.array(
    [[0.0, 0.25, 0.5, 0.75, 1.0, -1.0], [np.nan, np.inf, -np.inf, 2.0, 3.0, 4.0]] * 2, dtype="<f8"
)
PLAIN = {"RescaleSlope": None, "RescaleIntercept": None, "PixelRepresentation": None}


def float_slice(
    ct_slice: Callable[..., Dataset], number: int = 0, *, bits: int = 32, **changes: Any
) -> Dataset:
    """A map of 4 x 6 floats."""
    ds = ct_slice(
        number,
        **PLAIN,
        PixelData=None,
        BitsStored=None,
        HighBit=None,
        BitsAllocated=bits,
        Modality="MR",
        SOPClassUID=ParametricMapStorage,
        **changes,
    )
    if bits == 32:
        ds.FloatPixelData = (VALUES + number).astype("<f4").tobytes()
    else:
        ds.DoubleFloatPixelData = (VALUES + number).astype("<f8").tobytes()
    return ds


def with_unit(ds: Dataset, code: str, *, slope: float = 1.0, intercept: float = 0.0) -> Dataset:
    unit, item = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = code, "UCUM", code
    item.MeasurementUnitsCodeSequence = [unit]
    item.LUTLabel, item.LUTExplanation = "ADC", "apparent diffusion"
    item.DoubleFloatRealWorldValueFirstValueMapped = -1e6
    item.DoubleFloatRealWorldValueLastValueMapped = 1e6
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    ds.RealWorldValueMappingSequence = [item]
    return ds


def opened(path: Path) -> ImageStack:
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    series = index.studies[0].series[0]
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, dtype=layout.dtype)
    assert not decode_stack(series, layout, stored).bad
    return ImageStack(series=series, stored=stored, frames=layout.frames)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_values_are_those_of_the_file(
    ct_slice: Callable[..., Dataset],
    save: Callable[[Dataset, Path], Path],
    tmp_path: Path,
    bits: int,
    syntax: str,
) -> None:
    path = save(float_slice(ct_slice, bits=bits, syntax=syntax), tmp_path / "a.dcm")
    stack = opened(path)
    assert stack.stored.dtype == np.float32
    assert np.array_equal(stack.stored[0], VALUES.astype("<f4"), equal_nan=True)


def test_big_endian_floats(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    ds = float_slice(ct_slice, syntax=ExplicitVRBigEndian)
    ds.FloatPixelData = VALUES.astype(">f4").tobytes()
    stack = opened(save(ds, tmp_path / "a.dcm"))
    assert np.array_equal(stack.stored[0], VALUES.astype("<f4"), equal_nan=True)


@pytest.mark.parametrize("bits", [32, 64])
def test_padding_is_no_number_in_the_stack(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path, bits: int
) -> None:
    ds = float_slice(ct_slice, bits=bits)
    if bits == 32:
        ds.FloatPixelPaddingValue, ds.FloatPixelPaddingRangeLimit = 2.0, 3.5
    else:
        ds.DoubleFloatPixelPaddingValue, ds.DoubleFloatPixelPaddingRangeLimit = 3.5, 2.0
    stored = opened(save(ds, tmp_path / "a.dcm")).stored[0]
    assert np.isnan(stored[1, 3])
    assert np.isnan(stored[1, 4])
    assert stored[1, 5] == 4.0


def test_what_is_no_finite_number_is_black_and_in_no_window(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    stack = opened(save(float_slice(ct_slice), tmp_path / "a.dcm"))
    window = default_window(stack, 0)
    finite = VALUES[np.isfinite(VALUES)]
    low, high = np.percentile(finite, (0.5, 99.5))
    assert window.center == pytest.approx((low + high) / 2)
    assert window.width == pytest.approx(high - low)
    for inverted in (False, True):
        grey = to_grey(stack.stored[0], pipeline_of(stack, 0, inverted=inverted))
        assert np.all(grey[~np.isfinite(VALUES)] == 0)
        assert grey[1, 5] == (0 if inverted else 255)


def test_a_window_from_zero_to_one_shows_greys_and_not_two_of_them(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    stack = opened(save(float_slice(ct_slice, WindowCenter=0.5, WindowWidth=1.0), tmp_path / "a.dcm"))
    assert render_frame(stack, 0)[0].tolist() == [0, 64, 128, 191, 255, 0]
    other = render_frame(stack, 0, WindowPreset(center=1.0, width=4.0))
    assert other[0, 4] == 128


def test_the_unit_is_that_of_the_real_world_value_mapping(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    stack = opened(save(with_unit(float_slice(ct_slice), "mm2/s"), tmp_path / "a.dcm"))
    found = probe(stack, 0, 0, 1)
    assert (found.stored, found.value, found.unit) == ((0.25,), 0.25, "mm2/s")
    scaled = opened(save(with_unit(float_slice(ct_slice), "mm2/s", slope=10.0), tmp_path / "b.dcm"))
    found = probe(scaled, 0, 0, 1)
    assert (found.value, found.unit) == (0.25, "1")
    assert [(one.value, one.unit, one.label) for one in found.real_world] == [(2.5, "mm2/s", "ADC")]


def test_a_pixel_that_is_no_number_has_no_value(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    found = probe(opened(save(float_slice(ct_slice), tmp_path / "a.dcm")), 0, 1, 0)
    assert found.padding
    assert found.value is None


def test_a_stack_of_maps_is_a_volume_with_their_values(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    for number in range(4):
        ds = with_unit(float_slice(ct_slice, number, bits=64), "mm2/s")
        save(ds, tmp_path / f"{number}.dcm")
    volume = as_volume(opened(tmp_path))
    assert isinstance(volume, Volume)
    assert (volume.unit, volume.padding) == ("mm2/s", EMPTY)
    empty = volume.stored == EMPTY
    expected = np.stack([VALUES + number for number in range(4)])
    assert np.array_equal(empty, ~np.isfinite(expected))
    difference = np.abs(volume.modality_values() - expected)[~empty]
    assert difference.max() <= volume.slope / 2 + 1e-6


def test_wide_integers_keep_their_values_in_a_volume(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    wide = np.arange(24, dtype="<u4") * 100_000
    for number in range(3):
        ds = ct_slice(
            number, BitsAllocated=32, BitsStored=32, HighBit=31, PixelRepresentation=0, Modality="MR"
        )
        ds.PixelData = wide.tobytes()
        save(ds, tmp_path / f"{number}.dcm")
    values = values_of(opened(tmp_path))
    back = values.stored[0].astype(float) * values.slope + values.intercept
    assert np.abs(back - (wide.reshape(4, 6) - 1024.0)).max() <= values.slope


def test_a_header_that_calls_its_floats_something_else_is_refused(
    ct_slice: Callable[..., Dataset], save: Callable[[Dataset, Path], Path], tmp_path: Path
) -> None:
    ds = float_slice(ct_slice)
    ds.BitsAllocated = 16
    (bad,) = index_paths([str(save(ds, tmp_path / "a.dcm"))]).bad_files
    assert bad.code == "bad_header"
    assert "32 bits" in bad.reason


@pytest.mark.shared
@pytest.mark.parametrize("name", ["parametric_map_float", "parametric_map_double_float"])
def test_real_parametric_maps(shared_data: Path, name: str) -> None:
    path = shared_data / "sr-seg-rt" / "pydicom" / f"{name}.dcm"
    stack = opened(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pydicom.dcmread(path).pixel_array
    assert np.array_equal(stack.stored[0], expected.astype(np.float32))
    assert stack.series.instances[0].of_frame(1).plane is not None
    assert probe(stack, 0, 64, 64).value == pytest.approx(float(expected[64, 64]))
    assert len(np.unique(render_frame(stack, 0))) > 50
