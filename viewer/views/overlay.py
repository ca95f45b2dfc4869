"""Regions over an image: which lie on a frame, their outlines, which is under a point. No Qt."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from viewer.imaging.contour import mask_rings
from viewer.imaging.regions import Region, Shape, Space, outline, to_image
from viewer.imaging.spaces import SAME, SPACES
from viewer.imaging.volume import ImageStack
from viewer.views.places import nearest_frame, plane_of, reach_of

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CONTOUR_CACHE = 512
"""Slices of masks whose rings are kept."""


@dataclass(frozen=True)
class ViewRegion:
    """The places of one evidence as the viewer shows them.

    Parameters
    ----------
    evidence_id
        "E3": written on the tag and emitted when the region is clicked.
    regions
        Its regions, in the order in which repeated jumps visit them.
    label
        Words for assistive technology and the status line ("Left lung").
    """

    evidence_id: str
    regions: tuple[Region, ...]
    label: str = ""


@dataclass(frozen=True, eq=False)
class Outline:
    """One region on one frame: rings in image points (one point for a point region)."""

    evidence_id: str
    region: Region
    rings: tuple[FloatArray, ...]
    filled: Mask | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Smallest box around the rings: left, top, right, bottom in image points."""
        points = np.concatenate(self.rings)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def area(self) -> float:
        """Area inside in pixels; 0 for a point."""
        if self.filled is not None:
            return float(self.filled.sum())
        return abs(sum(_signed_area(ring) for ring in self.rings))

    def contains(self, point: tuple[float, float]) -> bool:
        """Return whether an image point lies inside."""
        x, y = point
        if self.filled is None:
            return sum(_inside(ring, x, y) for ring in self.rings) % 2 == 1
        column, row = round(x), round(y)
        high, wide = self.filled.shape
        return 0 <= row < high and 0 <= column < wide and bool(self.filled[row, column])

    def distance(self, point: tuple[float, float]) -> float:
        """Return the distance in pixels from an image point to the outline."""
        return min(_distance(ring, *point) for ring in self.rings)


