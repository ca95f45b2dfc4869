"""High-density bodies inside the skull: found by threshold, told from what is always dense there.

Pure functions on a `Head`; the recipe with its sources is in docs/evidence/ct-head-density.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference.evidence.contours import trace
from inference.evidence.diameters import diameters
from inference.evidence.head.cavity import BoolArray, FloatImage
from inference.evidence.head.prepared import Head, smoothed
from inference.evidence.orientation import Box, bounds

BLOOD_HU = (50.0, 90.0)
NOISE_STEPS = 4.0
"""The threshold lies at least this many SD of the smoothed brain above its median."""

HIGHEST_THRESHOLD_HU = 58.0
"""Noise that would push the threshold above this makes the search pointless."""

CALCIUM_HU = 105.0
CALCIUM_SMOOTH_MM = 0.6
CALCIUM_REACH_MM = 2.5
CALCIUM_RIM_ML = 0.6
"""A body no larger than this beside calcium is its partial volume."""

BONE_RIM_MM = 2.0
"""Blur of bone and cupping reach this far into the brain."""

OBLIQUE_RIM_MM = 1.0
"""Bone this near in the slice above or below may share the voxel."""

OPENING_MM = 1.2
"""Sheets up to twice this (falx, tentorium, vessels) do not survive."""

SHEET_MM = 1.7
"""Half of the thickness that a body must reach somewhere."""

LAYER_MM = 2.6
"""The same of a body along the skull, beyond `BONE_RIM_MM`: blur of bone, sinuses, dura."""

SMALLEST_ML = 0.12
MIDLINE_MM = 7.0
MIDLINE_HALF_MM = 4.5
"""Falx and sagittal sinus: at the midline, and no thicker than twice this."""

BASE_MM = 12.0
"""Lowest part of a cavity that is open below: beam hardening between the petrous bones."""

ALONG_SKULL = 0.25
"""Share of an outline next to bone from which a body is taken to lie along the skull."""

MOST = 20

DENSEST_BLOOD_HU = 75.0
"""Density that small clots may have when their own core is not seen (50-90, most 60-80)."""


@dataclass(frozen=True, eq=False)
class Dense:
    """One body of high density.

    Parameters
    ----------
    mask
        In the box of the cavity.
    volume_ml, volume_uncertainty_ml
        Weighted by partial volume.
    axes_mm
        A, B and C of ABC/2.
    bone_mm
        Distance to the skull in the slice, of its nearest voxel.
    along_skull
        Share of its outline, seen in the slices, that lies at the rim next to bone.
    """

    mask: BoolArray
    volume_ml: float
    volume_uncertainty_ml: float
    axes_mm: tuple[float, float, float]
    mean_hu: float
    mean_uncertainty_hu: float
    bone_mm: float
    along_skull: float

    @property
    def abc2_ml(self) -> float:
        """A x B x C / 2 (Kothari 1996), mL."""
        a, b, c = self.axes_mm
        return a * b * c / 2000.0


@dataclass(frozen=True, eq=False)
class Found:
    """What the search gave: bodies, the largest first; what was left out by name; what was searched."""

    bodies: tuple[Dense, ...]
    left_out: dict[str, int]
    searched: BoolArray
    threshold: float
    too_noisy: bool


GROWN_MM = 5.0
"""What lies along the skull is followed this far into its thin ends."""


def search(head: Head, cancelled: Callable[[], bool] = lambda: False) -> Found:
    """Search the inside of the skull; stops early with what it has when cancelled."""
    from scipy import ndimage

    threshold = max(BLOOD_HU[0], head.typical + NOISE_STEPS * head.noise)
    calcium = _calcium(head)
    searched = _searched(head)
    high = (head.smooth > threshold) & searched & ~_grown(calcium, head, CALCIUM_REACH_MM, slices=1)
    labels, count = ndimage.label(opened(high, head, OPENING_MM), structure=NEIGHBOURS)
    left_out: Counter[str] = Counter()
    kept: list[tuple[float, BoolArray, Box]] = []
    for label, box in enumerate(ndimage.find_objects(labels, count), start=1):
        body = labels[box] == label
        volume = float((body.sum(axis=(1, 2)) * head.slices.voxel_ml[box[0]]).sum())
        if volume < SMALLEST_ML:
            left_out["small"] += 1
            continue
        full = np.zeros_like(high)
        full[box] = body
        reason = _always_dense(head, full, volume, calcium)
        if reason:
            left_out[reason] += 1
        else:
            kept.append((volume, full, box))
    kept.sort(key=lambda one: -one[0])
    bodies = []
    for _, full, _ in kept[:MOST]:
        if cancelled():
            break
        bodies.append(_measured(head, full))
    return Found(
        bodies=tuple(bodies),
        left_out=dict(left_out),
        searched=searched,
        threshold=threshold,
        too_noisy=threshold > HIGHEST_THRESHOLD_HU or len(kept) > MOST,
    )


NEIGHBOURS = np.zeros((3, 3, 3), dtype=bool)
NEIGHBOURS[1] = True
NEIGHBOURS[:, 1, 1] = True


def _oblique_bone(head: Head) -> BoolArray:
    """Return places that have bone in the slice above or below: their voxels may share it."""
    near = head.cavity.bone <= OBLIQUE_RIM_MM
    shared = np.zeros_like(near)
    order = np.argsort(head.slices.heights)
    for lower, upper in pairwise(order):
        shared[lower] |= near[upper]
        shared[upper] |= near[lower]
    return shared


def _searched(head: Head) -> BoolArray:
    """Return the inside of the skull without its rim and, where it is open below, its lowest part."""
    searched: BoolArray = head.inside & (head.cavity.bone > BONE_RIM_MM) & ~_oblique_bone(head)
    if not head.cavity.closed_below:
        floor = head.slices.heights[head.cavity.lowest] + BASE_MM
        searched[head.slices.heights < floor] = False
    return searched


def _calcium(head: Head) -> BoolArray:
    light = smoothed(head.hu, head.inside, head.slices.pixel_mm, CALCIUM_SMOOTH_MM)
    dense: BoolArray = (light > CALCIUM_HU) & head.inside & (head.cavity.bone > BONE_RIM_MM)
    return dense


def _grown(mask: BoolArray, head: Head, reach_mm: float, *, slices: int = 0) -> BoolArray:
    """Return a mask grown in its slices by a length, and by whole slices up and down."""
    from scipy import ndimage

    grown = np.zeros_like(mask)
    for place in np.flatnonzero(mask.any(axis=(1, 2))):
        index = int(place)
        away = ndimage.distance_transform_edt(~mask[index], sampling=head.slices.pixel_mm)
        near = away <= reach_mm
        for other in range(max(index - slices, 0), min(index + slices + 1, len(mask))):
            grown[other] |= near
    return grown


def opened(mask: BoolArray, head: Head, radius_mm: float) -> BoolArray:
    """Return a mask without what is thinner than twice a radius in its slice."""
    from scipy import ndimage

    kept = np.zeros_like(mask)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        core = ndimage.distance_transform_edt(mask[index], sampling=head.slices.pixel_mm) > radius_mm
        if core.any():
            away = ndimage.distance_transform_edt(~core, sampling=head.slices.pixel_mm)
            kept[index] = mask[index] & (away <= radius_mm + max(head.slices.pixel_mm) / 2)
    return kept


def _half_thickness(head: Head, mask: BoolArray) -> float:
    """Return the largest radius of a circle inside a body in a slice, mm."""
    from scipy import ndimage

    return max(
        float(ndimage.distance_transform_edt(mask[index], sampling=head.slices.pixel_mm).max())
        for index in np.flatnonzero(mask.any(axis=(1, 2)))
    )


def _always_dense(head: Head, body: BoolArray, volume: float, calcium: BoolArray) -> str:
    """Return what a body is that is dense in every head, or empty."""
    half = _half_thickness(head, body)
    if half < SHEET_MM:
        return "sheet or vessel"
    if (
        volume <= CALCIUM_RIM_ML
        and (_grown(body, head, 2 * CALCIUM_REACH_MM, slices=1) & calcium).any()
    ):
        return "rim of calcium"
    rim = body & ~_eroded(body, 1)
    close = BONE_RIM_MM + 1.5 * max(head.slices.pixel_mm)
    along = float((head.cavity.bone[rim] <= close).mean())
    if along >= ALONG_SKULL and half < LAYER_MM:
        return "thin layer next to bone"
    offsets, _ = head.offsets(body)
    if half < MIDLINE_HALF_MM and float((np.abs(offsets) < MIDLINE_MM).mean()) > 0.8:
        return "falx or sagittal sinus"
    return ""


def _measured(head: Head, body: BoolArray) -> Dense:
    pixel = head.slices.pixel_mm
    reach = round(14.0 / min(pixel))
    box = bounds(body, margin=(4, reach, reach))
    near, hu, bone = body[box], head.hu[box], head.cavity.bone[box]
    core = _eroded(near, 1)
    core_hu = float(hu[core].mean() if core.sum() >= 8 else np.percentile(head.smooth[box][near], 90))
    edge = near & ~core
    along = float((bone[edge] <= BONE_RIM_MM + 1.5 * max(pixel)).mean())
    ground, spread = _surroundings(head, box, near)
    certain = near
    if along >= ALONG_SKULL:
        near = _with_thin_ends(head, box, near, (core_hu + ground) / 2.0)
    level = _Level(core_hu, ground, spread)
    volume, uncertainty = _weighted_volume(head, box, near, certain, level)
    values = hu[certain]
    whole = np.zeros_like(body)
    whole[box] = near
    return Dense(
        mask=whole,
        volume_ml=volume,
        volume_uncertainty_ml=uncertainty,
        axes_mm=_axes(head, whole),
        mean_hu=float(values.mean()),
        mean_uncertainty_hu=max(float(values.std()) / np.sqrt(values.size), 1.0),
        bone_mm=float(bone[near].min()),
        along_skull=along,
    )


@dataclass(frozen=True)
class _Level:
    """Density of a body's core, and of its surroundings with how much they vary, HU."""

    core: float
    ground: float
    spread: float


