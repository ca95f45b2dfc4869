"""From a place that a person gave to the voxels of a volume."""

from __future__ import annotations

import numpy as np

from inference.evidence.tool import MeasureContext
from viewer.imaging.geometry import FloatArray
from viewer.imaging.regions import Region, Space
from viewer.imaging.volume import Volume


def frame_index(ctx: MeasureContext, region: Region) -> int | None:
    """Return the plane of the stack that a region in pixels lies on, or none."""
    for index, (number, frame) in enumerate(ctx.stack.frames):
        uid = ctx.series.instances[number].sop_instance_uid
        if uid == region.sop_instance_uid and frame == region.frame_number:
            return index
    return None


def seed_mm(ctx: MeasureContext, region: Region) -> FloatArray | None:
    """Return the middle of a region in LPS mm, or none where it is not of this series."""
    if region.space is Space.PATIENT:
        if region.frame_of_reference_uid != ctx.series.frame_of_reference_uid:
            return None
        centre: FloatArray = region.array().mean(axis=0)
        return centre
    index = frame_index(ctx, region)
    plane = None if index is None else ctx.series.plane_of(ctx.stack.frames[index])
    if plane is None:
        return None
    placed: FloatArray = plane.pixel_to_patient(region.array().mean(axis=0, keepdims=True))[0]
    return placed


def to_voxel(volume: Volume, place: FloatArray) -> FloatArray:
    """Return an LPS place as (slice, row, column) of a volume, not rounded."""
    column, row, number, _ = np.linalg.solve(volume.affine, np.append(place, 1.0))
    return np.array([number, row, column])


def offsets_mm(volume: Volume, place: FloatArray, reach_mm: float) -> tuple[Box, FloatArray]:
    """Return the box of voxels about a place, and the LPS offset of each voxel from it.

    Parameters
    ----------
    reach_mm
        The box holds every voxel whose centre is at most so far away along each axis of the volume.

    Returns
    -------
    tuple
        Slices into the volume, cut at its edges, and (slice, row, column, 3) in mm.
    """
    middle = to_voxel(volume, place)
    steps = np.array(volume.spacing)
    low = np.floor(middle - reach_mm / steps).astype(int)
    high = np.ceil(middle + reach_mm / steps).astype(int) + 1
    spans = [
        slice(min(max(int(a), 0), size), min(max(int(b), 0), size))
        for a, b, size in zip(low, high, volume.stored.shape, strict=True)
    ]
    number, row, column = (np.arange(span.start, span.stop, dtype=np.float64) for span in spans)
    axes = volume.affine[:3, :3]
    offset = (
        (number - middle[0])[:, None, None, None] * axes[:, 2]
        + (row - middle[1])[None, :, None, None] * axes[:, 1]
        + (column - middle[2])[None, None, :, None] * axes[:, 0]
    )
    return (spans[0], spans[1], spans[2]), offset


def is_inside(volume: Volume, place: FloatArray, margin_mm: float = 0.0) -> bool:
    """Tell whether a place lies in a volume, with this much of it all round."""
    middle, steps = to_voxel(volume, place), np.array(volume.spacing)
    edge = margin_mm / steps - 0.5
    return bool(np.all(middle >= edge) and np.all(middle <= np.array(volume.stored.shape) - 1 - edge))


Box = tuple[slice, slice, slice]
