"""Longest and perpendicular diameter, and area, of a closed outline.

As RECIST 1.1 measures a lesion (doi 10.1016/j.ejca.2008.10.026).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viewer.imaging.geometry import FloatArray

STATIONS = 257
"""Places along the longest diameter at which the perpendicular chord is measured."""


@dataclass(frozen=True)
class Diameters:
    """Lengths in the unit of the outline."""

    longest: float
    perpendicular: float


def polygon_area(points: FloatArray) -> float:
    """Return the area of a closed outline (shoelace formula)."""
    x, y = points[:, 0], points[:, 1]
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2.0


def diameters(points: FloatArray) -> Diameters:
    """Return the longest diameter of an outline and the longest chord perpendicular to it.

    Parameters
    ----------
    points
        (n, 2) corners of a closed outline, in a frame with equal units along both axes.
    """
    apart = points[:, None, :] - points[None, :, :]
    squared = (apart**2).sum(axis=2)
    first, second = np.unravel_index(int(squared.argmax()), squared.shape)
    longest = float(np.sqrt(squared[first, second]))
    if longest == 0.0:
        return Diameters(0.0, 0.0)
    along = (points[second] - points[first]) / longest
    turned = (points - points[first]) @ np.array([[along[0], -along[1]], [along[1], along[0]]])
    # Stations avoid the corners themselves, where a crossing would count twice.
    stations = (np.arange(STATIONS) + 0.5) / STATIONS * longest
    return Diameters(longest, max(_longest_chord(turned, float(x)) for x in stations))


def _longest_chord(points: FloatArray, x: float) -> float:
    """Return the longest part inside the outline of the line at x, across its frame."""
    ahead = np.roll(points, -1, axis=0)
    crossing = (points[:, 0] <= x) != (ahead[:, 0] <= x)
    start, end = points[crossing], ahead[crossing]
    part = (x - start[:, 0]) / (end[:, 0] - start[:, 0])
    heights = np.sort(start[:, 1] + part * (end[:, 1] - start[:, 1]))
    if heights.size < 2:
        return 0.0
    return float((heights[1::2] - heights[::2]).max())
