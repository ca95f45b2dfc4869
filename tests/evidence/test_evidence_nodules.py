"""Nodule candidates: found where balls were laid, measured within a voxel, told from vessels."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.nodules import Base, froc, synthetic
from inference.evaluation.phantom_scan import Look, lay_ball, scanned
from inference.evaluation.phantom_shapes import Ball
from inference.evidence.chest.blobs import blobs
from inference.evidence.chest.nodule_size import Size, measured
from inference.evidence.chest.nodules import SENSITIVITY, CtNodules, sensitivity_at
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import EvidenceKind, ReportDefault, SearchResult, Side
from viewer.imaging.reader import OpenStack
from viewer.imaging.study import Study
from viewer.imaging.volume import as_volume

Triple = tuple[float, float, float]


def lone_ball(diameter: float, spacing: Triple, *, off: float = 0.3) -> tuple[Size | None, float]:
    """Return the measured size of one ball in lung, and its volume."""
    shape = tuple(int((diameter + 30) / step) for step in spacing)
    hu = np.full(shape, -860.0, dtype=np.float32)
    middle = [(size / 2 + off) * step for size, step in zip(shape, spacing, strict=True)]
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    lay_ball(hu, Ball((middle[2], middle[1], middle[0]), diameter / 2, 30.0), affine, spacing)
    seen = scanned(hu, spacing, Look(blur_mm=(0.6, 0.65, 0.65), noise_hu=12.0))
    place = tuple(size / 2 + off for size in shape)
    found = measured(seen, np.ones(shape, dtype=bool), place, 0.9 * diameter, spacing)  # type: ignore[arg-type]
    return found, float(np.pi / 6 * diameter**3)


@pytest.mark.parametrize("spacing", [(1.0, 0.7, 0.7), (2.0, 0.8, 0.8), (3.0, 0.9, 0.9)])
@pytest.mark.parametrize("slices", [3.5, 5.0, 8.0])
def test_diameter_within_a_voxel_and_volume_within_three_percent(
    spacing: Triple, slices: float
) -> None:
    diameter = max(6.0, slices * spacing[0])
    size, truth = lone_ball(diameter, spacing)
    assert size is not None
    assert size.diameters.longest == pytest.approx(diameter, abs=max(spacing[1:]))
    assert size.diameters.perpendicular == pytest.approx(diameter, abs=max(spacing[1:]))
    assert size.volume_mm3 == pytest.approx(truth, rel=0.03)


@pytest.mark.parametrize("diameter", [4.0, 5.0, 6.0, 8.0])
@pytest.mark.parametrize("off", [0.0, 0.25, 0.5])
def test_the_stated_uncertainty_covers_small_balls_in_thick_slices(diameter: float, off: float) -> None:
    size, truth = lone_ball(diameter, (3.0, 0.9, 0.9), off=off)
    assert size is not None
    assert size.volume_mm3 == pytest.approx(truth, abs=size.volume_uncertainty_mm3)


def test_a_ball_ranks_before_tubes_and_plates() -> None:
    spacing = (1.5, 1.0, 1.0)
    hu = np.full((50, 80, 80), -860.0, dtype=np.float32)
    hu[:, 18:23, 18:23] = 40.0  # a tube along the body
    hu[22:25, :, 55:58] = 40.0  # a tube across
    hu[10:12, 30:, :] = 0.0  # a plate
    lay_ball(hu, Ball((40.0, 50.0, 52.0), 4.0, 30.0), np.diag([1.0, 1.0, 1.5, 1.0]), spacing)
    seen = scanned(hu, spacing, Look(noise_hu=15.0))
    found = blobs(seen, np.ones(seen.shape, dtype=bool), spacing)
    best = np.array(found[0].peak.place) * spacing
    assert np.linalg.norm(best - (52.0, 50.0, 40.0)) < 2.0
    assert found[0].peak.diameter_mm == pytest.approx(8.0, abs=2.6)
    assert len(found) == 1 or found[0].score > found[1].score + 2.0


def test_the_nodule_of_the_sample_is_the_first_candidate(
    sample: tuple[Study, OpenStack], sample_truth: dict[str, dict[str, float]]
) -> None:
    study, opened = sample
    stack = opened.stack
    ctx = MeasureContext(study=study, series=stack.series, stack=stack, volume=as_volume(stack))
    masks = MaskStore()
    *candidates, search = CtNodules().measure(ctx, IdSource(), masks)
    first, truth = candidates[0], sample_truth["nodule"]
    assert first.kind is EvidenceKind.CANDIDATE
    assert first.report_default is ReportDefault.LEDGER_ONLY
    assert first.label == "Nodule candidate 1"
    assert first.side is Side.RIGHT
    for name in ("long", "short", "mean_diameter"):
        assert first.value(name).value == pytest.approx(truth["diameter_mm"], abs=0.95)
    assert first.value("nodule_volume").value == pytest.approx(truth["volume_mm3"], rel=0.03)
    assert first.regions[0].sop_instance_uid == truth["sop_instance_uid"]
    mask = masks.get(str(first.regions[1].mask_sha256))
    assert mask.sum() * 0.95 * 0.95 * 5.0 == pytest.approx(truth["volume_mm3"], rel=0.15)
    assert search.kind is EvidenceKind.SEARCH and search.search is not None
    assert search.search.result is SearchResult.CANDIDATES
    assert search.search.candidates == tuple(one.id for one in candidates)
    # Slices of 5 mm are too thick for a complete search, whatever it finds.
    assert not search.search.complete and not search.search.accepted
    assert search.search.sensitivity is None and search.search.sensitivity_on == ""


@pytest.mark.parametrize(
    ("slice_mm", "known"), [(0.6, False), (1.0, True), (2.5, True), (3.0, True), (3.3, False)]
)
def test_a_sensitivity_is_stated_only_for_slices_it_was_measured_on(
    slice_mm: float, known: bool
) -> None:
    assert (sensitivity_at(slice_mm) is not None) is known


@pytest.fixture(scope="module")
def thin() -> Base:
    return synthetic((2.0, 1.1, 1.1))


def test_most_balls_are_found_at_eight_false_candidates(thin: Base) -> None:
    found = froc([thin], seeds=(0, 1))
    assert found.sensitivity(8) >= max(0.9, SENSITIVITY)
    assert found.sensitivity(8, (8.0, 30.0)) >= 0.95