@dataclass(eq=False)
class Overlay:
    """The regions a viewport knows, with the masks they name.

    Parameters
    ----------
    masks
        Bool volumes (frame, row, column) of the series by `Region.mask_sha256`.
    """

    regions: tuple[ViewRegion, ...] = ()
    masks: Mapping[str, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rings = lru_cache(CONTOUR_CACHE)(self._trace)
        self._middle = lru_cache(64)(self._largest_slice)

    def _trace(self, sha256: str, index: int) -> tuple[FloatArray, ...]:
        return tuple(mask_rings(self.masks[sha256][index]))

    def _largest_slice(self, sha256: str) -> int | None:
        areas = np.count_nonzero(self.masks[sha256], axis=(1, 2))
        return int(areas.argmax()) if areas.any() else None

    def on_frame(self, stack: ImageStack, index: int) -> list[Outline]:
        """Return the outlines that lie on a frame of a stack."""
        found = []
        for view_region in self.regions:
            for region in view_region.regions:
                outlined = self.outline_on(view_region.evidence_id, region, stack, index)
                if outlined is not None:
                    found.append(outlined)
        return found

    def outline_on(
        self, evidence_id: str, region: Region, stack: ImageStack, index: int
    ) -> Outline | None:
        """Return the outline of a region on a frame, or none when it does not lie there."""
        if region.shape is Shape.MASK:
            mask = self._mask_of(region, stack)
            if mask is None:
                return None
            rings = self._rings(str(region.mask_sha256), index)
            return Outline(evidence_id, region, rings, mask[index]) if rings else None
        on_image = _on_image(region, stack, index)
        return None if on_image is None else Outline(evidence_id, region, (outline(on_image),))

    def frame_of(self, region: Region, stack: ImageStack) -> int | None:
        """Return the frame that shows a region best, or none when this stack does not hold it.

        A mask is shown where its area is largest, a region in millimetres on the nearest plane.
        """
        if region.shape is Shape.MASK:
            mask = self._mask_of(region, stack)
            return None if mask is None else self._middle(str(region.mask_sha256))
        if region.space is Space.IMAGE:
            return next((i for i in range(len(stack.frames)) if _is_image_of(region, stack, i)), None)
        here = region_in_space(region, stack.series.frame_of_reference_uid)
        return None if here is None else nearest_frame(stack, here.array().mean(axis=0))

    def _mask_of(self, region: Region, stack: ImageStack) -> Mask | None:
        """Return the mask of a region if it was made on these very planes.

        A file that can no longer be read leaves its plane out: every mask behind it would then lie on
        the wrong image. Such a mask is not shown at all.
        """
        if region.series_instance_uid != stack.series.series_instance_uid:
            return None
        mask = self.masks.get(str(region.mask_sha256))
        return mask if mask is not None and mask.shape == stack.stored.shape[:3] else None


def hit(
    outlines: Sequence[Outline],
    point: tuple[float, float],
    *,
    reach: float,
    largest: float = math.inf,
    drawn: Collection[str] = (),
) -> Outline | None:
    """Return the region under an image point: the smallest one around it, else the nearest in reach.

    Parameters
    ----------
    reach
        How many image pixels beside its outline a region still counts as hit.
    largest
        Area in pixels above which a mask that is not drawn is hit by its outline only: a reader who
        clicks into a lung means the image, not the evidence that spans it.
    drawn
        Evidence whose outlines are drawn: they are hit inside, however large.
    """
    inside = [
        outlined
        for outlined in outlines
        if outlined.contains(point)
        and (outlined.filled is None or outlined.evidence_id in drawn or outlined.area <= largest)
    ]
    if inside:
        return min(inside, key=lambda outlined: outlined.area)
    near = [(outlined.distance(point), outlined) for outlined in outlines]
    beside = [(distance, outlined) for distance, outlined in near if distance <= reach]
    return min(beside, key=lambda pair: pair[0])[1] if beside else None


def region_in_space(region: Region, uid: str) -> Region | None:
    """Return a region in millimetres as it lies in a frame of reference; none when that is not known.

    Through a registration that a person confirmed its points move; the region itself stays as it was.
    """
    way = SPACES.between(region.frame_of_reference_uid or "", uid)
    if way is None or way is SAME:
        return None if way is None else region
    points = tuple((float(x), float(y), float(z)) for x, y, z in way.moved(region.array()))
    return region.model_copy(update={"points": points, "frame_of_reference_uid": uid})


def _is_image_of(region: Region, stack: ImageStack, index: int) -> bool:
    instance, frame_number = stack.frames[index]
    return (
        stack.series.instances[instance].sop_instance_uid == region.sop_instance_uid
        and frame_number == region.frame_number
    )


def _on_image(region: Region, stack: ImageStack, index: int) -> Region | None:
    """Return the region in pixels of a frame when it lies on that frame."""
    if region.space is Space.IMAGE:
        return region if _is_image_of(region, stack, index) else None
    plane = plane_of(stack, index)
    here = region_in_space(region, stack.series.frame_of_reference_uid)
    if plane is None or here is None:
        return None
    away = np.abs(here.array() @ plane.normal - plane.offset)
    # a registration turns a flat region a little against the images: its middle decides
    farthest = float(away.max() if here is region else away.mean())
    if farthest > reach_of(stack):
        return None
    instance, frame_number = stack.frames[index]
    uid = stack.series.instances[instance].sop_instance_uid
    return to_image(here, plane, sop_instance_uid=uid, frame_number=frame_number)


def _signed_area(ring: FloatArray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _inside(ring: FloatArray, x: float, y: float) -> bool:
    """Even-odd rule over the closed ring."""
    x0, y0 = ring[:, 0], ring[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    crosses = (y0 > y) != (y1 > y)
    rise = np.where(crosses, y1 - y0, 1.0)
    at = x0 + (y - y0) * (x1 - x0) / rise
    return bool(np.count_nonzero(crosses & (x < at)) % 2)


def _distance(ring: FloatArray, x: float, y: float) -> float:
    start, end = ring, np.roll(ring, -1, axis=0)
    along = end - start
    square = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((((x, y) - start) * along).sum(axis=1) / square, 0.0, 1.0)
    foot = start + share[:, None] * along
    return float(np.hypot(foot[:, 0] - x, foot[:, 1] - y).min())
