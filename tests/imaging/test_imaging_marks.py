"""Marks: what they measure on phantoms of known size and value, how they change, how they are kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks_phantom import (
    COLUMNS,
    PLANE,
    ROWS,
    SPACING,
    Point,
    brush,
    disc,
    in_pixels,
    mark,
    measured,
    stack_of,
    values,
)
from pydicom import dcmread

from viewer.imaging.index import index_paths
from viewer.imaging.marks import (
    AREA,
    LENGTH,
    MEAN,
    Mark,
    MarkKind,
    MarkPlane,
    region_of,
)
from viewer.imaging.marks_geometry import (
    mask_of,
    moved,
    points_from,
)
from viewer.imaging.marks_measure import (
    ALL_PADDING,
    NO_PIXELS,
    ON_A_PLANE,
    frame_pixels,
    histogram_of,
    measure_mark,
)
from viewer.imaging.measure import Refusal
from viewer.imaging.regions import Space
from viewer.imaging.study import (
    FrameAttributes,
    PetFacts,
    UltrasoundRegion,
)
from viewer.imaging.volume import ImageStack

# --- lengths, angles, axes ---------------------------------------------------------------------------


def test_a_length_is_that_in_the_patient_on_anisotropic_pixels() -> None:
    found = measured(mark(MarkKind.LENGTH, *in_pixels((8, 4), (20, 9))), stack_of())
    (value,) = found.values
    assert value.value == pytest.approx(13.0)
    assert (value.concept, value.unit, value.source) == (LENGTH, "mm", "PixelSpacing")
    assert value.uncertainty == pytest.approx(0.4 * math.sqrt(2))


@pytest.mark.parametrize("degrees", [5.0, 37.0, 90.0, 135.0, 179.0])
def test_angles_are_those_in_the_patient(degrees: float) -> None:
    turn = math.radians(degrees)
    end = (30 + 12 * math.cos(turn), 14 - 12 * math.sin(turn))
    found = measured(mark(MarkKind.ANGLE, *in_pixels((45, 14), (30, 14), end)), stack_of())
    assert values(found)["Angle"] == pytest.approx(degrees)
    lines = in_pixels((10, 20), (40, 20), (30, 14), end)
    found = measured(mark(MarkKind.COBB, *lines), stack_of())
    assert values(found)["Cobb angle"] == pytest.approx(min(degrees, 180 - degrees))


def test_the_longer_of_two_axes_is_the_long_one_whichever_was_drawn_first() -> None:
    axes = in_pixels((10, 10), (16, 10), (13, 5), (13, 17))
    found = measured(mark(MarkKind.BIDIRECTIONAL, *axes), stack_of())
    assert values(found) == pytest.approx({"Long axis": 12.0, "Short axis": 6.0})


MILLIMETRES = st.tuples(st.floats(2.0, 60.0), st.floats(2.0, 26.0))


@given(start=MILLIMETRES, end=MILLIMETRES, one=MILLIMETRES, other=MILLIMETRES)
def test_a_short_axis_is_perpendicular_in_the_patient_wherever_it_is_clicked(
    start: Point, end: Point, one: Point, other: Point
) -> None:
    aspect = SPACING[0] / SPACING[1]
    clicks = in_pixels(start, end, one, other)
    placed = np.asarray(points_from(MarkKind.BIDIRECTIONAL, clicks, aspect)) * SPACING[::-1]
    long, short = placed[1] - placed[0], placed[3] - placed[2]
    if math.dist(start, end) > 1.0:
        foot = placed[0] + np.clip((placed[2] - placed[0]) @ long / (long @ long), 0, 1) * long
        assert abs(float((placed[3] - foot) @ long)) <= 1e-6 * max(1.0, float(long @ long))
        assert placed[2] == pytest.approx(np.asarray(one))
    assert short.shape == (2,)


def test_a_length_on_a_radiograph_is_at_the_detector_and_without_calibration_in_pixels() -> None:
    line = mark(MarkKind.LENGTH, (10, 10), (10, 50))
    radiograph: dict[str, Any] = {"modality": "DX", "plane": None, "pixel_spacing": None}
    (value,) = measured(line, stack_of(**radiograph, detector_spacing=(0.2, 0.2))).values
    assert (value.value, value.unit, value.source) == (pytest.approx(8.0), "mm", "at detector")
    (value,) = measured(line, stack_of(**radiograph)).values
    assert (value.value, value.unit) == (pytest.approx(40.0), "{pixel}")


def test_a_mark_outside_the_regions_of_an_ultrasound_says_so_and_has_no_length() -> None:
    tissue = UltrasoundRegion(
        left=20,
        top=10,
        right=80,
        bottom=50,
        x_unit="cm",
        y_unit="cm",
        x_step=0.02,
        y_step=0.02,
        tissue=True,
    )
    stack = stack_of(modality="US", plane=None, pixel_spacing=None, regions=(tissue,))
    inside = measured(mark(MarkKind.LENGTH, (30, 20), (60, 20)), stack)
    assert values(inside) == pytest.approx({"Length": 6.0})
    assert inside.values[0].source == "ultrasound region"
    outside = measured(mark(MarkKind.LENGTH, (5, 20), (60, 20)), stack)
    assert outside.values == ()
    assert "outside the calibrated regions" in outside.refusal
    painted = np.zeros((ROWS, COLUMNS), dtype=bool)
    painted[5:20, 30:40] = True
    assert "outside" in measured(brush(painted), stack).refusal
    again = measured(moved(outside, 20, 0), stack)
    assert again.refusal == "" and len(again.values) == 1


# --- areas and the values inside ---------------------------------------------------------------------


def halves(left: int = 1024, right: int = 1124) -> npt.NDArray[np.int16]:
    """0 HU left of column 45, 100 HU from there on."""
    stored = np.full((ROWS, COLUMNS), left, dtype=np.int16)
    stored[:, 45:] = right
    return stored


def test_a_rectangle_holds_the_pixels_whose_centre_lies_inside() -> None:
    found = measured(mark(MarkKind.RECTANGLE, (40, 10), (50, 20)), stack_of(halves()))
    shown = values(found)
    assert shown["Area"] == pytest.approx(10 * SPACING[1] * 10 * SPACING[0])
    assert (shown["Mean"], shown["SD"]) == (pytest.approx(50.0), pytest.approx(50.0))
    assert (shown["Min"], shown["Max"], shown["Median"]) == (0.0, 100.0, 50.0)
    assert int(mask_of(found, (ROWS, COLUMNS)).sum()) == 100
    backwards = measured(mark(MarkKind.RECTANGLE, (50, 20), (40, 10)), stack_of(halves()))
    assert values(backwards) == pytest.approx(shown)


def test_all_ways_to_outline_a_disc_agree_with_its_true_area_and_mean() -> None:
    middle, radius = (30.0, 15.0), 9.0
    _, column = np.mgrid[:ROWS, :COLUMNS]
    stored = (column * 8 + 1024).astype(np.int16)
    stack = stack_of(stored)
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    ring = in_pixels(
        *zip(middle[0] + radius * np.cos(turn), middle[1] + radius * np.sin(turn), strict=True)
    )
    ends = in_pixels((21, 15), (39, 15), (30, 6), (30, 24))
    wanted = math.pi * radius**2
    for found in (
        mark(MarkKind.ELLIPSE, *ends),
        mark(MarkKind.POLYGON, *ring),
        mark(MarkKind.FREEHAND, *ring),
        brush(disc(middle, radius)),
    ):
        got = measured(found, stack)
        area = next(value for value in got.values if value.concept == AREA)
        assert area.unit == "mm2"
        assert area.uncertainty is not None and abs(area.value - wanted) <= area.uncertainty
        assert values(got)["Mean"] == pytest.approx(8 * 30.0 / SPACING[1], abs=2.0)


def test_padding_is_no_value() -> None:
    stored = halves()
    stored[:15] = -2000
    stack = stack_of(stored, pixel_padding_value=-2000)
    shown = values(measured(mark(MarkKind.RECTANGLE, (50, 10), (60, 20)), stack))
    assert (shown["Min"], shown["Mean"]) == (100.0, 100.0)
    empty = measured(mark(MarkKind.RECTANGLE, (50, 2), (60, 12)), stack)
    assert empty.refusal == ALL_PADDING
    assert [value.concept for value in empty.values] == [AREA]


def test_an_area_between_the_centres_has_a_size_and_no_values() -> None:
    found = measured(mark(MarkKind.RECTANGLE, (40.2, 10.2), (40.8, 10.8)), stack_of())
    assert [value.concept for value in found.values] == [AREA]
    assert found.refusal == NO_PIXELS


def test_the_values_inside_are_those_that_the_rescale_of_the_frame_makes() -> None:
    frames = (
        FrameAttributes(plane=PLANE, rescale_slope=1.0),
        FrameAttributes(
            plane=PLANE.model_copy(update={"position": (0.0, 0.0, 5.0)}), rescale_slope=2.5
        ),
    )
    one = stack_of(number_of_frames=2, frames=frames)
    stored = np.full((2, ROWS, COLUMNS), 40, dtype=np.int16)
    stack = ImageStack(one.series, stored, one.series.frame_order())
    box = mark(MarkKind.RECTANGLE, (10, 10), (20, 20), frame_number=2)
    found = measure_mark(box, stack.series, stack.frames[1], frame_pixels(stack, 1))
    assert values(found)["Mean"] == pytest.approx(100.0)


def test_floating_point_values_leave_out_what_is_no_number() -> None:
    stored = np.full((ROWS, COLUMNS), 0.25, dtype=np.float32)
    stored[10:15, 10:20] = np.nan
    stack = stack_of(stored, "MR", floating=True, rescale_intercept=0.0)
    shown = values(measured(mark(MarkKind.RECTANGLE, (10, 10), (20, 20)), stack))
    assert (shown["Mean"], shown["SD"]) == (pytest.approx(0.25), pytest.approx(0.0))


def test_a_colour_image_has_areas_and_no_values() -> None:
    stack = stack_of(np.zeros((ROWS, COLUMNS, 3), dtype=np.uint8))
    found = measured(mark(MarkKind.RECTANGLE, (10, 10), (20, 20)), stack)
    assert [value.concept for value in found.values] == [AREA]
    assert isinstance(histogram_of(found, frame_pixels(stack, 0)), Refusal)


PET = PetFacts(
    units="BQML",
    corrected=("ATTN", "DECY"),
    decay_correction="ADMIN",
    weight_kg=70.0,
    dose_bq=350e6,
    half_life_s=6586.2,
    injected_time="080000",
    series_start="20200102090000",
    acquisition_start="20200102090000",
)


def test_values_of_pet_are_suvs_or_name_the_missing_tag() -> None:
    stored = np.full((ROWS, COLUMNS), 1000, dtype=np.int16)
    box = mark(MarkKind.RECTANGLE, (10, 10), (20, 20))
    scaled: dict[str, Any] = {"rescale_slope": 25.0, "rescale_intercept": 0.0, "rescale_type": "BQML"}
    found = measured(box, stack_of(stored, "PT", pet=PET, **scaled))
    mean = next(value for value in found.values if value.concept == MEAN)
    assert mean.value == pytest.approx(25000.0 * 70_000.0 / 350e6)
    assert mean.unit == "{SUVbw}g/ml" and "injection" in mean.source
    lost = PET.model_copy(update={"weight_kg": None})
    found = measured(box, stack_of(stored, "PT", pet=lost, **scaled))
    assert "Patient's Weight (0010,1030)" in found.refusal
    mean = next(value for value in found.values if value.concept == MEAN)
    assert (mean.value, mean.unit) == (25000.0, "Bq/mL")


# --- histogram ---------------------------------------------------------------------------------------


def test_a_histogram_counts_every_pixel_once_and_has_no_empty_comb() -> None:
    random = np.random.default_rng(3)
    stored = (1024 + random.integers(0, 100, (ROWS, COLUMNS))).astype(np.int16)
    stack = stack_of(stored)
    box = mark(MarkKind.RECTANGLE, (-0.5, -0.5), (COLUMNS - 0.5, ROWS - 0.5))
    found = histogram_of(box, frame_pixels(stack, 0))
    assert not isinstance(found, Refusal)
    assert int(found.counts.sum()) == ROWS * COLUMNS
    assert found.edges[0] <= 0 and found.edges[-1] >= 99
    assert 8 <= len(found.counts) <= 64
    widths = np.diff(found.edges)
    assert np.allclose(widths, np.rint(widths)), "each bin holds whole steps of the values"
    assert (found.counts > 0).all()


@pytest.mark.parametrize("value", [1024, 0])
def test_a_histogram_of_one_value_has_one_bin(value: int) -> None:
    stack = stack_of(np.full((ROWS, COLUMNS), value, dtype=np.int16))
    found = histogram_of(mark(MarkKind.RECTANGLE, (10, 10), (20, 20)), frame_pixels(stack, 0))
    assert not isinstance(found, Refusal)
    assert found.counts.tolist() == [100]
    assert found.edges[0] < value - 1024 < found.edges[-1]


# --- on an oblique plane -----------------------------------------------------------------------------

OBLIQUE = MarkPlane(
    origin=(5.0, 6.0, 7.0),
    row_cosines=(math.sqrt(0.5), math.sqrt(0.5), 0.0),
    column_cosines=(0.0, 0.0, 1.0),
)


def in_patient(kind: MarkKind, *planar: Point) -> Mark:
    """A mark at (along rows, along columns) mm of the oblique plane."""
    row, column = np.asarray(OBLIQUE.row_cosines), np.asarray(OBLIQUE.column_cosines)
    points = [np.asarray(OBLIQUE.origin) + x * row + y * column for x, y in planar]
    return mark(kind, *points, sop_instance_uid=None, frame_of_reference_uid="1.9", plane=OBLIQUE)


def test_a_perpendicular_diameter_on_an_oblique_plane_is_the_distance_in_the_patient() -> None:
    found = in_patient(MarkKind.PERPENDICULAR, (0, 0), (24, 7), (8.5, 15.5), (15.5, -8.5))
    got = measure_mark(found, stack_of().series, None, None)
    assert values(got) == pytest.approx({"Long axis": 25.0, "Short axis": 25.0})
    assert got.values[0].source == ON_A_PLANE
    # half of the longest side of a voxel, the 3 mm between slices, at each end
    assert got.values[0].uncertainty == pytest.approx(1.5 * math.sqrt(2))
    region = region_of(got)
    assert region is not None and region.space is Space.PATIENT


def test_one_diameter_angle_and_area_are_measured_there_too() -> None:
    series = stack_of().series
    one = measure_mark(in_patient(MarkKind.PERPENDICULAR, (0, 0), (3, 4)), series, None, None)
    assert values(one) == pytest.approx({"Long axis": 5.0})
    angle = measure_mark(in_patient(MarkKind.ANGLE, (9, 0), (0, 0), (9, 9)), series, None, None)
    assert values(angle) == pytest.approx({"Angle": 45.0})
    ring = measure_mark(in_patient(MarkKind.POLYGON, (0, 0), (9, 0), (0, 8)), series, None, None)
    assert values(ring) == pytest.approx({"Area": 36.0})


# --- real images -------------------------------------------------------------------------------------


def real(path: Path, kind: MarkKind, *points: Point) -> Mark:
    """Measure a mark on the first frame of a file."""
    index = index_paths([str(path)])
    (series,) = index.studies[0].series
    frame = series.frame_order()[0]
    instance = series.instances[frame[0]]
    drawn = mark(kind, *points, sop_instance_uid=instance.sop_instance_uid, frame_number=frame[1])
    return measure_mark(drawn, series, frame, None)


def test_an_echocardiogram_is_measured_inside_its_region_and_refused_outside(
    shared_data: Path,
) -> None:
    path = shared_data / "us" / "echo_cine_65f_jpeg_baseline.dcm"
    (value,) = real(path, MarkKind.LENGTH, (100, 100), (200, 100)).values
    assert (value.unit, value.source) == ("mm", "ultrasound region")
    (region,) = (
        item
        for item in dcmread(path, stop_before_pixels=True).SequenceOfUltrasoundRegions
        if item.PhysicalUnitsXDirection == 3
    )
    assert value.value == pytest.approx(100 * abs(region.PhysicalDeltaX) * 10)
    assert "outside" in real(path, MarkKind.LENGTH, (5, 40), (200, 100)).refusal


def test_a_radiograph_is_measured_at_its_detector(shared_data: Path) -> None:
    path = shared_data / "cxr" / "dicom" / "veterinary_thorax_lateral_DX_small.dcm"
    (value,) = real(path, MarkKind.LENGTH, (10, 10), (10, 60)).values
    assert (value.unit, value.source) == ("mm", "at detector")
    header = dcmread(path, stop_before_pixels=True)
    assert value.value == pytest.approx(50 * float(header.ImagerPixelSpacing[0]))


def test_a_tile_of_a_mosaic_is_measured_in_its_own_millimetres(shared_data: Path) -> None:
    path = shared_data / "mr" / "mosaic_siemens_epi_35slices.dcm"
    (value,) = real(path, MarkKind.LENGTH, (10, 10), (40, 10)).values
    spacing = dcmread(path, stop_before_pixels=True).PixelSpacing
    assert (value.value, value.unit) == (pytest.approx(30 * float(spacing[1])), "mm")