def away_in_slices(mask: BoolArray, pixel: tuple[float, float]) -> FloatImage:
    """Return the distance in each slice to a mask, mm; infinite in slices without it."""
    from scipy import ndimage

    away = np.full(mask.shape, np.inf, dtype=np.float32)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        away[index] = ndimage.distance_transform_edt(~mask[index], sampling=pixel)
    return away


def _surroundings(head: Head, box: Box, body: BoolArray) -> tuple[float, float]:
    """Return the median density around a body in its slices, and half of its interquartile range."""
    away = away_in_slices(body, head.slices.pixel_mm)
    ring = head.inside[box] & (away > 3.0) & (away <= 10.0) & (head.cavity.bone[box] > BONE_RIM_MM)
    around = head.smooth[box][ring] if ring.any() else np.array([head.typical], dtype=np.float32)
    low, middle, high = (float(part) for part in np.percentile(around, (25, 50, 75)))
    return middle, (high - low) / 2.0


def _with_thin_ends(head: Head, box: Box, body: BoolArray, level: float) -> BoolArray:
    """Return a body along the skull grown to the bone and into its ends, where it is as dense."""
    from scipy import ndimage

    allowed = head.inside[box] & (head.smooth[box] > level) & ~_oblique_bone(head)[box]
    steps = round(GROWN_MM / max(head.slices.pixel_mm))
    grown: BoolArray = ndimage.binary_dilation(
        body, structure=NEIGHBOURS, iterations=steps, mask=allowed | body
    )
    return grown


