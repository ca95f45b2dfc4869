"""Measures at a place that a person shows: aorta, trachea, trabecular bone of a vertebra.

The cross-section of a tube is the smallest one through the place: rays in planes of many directions end
where the density leaves that of the seed half way. Recipes in docs/evidence/ct-chest-shown.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.chest.scene import CHEST_CT, Misfit, header_misfit
from inference.evidence.diameters import Diameters, diameters, polygon_area
from inference.evidence.hounsfield import hounsfield_of
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.seeds import is_inside, offsets_mm, seed_mm, to_voxel
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    NeedShape,
    RefusalCode,
    Tool,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.volume import Volume

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int16]

AORTA = Code(value="113262008", scheme="SCT", meaning="Thoracic aorta")
TRACHEA = Code(value="44567001", scheme="SCT", meaning="Trachea")
VERTEBRA = Code(value="51282000", scheme="SCT", meaning="Vertebra")

RAYS, RAY_STEP_MM, COARSE_MM = 72, 0.25, 1.0
"""Rays of a section and the step along them: for its size, and while its direction is looked for."""

TILTS_DEGREES = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
TURNS = 16
SPIKE_RAYS = 9
ROUNDS = 3

SEED_MM = 4.0
VESSEL_HU = (15.0, 700.0)
VESSEL_MM = (12.0, 90.0)
FAT_HU, SOFT_HU, ENHANCED_HU = -80.0, 40.0, 90.0
LONGEST_OVER_SHORT = 1.5
TRACHEA_MM = (6.0, 40.0)
AIR_HU = -850.0
HALF_OF_AIR_HU = -500.0

BONE_MM = 6.0
"""Radius of the sphere in the vertebral body: clear of cortex and endplates in an adult."""

SPINE_CT = Applies(frozenset({"CT"}), frozenset({"chest", "abdomen"}))
BONE_HU = (-60.0, 500.0)
ROUGHEST_BONE_HU = 110.0


@dataclass(frozen=True, eq=False)
class Section:
    """The smallest cross-section through a place.

    Parameters
    ----------
    outline
        (n, 3) LPS mm.
    flat
        (n, 2) the same in the plane of the section, mm.
    open_share
        Share of rays that found no edge.
    """

    outline: FloatArray
    flat: FloatArray
    area_mm2: float
    tilt_degrees: float
    open_share: float

    @property
    def across(self) -> Diameters:
        """Longest and perpendicular diameter."""
        return diameters(self.flat)


def section(
    volume: Volume, hu: IntArray, place: FloatArray, *, low: float, high: float, reach_mm: float,
    tilts: tuple[float, ...] = TILTS_DEGREES,
) -> Section:  # fmt: skip
    """Return the smallest cross-section of what lies around a place between two densities."""
    centre, normal = place, _direction(0.0, 0.0)
    for _ in range(ROUNDS):
        least = np.inf
        for tilt in tilts:
            for turn in range(TURNS if tilt else 1):
                way = _direction(tilt, 360.0 * turn / TURNS)
                found = _cut(
                    volume, hu, centre, way, low=low, high=high, reach_mm=reach_mm, step_mm=COARSE_MM
                )
                if found.area_mm2 < least:
                    least, best, normal = found.area_mm2, found, way
        centre = best.outline.mean(axis=0)
    return _cut(volume, hu, centre, normal, low=low, high=high, reach_mm=reach_mm, step_mm=RAY_STEP_MM)


def _direction(tilt: float, turn: float) -> FloatArray:
    polar, azimuth = np.radians(tilt), np.radians(turn)
    return np.array([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)])


def _cut(
    volume: Volume, hu: IntArray, centre: FloatArray, normal: FloatArray, *, low: float, high: float,
    reach_mm: float, step_mm: float,
) -> Section:  # fmt: skip
    from scipy import ndimage

    aside = np.array([1.0, 0.0, 0.0]) if abs(normal[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    first = np.cross(normal, aside)
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    turn = np.arange(RAYS) * (2 * np.pi / RAYS)
    ways = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    away = np.arange(1, int(reach_mm / step_mm)) * step_mm
    start = to_voxel(volume, centre)
    # LPS mm to (slice, row, column) of the volume, for directions.
    steps = (ways @ np.linalg.inv(volume.affine[:3, :3]).T)[:, ::-1]
    at = start[:, None, None] + steps.T[:, :, None] * away
    values = ndimage.map_coordinates(hu, at, order=1, output=np.float32, mode="nearest")
    outside = (values < low) | (values > high)
    met = outside.any(axis=1)
    index = np.where(met, outside.argmax(axis=1), len(away) - 1)
    radius = away[index] - 0.5 * step_mm
    radius = ndimage.grey_opening(radius, size=SPIKE_RAYS, mode="wrap")
    flat = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return Section(
        outline=centre + radius[:, None] * ways,
        flat=flat,
        area_mm2=polygon_area(flat),
        tilt_degrees=float(np.degrees(np.arccos(min(1.0, abs(float(normal[2])))))),
        open_share=1.0 - float(met.mean()),
    )


@dataclass(frozen=True, eq=False)
class _Ready:
    volume: Volume
    hu: IntArray
    place: FloatArray
    seed_hu: float
    spread_hu: float


def _ready(ctx: MeasureContext, role: str, what: str, radius_mm: float) -> _Ready | Misfit:
    """Return the volume, the place and the density at it, or why it cannot be measured."""
    misfit = header_misfit(ctx, what)
    if misfit is not None:
        return misfit
    assert isinstance(ctx.volume, Volume)  # header_misfit refused the rest
    place = seed_mm(ctx, ctx.inputs[role])
    if place is None or not is_inside(ctx.volume, place, radius_mm):
        return RefusalCode.OUTSIDE_IMAGE, f"{what}: the place that was shown is not in these images."
    hu = hounsfield_of(ctx, ctx.volume)
    box, offset = offsets_mm(ctx.volume, place, radius_mm)
    values = hu[box][(offset**2).sum(axis=3) <= radius_mm**2]
    return _Ready(ctx.volume, hu, place, float(values.mean()), float(values.std()))


def _contour(ctx: MeasureContext, outline: FloatArray) -> Region:
    return Region(
        shape=Shape.POLYGON,
        space=Space.PATIENT,
        series_instance_uid=ctx.series.series_instance_uid,
        frame_of_reference_uid=ctx.series.frame_of_reference_uid,
        points=tuple((float(x), float(y), float(z)) for x, y, z in outline),
    )


def _measurement(
    tool: Tool, ids: IdSource, *, label: str, values: tuple[Quantity, ...], region: Region,
    checks: tuple[str, ...], warnings: tuple[str, ...] = (), anatomy: str = "",
) -> tuple[Evidence, ...]:  # fmt: skip
    return (
        Evidence(
            id=ids.take(),
            kind=EvidenceKind.MEASUREMENT,
            concept=tool.concept,
            label=label,
            side=Side.NONE,
            anatomy=anatomy,
            values=values,
            regions=(region,),
            source=source(tool),
            report_default=tool.report_default,
            checks=checks,
            warnings=warnings,
        ),
    )


@dataclass(frozen=True)
class CtAorta:
    """Diameters of the thoracic aorta across its course, at a level that a person shows."""

    name: str = "ct-aorta"
    version: str = "1"
    title: str = "Aortic diameter"
    concept: Code = AORTA
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = (
        Need("aorta", NeedShape.POINT, "Click the middle of the aorta at the level to measure"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return the longest and the perpendicular diameter of the smallest section, or a refusal."""
        ready = _ready(ctx, "aorta", self.title, SEED_MM)
        if not isinstance(ready, _Ready):
            return (refused(self, ids.take(), *ready),)
        seed = ready.seed_hu
        if not VESSEL_HU[0] <= seed <= VESSEL_HU[1]:
            reason = f"The density at the place ({seed:.0f} HU) is not that of a vessel."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        # Half way to the fat around without contrast, half way to soft tissue with it.
        around = FAT_HU if seed < ENHANCED_HU else SOFT_HU
        low, high = (seed + around) / 2, max(seed + 150.0, 1.6 * seed)
        found = section(ready.volume, ready.hu, ready.place, low=low, high=high, reach_mm=60.0)
        long, short = found.across.longest, found.across.perpendicular
        if found.open_share > 0.05 or not VESSEL_MM[0] <= short <= long <= VESSEL_MM[1]:
            reason = "No edge all around was found: the aorta touches tissue of its own density here."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        if long > LONGEST_OVER_SHORT * short:
            reason = "The section is no vessel cut across: choose another level or measure by hand."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        apart = max(ready.volume.spacing)
        return _measurement(
            self,
            ids,
            label="Thoracic aorta",
            anatomy="thoracic aorta",
            values=(
                quantity("aortic_diameter", long, uncertainty=apart),
                quantity("aortic_short", short, uncertainty=apart),
            ),
            region=_contour(ctx, found.outline),
            checks=(
                f"across its course, {found.tilt_degrees:.0f} degrees from axial",
                f"edge half way from {seed:.0f} HU",
            ),
            warnings=("the wall counts where it is as dense as the blood",),
        )


