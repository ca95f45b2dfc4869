"""Bodies of uptake over a threshold, parted into their peaks, with volumes and SUVs.

Pure functions on arrays of SUV. A peak is a local maximum of the 1 mL mean; one that lies within the
41 % contour of a hotter peak of the same body belongs to it, every other one stands on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.evidence.pet.sphere import PEAK_RADIUS_MM, best_peak, peak_map

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]
Box = tuple[slice, slice, slice]

SHARE_OF_MAXIMUM = 0.41
"""Contour at 41 % of SUVmax (EANM guideline 2.0, doi 10.1007/s00259-014-2961-x)."""

SMALLEST_ML = 0.2
"""Less than this over the threshold, or a single voxel, is noise."""

CONTOUR_MARGIN_MM = 20.0
"""A 41 % contour that reaches further than this beyond the body has run into the background."""

FLOOD_STEPS = 24
"""Levels at which peaks of one body grow towards each other."""

EDGE_SHARE = 0.1
"""Volumes are told with half of their change when the threshold moves by a tenth either way."""


@dataclass(frozen=True)
class Segment:
    """A volume within a contour: mL, mean SUV, and half of what a tenth of the threshold changes."""

    ml: float
    mean: float
    ml_uncertainty: float
    glycolysis_uncertainty: float

    @property
    def glycolysis(self) -> float:
        """Total lesion glycolysis, g: volume times mean SUV."""
        return self.ml * self.mean


@dataclass(frozen=True, eq=False)
class Uptake:
    """One peak with its part of a body over the threshold.

    Parameters
    ----------
    box, mask
        Where the part lies in the volume, and which voxels of the box it holds.
    hottest
        Voxel of SUVmax, (slice, row, column) of the volume.
    share
        Volume within 41 % of the maximum; none when that contour runs into other uptake.
    """

    box: Box
    mask: BoolArray
    hottest: tuple[int, int, int]
    maximum: float
    peak: float
    fixed: Segment
    share: Segment | None


def find_uptake(
    values: FloatArray,
    spacing: Triple,
    threshold: float,
    *,
    go_on: Callable[[], None] = lambda: None,
) -> tuple[Uptake, ...]:
    """Return all peaks at or over a threshold, hottest first.

    Parameters
    ----------
    values
        (slice, row, column) SUV.
    spacing
        Voxel size in the order of the array, mm.
    go_on
        Called between bodies; may raise to stop.
    """
    from scipy import ndimage

    voxel_ml = float(np.prod(spacing)) / 1000.0
    least = max(2, round(SMALLEST_ML / voxel_ml))
    labels, count = ndimage.label(values >= threshold, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    boxes = ndimage.find_objects(labels)
    found: list[Uptake] = []
    for label in np.flatnonzero(sizes >= least):
        if label == 0:
            continue
        go_on()
        box = _grown(boxes[label - 1], values.shape, spacing)
        found += _parted(values[box], labels[box] == label, box, spacing, threshold)
    return tuple(sorted(found, key=lambda one: -one.maximum))


def _grown(box: Box, shape: tuple[int, ...], spacing: Triple) -> Box:
    spans = []
    for span, size, step in zip(box, shape, spacing, strict=True):
        margin = max(1, round(CONTOUR_MARGIN_MM / step))
        spans.append(slice(max(span.start - margin, 0), min(span.stop + margin, size)))
    return spans[0], spans[1], spans[2]


def _parted(
    values: FloatArray, body: BoolArray, box: Box, spacing: Triple, threshold: float
) -> list[Uptake]:
    """Return the peaks of one body, each with its part."""
    voxel_ml = float(np.prod(spacing)) / 1000.0
    means = peak_map(values, spacing)
    tops = _peaks(values, means, body, spacing)
    parts = _basins(means, body, tops)
    found = []
    for number, top in enumerate(tops, start=1):
        mask = parts == number
        inside = np.where(mask, values, 0.0)
        hottest = np.unravel_index(int(inside.argmax()), values.shape)
        maximum = float(values[hottest])
        start = tuple(int(at) + span.start for at, span in zip(hottest, box, strict=True))
        found.append(
            Uptake(
                box=box,
                mask=mask,
                hottest=(start[0], start[1], start[2]),
                maximum=maximum,
                peak=best_peak(values, spacing, _top_of(means, mask)),
                fixed=_fixed(
                    values, mask, parts, threshold=threshold, voxel_ml=voxel_ml, number=number
                ),
                share=_share(values, top, maximum, parts, number=number, voxel_ml=voxel_ml),
            )
        )
    return found


def _top_of(means: FloatArray, mask: BoolArray) -> tuple[int, int, int]:
    top = np.unravel_index(int(np.where(mask, means, -np.inf).argmax()), means.shape)
    return int(top[0]), int(top[1]), int(top[2])


def _peaks(
    values: FloatArray, means: FloatArray, body: BoolArray, spacing: Triple
) -> list[tuple[int, ...]]:
    """Return the voxels of the peaks of a body, hottest first."""
    from scipy import ndimage

    reach = [max(1, round(PEAK_RADIUS_MM / step)) for step in spacing]
    highest = ndimage.maximum_filter(means, size=[2 * one + 1 for one in reach])
    places = np.argwhere(body & (means >= highest))
    order = np.argsort(-means[tuple(places.T)], kind="stable")
    taken = np.zeros(body.shape, dtype=bool)
    tops: list[tuple[int, ...]] = []
    for place in places[order]:
        top = tuple(int(at) for at in place)
        if taken[top]:
            continue
        tops.append(top)
        near = tuple(slice(max(at - r, 0), at + r + 1) for at, r in zip(top, reach, strict=True))
        maximum = float(values[near].max())
        labels, _ = ndimage.label(body & (values >= SHARE_OF_MAXIMUM * maximum))
        if labels[top]:
            taken |= labels == labels[top]
        taken[near] |= body[near]
    return tops


def _basins(means: FloatArray, body: BoolArray, tops: list[tuple[int, ...]]) -> npt.NDArray[np.int32]:
    """Return a body divided among its peaks, by number from 1: flooded from the peaks downwards."""
    from scipy import ndimage

    if len(tops) == 1:
        return body.astype(np.int32)
    parts = np.zeros(body.shape, dtype=np.int32)
    for number, place in enumerate(tops, start=1):
        parts[place] = number
    low, high = float(means[body].min()), float(means[body].max())
    for level in np.linspace(high, low, FLOOD_STEPS):
        wet = body & (means >= level)
        while True:
            near = ndimage.grey_dilation(parts, size=(3, 3, 3))
            new = wet & (parts == 0) & (near > 0)
            if not new.any():
                break
            parts[new] = near[new]
    return parts


def _segment(
    values: FloatArray, mask: BoolArray, low: BoolArray, high: BoolArray, ml: float
) -> Segment:
    """Return a segment with what the wider and the narrower contour change."""
    sums = [float(values[one].sum(dtype=np.float64)) * ml for one in (mask, low, high)]
    counts = [int(np.count_nonzero(one)) for one in (mask, low, high)]
    return Segment(
        ml=counts[0] * ml,
        mean=float(values[mask].mean(dtype=np.float64)),
        ml_uncertainty=max((counts[1] - counts[2]) / 2.0, 0.5) * ml,
        glycolysis_uncertainty=max((sums[1] - sums[2]) / 2.0, 0.0),
    )


def _fixed(
    values: FloatArray,
    mask: BoolArray,
    parts: npt.NDArray[np.int32],
    *,
    threshold: float,
    voxel_ml: float,
    number: int,
) -> Segment:
    from scipy import ndimage

    near = ndimage.binary_dilation(mask, structure=np.ones((3, 3, 3)), iterations=2)
    free = near & ((parts == 0) | (parts == number))
    low = mask | (free & (values >= threshold * (1.0 - EDGE_SHARE)))
    high = mask & (values >= threshold * (1.0 + EDGE_SHARE))
    return _segment(values, mask, low, high, voxel_ml)


def _contour(values: FloatArray, top: tuple[int, ...], level: float) -> BoolArray:
    from scipy import ndimage

    labels, _ = ndimage.label(values >= level)
    return np.asarray(labels == labels[top]) if labels[top] else np.zeros(values.shape, dtype=bool)


def _share(
    values: FloatArray,
    top: tuple[int, ...],
    maximum: float,
    parts: npt.NDArray[np.int32],
    *,
    number: int,
    voxel_ml: float,
) -> Segment | None:
    """Return the segment at 41 % of the maximum, or none when it runs into something else."""
    level = SHARE_OF_MAXIMUM * maximum
    mask = _contour(values, top, level)
    if not mask.any() or _leaves(mask) or np.any(mask & (parts != 0) & (parts != number)):
        return None
    low = _contour(values, top, level * (1.0 - EDGE_SHARE))
    low = mask if _leaves(low) else low
    return _segment(values, mask, low, mask & (values >= level * (1.0 + EDGE_SHARE)), voxel_ml)


def _leaves(mask: BoolArray) -> bool:
    """Tell whether a contour runs out of its box: into the background, or out of the images."""
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1])
    return any(bool(edge.any()) for edge in edges)
