"""A measurement has its value, unit, source and uncertainty, or says why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from viewer.imaging import measure
from viewer.imaging.index import index_paths
from viewer.imaging.measure import Measured, Refusal, RefusalKind, scale_of
from viewer.imaging.study import Series, StudyIndex
from viewer.imaging.ultrasound import Point, tissue_spacing

Make = Callable[..., Dataset]
Save = Callable[[Dataset, Path], Path]
FIRST = (0, 1)


def only_series(path: Path) -> Series:
    """Index a file, through JSON as between processes."""
    index = index_paths([str(path)])
    assert not index.bad_files, index.bad_files
    index = StudyIndex.model_validate_json(index.model_dump_json(exclude_defaults=True))
    return index.studies[0].series[0]


def length(series: Series, frame: tuple[int, int], *ends: Point) -> Measured | Refusal:
    """Measure a distance on a frame."""
    return measure.length(scale_of(series, frame, ends), *ends)


def angle(series: Series, frame: tuple[int, int], *points: Point) -> Measured | Refusal:
    """Measure an angle on a frame."""
    return measure.angle(scale_of(series, frame, points), *points)


def cobb_angle(
    series: Series, frame: tuple[int, int], *lines: tuple[Point, Point]
) -> Measured | Refusal:
    """Measure the angle between two lines on a frame."""
    return measure.cobb_angle(scale_of(series, frame, [*lines[0], *lines[1]]), *lines)


def polygon_area(
    series: Series, frame: tuple[int, int], outline: tuple[Point, ...]
) -> Measured | Refusal:
    """Measure the area inside an outline on a frame."""
    return measure.polygon_area(scale_of(series, frame, outline), outline)


def measured(found: Measured | Refusal) -> Measured:
    """Return a measurement; a refusal fails the test."""
    assert isinstance(found, Measured), found
    return found


def refused(found: Measured | Refusal) -> RefusalKind:
    """Return why nothing was measured."""
    assert isinstance(found, Refusal), found
    assert found.reason.endswith(".")
    return found.kind


@pytest.fixture
def ct(tmp_path: Path, ct_slice: Make, save: Save) -> Series:
    """A CT with 0.5 mm between rows and 0.75 mm between columns."""
    return only_series(save(ct_slice(), tmp_path / "ct.dcm"))


def test_a_length_takes_row_spacing_down_and_column_spacing_across(ct: Series) -> None:
    # PS3.3 10.7.1.3: the first value of Pixel Spacing is between rows
    assert measured(length(ct, FIRST, (0, 0), (4, 0))).value == pytest.approx(3.0)
    assert measured(length(ct, FIRST, (0, 0), (0, 4))).value == pytest.approx(2.0)
    found = measured(length(ct, FIRST, (1.5, 1), (5.5, 9)))
    assert found.value == pytest.approx(5.0)
    assert (found.unit, found.source) == ("mm", "PixelSpacing")
    assert found.uncertainty == pytest.approx(0.75 / 2 * math.sqrt(2))


def test_an_angle_is_that_in_the_patient_not_that_on_the_pixels(ct: Series) -> None:
    found = measured(angle(ct, FIRST, (4, 0), (0, 0), (4, 6)))
    assert found.value == pytest.approx(45.0)  # 3 mm across and 3 mm down
    assert found.unit == "deg"
    arms = 3.0, 3.0 * math.sqrt(2)
    wanted = math.hypot(*(0.375 * math.sqrt(2) / arm for arm in arms))
    assert math.radians(found.uncertainty) == pytest.approx(wanted)


@pytest.mark.parametrize("degrees", [0, 1, 37, 90, 135, 179, 180])
def test_every_angle_from_nothing_to_straight_is_measured(degrees: float, ct: Series) -> None:
    radians = math.radians(degrees)
    end = (40 * math.cos(radians) / 0.75, 40 * math.sin(radians) / 0.5)
    assert measured(angle(ct, FIRST, (50, 0), (0, 0), end)).value == pytest.approx(degrees, abs=1e-6)


def test_a_cobb_angle_does_not_depend_on_the_direction_of_its_lines(ct: Series) -> None:
    level, sloped = ((0.0, 0.0), (10.0, 0.0)), ((0.0, 50.0), (4.0, 56.0))
    for first in (level, level[::-1]):
        for second in (sloped, sloped[::-1]):
            assert measured(cobb_angle(ct, FIRST, first, second)).value == pytest.approx(45.0)


def test_an_angle_without_an_arm_is_refused(ct: Series) -> None:
    assert refused(angle(ct, FIRST, (3, 3), (3, 3), (9, 9))) is RefusalKind.TOO_SHORT


def test_areas_of_a_rectangle_a_triangle_and_an_ellipse(ct: Series) -> None:
    box = ((0, 0), (4, 0), (4, 6), (0, 6))
    rectangle = measured(polygon_area(ct, FIRST, box))
    assert (rectangle.value, rectangle.unit) == (pytest.approx(9.0), "mm2")
    assert rectangle.uncertainty == pytest.approx(12.0 * 0.375 / 2)
    assert measured(polygon_area(ct, FIRST, box[::-1])).value == pytest.approx(9.0)
    assert measured(polygon_area(ct, FIRST, box[:3])).value == pytest.approx(4.5)
    upright = ((2, 0), (2, 6), (0, 3), (4, 3))
    scale = scale_of(ct, FIRST, upright)
    ellipse = measured(measure.ellipse_area(scale, upright))
    assert ellipse.value == pytest.approx(math.pi * 1.5 * 1.5)
    assert ellipse.uncertainty == pytest.approx(2 * math.pi * 1.5 * 0.375 / 2)
    # the same ellipse, turned by 45 degrees in the patient: half axes of 1.5 and 1 mm
    turn = math.sqrt(0.5)
    ends = [(10 + a * turn / 0.75, 10 + b * turn / 0.5) for a, b in ((1.5, 1.5), (-1.5, -1.5))]
    ends += [(10 + a * turn / 0.75, 10 + b * turn / 0.5) for a, b in ((1.0, -1.0), (-1.0, 1.0))]
    assert measured(measure.ellipse_area(scale, ends)).value == pytest.approx(math.pi * 1.5)
    assert measured(measure.ellipse_area(scale, [(2, 2)] * 4)).value == 0.0
    assert refused(polygon_area(ct, FIRST, box[:2])) is RefusalKind.TOO_SHORT


PROJECTION = {
    "Modality": "DX",
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
    "PixelSpacing": None,
}


@pytest.mark.parametrize(
    ("fields", "millimetres", "source"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.1]}, 1.0, "at detector"),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]}, 1.0, "at detector"),
        (
            {"ImagerPixelSpacing": [0.2, 0.1], "EstimatedRadiographicMagnificationFactor": 1.25},
            0.8,
            "magnification corrected",
        ),
        (
            {
                "ImagerPixelSpacing": [0.2, 0.1],
                "DistanceSourceToDetector": 1000,
                "DistanceSourceToPatient": 800,
            },
            0.8,
            "magnification corrected",
        ),
        (
            {
                "ImagerPixelSpacing": [0.2, 0.1],
                "PixelSpacing": [0.1, 0.05],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            0.5,
            "calibrated: FIDUCIAL",
        ),
        (
            {"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.1, 0.05]},
            0.5,
            "calibrated: method not stated",
        ),
    ],
)
def test_a_length_on_a_radiograph_says_where_its_millimetres_are(  # noqa: PLR0917
    fields: dict[str, Any], millimetres: float, source: str, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # PS3.3 10.7.1; ten columns of 0.1 mm at the detector
    series = only_series(save(ct_slice(**{**PROJECTION, **fields}), tmp_path / "a.dcm"))
    found = measured(length(series, FIRST, (0, 0), (10, 0)))
    assert found.value == pytest.approx(millimetres)
    assert (found.unit, found.source) == ("mm", source)


def test_without_calibration_there_are_pixels_and_never_millimetres(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    series = only_series(save(ct_slice(**PROJECTION), tmp_path / "a.dcm"))
    found = measured(length(series, FIRST, (0, 0), (3, 4)))
    assert (found.value, found.unit) == (pytest.approx(5.0), "{pixel}")
    assert found.source == "not calibrated: in pixels"
    assert measured(polygon_area(series, FIRST, ((0, 0), (4, 0), (4, 6)))).unit == "{pixel}2"
    assert measured(angle(series, FIRST, (4, 0), (0, 0), (4, 4))).value == pytest.approx(45.0)


@pytest.mark.parametrize(("ratio", "degrees"), [([2, 1], 63.43494882), ([1, 1], 45.0), ([0, 1], 45.0)])
def test_an_angle_on_uncalibrated_pixels_respects_their_aspect_ratio(
    ratio: list[int], degrees: float, tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # PS3.3 C.7.6.3.1.7: vertical \\ horizontal size
    ds = ct_slice(**PROJECTION, PixelAspectRatio=ratio)
    series = only_series(save(ds, tmp_path / "a.dcm"))
    assert measured(angle(series, FIRST, (4, 0), (0, 0), (4, 4))).value == pytest.approx(degrees)


def region(box: tuple[int, int, int, int], **changes: Any) -> Dataset:
    """Return a tissue region of 0.05 cm across and 0.02 cm down."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2:]
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = -0.05, 0.02
    for keyword, value in changes.items():
        setattr(item, keyword, value)
    return item


