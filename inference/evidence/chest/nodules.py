"""Nodule candidates on CT of the chest, with their sizes, and the search that gave them.

Recipe, sources and measured sensitivity in docs/evidence/ct-nodules.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from inference.evidence.chest.blobs import blobs
from inference.evidence.chest.nodule_size import Size, measured
from inference.evidence.chest.scene import CHEST_CT, Scene, scene
from inference.evidence.lung_mask import LUNG
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import Box, bounds
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
    ReportDefault,
    Search,
    SearchResult,
    Side,
)

NODULE = Code(value="27925004", scheme="SCT", meaning="Nodule")

MOST = 10
"""Candidates of a scan that are listed, best first."""

LOOKED_AT = 30
LEAST_SCORE = 9.0
"""Below this, balls that were inserted are rarer than vessels by far."""

SMALLEST_MM, SMALLEST_SLICES, LARGEST_MM = 3.5, 1.2, 36.0
"""A candidate measures at least so many mm and slices, and at most so many mm."""

BODY_SHARE = (0.4, 3.0)
"""Volume of a candidate over that of a ball of its diameters: steps of the wall have less."""

THICK_MM = 2.5
THICK_SHARE = 1.0 / 3.0

SENSITIVITY, MEASURED_MM = 0.85, (1.0, 3.0)
"""Least share found over slices of 1, 1.5, 2, 2.5 and 3 mm; of other slices no share is known."""

SENSITIVITY_ON = (
    "solid balls of 4-30 mm inserted into synthetic chest CT, slices of 1 to 3 mm, "
    "8 false candidates a scan"
)

THIRDS = ("lower", "middle", "upper")


@dataclass(frozen=True, eq=False)
class _Found:
    size: Size
    score: float
    place: tuple[int, int, int]
    side: Side


@dataclass(frozen=True)
class CtNodules:
    """Round dense places in the lungs: candidates for a reader to walk, never a statement."""

    name: str = "ct-nodules"
    version: str = "1"
    title: str = "Nodule candidates"
    concept: Code = NODULE
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, best first, then the search; or one refusal."""
        chest = scene(ctx, "The search for nodules")
        if not isinstance(chest, Scene):
            return (refused(self, ids.take(), *chest),)
        found, left_out = _candidates(ctx, chest)
        listed = [
            self._candidate(ctx, chest, one, number, ids=ids, masks=masks)
            for number, one in enumerate(found, start=1)
        ]
        return (*listed, self._search(ctx, chest, listed, left_out, ids=ids, masks=masks))

    def _candidate(
        self, ctx: MeasureContext, chest: Scene, one: _Found, number: int, *, ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:  # fmt: skip
        label = f"Nodule candidate {number}"
        mask = np.zeros(chest.hu.shape, dtype=bool)
        mask[one.size.box] = one.size.mask
        regions = chest.regions(ctx, masks, mask, label=label, side=one.side, concept=NODULE)
        size = one.size
        apart = size.length_uncertainty_mm
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=NODULE,
            label=label,
            side=one.side,
            anatomy="lung",
            values=(
                quantity("long", size.diameters.longest, uncertainty=apart),
                quantity("short", size.diameters.perpendicular, uncertainty=apart),
                quantity("mean_diameter", size.mean_mm, uncertainty=apart),
                quantity("nodule_volume", size.volume_mm3, uncertainty=size.volume_uncertainty_mm3),
                quantity("mean_density", size.core_hu),
            ),
            regions=regions,
            source=source(self),
            report_default=self.report_default,
            checks=(f"{_third(chest, one)} third of the height of this lung",),
            warnings=_warnings(size, chest),
        )

    def _search(
        self, ctx: MeasureContext, chest: Scene, listed: list[Evidence], left_out: int, *,
        ids: IdSource, masks: MaskStore,
    ) -> Evidence:  # fmt: skip
        regions = [
            chest.regions(
                ctx, masks, mask, label=f"{side.value.capitalize()} lung", side=side, concept=LUNG
            )[1]
            for side, mask in ((Side.RIGHT, chest.right), (Side.LEFT, chest.left))
            if mask.any()
        ]
        thick = max(chest.spacing) > THICK_MM
        whole = not chest.lungs.cut and chest.right.any() and chest.left.any()
        warnings = []
        if thick:
            warnings.append(f"slices over {THICK_MM:g} mm: small nodules may be missed")
        if not whole:
            warnings.append("the lungs are not whole in the images")
        if left_out:
            warnings.append(f"{left_out} weaker candidates are not listed")
        stated = sensitivity_at(chest.spacing[0])
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=NODULE,
            label="Search for nodules",
            side=Side.BILATERAL,
            anatomy="lung",
            regions=tuple(regions),
            source=source(self),
            report_default=self.report_default,
            warnings=tuple(warnings),
            search=Search(
                target=NODULE,
                searched="both lungs, closed over vessels and lesions at the wall",
                coverage=1.0 if whole else 0.5,
                complete=bool(whole) and not thick,
                requires=(f"slices up to {THICK_MM:g} mm",),
                detection_limit=quantity("mean_diameter", max(4.0, 2.0 * max(chest.spacing))),
                sensitivity=stated,
                sensitivity_on="" if stated is None else SENSITIVITY_ON,
                accepted=False,
                result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
                candidates=tuple(one.id for one in listed),
            ),
        )