def _eroded(mask: BoolArray, steps: int) -> BoolArray:
    from scipy import ndimage

    plane = np.zeros((3, 3, 3), dtype=bool)
    plane[1] = True
    kept: BoolArray = ndimage.binary_erosion(mask, structure=plane, iterations=steps)
    return kept


PARTIAL_MM = 2.4
"""Partial volume and blur of a body reach this far around it in the slice."""


def _weighted_volume(
    head: Head, box: Box, body: BoolArray, certain: BoolArray, level: _Level
) -> tuple[float, float]:
    """Return the volume weighted by how much of each voxel is as dense as the core, and how sure.

    Of a body that no slice holds whole (smaller than three slices) the core is not seen: its density
    may be anything up to `DENSEST_BLOOD_HU`, and the volume lies between. What was taken next to bone
    or beyond the `certain` part counts by half as doubt.
    """
    hu, inside, bone = head.hu[box], head.inside[box], head.cavity.bone[box]
    near = away_in_slices(body, head.slices.pixel_mm) <= PARTIAL_MM
    beside = near.copy()
    beside[1:] |= near[:-1]
    beside[:-1] |= near[1:]
    rim = near & inside & (bone <= BONE_RIM_MM)
    free = beside & inside & (bone > BONE_RIM_MM)
    contrast = max(level.core - level.ground, 8.0)
    share = (hu - level.ground) / contrast
    voxel = head.slices.voxel_ml[box[0]][:, None, None]
    at_bone = float((np.clip(share, 0.0, 1.0) * rim * voxel).sum())
    total = at_bone + float((np.clip(share, -1.0, 2.0) * free * voxel).sum())
    added = float(((body & ~certain & free) * voxel).sum())
    grain = float(np.std(head.hu[head.deep])) / contrast * float(np.sqrt((free * voxel**2).sum()))
    doubt = float(np.hypot(level.spread, 1.5)) / contrast * total
    doubt = float(np.linalg.norm([grain, doubt, (at_bone + added) / 2.0]))
    thick = float(head.slices.thick[box[0]].max())
    diameter = 20.0 * (3.0 * max(total, 1e-6) / (4.0 * np.pi)) ** (1 / 3)
    if diameter < 3.0 * thick and level.core < DENSEST_BLOOD_HU:
        least = total * contrast / (DENSEST_BLOOD_HU - level.ground)
        doubt = float(np.hypot(doubt, (total - least) / 2.0))
        total = (total + least) / 2.0
    return total, doubt


def _axes(head: Head, body: BoolArray) -> tuple[float, float, float]:
    """Return A, B and C: longest and perpendicular diameter of the largest slice, and height.

    A slice counts for the height wholly from three quarters of the largest area, half from a quarter.
    """
    areas = body.sum(axis=(1, 2), dtype=np.int64)
    largest = int(areas.argmax())
    row_mm, column_mm = head.slices.pixel_mm
    sizes = diameters(trace(body[largest]) * np.array([column_mm, row_mm]))
    share = areas / areas[largest]
    weight = np.where(share >= 0.75, 1.0, np.where(share >= 0.25, 0.5, 0.0))
    return sizes.longest, sizes.perpendicular, float((weight * head.slices.thick).sum())
