"""From a mask to the outline a person sees: the plane with the largest area, traced and simplified."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from viewer.imaging.contour import simplify
from viewer.imaging.regions import Region, Shape
from viewer.imaging.volume import ImageStack

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

TOLERANCE_PX = 0.7
"""A simplified outline stays within this many pixels of the traced one."""


def mask_polygon(stack: ImageStack, mask: BoolArray) -> Region:
    """Return the outline of a mask on the frame where it is largest, as a polygon in its pixels."""
    plane = int(np.argmax([np.count_nonzero(one) for one in mask]))
    instance, frame = stack.frames[plane]
    outline = simplify(trace(mask[plane]), TOLERANCE_PX)
    return Region(
        shape=Shape.POLYGON,
        series_instance_uid=stack.series.series_instance_uid,
        sop_instance_uid=stack.series.instances[instance].sop_instance_uid,
        frame_number=frame,
        points=tuple((float(column), float(row)) for column, row in outline),
    )


def trace(mask: BoolArray) -> FloatArray:
    """Return the outer edge of the largest body of a plane, (n, 2) column/row, along pixel edges.

    A pixel spans half a pixel around its centre, so corners lie at halves: the polygon encloses
    exactly the pixels of the body (without its holes).
    """
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    if count == 0:
        raise ValueError("An empty mask has no outline.")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = np.pad(ndimage.binary_fill_holes(labels == int(sizes.argmax())), 1)
    rows, columns = np.nonzero(body)
    # Walk the corners between pixels with the body on the right hand, from its first pixel.
    row, column = int(rows[0]), int(columns[0])
    start = at = (row, column)
    step = (0, 1)
    points: list[tuple[int, int]] = []
    while True:
        points.append(at)
        at = (at[0] + step[0], at[1] + step[1])
        if at == start:
            break
        step = _turn(body, at, step)
    corners = np.array(points, dtype=np.float64)
    return np.stack([corners[:, 1] - 1.5, corners[:, 0] - 1.5], axis=1)


def _turn(body: BoolArray, at: tuple[int, int], step: tuple[int, int]) -> tuple[int, int]:
    """Return the next direction along the edge at a corner (row, column of the pixel below right)."""
    dr, dc = step
    ahead = {(0, 1): (0, 0), (1, 0): (0, -1), (0, -1): (-1, -1), (-1, 0): (-1, 0)}
    right_hand = ahead[step]
    left_hand = ahead[(-dc, dr)]
    right_is_in = body[at[0] + right_hand[0], at[1] + right_hand[1]]
    left_is_in = body[at[0] + left_hand[0], at[1] + left_hand[1]]
    if not right_is_in:
        return dc, -dr  # turn right
    if left_is_in:
        return -dc, dr  # turn left
    return step
