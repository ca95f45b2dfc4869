"""Technique: what the header says about how the images were made. Applies to every series."""

from __future__ import annotations

from dataclasses import dataclass

import resources
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.tool import EVERYTHING, Applies, IdSource, MeasureContext, Need, source
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side
from viewer.imaging.study import Series

PROTOCOL = Code(value="125203", scheme="DCM", meaning="Acquisition Protocol")

CONTRAST = "contrast-enhanced"
"""Written only when the header names an agent; its absence proves nothing and is not written."""


@dataclass(frozen=True)
class Technique:
    """Header facts of a series, each in its written form."""

    name: str = "technique"
    version: str = "1"
    title: str = "Technique"
    concept: Code = PROTOCOL
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = EVERYTHING
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence of kind technique; it makes no mask and never refuses."""
        series = ctx.series
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.TECHNIQUE,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                anatomy=body_part_words(series.body_part),
                values=_values(series),
                source=source(self),
                report_default=self.report_default,
                checks=_facts(series),
                warnings=_warnings(series),
                descriptor=CONTRAST if series.contrast_agent.strip() else "",
            ),
        )


def body_part_words(body_part: str) -> str:
    """Return a BodyPartExamined (PS3.16 Annex L) as a word of a report; empty when unknown."""
    table: dict[str, str] = resources.table("phrases", "anatomy.json")["body_parts"]
    return table.get(body_part.strip().upper(), "")


def _values(series: Series) -> tuple[Quantity, ...]:
    values = [quantity("images", series.image_count)]
    if series.slice_thickness:
        values.append(quantity("slice_thickness", series.slice_thickness))
    if series.verdict.spacing:
        values.append(quantity("slice_spacing", series.verdict.spacing))
    if series.kvp:
        values.append(quantity("kvp", series.kvp))
    return tuple(values)


def _facts(series: Series) -> tuple[str, ...]:
    facts = [f"modality {series.modality}" if series.modality else ""]
    facts += [f"body part {series.body_part}" if series.body_part else ""]
    facts += [f"kernel {series.convolution_kernel}" if series.convolution_kernel else ""]
    facts += [f"contrast agent {series.contrast_agent}" if series.contrast_agent else ""]
    facts += [f"geometry {series.verdict.kind.value}"]
    return tuple(fact for fact in facts if fact)


def _warnings(series: Series) -> tuple[str, ...]:
    found = []
    if any(instance.lossy for instance in series.instances):
        ratio = next(
            (instance.lossy_ratio for instance in series.instances if instance.lossy_ratio), ""
        )
        found.append(f"images were compressed with loss{f' ({ratio}:1)' if ratio else ''}")
    if not series.verdict.is_volume and series.image_count > 1:
        found.append(series.verdict.reason)
    return tuple(found)
