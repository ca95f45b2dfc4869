"""Lungs with dense lesions: masks against the truth of synthetic chests and the plain recipe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inference.evaluation.lung_cases import dice, plain
from inference.evaluation.phantom_scan import Scan
from inference.evidence.lung_mask import Lungs

LungCase = Callable[[str, tuple[float, float, float]], tuple[Scan, Lungs]]

SPACING = (5.0, 2.0, 2.0)


@pytest.mark.parametrize(
    "name",
    [
        "wall tumour 45 mm",
        "tumour from hilum to wall",
        "consolidation",
        "effusion",
        "emphysema, low dose",
    ],
)
def test_masks_reach_the_goal_where_the_plain_recipe_falls_behind(
    name: str, lung_case: LungCase
) -> None:
    scan, lungs = lung_case(name, SPACING)
    assert dice(lungs.right, scan.right) > 0.975
    assert dice(lungs.left, scan.left) > 0.975
    truth = scan.right | scan.left
    assert dice(lungs.right | lungs.left, truth) > dice(plain(scan.hu), truth) + 0.01


def test_fluid_stays_out_and_consolidation_comes_in(lung_case: LungCase) -> None:
    scan, lungs = lung_case("effusion", SPACING)
    assert np.count_nonzero(lungs.right & scan.beside) < 0.1 * np.count_nonzero(scan.beside)
    healthy, _ = lung_case("healthy", SPACING)
    scan, lungs = lung_case("consolidation", SPACING)
    dense = (healthy.hu < -500) & (scan.hu > -50) & scan.right
    assert np.count_nonzero(lungs.right & dense) > 0.85 * np.count_nonzero(dense)
