"""On which side of the patient a place lies: from geometry, never guessed.

Compared with the middle between the skin on both sides, in the same image. UNKNOWN is an answer: no
orientation, body cut by the image, a plane that does not cross the midline, or a place near it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reports.domain import Side
from viewer.imaging.geometry import FloatArray, ImagePlane

MIDLINE_MM = 15.0
"""A place closer than this to the middle of the body has no certain side."""

BODY_HU = -300.0
"""Skin and what is inside it, against air."""

NARROWEST_BODY_MM = 80.0
"""A body that is narrower in its image is no cross-section to take a middle of."""

COUCH_MM = 5.0
"""Shells of couches and cushions are thinner than twice this."""

_ALONG_X = 0.8
"""Smallest cosine between an image's row or column and the patient's x for a left-right profile."""


def side_of(
    point_px: tuple[float, float], plane: ImagePlane | None, hu: npt.NDArray[np.float32]
) -> Side:
    """Return the side of a point of a CT image, or UNKNOWN.

    Parameters
    ----------
    point_px
        (column, row).
    hu
        The image in Hounsfield units, (row, column).
    """
    if plane is None:
        return Side.UNKNOWN
    middle = body_middle_x(plane, hu)
    if middle is None:
        return Side.UNKNOWN
    x = float(plane.pixel_to_patient(np.array([point_px]))[0, 0])
    if abs(x - middle) < MIDLINE_MM:
        return Side.UNKNOWN
    return Side.LEFT if x > middle else Side.RIGHT


def body_middle_x(plane: ImagePlane, hu: npt.NDArray[np.float32]) -> float | None:
    """Return x (LPS mm) half way between the left and right skin of an image, or none."""
    directions = np.abs([plane.row_cosines[0], plane.column_cosines[0]])
    along = int(np.argmax(directions))  # 0: x runs along rows (columns grow), 1: along columns
    if directions[along] < _ALONG_X:
        return None
    body = _largest_body(hu > BODY_HU, steps=max(2, round(COUCH_MM / plane.column_spacing)))
    if body is None:
        return None
    profile = np.flatnonzero(body.any(axis=along))
    size = hu.shape[1] if along == 0 else hu.shape[0]
    if profile[0] == 0 or profile[-1] == size - 1:
        return None  # the body is cut: its middle is not that of the patient
    ends: FloatArray = np.zeros((2, 2))
    ends[:, along] = profile[[0, -1]]
    ends[:, 1 - along] = (hu.shape[along] - 1) / 2
    x = plane.pixel_to_patient(ends)[:, 0]
    if abs(float(x[1] - x[0])) < NARROWEST_BODY_MM:
        return None
    return float(x.mean())


def _largest_body(mask: npt.NDArray[np.bool_], *, steps: int) -> npt.NDArray[np.bool_] | None:
    """Return the largest body of an image after an opening that parts it from the couch."""
    from scipy import ndimage

    opened = ndimage.binary_opening(mask, iterations=steps)
    labels, count = ndimage.label(opened)
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest: npt.NDArray[np.bool_] = labels == int(sizes.argmax())
    return largest
