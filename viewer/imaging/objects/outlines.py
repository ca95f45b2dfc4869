"""Contours on the frames of a stack, and the voxels they enclose.

Closed contours of one region in one plane are combined by the even-odd rule: an inner contour is a
hole (CLOSEDPLANAR_XOR, and what planning systems mean by nested CLOSED_PLANAR contours), and the two
coinciding lines of a keyhole enclose nothing (PS3.3 C.8.8.6.3). A voxel belongs to a region when its
centre lies inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray, ImagePlane
from viewer.imaging.objects.contours import Contour, StructureRegion
from viewer.imaging.objects.placing import Misaligned
from viewer.imaging.study import Series

Mask = npt.NDArray[np.uint8]

FLAT_MM: Final = 0.1
"""A contour lies in a plane when none of its points is further from it than this."""

SAME_PLANE_MM: Final = 0.02
"""Contours closer than this along the normal lie in one plane."""

MAX_CROSSINGS: Final = 1 << 21
"""About so many crossings of edges and rows are held at a time."""

LONE_PLANE_MM: Final = 1.0
"""How far from a lone image a contour may lie to be shown on it, where no thickness is known."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A contour in the pixels of one frame.

    Parameters
    ----------
    points
        (n, 2) columns and rows.
    """

    contour: Contour
    points: FloatArray


@dataclass(frozen=True, eq=False)
class _Level:
    """The contours of a region in one plane."""

    offset: float
    contours: tuple[Contour, ...]


class Outlines:
    """The contours of one region on the frames of a stack.

    Attributes
    ----------
    badge
        What the reader has to know, or empty.
    """

    def __init__(
        self,
        region: StructureRegion,
        planes: Sequence[ImagePlane],
        shape: tuple[int, int],
        depth: float,
    ) -> None:
        self.region = region
        self._planes = planes
        self._shape = shape
        self._depth = depth
        self._offsets = np.array([plane.offset for plane in planes])
        self._levels, tilted = _levels(region, planes[0])
        self._at = np.array([level.offset for level in self._levels])
        gaps = np.diff(self._at)
        own = float(np.median(gaps)) if gaps.size else depth
        self._reach = max(own, depth) / 2.0
        self._own_depth = own
        self.badge = ""
        if tilted:
            self.badge = f"{tilted} contours lie across these images and are not shown"

    @property
    def frame_count(self) -> int:
        """Frames of the stack."""
        return len(self._planes)

    def on(self, index: int) -> tuple[Outline, ...]:
        """Return the contours drawn on a frame: those of the nearest plane, within half a slice."""
        level = self._nearest(index, self._depth / 2.0)
        if level is None:
            return ()
        plane = self._planes[index]
        return tuple(
            Outline(contour, plane.patient_to_pixel(contour.points)) for contour in level.contours
        )

    def frames(self) -> tuple[int, ...]:
        """Return the frames, from 0, that contours are drawn on."""
        return tuple(
            index
            for index in range(len(self._planes))
            if self._nearest(index, self._depth / 2.0) is not None
        )

    def mask(self, index: int) -> Mask:
        """Return the pixels of a frame that the region encloses, 255 or 0.

        A frame between planes of contours takes those of the nearest, within half their distance.
        """
        level = self._nearest(index, self._reach)
        if level is None:
            return np.zeros(self._shape, dtype=np.uint8)
        plane = self._planes[index]
        closed = [plane.patient_to_pixel(one.points) for one in level.contours if one.closed]
        return enclosed(closed, self._shape).astype(np.uint8) * np.uint8(255)

    def masks(self) -> Mask:
        """Return the masks of all frames: (frames, rows, columns)."""
        return np.stack([self.mask(index) for index in range(len(self._planes))])

    def volume_ml(self) -> float | None:
        """Return the volume of the voxels enclosed, none where there is no closed contour."""
        if not any(contour.closed for contour in self.region.contours):
            return None
        plane = self._planes[0]
        voxel = plane.row_spacing * plane.column_spacing * self._depth / 1000.0
        pixels = sum(int(np.count_nonzero(self.mask(i))) for i in range(len(self._planes)))
        return pixels * voxel

    def _nearest(self, index: int, within: float) -> _Level | None:
        if not len(self._at):
            return None
        distances = np.abs(self._at - self._offsets[index])
        near = int(np.argmin(distances))
        return self._levels[near] if distances[near] <= within + SAME_PLANE_MM else None


def outlines(
    region: StructureRegion, series: Series, frames: Sequence[tuple[int, int]]
) -> Outlines | Misaligned:
    """Lay a region over the frames of a stack: `outlines(region, stack.series, stack.frames)`.

    A region in another frame of reference is laid over the images that its contours name.
    """
    planes = [plane for frame in frames if (plane := series.plane_of(frame)) is not None]
    if not planes or len(planes) < len(frames):
        return Misaligned("no_position", "The images of this series have no position in the patient.")
    own = region.frame_of_reference_uid
    if own != series.frame_of_reference_uid or not own:
        uids = {one.sop_instance_uid for one in series.instances}
        named = {one.sop_instance_uid for contour in region.contours for one in contour.images}
        if not uids & named:
            return Misaligned(
                "other_frame",
                "The region lies in another frame of reference than this series and does not refer to "
                "its images.",
            )
    if not all(plane.is_parallel(planes[0]) for plane in planes):
        return Misaligned("not_parallel", "The images of this series are not parallel.")
    first = series.instances[frames[0][0]]
    depth = _depth(planes, series)
    return Outlines(region, planes, (first.rows, first.columns), depth)


def contours_on(
    region: StructureRegion, plane: ImagePlane, *, within_mm: float = LONE_PLANE_MM
) -> tuple[Outline, ...]:
    """Return the contours of a region that lie in any one plane, those of the nearest level.

    Parameters
    ----------
    within_mm
        How far from the plane they may lie.
    """
    levels, _ = _levels(region, plane)
    near = min(levels, key=lambda level: abs(level.offset - plane.offset), default=None)
    if near is None or abs(near.offset - plane.offset) > within_mm:
        return ()
    return tuple(Outline(one, plane.patient_to_pixel(one.points)) for one in near.contours)


def _depth(planes: Sequence[ImagePlane], series: Series) -> float:
    """Return the distance between frames, mm: the median, else the slice thickness."""
    gaps = np.diff(np.sort([plane.offset for plane in planes]))
    gaps = gaps[gaps > SAME_PLANE_MM]
    if gaps.size:
        return float(np.median(gaps))
    return series.slice_thickness or LONE_PLANE_MM


def _levels(region: StructureRegion, plane: ImagePlane) -> tuple[list[_Level], int]:
    """Return the contours by their offset along the normal, and how many are not parallel to it."""
    normal = plane.normal
    by_offset: dict[int, list[tuple[float, Contour]]] = defaultdict(list)
    tilted = 0
    for contour in region.contours:
        offsets = contour.points @ normal
        if float(np.ptp(offsets)) > 2.0 * FLAT_MM:
            tilted += 1
            continue
        offset = float(offsets.mean())
        by_offset[round(offset / SAME_PLANE_MM)].append((offset, contour))
    levels: list[_Level] = []
    for key in sorted(by_offset):
        offset = float(np.mean([at for at, _ in by_offset[key]]))
        group = tuple(contour for _, contour in by_offset[key])
        if levels and offset - levels[-1].offset <= SAME_PLANE_MM:
            levels[-1] = _Level(levels[-1].offset, levels[-1].contours + group)
        else:
            levels.append(_Level(offset, group))
    return levels, tilted


def enclosed(polygons: Iterable[FloatArray], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixel centres lie inside an odd number of polygons.

    Each edge that crosses the line of a row flips all pixels to the right of the crossing.

    Parameters
    ----------
    polygons
        (n, 2) columns and rows; closed without repeating the first point.
    """
    rows, columns = shape
    flips: npt.NDArray[Any] = np.zeros(rows * (columns + 1), dtype=np.int64)
    for polygon in polygons:
        start, end = polygon, np.roll(polygon, -1, axis=0)
        upward = start[:, 1] <= end[:, 1]
        low = np.where(upward[:, None], start, end)
        high = np.where(upward[:, None], end, start)
        first = np.clip(np.ceil(low[:, 1]), 0, rows).astype(np.int64)
        counts = np.clip(np.ceil(high[:, 1]), 0, rows).astype(np.int64) - first
        turns = np.cumsum(counts) // MAX_CROSSINGS
        for turn in range(int(turns[-1]) + 1):
            some = np.flatnonzero((turns == turn) & (counts > 0))
            flips += _crossings(low[some], high[some], first[some], counts[some], shape)
    inside = np.cumsum(flips.reshape(rows, columns + 1)[:, :columns], axis=1) & 1
    return inside.astype(np.bool_)


def _crossings(
    low: FloatArray,
    high: FloatArray,
    first: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> npt.NDArray[np.int64]:
    """Return how often each pixel is the first one to the right of an edge, a spare column a row."""
    rows, columns = shape
    edges = np.repeat(np.arange(len(counts)), counts)
    at = first[edges] + np.arange(edges.size) - np.repeat(np.cumsum(counts) - counts, counts)
    slope = (high[edges, 0] - low[edges, 0]) / (high[edges, 1] - low[edges, 1])
    crossing = low[edges, 0] + (at - low[edges, 1]) * slope
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
    return np.bincount(at * (columns + 1) + column, minlength=rows * (columns + 1)).astype(np.int64)
