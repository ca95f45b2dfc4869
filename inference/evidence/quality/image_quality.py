"""Quality of the images of a series: noise, signal, truncation, metal, jumps, clipping, exposure.

Recipe in docs/evidence/image-quality.md. Its warnings reach the limitations of a draft; they speak only
where a reader would have to know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from inference.evidence.masks import MaskStore
from inference.evidence.quality.measures import (
    air_noise,
    clipped_share,
    cut_share,
    jumps,
    metal_share,
    signal_to_noise,
    tissue_noise,
)
from inference.evidence.quality.sampled import Sample, sample_of
from inference.evidence.quantities import quantity
from inference.evidence.tool import EVERYTHING, Applies, IdSource, MeasureContext, Need, source
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side

QUALITY = Code(value="IMAGEQUALITY", scheme="99SIGHTLINE", meaning="Image quality")

PHASE = frozenset(("P", "PHASE", "R", "REAL", "I", "IMAGINARY"))
"""Image types of MR whose values are no magnitude: their air holds no Rayleigh noise."""

RADIOGRAPHS = ("CR", "DX")

NOISY_HU = 60.0
"""Noise in soft tissue above this hides contrast of 20 HU even after averaging over 3 x 3 pixels."""

WEAK_SIGNAL = 8.0
METAL_PERCENT = 0.005
CUT_PERCENT = 25.0
CLIPPED_PERCENT = 5.0
DEVIATION = 3.0
"""Deviation index: half or double the dose that was meant (IEC 62494-1; AAPM TG 116)."""

THICK_CT_MM = 5.5
GAP = 1.5
"""Spacing over thickness from which gaps between slices are worth a word."""


@dataclass
class _Judged:
    values: list[Quantity] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(
        self, name: str, value: float | None, *, limit: float, warning: str, above: bool = True
    ) -> None:
        """Keep a value where there is one, with a warning beyond its limit."""
        if value is None or not math.isfinite(value):
            return
        self.values.append(quantity(name, value))
        if (value > limit) if above else (value < limit):
            self.warnings.append(warning.format(self.values[-1].text))


@dataclass(frozen=True)
class ImageQuality:
    """Whether the images carry what is read from them."""

    name: str = "image-quality"
    version: str = "1"
    title: str = "Image quality"
    concept: Code = QUALITY
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = EVERYTHING
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or none of colour pictures and of images too small to judge."""
        sample = sample_of(ctx)
        if sample is None:
            return ()
        judged = _Judged()
        if sample.is_hu:
            _of_ct(ctx, sample, judged)
        elif ctx.series.modality == "MR" and not PHASE & set(ctx.series.image_type):
            _of_mr(sample, judged)
        elif ctx.series.modality in RADIOGRAPHS:
            _of_radiograph(ctx, sample, judged)
        if ctx.series.modality in ("CT", "MR", "PT") and ctx.series.verdict.is_volume:
            _of_stack(ctx, judged)
        if not judged.values and not judged.warnings:
            return ()
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=tuple(judged.values),
                source=source(self),
                report_default=self.report_default,
                checks=(f"{len(sample.values)} images looked at", *judged.checks),
                warnings=tuple(judged.warnings),
            ),
        )


def _of_ct(ctx: MeasureContext, sample: Sample, judged: _Judged) -> None:
    judged.add(
        "noise",
        tissue_noise(sample),
        limit=NOISY_HU,
        warning="noise of {} in soft tissue: low-contrast findings may be hidden",
    )
    judged.add("noise_air", air_noise(sample), limit=math.inf, warning="")
    judged.add(
        "metal",
        metal_share(sample),
        limit=METAL_PERCENT,
        warning="metal (over 3000 HU): streaks may hide what lies beside it",
    )
    judged.add(
        "cut",
        cut_share(sample),
        limit=CUT_PERCENT,
        warning="the body reaches the edge of the field of view on {} of the slices",
    )
    thickness = ctx.series.slice_thickness
    if thickness and THICK_CT_MM < thickness < 50.0:
        judged.warnings.append(f"slices of {thickness:g} mm: small findings average out")


def _of_mr(sample: Sample, judged: _Judged) -> None:
    judged.add(
        "signal_to_noise",
        signal_to_noise(sample),
        limit=WEAK_SIGNAL,
        above=False,
        warning="signal only {} times the noise",
    )


def _of_radiograph(ctx: MeasureContext, sample: Sample, judged: _Judged) -> None:
    judged.add(
        "clipped",
        clipped_share(sample.values[0]),
        limit=CLIPPED_PERCENT,
        warning="{} of the middle of the image stand at one limit of its values: detail is lost there",
    )
    facts = ctx.series.acquisition
    judged.add("exposure_index", facts.exposure_index, limit=math.inf, warning="")
    deviation = facts.deviation_index
    if deviation is not None and abs(deviation) < 100.0:
        judged.values.append(quantity("deviation_index", deviation))
        if abs(deviation) >= DEVIATION:
            word = "over" if deviation > 0 else "under"
            judged.warnings.append(f"{word}exposed (deviation index {judged.values[-1].text})")


def _of_stack(ctx: MeasureContext, judged: _Judged) -> None:
    spacing, thickness = ctx.series.verdict.spacing, ctx.series.slice_thickness
    if spacing and thickness and spacing > GAP * thickness:
        judged.warnings.append(
            f"slices of {thickness:g} mm stand {spacing:.3g} mm apart: what lies between is not seen"
        )
    found = jumps(ctx.stack.stored)
    if found:
        places = ", ".join(str(place) for place in found[:5])
        judged.warnings.append(f"the stack jumps after image {places}: the patient may have moved")
    elif len(ctx.stack.stored) > 1:
        judged.checks.append("no jump between slices")
