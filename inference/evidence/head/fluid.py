"""CT head: volume of cerebrospinal fluid, and of the lateral ventricles where their sides can be told.

Recipe and measured limits in docs/evidence/ct-head-fluid.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.evidence.head.blood import NEIGHBOURS, PARTIAL_MM, away_in_slices, opened
from inference.evidence.head.cavity import BoolArray
from inference.evidence.head.prepared import HEAD_CT, Head, head_of
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
from reports.domain import Code, Evidence, EvidenceKind, Quantity, ReportDefault, Side

FLUID = Code(value="65216001", scheme="SCT", meaning="Cerebrospinal fluid")
VENTRICLE = Code(value="66720007", scheme="SCT", meaning="Lateral ventricle structure")

FLUID_HU = 8.0
"""Typical fluid (0-15 HU); half way to brain is its edge."""

EDGE_SHIFT_HU = 3.0
"""The edge is known to about this: calibration, noise, and what of a sulcus fills a voxel."""

AWAY_MM = 3.0
"""Fluid nearer to bone is not measured: blur of bone lifts it to the density of brain."""

DEEPEST_HU = -15.0
NOISIEST_HU = 6.0
"""SD of smoothed brain from which fluid and brain run together."""

DEEP_MM = 22.0
"""Ventricles lie further from bone than this; sulci and the Sylvian fissure mostly do not."""

PARTED_MM = 3.0
"""Fluid this near the plane between the halves (third ventricle, septum) is left out of the sides."""

VENTRICLE_HU = 16.0
"""Denser fluid at a ventricle is partial volume, or softened white matter beside it."""

NECK_MM = 1.5
"""Joints thinner than twice this (to cisterns and fissures) are cut."""

SMALLEST_VENTRICLE_ML = 1.0
LOPSIDED = 0.97
"""Share of a body that must lie on one side, for that to be its side."""


@dataclass(frozen=True)
class HeadFluid:
    """Fluid inside the skull by density."""

    name: str = "ct-head-fluid"
    version: str = "1"
    title: str = "Fluid inside the skull"
    concept: Code = FLUID
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = HEAD_CT
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return all fluid, then the right and left lateral ventricle where they part; or a refusal."""
        head = head_of(ctx)
        if not isinstance(head, Head):
            return (refused(self, ids.take(), *head),) if "head" in ctx.body_region else ()
        if head.noise > NOISIEST_HU:
            reason = f"The images are too noisy to tell fluid from brain (SD {head.noise:.0f} HU)."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        edge = (FLUID_HU + head.typical) / 2.0
        fluid = _fluid(head, edge)
        sides = _ventricles(head, fluid)
        if ctx.cancelled():
            raise ToolCancelled
        warnings = _warnings(head, parted=sides is not None)
        found = [("Fluid inside the skull", FLUID, Side.NONE, fluid)]
        if sides is not None:
            right, left = sides
            found += [
                ("Right lateral ventricle", VENTRICLE, Side.RIGHT, right),
                ("Left lateral ventricle", VENTRICLE, Side.LEFT, left),
            ]
        return tuple(
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=concept,
                label=label,
                side=side,
                anatomy=label.lower() if concept is VENTRICLE else "",
                values=(_volume(head, mask, edge) if concept is FLUID else _weighted(head, mask),),
                regions=outlined(ctx, masks, head.whole(mask), label=label, side=side, concept=concept),
                source=source(self),
                report_default=self.report_default,
                checks=(
                    f"below {edge:.0f} HU after smoothing, brain around {head.typical:.0f} HU",
                    "true places of all slices",
                    f"without {AWAY_MM:.0f} mm next to bone",
                ),
                warnings=warnings,
            )
            for label, concept, side, mask in found
            if mask.any()
        )


def _fluid(head: Head, edge: float) -> BoolArray:
    fluid: BoolArray = head.inside & (head.smooth < edge) & (head.smooth > DEEPEST_HU)
    return fluid & (head.cavity.bone > AWAY_MM)


