"""CT density of liver and spleen at places that a person shows, and their difference.

Recipe and sources in docs/evidence/ct-liver-spleen.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.abdomen.prepared import (
    ABDOMEN_CT,
    Misfit,
    Ready,
    contrast_named,
    phase_words,
    prepared,
)
from inference.evidence.contours import mask_polygon
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
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
from viewer.imaging.volume import Volume

IntArray = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

SEED_MM = 10.0
"""Radius of the sphere at the seed: 4 mL, several times the 1.5 cm2 of a hand-placed region."""

REACH_MM = 45.0
"""The region grows no further than this from the seed: a sample, not the organ."""

WINDOW_HU = 18.0
"""Smoothed tissue within this of the seed belongs to it."""

EDGE_MM = 6.0
"""The region stays this far from what is not like the seed: fissures, vessels, the edge."""

BLOCK_MM = 10.0
"""Means over cubes of this size are taken as independent."""

PLAUSIBLE_HU = (-40.0, 220.0)
NOISIEST_HU = 60.0
"""At the seed: outside it lies no solid organ, or its edge."""

UNEVEN_HU = 30.0
"""Above this a sample is told to be uneven."""

LARGEST_DRIFT_HU = 5.0
"""A grown region whose mean is further from that of the seed has run into something else."""

ENHANCED_HU = {"liver": 80.0, "spleen": 70.0}
"""Unenhanced liver has 50 to 65, spleen 40 to 60 HU; more looks like contrast."""

STEATOSIS_HU, STEATOSIS_DIFFERENCE_HU = 40.0, -10.0
"""Unenhanced: liver at most 40 HU, or more than 10 HU below the spleen, suggests steatosis."""


LIVER_NEED = Need(
    "liver", NeedShape.POINT, "Click even tissue of the right lobe of the liver, away from vessels"
)
SPLEEN_NEED = Need("spleen", NeedShape.POINT, "Click the middle of the spleen")


@dataclass(frozen=True, eq=False)
class Sample:
    """Tissue like that at a seed.

    Parameters
    ----------
    half_width
        Of the mean, HU.
    grown
        False when growing leaked and only the sphere at the seed was taken.
    """

    mask: BoolArray
    mean: float
    sd: float
    half_width: float
    grown: bool


def sample(ctx: MeasureContext, ready: Ready, role: str) -> Sample | Misfit:
    """Return the tissue at the place of a role, made once per run."""
    return ctx.once(f"abdomen.{role}", lambda: _sampled(ctx, ready.volume, ready.hu, role))


def _sampled(ctx: MeasureContext, volume: Volume, hu: IntArray, role: str) -> Sample | Misfit:
    place = seed_mm(ctx, ctx.inputs[role])
    if place is None:
        return (
            RefusalCode.OUTSIDE_IMAGE,
            "The place that was shown is not on this series: show it here.",
        )
    if not is_inside(volume, place):
        return RefusalCode.OUTSIDE_IMAGE, "The place that was shown lies outside the images."
    box, offset = offsets_mm(volume, place, REACH_MM)
    distance = np.sqrt((offset**2).sum(axis=-1))
    near = hu[box].astype(np.float32)
    ball = distance <= SEED_MM
    values = near[ball]
    if values.size < 30:
        return RefusalCode.UNCERTAIN, "There are too few voxels at the place that was shown."
    middle, spread = float(np.median(values)), float(values.std())
    if spread > NOISIEST_HU or not PLAUSIBLE_HU[0] <= middle <= PLAUSIBLE_HU[1]:
        return (
            RefusalCode.UNCERTAIN,
            f"No even solid tissue lies at the place shown for the {role}: show a place inside it, "
            "away from its edge and from vessels.",
        )
    grown = _grown(near, distance, middle, volume)
    seed_mean = float(values.mean())
    fits = grown is not None and abs(float(near[grown].mean()) - seed_mean) <= LARGEST_DRIFT_HU
    inside = grown if grown is not None and fits else ball
    taken = near[inside].astype(np.float64)
    mask = np.zeros(hu.shape, dtype=bool)
    mask[box] = inside
    return Sample(
        mask=mask,
        mean=float(taken.mean()),
        sd=float(taken.std(ddof=1)),
        half_width=max(abs(float(taken.mean()) - seed_mean), 2.0 * _block_error(near, inside, volume)),
        grown=fits,
    )


def _grown(
    near: npt.NDArray[np.float32], distance: FloatArray, middle: float, volume: Volume
) -> BoolArray | None:
    """Return tissue like the seed, connected to it and away from all edges, or none."""
    from scipy import ndimage

    size = [max(1, 2 * round(2.5 / step) + 1) for step in volume.spacing]
    smooth = ndimage.uniform_filter(near, size=size)
    like = (np.abs(smooth - middle) <= WINDOW_HU) & (distance <= REACH_MM)
    # The ends of the images are no edges of the organ: pad with tissue there.
    padded = np.pad(like, 1, constant_values=True)
    depth = ndimage.distance_transform_edt(padded, sampling=volume.spacing)[1:-1, 1:-1, 1:-1]
    labels, _ = ndimage.label(depth > EDGE_MM)
    at_seed = labels[distance <= SEED_MM]
    names, counts = np.unique(at_seed[at_seed > 0], return_counts=True)
    if names.size == 0:
        return None
    body: BoolArray = labels == names[int(counts.argmax())]
    return body if np.count_nonzero(body) >= np.count_nonzero(distance <= SEED_MM) // 2 else None


def _block_error(near: npt.NDArray[np.float32], inside: BoolArray, volume: Volume) -> float:
    """Return the standard error of the mean from the means of cubes of 1 cm."""
    at = np.argwhere(inside)
    cubes = (at * np.array(volume.spacing) // BLOCK_MM).astype(np.int64)
    _, number = np.unique(cubes, axis=0, return_inverse=True)
    number = number.ravel()
    counts = np.bincount(number)
    means = np.bincount(number, weights=near[inside]) / counts
    full = means[counts >= 0.3 * counts.max()]
    return float(full.std(ddof=1)) / math.sqrt(full.size) if full.size > 1 else 0.0


@dataclass(frozen=True)
class OrganDensity:
    """Mean density of an organ at a place that a person shows."""

    name: str
    title: str
    role: str
    concept: Code
    needs: tuple[Need, ...]
    version: str = "1"
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = ABDOMEN_CT

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        ready = prepared(ctx, self.title)
        if not isinstance(ready, Ready):
            return (refused(self, ids.take(), *ready),)
        taken = sample(ctx, ready, self.role)
        if not isinstance(taken, Sample):
            return (refused(self, ids.take(), *taken),)
        region = kept(ctx, masks, taken.mask, label=self.title, side=Side.NONE, concept=self.concept)
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                anatomy=self.role,
                values=(
                    quantity("mean_density", taken.mean, uncertainty=taken.half_width),
                    quantity("sd", taken.sd),
                ),
                regions=(mask_polygon(ctx.stack, taken.mask), region),
                source=source(self),
                report_default=self.report_default,
                checks=_checks(taken, ready.volume),
                warnings=(phase_words(ctx.series), *_doubts(taken)),
            ),
        )


def _checks(taken: Sample, volume: Volume) -> tuple[str, ...]:
    ml = np.count_nonzero(taken.mask) * volume.voxel_volume_ml
    return "place shown by a person", f"{ml:.0f} mL of tissue like it"


def _doubts(taken: Sample) -> tuple[str, ...]:
    """Return what is wrong with a sample, in words."""
    found = [] if taken.grown else ["growing from the place leaked: a sphere of 2 cm was taken"]
    if taken.sd > UNEVEN_HU:
        found.append(f"uneven tissue, SD {taken.sd:.0f} HU: noise, vessels or lesions lie in it")
    return tuple(found)


DIFFERENCE = Code(value="LIVERSPLEEN", scheme="99SIGHTLINE", meaning="Liver minus spleen")


@dataclass(frozen=True)
class LiverMinusSpleen:
    """Difference of liver and spleen on unenhanced CT, with the criteria of steatosis."""

    name: str = "ct-liver-spleen"
    version: str = "1"
    title: str = "Liver minus spleen"
    concept: Code = DIFFERENCE
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = ABDOMEN_CT
    needs: tuple[Need, ...] = (LIVER_NEED, SPLEEN_NEED)

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        ready = prepared(ctx, self.title)
        if not isinstance(ready, Ready):
            return (refused(self, ids.take(), *ready),)
        samples = {role: sample(ctx, ready, role) for role in ("liver", "spleen")}
        liver, spleen = samples["liver"], samples["spleen"]
        if not isinstance(liver, Sample):
            return (refused(self, ids.take(), *liver),)
        if not isinstance(spleen, Sample):
            return (refused(self, ids.take(), *spleen),)
        enhanced = _enhanced(ctx, liver, spleen)
        if enhanced:
            return (refused(self, ids.take(), RefusalCode.WRONG_PHASE, enhanced),)
        difference = liver.mean - spleen.mean
        regions = tuple(
            part
            for role, one in (("Liver", liver), ("Spleen", spleen))
            for part in (
                mask_polygon(ctx.stack, one.mask),
                kept(
                    ctx, masks, one.mask, label=f"{role} density", side=Side.NONE, concept=_CODES[role]
                ),
            )
        )
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=(
                    quantity(
                        "density_difference",
                        difference,
                        uncertainty=math.hypot(liver.half_width, spleen.half_width),
                    ),
                    quantity("liver_density", liver.mean, uncertainty=liver.half_width),
                    quantity("spleen_density", spleen.mean, uncertainty=spleen.half_width),
                ),
                regions=regions,
                source=source(self),
                report_default=self.report_default,
                checks=(
                    "places shown by a person",
                    "no contrast agent named, densities are those of unenhanced organs",
                    f"liver at most {STEATOSIS_HU:g} HU: {_yes(liver.mean <= STEATOSIS_HU)}",
                    "liver more than 10 HU below the spleen: "
                    f"{_yes(difference < STEATOSIS_DIFFERENCE_HU)}",
                ),
                warnings=(phase_words(ctx.series), *_doubts(liver), *_doubts(spleen)),
            ),
        )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _enhanced(ctx: MeasureContext, liver: Sample, spleen: Sample) -> str:
    """Return why the difference says nothing on this scan, or an empty text."""
    if contrast_named(ctx.series):
        return (
            "Liver minus spleen is read on unenhanced CT; the header names a contrast agent "
            f"({ctx.series.contrast_agent.strip()})."
        )
    if liver.mean > ENHANCED_HU["liver"] or spleen.mean > ENHANCED_HU["spleen"]:
        return (
            "Liver minus spleen is read on unenhanced CT; these organs are as dense as after contrast "
            f"(liver {liver.mean:.0f}, spleen {spleen.mean:.0f} HU)."
        )
    return ""


_CODES = {
    "Liver": Code(value="10200004", scheme="SCT", meaning="Liver"),
    "Spleen": Code(value="78961009", scheme="SCT", meaning="Spleen"),
}

LIVER_DENSITY = OrganDensity(
    name="ct-liver-density",
    title="Liver density",
    role="liver",
    concept=_CODES["Liver"],
    needs=(LIVER_NEED,),
)
SPLEEN_DENSITY = OrganDensity(
    name="ct-spleen-density",
    title="Spleen density",
    role="spleen",
    concept=_CODES["Spleen"],
    needs=(SPLEEN_NEED,),
)
