"""Size of a round dense place in the lung: outline at half height, volume weighted by partial volume.

Vessels are cut off by an opening (Kostis et al., IEEE TMI 2003, doi 10.1109/TMI.2003.817785). A voxel
counts by how far its density lies between that of the lung around and that of the core: blur moves
density over the edge, but does not change its sum. Arrays are in canonical order (head, back, left).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.diameters import Diameters, diameters
from inference.evidence.orientation import BoolArray, Box, Triple

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int16]

RAYS = 128
RAY_STEP_MM = 0.2
OPENING = 0.3
"""Radius of the opening over that of the place."""

BAND_MM = 2.0
"""Beyond its outline, voxels are weighted as far as this (or one slice)."""

RING_MM = (2.5, 5.5)
"""Where the lung around is measured."""

LEAST_CONTRAST_HU = 120.0
VOLUME_FLOOR = 0.03
AROUND_HU = 6.0
"""How well the density of the lung around is known."""

BLUR_MM, SLICE_BLUR = 0.7, 0.5
"""Blur of the scanner in the plane (standard deviation), and along the slices as a share of them."""

SPIKE_RAYS = 11
"""A spike of the outline narrower than this many rays is a vessel (31 degrees)."""


@dataclass(frozen=True, eq=False)
class Size:
    """What was measured.

    Parameters
    ----------
    box, mask
        Voxels of the place within a box of the array.
    plane
        Index in the box of the slice where it is largest.
    diameters
        Longest and perpendicular in that slice, mm.
    length_uncertainty_mm
        One voxel in the plane.
    """

    box: Box
    mask: BoolArray
    plane: int
    diameters: Diameters
    length_uncertainty_mm: float
    volume_mm3: float
    volume_uncertainty_mm3: float
    core_hu: float
    around_hu: float

    @property
    def mean_mm(self) -> float:
        """Mean of both diameters, mm."""
        return (self.diameters.longest + self.diameters.perpendicular) / 2.0


def measured(
    hu: IntArray, inside: BoolArray, place: Triple, diameter_mm: float, spacing: Triple
) -> Size | None:
    """Return the size of a place, or none when it has no edge of its own.

    Parameters
    ----------
    place, diameter_mm
        Where it is (slice, row, column), and its size as the filter saw it.
    """
    reach = 0.9 * diameter_mm + RING_MM[1] + spacing[0]
    spans = [
        slice(max(int(at - reach / step), 0), min(int(at + reach / step) + 2, size))
        for at, step, size in zip(place, spacing, hu.shape, strict=True)
    ]
    box = spans[0], spans[1], spans[2]
    near, lung = hu[box].astype(np.float32), inside[box]
    centre = np.array([at - span.start for at, span in zip(place, spans, strict=True)])
    around = _first_background(near, lung)
    core = float(near[_ball(near.shape, centre, max(0.2 * diameter_mm, 0.8), spacing)].mean())
    for _ in range(2):
        if core - around < LEAST_CONTRAST_HU:
            return None
        body = _body(near > (core + around) / 2, lung, centre, diameter_mm, spacing)
        if body is None or not body.any():
            return None
        mask = body
        centre = np.argwhere(mask).mean(axis=0)
        core, around = _levels(near, lung, mask, spacing)
    return _sized(near, lung, mask, box=box, core=core, around=around, spacing=spacing)


def _first_background(near: FloatArray, lung: BoolArray) -> float:
    values = near[lung & (near < -350)]
    return float(np.median(values)) if values.size else -850.0


def _ball(shape: tuple[int, ...], centre: FloatArray | npt.NDArray[np.float64], radius: float,
          spacing: Triple) -> BoolArray:  # fmt: skip
    grids = np.ogrid[tuple(map(slice, shape))]
    far2 = sum(((g - at) * step) ** 2 for g, at, step in zip(grids, centre, spacing, strict=True))
    ball: BoolArray = far2 <= radius**2
    if not ball.any():
        ball[tuple(np.clip(np.rint(centre).astype(int), 0, np.array(shape) - 1))] = True
    return ball


def _body(
    dense: BoolArray, lung: BoolArray, centre: npt.NDArray[np.float64], diameter: float, spacing: Triple
) -> BoolArray | None:
    """Return the dense body around a place without the vessels that enter it."""
    from scipy import ndimage

    dense = dense & lung & _ball(dense.shape, centre, 0.85 * diameter + 1.5, spacing)
    depth = ndimage.distance_transform_edt(np.pad(dense, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    radius = min(OPENING * diameter / 2, 0.8 * float(depth.max(initial=0.0)))
    labels, count = ndimage.label(depth > radius)
    if count == 0:
        return None
    off = _squared_distance(labels.shape, centre, spacing)
    nearest = int(labels.ravel()[np.where(labels > 0, off, np.inf).argmin()])
    kernel = labels == nearest
    grown = ndimage.distance_transform_edt(~kernel, sampling=spacing) <= radius + 0.5 * max(spacing[1:])
    body: BoolArray = dense & grown
    return body


def _squared_distance(
    shape: tuple[int, ...], centre: npt.NDArray[np.float64], spacing: Triple
) -> npt.NDArray[np.float64]:
    grids = np.ogrid[tuple(map(slice, shape))]
    far: npt.NDArray[np.float64] = np.broadcast_to(
        sum(((g - at) * step) ** 2 for g, at, step in zip(grids, centre, spacing, strict=True)), shape
    )
    return far


def _levels(near: FloatArray, lung: BoolArray, mask: BoolArray, spacing: Triple) -> tuple[float, float]:
    """Return the density of the core and of the lung around."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    deep = depth >= min(2.2 + 0.4 * spacing[0], 0.8 * float(depth.max()))
    core = float(near[deep].mean())
    away = ndimage.distance_transform_edt(~mask, sampling=spacing)
    ring = lung & (away > RING_MM[0]) & (away < RING_MM[1])
    values = near[ring]
    if values.size < 20:
        return core, _first_background(near, lung)
    # Vessels make the upper tail: the spread is taken from the lower half.
    middle = float(np.median(values))
    spread = max(middle - float(np.percentile(values, 16)), 15.0)
    kept = values[np.abs(values - middle) < 2.5 * spread]
    return core, float(kept.mean())


