"""Stone candidates within a stretch of the urinary tract that a person drew.

Recipe and sources in docs/evidence/ct-stones.md.
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
from inference.evidence.contours import mask_polygon, trace
from inference.evidence.diameters import Diameters, diameters
from inference.evidence.kept import kept
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import bounds
from inference.evidence.quantities import quantity
from inference.evidence.seeds import frame_index
from inference.evidence.sides import side_of
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
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)
from viewer.imaging.contour import inside_polygon
from viewer.imaging.regions import Shape, outline

BoolArray = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]

ROLE = "urinary_tract"

STONE_HU = 200
"""Stones of 2 mm and more exceed it; soft tissue and most vessel walls do not."""

REACH_MM = 60.0
"""The drawn outline is searched so far towards head and feet of its image."""

SMALLEST_MM3, LARGEST_MM3 = 2.0, 8000.0
"""Smaller is noise, larger is bone or contrast (a sphere of 25 mm)."""

DENSE_SHARE = 0.05
"""More of the searched volume over the threshold than this is contrast, bone or metal."""

FINE = 4
"""The contour is drawn on a grid this much finer than the pixels."""

KIDNEY_HU = 30.0

STONE = Code(value="95570007", scheme="SCT", meaning="Kidney stone")
TRACT = Code(value="122489005", scheme="SCT", meaning="Urinary system")


@dataclass(frozen=True)
class StoneCandidates:
    """Small dense bodies in a drawn stretch of the urinary tract."""

    name: str = "ct-stones"
    version: str = "1"
    title: str = "Stone candidates"
    concept: Code = STONE
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = ABDOMEN_CT
    needs: tuple[Need, ...] = (
        Need(ROLE, NeedShape.AREA, "Draw round the kidney, or a stretch of the ureter, on one image"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, largest first, then the search; or one refusal."""
        ready = prepared(ctx, self.title)
        if not isinstance(ready, Ready):
            return (refused(self, ids.take(), *ready),)
        place = _place(ctx, ready)
        if not isinstance(place, np.ndarray):
            return (refused(self, ids.take(), *place),)
        bodies = _bodies(ready, place)
        listed = tuple(
            self._candidate(ctx, ready, mask, number=number, ids=ids, masks=masks)
            for number, mask in enumerate(bodies, start=1)
        )
        return (*listed, self._search(ctx, place, listed, ids=ids, masks=masks))

    def _candidate(
        self,
        ctx: MeasureContext,
        ready: Ready,
        mask: BoolArray,
        *,
        number: int,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        spacing = ready.volume.spacing
        polygon = mask_polygon(ctx.stack, mask)
        plane = int(mask.sum(axis=(1, 2)).argmax())
        size = _size(ready, mask, plane)
        column, row = polygon.array().mean(axis=0)
        side = side_of(
            (float(column), float(row)),
            ctx.series.plane_of(ctx.stack.frames[plane]),
            ready.hu[plane].astype(np.float32),
        )
        ml = _weighted_mm3(ready, mask)
        half_pixel = max(spacing[1:]) / 2.0
        label = f"Stone candidate {number}"
        warnings = [phase_words(ctx.series), "vessel wall, clip or stent look the same by density"]
        if spacing[0] > size.longest / 3.0:
            warnings.append("slices are thicker than a third of the size")
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.CANDIDATE,
            concept=STONE,
            label=label,
            side=side,
            values=(
                quantity("long", size.longest, uncertainty=half_pixel * 2.0**0.5),
                quantity("short", size.perpendicular, uncertainty=half_pixel * 2.0**0.5),
                quantity("stone_volume", ml[0], uncertainty=ml[1]),
                quantity("maximum", float(ready.hu[mask].max())),
            ),
            regions=(polygon, kept(ctx, masks, mask, label=label, side=side, concept=STONE)),
            source=source(self),
            report_default=self.report_default,
            checks=(f"denser than {STONE_HU} HU", "inside the drawn stretch"),
            warnings=tuple(warnings),
        )

    def _search(
        self,
        ctx: MeasureContext,
        place: BoolArray,
        listed: tuple[Evidence, ...],
        *,
        ids: IdSource,
        masks: MaskStore,
    ) -> Evidence:
        region = kept(ctx, masks, place, label="Searched for stones", side=Side.NONE, concept=TRACT)
        return Evidence(
            id=ids.take(),
            kind=EvidenceKind.SEARCH,
            concept=STONE,
            label="Search for stones",
            side=Side.NONE,
            regions=(region,),
            source=source(self),
            report_default=self.report_default,
            warnings=("only the drawn stretch was searched", phase_words(ctx.series)),
            search=Search(
                target=STONE,
                searched="the drawn stretch of the urinary tract, 6 cm up and down",
                coverage=1.0,
                complete=False,
                requires=("unenhanced phase", "slices of at most 3 mm"),
                detection_limit=quantity("long", 3.0),
                result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
                candidates=tuple(one.id for one in listed),
            ),
        )