def sensitivity_at(slice_mm: float) -> float | None:
    """Return the measured sensitivity for slices so far apart; none where it was not measured."""
    return SENSITIVITY if MEASURED_MM[0] <= round(slice_mm, 1) <= MEASURED_MM[1] else None


def _candidates(ctx: MeasureContext, chest: Scene) -> tuple[list[_Found], int]:
    """Return what is listed, best first, and how many more were found."""

    def go_on() -> None:
        if ctx.cancelled():
            raise ToolCancelled

    both = chest.both
    box = bounds(both, margin=(2, 4, 4))
    hu, inside = chest.hu[box], both[box]
    go_on()
    least = max(SMALLEST_MM, SMALLEST_SLICES * max(chest.spacing))
    found: list[_Found] = []
    for blob in blobs(hu, inside, chest.spacing, go_on=go_on)[:LOOKED_AT]:
        go_on()
        if blob.score < LEAST_SCORE:
            break
        peak = blob.peak
        size = measured(hu, inside, peak.place, peak.diameter_mm, chest.spacing)
        if size is None or not least <= size.mean_mm <= LARGEST_MM or not _is_body(size):
            continue
        size = _moved(size, box)
        place = _middle(size)
        side = chest.side_at(place)
        if side is Side.UNKNOWN or any(_overlap(size, other.size) for other in found):
            continue
        found.append(_Found(size, blob.score, place, side))
    return found[:MOST], max(0, len(found) - MOST)


def _is_body(size: Size) -> bool:
    """Tell a body from the edge of one: its volume is not far from that of a ball of its size."""
    share = size.volume_mm3 / (np.pi / 6.0 * size.mean_mm**3)
    return bool(BODY_SHARE[0] <= share <= BODY_SHARE[1])


def _moved(size: Size, box: Box) -> Size:
    spans = [
        slice(span.start + by.start, span.stop + by.start)
        for span, by in zip(size.box, box, strict=True)
    ]
    return replace(size, box=(spans[0], spans[1], spans[2]))


def _middle(size: Size) -> tuple[int, int, int]:
    """Return the voxel of the mask that is nearest to its middle."""
    voxels = np.argwhere(size.mask)
    nearest = voxels[((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    z, y, x = (int(at) + span.start for at, span in zip(nearest, size.box, strict=True))
    return z, y, x


def _overlap(one: Size, other: Size) -> bool:
    """Tell whether two places share voxels: the same body, found twice."""
    common = []
    for a, b in zip(one.box, other.box, strict=True):
        low, high = max(a.start, b.start), min(a.stop, b.stop)
        if low >= high:
            return False
        common.append((low, high))
    first = one.mask[
        tuple(
            slice(low - s.start, high - s.start) for (low, high), s in zip(common, one.box, strict=True)
        )
    ]
    second = other.mask[
        tuple(
            slice(low - s.start, high - s.start)
            for (low, high), s in zip(common, other.box, strict=True)
        )
    ]
    return bool((first & second).any())


def _third(chest: Scene, one: _Found) -> str:
    mask = chest.right if one.side is Side.RIGHT else chest.left
    planes = np.flatnonzero(mask.any(axis=(1, 2)))
    part = (one.place[0] - planes[0]) / max(1, planes[-1] - planes[0] + 1)
    return THIRDS[min(2, int(3 * part))]


def _warnings(size: Size, chest: Scene) -> tuple[str, ...]:
    found = ["a candidate, not a finding: vessels and scars look alike"]
    if chest.spacing[0] > size.mean_mm * THICK_SHARE:
        found.append("slices are thicker than a third of the size")
    return tuple(found)
