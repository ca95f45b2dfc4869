"""PET hot spots: peaks of uptake as candidates, and the search that gave them.

Recipe and sources in docs/evidence/pet-hot-spots.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.evidence.contours import mask_polygon
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.pet.places import BodyMap, body_map, place_of, side_at, usual_places
from inference.evidence.pet.reference import LIVER_ROLE, liver_threshold
from inference.evidence.pet.scale import SuvImage, suv_image
from inference.evidence.pet.uptake import Uptake, find_uptake
from inference.evidence.quantities import quantity
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    ToolCancelled,
    refused,
    source,
)
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    Quantity,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)
from viewer.imaging.regions import Region

PET = Applies(frozenset({"PT"}))

UPTAKE = Code(value="FOCALUPTAKE", scheme="99SIGHTLINE", meaning="Focal radiotracer uptake")
BODY = Code(value="123037004", scheme="SCT", meaning="Body structure")

FIXED_SUV = 4.0
"""Threshold without a liver reference (Barrington and Meignan, J Nucl Med 2019; 60: 1096)."""

MOST = 40
"""Candidates that are listed, hottest first; the search says how many more there are."""

MAX_SHARE, PEAK_SHARE = 0.056, 0.025
"""Noise of replicate scans: within-patient SD of SUVmax and SUVpeak (doi 10.2967/jnumed.111.101733)."""


@dataclass(frozen=True)
class PetHotSpots:
    """Lists peaks of uptake over a threshold; what they are a reader says."""

    name: str = "pet-hot-spots"
    version: str = "1"
    title: str = "Hot spots on PET"
    concept: Code = UPTAKE
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = PET
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, hottest first, then the search; or one refusal."""
        image = suv_image(ctx)
        if not isinstance(image, SuvImage):
            return (refused(self, ids.take(), *image),)

        def go_on() -> None:
            if ctx.cancelled():
                raise ToolCancelled

        threshold, liver, how = _threshold(ctx, image)
        found = find_uptake(image.values, image.volume.spacing, threshold, go_on=go_on)
        go_on()
        body = body_map(image.values, image.volume)
        organs = _organs(image, body, found)
        listed: list[Evidence] = []
        for number, (one, organ) in enumerate(zip(found[:MOST], organs, strict=False), start=1):
            go_on()
            listed.append(
                self._candidate(
                    ctx, image, one, number=number, organ=organ, body=body, liver=liver, how=how,
                    ids=ids, masks=masks,
                )
            )  # fmt: skip
        search = self._search(
            ctx, image, tuple(listed), threshold=threshold, how=how, body=body, count=len(found),
            ids=ids, masks=masks,
        )  # fmt: skip
        return (*listed, search)

    def _candidate(
        self,
        ctx: MeasureContext,
        image: SuvImage,
        one: Uptake,
        *,
        number: int,
        organ: str,
        body: BodyMap | None,
        liver: float | None,
        how: str,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        side = Side.UNKNOWN if body is None else side_at(body, place_of(image.volume, one.hottest))
        label = f"Hot spot {number}"
        mask = np.zeros(image.values.shape, dtype=bool)
        mask[one.box] = one.mask
        region = kept(ctx, masks, mask, label=label, side=side, concept=UPTAKE)
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=UPTAKE,
            label=f"{label}, {organ}?" if organ else label,
            side=side,
            values=_values(image, one, liver),
            regions=(mask_polygon(ctx.stack, mask), region),
            source=source(self),
            report_default=self.report_default,
            checks=(*image.facts, how),
            warnings=_warnings(one, organ),
        )

    def _search(
        self,
        ctx: MeasureContext,
        image: SuvImage,
        listed: tuple[Evidence, ...],
        *,
        threshold: float,
        how: str,
        body: BodyMap | None,
        count: int,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        regions: tuple[Region, ...] = ()
        if body is not None:
            label = "Body searched on PET"
            regions = (kept(ctx, masks, body.mask, label=label, side=Side.NONE, concept=BODY),)
        more = count - len(listed)
        warnings = [
            "uptake below the threshold, and lesions within usual uptake, are not listed",
            "the tracer is not read: what is usual is that of FDG",
        ]
        if more:
            warnings.insert(0, f"{more} weaker peaks are over the threshold and not listed")
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=UPTAKE,
            label="Search for hot spots",
            side=Side.NONE,
            values=(image.suv("suv_threshold", threshold), *image.told),
            regions=regions,
            source=source(self),
            report_default=self.report_default,
            checks=(*image.facts, how),
            warnings=tuple(warnings),
            search=Search(
                target=UPTAKE,
                searched="all images of this PET series",
                coverage=1.0,
                complete=False,
                requires=("PET in SUV",),
                detection_limit=quantity("long", DETECTED_MM),
                sensitivity=SENSITIVITY,
                sensitivity_on=SENSITIVITY_ON,
                result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
                candidates=tuple(one.id for one in listed),
            ),
        )