def _place(ctx: MeasureContext, ready: Ready) -> BoolArray | Misfit:
    """Return the searched volume: the drawn outline carried up and down, or why there is none."""
    if contrast_named(ctx.series):
        return (
            RefusalCode.WRONG_PHASE,
            "Stones are looked for on unenhanced CT; the header names a contrast agent "
            f"({ctx.series.contrast_agent.strip()}).",
        )
    drawn = ctx.inputs[ROLE]
    index = frame_index(ctx, drawn)
    if index is None or drawn.shape in (Shape.POINT, Shape.MASK):
        return (
            RefusalCode.OUTSIDE_IMAGE,
            "The stretch of urinary tract is not drawn as an outline on an image of this series.",
        )
    inside = inside_polygon(outline(drawn, segments=360), ready.hu.shape[1:3])
    if not inside.any():
        return RefusalCode.OUTSIDE_IMAGE, "The outline lies outside the image: draw it on the picture."
    reach = round(REACH_MM / ready.volume.spacing[0])
    place = np.zeros(ready.hu.shape, dtype=bool)
    place[max(index - reach, 0) : index + reach + 1] = inside
    dense = np.count_nonzero(place & (ready.hu >= STONE_HU)) / np.count_nonzero(place)
    if dense > DENSE_SHARE:
        return (
            RefusalCode.UNCERTAIN,
            "Much of the drawn stretch is as dense as stone (bone, contrast or metal): draw it closer.",
        )
    return place


def _bodies(ready: Ready, place: BoolArray) -> list[BoolArray]:
    """Return dense bodies that lie wholly in the searched volume, largest first."""
    from scipy import ndimage

    rows, columns = (np.flatnonzero(place.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    box: Box = (slice(None), _wide(rows, place.shape[1]), _wide(columns, place.shape[2]))
    labels, count = ndimage.label(ready.hu[box] >= STONE_HU, structure=np.ones((3, 3, 3)))
    mm3 = ready.volume.voxel_volume_ml * 1000.0
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    # Bodies that reach out of the outline are bone or vessels beside it.
    outside = np.unique(labels[~place[box]])
    found = []
    boxes = ndimage.find_objects(labels)
    for label in np.argsort(-sizes, kind="stable"):
        fits = SMALLEST_MM3 <= sizes[label] * mm3 <= LARGEST_MM3 and sizes[label] >= 2
        if label == 0 or label in outside or not fits:
            continue
        near = tuple(slice(max(span.start - 6, 0), span.stop + 6) for span in boxes[label - 1])
        body = np.zeros(labels.shape, dtype=bool)
        body[near] = _half_maximum(ready.hu[box][near], labels[near] == label)
        mask = np.zeros(place.shape, dtype=bool)
        mask[box] = body
        found.append(mask)
    return found


def _wide(found: npt.NDArray[np.int64], size: int) -> slice:
    return slice(max(int(found[0]) - 10, 0), min(int(found[-1]) + 11, size))


def _half_maximum(hu: npt.NDArray[np.int16], body: BoolArray) -> BoolArray:
    """Return a body to half of its height over the tissue about it: its edge whatever its density."""
    from scipy import ndimage

    near = ndimage.binary_dilation(body, iterations=3)
    labels, _ = ndimage.label(near & (hu >= _half_level(hu, body)))
    names, counts = np.unique(labels[body & (labels > 0)], return_counts=True)
    return np.asarray(labels == names[int(counts.argmax())]) if names.size else body


def _half_level(hu: npt.NDArray[np.int16], body: BoolArray) -> float:
    """Return the density half way between a body and the tissue about it, HU."""
    return (float(np.percentile(hu[body], 95)) + _ground(hu, body)) / 2.0


def _ground(hu: npt.NDArray[np.int16], body: BoolArray) -> float:
    """Return the density of the tissue two to three voxels away from a body, HU."""
    from scipy import ndimage

    near = ndimage.binary_dilation(body, iterations=2)
    around = hu[ndimage.binary_dilation(near) & ~near]
    return float(np.median(around)) if around.size else KIDNEY_HU


def _size(ready: Ready, mask: BoolArray, plane: int) -> Diameters:
    """Return the diameters on one image, mm, of the half-height contour drawn between pixels."""
    from scipy import ndimage

    rows, columns = (np.flatnonzero(mask[plane].any(axis=axis)) for axis in (1, 0))
    box = (
        slice(plane, plane + 1),
        slice(max(int(rows[0]) - 4, 0), int(rows[-1]) + 5),
        slice(max(int(columns[0]) - 4, 0), int(columns[-1]) + 5),
    )
    hu, body = ready.hu[box], mask[box]
    level = _half_level(hu, body)
    fine = ndimage.zoom(hu[0].astype(np.float32), FINE, order=1, grid_mode=True, mode="nearest")
    inside = fine >= level
    inside &= np.kron(ndimage.binary_dilation(body[0]), np.ones((FINE, FINE), dtype=bool))
    steps = np.array([ready.volume.spacing[2], ready.volume.spacing[1]]) / FINE
    return diameters(trace(inside) * steps)


def _weighted_mm3(ready: Ready, mask: BoolArray) -> tuple[float, float]:
    """Return the volume with voxels at the edge counted by their share of density, and its doubt."""
    from scipy import ndimage

    box = bounds(mask, margin=(4, 4, 4))
    hu, body = ready.hu[box], mask[box]
    near = ndimage.binary_dilation(body, iterations=2)
    ground = _ground(hu, body)
    height = max(float(np.percentile(hu[body], 95)) - ground, 1.0)
    share = np.clip((hu[near].astype(np.float64) - ground) / height, 0.0, 1.0)
    share[share < 0.05] = 0.0
    mm3 = ready.volume.voxel_volume_ml * 1000.0
    weighted, counted = float(share.sum()) * mm3, float(np.count_nonzero(body)) * mm3
    surface = np.count_nonzero(body & ~ndimage.binary_erosion(body))
    return weighted, max(abs(weighted - counted), mm3 * math.sqrt(surface) / 2.0)
