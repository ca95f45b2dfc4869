"""Statistics of a drawn region against figures with known area, diameters, values and side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from analytic_chest import AXIAL, AXIAL_PRONE, CORONAL, SAGITTAL, Chest, Vector, make_context
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.evidence.diameters import diameters
from inference.evidence.masks import MaskStore
from inference.evidence.region_statistics import RegionStatistics
from inference.evidence.tool import DrawnRegion, IdSource, MeasureContext, RefusalCode
from reports.domain import Evidence, ReportDefault, Side
from viewer.imaging.geometry import ImagePlane
from viewer.imaging.mappings import LookupTable
from viewer.imaging.regions import Region, Shape, Space, to_patient

MIDDLE = 38
"""Slice of the analytic chest nearest to its centre."""


def drawn(shape: Shape, points: list[tuple[float, float]], *, index: int = MIDDLE) -> DrawnRegion:
    return DrawnRegion(
        Region(
            shape=shape,
            series_instance_uid="1.2.3",
            sop_instance_uid=f"1.2.3.{index + 1}",
            points=tuple(points),
        )
    )


def ellipse(column: float, row: float, a: float, b: float, angle: float = 0.0) -> DrawnRegion:
    u, v = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    centre = np.array([column, row])
    ends = [centre - a * u, centre + a * u, centre - b * v, centre + b * v]
    return drawn(Shape.ELLIPSE, [(float(x), float(y)) for x, y in ends])


def measure(ctx: MeasureContext, region: DrawnRegion) -> Evidence:
    (found,) = RegionStatistics().measure(replace(ctx, regions=(region,)), IdSource(4), MaskStore())
    return found


@pytest.fixture(scope="module")
def chest() -> MeasureContext:
    return make_context(Chest())


@settings(max_examples=60, deadline=None)
@given(
    st.floats(5, 40),
    st.floats(0.2, 0.95),
    st.floats(0, np.pi),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_ellipse_has_the_area_and_diameters_of_geometry(
    chest: MeasureContext, a: float, flatness: float, angle: float, move: tuple[float, float]
) -> None:
    b = a * flatness
    found = measure(chest, ellipse(90 + move[0], 72 + move[1], a, b, angle))
    # Pixels are 2 mm.
    assert found.value("area").value == pytest.approx(np.pi * a * b * 4, rel=1e-3)
    assert found.value("long").value == pytest.approx(4 * a, rel=2e-3)
    assert found.value("short").value == pytest.approx(4 * b, rel=2e-3)
    assert (found.value("area").unit, found.value("long").unit) == ("mm2", "mm")


def test_values_go_through_the_table_of_the_image_as_on_the_screen(chest: MeasureContext) -> None:
    instances = list(chest.series.instances)
    table = LookupTable.of([7, 9], first=-20000, bits=8)
    instances[MIDDLE] = instances[MIDDLE].model_copy(update={"modality_lut": table})
    series = chest.series.model_copy(update={"instances": tuple(instances)})
    mapped = replace(chest, series=series, stack=replace(chest.stack, series=series))
    assert measure(chest, ellipse(90, 72, 9, 9)).value("mean").value != 9.0
    assert measure(mapped, ellipse(90, 72, 9, 9)).value("mean").value == 9.0


def test_pixels_that_are_not_square_count_in_millimetres() -> None:
    ctx = make_context(Chest(), spacing=(4.0, 3.0, 1.5), shape=(76, 97, 240))
    found = measure(ctx, drawn(Shape.BOX, [(99.5, 39.5), (139.5, 59.5)]))
    assert found.value("area").value == pytest.approx(40 * 1.5 * 20 * 3.0)
    assert found.value("long").value == pytest.approx(np.hypot(60, 60))
    assert found.value("long").text == "84.9 mm"


def test_perpendicular_diameter_is_a_chord_inside_the_outline() -> None:
    # An L: the width across its frame is 10 along the long way, but no line inside is that long.
    corner = np.array([(0, 0), (20, 0), (20, 2), (2, 2), (2, 10), (0, 10)], dtype=float)
    assert diameters(corner).longest == pytest.approx(np.hypot(20, 10))
    assert diameters(corner).perpendicular < 6.0


def test_values_are_those_of_the_pixels_inside() -> None:
    ctx = make_context(Chest())
    stored = ctx.stack.stored.copy()
    stored[MIDDLE, 60:64, 30:35] = np.arange(20).reshape(4, 5) * 10 - 100
    ctx = replace(ctx, stack=replace(ctx.stack, stored=stored))
    found = measure(ctx, drawn(Shape.BOX, [(29.5, 59.5), (34.5, 63.5)]))
    values = np.arange(20) * 10 - 100
    assert found.value("mean").value == pytest.approx(values.mean())
    assert found.value("sd").value == pytest.approx(values.std(ddof=1))
    assert found.value("minimum").text == "\u2212100 HU"
    assert found.value("maximum").text == "90 HU"
    assert "20 pixels" in found.checks


def test_padding_is_not_averaged() -> None:
    ctx = make_context(Chest())
    stored = ctx.stack.stored.copy()
    stored[MIDDLE, 70:80, 20:40] = 50
    stored[MIDDLE, 75:80, 20:40] = -2000
    instances = tuple(
        one.model_copy(update={"pixel_padding_value": -2000}) for one in ctx.series.instances
    )
    series = ctx.series.model_copy(update={"instances": instances})
    ctx = replace(ctx, series=series, stack=replace(ctx.stack, stored=stored, series=series))
    found = measure(ctx, drawn(Shape.BOX, [(19.5, 69.5), (39.5, 79.5)]))
    assert found.value("mean").value == 50


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("orientation", [AXIAL, AXIAL_PRONE, CORONAL])
@pytest.mark.parametrize(("x", "side"), [(-70.0, Side.RIGHT), (70.0, Side.LEFT), (4.0, Side.UNKNOWN)])
def test_side_follows_the_patient_not_the_picture(
    orientation: tuple[Vector, Vector], reverse: bool, x: float, side: Side
) -> None:
    ctx = make_context(
        Chest(), orientation=orientation, reverse=reverse, spacing=(6.0, 3.0, 3.0), shape=(40, 96, 120)
    )
    plane = ctx.series.instances[20].plane
    assert plane is not None
    column, row = plane.patient_to_pixel(np.array([[x, 0.0, 0.0]]))[0]
    region = ellipse(float(column), float(row), 4, 3)
    moved = region.region.model_copy(update={"sop_instance_uid": "1.2.3.21"})
    assert measure(ctx, replace(region, region=moved)).side is side


def test_side_is_unknown_when_nothing_tells_it() -> None:
    chest = make_context(Chest())
    region = ellipse(50, 72, 5, 4)
    assert measure(chest, region).side is Side.RIGHT
    bare = tuple(one.model_copy(update={"plane": None}) for one in chest.series.instances)
    cases: dict[str, dict[str, Any]] = {
        "no orientation": {"instances": bare},
        "not CT": {"modality": "MR"},
    }
    for update in cases.values():
        series = chest.series.model_copy(update=update)
        ctx = replace(chest, series=series, stack=replace(chest.stack, series=series))
        assert measure(ctx, region).side is Side.UNKNOWN
    cut = make_context(Chest(), shape=(76, 145, 120))
    assert measure(cut, ellipse(30, 72, 5, 4)).side is Side.UNKNOWN
    sagittal = make_context(Chest(), orientation=SAGITTAL, spacing=(4, 3, 3), shape=(76, 75, 100))
    assert measure(sagittal, ellipse(50, 40, 5, 4)).side is Side.UNKNOWN


def test_without_calibration_lengths_are_pixels() -> None:
    chest = make_context(Chest())
    series = chest.series.model_copy(update={"pixel_spacing": None, "spacing_source": ""})
    ctx = replace(chest, series=series, stack=replace(chest.stack, series=series))
    found = measure(ctx, ellipse(90, 72, 10, 5))
    assert found.value("long").text == "20.0 px"
    assert "mm" not in "".join(quantity.text for quantity in found.values)
    assert any("not calibrated" in warning for warning in found.warnings)


def test_values_without_a_unit_have_none() -> None:
    chest = make_context(Chest(), modality="MR")
    found = measure(chest, ellipse(50, 72, 5, 4))
    assert found.value("mean").unit == "1"
    assert found.value("mean").text == "\u2212850"


def test_region_in_millimetres_is_measured_on_its_image(chest: MeasureContext) -> None:
    flat = ellipse(50, 72, 5, 4)
    plane = chest.series.instances[MIDDLE].plane
    assert isinstance(plane, ImagePlane)
    solid = to_patient(flat.region, plane, frame_of_reference_uid="1.2.9")
    assert solid.space is Space.PATIENT
    found = measure(chest, DrawnRegion(solid))
    assert found.value("area").value == pytest.approx(measure(chest, flat).value("area").value)
    assert found.regions[0].sop_instance_uid == f"1.2.3.{MIDDLE + 1}"
    elsewhere = solid.model_copy(update={"frame_of_reference_uid": "9.9"})
    assert refusal(measure(chest, DrawnRegion(elsewhere))) == RefusalCode.GEOMETRY


def refusal(found: Evidence) -> str:
    assert found.refusal is not None and found.values == () and found.regions == ()
    return found.refusal.code


def test_what_cannot_be_measured_is_refused(chest: MeasureContext) -> None:
    point = drawn(Shape.POINT, [(50, 72)])
    assert refusal(measure(chest, point)) == RefusalCode.NO_AREA
    away = ellipse(-100, -100, 5, 4)
    assert refusal(measure(chest, away)) == RefusalCode.OUTSIDE_IMAGE
    other = drawn(Shape.BOX, [(1, 1), (9, 9)], index=900)
    assert refusal(measure(chest, other)) == RefusalCode.GEOMETRY
    colour = np.zeros((76, 145, 180, 3), dtype=np.uint8)
    ctx = replace(chest, stack=replace(chest.stack, stored=colour))
    assert refusal(measure(ctx, ellipse(50, 72, 5, 4))) == RefusalCode.COLOUR


def test_uncertainty_of_a_length_is_more_than_half_a_pixel(chest: MeasureContext) -> None:
    found = measure(chest, ellipse(50, 72, 5, 4))
    for name in ("long", "short"):
        uncertainty = found.value(name).uncertainty
        assert uncertainty is not None and uncertainty >= 1.0
    assert found.report_default is ReportDefault.ON_REQUEST


def test_size_of_something_small_on_thick_slices_is_warned(chest: MeasureContext) -> None:
    assert any("thicker" in one for one in measure(chest, ellipse(50, 72, 2, 1.5)).warnings)
    assert not any("thicker" in one for one in measure(chest, ellipse(50, 72, 12, 8)).warnings)
