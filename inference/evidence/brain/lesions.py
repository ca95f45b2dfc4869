"""MR brain: candidates of bright lesions on FLAIR or T2, and the record of the search.

Recipe and measured limits in docs/evidence/mr-brain-lesions.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.brain.bright import OVER_SPREAD, Bright, Found, search
from inference.evidence.brain.prepared import RIM_MM, Brain, brain_of
from inference.evidence.brain.sequence import Misfit, Weighting, weighting_of
from inference.evidence.kept import outlined
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
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, Search, SearchResult, Side
from viewer.imaging.geometry import FloatArray
from viewer.imaging.volume import Volume

BRIGHT_LESION = Code(value="BRIGHTLESION", scheme="99SIGHTLINE", meaning="White matter lesion")
"""What the template of brain MR names as the search for white matter lesions."""

HEAD_MR = Applies(frozenset({"MR"}), frozenset({"head"}))

THICKEST_MM = 7.0
"""Slices further apart cut lesions of the usual size out of the images."""

SIDE_MARGIN_MM = 6.0
"""A place closer than this to the middle of the brain around it has no certain side."""

LIMIT_MM = 5.0
SENSITIVITY = 1.0
SENSITIVITY_ON = (
    "phantom of this program: 90 balls of 5-15 mm in even white matter, FLAIR and T2, slices of "
    "1.5-5 mm; no patient data"
)
"""What `inference.evaluation.brain_phantom.table` measures."""


@dataclass(frozen=True)
class BrightLesions:
    """Candidates of white matter lesions on FLAIR or T2."""

    name: str = "mr-brain-lesions"
    version: str = "1"
    title: str = "Bright lesions of the brain"
    concept: Code = BRIGHT_LESION
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = HEAD_MR
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return the candidates, the largest first, then the record of the search; or one refusal.

        A series of unknown body region is searched on FLAIR only, which is made of the brain: other
        parts on T2 may have the size of a brain.
        """
        weighting = weighting_of(ctx.series)
        if not isinstance(weighting, Weighting):
            return (refused(self, ids.take(), *weighting),)
        if weighting is Weighting.T2 and "head" not in ctx.body_region:
            reason = "Nothing says that these T2-weighted images show the head: name it in the request."
            return (refused(self, ids.take(), RefusalCode.WRONG_REGION, reason),)
        brain = _prepared(ctx)
        if not isinstance(brain, Brain):
            return (refused(self, ids.take(), *brain),)
        if ctx.cancelled():
            raise ToolCancelled
        found = search(brain, weighting)
        warnings = _warnings(ctx, weighting)
        candidates = tuple(
            self._candidate(ctx, brain, body, number, warnings, ids=ids, masks=masks)
            for number, body in enumerate(found.listed, start=1)
        )
        return (
            *candidates,
            self._search(
                ctx,
                brain,
                found,
                candidates,
                weighting=weighting,
                warnings=warnings,
                ids=ids,
                masks=masks,
            ),
        )

    def _candidate(
        self,
        ctx: MeasureContext,
        brain: Brain,
        body: Bright,
        number: int,
        warnings: tuple[str, ...],
        *,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        side = side_of(brain, body)
        label = f"Bright lesion candidate {number}"
        mask = np.zeros_like(brain.mask)
        mask[body.box] = body.mask
        notes = list(warnings)
        if side is Side.UNKNOWN:
            notes.append("near the midline: its side is not told")
        if body.at_fluid > 0.0:
            notes.append("next to fluid: linings and caps of ventricles look alike")
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=BRIGHT_LESION,
            label=label,
            side=side,
            anatomy="brain",
            values=(
                quantity("lesion_ml", body.ml, uncertainty=body.ml_uncertainty),
                quantity("long", body.long_mm, uncertainty=max(brain.volume.spacing[1:])),
                quantity("contrast_to_noise", body.contrast),
            ),
            regions=outlined(
                ctx, masks, brain.whole(mask), label=label, side=side, concept=BRIGHT_LESION
            ),
            source=source(self),
            report_default=self.report_default,
            checks=(
                f"brighter than the brain by {body.contrast:.1f} robust SD",
                f"{body.depth_mm:.0f} mm or more from the edge of the brain",
            ),
            warnings=tuple(notes),
        )

    def _search(
        self,
        ctx: MeasureContext,
        brain: Brain,
        found: Found,
        candidates: tuple[Evidence, ...],
        *,
        weighting: Weighting,
        warnings: tuple[str, ...],
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        searched = brain.searched
        more = len(found.bodies) - len(candidates)
        notes = [f"the outer {RIM_MM:.0f} mm of the brain, with most of its cortex, were not searched"]
        span = brain.box[0]
        if span.start == 0 or span.stop == brain.volume.stored.shape[0]:
            notes.append("the images end within the brain")
        if more:
            notes.append(f"{more} smaller candidates are not listed")
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=BRIGHT_LESION,
            label="Search for bright lesions of the brain",
            side=Side.NONE,
            anatomy="brain",
            regions=outlined(
                ctx,
                masks,
                brain.whole(searched),
                label="Searched for bright lesions",
                side=Side.NONE,
                concept=BRIGHT_LESION,
            ),
            source=source(self),
            report_default=self.report_default,
            checks=(
                f"{weighting.value} by the header",
                f"threshold {OVER_SPREAD:.0f} robust SD over the median of the brain",
                f"brain mask of {brain.ml(brain.mask):.0f} mL",
                *(f"left out: {count} {name}" for name, count in sorted(found.left_out.items())),
            ),
            warnings=(*notes, *warnings),
            search=Search(
                target=BRIGHT_LESION,
                searched=f"brain without its outer {RIM_MM:.0f} mm",
                coverage=brain.ml(searched) / brain.ml(brain.mask),
                complete=False,
                requires=("FLAIR",),
                detection_limit=quantity("long", LIMIT_MM),
                sensitivity=SENSITIVITY,
                sensitivity_on=SENSITIVITY_ON,
                accepted=False,
                result=SearchResult.CANDIDATES if candidates else SearchResult.NONE,
                candidates=tuple(one.id for one in candidates),
            ),
        )


