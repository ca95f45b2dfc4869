"""Masks, what moves with a handle, marks as JSON and as regions of evidence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks_phantom import (
    SPACING,
    Point,
    brush,
    in_pixels,
    mark,
    measured,
    stack_of,
)
from pydantic import ValidationError

from viewer.imaging.contour import inside_polygon, mask_rings
from viewer.imaging.marks import (
    AREA,
    DEVIATION,
    LENGTH,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    POINTS_OF,
    Concept,
    Mark,
    MarkKind,
    mark_of,
    region_of,
)
from viewer.imaging.marks_geometry import (
    TURNING,
    ellipse_in,
    handles_of,
    lines_of,
    moved,
    with_handle,
)
from viewer.imaging.marks_mask import MarkMask, paint_disc
from viewer.imaging.regions import Shape

# --- masks -------------------------------------------------------------------------------------------


@given(st.integers(0, 2**30), st.integers(1, 12), st.integers(1, 12))
def test_a_mask_comes_back_as_it_was(seed: int, rows: int, columns: int) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < 0.4
    packed = MarkMask.model_validate_json(MarkMask.of(mask).model_dump_json())
    assert np.array_equal(packed.unpack(), mask)
    assert packed.count == mask.sum()


@pytest.mark.parametrize("runs", ["", "AAAA", "not base64!", "/////w=="])
def test_run_lengths_that_do_not_fill_the_image_are_refused(runs: str) -> None:
    with pytest.raises(ValidationError, match="run lengths"):
        MarkMask(rows=3, columns=3, runs=runs)


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_a_moved_mask_keeps_what_stays_in_the_image(columns: int, rows: int) -> None:
    mask = np.zeros((9, 7), dtype=bool)
    mask[2:5, 1:4] = True
    wanted = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        if 0 <= row + rows < 9 and 0 <= column + columns < 7:
            wanted[row + rows, column + columns] = True
    assert np.array_equal(MarkMask.of(mask).moved(columns, rows).unpack(), wanted)


def test_a_brush_paints_the_pixels_within_its_radius_of_its_way() -> None:
    mask = np.zeros((30, 40), dtype=bool)
    paint_disc(mask, (10.0, 10.0), (25.0, 18.0), 3.5, inside=True)
    row, column = np.mgrid[:30, :40]
    share = np.clip(((column - 10) * 15 + (row - 10) * 8) / (15**2 + 8**2), 0, 1)
    away = np.hypot(column - 10 - 15 * share, row - 10 - 8 * share)
    assert np.array_equal(mask, away <= 3.5)
    paint_disc(mask, (-5.0, -5.0), (60.0, 60.0), 100.0, inside=False)
    assert not mask.any()


@given(st.integers(0, 2**30))
def test_the_outline_of_a_mask_holds_the_same_pixels_again(seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = np.zeros((24, 24), dtype=bool)
    for x, y, radius in random.uniform((4, 4, 1), (20, 20, 4), (3, 3)):
        paint_disc(mask, (x, y), (x, y), radius, inside=True)
    again = np.zeros_like(mask)
    for ring in mask_rings(mask):
        again ^= inside_polygon(ring, (24, 24))
    assert np.array_equal(again, mask)


EIGHTHS = st.integers(-40, 240).map(lambda number: number / 8)


@given(st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=3, max_size=9))
def test_the_pixels_inside_an_outline_are_those_of_the_even_odd_rule(points: list[Point]) -> None:
    ring = np.asarray(points)
    mask = inside_polygon(ring, (20, 25))
    for row, column in ((0, 0), (7, 12), (19, 24), (10, 3), (15, 20)):
        crossings = 0
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            if (y0 <= row) != (y1 <= row):
                crossings += x0 + (row - y0) / (y1 - y0) * (x1 - x0) <= column
        assert mask[row, column] == (crossings % 2 == 1)


# --- changing ----------------------------------------------------------------------------------------

SHAPES: dict[MarkKind, list[Point]] = {
    MarkKind.LENGTH: [(10, 10), (30, 20)],
    MarkKind.ANGLE: [(10, 10), (30, 20), (40, 5)],
    MarkKind.COBB: [(10, 10), (30, 12), (12, 40), (33, 35)],
    MarkKind.BIDIRECTIONAL: [(10, 20), (40, 20), (22, 12), (22, 30)],
    MarkKind.RECTANGLE: [(10, 10), (30, 20)],
    MarkKind.ELLIPSE: list(ellipse_in((10, 10), (30, 20))),  # type: ignore[arg-type]
    MarkKind.POLYGON: [(10, 10), (30, 12), (28, 30), (14, 33)],
    MarkKind.ARROW: [(10, 10), (30, 20)],
    MarkKind.TEXT: [(10, 10)],
}


@pytest.mark.parametrize("kind", SHAPES)
def test_a_moved_mark_has_the_same_size(kind: MarkKind) -> None:
    stack = stack_of()
    before = measured(mark(kind, *SHAPES[kind], label_at=(40.0, 8.0)), stack)
    after = measured(moved(before, 7.25, -3.5), stack)
    assert after.array() - before.array() == pytest.approx(
        np.tile((7.25, -3.5), (len(before.points), 1))
    )
    assert after.label_at == pytest.approx((47.25, 4.5))
    sizes = [
        {value.label: value.value for value in one.values if value.uncertainty is not None}
        for one in (before, after)
    ]
    assert sizes[0] == pytest.approx(sizes[1])


@pytest.mark.parametrize("kind", SHAPES)
def test_a_handle_put_back_leaves_the_mark_as_it_was(kind: MarkKind) -> None:
    before = mark(kind, *SHAPES[kind])
    aspect = SPACING[0] / SPACING[1]
    for number, (column, row) in enumerate(handles_of(before).tolist()):
        away = with_handle(before, number, (column + 6.0, row + 4.0), aspect)
        there = handles_of(away)
        if kind not in (MarkKind.ELLIPSE, MarkKind.BIDIRECTIONAL):
            assert np.isclose(there, (column + 6.0, row + 4.0)).all(axis=1).any()
        nearest = int(np.abs(there - (column + 6.0, row + 4.0)).sum(axis=1).argmin())
        held = number if kind is MarkKind.ELLIPSE else nearest  # corners change places, ends do not
        back = with_handle(away, held, (column, row), aspect)
        wanted, got = (np.sort(handles_of(one).round(6), axis=0) for one in (before, back))
        assert got == pytest.approx(wanted, abs=1e-5)


def test_an_end_of_an_ellipse_leaves_the_opposite_end_and_the_axes_upright() -> None:
    ellipse = mark(MarkKind.ELLIPSE, *ellipse_in((10, 10), (30, 20)))
    wider = with_handle(ellipse, 1, (40.0, 99.0), SPACING[0] / SPACING[1])
    assert wider.array() == pytest.approx(np.array([(10, 15), (40, 15), (25, 10), (25, 20)]))


MILLIMETRES = st.tuples(st.floats(2.0, 60.0), st.floats(2.0, 26.0))


@pytest.mark.parametrize("degrees", [30.0, 90.0, 200.0])
def test_the_turning_handle_of_an_ellipse_turns_it_in_the_patient(degrees: float) -> None:
    aspect = SPACING[0] / SPACING[1]
    before = mark(MarkKind.ELLIPSE, *ellipse_in((20.0, 20.0), (44.0, 30.0)))
    in_mm = before.array() * SPACING[::-1]
    middle = in_mm[:2].mean(axis=0)
    turn = math.radians(degrees)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    handle = handles_of(before)[TURNING] * SPACING[::-1]
    column, row = (middle + 1.7 * matrix @ (handle - middle)) / SPACING[::-1]
    after = with_handle(before, TURNING, (float(column), float(row)), aspect)
    assert np.allclose(after.array() * SPACING[::-1], middle + (in_mm - middle) @ matrix.T)


@given(to=MILLIMETRES, handle=st.integers(0, 3))
def test_axes_stay_at_right_angles_whichever_end_is_dragged(to: Point, handle: int) -> None:
    aspect = SPACING[0] / SPACING[1]
    axes = mark(MarkKind.BIDIRECTIONAL, *in_pixels((10, 10), (34, 17), (20, 20), (27, -4)))
    before = axes.array() * SPACING[::-1]
    assert abs(float((before[1] - before[0]) @ (before[3] - before[2]))) < 1e-6
    (target,) = in_pixels(to)
    placed = with_handle(axes, handle, target, aspect).array() * SPACING[::-1]
    long, short = placed[1] - placed[0], placed[3] - placed[2]
    reach = float(np.linalg.norm(long) * np.linalg.norm(short))
    assert abs(float(long @ short)) <= 1e-6 * max(reach, 1.0)


# --- as values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHAPES)
def test_a_mark_travels_as_json(kind: MarkKind) -> None:
    found = measured(mark(kind, *SHAPES[kind], name="T1", text="here"), stack_of())
    assert Mark.model_validate_json(found.model_dump_json()) == found
    assert lines_of(found)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": MarkKind.LENGTH, "points": ((1.0, 2.0),)},
        {"kind": MarkKind.LENGTH, "points": ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0))},
        {"kind": MarkKind.LENGTH, "points": ((1.0, 2.0), (3.0, 4.0)), "sop_instance_uid": None},
        {"kind": MarkKind.LENGTH, "points": ((1.0, math.nan), (3.0, 4.0))},
        {"kind": MarkKind.BRUSH},
        {"kind": MarkKind.TEXT, "points": ((1.0, 2.0),), "frame_number": 0},
    ],
)
def test_a_mark_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mark(**{"kind": MarkKind.LENGTH, **fields})


def test_a_mark_that_is_changed_is_checked_and_keeps_its_id() -> None:
    line = mark(MarkKind.LENGTH, (1, 2), (3, 4))
    named = line.changed(name="T1")
    assert (named.id, named.name, named.points) == (line.id, "T1", line.points)
    with pytest.raises(ValidationError, match="cannot have 1 points"):
        line.changed(points=((1.0, 2.0),))


@pytest.mark.parametrize("kind", [kind for kind in SHAPES if kind is not MarkKind.TEXT])
def test_a_mark_becomes_a_region_of_evidence_on_its_image(kind: MarkKind) -> None:
    region = region_of(mark(kind, *SHAPES[kind]))
    assert region is not None
    assert (region.sop_instance_uid, region.frame_number) == ("1.2.3.1", 1)
    again = mark_of(region, "1.2.3")
    assert again is not None
    if kind in (MarkKind.RECTANGLE, MarkKind.ELLIPSE, MarkKind.POLYGON):
        assert (again.kind, again.points) == (kind, region.points)


def test_the_region_of_a_mask_is_the_outline_of_its_largest_part() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:4, 2:4] = mask[8:16, 8:18] = True
    region = region_of(brush(mask))
    assert region is not None and region.shape is Shape.POLYGON
    assert int(inside_polygon(region.array(), (20, 20)).sum()) == 80
    assert region_of(brush(np.zeros((4, 4), dtype=bool))) is None


def test_every_kind_says_how_many_points_it_has() -> None:
    assert set(POINTS_OF) == set(MarkKind)


def test_concepts_of_what_is_measured_are_those_of_the_standard() -> None:
    # PS3.16 CID 7469 and 3488, as pydicom's dictionary has them
    from pydicom.sr.codedict import codes

    wanted: dict[Concept, Any] = {
        LENGTH: codes.SCT.Length,
        AREA: codes.SCT.Area,
        MEAN: codes.SCT.Mean,
        DEVIATION: codes.SCT.StandardDeviation,
        MINIMUM: codes.SCT.Minimum,
        MAXIMUM: codes.SCT.Maximum,
        MEDIAN: codes.SCT.Median,
    }
    for concept, code in wanted.items():
        assert (concept.value, concept.scheme, concept.meaning) == (
            code.value,
            code.scheme_designator,
            code.meaning,
        )
