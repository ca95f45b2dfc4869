"""A cine runs at the times of its frames, or at the rate that the header asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from viewer.imaging.index import index_paths
from viewer.imaging.study import Instance

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]


def only_image(path: Path) -> Instance:
    """Return the one image of a file."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    return index.studies[0].series[0].instances[0]


@pytest.mark.parametrize(
    ("fields", "starts", "rate"),
    [
        ({"FrameTime": 40}, (0, 40, 80, 120), 25.0),
        ({"FrameTimeVector": [0, 20, 40, 60]}, (0, 20, 60, 120), 25.0),
        ({"FrameTimeVector": [7, 20, 40, 60]}, (0, 20, 60, 120), 25.0),  # the first is none
        ({"FrameTimeVector": [0, 20], "FrameTime": 50}, (0, 50, 100, 150), 20.0),  # of other frames
        ({"FrameTime": 40, "RecommendedDisplayFrameRate": 10}, (0, 40, 80, 120), 10.0),
        ({"CineRate": 15}, (), 15.0),
        ({"FrameTime": 0}, (), None),
        ({"FrameTimeVector": [0, -5, 5, 5]}, (), None),
        ({}, (), None),
    ],
)
def test_frames_have_their_times(  # noqa: PLR0917
    fields: dict[str, Any],
    starts: tuple[float, ...],
    rate: float | None,
    tmp_path: Path,
    ct_slice: Make,
    save: Save,
) -> None:
    ds = ct_slice(NumberOfFrames=4, Modality="XA", PixelData=bytes(4 * 48), **fields)
    image = only_image(save(ds, tmp_path / "a.dcm"))
    assert image.frame_starts_ms() == pytest.approx(starts)
    assert image.cine_rate == (None if rate is None else pytest.approx(rate))


def test_a_single_image_is_no_cine(tmp_path: Path, ct_slice: Make, save: Save) -> None:
    image = only_image(save(ct_slice(FrameTime=40, CineRate=15), tmp_path / "a.dcm"))
    assert image.frame_starts_ms() == ()
    assert image.cine_rate is None


@pytest.mark.shared
def test_real_cines_have_times(shared_data: Path) -> None:
    echo = only_image(shared_data / "us/pediatric_echo_34f_jpeg.dcm")
    assert len(echo.frame_starts_ms()) == 34
    assert echo.cine_rate is not None
    assert 5.0 < echo.cine_rate < 120.0
