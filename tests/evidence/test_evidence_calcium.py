"""Agatston score: plaques of known area, peak and slices; what is not measured and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from analytic_chest import Chest, make_context, with_stored

from inference.evidence.chest.calcium import BOTTOM, HEART, TOP, CtCalcium
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, RefusalCode, fits
from reports.domain import Evidence, ReportDefault
from viewer.imaging.regions import Region, Shape

SHAPE = (20, 60, 60)


def drawn(ctx: MeasureContext, shape: Shape, plane: int, *points: tuple[float, float]) -> Region:
    return Region(
        shape=shape,
        series_instance_uid=ctx.series.series_instance_uid,
        sop_instance_uid=ctx.series.instances[plane].sop_instance_uid,
        points=points,
    )


def heart(slice_mm: float = 3.0, plaques: bool = True) -> MeasureContext:
    """Return soft tissue with plaques in pixels of 0.5 mm; a square of it is drawn as the heart."""
    ctx = make_context(Chest(), spacing=(slice_mm, 0.5, 0.5), shape=SHAPE)
    stored = np.full(SHAPE, 40, dtype=np.int16)
    if plaques:
        stored[5, 20:24, 20:24] = 150  # 4 mm2, weight 1
        stored[6, 20:24, 20:24] = 200  # 4 mm2, weight 2
        stored[7, 20:22, 20:22] = 300  # 1 mm2, weight 3
        stored[8, 20:24, 20:24] = 140
        stored[8, 21, 21] = 450  # 4 mm2, weight 4 by its one peak
        stored[9, 30, 30:33] = 900  # 0.75 mm2: too small
        stored[10, 30:34, 30:34] = 130  # not over the threshold
        stored[11, 2:8, 2:8] = 900  # bone outside the outline
        stored[2, 20:24, 20:24] = 500  # outside the levels
        stored[18, 20:24, 20:24] = 500
    ctx = with_stored(ctx, stored)
    square = ((15.0, 15.0), (45.0, 15.0), (45.0, 45.0), (15.0, 45.0))
    return replace(
        ctx,
        inputs={
            HEART: drawn(ctx, Shape.POLYGON, 8, *square),
            TOP: drawn(ctx, Shape.POINT, 15, (10.0, 10.0)),
            BOTTOM: drawn(ctx, Shape.POINT, 4, (10.0, 10.0)),
        },
    )


def measured(ctx: MeasureContext) -> Evidence:
    (found,) = CtCalcium().measure(ctx, IdSource(), MaskStore())
    return found


@pytest.mark.parametrize("slice_mm", [3.0, 2.5])
def test_the_score_is_area_times_weight_scaled_to_three_millimetres(slice_mm: float) -> None:
    found = measured(heart(slice_mm))
    assert found.refusal is None
    score = found.value("agatston")
    assert score.value == pytest.approx((4 * 1 + 4 * 2 + 1 * 3 + 4 * 4) * slice_mm / 3.0)
    # At 120 HU the body of 130 HU counts too: 4 more; at 140 HU only the peak of the body of 140 HU
    # is left, which is too small: 16 less.
    assert score.uncertainty == pytest.approx((4 + 16) / 2 * slice_mm / 3.0)
    assert found.value("calcium_volume").value == pytest.approx(13.0 * slice_mm)
    assert found.report_default is ReportDefault.LEDGER_ONLY
    assert any("not known to be gated" in warning for warning in found.warnings)


def test_a_heart_without_calcium_scores_nothing_and_keeps_what_was_drawn() -> None:
    ctx = heart(plaques=False)
    found = measured(ctx)
    assert found.value("agatston").value == 0.0
    assert found.regions == (ctx.inputs[HEART],)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"contrast_agent": "IOMERON"}, RefusalCode.WRONG_PHASE),
        ({"description": "CTA thorax"}, RefusalCode.WRONG_PHASE),
    ],
)
def test_contrast_is_refused(change: dict[str, str], code: RefusalCode) -> None:
    ctx = heart()
    found = measured(replace(ctx, series=ctx.series.model_copy(update=change)))
    assert found.refusal is not None and found.refusal.code == code


def test_enhanced_vessels_thin_slices_and_a_heart_beside_its_levels_are_refused() -> None:
    for ctx, code in (
        (replace(heart(), enhanced=True), RefusalCode.WRONG_PHASE),
        (heart(1.0), RefusalCode.GEOMETRY),
        (heart(5.0), RefusalCode.GEOMETRY),
    ):
        found = measured(ctx)
        assert found.refusal is not None and found.refusal.code == code
    ctx = heart()
    low = drawn(ctx, Shape.POINT, 12, (10.0, 10.0))
    found = measured(replace(ctx, inputs={**ctx.inputs, BOTTOM: low}))
    assert found.refusal is not None and found.refusal.code == RefusalCode.OUTSIDE_IMAGE
    assert not fits(CtCalcium(), replace(ctx, inputs={}))
