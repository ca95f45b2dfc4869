"""Soft shapes and noise in patient millimetres: what the pictures are made of.

A field is a float32 array of the picture's rows and columns; a coverage is a field from 0 to 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating[Any]]
Point = tuple[float, float]


class Frame:
    """Where each pixel lies in the patient: mm, x to the patient's left, y down.

    Parameters
    ----------
    size
        Rows and columns of the picture.
    mm
        Pixel size.
    degrees
        Turn of the patient in the picture, clockwise.
    shift
        Where the patient's origin lies, from the middle of the picture, mm.
    """

    def __init__(self, size: int, mm: float, *, degrees: float, shift: Point) -> None:
        self.size, self.mm = size, mm
        place = ((np.arange(size) + 0.5 - size / 2) * mm).astype(np.float32)
        x, y = place[None, :] - shift[0], place[:, None] - shift[1]
        cosine, sine = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
        self.x: Field = cosine * x + sine * y
        self.y: Field = cosine * y - sine * x

    def ellipse(self, centre: Point, radii: Point, *, edge: float, turn: float = 0.0) -> Field:
        """Return the coverage of an ellipse whose edge fades over about `edge` mm."""
        x, y = self.x - centre[0], self.y - centre[1]
        if turn:
            c, s = float(np.cos(np.radians(turn))), float(np.sin(np.radians(turn)))
            x, y = c * x + s * y, c * y - s * x
        far = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2)
        return inside((far - 1) * min(radii), edge)

    def distance(self, points: Sequence[Point]) -> Field:
        """Return the distance of each pixel to a line through the points, mm."""
        best = np.full((self.size, self.size), 1e6, dtype=np.float32)
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            dx, dy = x1 - x0, y1 - y0
            x, y = self.x - x0, self.y - y0
            along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
            np.minimum(best, (x - along * dx) ** 2 + (y - along * dy) ** 2, out=best)
        return np.sqrt(best)

    def noise(self, draw: np.random.Generator, *, mm: float) -> Field:
        """Return smooth noise of standard deviation 1 whose spots are about `mm` wide."""
        return spots(draw, self.size, mm / self.mm)


def inside(distance: Reals, edge: float) -> Field:
    """Return the coverage of what has a negative signed distance (mm)."""
    covered: Field = 1 / (1 + np.exp(np.clip(distance * (4 / max(edge, 0.1)), -30, 30)))
    return covered


def spots(draw: np.random.Generator, size: int, width: float) -> Field:
    """Return Gaussian noise of standard deviation 1 whose spots are about `width` pixels wide."""
    white = np.fft.rfft2(draw.standard_normal((size, size), dtype=np.float32))
    sigma = max(width, 0.5) / 2.355
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    smooth = np.fft.irfft2(
        white * np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2)), (size,) * 2
    )
    field: Field = (smooth / (smooth.std() + 1e-9)).astype(np.float32)
    return field


def stripe(distance: Reals, width: float) -> Field:
    """Return the profile of a band of this full width at half height, 1 in its middle."""
    profile: Field = np.exp(-2.773 * (distance / width) ** 2)
    return profile


def box_of(covered: Field, least: float = 0.5) -> tuple[float, float, float, float] | None:
    """Return left, top, right and bottom (pixel edges) of what is covered at least so much."""
    rows, columns = np.nonzero((covered > least).any(1))[0], np.nonzero((covered > least).any(0))[0]
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
