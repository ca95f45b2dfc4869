"""How the axes of a volume lie in the patient, and views of it in one canonical order.

Canonical: axis 0 to the head, axis 1 to the back, axis 2 to the left (the directions of LPS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray

Triple = tuple[float, float, float]
BoolArray = npt.NDArray[np.bool_]

OBLIQUE_LIMIT = 0.8
"""Smallest cosine between an axis of the volume and its patient axis (37 degrees)."""


class Oblique(ValueError):
    """The axes of a volume lie between those of the patient: none of them is left, back or up."""


@dataclass(frozen=True)
class Orientation:
    """How the axes of a volume (slice, row, column) lie in the patient.

    Parameters
    ----------
    order
        For each canonical axis (head, back, left): the axis of the volume.
    flipped
        For each canonical axis: whether the volume runs the other way.
    """

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    def view(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a view of a volume in canonical order."""
        turned = array.transpose(self.order)
        return turned[tuple(slice(None, None, -1) if back else slice(None) for back in self.flipped)]

    def back(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a view in the order of the volume: the inverse of `view`."""
        turned = array[tuple(slice(None, None, -1) if back else slice(None) for back in self.flipped)]
        return turned.transpose(np.argsort(self.order))

    def spacing(self, spacing: Triple) -> Triple:
        """Return (slice, row, column) spacing in canonical order, mm."""
        first, second, third = (spacing[axis] for axis in self.order)
        return first, second, third


def canonical(affine: FloatArray) -> Orientation:
    """Return how a volume lies, from its affine (column, row, slice) -> LPS mm.

    Raises
    ------
    Oblique
        The volume is too oblique for its axes to have names.
    """
    directions = affine[:3, [2, 1, 0]].astype(np.float64)  # columns: slice, row, column axis
    directions = directions / np.linalg.norm(directions, axis=0)
    order: list[int] = []
    flipped: list[bool] = []
    for patient_axis in (2, 1, 0):  # z to the head, y to the back, x to the left
        axis = int(np.argmax(np.abs(directions[patient_axis])))
        if abs(directions[patient_axis, axis]) < OBLIQUE_LIMIT or axis in order:
            raise Oblique("The images are too oblique to tell left from right by their axes.")
        order.append(axis)
        flipped.append(bool(directions[patient_axis, axis] < 0))
    return Orientation((order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))


Box = tuple[slice, slice, slice]


def bounds(mask: BoolArray, *, margin: tuple[int, int, int]) -> Box:
    """Return the box around a mask with a margin in voxels, within the array; empty for none."""
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(mask.any(axis=others))
        if found.size == 0:
            spans.append(slice(0, 0))
            continue
        low, high = int(found[0]) - margin[axis], int(found[-1]) + 1 + margin[axis]
        spans.append(slice(max(low, 0), min(high, mask.shape[axis])))
    return spans[0], spans[1], spans[2]
