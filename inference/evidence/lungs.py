"""CT lungs: mask and volume of each side, mean density, LAA-950, 15th percentile, and the total.

Recipe and sources in docs/evidence/ct-lungs.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.chest.scene import CHEST_CT, Misfit, Scene, scene
from inference.evidence.hounsfield import HIGHEST_HU, LOWEST_HU, hounsfield, hounsfield_of
from inference.evidence.kept import outlined
from inference.evidence.lung_mask import LUNG, LUNG_HU, Lungs
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import bounds
from inference.evidence.quantities import quantity
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    RefusalCode,
    ToolCancelled,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side
from viewer.imaging.regions import Region
from viewer.imaging.study import Series
from viewer.imaging.volume import Volume

__all__ = ["LUNG", "CtLungs", "density_warnings", "hounsfield"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]

LAA_HU = -950
"""Emphysema threshold of thin, non-enhanced, smooth-kernel CT (facts: guidelines.md)."""

THRESHOLD_SHIFT_HU = 100
"""Thresholds for the edge of the lung in the literature run from -500 to -300 HU."""

LAA_SHIFT_HU = 5
"""Calibration of air drifts by about this much between scanners and over time."""

SHARP_KERNELS = (
    "B5",
    "B6",
    "B7",
    "B8",
    "BL5",
    "BL6",
    "BR6",
    "BR7",
    "LUNG",
    "BONE",
    "EDGE",
    "SHARP",
    "FC5",
    "FC8",
)
"""Beginnings of kernel names that sharpen: they widen the histogram, so that LAA-950 reads too high."""

SHARP_LETTERS = ("D", "E", "L", "YA", "YB", "YC", "YD")
"""Whole kernel names of one maker (Philips) that sharpen."""

THICK_MM = 2.5
"""Above this, small pockets average out: LAA-950 reads too low."""

SIDES = (Side.RIGHT, Side.LEFT)


@dataclass(frozen=True)
class CtLungs:
    """Volume and density of the lungs on CT."""

    name: str = "ct-lungs"
    version: str = "2"
    title: str = "Lung volume and density"
    concept: Code = LUNG
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return evidence for the right lung, the left lung and both, or one refusal."""
        chest = scene(ctx, "Lung volume")
        if not isinstance(chest, Scene):
            return (refused(self, ids.take(), *chest),)
        misfit = _lungs_misfit(chest.lungs, chest.volume)
        if misfit is not None:
            return (refused(self, ids.take(), *misfit),)
        hu = hounsfield_of(ctx, chest.volume)
        return self._evidence(ctx, hu, chest.lungs, ids=ids, masks=masks)

    def _evidence(
        self, ctx: MeasureContext, hu: IntArray, lungs: Lungs, *, ids: IdSource, masks: MaskStore
    ) -> tuple[Evidence, ...]:
        assert isinstance(ctx.volume, Volume)
        checks = _checks(lungs, ctx.volume)
        warnings = density_warnings(ctx.series)
        measured: list[_Measured] = []
        for side, mask in zip(SIDES, (lungs.right, lungs.left), strict=True):
            if ctx.cancelled():
                raise ToolCancelled
            label = f"{side.value.capitalize()} lung"
            sums = densities(hu, mask, ctx.volume.voxel_volume_ml)
            regions = outlined(ctx, masks, mask, label=label, side=side, concept=LUNG)
            measured.append(_Measured(side, label, sums, regions))
        right, left = measured
        both = right.sums.plus(left.sums)
        measured.append(_Measured(Side.BILATERAL, "Both lungs", both, right.regions + left.regions))
        return tuple(
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=LUNG,
                label=one.label,
                side=one.side,
                anatomy=one.label.lower(),
                values=one.sums.quantities(),
                regions=one.regions,
                source=source(self),
                report_default=self.report_default,
                checks=checks,
                warnings=warnings,
            )
            for one in measured
        )


@dataclass(frozen=True)
class _Measured:
    side: Side
    label: str
    sums: Densities
    regions: tuple[Region, ...]