def _volume(head: Head, mask: BoolArray, edge: float) -> Quantity:
    """Return the volume with half of its change when the edge moves by `EDGE_SHIFT_HU` either way."""
    from scipy import ndimage

    plane = np.zeros((3, 3, 3), dtype=bool)
    plane[1] = True
    around = ndimage.binary_dilation(mask, structure=plane, iterations=2) & head.inside
    around &= head.cavity.bone > AWAY_MM
    high = around & (head.smooth < edge + EDGE_SHIFT_HU) & (head.smooth > DEEPEST_HU)
    low = mask & (head.smooth < edge - EDGE_SHIFT_HU)
    doubt = (head.slices.ml(high) - head.slices.ml(low)) / 2.0
    return quantity("fluid_ml", head.slices.ml(mask), uncertainty=doubt)


def _weighted(head: Head, mask: BoolArray) -> Quantity:
    """Return the volume of a ventricle, each voxel weighted by how much of it is fluid."""
    away = away_in_slices(mask, head.slices.pixel_mm)
    near = away <= PARTIAL_MM
    near[1:] |= near[:-1].copy()
    near[:-1] |= away[1:] <= PARTIAL_MM
    near &= head.inside
    ring = head.smooth[head.inside & (away > 3.0) & (away <= 8.0)]
    low, ground, high = (float(part) for part in np.percentile(ring, (25, 50, 75)))
    core = float(np.percentile(head.smooth[mask], 20))
    contrast = max(ground - core, 8.0)
    share = np.clip((ground - head.hu) / contrast, -0.5, 1.5) * near
    total = float((share.sum(axis=(1, 2)) * head.slices.voxel_ml).sum())
    surface = head.slices.ml(near & ~mask)
    doubt = np.hypot(float(np.hypot((high - low) / 2.0, 2.0)) / contrast * total, 0.1 * surface)
    return quantity("fluid_ml", total, uncertainty=float(doubt))


def _ventricles(head: Head, fluid: BoolArray) -> tuple[BoolArray, BoolArray] | None:
    """Return the right and left lateral ventricle, or none where they do not part.

    The largest body of deep fluid on each side of a thin gap at the plane between the halves.
    """
    from scipy import ndimage

    offsets = np.full(fluid.shape, np.nan, dtype=np.float32)
    deep = fluid & (head.cavity.bone > DEEP_MM)
    for index in np.flatnonzero(deep.any(axis=(1, 2))):
        rows, columns = np.nonzero(deep[index])
        places = head.places(int(index), rows, columns)
        offsets[index, rows, columns] = head.cavity.midplane.offset(places)
    apart = deep & (np.abs(offsets) > PARTED_MM) & (head.smooth < VENTRICLE_HU)
    labels, count = ndimage.label(opened(apart, head, NECK_MM))
    sizes = np.zeros(count + 1)
    for image, volume in zip(labels, head.slices.voxel_ml, strict=True):
        sizes += np.bincount(image.ravel(), minlength=count + 1) * volume
    sizes[0] = 0.0
    sides: dict[bool, BoolArray] = {}
    for label in np.argsort(sizes)[::-1]:
        if sizes[label] < SMALLEST_VENTRICLE_ML:
            break
        body = labels == label
        to_left = float((offsets[body] > 0).mean())
        if LOPSIDED > to_left > 1 - LOPSIDED:
            return None
        sides.setdefault(to_left > 0.5, body)
    if len(sides) < 2:
        return None
    # Back to the edge of fluid, which the stricter density left by up to a pixel and a slice.
    apart = fluid & (np.abs(offsets) > PARTED_MM)
    right, left = (
        ndimage.binary_dilation(sides[side], NEIGHBOURS, mask=apart) for side in (False, True)
    )
    return right, left


def _warnings(head: Head, *, parted: bool) -> tuple[str, ...]:
    found = []
    if not parted:
        found.append("the lateral ventricles do not part at the midline: their sides are not measured")
    if head.slices.missing:
        found.append(f"{head.slices.missing} slices are missing: the volume lacks them")
    return tuple(found)
