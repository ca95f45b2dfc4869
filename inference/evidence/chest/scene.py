"""What all tools for CT of the chest share, made once a run: density and the lungs in patient axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evidence.hounsfield import hounsfield_of
from inference.evidence.kept import outlined
from inference.evidence.lung_mask import Cancelled, Lungs, NoLung, segment_lungs
from inference.evidence.masks import MaskStore
from inference.evidence.orientation import (
    BoolArray,
    Oblique,
    Orientation,
    Triple,
    canonical,
)
from inference.evidence.quantities import HU
from inference.evidence.tool import Applies, MeasureContext, RefusalCode, ToolCancelled
from reports.domain import Code, Side
from viewer.imaging.geometry import GeometryVerdict
from viewer.imaging.regions import Region
from viewer.imaging.volume import Volume

IntArray = npt.NDArray[np.int16]

CHEST_CT = Applies(frozenset({"CT"}), frozenset({"chest"}))

Misfit = tuple[RefusalCode, str]
"""Why a tool refuses: code, and words for the reader."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A chest in canonical order (head, back, left): views, no copies.

    Parameters
    ----------
    hu, right, left
        Density and masks of the lungs.
    spacing
        (head, back, left), mm.
    """

    volume: Volume
    lie: Orientation
    hu: IntArray
    right: BoolArray
    left: BoolArray
    spacing: Triple
    lungs: Lungs

    @property
    def both(self) -> BoolArray:
        """Both lungs."""
        return self.right | self.left

    def side_at(self, place: tuple[int, int, int]) -> Side:
        """Return the side of the lung a voxel lies in."""
        if self.right[place]:
            return Side.RIGHT
        return Side.LEFT if self.left[place] else Side.UNKNOWN

    def regions(
        self,
        ctx: MeasureContext,
        masks: MaskStore,
        mask: BoolArray,
        *,
        label: str,
        side: Side,
        concept: Code,
    ) -> tuple[Region, Region]:
        """Keep a mask (canonical order); return its outline where it is largest, and itself."""
        back: npt.NDArray[Any] = np.ascontiguousarray(self.lie.back(mask))
        return outlined(ctx, masks, back, label=label, side=side, concept=concept)


def scene(ctx: MeasureContext, what: str) -> Scene | Misfit:
    """Return the chest of a series, or why `what` cannot be measured in it.

    Lungs that the images cut are returned all the same: `lungs.cut` names where.
    """
    misfit = header_misfit(ctx, what)
    if misfit is not None:
        return misfit
    assert isinstance(ctx.volume, Volume)  # header_misfit refused the rest
    volume = ctx.volume
    return ctx.once("chest", lambda: _made(ctx, volume))


def header_misfit(ctx: MeasureContext, what: str) -> Misfit | None:
    """Return why a series cannot be measured by what its header says, or none."""
    if ctx.series.modality != "CT" or ctx.stack.is_colour:
        modality = ctx.series.modality or "unknown"
        return (RefusalCode.WRONG_MODALITY, f"{what} is measured on CT; this series is {modality}.")
    if isinstance(ctx.volume, GeometryVerdict):
        return (
            RefusalCode.GEOMETRY,
            f"{what} needs evenly spaced, untilted slices: {ctx.volume.reason}",
        )
    if ctx.volume.unit != HU:
        return RefusalCode.WRONG_MODALITY, "The values of this series are not in Hounsfield units."
    return None


def _made(ctx: MeasureContext, volume: Volume) -> Scene | Misfit:
    hu = hounsfield_of(ctx, volume)
    try:
        lie = canonical(volume.affine)
        lungs = segment_lungs(hu, volume.affine, volume.spacing, cancelled=ctx.cancelled)
    except Cancelled:
        raise ToolCancelled from None
    except Oblique as error:
        return RefusalCode.GEOMETRY, str(error)
    except NoLung as error:
        if error.cut:
            where = " and ".join(error.cut)
            return (
                RefusalCode.CUT_FIELD_OF_VIEW,
                f"The lungs are cut off by the edge of the images ({where}).",
            )
        return RefusalCode.NO_LUNG, str(error)
    return Scene(
        volume=volume,
        lie=lie,
        hu=lie.view(hu),
        right=lie.view(lungs.right),
        left=lie.view(lungs.left),
        spacing=lie.spacing(volume.spacing),
        lungs=lungs,
    )
