"""Masks of the evidence in the grid of a volume, and which of them a click hits. No Qt, no VTK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reformat import ReformatPlane, vector
from viewer.imaging.resample import ShownVolume
from viewer.imaging.volume import ImageStack, Volume
from viewer.views.overlay import Overlay
from viewer.views.reformat.region_cuts import mask_of
from viewer.views.reformat.slice_masks import mask_on_plane
from viewer.views.rendering.camera import Camera, Point, Size

Mask = npt.NDArray[np.bool_]

OPACITY = 1.0
"""Of the surface of an evidence: what lies in front of it stays visible as the preset has it. A surface
that lets light through would be drawn beneath the whole volume, also beneath what lies behind it."""

STEP_SHARE = 0.5
"""Smallest voxel edges between two samples of a ray."""


@dataclass(frozen=True, eq=False)
class PlacedMask:
    """The mask of one evidence in the grid of the volume.

    Parameters
    ----------
    mask
        (slice, row, column).
    middle
        LPS mm, for its tag.
    """

    evidence_id: str
    mask: Mask
    middle: FloatArray


def masks_of(
    overlay: Overlay,
    wanted: frozenset[str] | None,
    stack: ImageStack,
    shown: ShownVolume,
) -> list[PlacedMask]:
    """Return the masks of evidence that were made on the images of a stack; may take seconds.

    Parameters
    ----------
    wanted
        Evidence that is drawn; none means all.
    """
    found = []
    for view_region in overlay.regions:
        if wanted is not None and view_region.evidence_id not in wanted:
            continue
        for region in view_region.regions:
            mask = mask_of(region, overlay, stack)
            if mask is None:
                continue
            placed = mask if not shown.badge else _resampled(mask, stack, shown.volume)
            filled = np.argwhere(placed)
            if len(filled):
                middle = _to_patient(shown.volume, filled.mean(axis=0)[::-1])
                found.append(PlacedMask(view_region.evidence_id, placed, middle))
    return found


def mask_under(
    masks: Sequence[PlacedMask], volume: Volume, camera: Camera, point: Point, size: Size
) -> str:
    """Return the evidence whose mask a ray through a widget point meets first, or an empty text."""
    slices, rows, columns = volume.stored.shape
    corners = np.array([(x, y, z) for z in (0, slices) for y in (0, rows) for x in (0, columns)])
    depths = [(_to_patient(volume, corner) - camera.centre) @ camera.depth for corner in corners]
    step = STEP_SHARE * min(volume.spacing)
    along = np.arange(min(depths), max(depths), step)
    ray = camera.place(point, size) + along[:, None] * camera.depth
    index = _to_index(volume, ray)
    inside = ((index >= 0) & (index < (columns, rows, slices))).all(axis=1)
    column, row, slice_ = index[inside].T
    first: dict[str, int] = {}
    for placed in masks:
        met = np.flatnonzero(placed.mask[slice_, row, column])
        if len(met):
            first[placed.evidence_id] = min(int(met[0]), first.get(placed.evidence_id, len(along)))
    return min(first, key=lambda evidence_id: first[evidence_id], default="")


def _to_patient(volume: Volume, index: FloatArray) -> FloatArray:
    """Return LPS mm of an index (column, row, slice)."""
    place: FloatArray = volume.affine[:3, :3] @ index + volume.affine[:3, 3]
    return place


def _to_index(volume: Volume, places: FloatArray) -> npt.NDArray[np.intp]:
    """Return the nearest voxels (column, row, slice) of places in LPS mm."""
    inverse = np.linalg.inv(volume.affine)
    return np.rint(places @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.intp)


def _resampled(mask: Mask, stack: ImageStack, volume: Volume) -> Mask:
    """Return a mask of a tilted or uneven stack in the grid of the box that was resampled of it."""
    row, column = (volume.affine[:3, axis] for axis in (0, 1))
    found = np.zeros(volume.stored.shape, dtype=bool)
    for number in range(len(found)):
        plane = ReformatPlane(
            origin=vector(_to_patient(volume, np.array([0.0, 0.0, number]))),
            row_cosines=vector(row / np.linalg.norm(row)),
            column_cosines=vector(column / np.linalg.norm(column)),
            spacing=(volume.spacing[1], volume.spacing[2]),
            rows=found.shape[1],
            columns=found.shape[2],
        )
        found[number] = mask_on_plane(mask, stack, plane)
    return found
