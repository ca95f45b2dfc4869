"""View of a chest radiograph, asymmetry of its lung fields, and rotation by three clicks.

Recipe and sources in docs/evidence/radiograph-view.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.contours import mask_polygon
from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.radiograph.fields import Fields, NoFields, find_fields
from inference.evidence.radiograph.picture import (
    CHEST_RADIOGRAPH,
    Misfit,
    Picture,
    lying_word,
    picture,
    view_of,
)
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

BoolArray = npt.NDArray[np.bool_]

LUNG = Code(value="39607008", scheme="SCT", meaning="Lung")
ROTATION = Code(value="ROTATION", scheme="99SIGHTLINE", meaning="Rotation of a chest radiograph")

MOST_ASYMMETRY = 0.2
"""Lung fields that differ more are rotated, or one lung is smaller: heart and thorax lie askew."""

FRONTAL = ("PA", "AP")


def fields_of(ctx: MeasureContext) -> Fields | Misfit:
    """Return the lung fields of a frontal view, made once for all tools, or why there are none."""
    return ctx.once("radiograph.fields", lambda: _fields(ctx))


def _fields(ctx: MeasureContext) -> Fields | Misfit:
    shown = picture(ctx)
    if not isinstance(shown, Picture):
        return shown
    view = view_of(ctx.series)
    if view and view not in FRONTAL:
        return RefusalCode.WRONG_VIEW, f"Lung fields are looked for on frontal views; this is {view}."
    try:
        return find_fields(shown.small)
    except NoFields as error:
        return RefusalCode.UNCERTAIN, f"Two lung fields side by side were not found. {error}"


@dataclass(frozen=True)
class RadiographView:
    """View by the header, checked on the pixels; lung fields and how much they differ."""

    name: str = "cxr-view"
    version: str = "1"
    title: str = "Asymmetry of the lung fields"
    concept: Code = LUNG
    report_default: ReportDefault = ReportDefault.LEDGER_ONLY
    applies: Applies = CHEST_RADIOGRAPH
    needs: tuple[Need, ...] = ()

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        found = fields_of(ctx)
        if not isinstance(found, Fields):
            return (refused(self, ids.take(), *found),)
        shown = picture(ctx)
        assert isinstance(shown, Picture)  # there are fields of it
        view = view_of(ctx.series)
        # Outlines only: a segmentation refers to images with a place in the patient.
        regions = tuple(
            mask_polygon(ctx.stack, at_full_size(mask, shown)[None])
            for mask in (found.left, found.right)
        )
        warnings = [] if view else ["the header does not say whether this is PA or AP"]
        if found.asymmetry > MOST_ASYMMETRY:
            warnings.append("lung fields differ: rotated, or one lung is smaller")
        lying = lying_word(ctx.series)
        if lying:
            warnings.append(f"described as {lying.lower()}")
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                values=(quantity("rotation", 100.0 * found.asymmetry),),
                regions=regions,
                source=source(self),
                report_default=self.report_default,
                checks=(
                    f"view {view} by View Position (0018,5101)" if view else "view not stated",
                    "two lung fields side by side",
                ),
                warnings=tuple(warnings),
                descriptor=view,
            ),
        )


def at_full_size(mask: BoolArray, shown: Picture) -> BoolArray:
    """Return a mask of the grid in the pixels of the image."""
    full = np.zeros(shown.full.shape, dtype=bool)
    large = np.kron(mask, np.ones((shown.step, shown.step), dtype=bool))
    full[: large.shape[0], : large.shape[1]] = large
    return full


ROLES = ("clavicle_left", "clavicle_right", "spinous_process")


@dataclass(frozen=True)
class Rotation:
    """Rotation by the medial ends of both clavicles and a spinous process between them."""

    name: str = "cxr-rotation"
    version: str = "1"
    title: str = "Rotation"
    concept: Code = ROTATION
    report_default: ReportDefault = ReportDefault.ON_REQUEST
    applies: Applies = CHEST_RADIOGRAPH
    needs: tuple[Need, ...] = (
        Need(ROLES[0], NeedShape.POINT, "Click the medial end of the left clavicle"),
        Need(ROLES[1], NeedShape.POINT, "Click the medial end of the right clavicle"),
        Need(ROLES[2], NeedShape.POINT, "Click the spinous process between them"),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return one evidence, or one refusal."""
        shown = picture(ctx)
        if not isinstance(shown, Picture):
            return (refused(self, ids.take(), *shown),)
        regions = tuple(ctx.inputs[role] for role in ROLES)
        if any(frame_index(ctx, region) is None for region in regions):
            reason = "A place that was shown is not on this radiograph: show it here."
            return (refused(self, ids.take(), RefusalCode.OUTSIDE_IMAGE, reason),)
        first, second, spine = (region.array().mean(axis=0) for region in regions)
        apart = second - first
        length = float(np.hypot(*apart))
        along = float((spine - first) @ apart) / length**2 if length > 2.0 else math.nan
        if not 0.0 < along < 1.0:
            reason = "The spinous process does not lie between the ends of the clavicles."
            return (refused(self, ids.take(), RefusalCode.UNCERTAIN, reason),)
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=self.concept,
                label=self.title,
                side=Side.NONE,
                # The places are known to a pixel each: so is the difference of their distances.
                values=(
                    quantity("rotation", 100.0 * abs(2.0 * along - 1.0), uncertainty=200.0 / length),
                ),
                regions=regions,
                source=source(self),
                report_default=self.report_default,
                checks=("places shown by a person",),
            ),
        )
