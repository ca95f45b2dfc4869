"""Segments and regions as one volume of labels, for planes at any angle and for surfaces. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from viewer.views.objects.laying import Laid
from viewer.views.objects.parts import Part

Labels = npt.NDArray[np.uint8]
LaidParts = tuple[Laid, tuple[Part, ...]]

MOST_PARTS: Final = 255
"""Parts that one volume of labels tells apart; further ones are left out."""


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """What lies where in a stack.

    Parameters
    ----------
    name
        Another one for each volume.
    labels
        (frame, row, column): 0 for nothing, else the place of the part in `parts`, from 1. Where parts
        overlap the last one stands. A fraction counts from one half.
    """

    name: str
    labels: Labels
    parts: tuple[Part, ...]


@runtime_checkable
class ShapesWorkspace(Protocol):
    """A workspace that shows segments and regions in its volume."""

    def set_shapes(self, labels: LabelVolume | None, opacity: float) -> None:
        """Show labels of the stack that the workspace shows; none shows none."""
        ...


def label_volume(
    name: str, shapes: Sequence[LaidParts], shape: tuple[int, int, int]
) -> LabelVolume | None:
    """Return the labels of parts on a stack, none where none of them lies there.

    Parameters
    ----------
    shape
        Frames, rows and columns of the stack.
    """
    labels = np.zeros(shape, dtype=np.uint8)
    parts: list[Part] = []
    for laid, some in shapes:
        for part in some[: MOST_PARTS - len(parts)]:
            parts.append(part)
            for index in laid.frames_inside(part.key.number):
                labels[index][laid.inside(part.key.number, index)] = len(parts)
    return LabelVolume(name, labels, tuple(parts)) if labels.any() else None
