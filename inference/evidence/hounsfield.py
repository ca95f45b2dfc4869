"""A CT volume in Hounsfield units, made once a run for all tools."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inference.evidence.tool import MeasureContext
from viewer.imaging.volume import Volume

IntArray = npt.NDArray[np.int16]

LOWEST_HU, HIGHEST_HU = 1024, 4095
"""Densities are kept between minus the first and the second."""


def hounsfield_of(ctx: MeasureContext, volume: Volume) -> IntArray:
    """Return the Hounsfield units of a run's volume."""
    return ctx.once("hounsfield", lambda: hounsfield(volume))


def hounsfield(volume: Volume) -> IntArray:
    """Return Hounsfield units as int16, (slice, row, column); padding and less as -1024."""
    stored = volume.stored
    if volume.slope == 1.0 and float(volume.intercept).is_integer() and abs(volume.intercept) < 8192:
        wide = np.clip(stored, -24576, 24575)
        hu = wide + np.int16(volume.intercept)
    else:
        scaled = stored.astype(np.float32) * np.float32(volume.slope) + np.float32(volume.intercept)
        hu = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    np.clip(hu, -LOWEST_HU, HIGHEST_HU, out=hu)
    if volume.padding is not None:
        hu[stored == volume.padding] = -1024
    return hu