def _prepared(ctx: MeasureContext) -> Brain | Misfit:
    volume = ctx.volume
    if not isinstance(volume, Volume):
        reason = f"Bright lesions need evenly spaced parallel slices: {volume.reason}"
        return RefusalCode.GEOMETRY, reason
    if max(volume.spacing) > THICKEST_MM:
        reason = f"The images are {max(volume.spacing):.1f} mm apart: lesions fall between them."
        return RefusalCode.GEOMETRY, reason
    return ctx.once("brain", lambda: brain_of(volume))


def side_of(brain: Brain, body: Bright) -> Side:
    """Return the side of a body from the middle of the brain around its height and depth.

    The middle is taken between the right and left edge of the brain within 10 mm of the line through
    the body along patient x, so that a turned or bent head has its own middle at each place.
    """
    voxels = np.argwhere(body.mask) + np.array([one.start for one in body.box])
    x, y, z = _places(brain, voxels).mean(axis=0)
    # Slices of the box that hold the line: a coarse cloud of the mask is enough for its edges.
    step = max(1, round(2.0 / min(brain.volume.spacing)))
    cloud = np.argwhere(brain.mask[:, ::step, ::step]) * np.array([1, step, step])
    places = _places(brain, cloud)
    close = places[(np.abs(places[:, 1] - y) < 10.0) & (np.abs(places[:, 2] - z) < 10.0), 0]
    if close.size == 0:
        return Side.UNKNOWN
    low, high = np.percentile(close, (1.0, 99.0))
    offset = float(x - (low + high) / 2.0)
    if abs(offset) < SIDE_MARGIN_MM:
        return Side.UNKNOWN
    return Side.LEFT if offset > 0 else Side.RIGHT


def _places(brain: Brain, voxels: npt.NDArray[np.signedinteger]) -> FloatArray:
    """Return LPS mm of (n, 3) slice, row, column of the brain's box."""
    whole = voxels + np.array([span.start for span in brain.box])
    affine = brain.volume.affine
    places: FloatArray = whole[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    return places


def _warnings(ctx: MeasureContext, weighting: Weighting) -> tuple[str, ...]:
    found = []
    if weighting is Weighting.T2:
        found.append(
            "on T2 fluid is as bright as lesions: cysts, and lesions next to fluid, are not told"
        )
    if isinstance(ctx.volume, Volume) and max(ctx.volume.spacing) > 4.0:
        found.append(f"images {max(ctx.volume.spacing):.1f} mm apart: small lesions are missed")
    if ctx.series.contrast_agent.strip():
        found.append("after contrast medium: enhancement may be as bright as a lesion")
    return tuple(found)
