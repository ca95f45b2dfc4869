"""Which image of another series lies at the same place: linked scrolling. No Qt."""

from __future__ import annotations

from viewer.imaging.volume import ImageStack
from viewer.views.places import nearest_frame, plane_of

PARALLEL = 0.99
"""Cosine above which two stacks count as cut the same way (about 8 degrees)."""


def linked_index(source: ImageStack, index: int, target: ImageStack) -> int | None:
    """Return the target's frame nearest to the source's frame, or none when they are not linked.

    Two series share space only through an equal, non-empty FrameOfReferenceUID (PS3.3 C.7.4.1).
    """
    reference = source.series.frame_of_reference_uid
    if not reference or reference != target.series.frame_of_reference_uid:
        return None
    here, there = plane_of(source, index), plane_of(target, 0)
    if here is None or there is None or abs(float(here.normal @ there.normal)) < PARALLEL:
        return None
    middle = [[(source.stored.shape[2] - 1) / 2, (source.stored.shape[1] - 1) / 2]]
    return nearest_frame(target, here.pixel_to_patient(middle)[0])
