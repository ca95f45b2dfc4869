"""A volume is handed out only for a box of voxels, with an affine that puts them where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.imaging.decode import decode_stack
from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.index import index_paths
from viewer.imaging.layout import stack_layout
from viewer.imaging.volume import ImageStack, Volume, as_volume


def load(folder: Path) -> ImageStack:
    """Return the one series of a folder as a stack."""
    series = index_paths([str(folder)]).studies[0].series[0]
    layout = stack_layout(series)
    stored = np.zeros(layout.shape, layout.dtype)
    decode_stack(series, layout, stored)
    stored.flags.writeable = False
    return ImageStack(series=series, stored=stored, frames=layout.frames)


def volume_of(folder: Path) -> Volume:
    """Return the volume of a folder that must be one."""
    volume = as_volume(load(folder))
    assert isinstance(volume, Volume)
    return volume


def test_the_affine_puts_every_voxel_where_its_image_says(
    write_series: Callable[..., Path],
) -> None:
    volume = volume_of(write_series(5))
    assert volume.spacing == pytest.approx((2.5, 0.5, 0.75))
    corner = volume.affine @ [4, 2, 3, 1]
    # position + column 4 * 0.75 along x, row 2 * 0.5 along y, slice 3 * 2.5 along z
    assert corner[:3] == pytest.approx([-10 + 3.0, -20 + 1.0, 7.5])
    assert volume.voxel_volume_ml == pytest.approx(2.5 * 0.5 * 0.75 / 1000)


def test_ct_is_in_hounsfield_units_and_shares_the_memory_of_the_stack(
    write_series: Callable[..., Path],
) -> None:
    stack = load(write_series(3))
    volume = as_volume(stack)
    assert isinstance(volume, Volume)
    assert volume.unit == "[hnsf'U]"
    assert np.shares_memory(volume.stored, stack.stored)
    assert volume.modality_values()[2, 0, 0] == 200 - 1024
    with pytest.raises(ValueError, match="read-only"):
        volume.stored[0, 0, 0] = 1


def test_unsigned_values_up_to_65535_keep_their_modality_values(
    write_series: Callable[..., Path],
) -> None:
    values = np.linspace(0, 65535, 24).astype("<u2")
    changes: dict[str, Any] = {
        "PixelRepresentation": 0,
        "PixelData": values.tobytes(),
        "PixelPaddingValue": 65535,
    }
    volume = volume_of(write_series(3, changes=dict.fromkeys(range(3), changes)))
    assert volume.modality_values()[0].ravel() == pytest.approx(values.astype(float) - 1024)
    assert volume.padding is not None
    assert volume.stored[0, -1, -1] == volume.padding


def test_slices_of_different_slope_get_one_within_half_a_step(
    write_series: Callable[..., Path],
) -> None:
    slopes = {number: {"RescaleSlope": 0.5 + number, "RescaleIntercept": 0} for number in range(4)}
    folder = write_series(4, changes=slopes)
    stack, volume = load(folder), volume_of(folder)
    wanted = np.stack([stack.stored[n].astype(float) * (0.5 + n) for n in range(4)])
    assert np.abs(volume.modality_values() - wanted).max() <= 0.51 * volume.slope + 1e-3


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({1: {"ImagePositionPatient": [-10, -20, 3.4]}}, VerdictKind.NON_UNIFORM),
        ({2: {"ImagePositionPatient": [-10, -20, 2.5]}}, VerdictKind.DUPLICATED),
        ({0: {"ImagePositionPatient": [-10, -20, -5.0]}}, VerdictKind.MISSING),
    ],
)
def test_what_is_no_box_is_refused_with_its_verdict(
    changes: dict[int, dict[str, Any]], kind: VerdictKind, write_series: Callable[..., Path]
) -> None:
    verdict = as_volume(load(write_series(6, changes=changes)))
    assert isinstance(verdict, GeometryVerdict)
    assert verdict.kind is kind
    assert verdict.reason


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({}, "[hnsf'U]"),
        ({"RescaleType": "HU"}, "[hnsf'U]"),
        ({"RescaleType": "US"}, "1"),
        ({"Modality": "MR"}, "1"),
        ({"Modality": "PT", "Units": "BQML"}, "Bq/mL"),
        ({"RescaleSlope": 0}, "1"),
    ],
)
def test_values_carry_the_unit_that_the_header_gives_and_no_other(
    elements: dict[str, Any], unit: str, write_series: Callable[..., Path]
) -> None:
    assert volume_of(write_series(3, changes=dict.fromkeys(range(3), elements))).unit == unit


@pytest.mark.shared
def test_an_enhanced_ct_is_rescaled_by_its_frames_and_no_unit_is_invented(shared_data: Path) -> None:
    volume = volume_of(shared_data / "multiframe" / "eCT_Supplemental.dcm")
    assert volume.intercept == -1024
    assert volume.unit == "1"  # this perfusion series says Rescale Type US: unspecified
