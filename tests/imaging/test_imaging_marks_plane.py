"""Values inside marks on planes at any angle, against volumes whose values are known everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from viewer.imaging.geometry import GeometryVerdict, VerdictKind
from viewer.imaging.marks import Concept, Mark, MarkKind, MarkPlane
from viewer.imaging.marks_measure import NO_PIXELS
from viewer.imaging.marks_plane import (
    PlaneValues,
    flattened,
    lifted,
    measure_in_patient,
    moved_in_patient,
    source_of,
    with_handle_in_patient,
)
from viewer.imaging.reformat import Slab, SlabMode, grid_of, sample, slab_offsets
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume

SLOPE, INTERCEPT = 2.0, -100.0
SQUARE = math.sqrt(0.5)
TILTED = MarkPlane(
    origin=(20.0, 20.0, 20.0), row_cosines=(SQUARE, SQUARE, 0.0), column_cosines=(0.0, 0.0, -1.0)
)
SERIES = Series(
    key="1",
    series_instance_uid="1",
    study_instance_uid="1",
    modality="CT",
    instances=(),
    verdict=GeometryVerdict(kind=VerdictKind.UNIFORM, reason="", spacing=1.0),
)


def volume(padding: int | None = None) -> Volume:
    """40 mm of 1 mm voxels: the stored value is 10 times the distance to the feet, LPS z."""
    stored = np.broadcast_to(np.arange(40, dtype=np.int16)[:, None, None] * 10, (40, 40, 40)).copy()
    if padding is not None:
        stored[:20] = padding
    return Volume(SERIES, stored, np.eye(4), SLOPE, INTERCEPT, "[hnsf'U]", (), padding)


def values(of: Volume, slab: Slab | None = None) -> PlaneValues:
    slab, grid = slab or Slab(), grid_of(of)

    def read(plane):
        return sample(of, plane, slab_offsets(grid, plane.origin, plane.normal, slab), slab.mode)

    return PlaneValues(of, grid, read, 1.0, of.unit, source_of(slab))


def mark(kind: MarkKind, *points: tuple[float, float]) -> Mark:
    """A mark from millimetres of the tilted plane."""
    few = 4 if kind is MarkKind.RECTANGLE else len(points)
    plain = Mark(
        kind=kind,
        points=tuple(TILTED.origin for _ in range(few)),
        series_instance_uid="1",
        series_key="1",
        frame_of_reference_uid="9",
        plane=TILTED,
    )
    return lifted(plain, points)


def found(measured: Mark) -> dict[str, float]:
    return {value.label: value.value for value in measured.values}


@pytest.mark.parametrize(
    ("kind", "points", "area"),
    [
        (MarkKind.RECTANGLE, ((-6.0, -3.0), (6.0, 5.0)), 96.0),
        (MarkKind.ELLIPSE, ((-6.0, 1.0), (6.0, 1.0), (0.0, -3.0), (0.0, 5.0)), math.pi * 24.0),
        (MarkKind.POLYGON, ((-6.0, -3.0), (6.0, -3.0), (6.0, 5.0), (-6.0, 5.0)), 96.0),
    ],
)
def test_an_area_on_a_tilted_plane_has_the_values_that_lie_there(kind, points, area) -> None:
    measured = measure_in_patient(mark(kind, *points), SERIES, values(volume()))
    got = found(measured)
    # down on the plane is towards the feet: its middle lies 1 mm below z = 20
    middle = SLOPE * 10.0 * 19.0 + INTERCEPT
    assert got["Area"] == pytest.approx(area, rel=1e-6)
    assert got["Mean"] == pytest.approx(middle, abs=2.0)
    assert got["Max"] - got["Min"] == pytest.approx(SLOPE * 10.0 * 7.0, abs=SLOPE * 10.0)
    assert {value.unit for value in measured.values if value.label == "Mean"} == {"[hnsf'U]"}
    assert {value.source for value in measured.values if value.label == "SD"} == {source_of(Slab())}


def test_a_slab_gives_the_values_of_its_projection() -> None:
    straight = MarkPlane(
        origin=(20.0, 20.0, 20.0), row_cosines=(1.0, 0.0, 0.0), column_cosines=(0.0, 1.0, 0.0)
    )
    box = mark(MarkKind.RECTANGLE, (-5.0, -5.0), (5.0, 5.0))
    flat = lifted(box.changed(plane=straight), ((-5.0, -5.0), (5.0, 5.0)))
    thin = found(measure_in_patient(flat, SERIES, values(volume())))
    slab = Slab(SlabMode.MIP, 10.0)
    thick = measure_in_patient(flat, SERIES, values(volume(), slab))
    assert thin["Mean"] == pytest.approx(SLOPE * 200.0 + INTERCEPT)
    assert found(thick)["Mean"] == pytest.approx(SLOPE * 250.0 + INTERCEPT)
    assert {one.source for one in thick.values if one.label == "Mean"} == {"MIP over 10 mm"}


def test_padding_and_what_lies_beside_the_volume_is_left_out() -> None:
    low = mark(MarkKind.RECTANGLE, (-6.0, -8.0), (6.0, 8.0))
    padded = found(measure_in_patient(low, SERIES, values(volume(padding=-2000))))
    assert padded["Min"] >= SLOPE * 200.0 + INTERCEPT - 1e-6
    across = mark(MarkKind.RECTANGLE, (0.0, -5.0), (200.0, 5.0))
    assert found(measure_in_patient(across, SERIES, values(volume())))["Min"] > 0.0
    outside = mark(MarkKind.RECTANGLE, (150.0, -5.0), (200.0, 5.0))
    measured = measure_in_patient(outside, SERIES, values(volume()))
    assert measured.refusal == NO_PIXELS and "Mean" not in found(measured)


def test_a_mark_follows_its_handle_and_the_hand_within_its_plane() -> None:
    box = mark(MarkKind.RECTANGLE, (-6.0, -3.0), (6.0, 5.0))
    corner = np.asarray(box.points[2]) + 4.0 * np.asarray(TILTED.row_cosines)
    off = np.cross(TILTED.row_cosines, TILTED.column_cosines)
    larger = with_handle_in_patient(box, 2, corner + 3.0 * off)
    assert np.allclose(flattened(larger).array().max(axis=0), (10.0, 5.0))
    assert np.allclose(flattened(larger).array().min(axis=0), (-6.0, -3.0))
    moved = moved_in_patient(box, 2.0 * np.asarray(TILTED.column_cosines) + 7.0 * off)
    assert np.allclose(flattened(moved).array(), flattened(box).array() + np.array([0.0, 2.0]))


def test_an_angle_is_that_in_the_patient() -> None:
    measured = measure_in_patient(
        mark(MarkKind.ANGLE, (10.0, 0.0), (0.0, 0.0), (0.0, 10.0)), SERIES, None
    )
    assert found(measured) == {"Angle": pytest.approx(90.0)}
    assert isinstance(measured.values[0].concept, Concept)
