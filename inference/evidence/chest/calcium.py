"""Calcium by Agatston in a region that a person drew round the heart, on CT without contrast.

Agatston et al., J Am Coll Cardiol 1990, doi 10.1016/0735-1097(90)90282-T. Recipe and limits in
docs/evidence/ct-calcium.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.chest.scene import CHEST_CT, Misfit, header_misfit
from inference.evidence.contrast import contrast_given
from inference.evidence.hounsfield import hounsfield_of
from inference.evidence.kept import outlined
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.seeds import frame_index, seed_mm, to_voxel
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
from viewer.imaging.contour import inside_polygon
from viewer.imaging.regions import Shape, outline
from viewer.imaging.volume import Volume

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]

CALCIUM = Code(value="112058", scheme="DCM", meaning="Calcium score")
HEART, TOP, BOTTOM = "heart", "heart_top", "heart_bottom"

CALCIUM_HU, CALCIUM_SPAN_HU = 130, 10
"""Denser than the first is calcium; the score's uncertainty is half its change over this much."""

PEAKS_HU = (200, 300, 400)
"""A body counts once, twice, three or four times its area as its peak reaches none to all of these."""

SMALLEST_MM2 = 1.0
SLICE_MM, SLICES_MM = 3.0, (2.4, 3.05)
"""Slices of the recipe, and those that are measured with the score scaled to them."""

UPRIGHT = 0.97
"""Least share of the slice axis along the patient: about 14 degrees of tilt."""


@dataclass(frozen=True)
class CtCalcium:
    """Agatston score of everything dense in a drawn stretch of the heart."""

    name: str = "ct-calcium"
    version: str = "1"
    title: str = "Calcium in the drawn heart region"
    concept: Code = CALCIUM
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = (
        Need(HEART, NeedShape.AREA, "Draw round the heart, inside ribs and spine, on one image"),
        Need(TOP, NeedShape.LEVEL, "Show the uppermost image of the heart to count"),
        Need(BOTTOM, NeedShape.LEVEL, "Show the lowest image of the heart to count"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return score and volume of calcium, or one refusal."""
        misfit = header_misfit(ctx, self.title) or _unfit(ctx)
        if misfit is not None:
            return (refused(self, ids.take(), *misfit),)
        assert isinstance(ctx.volume, Volume)  # header_misfit refused the rest
        volume, hu = ctx.volume, hounsfield_of(ctx, ctx.volume)
        place = _place(ctx, volume)
        if not isinstance(place, np.ndarray):
            return (refused(self, ids.take(), *place),)
        score, found = agatston(hu, place, volume.spacing)
        low, high = (
            agatston(hu, place, volume.spacing, threshold=CALCIUM_HU + step)[0]
            for step in (CALCIUM_SPAN_HU, -CALCIUM_SPAN_HU)
        )
        mm3 = float(np.count_nonzero(found)) * float(np.prod(volume.spacing))
        regions = [ctx.inputs[HEART]]
        if found.any():
            regions = [*outlined(ctx, masks, found, label=self.title, side=Side.NONE, concept=CALCIUM)]
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=CALCIUM,
                label=self.title,
                side=Side.NONE,
                anatomy="heart",
                values=(
                    quantity("agatston", score, uncertainty=(high - low) / 2.0),
                    quantity("calcium_volume", mm3),
                ),
                regions=tuple(regions),
                source=source(self),
                report_default=self.report_default,
                checks=(
                    f"over {CALCIUM_HU} HU, bodies of at least {SMALLEST_MM2:g} mm² on a slice",
                    f"{int(place.any(axis=(1, 2)).sum())} slices {volume.spacing[0]:g} mm apart",
                ),
                warnings=(
                    "not known to be gated to the heart beat: motion blurs and doubles calcium",
                    "valves, aortic wall, pericardium, stents and clips in the drawn stretch count too",
                ),
            ),
        )


def agatston(
    hu: IntArray, place: BoolArray, spacing: tuple[float, float, float], *, threshold: int = CALCIUM_HU
) -> tuple[float, BoolArray]:
    """Return the score of a place and the voxels that count.

    Parameters
    ----------
    hu, place
        (slice, row, column), slices across the patient.
    spacing
        mm; the score is scaled from its slice spacing to slices of 3 mm.
    """
    from scipy import ndimage

    pixel_mm2 = spacing[1] * spacing[2]
    counted = np.zeros(place.shape, dtype=bool)
    score = 0.0
    for index in np.flatnonzero(place.any(axis=(1, 2))):
        plane = hu[index]
        labels, count = ndimage.label((plane > threshold) & place[index], structure=np.ones((3, 3)))
        if count == 0:
            continue
        areas = np.bincount(labels.ravel(), minlength=count + 1) * pixel_mm2
        peaks = ndimage.maximum(plane, labels, np.arange(count + 1))
        areas[0] = 0.0
        kept = areas >= SMALLEST_MM2 - 1e-6
        score += float((areas * (1 + np.digitize(peaks, PEAKS_HU)))[kept].sum())
        counted[index] = kept[labels]
    return score * spacing[0] / SLICE_MM, counted


def _unfit(ctx: MeasureContext) -> Misfit | None:
    """Return why calcium cannot be counted on these images, or none."""
    assert isinstance(ctx.volume, Volume)
    contrast = contrast_given(ctx.series)
    if contrast or ctx.enhanced:
        why = f"the header names contrast ({contrast})" if contrast else "the vessels are enhanced"
        return RefusalCode.WRONG_PHASE, f"Calcium is counted on CT without contrast; here {why}."
    along = abs(float(ctx.volume.affine[2, 2])) / ctx.volume.spacing[0]
    if along < UPRIGHT:
        return RefusalCode.GEOMETRY, "Calcium is counted on axial images; these are not."
    apart = ctx.volume.spacing[0]
    if not SLICES_MM[0] <= apart <= SLICES_MM[1]:
        return (
            RefusalCode.GEOMETRY,
            f"The score is defined for slices of 3 mm; these are {apart:.3g} mm apart.",
        )
    return None


def _place(ctx: MeasureContext, volume: Volume) -> BoolArray | Misfit:
    """Return the outline carried from the lower to the upper level, or why there is none."""
    drawn = ctx.inputs[HEART]
    index = frame_index(ctx, drawn)
    if index is None or drawn.shape in (Shape.POINT, Shape.MASK):
        return (
            RefusalCode.OUTSIDE_IMAGE,
            "The heart is not drawn as an outline on an image of this series.",
        )
    ends = [index]
    for role in (TOP, BOTTOM):
        middle = seed_mm(ctx, ctx.inputs[role])
        if middle is None:
            return RefusalCode.OUTSIDE_IMAGE, "A level is not on an image of this series."
        ends.append(round(float(to_voxel(volume, middle)[0])))
    count, rows, columns = volume.stored.shape[:3]
    inside = inside_polygon(outline(drawn, segments=360), (rows, columns))
    if not inside.any() or min(ends) < 0 or max(ends) >= count:
        return RefusalCode.OUTSIDE_IMAGE, "The outline or a level lies outside the images."
    if not min(ends[1:]) <= index <= max(ends[1:]):
        return RefusalCode.OUTSIDE_IMAGE, "The heart is drawn outside the two levels."
    place = np.zeros((count, rows, columns), dtype=bool)
    place[min(ends) : max(ends) + 1] = inside
    return place
