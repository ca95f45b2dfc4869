"""Bright bodies in a brain on FLAIR or T2, without what is bright in every brain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from inference.evidence.brain.prepared import RIM_MM, BoolArray, Box, Brain, distance_inside
from inference.evidence.brain.sequence import Weighting
from inference.evidence.contours import trace
from inference.evidence.diameters import diameters

OVER_SPREAD = 3.0
"""A voxel is bright from this many robust SD over the median of the brain."""

TAIL = 3.6
"""Mean of a body in robust SD; that of the tail of normal tissue over 3 SD is 3.3."""

SMALLEST_ML = 0.03
SHORTEST_MM = 3.0

MOST = 20
"""Candidates that are listed, the largest first."""

EDGE_MM = 2.5
"""The lining of a ventricle, and partial volume with it, lie within this of fluid."""

FLUID_ML = 0.5
"""Smallest piece of fluid whose edge is looked at."""

AT_FLUID = 0.6
"""Share of a body within `EDGE_MM` of fluid that makes it a lining, when it is thin too."""

THIN_MM = 1.6
"""Half of the thickness up to which a body at fluid is its lining."""

AS_FLUID = 0.85
"""On T2 a body with this share of the signal of fluid over brain is fluid."""


@dataclass(frozen=True, eq=False)
class Bright:
    """A bright body; its mask is cut to its box in the arrays of the brain.

    Parameters
    ----------
    contrast
        (mean of the body - median of the brain) / robust SD of the brain.
    depth_mm
        Smallest distance of the body to the outer edge of the brain mask.
    at_fluid
        Share of its voxels next to fluid.
    """

    box: Box
    mask: BoolArray
    ml: float
    ml_uncertainty: float
    long_mm: float
    contrast: float
    depth_mm: float
    at_fluid: float


@dataclass(frozen=True)
class Found:
    """What a search gave: the bodies that stay, largest first, and how many others were left out."""

    bodies: tuple[Bright, ...]
    left_out: dict[str, int]
    threshold: float

    @property
    def listed(self) -> tuple[Bright, ...]:
        """The bodies that are listed."""
        return self.bodies[:MOST]


def search(brain: Brain, weighting: Weighting) -> Found:
    """Return the bright bodies of a brain."""
    from scipy import ndimage

    threshold = brain.median + OVER_SPREAD * brain.spread
    searched = brain.searched
    bright = brain.mask & (brain.values > threshold)
    fluid, level = _fluid(brain, weighting, bright)
    at_fluid = _near(fluid, brain.volume.spacing)
    if weighting is Weighting.T2:
        bright &= ~fluid
    labels, _ = ndimage.label(bright & searched)
    bodies: list[Bright] = []
    left_out: Counter[str] = Counter()
    sizes = np.bincount(labels.ravel()) * brain.volume.voxel_volume_ml
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[label] < SMALLEST_ML:
            left_out["small"] += 1
            continue
        mask = _at_half_height(brain, box, labels[box] == label)
        body = _measured(brain, box, mask, at_fluid)
        reason = _left_out(brain, body, weighting, level)
        if reason:
            left_out[reason] += 1
        else:
            bodies.append(body)
    bodies.sort(key=lambda one: -one.ml)
    return Found(tuple(bodies), dict(left_out), threshold)


def _fluid(brain: Brain, weighting: Weighting, bright: BoolArray) -> tuple[BoolArray, float]:
    """Return the larger pieces of fluid in the brain, and on T2 its signal."""
    from scipy import ndimage

    if weighting is Weighting.FLAIR:
        dark = brain.mask & (brain.values < brain.median - OVER_SPREAD * brain.spread)
        return _pieces(dark, FLUID_ML / brain.volume.voxel_volume_ml), 0.0
    if not bright.any():
        return np.zeros_like(bright), np.inf
    level = float(np.percentile(brain.values[bright], 95))
    edge = brain.median + AS_FLUID * (level - brain.median)
    wet = _pieces(brain.mask & (brain.values > edge), FLUID_ML / brain.volume.voxel_volume_ml)
    lining = ndimage.binary_dilation(wet, iterations=2, mask=bright)
    return wet | lining, edge


def _pieces(mask: BoolArray, voxels: float) -> BoolArray:
    """Return the connected pieces of a mask that have at least this many voxels."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    large = np.bincount(labels.ravel()) >= voxels
    large[0] = False
    kept: BoolArray = large[labels]
    return kept


def _near(fluid: BoolArray, spacing: tuple[float, float, float]) -> BoolArray:
    near: BoolArray = ~fluid & (distance_inside(~fluid, spacing) <= EDGE_MM)
    return near


def _at_half_height(brain: Brain, box: Box, mask: BoolArray) -> BoolArray:
    """Return the largest part of a body over half of the height of its core above the brain."""
    from scipy import ndimage

    values = brain.values[box]
    core = float(np.percentile(values[mask], 90))
    labels, _ = ndimage.label(mask & (values > (brain.median + core) / 2.0))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part: BoolArray = labels == int(sizes.argmax())
    return part


def _measured(brain: Brain, box: Box, mask: BoolArray, at_fluid: BoolArray) -> Bright:
    from scipy import ndimage

    voxel = brain.volume.voxel_volume_ml
    size = int(np.count_nonzero(mask))
    padded = np.pad(mask, 1)
    edge = size - int(np.count_nonzero(ndimage.binary_erosion(padded)))
    largest = mask[int(mask.sum(axis=(1, 2)).argmax())]
    _, row_mm, column_mm = brain.volume.spacing
    return Bright(
        box=box,
        mask=mask,
        ml=size * voxel,
        ml_uncertainty=edge * voxel / 2.0,
        long_mm=diameters(trace(largest) * np.array([column_mm, row_mm])).longest,
        contrast=float((brain.values[box][mask].mean() - brain.median) / brain.spread),
        depth_mm=float(brain.depth[box][mask].min()),
        at_fluid=float(at_fluid[box][mask].mean()),
    )


def _left_out(brain: Brain, body: Bright, weighting: Weighting, level: float) -> str:
    """Return why a body is no candidate, or empty."""
    if body.ml < SMALLEST_ML or body.long_mm < SHORTEST_MM:
        return "small"
    if body.contrast < TAIL:
        return "no brighter than the tail of normal brain"
    half = float(distance_inside(body.mask, brain.volume.spacing).max())
    if body.at_fluid >= AT_FLUID and half <= THIN_MM:
        return "lining of a ventricle"
    if half <= THIN_MM and _along_edge(brain, body):
        return "thin, along the edge of the brain"
    if weighting is Weighting.T2 and float(np.median(brain.values[body.box][body.mask])) > level:
        return "as bright as fluid"
    return ""


def _along_edge(brain: Brain, body: Bright) -> bool:
    """Tell whether most of a body lies next to the rim that is not searched."""
    near = brain.depth[body.box][body.mask] <= RIM_MM + EDGE_MM
    return float(near.mean()) >= AT_FLUID
