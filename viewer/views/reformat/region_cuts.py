"""Regions of the evidence as planes at any angle cut them. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from viewer.imaging.contour import mask_rings
from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import ReformatPlane, Vector, vector
from viewer.imaging.regions import Region, Shape, Space, outline
from viewer.imaging.spaces import SPACES
from viewer.imaging.volume import ImageStack
from viewer.views.overlay import Outline, Overlay
from viewer.views.reformat.sampler import Mask, VolumeSampler
from viewer.views.reformat.slice_masks import mask_on_plane

SAME_MM: Final = 1e-6
"""Crossings closer together than this are one corner of an outline."""


def cuts(
    overlay: Overlay,
    wanted: frozenset[str] | None,
    stack: ImageStack,
    sampler: VolumeSampler,
    *,
    plane: ReformatPlane,
    reach: float,
) -> Iterator[Outline]:
    """Return the outlines of regions on a plane, their rings in its samples (column, row).

    Parameters
    ----------
    wanted
        Evidence that is drawn; none means all.
    reach
        How far from the plane in mm a flat region still counts as lying in it: drawn whole then, else
        as the chords in which the plane cuts it.
    """
    for view_region in overlay.regions:
        if wanted is not None and view_region.evidence_id not in wanted:
            continue
        for region in view_region.regions:
            if region.shape is Shape.MASK:
                mask = mask_of(region, overlay, stack)
                filled = None if mask is None else _on_plane(mask, region, stack, sampler, plane)
                rings = [] if filled is None else mask_rings(filled)
            else:
                places, filled = places_of(region, stack), None
                rings = [] if places is None else _flat(places, plane, reach)
            if rings:
                yield Outline(view_region.evidence_id, region, tuple(rings), filled)


class RegionCuts:
    """Keeps the outlines of one plane: a pointer that moves over it asks for them again and again."""

    def __init__(self) -> None:
        self._key: object = None
        self._found: list[Outline] = []

    def on_plane(
        self,
        overlay: Overlay,
        wanted: frozenset[str] | None,
        stack: ImageStack,
        sampler: VolumeSampler,
        *,
        plane: ReformatPlane,
        reach: float,
    ) -> list[Outline]:
        """Return what `cuts` finds."""
        key = (overlay, wanted, stack, sampler, plane, reach)
        if key != self._key:
            self._found = list(cuts(overlay, wanted, stack, sampler, plane=plane, reach=reach))
            self._key = key
        return self._found

    def forget(self) -> None:
        """Let go of what was found."""
        self._key, self._found = None, []


def middle_of(
    region: Region, overlay: Overlay, stack: ImageStack, sampler: VolumeSampler
) -> Vector | None:
    """Return the middle of a region, LPS mm; none when it does not lie in this volume.

    Of a mask, the voxel of its largest slice that is nearest to the middle of that slice's part.
    """
    if region.shape is not Shape.MASK:
        places = places_of(region, stack)
        inside = places is not None and sampler.grid.contains(places.mean(axis=0))
        return vector(places.mean(axis=0)) if places is not None and inside else None
    mask = mask_of(region, overlay, stack)
    index = None if mask is None else overlay.frame_of(region, stack)
    plane = None if index is None else stack.series.plane_of(stack.frames[index])
    if mask is None or index is None or plane is None:
        return None
    voxels = np.argwhere(mask[index]).astype(np.float64)
    row, column = voxels[np.linalg.norm(voxels - voxels.mean(axis=0), axis=1).argmin()]
    return vector(plane.pixel_to_patient(np.array([[column, row]]))[0])


def places_of(region: Region, stack: ImageStack) -> FloatArray | None:
    """Return the outline of a flat region, (n, 3) LPS mm; none when it is of another space."""
    if region.space is Space.PATIENT:
        way = SPACES.between(region.frame_of_reference_uid or "", stack.series.frame_of_reference_uid)
        return None if way is None else way.moved(region.array())
    for instance, number in stack.frames:
        if (
            stack.series.instances[instance].sop_instance_uid == region.sop_instance_uid
            and number == region.frame_number
        ):
            plane = stack.series.plane_of((instance, number))
            return None if plane is None else plane.pixel_to_patient(outline(region))
    return None


def mask_of(region: Region, overlay: Overlay, stack: ImageStack) -> Mask | None:
    """Return the mask of a region if it is one and was made on the images of this stack."""
    if region.shape is not Shape.MASK:
        return None
    mask = overlay.masks.get(str(region.mask_sha256))
    own = region.series_instance_uid == stack.series.series_instance_uid
    return mask if own and mask is not None and mask.shape == stack.stored.shape[:3] else None


def _on_plane(
    mask: Mask, region: Region, stack: ImageStack, sampler: VolumeSampler, plane: ReformatPlane
) -> Mask:
    if sampler.is_resampled:
        return mask_on_plane(mask, stack, plane)
    return sampler.mask(str(region.mask_sha256), mask, plane)


def _flat(places: FloatArray, plane: ReformatPlane, reach: float) -> list[FloatArray]:
    """Return a flat outline on a plane: whole when it lies there, else where the plane cuts it."""
    away = (places - np.asarray(plane.origin)) @ plane.normal
    on_plane = plane.image_plane().patient_to_pixel
    if float(np.abs(away).max()) <= reach:
        return [on_plane(places)]
    ahead, beyond = np.roll(places, -1, axis=0), np.roll(away, -1)
    crossing = (away < 0) != (beyond < 0)
    if not crossing.any():
        return []
    share = (away[crossing] / (away[crossing] - beyond[crossing]))[:, None]
    points = places[crossing] + share * (ahead[crossing] - places[crossing])
    along = points[int(np.linalg.norm(points - points[0], axis=1).argmax())] - points[0]
    if float(np.linalg.norm(along)) < SAME_MM:
        return []
    ordered = on_plane(points[np.argsort(points @ along)])
    return [ordered[index : index + 2] for index in range(0, len(ordered) - 1, 2)]
