"""Give a lung back what is as dense as the wall: tumour, consolidation and nodules at the pleura.

Seen along rays from the mediastinum, in every axial plane, the outer edge of a healthy lung is smooth:
a dense lesion at the wall is a pit in it. The pit is filled by a grey closing over angle and height, so
that the new edge is never beyond what the lung reaches beside the lesion; where a lesion leaves little
air on a ray (from hilum to wall), the inner edge is filled the same way. Fat and bone are never filled,
and fluid is not either: it lies beside the lung. (The idea of a smooth costal surface: Sun, Bauer,
Beichel, IEEE TMI 2012, doi 10.1109/TMI.2011.2171357; Pu et al., Comput Med Imaging Graph 2008,
doi 10.1016/j.compmedimag.2008.04.005. No code or model of either.)

Arrays are in canonical order (head, back, left), on the coarse grid of `lung_mask`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.orientation import Triple, bounds

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int16]
Rays = npt.NDArray[np.int16]

ANGLES = 180
"""Rays of a plane: one every 2 degrees."""

REACH_MM = 220.0
OUTER_PIT, INNER_PIT = (70.0, 60.0), (60.0, 50.0)
"""A pit in the edge is filled when it is smaller than this over height, mm, and over angle, degrees."""

MOST_AIR = 0.3
"""The inner edge is only filled where a ray meets less air than this share of the lung's depth."""

GAP_MM = 24.0
MARGIN_MM = 12.0
FAT_HU, BONE_HU = -25.0, 160.0
GLASS_HU = -250.0
"""Smoothed density between fat and this is an edge of fat and air, not a lesion."""

SMALLEST_ML = 0.2
FLUID_HU = (-12.0, 22.0)
FLUID_ML = 20.0
"""A filled part of water density, larger than this, is fluid beside the lung."""


@dataclass(frozen=True, eq=False)
class Restored:
    """What a lung gets back, and what was kept out of it as fluid, both (head, back, left)."""

    filled: BoolArray
    fluid: BoolArray


