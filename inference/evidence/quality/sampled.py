"""A few slices of a stack in modality units: quality is judged on a sample, without a wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.quantities import HU
from inference.evidence.tool import MeasureContext
from viewer.imaging.grey import modality_values, no_image
from viewer.imaging.volume import unit_of_frame

FloatImage = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

MOST_SLICES = 16
"""Slices that are looked at, evenly over the stack."""

LARGEST_SIDE = 768
"""Larger images are strided: noise does not need more."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Slices of a grey stack.

    Parameters
    ----------
    values
        (slice, row, column) in modality units.
    empty
        Padding and what is no number.
    pixel_mm
        Between rows and columns after striding; none where nothing calibrates the image.
    is_hu
        The values are Hounsfield units.
    """

    values: FloatImage
    empty: BoolArray
    pixel_mm: tuple[float, float] | None
    is_hu: bool


def sample_of(ctx: MeasureContext) -> Sample | None:
    """Return a sample of a stack, or none of colour or of images too small to judge."""
    stored = ctx.stack.stored
    if ctx.stack.is_colour or min(stored.shape[1:3]) < 32:
        return None
    count = len(stored)
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_SLICES)).round().astype(int))
    stride = max(1, -(-max(stored.shape[1:3]) // LARGEST_SIDE))
    values, empty = [], []
    is_hu = True
    for place in chosen:
        index, number = ctx.stack.frames[place]
        instance = ctx.series.instances[index]
        attributes = instance.of_frame(number)
        image = stored[place, ::stride, ::stride]
        values.append(
            modality_values(
                image, attributes.rescale_slope, attributes.rescale_intercept, attributes.modality_lut
            ).astype(np.float32)
        )
        empty.append(no_image(image, instance) | ~np.isfinite(values[-1]))
        is_hu &= ctx.series.modality == "CT" and unit_of_frame(ctx.series, instance, attributes) == HU
    spacing = ctx.series.pixel_spacing
    return Sample(
        values=np.where(np.stack(empty), 0.0, np.stack(values)).astype(np.float32),
        empty=np.stack(empty),
        pixel_mm=None if spacing is None else (spacing[0] * stride, spacing[1] * stride),
        is_hu=is_hu,
    )
