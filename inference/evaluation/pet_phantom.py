"""An analytic PET phantom with exact truth, and a table of what the PET tools make of it.

Hot spheres in an elliptic body, blurred by a Gaussian: the blurred sphere has a closed form, so SUVmax,
SUVpeak, volumes at any threshold and lesion glycolysis are known, not sampled. Noise is a fixed stream.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evaluation.analytic_study import coordinates, point_mm, volume_context
from inference.evidence.masks import MaskStore
from inference.evidence.pet.hot_spots import DETECTED_MM, FIXED_SUV, PetHotSpots
from inference.evidence.pet.reference import LIVER_REFERENCE
from inference.evidence.pet.sphere import PEAK_RADIUS_MM
from inference.evidence.pet.uptake import SHARE_OF_MAXIMUM
from inference.evidence.tool import IdSource, MeasureContext
from reports.domain import Evidence, EvidenceKind
from viewer.imaging.regions import Region
from viewer.imaging.study import PetFacts

FloatArray = npt.NDArray[np.float64]
Place = tuple[float, float, float]

FWHM_MM = 6.0
SIGMA_MM = FWHM_MM / math.sqrt(8.0 * math.log(2.0))
BACKGROUND_SUV = 1.0
BODY_MM = (170.0, 115.0)
SLOPE = 0.002
SPACING = (3.0, 3.0, 3.0)
SHAPE = (80, 90, 130)
SEED = 20261120
TABLE_STEP_MM = 0.05

FACTS = PetFacts(
    units="GML",
    suv_type="BW",
    corrected=("ATTN", "DECY"),
    decay_correction="START",
    weight_kg=70.0,
    series_start="20260105100000",
    acquisition_start="20260105100000",
    injected="20260105090000",
    injected_time="090000",
    dose_bq=250e6,
    half_life_s=6586.2,
)
"""Injected an hour before the scan; values are SUVbw already."""


@dataclass(frozen=True)
class HotSphere:
    """A sphere of even uptake over the background, LPS mm."""

    centre: Place
    radius: float
    suv: float

    def profile(self, distance: FloatArray) -> FloatArray:
        """Return SUV over the background at distances from the centre, mm, after the blur."""
        places = np.arange(0.0, self.radius + 12.0 * SIGMA_MM, TABLE_STEP_MM)
        values = [_blurred(float(place), self.radius) for place in places]
        found: FloatArray = np.interp(distance, places, values, right=0.0)
        return (self.suv - BACKGROUND_SUV) * found

    def value(self, distance: float) -> float:
        """Return SUV with the background at a distance from the centre."""
        return BACKGROUND_SUV + (self.suv - BACKGROUND_SUV) * _blurred(distance, self.radius)

    @property
    def maximum(self) -> float:
        """SUV at the centre."""
        return self.value(0.0)

    @property
    def peak(self) -> float:
        """Mean over the sphere of 1 mL about the centre."""
        return self._mean_within(PEAK_RADIUS_MM)

    def radius_at(self, level: float) -> float:
        """Return the distance at which the SUV falls to a level, mm; 0 below it."""
        low, high = 0.0, self.radius + 12.0 * SIGMA_MM
        if self.maximum <= level:
            return 0.0
        for _ in range(60):
            middle = (low + high) / 2.0
            low, high = (middle, high) if self.value(middle) > level else (low, middle)
        return low

    def volume_ml(self, level: float) -> float:
        """Return the volume over a level, mL."""
        return 4.0 / 3.0 * math.pi * self.radius_at(level) ** 3 / 1000.0

    def glycolysis(self, level: float) -> float:
        """Return volume times mean SUV over a level, g."""
        reach = self.radius_at(level)
        return self.volume_ml(level) * self._mean_within(reach) if reach else 0.0

    def _mean_within(self, reach: float) -> float:
        places = (np.arange(2000) + 0.5) / 2000.0 * reach
        values = np.array([self.value(float(place)) for place in places])
        return float((values * places**2).sum() / (places**2).sum())


def _blurred(distance: float, radius: float) -> float:
    """Return an even sphere of height 1 after a Gaussian blur, at a distance from its centre."""
    root = math.sqrt(2.0) * SIGMA_MM
    r = max(distance, 1e-3)
    edges = math.erf((radius - r) / root) + math.erf((radius + r) / root)
    near, far = (radius - r) / SIGMA_MM, (radius + r) / SIGMA_MM
    waves = math.exp(-(near**2) / 2.0) - math.exp(-(far**2) / 2.0)
    return edges / 2.0 - SIGMA_MM / (math.sqrt(2.0 * math.pi) * r) * waves


SPHERES = tuple(
    HotSphere(centre, diameter / 2.0, 8.0)
    for centre, diameter in (
        ((-100.0, 0.0, 60.0), 10.0),
        ((100.0, 0.0, 60.0), 13.0),
        ((-100.0, 0.0, 0.0), 17.0),
        ((100.0, 0.0, 0.0), 22.0),
        ((-100.0, 0.0, -60.0), 28.0),
        ((100.0, 0.0, -60.0), 37.0),
    )
)
"""The diameters of the NEMA NU 2 body phantom, 8 : 1."""

CONTRASTS = (8.0, 6.0, 5.0)
"""Uptake of the spheres over a background of 1."""

LIVER = HotSphere((-10.0, 0.0, 0.0), 45.0, 2.0)


def values(
    spheres: tuple[HotSphere, ...],
    *,
    spacing: Place = SPACING,
    shape: tuple[int, int, int] = SHAPE,
    noise: float = 0.0,
    seed: int = SEED,
) -> FloatArray:
    """Return SUVs, (slice, row, column); `noise` is the SD in the body as a share of its uptake."""
    x, y, z = coordinates(shape, spacing)
    body = (x / BODY_MM[0]) ** 2 + (y / BODY_MM[1]) ** 2 < 1.0
    suv = np.where(body, BACKGROUND_SUV, 0.0) + np.zeros(shape)
    for sphere in spheres:
        offset = [place - middle for place, middle in zip((x, y, z), sphere.centre, strict=True)]
        suv += sphere.profile(np.sqrt(sum(one**2 for one in offset)))
    if noise:
        white = np.random.default_rng(seed).standard_normal(shape)
        suv += white * noise * suv
    return np.maximum(suv, 0.0)


def context(
    suv: FloatArray,
    *,
    spacing: Place = SPACING,
    inputs: dict[str, Region] | None = None,
    facts: PetFacts = FACTS,
    **header: Any,
) -> MeasureContext:
    """Wrap SUVs as a PET series."""
    stored = np.rint(suv / SLOPE).clip(0, 32767).astype(np.int16)
    return volume_context(
        stored, spacing, modality="PT", slope=SLOPE, inputs=inputs, pet=facts, **header
    )


def candidate_of(
    found: tuple[Evidence, ...], ctx: MeasureContext, sphere: HotSphere
) -> Evidence | None:
    """Return the candidate whose outline holds the centre of a sphere in its plane, or is nearest."""
    best: tuple[float, Evidence] | None = None
    for evidence in found:
        if evidence.kind is not EvidenceKind.CANDIDATE:
            continue
        outline = evidence.regions[0]
        plane = next(
            one.plane
            for one in ctx.series.instances
            if one.sop_instance_uid == outline.sop_instance_uid
        )
        assert plane is not None
        middle = plane.pixel_to_patient(outline.array()).mean(axis=0)
        apart = float(np.linalg.norm(middle - np.array(sphere.centre)))
        if apart <= sphere.radius + 6.0 and (best is None or apart < best[0]):
            best = apart, evidence
    return best[1] if best else None


def table() -> tuple[dict[str, object], ...]:
    """Return what the PET tools measure on the phantom: rows of measure, truth, found and error.

    Each row: area, measure, case, truth, found, error_percent (or none), note.
    """
    rows: list[dict[str, object]] = []
    exact = context(values(SPHERES))
    found = PetHotSpots().measure(exact, IdSource(), MaskStore())
    for sphere in SPHERES:
        case = f"{2 * sphere.radius:g} mm sphere"
        one = candidate_of(found, exact, sphere)
        hottest = sphere.value(_nearest_voxel(sphere))
        share = SHARE_OF_MAXIMUM * hottest
        for name, truth in (
            ("suv_max", hottest),
            ("suv_peak", sphere.peak),
            ("mtv", sphere.volume_ml(FIXED_SUV)),
            ("mtv41", sphere.volume_ml(share)),
            ("tlg", sphere.glycolysis(FIXED_SUV)),
        ):
            rows.append(_row(name, case, truth, one))
    rows += _detection()
    liver = context(values((LIVER,), noise=0.08), inputs={"liver": point_mm(LIVER.centre)})
    (reference,) = LIVER_REFERENCE.measure(liver, IdSource(), MaskStore())
    rows.append(_row("suv_mean", "liver reference, 8 % noise", 2.0, reference))
    return tuple(rows)


def _nearest_voxel(sphere: HotSphere) -> float:
    """Return how far the nearest voxel is from the centre, mm: SUVmax is the value of a voxel."""
    axes = coordinates(SHAPE, SPACING)
    apart = [float(np.abs(axis - at).min()) for axis, at in zip(axes, sphere.centre, strict=True)]
    return math.hypot(*apart)


def _detection(runs: int = 4, noise: float = 0.12) -> list[dict[str, object]]:
    """Return the share of the spheres found in noisy phantoms, and their false candidates."""
    rows: list[dict[str, object]] = []
    for contrast in CONTRASTS:
        spheres = tuple(HotSphere(one.centre, one.radius, contrast) for one in SPHERES)
        small: list[bool] = []
        large: list[bool] = []
        wrong = 0
        for run in range(runs):
            ctx = context(values(spheres, noise=noise, seed=SEED + run))
            found = PetHotSpots().measure(ctx, IdSource(), MaskStore())
            seen = [candidate_of(found, ctx, sphere) for sphere in spheres]
            for sphere, one in zip(spheres, seen, strict=True):
                (large if 2.0 * sphere.radius >= DETECTED_MM else small).append(one is not None)
            ids = {one.id for one in seen if one is not None}
            wrong += sum(one.kind is EvidenceKind.CANDIDATE and one.id not in ids for one in found)
        case = f"{contrast:g} : 1, {100 * noise:g} % noise"
        rows.append(_plain("sensitivity, 13 to 37 mm", case, 1.0, sum(large) / len(large)))
        rows.append(_plain("sensitivity, 10 mm", case, 1.0, sum(small) / len(small)))
        rows.append(_plain("false candidates a scan", case, 0.0, wrong / runs))
    return rows


def _row(name: str, case: str, truth: float, evidence: Evidence | None) -> dict[str, object]:
    has = evidence is not None and any(value.name == name for value in evidence.values)
    if evidence is None or not has:
        return {**_plain(name, case, truth, None), "note": "not given"}
    value = evidence.value(name)
    covered = value.uncertainty is None or abs(value.value - truth) <= value.uncertainty
    note = "" if covered else "outside the stated uncertainty"
    return {**_plain(name, case, truth, value.value), "note": note}


def _plain(name: str, case: str, truth: float, found: float | None) -> dict[str, object]:
    error = None if found is None or not truth else 100.0 * (found - truth) / truth
    return {
        "area": "pet",
        "measure": name,
        "case": case,
        "truth": truth,
        "found": found,
        "error_percent": error,
        "note": "",
    }
