"""The value under the pointer: which pixel it is, what it means and in which unit. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from viewer.imaging.grey import modality_values, padding_range
from viewer.imaging.study import FrameAttributes
from viewer.imaging.volume import ImageStack, unit_of

NO_UNIT = "1"
"""UCUM for a number whose unit the header does not give."""


@dataclass(frozen=True)
class Probe:
    """One pixel of a frame.

    Parameters
    ----------
    column, row
        The pixel, from 0.
    value
        Modality value, or the real-world value where the image maps one; none over padding, for
        colour and where the value is no number.
    unit
        UCUM unit of the value; "1" when the header gives none.
    colour
        Red, green and blue (0 to 255) of a colour image.
    """

    column: int
    row: int
    value: float | None = None
    unit: str = NO_UNIT
    colour: tuple[int, int, int] | None = None


def probe(stack: ImageStack, index: int, point: tuple[float, float]) -> Probe | None:
    """Return the pixel at an image point (column, row), or none outside the image.

    One pixel is read: cheap enough for every movement of the pointer.
    """
    column, row = math.floor(point[0] + 0.5), math.floor(point[1] + 0.5)
    rows, columns = stack.stored.shape[1:3]
    if not (0 <= column < columns and 0 <= row < rows):
        return None
    stored = stack.stored[index, row, column]
    if stack.is_colour:
        red, green, blue = (int(part) for part in np.asarray(stored))
        return Probe(column, row, colour=(red, green, blue))
    instance_index, number = stack.frames[index]
    instance = stack.series.instances[instance_index]
    padding = padding_range(instance)
    pixel = float(stored)
    if not math.isfinite(pixel) or (padding is not None and padding[0] <= pixel <= padding[1]):
        return Probe(column, row)
    attributes = instance.of_frame(number)
    mapped = _real_world(attributes, pixel)
    if mapped is not None:
        return Probe(column, row, *mapped)
    value = modality_values(
        np.array([stored]),
        attributes.rescale_slope,
        attributes.rescale_intercept,
        attributes.modality_lut,
    )
    return Probe(column, row, float(value[0]), unit_of(stack.series, instance.rescale_type))


def _real_world(attributes: FrameAttributes, stored: float) -> tuple[float, str] | None:
    """Return the value and unit of the first real-world map that reaches a stored value."""
    for each in attributes.real_world:
        value = each.value(stored)
        if value is not None:
            return value, each.unit
    return None
