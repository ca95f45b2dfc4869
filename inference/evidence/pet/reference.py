"""Reference uptake of liver and blood pool at a place that a person shows.

Recipe and sources in docs/evidence/pet-reference.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inference.evidence.contours import mask_polygon
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.pet.scale import Misfit, SuvImage, suv_image
from inference.evidence.seeds import is_inside, offsets_mm, seed_mm
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    NeedShape,
    RefusalCode,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, Side

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LIVER_ROLE, BLOOD_ROLE = "liver", "blood_pool"

LIVER_RADIUS_MM = 15.0
"""Sphere of 3 cm in the right lobe (PERCIST 1.0; EANM guideline 2.0)."""

BLOOD_RADIUS_MM, BLOOD_HALF_LENGTH_MM = 5.0, 10.0
"""Cylinder of 1 cm by 2 cm along the body in the descending aorta (PERCIST 1.0)."""

UNEVEN = 0.3
"""A coefficient of variation above this is no even liver or blood: an edge or a lesion is in it."""

PERCIST = (1.5, 2.0)
"""Smallest uptake that PERCIST measures: 1.5 x liver mean + 2 SD."""

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    LIVER_ROLE: (1.3, 3.0),
    BLOOD_ROLE: (0.8, 2.8),
}
"""SUVbw of FDG outside which weight, dose or place are in doubt (liver: EANM guideline 2.0)."""


def liver_threshold(ctx: MeasureContext, image: SuvImage) -> tuple[float, float] | None:
    """Return the mean of the liver that a person showed and the threshold from it, or none."""
    taken = _taken(ctx, image, LIVER_ROLE)
    if not isinstance(taken, _Taken) or taken.is_uneven:
        return None
    return taken.mean, PERCIST[0] * taken.mean + PERCIST[1] * taken.sd


@dataclass(frozen=True, eq=False)
class _Taken:
    mask: BoolArray
    mean: float
    sd: float
    doubt: float
    """Half-width of the mean: its standard error twice, or what moving by a voxel changes."""

    @property
    def is_uneven(self) -> bool:
        return self.sd > UNEVEN * abs(self.mean)


@dataclass(frozen=True)
class PetReference:
    """Mean uptake of an organ at a place that a person shows."""

    name: str
    title: str
    role: str
    concept: Code
    needs: tuple[Need, ...]
    version: str = "1"
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = field(default_factory=lambda: Applies(frozenset({"PT"})))

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        image = suv_image(ctx)
        if not isinstance(image, SuvImage):
            return (refused(self, ids.take(), *image),)
        taken = _taken(ctx, image, self.role)
        if not isinstance(taken, _Taken):
            return (refused(self, ids.take(), *taken),)
        region = kept(ctx, masks, taken.mask, label=self.title, side=Side.NONE, concept=self.concept)
        values = [
            image.suv("suv_mean", taken.mean, uncertainty=taken.doubt),
            image.suv("suv_sd", taken.sd),
        ]
        if self.role == LIVER_ROLE and not taken.is_uneven:
            values.append(image.suv("suv_threshold", PERCIST[0] * taken.mean + PERCIST[1] * taken.sd))
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=(*values, *image.told),
                regions=(mask_polygon(ctx.stack, taken.mask), region),
                source=source(self),
                report_default=self.report_default,
                checks=(*image.facts, "place shown by a person"),
                warnings=_warnings(self.role, taken),
            ),
        )


def _warnings(role: str, taken: _Taken) -> tuple[str, ...]:
    found = []
    low, high = PLAUSIBLE[role]
    if not low <= taken.mean <= high:
        found.append(f"unusual for FDG ({low:g} to {high:g}): check weight, dose and place")
    if taken.is_uneven:
        found.append("uneven: an edge or a lesion lies in the volume, no threshold is made of it")
    return tuple(found)


def _taken(ctx: MeasureContext, image: SuvImage, role: str) -> _Taken | Misfit:
    place = seed_mm(ctx, ctx.inputs[role])
    if place is None:
        return (
            RefusalCode.OUTSIDE_IMAGE,
            "The place that was shown is not on this series: show it here.",
        )
    reach = LIVER_RADIUS_MM if role == LIVER_ROLE else BLOOD_HALF_LENGTH_MM
    if not is_inside(image.volume, place, reach):
        return (
            RefusalCode.CUT_FIELD_OF_VIEW,
            "The reference volume runs out of the images: show a place further inside.",
        )
    mask, values = _values(image, place, role)
    if values.size < 4:
        return RefusalCode.UNCERTAIN, "The voxels are too large for this reference volume."
    steps = np.array(image.volume.affine[:3, :3]).T
    moved = [
        _values(image, place + sign * step, role)[1].mean() for step in steps for sign in (-1.0, 1.0)
    ]
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    shift = max(abs(float(one) - mean) for one in moved)
    return _Taken(mask, mean, spread, max(shift, 2.0 * spread / math.sqrt(values.size)))


def _values(image: SuvImage, place: FloatArray, role: str) -> tuple[BoolArray, FloatArray]:
    """Return the voxels of a reference volume: a sphere, or a cylinder along the body."""
    reach = LIVER_RADIUS_MM if role == LIVER_ROLE else BLOOD_HALF_LENGTH_MM
    box, offset = offsets_mm(image.volume, place, reach)
    if role == LIVER_ROLE:
        inside = (offset**2).sum(axis=-1) <= LIVER_RADIUS_MM**2
    else:
        inside = (offset[..., 0] ** 2 + offset[..., 1] ** 2 <= BLOOD_RADIUS_MM**2) & (
            np.abs(offset[..., 2]) <= BLOOD_HALF_LENGTH_MM
        )
    mask = np.zeros(image.values.shape, dtype=bool)
    mask[box] = inside
    found: FloatArray = image.values[box][inside].astype(np.float64)
    return mask, found


LIVER_REFERENCE = PetReference(
    name="pet-liver",
    title="Liver reference",
    role=LIVER_ROLE,
    concept=Code(value="10200004", scheme="SCT", meaning="Liver"),
    needs=(Need(LIVER_ROLE, NeedShape.POINT, "Click the middle of the right lobe of the liver"),),
)

BLOOD_REFERENCE = PetReference(
    name="pet-blood-pool",
    title="Blood pool reference",
    role=BLOOD_ROLE,
    concept=Code(value="113262008", scheme="SCT", meaning="Thoracic aorta"),
    needs=(Need(BLOOD_ROLE, NeedShape.POINT, "Click the middle of the descending thoracic aorta"),),
)
