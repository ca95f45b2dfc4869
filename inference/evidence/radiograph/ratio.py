"""Cardiothoracic ratio of a PA chest radiograph.

Recipe and sources in docs/evidence/radiograph-cardiothoracic-ratio.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.radiograph.fields import (
    LEVEL,
    LEVEL_SHIFT,
    Fields,
    NoFields,
    Widths,
    find_fields,
    widths,
)
from inference.evidence.radiograph.picture import (
    CHEST_RADIOGRAPH,
    Misfit,
    Picture,
    lying_word,
    picture,
    view_of,
)
from inference.evidence.radiograph.views import MOST_ASYMMETRY, fields_of
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    RefusalCode,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, Side
from viewer.imaging.measure import Scale, scale_of
from viewer.imaging.regions import Region, Shape

RATIO = Code(value="CTR", scheme="99SIGHTLINE", meaning="Cardiothoracic ratio")

MOST_DOUBT = 0.08
"""Half of what moving the level of the edges changes; more than this is no measure."""

PLAUSIBLE = (0.25, 0.8)


@dataclass(frozen=True)
class CardiothoracicRatio:
    """Width of the heart over that of the thorax, on PA views only."""

    name: str = "cxr-cardiothoracic-ratio"
    version: str = "1"
    title: str = "Cardiothoracic ratio"
    concept: Code = RATIO
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = CHEST_RADIOGRAPH
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        shown = picture(ctx)
        if not isinstance(shown, Picture):
            return (refused(self, ids.take(), *shown),)
        misfit = _view_misfit(ctx)
        if misfit is not None:
            return (refused(self, ids.take(), *misfit),)
        found = fields_of(ctx)
        if not isinstance(found, Fields):
            return (refused(self, ids.take(), *found),)
        measured = _measured(found, shown)
        if not isinstance(measured, _Measured):
            return (refused(self, ids.take(), *measured),)
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=(
                    quantity("cardiothoracic_ratio", measured.widths.ratio, uncertainty=measured.doubt),
                ),
                regions=tuple(
                    _line(ctx, ends, shown)
                    for ends in (measured.widths.heart_ends, measured.widths.thorax_ends)
                ),
                source=source(self),
                report_default=self.report_default,
                checks=(
                    "view PA by View Position (0018,5101)",
                    f"lung fields differ by {100.0 * found.asymmetry:.0f} %",
                    _widths_words(ctx, measured.widths, shown),
                ),
                warnings=_warnings(ctx),
            ),
        )


@dataclass(frozen=True)
class _Measured:
    widths: Widths
    doubt: float


def _view_misfit(ctx: MeasureContext) -> Misfit | None:
    view = view_of(ctx.series)
    if view != "PA":
        named = f"this is {view}" if view else "the header does not name the view"
        return (
            RefusalCode.WRONG_VIEW,
            f"The cardiothoracic ratio is measured on PA views only; {named}.",
        )
    lying = lying_word(ctx.series)
    if lying:
        return (
            RefusalCode.WRONG_VIEW,
            f"The cardiothoracic ratio is measured standing; this is described as {lying.lower()}.",
        )
    return None


def _measured(found: Fields, shown: Picture) -> _Measured | Misfit:
    if found.asymmetry > MOST_ASYMMETRY:
        return (
            RefusalCode.UNCERTAIN,
            "The lung fields differ by more than a fifth: rotated, or one lung is smaller. The "
            "cardiothoracic ratio is not measured.",
        )
    try:
        middle = widths(found)
        ratios = [
            widths(find_fields(shown.small, LEVEL + shift)).ratio
            for shift in (-LEVEL_SHIFT, LEVEL_SHIFT)
        ]
    except NoFields as error:
        return RefusalCode.UNCERTAIN, f"The border of heart or lung is not certain. {error}"
    doubt = max(abs(ratio - middle.ratio) for ratio in ratios)
    if doubt > MOST_DOUBT or not PLAUSIBLE[0] <= middle.ratio <= PLAUSIBLE[1]:
        return (
            RefusalCode.UNCERTAIN,
            "The border of the heart is not certain: measure its width and that of the thorax by hand.",
        )
    return _Measured(middle, doubt)


def _widths_words(ctx: MeasureContext, found: Widths, shown: Picture) -> str:
    """Return both widths, in mm where the image says how large its pixels are."""
    scale = scale_of(ctx.series, ctx.stack.frames[0], ())
    in_mm = isinstance(scale, Scale) and scale.unit == "mm"
    step = shown.step * (scale.column if isinstance(scale, Scale) and in_mm else 1.0)
    unit = "mm" if in_mm else "pixels"
    return f"heart {found.heart * step:.0f} {unit}, thorax {found.thorax * step:.0f} {unit}"


def _warnings(ctx: MeasureContext) -> tuple[str, ...]:
    found = [
        "standing and depth of inspiration are not known from the header",
        "edges of heart and ribs by brightness: check the lines",
    ]
    if ctx.series.spacing_source == "at detector":
        found.append("calibrated at the detector: widths in the patient are smaller")
    return tuple(found)


def _line(
    ctx: MeasureContext, ends: tuple[tuple[float, float], tuple[float, float]], shown: Picture
) -> Region:
    """Return a width as a thin polygon between its ends: regions have no lines."""
    (x0, y0), (x1, y1) = (tuple((value + 0.5) * shown.step - 0.5 for value in end) for end in ends)
    middle = (x0 + x1) / 2.0, (y0 + y1) / 2.0
    return Region(
        shape=Shape.POLYGON,
        series_instance_uid=ctx.series.series_instance_uid,
        sop_instance_uid=ctx.series.instances[ctx.stack.frames[0][0]].sop_instance_uid,
        points=((x0, y0), middle, (x1, y1), (middle[0], middle[1] + 1.0)),
    )
