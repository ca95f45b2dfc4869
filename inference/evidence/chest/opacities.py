"""Opacities inside the closed lung and fluid beside it: candidates with their volumes.

Recipe and sources in docs/evidence/ct-opacities.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.chest.scene import CHEST_CT, Scene, scene
from inference.evidence.lung_envelope import RayFrame
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import BoolArray, Triple, bounds
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
    Quantity,
    ReportDefault,
    Search,
    SearchResult,
    Side,
)

IntArray = npt.NDArray[np.int16]

GRID_MM = 2.6
"""Both tools work on a grid of about this size."""

SIDES = ((Side.RIGHT, "right"), (Side.LEFT, "left"))

OPACITY = Code(value="112001", scheme="DCM", meaning="Opacity")
EFFUSION = Code(value="60046008", scheme="SCT", meaning="Pleural effusion")

GLASS_ABOVE_LUNG_HU, GLASS_HU = 180.0, -650.0
"""Ground glass is this much denser than the median of its lung, and denser than the second."""

DENSE_HU = -200.0
"""Denser than this is consolidation or a mass."""

VESSEL_MM = 6.0
"""Half-width of what an opening takes away: vessels and bronchial walls."""

EDGE_MM = 5.0
HILUM_MM, HILUM_HEIGHT, HILUM_ML = 62.0, (0.25, 0.75), 16.0
"""So near the middle of the chest, at such a part of its height, smaller bodies are vessels."""

OPACITY_ML, FLUID_ML, MOST = 3.0, 15.0, 6
FLUID_HU = (-12.0, 30.0)
WALL_HU = 200
BESIDE_MM = 30.0
RIB_HEIGHT_MM, RIB_DEGREES = 52.0, 16.0
THINNEST_MM = 6.0
"""Thinner layers are pleura and muscle."""

ON_BACK = ("HFS", "FFS")


@dataclass(frozen=True, eq=False)
class _Half:
    """One lung on the working grid."""

    side: Side
    mask: BoolArray
    hu: IntArray
    ml: float


@dataclass(frozen=True, eq=False)
class _Body:
    side: Side
    mask: BoolArray
    ml: float
    mean_hu: float
    words: str


@dataclass(frozen=True)
class CtOpacities:
    """Places in the closed lung that are denser than lung and too broad for vessels."""

    name: str = "ct-opacities"
    version: str = "1"
    title: str = "Opacity candidates"
    concept: Code = OPACITY
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, the largest first, then the search; or one refusal."""
        chest = scene(ctx, "The search for opacities")
        if not isinstance(chest, Scene):
            return (refused(self, ids.take(), *chest),)
        grid = _grid(chest)
        found: list[_Body] = []
        for side, name in SIDES:
            _go_on(ctx)
            other = grid.left if side is Side.RIGHT else grid.right
            found += _opacities(_half(chest, grid, side, name), other, grid.spacing)
        found.sort(key=lambda body: -body.ml)
        listed = []
        for number, body in enumerate(found[:MOST], start=1):
            _go_on(ctx)
            lung = chest.right if body.side is Side.RIGHT else chest.left
            share = 100.0 * body.ml / (np.count_nonzero(lung) * chest.volume.voxel_volume_ml)
            values = (
                quantity("opacity_volume", body.ml, uncertainty=_edge_ml(body.mask, grid.ml)),
                quantity("mean_density", body.mean_hu),
                quantity("opacity_share", share),
            )
            listed.append(
                _candidate(
                    self, ctx, chest, grid, body, number=number, values=values, ids=ids, masks=masks,
                    anatomy="lung", warning="tumour, scar, atelectasis and infection look alike",
                )
            )  # fmt: skip
        searched = "both lungs, closed over lesions at the wall, without a rim of 5 mm"
        limit = quantity("opacity_volume", OPACITY_ML)
        return (*listed, _search(self, chest, listed, ids, searched=(searched, 0.85), limit=limit))


