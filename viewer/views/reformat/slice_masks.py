"""Masks of images on planes through a resampled volume: a sample asks the nearest image. No Qt.

A tilted or uneven stack is resampled to be looked at, its masks are not: they are read at the true
position of every image.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import VerdictKind
from viewer.imaging.reformat import ReformatPlane
from viewer.imaging.volume import ImageStack

Mask = npt.NDArray[np.bool_]

REACH: Final = 0.51
"""How far from an image it stands for the patient, in distances to the next one."""


def mask_on_plane(mask: Mask, stack: ImageStack, plane: ReformatPlane) -> Mask:
    """Return a (frame, row, column) mask of a stack on a plane, (rows, columns).

    Parameters
    ----------
    stack
        Its images are parallel and each has a place, as in any stack that is resampled.
    """
    planes = [stack.series.plane_of(frame) for frame in stack.frames]
    known = [one for one in planes if one is not None]
    first = known[0]
    positions = np.asarray([one.position for one in known])
    offsets = positions @ first.normal
    columns, rows = np.meshgrid(np.arange(plane.columns), np.arange(plane.rows))
    matrix = plane.matrix()
    samples = np.stack([columns.ravel(), rows.ravel()], axis=1)
    places = samples @ matrix[:3, :2].T + matrix[:3, 3]
    heights = places @ first.normal
    nearest = np.searchsorted((offsets[1:] + offsets[:-1]) / 2, heights)
    away = places - positions[nearest]
    column = np.rint(away @ np.asarray(first.row_cosines) / first.column_spacing).astype(np.intp)
    row = np.rint(away @ np.asarray(first.column_cosines) / first.row_spacing).astype(np.intp)
    gaps = np.diff(offsets)
    if stack.series.verdict.kind is VerdictKind.MISSING:
        gaps = np.minimum(gaps, np.median(gaps))  # nothing is known where slices are missing
    reach = REACH * np.maximum(np.append(gaps, 0.0), np.insert(gaps, 0, 0.0))
    inside = np.abs(heights - offsets[nearest]) <= reach[nearest]
    inside &= (column >= 0) & (column < mask.shape[2]) & (row >= 0) & (row < mask.shape[1])
    found = np.zeros(len(places), dtype=mask.dtype)
    found[inside] = mask[nearest[inside], row[inside], column[inside]]
    return found.reshape(plane.rows, plane.columns)
