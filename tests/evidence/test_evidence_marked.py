"""A mark becomes evidence with its own values, its own place, and what geometry adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_chest import Chest, make_context

from inference.evidence.findings import accept_finding
from inference.evidence.marked import (
    evidence_of,
    measured_region,
    place_of,
    quantities_of,
)
from inference.evidence.masks import MaskStore
from inference.evidence.region_statistics import RegionStatistics
from inference.evidence.tool import DrawnRegion, IdSource, MeasureContext
from reports.domain import Evidence, EvidenceKind, Side, SourceKind
from viewer.imaging.marks import (
    AREA,
    COBB_ANGLE,
    LENGTH,
    LONG_AXIS,
    MEAN,
    SHORT_AXIS,
    Concept,
    Mark,
    MarkKind,
    MarkPlane,
    MarkValue,
)
from viewer.imaging.regions import Shape, Space

MIDDLE = 38
HU = "[hnsf'U]"


@pytest.fixture(scope="module")
def chest() -> MeasureContext:
    return make_context(Chest())


def value(concept: Concept, number: float, unit: str = "mm", **fields: object) -> MarkValue:
    return MarkValue(concept=concept, label=concept.meaning, value=number, unit=unit, **fields)


def mark(
    kind: MarkKind, points: tuple[tuple[float, ...], ...], *values: MarkValue, **fields: object
) -> Mark:
    return Mark(
        **{
            "kind": kind,
            "points": points,
            "series_instance_uid": "1.2.3",
            "series_key": "1.2.3",
            "sop_instance_uid": f"1.2.3.{MIDDLE + 1}",
            "values": values,
            **fields,
        }
    )


def evidence(ctx: MeasureContext, one: Mark) -> Evidence:
    region = DrawnRegion(measured_region(one), "T1")
    (looked,) = RegionStatistics().measure(replace(ctx, regions=(region,)), IdSource(4), MaskStore())
    return evidence_of(one, looked, label="T1", person="Dr. Rosa Lind")


def side_points(ctx: MeasureContext, side: Side) -> tuple[float, float]:
    """Return a pixel 60 mm to a side of the middle of the image."""
    plane = ctx.series.plane_of(ctx.stack.frames[MIDDLE])
    rows, columns = ctx.stack.stored.shape[1:3]
    middle = plane.pixel_to_patient(np.array([[(columns - 1) / 2, (rows - 1) / 2]]))[0]
    away = 60.0 if side is Side.LEFT else -60.0
    column, row = plane.patient_to_pixel((middle + np.array([away, 0.0, 0.0]))[None])[0]
    return float(column), float(row)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_line_has_its_own_length_its_place_and_the_side_of_geometry(
    chest: MeasureContext, side: Side
) -> None:
    column, row = side_points(chest, side)
    line = mark(
        MarkKind.LENGTH,
        ((column, row), (column + 8, row)),
        value(LENGTH, 12.34, uncertainty=0.7, source="PixelSpacing"),
    )
    found = evidence(chest, line)
    assert [(one.name, one.text, one.uncertainty) for one in found.values] == [("long", "12.3 mm", 0.7)]
    assert found.side is side
    assert found.regions == (place_of(line),)
    assert found.regions[0].shape is Shape.POLYGON
    assert (found.id, found.label, found.kind) == ("E4", "T1", EvidenceKind.MEASUREMENT)
    assert (found.source.kind, found.source.name) == (SourceKind.PERSON, "Dr. Rosa Lind")
    assert found.checks == ("calibration PixelSpacing",)
    assert found.refusal is None


def test_two_axes_are_long_and_short(chest: MeasureContext) -> None:
    axes = mark(
        MarkKind.BIDIRECTIONAL,
        ((60.0, 60.0), (75.0, 60.0), (66.0, 56.0), (66.0, 66.0)),
        value(LONG_AXIS, 15.0),
        value(SHORT_AXIS, 10.0),
    )
    found = evidence(chest, axes)
    assert [(one.name, one.text) for one in found.values] == [("long", "15.0 mm"), ("short", "10.0 mm")]
    assert len(found.regions[0].points) == 4


def test_area_keeps_its_own_values_and_gets_the_diameters(chest: MeasureContext) -> None:
    points = ((50.0, 60.0), (70.0, 60.0), (60.0, 55.0), (60.0, 65.0))
    area = mark(MarkKind.ELLIPSE, points, value(AREA, 999.0, "mm2"), value(MEAN, -123.0, HU))
    found = evidence(chest, area)
    assert found.value("area").value == 999.0
    assert found.value("mean").value == -123.0
    spacing = chest.series.pixel_spacing
    assert spacing is not None
    assert found.value("long").value == pytest.approx(20 * spacing[1], rel=0.01)
    assert found.value("short").value == pytest.approx(10 * spacing[0], rel=0.02)
    assert "pixels" in found.checks[0]


def test_arrow_is_evidence_of_a_place_without_a_value(chest: MeasureContext) -> None:
    found = evidence(chest, mark(MarkKind.ARROW, ((60.0, 60.0), (90.0, 90.0)), refusal=""))
    assert found.values == ()
    assert found.refusal is None
    assert found.regions[0].shape is Shape.POINT
    finding = accept_finding(
        found, side=Side.LEFT, anatomy="upper lobe", descriptor="nodule", person="Dr. Rosa Lind"
    )
    assert finding.kind is EvidenceKind.FINDING
    assert finding.checks[-1] == "measured by Dr. Rosa Lind"


def test_line_on_a_colour_image_is_evidence_all_the_same(chest: MeasureContext) -> None:
    colour = replace(chest, stack=replace(chest.stack, stored=np.zeros((77, 9, 9, 3), np.uint8)))
    found = evidence(colour, mark(MarkKind.LENGTH, ((1.0, 1.0), (5.0, 1.0)), value(LENGTH, 4.0)))
    assert found.refusal is None
    assert found.value("long").text == "4.0 mm"
    assert found.side is Side.UNKNOWN


def test_area_that_could_not_be_measured_is_refused_in_words(chest: MeasureContext) -> None:
    outside = mark(MarkKind.POLYGON, ((-90.0, -90.0), (-80.0, -90.0), (-80.0, -80.0)))
    found = evidence(chest, outside)
    assert found.refusal is not None
    assert "outside the image" in found.refusal.reason
    assert found.regions == ()
    refused = mark(MarkKind.LENGTH, ((1.0, 1.0), (5.0, 1.0)), refusal="It lies outside the regions.")
    found = evidence(chest, refused)
    assert found.refusal is not None
    assert found.refusal.reason == "It lies outside the regions."


def test_mark_on_an_oblique_plane_lies_in_the_patient(chest: MeasureContext) -> None:
    plane = MarkPlane(
        origin=(0.0, 0.0, 0.0), row_cosines=(1.0, 0.0, 0.0), column_cosines=(0.0, 0.0, 1.0)
    )
    oblique = mark(
        MarkKind.LENGTH,
        ((0.0, 5.0, 5.0), (10.0, 5.0, 8.0)),
        value(LENGTH, 10.44),
        sop_instance_uid=None,
        frame_of_reference_uid="1.2.9",
        plane=plane,
    )
    found = evidence(chest, oblique)
    assert found.regions[0].space is Space.PATIENT
    assert found.regions[0].frame_of_reference_uid == "1.2.9"
    assert found.value("long").text == "10.4 mm"


def test_units_are_printed_as_the_ledger_prints_them() -> None:
    points = ((1.0, 1.0), (5.0, 1.0))
    in_pixels = mark(MarkKind.LENGTH, points, value(LENGTH, 4.0, "{pixel}", uncertainty=0.7))
    assert quantities_of(in_pixels)[0].text == "4.0 px"
    assert quantities_of(in_pixels)[0].unit == "{pixels}"
    four = ((1.0, 1.0), (5.0, 1.0), (1.0, 5.0), (5.0, 9.0))
    angle = mark(MarkKind.COBB, four, value(COBB_ANGLE, 33.21, "deg"))
    assert [(one.name, one.text) for one in quantities_of(angle)] == [("angle", "33.2\u00b0")]
    suv = mark(MarkKind.LENGTH, points, value(MEAN, 2.346, "{SUVbw}g/ml"))
    assert quantities_of(suv)[0].text == "2.35 SUVbw"
