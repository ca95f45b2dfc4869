"""A mask as regions of an evidence: kept in the store, named by its hash, outlined to be seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.evidence.contours import mask_polygon
from inference.evidence.masks import MaskStore
from inference.evidence.tool import MeasureContext
from reports.domain import Code, Side
from viewer.imaging.regions import Region, Shape

BoolArray = npt.NDArray[np.bool_]


def kept(
    ctx: MeasureContext, masks: MaskStore, mask: BoolArray, *, label: str, side: Side, concept: Code
) -> Region:
    """Keep a mask, (slice, row, column) of the stack, and return its region."""
    ref = masks.add(mask, label=label, side=side, concept=concept)
    return Region(
        shape=Shape.MASK,
        series_instance_uid=ctx.series.series_instance_uid,
        mask_sha256=ref.sha256,
        segment=ref.segment,
    )


def outlined(
    ctx: MeasureContext, masks: MaskStore, mask: BoolArray, *, label: str, side: Side, concept: Code
) -> tuple[Region, Region]:
    """Keep a mask and return its outline where it is largest, and itself."""
    whole = kept(ctx, masks, mask, label=label, side=side, concept=concept)
    return mask_polygon(ctx.stack, mask), whole
