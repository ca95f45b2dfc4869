"""CT head: blood, fluid and midline shift on a phantom with known truth, and refusals in words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from inference.evaluation.head_phantom import (
    EVEN,
    UNEVEN,
    Blood,
    Crescent,
    HeadPhantom,
    head_context,
    with_lesions,
)
from inference.evidence.collect import collect
from inference.evidence.contrast import contrast_given
from inference.evidence.head import HeadDensity, HeadFluid, MidlineShift
from inference.evidence.head.cavity import midplane_of
from inference.evidence.head.shift import FALX_BACK, FALX_FRONT, SEPTUM
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode, Tool
from reports.domain import Evidence, EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.reader import Reader
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.volume import as_volume

COARSE_MM = 1.3


@cache
def measured(phantom: HeadPhantom, tilted: bool = False) -> tuple[MeasureContext, tuple[Evidence, ...]]:
    where = {"heights": UNEVEN, "tilt_degrees": 18.0} if tilted else {"heights": EVEN}
    ctx = head_context(phantom, pixel_mm=COARSE_MM, **where)
    return ctx, HeadDensity().measure(ctx, IdSource(2), MaskStore())


def run(tool: Tool, ctx: MeasureContext) -> tuple[Evidence, ...]:
    return tool.measure(ctx, IdSource(2), MaskStore())


def candidates(found: tuple[Evidence, ...]) -> list[Evidence]:
    return [item for item in found if item.kind is EvidenceKind.CANDIDATE]


BALL = Blood((-30.0, 10.0, 20.0), (12.0, 14.0, 11.0))
SMALL = Blood((25.0, 45.0, -5.0), (5.0, 5.0, 5.0))


@pytest.mark.parametrize("tilted", [False, True])
def test_blood_has_its_volume_and_side_even_on_tilted_uneven_slices(tilted: bool) -> None:
    _, found = measured(with_lesions(BALL, SMALL), tilted)
    first, second = candidates(found)
    for item, truth, side in ((first, BALL.ml, Side.RIGHT), (second, SMALL.ml, Side.LEFT)):
        volume = item.value("volume_ml")
        assert volume.uncertainty is not None
        assert volume.value == pytest.approx(truth, abs=volume.uncertainty)
        assert item.side is side
        assert item.anatomy == "brain"
        assert item.report_default is ReportDefault.LEDGER_ONLY
    # Its diameter is more than three slices: 3 % of the volume.
    if not tilted:
        assert first.value("volume_ml").value == pytest.approx(BALL.ml, rel=0.03)
    assert first.value("mean_density").value == pytest.approx(BALL.hu, abs=3.0)
    assert first.value("axis_a").value == pytest.approx(28.0, abs=2 * COARSE_MM)
    assert first.value("axis_b").value == pytest.approx(24.0, abs=2 * COARSE_MM)


def test_abc2_is_half_of_the_product_of_its_axes() -> None:
    _, found = measured(with_lesions(BALL, SMALL))
    one = candidates(found)[0]
    a, b, c = (one.value(name).value for name in ("axis_a", "axis_b", "axis_c"))
    assert one.value("abc2").value == pytest.approx(a * b * c / 2000.0)
    assert c % 2.5 == pytest.approx(0.0)  # whole and half slices of 5 mm


def test_a_layer_under_the_skull_is_told_and_measured() -> None:
    crescent = Crescent(8.0)
    _, found = measured(with_lesions(crescent))
    (one,) = candidates(found)
    volume = one.value("volume_ml")
    assert volume.uncertainty is not None
    assert volume.value == pytest.approx(crescent.ml, abs=volume.uncertainty)
    assert one.side is Side.LEFT
    assert one.anatomy == ""
    assert any("may be outside the brain" in check for check in one.checks)


@pytest.mark.parametrize("tilted", [False, True])
def test_falx_sinus_and_calcium_are_no_candidates(tilted: bool) -> None:
    _, found = measured(HeadPhantom(), tilted)
    (search,) = found
    assert search.search is not None
    assert search.search.result is SearchResult.NONE
    assert search.search.complete
    assert not search.search.accepted
    assert 0.8 < search.search.coverage <= 1.0
    assert any("falx or sagittal sinus" in check for check in search.checks)


def test_the_search_names_its_candidates() -> None:
    _, found = measured(with_lesions(BALL, SMALL))
    search = found[-1].search
    assert search is not None
    assert search.candidates == tuple(item.id for item in candidates(found))
    assert search.result is SearchResult.CANDIDATES


def test_a_stack_that_ends_in_the_skull_is_no_complete_search() -> None:
    ctx = head_context(HeadPhantom(), heights=EVEN[12:], pixel_mm=COARSE_MM)
    search = run(HeadDensity(), ctx)[-1]
    assert search.search is not None
    assert not search.search.complete
    assert any("skull base" in warning for warning in search.warnings)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"contrast_agent": "IOMERON"}, RefusalCode.WRONG_PHASE),
        ({"description": "CTA head"}, RefusalCode.WRONG_PHASE),
        ({"description": "Head without contrast"}, None),
        ({"modality": "MR"}, RefusalCode.WRONG_MODALITY),
    ],
)
def test_contrast_and_modality_refuse(header: dict[str, str], code: RefusalCode | None) -> None:
    ctx, _ = measured(HeadPhantom())
    series = ctx.series.model_copy(update=header)
    ctx = replace(ctx, series=series, stack=replace(ctx.stack, series=series), _made={})
    if code is RefusalCode.WRONG_MODALITY or code is None:
        assert contrast_given(series) == ""
    if code is not None:
        (one,) = run(HeadDensity(), ctx)
        assert one.refusal is not None
        assert one.refusal.code == code
        assert one.refusal.reason.endswith(".")


def test_noise_that_hides_blood_refuses() -> None:
    ctx = head_context(HeadPhantom(noise=45.0), pixel_mm=COARSE_MM)
    (one,) = run(HeadDensity(), ctx)
    assert one.refusal is not None
    assert one.refusal.code == RefusalCode.UNCERTAIN
    (fluid,) = run(HeadFluid(), ctx)
    assert fluid.refusal is not None
    assert fluid.refusal.code == RefusalCode.UNCERTAIN


def test_what_is_no_head_gives_a_refusal_only_where_a_head_is_named() -> None:
    ctx, _ = measured(HeadPhantom())
    stored = np.full(ctx.stack.stored.shape, 40, dtype=np.int16)
    stack = replace(ctx.stack, stored=stored)
    ctx = replace(ctx, stack=stack, volume=as_volume(stack), _made={})
    (one,) = run(HeadDensity(), ctx)
    assert one.refusal is not None
    assert one.refusal.code == RefusalCode.WRONG_REGION
    assert run(HeadDensity(), replace(ctx, body_region="", _made={})) == ()


@pytest.mark.parametrize("tilted", [False, True])
def test_ventricles_and_fluid_have_their_volume(tilted: bool) -> None:
    cyst = Blood((-38.0, -20.0, -10.0), (9.0, 16.0, 14.0), hu=8.0)
    phantom = with_lesions(cyst, calcium=False, falx=False, sinus=False)
    ctx, _ = measured(phantom, tilted)
    total, right, left = run(HeadFluid(), ctx)
    assert (right.side, left.side) == (Side.RIGHT, Side.LEFT)
    for item, truth in (
        (right, phantom.ventricle_ml),
        (left, phantom.ventricle_ml),
        (total, 2 * phantom.ventricle_ml + cyst.ml),
    ):
        volume = item.value("fluid_ml")
        assert volume.uncertainty is not None
        assert volume.value == pytest.approx(truth, abs=volume.uncertainty)


def test_the_plane_between_the_halves_follows_a_turned_head() -> None:
    ctx, _ = measured(HeadPhantom())
    made = ctx._made["head"]
    plane = midplane_of(made.cavity.mask, made.slices)  # type: ignore[attr-defined]
    assert plane.middle == pytest.approx(0.0, abs=1.0)
    assert plane.degrees == pytest.approx(0.0, abs=1.0)


def _points(ctx: MeasureContext, *places: tuple[float, float, float]) -> dict[str, Region]:
    """Return points of the patient (LPS mm) as clicks on the image at their height."""
    clicks = {}
    for role, place in zip((FALX_FRONT, FALX_BACK, SEPTUM), places, strict=True):
        plane_of = [ctx.series.plane_of(frame) for frame in ctx.stack.frames]
        heights = [
            abs(float(np.dot(place, plane.normal)) - plane.offset) for plane in plane_of if plane
        ]
        index = int(np.argmin(heights))
        plane = plane_of[index]
        assert plane is not None
        column, row = plane.patient_to_pixel(np.array([place]))[0]
        clicks[role] = Region(
            shape=Shape.POINT,
            series_instance_uid=ctx.series.series_instance_uid,
            sop_instance_uid=ctx.series.instances[index].sop_instance_uid,
            points=((float(column), float(row)),),
        )
    return clicks


@pytest.mark.parametrize(("shift", "side"), [(6.0, Side.LEFT), (-4.5, Side.RIGHT), (0.4, Side.UNKNOWN)])
def test_midline_shift_from_three_points(shift: float, side: Side) -> None:
    ctx, _ = measured(HeadPhantom())
    inputs = _points(ctx, (0.0, -80.0, 7.5), (0.0, 80.0, 7.5), (shift, -15.0, 7.5))
    (one,) = run(MidlineShift(), replace(ctx, inputs=inputs))
    value = one.value("shift")
    assert value.value == pytest.approx(abs(shift), abs=1e-6)
    assert value.uncertainty == pytest.approx(COARSE_MM * 1.23, abs=0.02)
    assert one.side is side
    assert one.report_default is ReportDefault.SENTENCE


def test_midline_shift_of_a_turned_head_in_millimetres() -> None:
    ctx, _ = measured(HeadPhantom())
    turn = np.radians(12.0)
    across, along = (
        np.array([np.cos(turn), np.sin(turn), 0.0]),
        np.array([-np.sin(turn), np.cos(turn), 0.0]),
    )
    places = (-80.0 * along, 80.0 * along, 5.0 * across + 4.0 * along)
    inputs = {
        role: Region(
            shape=Shape.POINT,
            space=Space.PATIENT,
            series_instance_uid="1.2.3",
            frame_of_reference_uid=ctx.series.frame_of_reference_uid,
            points=(tuple(float(part) for part in place),),
        )
        for role, place in zip((FALX_FRONT, FALX_BACK, SEPTUM), places, strict=True)
    }
    (one,) = run(MidlineShift(), replace(ctx, inputs=inputs))
    assert one.value("shift").value == pytest.approx(5.0, abs=1e-6)
    assert one.side is Side.LEFT


@pytest.mark.parametrize(
    ("places", "code"),
    [
        (((0.0, -20.0, 7.5), (0.0, 20.0, 7.5), (3.0, 0.0, 7.5)), RefusalCode.UNCERTAIN),
        (((0.0, -80.0, 7.5), (0.0, 80.0, 47.5), (3.0, 0.0, 7.5)), RefusalCode.UNCERTAIN),
        (((0.0, -80.0, 7.5), (0.0, 20.0, 7.5), (3.0, 60.0, 7.5)), RefusalCode.UNCERTAIN),
        (((-60.0, 0.0, 7.5), (60.0, 0.0, 7.5), (0.0, 5.0, 7.5)), RefusalCode.GEOMETRY),
    ],
)
def test_points_that_make_no_midline_refuse(
    places: tuple[tuple[float, float, float], ...], code: RefusalCode
) -> None:
    ctx, _ = measured(HeadPhantom())
    (one,) = run(MidlineShift(), replace(ctx, inputs=_points(ctx, *places)))
    assert one.refusal is not None
    assert one.refusal.code == code


def test_midline_shift_is_never_automatic() -> None:
    ctx, _ = measured(HeadPhantom())
    named = {item.source.name for item in collect(ctx, (MidlineShift(),)).ledger.evidence}
    assert named == set()


@pytest.mark.shared
def test_a_real_tilted_head_has_few_candidates_and_plausible_fluid(shared_data: Path) -> None:
    with Reader() as reader:
        study = reader.index([shared_data / "ct" / "head_GE_gantry_tilt_variable_spacing"]).studies[0]
        with reader.open(study.series[0]) as opened:
            ctx = MeasureContext(
                study=study,
                series=opened.stack.series,
                stack=opened.stack,
                volume=as_volume(opened.stack),
                body_region="head",
            )
            found = run(HeadDensity(), ctx)
            fluid = run(HeadFluid(), ctx)
    assert len(candidates(found)) <= 5
    search = found[-1].search
    assert search is not None
    assert not search.complete
    assert 50 < fluid[0].value("fluid_ml").value < 300
