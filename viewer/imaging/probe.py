"""What stands under the pointer: the value of one pixel in every unit that the image gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from viewer.imaging.grey import modality_values, padding_range
from viewer.imaging.suv import SuvScale, suv_scale
from viewer.imaging.volume import ImageStack, unit_of_frame


@dataclass(frozen=True, slots=True)
class RealWorldValue:
    """A value of a Real World Value Mapping with its UCUM unit and its label."""

    value: float
    unit: str
    label: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One pixel.

    Parameters
    ----------
    stored
        The stored value, an integer but in floating point images; red, green and blue of a colour
        image.
    value, unit
        Modality value with its UCUM unit ("1" where the header gives none); no value in colour
        images and in padding.
    real_world
        What the maps of the image make of the stored value (PS3.3 C.7.6.16.2.11), those that reach
        it; then the SUV of PET.
    padding
        True where there is no image (PS3.3 C.7.5.1.1.2).
    """

    stored: tuple[float, ...]
    value: float | None = None
    unit: str = "1"
    real_world: tuple[RealWorldValue, ...] = ()
    padding: bool = False


def probe(stack: ImageStack, index: int, row: int, column: int) -> Probe:
    """Return the values of a pixel of frame `index`.

    Raises
    ------
    IndexError
        There is no such pixel.
    """
    rows, columns = stack.stored.shape[1:3]
    if not (0 <= row < rows and 0 <= column < columns):
        raise IndexError(
            f"The image has {rows} rows and {columns} columns; ({row}, {column}) is outside."
        )
    cell = np.asarray(stack.stored[index, row, column])
    stored: tuple[float, ...] = tuple(np.atleast_1d(cell).tolist())
    if stack.is_colour:
        return Probe(stored=stored)
    instance_index, number = stack.frames[index]
    instance = stack.series.instances[instance_index]
    attributes = instance.of_frame(number)
    unit = unit_of_frame(stack.series, instance, attributes)
    padding = padding_range(instance)
    empty = padding is not None and padding[0] <= stored[0] <= padding[1]
    if empty or not math.isfinite(stored[0]):
        return Probe(stored=stored, unit=unit, padding=True)
    value = modality_values(
        cell, attributes.rescale_slope, attributes.rescale_intercept, attributes.modality_lut
    )
    found = ((one, one.value(stored[0])) for one in attributes.real_world)
    suv = suv_scale(stack.series)
    uptake: tuple[RealWorldValue, ...] = ()
    if isinstance(suv, SuvScale):
        uptake = (RealWorldValue(float(value) * suv.factor, suv.unit, suv.kind),)
    return Probe(
        stored=stored,
        value=float(value),
        unit=unit,
        real_world=(
            *(
                RealWorldValue(mapped, one.unit, one.label)
                for one, mapped in found
                if mapped is not None
            ),
            *uptake,
        ),
    )
