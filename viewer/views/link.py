"""Which image of another series lies at the same place: linked scrolling, also by hand. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viewer.imaging.geometry import FloatArray
from viewer.imaging.reading_order import place_in_order
from viewer.imaging.spaces import SAME, SPACES, Joined
from viewer.imaging.volume import ImageStack
from viewer.views.places import nearest_frame, plane_of

PARALLEL = 0.99
"""Cosine above which two stacks count as cut the same way (about 8 degrees)."""


NEARLY = 0.9
"""The same for series that a registration joins: a patient never lies twice in quite the same way."""


@dataclass(frozen=True)
class ManualLink:
    """An offset that a reader set from one series to another of a different frame of reference.

    Parameters
    ----------
    source, target
        Series keys.
    millimetres
        From the middle of the source's image to the target's plane, along the target's normal, as if
        both frames of reference were one; none when the planes are not parallel or not known: then
        `images` counts.
    images
        Place of the target's image in the order of reading less that of the source's.
    """

    source: str
    target: str
    millimetres: float | None
    images: int


@dataclass(frozen=True)
class RegisteredLink:
    """Two series are joined by a registration that a person confirmed.

    Parameters
    ----------
    confirmed_by
        Printed name.
    """

    confirmed_by: str


Link = ManualLink | RegisteredLink


def joined(source: ImageStack, target: ImageStack) -> Joined | None:
    """Return how the source lies in the target's space; none when that is not known.

    Two series share space through an equal, non-empty FrameOfReferenceUID (PS3.3 C.7.4.1), or through
    a registration that a person confirmed.
    """
    return SPACES.between(source.series.frame_of_reference_uid, target.series.frame_of_reference_uid)


def shares_space(source: ImageStack, target: ImageStack) -> bool:
    """True when it is known how both series lie to each other."""
    return joined(source, target) is not None


def registered(source: ImageStack, target: ImageStack) -> RegisteredLink | None:
    """Return who vouches for how two series lie to each other; none in one frame of reference."""
    found = joined(source, target)
    if found is None or found.registration is None:
        return None
    return RegisteredLink(found.registration.confirmed_by)


def linked_index(source: ImageStack, index: int, target: ImageStack) -> int | None:
    """Return the target's frame nearest to the source's frame, or none when they are not linked."""
    way = joined(source, target)
    if way is None or _common_normal(source, index, target, way) is None:
        return None
    return nearest_frame(target, way.moved(_middle(source, index)))


def link_here(source: ImageStack, index: int, target: ImageStack, at: int) -> ManualLink:
    """Return the link that holds a series to another as they stand now."""
    normal, there = _common_normal(source, index, target), plane_of(target, at)
    offset = None
    if normal is not None and there is not None:
        offset = float(normal @ (np.asarray(there.position) - _middle(source, index)))
    images = place_in_order(target, at) - place_in_order(source, index)
    return ManualLink(source.series.key, target.series.key, offset, images)


def index_by_hand(link: ManualLink, source: ImageStack, index: int, target: ImageStack) -> int | None:
    """Return the target's frame for a source frame under a link by hand."""
    if link.millimetres is None:
        place = min(max(place_in_order(source, index) + link.images, 0), len(target.frames) - 1)
        return place_in_order(target, place)
    normal = _common_normal(source, index, target)
    if normal is None:
        return None
    return nearest_frame(target, _middle(source, index) + link.millimetres * normal)


def _middle(stack: ImageStack, index: int) -> FloatArray:
    """Return the middle of a frame that has a plane, LPS mm."""
    plane = plane_of(stack, index)
    assert plane is not None  # `_common_normal` has looked
    rows, columns = stack.stored.shape[1:3]
    middle: FloatArray = plane.pixel_to_patient(np.array([[(columns - 1) / 2, (rows - 1) / 2]]))[0]
    return middle


def _common_normal(
    source: ImageStack, index: int, target: ImageStack, way: Joined = SAME
) -> FloatArray | None:
    """Return the target's normal; none when the two are not cut the same way or have no planes.

    Parameters
    ----------
    way
        How the source lies in the target's space; as if both were one where that is not known.
    """
    here, there = plane_of(source, index), plane_of(target, 0)
    if here is None or there is None:
        return None
    if abs(float(way.turned(here.normal) @ there.normal)) < (PARALLEL if way is SAME else NEARLY):
        return None
    return there.normal