DETECTED_MM = 13.0
SENSITIVITY = 0.97
SENSITIVITY_ON = (
    "60 spheres of 13 to 37 mm, 5 to 8 : 1, in analytic phantoms with 12 % noise; no patients"
)
"""What `inference.evaluation.pet_phantom.table` measures."""


def _threshold(ctx: MeasureContext, image: SuvImage) -> tuple[float, float | None, str]:
    """Return the threshold, the liver's mean where a person showed it, and how it was made."""
    if LIVER_ROLE in ctx.inputs:
        measured = liver_threshold(ctx, image)
        if measured is not None:
            mean, threshold = measured
            return threshold, mean, "threshold 1.5 × liver mean + 2 SD (PERCIST, on SUVbw)"
    return FIXED_SUV, None, f"fixed threshold {image.kind} {FIXED_SUV:g}"


def _organs(image: SuvImage, body: BodyMap | None, found: tuple[Uptake, ...]) -> tuple[str, ...]:
    if body is None or not image.is_fluorine:
        return ("",) * len(found)
    places = [place_of(image.volume, _middle(one)) for one in found]
    return usual_places(body, found, places)


def _middle(one: Uptake) -> tuple[int, int, int]:
    """Return the voxel at the middle of a part."""
    at = np.argwhere(one.mask).mean(axis=0)
    middle = [round(float(a)) + span.start for a, span in zip(at, one.box, strict=True)]
    return middle[0], middle[1], middle[2]


def _values(image: SuvImage, one: Uptake, liver: float | None) -> tuple[Quantity, ...]:
    values = [
        image.suv("suv_max", one.maximum, uncertainty=one.maximum * MAX_SHARE),
        image.suv("suv_peak", one.peak, uncertainty=one.peak * PEAK_SHARE),
        image.suv("suv_mean", one.fixed.mean),
        quantity("mtv", one.fixed.ml, uncertainty=one.fixed.ml_uncertainty),
        quantity("tlg", one.fixed.glycolysis, uncertainty=one.fixed.glycolysis_uncertainty),
    ]
    if one.share is not None:
        values += [
            quantity("mtv41", one.share.ml, uncertainty=one.share.ml_uncertainty),
            quantity("tlg41", one.share.glycolysis, uncertainty=one.share.glycolysis_uncertainty),
        ]
    if liver is not None:
        values.append(quantity("liver_ratio", one.peak / liver))
    return tuple(values)


def _warnings(one: Uptake, organ: str) -> tuple[str, ...]:
    found = []
    if organ:
        found.append(f"physiological uptake likely: {organ}, by its place only")
    if one.share is None:
        found.append("the 41 % contour runs into other uptake: no volume by it")
    if one.fixed.ml < 1.0:
        found.append("smaller than the 1 mL of SUVpeak: SUVs read too low")
    return tuple(found)
