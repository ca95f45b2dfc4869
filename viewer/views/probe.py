"""The value under the pointer: which pixel it is, what it means and in which unit. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from viewer.imaging import probe as pixel_probe
from viewer.imaging.volume import ImageStack

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
    found = pixel_probe.probe(stack, index, row, column)
    if stack.is_colour:
        red, green, blue = found.stored
        return Probe(column, row, colour=(red, green, blue))
    if found.real_world:
        return Probe(column, row, found.real_world[0].value, found.real_world[0].unit)
    return Probe(column, row, found.value, NO_UNIT if found.value is None else found.unit)
