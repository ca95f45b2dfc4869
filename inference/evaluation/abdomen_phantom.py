"""An analytic abdomen with exact truth, and a table of what the tools of abdominal CT make of it.

Ellipses and ellipsoids in LPS mm (+x left, +y back, +z head): areas and volumes are formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.analytic_study import coordinates, drawn_on, point_mm, volume_context
from inference.evidence.abdomen import TOOLS
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext, Tool
from reports.domain import Evidence, EvidenceKind
from viewer.imaging.regions import Region

FloatArray = npt.NDArray[np.float64]
Place = tuple[float, float, float]

SPACING = (3.0, 1.5, 1.5)
SHAPE = (60, 180, 250)
SEED = 20261121
AIR, FAT, MUSCLE, KIDNEY, MARROW, CORTEX = -1000.0, -100.0, 50.0, 30.0, 180.0, 600.0
LIVER_HU, SPLEEN_HU = 38.0, 52.0

SKIN = (168.0, 118.0)
FASCIA = (145.0, 95.0)
CAVITY_CENTRE, CAVITY = (0.0, -15.0), (125.0, 70.0)
VERTEBRA_CENTRE, VERTEBRA_MM, CORTEX_MM = (0.0, 76.0), 18.0, 3.0
LEVEL_MM = -79.5
"""Height of the image that stands for L3: below liver, spleen and kidney."""

LIVER = ((-60.0, -10.0, 20.0), (50.0, 45.0, 55.0))
SPLEEN = ((80.0, 0.0, 20.0), (30.0, 35.0, 45.0))
LEFT_KIDNEY = ((60.0, 10.0, -50.0), (22.0, 22.0, 24.0))
BOWEL_CENTRE, BOWEL_MM, BOWEL_WALL_MM = (-30.0, -45.0, -60.0), 14.0, 3.0
FREE_AIR_MM, FREE_AIR_SPAN = 8.0, (-9.0, 9.0)


@dataclass(frozen=True)
class Abdomen:
    """What is in the phantom besides its body.

    Parameters
    ----------
    stone
        Diameter of a stone in the left kidney, mm; 0 for none.
    """

    liver_hu: float = LIVER_HU
    spleen_hu: float = SPLEEN_HU
    stone: float = 0.0
    stone_hu: float = 900.0
    free_air: bool = False
    noise: float = 0.0


def _ellipse(
    x: FloatArray, y: FloatArray, centre: tuple[float, ...], radii: tuple[float, ...]
) -> FloatArray:
    found: FloatArray = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    return found


def _solid(grid: tuple[FloatArray, FloatArray, FloatArray], body: tuple[Place, Place]) -> FloatArray:
    """Return the share of each voxel inside an ellipsoid, with an edge of a voxel."""
    centre, radii = body
    ratio = np.sqrt(sum(((at - c) / r) ** 2 for at, c, r in zip(grid, centre, radii, strict=True)))
    share: FloatArray = np.clip((1.0 - ratio) * min(radii) / SPACING[2] + 0.5, 0.0, 1.0)
    return share


def hounsfield(case: Abdomen) -> npt.NDArray[np.int16]:
    """Return the phantom, (slice, row, column) HU, first slice at the feet."""
    x, y, z = grid = coordinates(SHAPE, SPACING)
    hu = np.full(SHAPE, AIR)
    whole = np.zeros(SHAPE, dtype=bool)
    hu[whole | (_ellipse(x, y, (0.0, 0.0), (SKIN[0] + 2.0, SKIN[1] + 2.0)) < 1.0)] = 20.0
    hu[whole | (_ellipse(x, y, (0.0, 0.0), SKIN) < 1.0)] = FAT
    hu[whole | (_ellipse(x, y, (0.0, 0.0), FASCIA) < 1.0)] = MUSCLE
    cavity = _ellipse(x, y, CAVITY_CENTRE, CAVITY) < 1.0
    hu[whole | cavity] = FAT
    bone = np.hypot(x - VERTEBRA_CENTRE[0], y - VERTEBRA_CENTRE[1])
    hu[whole | (bone < VERTEBRA_MM)] = CORTEX
    hu[whole | (bone < VERTEBRA_MM - CORTEX_MM)] = MARROW
    for body, level in ((LIVER, case.liver_hu), (SPLEEN, case.spleen_hu), (LEFT_KIDNEY, KIDNEY)):
        hu += _solid(grid, body) * (level - hu)
    for size, level in ((BOWEL_MM + BOWEL_WALL_MM, 40.0), (BOWEL_MM, AIR)):
        hu += _solid(grid, (BOWEL_CENTRE, (size, size, size))) * (level - hu)
    if case.free_air:
        low, high = FREE_AIR_SPAN
        top = CAVITY_CENTRE[1] - CAVITY[1] + FREE_AIR_MM
        hu[cavity & (y < top) & (z > low) & (z < high)] = AIR
    if case.stone:
        half = case.stone / 2.0
        hu += _solid(grid, (LEFT_KIDNEY[0], (half, half, half))) * (case.stone_hu - hu)
    if case.noise:
        hu += np.random.default_rng(SEED).normal(0.0, case.noise, SHAPE)
    return np.asarray(np.rint(hu).clip(-1024, 3000), dtype=np.int16)


def context(case: Abdomen, *, inputs: dict[str, Region] | None = None, **header: Any) -> MeasureContext:
    """Wrap a phantom as a CT series of the abdomen."""
    return volume_context(hounsfield(case), SPACING, modality="CT", inputs=inputs, **header)


def pixel(place: tuple[float, float]) -> tuple[float, float]:
    """Return (column, row) of an LPS place on any image."""
    return place[0] / SPACING[2] + (SHAPE[2] - 1) / 2.0, place[1] / SPACING[1] + (SHAPE[1] - 1) / 2.0


def slice_at(z: float) -> int:
    """Return the image nearest to a height, mm."""
    return round(z / SPACING[0] + (SHAPE[0] - 1) / 2.0)


def ring(centre: tuple[float, float], radii: tuple[float, float], z: float) -> Region:
    """Return a drawn ellipse, as a polygon, on the image at a height."""
    angles = np.linspace(0.0, 2.0 * math.pi, 180, endpoint=False)
    points = [
        pixel((centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a))) for a in angles
    ]
    return drawn_on(slice_at(z), points)


def organ_inputs() -> dict[str, Region]:
    """Return the clicks into liver and spleen."""
    return {"liver": point_mm(LIVER[0]), "spleen": point_mm(SPLEEN[0])}


def level_inputs(*, with_cavity: bool = True) -> dict[str, Region]:
    """Return the level of L3, and the drawn inner border of the abdominal wall."""
    given = {"l3": drawn_on(slice_at(LEVEL_MM), [pixel((0.0, 0.0))])}
    if with_cavity:
        given["abdominal_cavity"] = ring(CAVITY_CENTRE, CAVITY, LEVEL_MM)
    return given


def stone_inputs() -> dict[str, Region]:
    """Return the outline of the left kidney."""
    (x, y, z), (a, b, _) = LEFT_KIDNEY
    return {"urinary_tract": ring((x, y), (a + 4.0, b + 4.0), z)}


def areas_cm2() -> dict[str, float]:
    """Return the true areas at the level."""
    ellipses = {name: math.pi * r[0] * r[1] / 100.0 for name, r in (
        ("skin", SKIN), ("fascia", FASCIA), ("cavity", CAVITY),
    )}  # fmt: skip
    return {
        "subcutaneous_fat": ellipses["skin"] - ellipses["fascia"],
        "visceral_fat": ellipses["cavity"],
        "muscle_area": ellipses["fascia"] - ellipses["cavity"] - math.pi * VERTEBRA_MM**2 / 100.0,
    }


def measured(name: str, ctx: MeasureContext) -> tuple[Evidence, ...]:
    """Run one tool of the abdomen by its name."""
    tool: Tool = next(one for one in TOOLS if one.name == name)
    return tool.measure(ctx, IdSource(), MaskStore())


def table() -> tuple[dict[str, object], ...]:
    """Return what the tools measure: area, measure, case, truth, found, error_percent, note."""
    rows: list[dict[str, object]] = []
    fatty = context(Abdomen(noise=15.0), inputs=organ_inputs())
    (difference,) = measured("ct-liver-spleen", fatty)
    for name, truth in (
        ("liver_density", LIVER_HU),
        ("spleen_density", SPLEEN_HU),
        ("density_difference", LIVER_HU - SPLEEN_HU),
    ):
        rows.append(_row(name, "15 HU noise", truth, difference))
    (body,) = measured("ct-body-composition", context(Abdomen(), inputs=level_inputs()))
    (alone,) = measured(
        "ct-body-composition", context(Abdomen(), inputs=level_inputs(with_cavity=False))
    )
    for name, truth in areas_cm2().items():
        rows.append(_row(name, "level and drawn cavity", truth, body))
        if name != "muscle_area":
            rows.append(_row(name, "level only", truth, alone))
    for size in (4.0, 6.0, 9.0, 15.0):
        found = measured("ct-stones", context(Abdomen(stone=size, noise=12.0), inputs=stone_inputs()))
        stones = [one for one in found if one.kind is EvidenceKind.CANDIDATE]
        first = stones[0] if stones else None
        case = f"{size:g} mm stone"
        rows.append(_plain("candidates", case, 1.0, float(len(stones))))
        rows.append(_row("long", case, size, first))
        rows.append(_row("stone_volume", case, math.pi / 6.0 * size**3, first))
    for has_air, words in ((True, "free air under the wall, and bowel"), (False, "bowel only")):
        found = measured("ct-free-air", context(Abdomen(free_air=has_air)))
        count = sum(one.kind is EvidenceKind.CANDIDATE for one in found)
        rows.append(_plain("free air candidates", words, float(has_air), float(count)))
    return tuple(rows)


def _row(name: str, case: str, truth: float, evidence: Evidence | None) -> dict[str, object]:
    values = {} if evidence is None else {value.name: value for value in evidence.values}
    if name not in values:
        return {**_plain(name, case, truth, None), "note": "not given"}
    value = values[name]
    covered = value.uncertainty is None or abs(value.value - truth) <= value.uncertainty
    return {
        **_plain(name, case, truth, value.value),
        "note": "" if covered else "outside the stated uncertainty",
    }


def _plain(name: str, case: str, truth: float, found: float | None) -> dict[str, object]:
    error = None if found is None or not truth else 100.0 * (found - truth) / abs(truth)
    return {
        "area": "abdomen",
        "measure": name,
        "case": case,
        "truth": truth,
        "found": found,
        "error_percent": error,
        "note": "",
    }