@dataclass(frozen=True, eq=False)
class RayFrame:
    """Rays of a plane from one centre, and for each voxel its ray and its place on it.

    Parameters
    ----------
    rows, columns
        (angle, step) voxels along each ray.
    angle, step
        (row, column) ray and distance of each voxel, in steps.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    angle: npt.NDArray[np.intp]
    step: Rays

    @classmethod
    def around(cls, centre: tuple[float, float], shape: tuple[int, ...], pixel_mm: float) -> RayFrame:
        """Return the rays around (row, column)."""
        count = int(REACH_MM / pixel_mm)
        turns = np.arange(ANGLES) * (2 * np.pi / ANGLES)
        steps = np.arange(count)
        rows = np.rint(centre[0] + np.sin(turns)[:, None] * steps).astype(np.intp)
        columns = np.rint(centre[1] + np.cos(turns)[:, None] * steps).astype(np.intp)
        down, across = np.indices(shape, dtype=np.float32)
        down -= np.float32(centre[0])
        across -= np.float32(centre[1])
        turn = np.rint(np.arctan2(down, across) * (ANGLES / (2 * np.pi))).astype(np.intp) % ANGLES
        return cls(
            rows=rows.clip(0, shape[0] - 1),
            columns=columns.clip(0, shape[1] - 1),
            angle=turn,
            step=np.rint(np.hypot(down, across)).astype(np.int16),
        )

    def edges(self, mask: BoolArray) -> tuple[Rays, Rays]:
        """Return the first and the last step inside a mask on each ray, (plane, angle); -1 for none."""
        along = mask[:, self.rows, self.columns]
        met = along.any(axis=2)
        last = along.shape[2] - 1 - along[:, :, ::-1].argmax(axis=2)
        first = along.argmax(axis=2)
        return (
            np.where(met, first, -1).astype(np.int16),
            np.where(met, last, -1).astype(np.int16),
        )


def restored(mask: BoolArray, other: BoolArray, hu: IntArray, spacing: Triple) -> Restored:
    """Return what dense lesions at the wall took from one lung.

    Parameters
    ----------
    mask, other
        This lung and the other one, airways already out.
    hu
        Density on the same grid.
    """
    from scipy import ndimage

    filled, fluid = np.zeros_like(mask), np.zeros_like(mask)
    if not mask.any() or not other.any():
        return Restored(filled, fluid)
    margin = round(MARGIN_MM / spacing[2])
    box = bounds(mask, margin=(0, margin, margin))
    near, hidden = mask[box], other[box]
    centre = _centre(mask, other)
    frame = RayFrame.around(
        (centre[0] - box[1].start, centre[1] - box[2].start), near.shape[1:], spacing[2]
    )
    inner, outer = frame.edges(near)
    meet, leave = _pits(inner, outer, spacing)
    step, angle = frame.step, frame.angle
    within = (step >= meet[:, angle]) & (step <= leave[:, angle])
    # Between the first and the last air of a ray, vessels and heart stay as they are.
    within &= (step < inner[:, angle]) | (step > outer[:, angle])
    within &= ~(near | hidden)
    if not within.any():
        return Restored(filled, fluid)
    smooth = ndimage.uniform_filter(hu[box], size=3)
    dense = ((smooth > FAT_HU) & (smooth < BONE_HU)) | (smooth < GLASS_HU)
    lesions = ndimage.binary_opening(within & dense, structure=_CROSS)
    # An air bronchogram in a few planes hides the lesion from the rays there.
    upright = np.ones((_odd(GAP_MM / spacing[0]), 1, 1), dtype=bool)
    lesions |= ndimage.binary_closing(lesions, structure=upright) & dense & ~(near | hidden)
    filled[box], fluid[box] = _sorted_out(lesions, near, smooth, spacing)
    return Restored(filled, fluid)


_CROSS = np.zeros((3, 3, 3), dtype=bool)
_CROSS[1] = [[False, True, False], [True, True, True], [False, True, False]]


def _centre(mask: BoolArray, other: BoolArray) -> tuple[float, float]:
    """Return (row, column) of the middle between both lungs."""
    places = []
    for one in (mask, other):
        columns = one.sum(axis=(0, 1), dtype=np.int64)
        rows = one.sum(axis=(0, 2), dtype=np.int64)
        places.append((np.average(np.arange(rows.size), weights=rows),
                       np.average(np.arange(columns.size), weights=columns)))  # fmt: skip
    return tuple(float(v) for v in np.mean(places, axis=0))  # type: ignore[return-value]


def _pits(inner: Rays, outer: Rays, spacing: Triple) -> tuple[Rays, Rays]:
    """Return where each ray would meet and leave the lung without its lesions, (plane, angle).

    A pit must be narrow both ways, over angle and over height: the heart is neither.
    """
    from scipy import ndimage

    leave = _filled_up(outer, OUTER_PIT, spacing)
    # The inner edge the other way round: none is as far out as can be.
    far = np.iinfo(np.int16).max
    mirrored = np.where(inner < 0, -far, -inner).astype(np.int16)
    meet = -_filled_up(mirrored, INNER_PIT, spacing)
    air = np.where(inner < 0, 0, outer - inner + 1)
    poor = air < MOST_AIR * (leave.astype(np.int32) - meet)
    # Some air in one plane of a lesion does not end it.
    poor |= ndimage.binary_closing(poor, structure=np.ones((_odd(GAP_MM / spacing[0]), 1), dtype=bool))
    return np.where(poor, meet, inner).astype(np.int16), leave


def _filled_up(edges: Rays, pit: tuple[float, float], spacing: Triple) -> Rays:
    tall, wide = _odd(pit[0] / spacing[0]), _odd(pit[1] * ANGLES / 360.0)
    over_height, over_angle = _closing(edges, (tall, 1)), _closing(edges, (1, wide))
    in_both = (over_height > edges) & (over_angle > edges)
    filled: Rays = np.where(in_both, np.maximum(over_height, over_angle), edges)
    return filled


def _closing(edges: Rays, size: tuple[int, int]) -> Rays:
    """Return a grey closing over height and the whole circle of angles; nothing above and below."""
    from scipy import ndimage

    tall, wide = size
    lowest = np.iinfo(np.int16).min
    framed = np.pad(np.pad(edges, ((0, 0), (wide, wide)), mode="wrap"),
                    ((tall, tall), (0, 0)), constant_values=lowest)  # fmt: skip
    grown = ndimage.maximum_filter(framed, size=size, mode="nearest")
    closed: Rays = ndimage.minimum_filter(grown, size=size, mode="nearest")[tall:-tall, wide:-wide]
    return closed


def _odd(size: float) -> int:
    return max(1, round(size)) // 2 * 2 + 1


def _sorted_out(
    lesions: BoolArray, mask: BoolArray, smooth: IntArray, spacing: Triple
) -> tuple[BoolArray, BoolArray]:
    """Return lesions and fluid; what is too small or does not touch the lung is neither."""
    from scipy import ndimage

    labels, count = ndimage.label(lesions)
    ml = np.bincount(labels.ravel(), minlength=count + 1) * float(np.prod(spacing)) / 1000.0
    touching = np.zeros(count + 1, dtype=bool)
    touching[labels[ndimage.binary_dilation(mask, structure=_CROSS)]] = True
    keep, fluid = (ml >= SMALLEST_ML) & touching, np.zeros(count + 1, dtype=bool)
    keep[0] = False
    boxes = ndimage.find_objects(labels)
    for label in np.flatnonzero(keep & (ml > FLUID_ML)):
        box = boxes[label - 1]
        # The median: air bronchograms and the edge towards the lung pull the mean down.
        fluid[label] = FLUID_HU[0] < np.median(smooth[box][labels[box] == label]) < FLUID_HU[1]
    return (keep & ~fluid)[labels], fluid[labels]
