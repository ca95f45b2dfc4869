"""Distance of the tip of a tube to the carina, by two clicks.

Recipe and sources in docs/evidence/radiograph-tip-to-carina.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.evidence.masks import MaskStore
from inference.evidence.quantities import MEASURES, Measure, quantity
from inference.evidence.radiograph.picture import CHEST_RADIOGRAPH, Picture, picture
from inference.evidence.seeds import frame_index
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
from viewer.imaging.calibration import PROJECTION_MODALITIES
from viewer.imaging.measure import Refusal, length, scale_of

TIP_ROLE, CARINA_ROLE = "tube_tip", "carina"

CARINA = Code(value="28700002", scheme="SCT", meaning="Carina")
PIXELS = Measure("{pixels}", " px", 0)

CLICK_PIXELS = 2.0
"""Each click is known to this many pixels."""


@dataclass(frozen=True)
class TipToCarina:
    """Distance between two clicks, in mm only as far as the image is calibrated."""

    name: str = "cxr-tip-to-carina"
    version: str = "1"
    title: str = "Tube tip to carina"
    concept: Code = CARINA
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = CHEST_RADIOGRAPH
    needs: tuple[Need, ...] = (
        Need(TIP_ROLE, NeedShape.POINT, "Click the tip of the tube"),
        Need(CARINA_ROLE, NeedShape.POINT, "Click the carina"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        shown = picture(ctx)
        if not isinstance(shown, Picture):
            return (refused(self, ids.take(), *shown),)
        tip, carina = (ctx.inputs[role] for role in (TIP_ROLE, CARINA_ROLE))
        if frame_index(ctx, tip) is None or frame_index(ctx, carina) is None:
            reason = "A place that was shown is not on this radiograph: show it here."
            return (refused(self, ids.take(), RefusalCode.OUTSIDE_IMAGE, reason),)
        ends = [(float(x), float(y)) for x, y in (one.array().mean(axis=0) for one in (tip, carina))]
        found = length(scale_of(ctx.series, ctx.stack.frames[0], ends), ends[0], ends[1])
        if isinstance(found, Refusal):
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, found.reason),)
        in_mm = found.unit == "mm"
        below = ends[0][1] > ends[1][1]
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=(
                    quantity(
                        "tip_to_carina",
                        found.value,
                        uncertainty=2.0 * CLICK_PIXELS * found.uncertainty,
                        measure=MEASURES["tip_to_carina"] if in_mm else PIXELS,
                    ),
                ),
                regions=(tip, carina),
                source=source(self),
                report_default=self.report_default,
                checks=("both places shown by a person", f"calibration {found.source}"),
                warnings=_warnings(ctx.series.modality, found.source, in_mm=in_mm, below=below),
                descriptor="below" if below else "above",
            ),
        )


def _warnings(modality: str, calibration: str, *, in_mm: bool, below: bool) -> tuple[str, ...]:
    found = []
    if not in_mm:
        found.append("image is not calibrated at the patient: the distance is in pixels")
    elif calibration == "at detector" and modality in PROJECTION_MODALITIES:
        found.append("calibrated at the detector: the patient is smaller than measured")
    if below:
        found.append("the tip lies below the carina on the picture")
    return tuple(found)
