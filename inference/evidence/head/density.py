"""CT head: candidates of high density (50-90 HU) inside the skull, and the record of the search.

Recipe, sources and measured limits in docs/evidence/ct-head-density.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.evidence.contrast import contrast_given
from inference.evidence.head.blood import ALONG_SKULL, BLOOD_HU, Dense, Found, search
from inference.evidence.head.prepared import HEAD_CT, Head, head_of
from inference.evidence.kept import outlined
from inference.evidence.lungs import SHARP_KERNELS
from inference.evidence.masks import MaskStore
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
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)

HIGH_DENSITY = Code(
    value="HIGHDENSITY", scheme="99SIGHTLINE", meaning="High-density area inside the skull"
)
HAEMORRHAGE = Code(value="1386000", scheme="SCT", meaning="Intracranial hemorrhage")

LIMIT_MM = 10.0
"""Diameter from which the phantom's bodies were found: `inference.evaluation.head_phantom.table`."""

SENSITIVITY = 1.0
SENSITIVITY_ON = (
    "phantom of this program: 12 bodies of 10-24 mm and layers of 6-12 mm at the skull, 65 HU, noise "
    "4 HU, slices of 4-6 mm; no patient data"
)


@dataclass(frozen=True)
class HeadDensity:
    """Candidates of fresh blood on CT of the head without contrast medium."""

    name: str = "ct-head-density"
    version: str = "1"
    title: str = "High density inside the skull"
    concept: Code = HIGH_DENSITY
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = HEAD_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return the candidates, the largest first, then the record of the search; or one refusal.

        Of a series whose body region is not known and that shows no skull: nothing.
        """
        head = head_of(ctx)
        if not isinstance(head, Head):
            known = "head" in ctx.body_region
            return (refused(self, ids.take(), *head),) if known else ()
        contrast = contrast_given(ctx.series)
        if contrast:
            reason = f"Fresh blood cannot be told from enhancement: {contrast}."
            return (refused(self, ids.take(), RefusalCode.WRONG_PHASE, reason),)
        found = search(head, ctx.cancelled)
        if ctx.cancelled():
            raise ToolCancelled
        if found.too_noisy:
            reason = (
                f"The images are too noisy: brain varies by {head.noise:.0f} HU after smoothing, "
                f"and {len(found.bodies)} places stand out."
            )
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        warnings = _warnings(ctx)
        candidates = tuple(
            self._candidate(ctx, head, body, warnings, ids=ids, masks=masks) for body in found.bodies
        )
        return (*candidates, self._search(ctx, head, found, candidates, ids=ids, masks=masks))

    def _candidate(
        self,
        ctx: MeasureContext,
        head: Head,
        body: Dense,
        warnings: tuple[str, ...],
        *,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        side = head.side(body.mask)
        a, b, c = body.axes_mm
        in_plane, thick = max(head.slices.pixel_mm), float(np.median(head.slices.thick))
        spread = np.hypot(np.sqrt(2.0) * in_plane / a, in_plane * np.sqrt(2.0) / max(b, in_plane))
        abc2_doubt = body.abc2_ml * float(np.hypot(spread, thick / 2.0 / max(c, thick)))
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=HIGH_DENSITY,
            label="High density inside the skull",
            side=side,
            anatomy="brain" if body.along_skull < ALONG_SKULL else "",
            values=(
                quantity("volume_ml", body.volume_ml, uncertainty=body.volume_uncertainty_ml),
                quantity("mean_density", body.mean_hu, uncertainty=body.mean_uncertainty_hu),
                quantity("abc2", body.abc2_ml, uncertainty=abc2_doubt),
                quantity("axis_a", a, uncertainty=in_plane * np.sqrt(2.0)),
                quantity("axis_b", b, uncertainty=in_plane * np.sqrt(2.0)),
                quantity("axis_c", c, uncertainty=thick / 2.0),
                quantity("skull_distance", body.bone_mm, uncertainty=in_plane),
            ),
            regions=outlined(
                ctx,
                masks,
                head.whole(body.mask),
                label="High density",
                side=side,
                concept=HIGH_DENSITY,
            ),
            source=source(self),
            report_default=self.report_default,
            checks=_checks(head, body),
            warnings=(
                *warnings,
                *(("near the midline: its side is not told",) if side is Side.UNKNOWN else ()),
            ),
        )

    def _search(
        self,
        ctx: MeasureContext,
        head: Head,
        found: Found,
        candidates: tuple[Evidence, ...],
        *,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        coverage = head.slices.ml(found.searched) / head.slices.ml(head.inside)
        incomplete = _gaps(ctx, head)
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=HIGH_DENSITY,
            label="Search for high density inside the skull",
            side=Side.NONE,
            anatomy="brain",
            regions=outlined(
                ctx,
                masks,
                head.whole(found.searched),
                label="Searched for high density",
                side=Side.NONE,
                concept=HIGH_DENSITY,
            ),
            source=source(self),
            report_default=ReportDefault.LEDGER_ONLY,
            checks=(
                f"threshold {found.threshold:.0f} HU",
                *(f"left out: {count} {name}" for name, count in sorted(found.left_out.items())),
            ),
            warnings=incomplete,
            search=Search(
                target=HAEMORRHAGE,
                searched="inside of the skull, without 2 mm next to bone",
                coverage=min(coverage, 1.0),
                complete=not incomplete,
                requires=("CT without contrast medium",),
                detection_limit=quantity("long", LIMIT_MM),
                sensitivity=SENSITIVITY,
                sensitivity_on=SENSITIVITY_ON,
                accepted=False,
                result=SearchResult.CANDIDATES if candidates else SearchResult.NONE,
                candidates=tuple(one.id for one in candidates),
            ),
        )


def _checks(head: Head, body: Dense) -> tuple[str, ...]:
    low, high = BLOOD_HU
    checks = [f"{low:.0f}-{high:.0f} HU inside the skull", f"brain around {head.typical:.0f} HU"]
    if body.along_skull >= ALONG_SKULL:
        checks.append(
            f"lies along the skull with {100 * body.along_skull:.0f} % of its outline: "
            "may be outside the brain"
        )
    return tuple(checks)


def _gaps(ctx: MeasureContext, head: Head) -> tuple[str, ...]:
    """Return why the search was not complete, in words; empty when it was."""
    gaps = []
    if not head.cavity.closed_below:
        gaps.append("skull base not searched: beam hardening, or the images end there")
    if not head.cavity.closed_above:
        gaps.append("the images end below the vertex")
    if head.slices.missing:
        gaps.append(f"{head.slices.missing} slices are missing")
    return (*gaps, *_warnings(ctx))


def _warnings(ctx: MeasureContext) -> tuple[str, ...]:
    found = []
    if ctx.series.convolution_kernel.strip().upper().startswith(SHARP_KERNELS):
        found.append(f"sharp kernel ({ctx.series.convolution_kernel}): density at edges reads too high")
    if ctx.series.slice_thickness and ctx.series.slice_thickness > 5.5:
        found.append("slices over 5.5 mm: small bleeding averages out")
    return tuple(found)