@dataclass(frozen=True)
class CtTrachea:
    """Area and diameters of the trachea at a level that a person shows."""

    name: str = "ct-trachea"
    version: str = "1"
    title: str = "Tracheal lumen"
    concept: Code = TRACHEA
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = (
        Need("trachea", NeedShape.POINT, "Click the lumen of the trachea at the level to measure"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return area and diameters of the smallest section, or a refusal."""
        ready = _ready(ctx, "trachea", self.title, 1.5)
        if not isinstance(ready, _Ready):
            return (refused(self, ids.take(), *ready),)
        if ready.seed_hu > AIR_HU:
            reason = f"The density at the place ({ready.seed_hu:.0f} HU) is not that of air."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        found = section(
            ready.volume,
            ready.hu,
            ready.place,
            low=-3000.0,
            high=HALF_OF_AIR_HU,
            reach_mm=35.0,
            tilts=TILTS_DEGREES[:6],
        )
        outline = found.outline
        across, deep = float(np.ptp(outline[:, 0])), float(np.ptp(outline[:, 1]))
        if (
            found.open_share > 0.0
            or min(across, deep) < TRACHEA_MM[0]
            or max(across, deep) > TRACHEA_MM[1]
        ):
            reason = "No wall all around was found: this is no lumen of a trachea."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        pixel = max(ready.volume.spacing[1:])
        around = float(np.linalg.norm(outline - np.roll(outline, 1, axis=0), axis=1).sum())
        return _measurement(
            self,
            ids,
            label="Trachea",
            values=(
                quantity("trachea_area", found.area_mm2, uncertainty=around * pixel / 4),
                quantity("trachea_coronal", across, uncertainty=pixel),
                quantity("trachea_sagittal", deep, uncertainty=pixel),
            ),
            region=_contour(ctx, outline),
            checks=(f"{found.tilt_degrees:.0f} degrees from axial", "edge at −500 HU"),
        )


@dataclass(frozen=True)
class CtVertebra:
    """Mean density of trabecular bone at a place that a person shows in a vertebral body."""

    name: str = "ct-vertebra"
    version: str = "1"
    title: str = "Vertebral trabecular density"
    concept: Code = VERTEBRA
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = SPINE_CT
    needs: tuple[Need, ...] = (
        Need("vertebra", NeedShape.POINT, "Click spongy bone in the middle of a vertebral body"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return mean and spread of the density in a sphere, or a refusal."""
        ready = _ready(ctx, "vertebra", self.title, BONE_MM)
        if not isinstance(ready, _Ready):
            return (refused(self, ids.take(), *ready),)
        mean, spread = ready.seed_hu, ready.spread_hu
        if not BONE_HU[0] <= mean <= BONE_HU[1] or spread > ROUGHEST_BONE_HU:
            reason = (
                f"Around the place lie {mean:.0f} HU with a spread of {spread:.0f} HU: cortex, disc or "
                "cement, not spongy bone alone."
            )
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        warnings = ["the level was not read from the images"]
        if ctx.enhanced or ctx.series.contrast_agent.strip():
            warnings.append("contrast agent: density reads too high")
        if ctx.series.kvp and abs(ctx.series.kvp - 120.0) > 1.0:
            warnings.append(f"{ctx.series.kvp:g} kV: thresholds in the literature hold for 120 kV")
        turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
        ring = ready.place + BONE_MM * np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
        return _measurement(
            self,
            ids,
            label="Vertebral trabecular bone",
            values=(
                quantity("trabecular", mean, uncertainty=max(5.0, spread / 10.0)),
                quantity("sd", spread),
            ),
            region=_contour(ctx, ring),
            checks=(f"sphere of {2 * BONE_MM:g} mm in spongy bone",),
            warnings=tuple(warnings),
        )
