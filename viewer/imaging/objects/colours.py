"""Recommended display colours: CIELab as DICOM stores it to "#rrggbb" (PS3.3 C.10.7.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

WHITE_D50: Final = (0.9642, 1.0, 0.8249)
"""White point of the profile connection space, to which Lab values refer."""

XYZ_D50_TO_SRGB: Final = np.array(
    (
        (3.1338561, -1.6168667, -0.4906146),
        (-0.9787684, 1.9161415, 0.0334540),
        (0.0719453, -0.2289914, 1.4052427),
    )
)
"""XYZ (D50) to linear sRGB with Bradford adaptation (B. Lindbloom)."""


def from_cielab(stored: Sequence[float]) -> str:
    """Return "#rrggbb" of three unsigned 16-bit numbers; empty where they are none.

    L* runs from 0 to 100, a* and b* from -128 to 127 over 0 to 65535; colours that sRGB does not
    have are clipped.
    """
    if len(stored) != 3 or any(not 0 <= value <= 65535 for value in stored):
        return ""
    lightness = stored[0] * 100.0 / 65535.0
    a, b = (value * 255.0 / 65535.0 - 128.0 for value in stored[1:])
    fy = (lightness + 16.0) / 116.0
    xyz = [
        white * (f**3 if f > 6.0 / 29.0 else 3.0 * (6.0 / 29.0) ** 2 * (f - 4.0 / 29.0))
        for white, f in zip(WHITE_D50, (fy + a / 500.0, fy, fy - b / 200.0), strict=True)
    ]
    linear = np.clip(XYZ_D50_TO_SRGB @ np.array(xyz), 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    return from_rgb([float(value) * 255.0 for value in curved])


def from_rgb(values: Sequence[float], *, maximum: float = 255.0) -> str:
    """Return "#rrggbb" of red, green and blue from 0 to `maximum`; empty where they are none."""
    if len(values) != 3 or any(not -0.5 <= value <= maximum + 0.5 for value in values):
        return ""
    red, green, blue = (round(min(max(value, 0.0), maximum) * 255.0 / maximum) for value in values)
    return f"#{red:02x}{green:02x}{blue:02x}"