@dataclass(frozen=True, eq=False)
class Densities:
    """Counts over a mask from which the values and their uncertainty follow.

    Parameters
    ----------
    counts
        Voxels of each density, from -1024 HU upwards.
    edge, edge_hu
        Voxels between -400 HU moved by `THRESHOLD_SHIFT_HU` either way at the edge of the mask, and
        the sum of their HU: what the choice of threshold moves.
    """

    voxel_ml: float
    counts: npt.NDArray[np.int64]
    edge: int
    edge_hu: float

    @property
    def voxels(self) -> int:
        """Voxels of the mask."""
        return int(self.counts.sum())

    def below(self, hu: int) -> int:
        """Return the voxels below a density."""
        return int(self.counts[: hu + LOWEST_HU].sum())

    @property
    def volume_l(self) -> float:
        """Volume, litres."""
        return self.voxels * self.voxel_ml / 1000.0

    @property
    def volume_uncertainty_l(self) -> float:
        """Half of the volume at the edge between the thresholds -500 and -300 HU, litres."""
        return self.edge / 2.0 * self.voxel_ml / 1000.0

    @property
    def mean_hu(self) -> float:
        """Mean density, HU."""
        return float(np.average(np.arange(self.counts.size) - LOWEST_HU, weights=self.counts))

    @property
    def mean_uncertainty_hu(self) -> float:
        """How far half of those edge voxels move the mean, HU."""
        edge_mean = self.edge_hu / self.edge if self.edge else self.mean_hu
        return abs(edge_mean - self.mean_hu) * (self.edge / 2.0) / self.voxels

    @property
    def laa_percent(self) -> float:
        """Share below -950 HU, percent."""
        return 100.0 * self.below(LAA_HU) / self.voxels

    @property
    def laa_uncertainty_percent(self) -> float:
        """Half of the change of the share over +-5 HU, percent."""
        change = self.below(LAA_HU + LAA_SHIFT_HU) - self.below(LAA_HU - LAA_SHIFT_HU)
        return 100.0 * change / 2.0 / self.voxels

    @property
    def perc15_hu(self) -> float:
        """Density below which 15 percent of the voxels lie, HU."""
        reached = np.searchsorted(np.cumsum(self.counts), 0.15 * self.voxels)
        return float(reached) - LOWEST_HU

    def quantities(self) -> tuple[Quantity, ...]:
        """Return the values as they stand in the ledger."""
        return (
            quantity("volume", self.volume_l, uncertainty=self.volume_uncertainty_l),
            quantity("mean_density", self.mean_hu, uncertainty=self.mean_uncertainty_hu),
            quantity("laa950", self.laa_percent, uncertainty=self.laa_uncertainty_percent),
            quantity("threshold", LAA_HU),
            quantity("perc15", self.perc15_hu, uncertainty=LAA_SHIFT_HU),
        )

    def plus(self, other: Densities) -> Densities:
        """Return the sums over both masks."""
        return Densities(
            voxel_ml=self.voxel_ml,
            counts=self.counts + other.counts,
            edge=self.edge + other.edge,
            edge_hu=self.edge_hu + other.edge_hu,
        )


def densities(hu: IntArray, mask: BoolArray, voxel_ml: float) -> Densities:
    """Return the sums of HU over a mask and at its edge."""
    box = bounds(mask, margin=(1, 1, 1))
    near_hu, near = hu[box], mask[box]
    inside = near_hu[near]
    # The edge, not vessels inside: voxels with a neighbour on the other side of the mask.
    band = edge_voxels(near) & (np.abs(near_hu - np.int16(LUNG_HU)) <= THRESHOLD_SHIFT_HU)
    return Densities(
        voxel_ml=voxel_ml,
        counts=np.bincount(inside.astype(np.int32) + LOWEST_HU, minlength=HIGHEST_HU + LOWEST_HU + 1),
        edge=int(np.count_nonzero(band)),
        edge_hu=float(near_hu[band].sum(dtype=np.int64)),
    )


def edge_voxels(mask: BoolArray) -> BoolArray:
    """Return the voxels, in and out, that share a face with one on the other side of the mask."""
    edge = np.zeros_like(mask)
    for axis in range(3):
        low = tuple(slice(None, -1) if other == axis else slice(None) for other in range(3))
        high = tuple(slice(1, None) if other == axis else slice(None) for other in range(3))
        differs = mask[low] != mask[high]
        edge[low] |= differs
        edge[high] |= differs
    return edge


def _lungs_misfit(lungs: Lungs, volume: Volume) -> Misfit | None:
    """Return why masks that were found are no whole lungs, or none."""
    if lungs.only_bases:
        return (
            RefusalCode.WRONG_REGION,
            "Only the bases of the lungs are in these images: this is no CT of the whole chest.",
        )
    if lungs.cut:
        return RefusalCode.CUT_FIELD_OF_VIEW, _cut(lungs.cut)
    smaller = min(int(np.count_nonzero(mask)) for mask in (lungs.right, lungs.left))
    if smaller * volume.voxel_volume_ml < SMALLEST_SIDE_ML:
        return (
            RefusalCode.NO_LUNG,
            "Only one air-filled lung was found: effusion, consolidation or an operation may hide the "
            "other. The sides are not measured.",
        )
    return None


def _cut(ends: tuple[str, ...]) -> str:
    where = " and ".join(ends)
    return f"The lungs are cut off by the edge of the images ({where}): their volume is not known."


SMALLEST_SIDE_ML = 200.0
"""An adult lung holds more even when squeezed; less means that a side was not found."""


def _checks(lungs: Lungs, volume: Volume) -> tuple[str, ...]:
    checks = ["evenly spaced slices", "both lungs whole in the images"]
    if lungs.airway_ml:
        checks.append(f"airways left out ({lungs.airway_ml:.0f} mL)")
    if lungs.split:
        checks.append("touching lungs parted")
    spacing = " × ".join(f"{step:.2f}" for step in volume.spacing)
    return (*checks, f"voxels of {spacing} mm")


def density_warnings(series: Series) -> tuple[str, ...]:
    """Return what makes density and LAA-950 of a series doubtful."""
    found = []
    kernel = series.convolution_kernel.strip().upper()
    if kernel.startswith(SHARP_KERNELS) or kernel in SHARP_LETTERS:
        found.append(f"sharp kernel ({series.convolution_kernel}): low-attenuation area reads too high")
    if series.contrast_agent.strip():
        found.append("contrast agent given: density reads too high, low-attenuation area too low")
    if (
        series.slice_thickness
        and series.slice_thickness > THICK_MM
        and math.isfinite(series.slice_thickness)
    ):
        found.append(f"slices over {THICK_MM:g} mm: low-attenuation area reads too low")
    found.append("depth of inspiration is not known from the header")
    return tuple(found)