def ultrasound(ct_slice: Make, *regions: Dataset, **fields: Any) -> Dataset:
    """Return an ultrasound image of 200 x 300 pixels."""
    ds = ct_slice(Modality="US", Rows=200, Columns=300, PixelData=bytes(2 * 200 * 300), **fields)
    del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing
    if regions:
        ds.SequenceOfUltrasoundRegions = list(regions)
    return ds


TISSUE = (10, 10, 200, 100)
DOPPLER = (10, 120, 290, 190)


def test_an_ultrasound_length_is_measured_inside_one_region(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # PS3.3 C.8.5.5: each region has its own calibration
    doppler = region(
        DOPPLER, RegionSpatialFormat=3, PhysicalUnitsXDirection=4, PhysicalUnitsYDirection=7
    )
    series = only_series(save(ultrasound(ct_slice, region(TISSUE), doppler), tmp_path / "a.dcm"))
    found = measured(length(series, FIRST, (20, 20), (26, 35)))
    assert found.value == pytest.approx(math.hypot(6 * 0.5, 15 * 0.2))
    assert (found.unit, found.source) == ("mm", "ultrasound region")
    assert found.uncertainty == pytest.approx(0.25 * math.sqrt(2))
    assert refused(length(series, FIRST, (20, 20), (20, 130))) is RefusalKind.TWO_REGIONS
    assert refused(length(series, FIRST, (20, 20), (20, 110))) is RefusalKind.OUTSIDE_REGIONS
    no_length = length(series, FIRST, (20, 130), (30, 130))
    assert refused(no_length) is RefusalKind.NO_LENGTH_UNIT
    assert isinstance(no_length, Refusal)
    assert "s across and cm/s down" in no_length.reason
    assert (
        refused(polygon_area(series, FIRST, ((20, 20), (30, 20), (30, 150)))) is RefusalKind.TWO_REGIONS
    )
    assert refused(angle(series, FIRST, (20, 20), (30, 20), (30, 110))) is RefusalKind.OUTSIDE_REGIONS


def test_a_region_without_units_covers_nothing_and_priority_decides_overlaps(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    whole = region((0, 0, 299, 199), PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0)
    inset = region((50, 50, 90, 90), PhysicalDeltaX=0.1, PhysicalDeltaY=0.1, RegionFlags=1)
    series = only_series(save(ultrasound(ct_slice, whole, region(TISSUE), inset), tmp_path / "a.dcm"))
    assert measured(length(series, FIRST, (20, 20), (30, 20))).value == pytest.approx(5.0)
    assert measured(length(series, FIRST, (60, 60), (70, 60))).value == pytest.approx(10.0)
    assert refused(length(series, FIRST, (60, 60), (150, 60))) is RefusalKind.TWO_REGIONS
    assert refused(length(series, FIRST, (5, 5), (8, 8))) is RefusalKind.OUTSIDE_REGIONS


def test_regions_beyond_the_picture_calibrate_nothing(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    # A picture that was halved after its regions were written: a pixel is twice as long by now.
    series = only_series(save(ultrasound(ct_slice, region((10, 10, 590, 390))), tmp_path / "a.dcm"))
    found = length(series, FIRST, (20, 20), (30, 20))
    assert refused(found) is RefusalKind.REGIONS_BEYOND
    assert isinstance(found, Refusal)
    assert "scaled or cut" in found.reason
    assert tissue_spacing(series.instances[0]) is None
    one_after = region((10, 10, 300, 200))
    series = only_series(save(ultrasound(ct_slice, one_after), tmp_path / "b.dcm"))
    assert measured(length(series, FIRST, (20, 20), (30, 20))).value == pytest.approx(5.0)
    assert tissue_spacing(series.instances[0]) == pytest.approx((0.2, 0.5))


def test_an_ultrasound_without_regions_is_in_pixels_even_with_a_pixel_spacing(
    tmp_path: Path, ct_slice: Make, save: Save
) -> None:
    ds = ultrasound(ct_slice)
    ds.PixelSpacing = [0.1, 0.1]
    found = measured(length(only_series(save(ds, tmp_path / "a.dcm")), FIRST, (0, 0), (3, 4)))
    assert (found.value, found.unit) == (pytest.approx(5.0), "{pixel}")


@pytest.mark.shared
def test_the_regions_of_real_ultrasound_are_read(shared_data: Path) -> None:
    echo = only_series(shared_data / "us/echo_cine_65f_jpeg_baseline.dcm")
    # PhysicalDeltaX -0.0524781..., PhysicalDeltaY +0.0524781... cm
    assert measured(length(echo, (0, 30), (100, 100), (200, 100))).value == pytest.approx(
        52.478133506629575
    )
    assert refused(length(echo, (0, 1), (5, 100), (200, 100))) is RefusalKind.OUTSIDE_REGIONS
    child = only_series(shared_data / "us/pediatric_echo_34f_jpeg.dcm")
    assert measured(length(child, FIRST, (100, 100), (100, 200))).value == pytest.approx(
        22.857142857142857
    )
    assert measured(length(child, FIRST, (100, 100), (200, 100))).value == pytest.approx(
        28.57142857142857
    )
    assert refused(length(child, FIRST, (100, 380), (150, 380))) is RefusalKind.NO_LENGTH_UNIT
