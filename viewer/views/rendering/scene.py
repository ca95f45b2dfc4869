"""What is asked of the renderer, and what it gives: frozen values. No Qt, no VTK."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.views.rendering.camera import Camera
from viewer.views.rendering.presets import Look

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Crop:
    """A box that is kept, as shares of the volume's box along column, row and slice index."""

    low: tuple[float, float, float] = (0.0, 0.0, 0.0)
    high: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def is_whole(self) -> bool:
        """True when nothing is cut off."""
        return self == Crop()

    def moved(self, axis: int, high: bool, share: float) -> Crop:
        """Return the box with one face moved to a share of its axis; a sliver always remains."""
        low_side, high_side = list(self.low), list(self.high)
        if high:
            high_side[axis] = min(max(share, low_side[axis] + THINNEST), 1.0)
        else:
            low_side[axis] = max(min(share, high_side[axis] - THINNEST), 0.0)
        low, high_ = tuple(low_side), tuple(high_side)
        return Crop((low[0], low[1], low[2]), (high_[0], high_[1], high_[2]))


THINNEST = 0.02
"""Least share of an axis that a crop box leaves."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A mask to draw as a coloured surface.

    Parameters
    ----------
    mask
        In the grid of the volume: (slice, row, column), true inside.
    colour
        Red, green and blue from 0 to 1.
    """

    mask: npt.NDArray[np.generic]
    colour: tuple[float, float, float]
    opacity: float
    name: str


@dataclass(frozen=True)
class Scene:
    """Everything one picture needs.

    Parameters
    ----------
    size
        Width and height in pixels of the screen.
    clip
        Millimetres beyond the middle of the box from which the volume is drawn; none draws all.
    moving
        Whether the next picture is awaited at once: then it is coarser.
    edition
        How many changes of what is cut away came before.
    """

    camera: Camera
    look: Look
    size: tuple[int, int]
    crop: Crop = Crop()
    clip: float | None = None
    moving: bool = False
    edition: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """A rendered scene.

    Parameters
    ----------
    pixels
        (row, column, RGBX), top row first.
    seconds
        How long it took.
    complete
        Whether it is as fine as it gets.
    """

    scene: Scene
    pixels: Pixels
    seconds: float
    complete: bool
