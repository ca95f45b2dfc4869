"""Lungs with dense lesions: masks against the truth of synthetic chests, and against the plain recipe."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.lung_cases import CASES, Case, dice, made, plain
from inference.evaluation.phantom_scan import Scan
from inference.evidence.lung_mask import Lungs, segment_lungs

SPACING = (5.0, 2.0, 2.0)


def found(case: Case) -> tuple[Scan, Lungs]:
    scan = made(case, SPACING)
    return scan, segment_lungs(scan.hu, scan.affine, scan.spacing)


@pytest.mark.parametrize(
    "name",
    ["wall tumour 45 mm", "tumour from hilum to wall", "consolidation", "effusion", "emphysema, low dose"],
)
def test_masks_reach_the_goal_where_the_plain_recipe_falls_behind(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    scan, lungs = found(case)
    assert dice(lungs.right, scan.right) > 0.975
    assert dice(lungs.left, scan.left) > 0.975
    truth = scan.right | scan.left
    assert dice(lungs.right | lungs.left, truth) > dice(plain(scan.hu), truth) + 0.01


def test_fluid_stays_out_and_consolidation_comes_in() -> None:
    by_name = {case.name: case for case in CASES}
    scan, lungs = found(by_name["effusion"])
    assert np.count_nonzero(lungs.right & scan.beside) < 0.1 * np.count_nonzero(scan.beside)
    healthy, _ = found(by_name["healthy"])
    scan, lungs = found(by_name["consolidation"])
    dense = (healthy.hu < -500) & (scan.hu > -50) & scan.right
    assert np.count_nonzero(lungs.right & dense) > 0.85 * np.count_nonzero(dense)
