"""Opacity and effusion candidates on synthetic chests with known lesions; nothing in a healthy one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from inference.evaluation.phantom_scan import Scan
from inference.evidence.chest.opacities import CtEffusion, CtOpacities
from inference.evidence.chest.scene import Scene
from inference.evidence.lung_mask import Lungs
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import canonical
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import Evidence, EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study
from viewer.imaging.volume import as_volume

LungCase = Callable[[str, tuple[float, float, float]], tuple[Scan, Lungs]]

SPACING = (4.0, 1.6, 1.6)


def candidates(found: tuple[Evidence, ...]) -> list[Evidence]:
    return [one for one in found if one.kind is EvidenceKind.CANDIDATE]


@pytest.fixture(scope="module")
def sample_context(sample: tuple[Study, OpenStack]) -> MeasureContext:
    study, opened = sample
    stack = opened.stack
    series = stack.series.model_copy(update={"patient_position": "HFS"})
    return MeasureContext(study=study, series=series, stack=stack, volume=as_volume(stack))


def with_case(ctx: MeasureContext, case: tuple[Scan, Lungs]) -> tuple[MeasureContext, float]:
    """Return a context whose chest is that of a case, and what lies beside its lungs in mL."""
    scan, lungs = case
    volume = SimpleNamespace(voxel_volume_ml=scan.voxel_ml, unit="[hnsf'U]")
    lie = canonical(scan.affine)
    chest = Scene(
        volume=volume,  # type: ignore[arg-type]
        lie=lie,
        hu=scan.hu,
        right=lungs.right,
        left=lungs.left,
        spacing=scan.spacing,
        lungs=lungs,
    )
    return replace(ctx, _made={"chest": chest}), float(scan.beside.sum()) * scan.voxel_ml


def test_consolidation_and_tumour_are_candidates_on_their_side(
    sample_context: MeasureContext, lung_case: LungCase
) -> None:
    for name, side, least in (
        ("consolidation", Side.RIGHT, 120.0),
        ("tumour from hilum to wall", Side.LEFT, 80.0),
    ):
        ctx, _ = with_case(sample_context, lung_case(name, SPACING))
        found = CtOpacities().measure(ctx, IdSource(), MaskStore())
        first = candidates(found)[0]
        assert first.side is side
        assert first.value("opacity_volume").value > least
        assert first.value("mean_density").value > -200
        assert first.report_default is ReportDefault.LEDGER_ONLY
        assert found[-1].search is not None and not found[-1].search.complete


def test_a_healthy_chest_gives_no_candidates(
    sample_context: MeasureContext, lung_case: LungCase
) -> None:
    ctx, _ = with_case(sample_context, lung_case("healthy", SPACING))
    for tool in (CtOpacities(), CtEffusion()):
        found = tool.measure(ctx, IdSource(), MaskStore())
        assert candidates(found) == []
        assert found[-1].search is not None
        assert found[-1].search.result is SearchResult.NONE


def test_fluid_behind_the_lung_is_a_candidate_and_a_lower_bound(
    sample_context: MeasureContext, lung_case: LungCase
) -> None:
    ctx, truth = with_case(sample_context, lung_case("effusion", SPACING))
    first = candidates(CtEffusion().measure(ctx, IdSource(), MaskStore()))[0]
    assert first.side is Side.RIGHT
    assert 0.4 * truth < first.value("effusion_volume").value < 1.05 * truth
    assert first.value("mean_density").value == pytest.approx(12.0, abs=8.0)
    assert "lower bound" in first.warnings[0]


def test_fluid_is_not_looked_for_when_the_patient_does_not_lie_on_the_back(
    sample_context: MeasureContext,
) -> None:
    series = sample_context.series.model_copy(update={"patient_position": "HFP"})
    found = CtEffusion().measure(replace(sample_context, series=series), IdSource(), MaskStore())
    assert found[0].refusal is not None and found[0].refusal.code == "uncertain"


def test_masks_of_opacities_lie_in_the_lungs(sample_context: MeasureContext) -> None:
    masks = MaskStore()
    found = candidates(CtOpacities().measure(sample_context, IdSource(), masks))
    for one in found:
        mask = masks.get(str(one.regions[1].mask_sha256))
        volume = np.count_nonzero(mask) * 0.95 * 0.95 * 5.0 / 1000.0
        assert volume == pytest.approx(one.value("opacity_volume").value, rel=0.15, abs=1.0)