@dataclass(frozen=True)
class CtEffusion:
    """Even fluid between lung and ribs behind a lung: candidates, at least so large."""

    name: str = "ct-effusion"
    version: str = "1"
    title: str = "Pleural effusion candidates"
    concept: Code = EFFUSION
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return candidates, then the search; or one refusal."""
        chest = scene(ctx, "The search for pleural fluid")
        if not isinstance(chest, Scene):
            return (refused(self, ids.take(), *chest),)
        if ctx.series.patient_position not in ON_BACK:
            return (
                refused(
                    self,
                    ids.take(),
                    RefusalCode.UNCERTAIN,
                    "Fluid is looked for behind the lungs of a patient who lies on the back; Patient "
                    "Position (0018,5100) does not say so.",
                ),
            )
        grid = _grid(chest)
        found: list[_Body] = []
        for side, name in SIDES:
            _go_on(ctx)
            half = _half(chest, grid, side, name)
            other = grid.left if side is Side.RIGHT else grid.right
            found += _fluid(half, other, grid.spacing)
        found.sort(key=lambda body: -body.ml)
        listed = []
        for number, body in enumerate(found[:MOST], start=1):
            values = (
                quantity("effusion_volume", body.ml, uncertainty=_edge_ml(body.mask, grid.ml)),
                quantity("mean_density", body.mean_hu),
            )
            listed.append(
                _candidate(
                    self, ctx, chest, grid, body, number=number, values=values, ids=ids, masks=masks,
                    anatomy="pleura",
                    warning="a lower bound: fluid below the lung and in fissures is not in it; thick "
                    "pleura and collapsed lung look alike",
                )
            )  # fmt: skip
        searched = "between the lungs and the ribs, behind the middle of the lungs"
        limit = quantity("effusion_volume", FLUID_ML)
        return (*listed, _search(self, chest, listed, ids, searched=(searched, 0.5), limit=limit))


Finder = CtOpacities | CtEffusion


@dataclass(frozen=True, eq=False)
class _Grid:
    """The working grid: every so many voxels of the chest."""

    hu: IntArray
    right: BoolArray
    left: BoolArray
    spacing: Triple
    stride: tuple[int, int, int]
    ml: float


def _go_on(ctx: MeasureContext) -> None:
    if ctx.cancelled():
        raise ToolCancelled


def _grid(chest: Scene) -> _Grid:
    steps = [max(1, int(GRID_MM / step + 0.25)) for step in chest.spacing]
    picked = tuple(slice(None, None, step) for step in steps)
    size = [n * step for n, step in zip(steps, chest.spacing, strict=True)]
    return _Grid(
        hu=np.ascontiguousarray(chest.hu[picked]),
        right=np.ascontiguousarray(chest.right[picked]),
        left=np.ascontiguousarray(chest.left[picked]),
        spacing=(size[0], size[1], size[2]),
        stride=(steps[0], steps[1], steps[2]),
        ml=float(np.prod(size)) / 1000.0,
    )


def _half(chest: Scene, grid: _Grid, side: Side, name: str) -> _Half:
    return _Half(side, getattr(grid, name), grid.hu, grid.ml)


def _opacities(half: _Half, other: BoolArray, spacing: Triple) -> list[_Body]:
    """Return dense places of one lung that are broader than its vessels."""
    from scipy import ndimage

    box = bounds(half.mask, margin=(1, 2, 2))
    mask, hu = half.mask[box], half.hu[box]
    if not mask.any():
        return []
    middle = np.mean(
        [np.nonzero(one.any(axis=(0, 1)))[0].mean() for one in (half.mask, other) if one.any()]
    )
    inward = float(middle) - box[2].start
    smooth = ndimage.uniform_filter(hu, size=3)
    usual = float(np.median(smooth[mask]))
    depth = ndimage.distance_transform_edt(mask, sampling=spacing)
    threshold = max(GLASS_HU, usual + GLASS_ABOVE_LUNG_HU)
    opaque = (smooth > threshold) & mask
    kernel = ndimage.distance_transform_edt(opaque, sampling=spacing) > VESSEL_MM
    broad = (ndimage.distance_transform_edt(~kernel, sampling=spacing) <= VESSEL_MM) & opaque
    # The rim of a lung is wall in part; only a body that reaches deeper counts.
    labels, count = ndimage.label(broad)
    ml = np.bincount(labels.ravel(), minlength=count + 1) * half.ml
    deep = np.bincount(labels[depth > EDGE_MM], minlength=count + 1) * half.ml
    found = []
    for label in np.flatnonzero((ml >= OPACITY_ML) & (deep >= 0.4 * ml)):
        body = labels == label
        if label == 0 or (ml[label] < HILUM_ML and _is_hilar(body, mask, inward, spacing)):
            continue
        mean = float(hu[body].mean())
        whole = np.zeros_like(half.mask)
        whole[box] = body
        dense = mean > DENSE_HU
        words = "dense as soft tissue" if dense else "between lung and soft tissue"
        found.append(_Body(half.side, whole, float(ml[label]), mean, words))
    return found


def _is_hilar(body: BoolArray, mask: BoolArray, middle: float, spacing: Triple) -> bool:
    """Tell whether a body lies where the vessels of the hilum do: near the middle, at mid height."""
    planes = np.flatnonzero(mask.any(axis=(1, 2)))
    height, _, column = (float(at.mean()) for at in np.nonzero(body))
    part = (height - planes[0]) / max(1, planes[-1] - planes[0])
    return abs(column - middle) * spacing[2] < HILUM_MM and HILUM_HEIGHT[0] < part < HILUM_HEIGHT[1]


def _fluid(half: _Half, other: BoolArray, spacing: Triple) -> list[_Body]:
    """Return even fluid between one lung and the ribs, behind the middle of the lungs."""
    from scipy import ndimage

    if not half.mask.any() or not other.any():
        return []
    margin = round(BESIDE_MM / spacing[2])
    box = bounds(half.mask, margin=(0, margin, margin))
    mask, hu = half.mask[box], half.hu[box]
    rows = np.flatnonzero(mask.any(axis=(0, 2)))
    columns = np.flatnonzero(half.mask.any(axis=(0, 1)))
    across = np.flatnonzero(other.any(axis=(0, 1)))
    centre = (float(rows.mean()), float((columns.mean() + across.mean()) / 2) - box[2].start)
    frame = RayFrame.around(centre, mask.shape[1:], spacing[2])
    _, outer = frame.edges(mask)
    smooth = ndimage.uniform_filter(hu, size=3)
    along = smooth[:, frame.rows, frame.columns]
    steps = np.arange(along.shape[2])
    beyond = (along > WALL_HU) & (steps > outer[:, :, None]) & (outer >= 0)[:, :, None]
    bone = np.where(beyond.any(axis=2), beyond.argmax(axis=2), along.shape[2]).astype(np.int16)
    tall = max(1, round(RIB_HEIGHT_MM / spacing[0])) // 2 * 2 + 1
    wide = max(1, round(RIB_DEGREES / 360.0 * along.shape[1])) // 2 * 2 + 1
    inner_wall = ndimage.minimum_filter(bone, size=(tall, wide), mode=("nearest", "wrap"))
    met = (outer >= 0) & (inner_wall < along.shape[2])
    apart = (inner_wall - outer)[met]
    if apart.size == 0:
        return []
    usual = max(1, int(np.percentile(apart[apart >= 0], 35))) if (apart >= 0).any() else 1
    edge = np.where(met, inner_wall - usual, -1).astype(np.int16)
    step, angle = frame.step, frame.angle
    behind = np.arange(mask.shape[1])[None, :, None] > centre[0]
    within = (step > outer[:, angle]) & (step <= edge[:, angle]) & (outer[:, angle] >= 0) & behind
    within &= ~mask & ~other[box]
    fluid = within & (smooth > FLUID_HU[0] - 15) & (smooth < FLUID_HU[1] + 15)
    fluid = ndimage.binary_opening(fluid, structure=np.ones((1, 3, 3), dtype=bool))
    thick = ndimage.distance_transform_edt(fluid, sampling=spacing)
    labels, count = ndimage.label(fluid)
    ml = np.bincount(labels.ravel(), minlength=count + 1) * half.ml
    found = []
    for label in np.flatnonzero(ml >= FLUID_ML):
        if label == 0:
            continue
        body = labels == label
        middle = float(np.median(smooth[body]))
        if not FLUID_HU[0] < middle < FLUID_HU[1] or 2.0 * float(thick[body].max()) < THINNEST_MM:
            continue
        whole = np.zeros_like(half.mask)
        whole[box] = body
        words = f"even, median {middle:.0f} HU, behind the lung"
        found.append(_Body(half.side, whole, float(ml[label]), float(hu[body].mean()), words))
    return found


def _edge_ml(mask: BoolArray, voxel_ml: float) -> float:
    """Return half of the volume of the voxels at the edge of a body."""
    from scipy import ndimage

    box = bounds(mask, margin=(1, 1, 1))
    inner = ndimage.binary_erosion(mask[box])
    return float(np.count_nonzero(mask[box] & ~inner)) * voxel_ml / 2.0


def _candidate(
    tool: Finder, ctx: MeasureContext, chest: Scene, grid: _Grid, body: _Body, *, number: int,
    values: tuple[Quantity, ...], ids: IdSource, masks: MaskStore, anatomy: str, warning: str,
) -> Evidence:  # fmt: skip
    label = f"{tool.title.removesuffix('s')} {number}"
    full = body.mask
    for axis, times in enumerate(grid.stride):
        full = np.repeat(full, times, axis=axis) if times > 1 else full
    mask = full[tuple(slice(0, size) for size in chest.hu.shape)]
    short = [(0, size - kept) for size, kept in zip(chest.hu.shape, mask.shape, strict=True)]
    mask = np.pad(mask, short) if any(pad for _, pad in short) else mask
    regions = chest.regions(ctx, masks, mask, label=label, side=body.side, concept=tool.concept)
    return Evidence(
        id=ids.take(),
        kind=EvidenceKind.CANDIDATE,
        concept=tool.concept,
        label=label,
        side=body.side,
        anatomy=anatomy,
        values=values,
        regions=regions,
        source=source(tool),
        report_default=tool.report_default,
        checks=(body.words,),
        warnings=(warning,),
    )


def _search(
    tool: Finder, chest: Scene, listed: list[Evidence], ids: IdSource, *,
    searched: tuple[str, float], limit: Quantity,
) -> Evidence:  # fmt: skip
    warnings = () if not chest.lungs.cut else ("the lungs are not whole in the images",)
    return Evidence(
        id=ids.take(),
        kind=EvidenceKind.SEARCH,
        concept=tool.concept,
        label=f"Search: {tool.title.lower()}",
        side=Side.BILATERAL,
        anatomy="lung" if tool.concept == OPACITY else "pleura",
        source=source(tool),
        report_default=tool.report_default,
        warnings=warnings,
        search=Search(
            target=tool.concept,
            searched=searched[0],
            coverage=searched[1],
            complete=False,
            detection_limit=limit,
            result=SearchResult.CANDIDATES if listed else SearchResult.NONE,
            candidates=tuple(one.id for one in listed),
        ),
    )
