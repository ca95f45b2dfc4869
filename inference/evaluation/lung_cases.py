"""Lung masks against truth on hard chests: wall tumour, consolidation, hilar mass, effusion, emphysema.

`table` measures the mask of `ct-lungs` and the plain threshold recipe (below -400 HU, air that touches
the border dropped, two largest bodies) on the same synthetic scans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inference.evaluation.phantom_scan import Lesion, Look, Scan, scan
from inference.evaluation.phantom_shapes import FloatArray, Grid, Point, ellipsoid, union

BoolArray = npt.NDArray[np.bool_]


def _bulk(centre: Point, radii: Point, hu: float = 40.0) -> Lesion:
    return Lesion(lambda grid: ellipsoid(grid, centre, radii), hu)


def _consolidation(grid: Grid) -> FloatArray:
    """Most of a lower lobe segment with air bronchograms: a dense body with holes."""
    body = ellipsoid(grid, (-72.0, 48.0, 140.0), (38.0, 34.0, 30.0))
    holes = union(
        *(
            np.hypot(grid.x + np.float32(60.0 + 9.0 * k), grid.z - np.float32(130.0 + 7.0 * k)) - 1.8
            for k in range(3)
        )
    )
    hollow: FloatArray = np.maximum(body, -holes).astype(np.float32)
    return hollow


def _effusion(grid: Grid) -> FloatArray:
    """Fluid behind the right lung: below a level that rises towards the wall."""
    level = 48.0 - 0.05 * np.abs(grid.x + 70.0) + 0.16 * np.maximum(grid.z - 120.0, 0.0)
    behind = level - grid.y
    fluid: FloatArray = np.maximum(behind, grid.x).astype(np.float32) + np.zeros_like(grid.z)
    return fluid


@dataclass(frozen=True)
class Case:
    """A hard chest by name."""

    name: str
    lesions: tuple[Lesion, ...] = ()
    look: Look = field(default_factory=Look)


CASES: tuple[Case, ...] = (
    Case("healthy"),
    Case("wall tumour 45 mm", (_bulk((108.0, 20.0, 190.0), (26.0, 24.0, 22.0)),)),
    Case(
        "tumour from hilum to wall",
        (_bulk((78.0, 4.0, 160.0), (52.0, 22.0, 24.0)),),
    ),
    Case("juxtapleural nodules", tuple(
        _bulk(centre, (radius, radius, radius))
        for centre, radius in (
            ((-114.0, -20.0, 150.0), 8.0), ((-60.0, -76.0, 190.0), 6.0),
            ((104.0, 40.0, 130.0), 10.0), ((60.0, 82.0, 180.0), 7.0),
        )
    )),
    Case("consolidation", (Lesion(_consolidation, 35.0),)),
    Case("hilar mass", (_bulk((-48.0, 14.0, 158.0), (20.0, 20.0, 20.0)),)),
    Case("effusion", (Lesion(_effusion, 12.0, lung=False),)),
    Case("emphysema, low dose", (), Look(lung_shift_hu=-75.0, noise_hu=60.0, seed=3)),
    Case("fibrosis, 30 HU noise", (), Look(lung_shift_hu=160.0, noise_hu=30.0, seed=4)),
)  # fmt: skip


def made(case: Case, spacing: tuple[float, float, float] = (2.5, 1.2, 1.2)) -> Scan:
    """Return the scan of a case."""
    return scan(spacing, lesions=case.lesions, look=case.look)


def dice(one: BoolArray, other: BoolArray) -> float:
    """Return the overlap of two masks, 0..1."""
    both = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2.0 * int(np.count_nonzero(one & other)) / both if both else 1.0


def plain(hu: npt.NDArray[np.int16]) -> BoolArray:
    """Return the plain recipe's lungs: below -400 HU, not touching the border, two largest bodies."""
    from scipy import ndimage

    labels, count = ndimage.label(hu < -400)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        sizes[np.unique(edge)] = 0
    sizes[0] = 0
    kept = np.argsort(sizes)[::-1][:2]
    return np.isin(labels, kept[sizes[kept] > 0])


@dataclass(frozen=True)
class Row:
    """Dice of both lungs together, and of each side; the sides are exact by truth."""

    case: str
    plain: float
    ours: float
    right: float
    left: float


def measured(case: Case) -> Row:
    """Return the figures of a case."""
    from inference.evidence.lung_mask import segment_lungs

    made_scan = made(case)
    truth = made_scan.right | made_scan.left
    lungs = segment_lungs(made_scan.hu, made_scan.affine, made_scan.spacing)
    return Row(
        case=case.name,
        plain=dice(plain(made_scan.hu), truth),
        ours=dice(lungs.right | lungs.left, truth),
        right=dice(lungs.right, made_scan.right),
        left=dice(lungs.left, made_scan.left),
    )


def table(cases: Sequence[Case] = CASES) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table of lung masks, as text."""
    rows = [measured(case) for case in cases]
    return (
        ["case", "plain threshold, Dice", "ct-lungs, Dice", "right", "left"],
        [[row.case, *(f"{v:.3f}" for v in (row.plain, row.ours, row.right, row.left))] for row in rows],
    )