def _sized(
    near: FloatArray, lung: BoolArray, mask: BoolArray, *, box: Box, core: float, around: float,
    spacing: Triple,
) -> Size | None:  # fmt: skip
    from scipy import ndimage

    contrast = core - around
    if contrast < LEAST_CONTRAST_HU:
        return None
    away = ndimage.distance_transform_edt(~mask, sampling=spacing)
    band = (away > 0) & (away <= max(BAND_MM, spacing[0])) & lung
    voxel = float(np.prod(spacing))
    seen = _seen(float(mask.sum()) * voxel, spacing)
    share = (near - around) / contrast * seen
    # Beyond the outline a blurred edge falls off; what stays dense is a vessel or the wall.
    edge = np.where(away <= max(spacing[1:]), 0.5, np.where(away <= 1.01 * spacing[0], 0.5, 0.25))
    weights = np.where(mask, share, np.where(band & (share < edge), share, 0.0))
    volume = float(weights.sum()) * voxel
    whole = max(volume, voxel)
    beside = band & (share >= edge) & (away <= 1.01 * max(spacing))
    unsure = (
        VOLUME_FLOOR,
        AROUND_HU / contrast * float((mask | band).sum()) * voxel / whole,
        1.0 - seen,
        0.5 * float(beside.sum()) * voxel / whole,
        _sampling(whole, spacing),
    )
    plane = int(mask.sum(axis=(1, 2)).argmax())
    across = _outline(near[plane], mask[plane], (core + around) / 2, spacing)
    if across is None or volume <= 0:
        return None
    return Size(
        box=box,
        mask=mask,
        plane=plane,
        diameters=across,
        length_uncertainty_mm=max(spacing[1:]),
        volume_mm3=volume,
        volume_uncertainty_mm3=volume * min(1.0, math.hypot(*unsure)),
        core_hu=core,
        around_hu=around,
    )


def _seen(volume_mm3: float, spacing: Triple) -> float:
    """Return the part of its contrast that the middle of a ball keeps under the scanner's blur."""
    blur = np.sqrt(BLUR_MM**2 + (SLICE_BLUR * spacing[0]) ** 2 / 3.0)
    ratio = float(np.cbrt(volume_mm3 * 0.75 / np.pi)) / blur
    kept = math.erf(ratio / math.sqrt(2.0)) - math.sqrt(2.0 / math.pi) * ratio * math.exp(
        -(ratio**2) / 2
    )
    return max(float(kept), 0.5)


def _sampling(volume_mm3: float, spacing: Triple) -> float:
    """Return what too few voxels across leave open, as a share of the volume."""
    across2 = float(np.cbrt(6.0 * volume_mm3 / math.pi)) ** 2
    return 0.75 * (spacing[0] ** 2 + (1.5 * max(spacing[1:])) ** 2) / across2


def _outline(plane: FloatArray, mask: BoolArray, half: float, spacing: Triple) -> Diameters | None:
    """Return the diameters of the outline at half height, along rays from the middle of the mask."""
    from scipy import ndimage

    rows, columns = np.nonzero(mask)
    middle = np.array([rows.mean(), columns.mean()])
    turn = np.arange(RAYS) * (2 * np.pi / RAYS)
    away = np.arange(1, int((np.hypot(*mask.shape) * max(spacing[1:])) / RAY_STEP_MM)) * RAY_STEP_MM
    direction = np.stack([np.sin(turn) / spacing[1], np.cos(turn) / spacing[2]])
    at = middle[:, None, None] + direction[:, :, None] * away
    values = ndimage.map_coordinates(plane, at, order=1, mode="constant", cval=-1000.0)
    grown = ndimage.binary_dilation(mask).astype(np.uint8)
    within = ndimage.map_coordinates(grown, at, order=0, mode="constant") > 0
    outside = (values < half) | ~within
    first = outside.argmax(axis=1)
    if not outside.any(axis=1).all():
        return None
    before = np.maximum(first - 1, 0)
    index = np.arange(RAYS)
    high, low = values[index, before], values[index, first]
    part = np.clip((high - half) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    radius = away[before] + np.where(first > 0, part, 0.0) * RAY_STEP_MM
    radius = ndimage.grey_opening(radius, size=SPIKE_RAYS, mode="wrap")
    return diameters(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1))
