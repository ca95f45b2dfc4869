"""Which images of a series belong together: `split` makes stacks that can be scrolled and measured.

A series of the header may mix orientations, echoes, b-values, times and kinds of images. Each gets a
stack of its own; stacks that show the same places at several times, b-values or echoes know that they
are the phases of one 4D series.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from viewer.imaging.calibration import PROJECTION_MODALITIES
from viewer.imaging.geometry import DUPLICATE_TOLERANCE_MM, PERPENDICULAR_TOLERANCE, FloatArray
from viewer.imaging.headers import Header, Tag
from viewer.imaging.study import Instance, Phase, PhaseKind
from viewer.imaging.tiling import Flavour, Tiling

IMAGE_TYPE_VALUES: Final[dict[str, int | None]] = {"CT": 3}
"""How many values of Image Type tell stacks apart (all by default): the fourth of CT is a vendor's."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image with its header, until both are grouped."""

    header: Header
    instance: Instance


@dataclass(frozen=True, slots=True)
class Stack:
    """Images of one stack, sorted, and the phase that they are of a 4D series."""

    images: tuple[ImageFile, ...]
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """What all images of a stack share; the first three tell the phases of one place apart."""

    echo: tuple[float, str]
    b_value: float
    time: tuple[float, str, str]
    rest: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Dimension:
    """A way in which stacks of one place differ: its value in a key, and how to say it."""

    kind: PhaseKind
    value: Callable[[_Key], object]
    words: Callable[[_Key], str]


DIMENSIONS: Final = (
    _Dimension(
        PhaseKind.ECHO,
        lambda key: key.echo,
        lambda key: f"TE {key.echo[0]:g} ms" if key.echo[0] > 0.0 else "",
    ),
    _Dimension(
        PhaseKind.B_VALUE,
        lambda key: key.b_value,
        lambda key: f"b {key.b_value:g} s/mm2" if key.b_value >= 0.0 else "",
    ),
    _Dimension(PhaseKind.TIME, lambda key: key.time, lambda key: key.time[1]),
)


def split(images: Sequence[ImageFile]) -> list[Stack]:
    """Split the images of one series into stacks, the largest first."""
    groups: dict[_Key, list[ImageFile]] = defaultdict(list)
    orientations: list[tuple[float, ...]] = []
    for image in images:
        groups[_key(image, orientations)].append(image)
    stacks: list[Stack] = []
    unphased: dict[_Key, Stack] = {}
    for number, (key, group) in enumerate(groups.items(), start=1):
        if group[0].instance.tiling is not None:
            stacks += _slides(group)
            continue
        times = _times(_sorted(group), number)
        if len(times) == 1:
            unphased[key] = times[0]
        else:
            stacks += times
    stacks += _with_phases(unphased, first_group=len(groups) + 1)
    stacks.sort(key=_rank)
    return stacks


def _slides(images: list[ImageFile]) -> list[Stack]:
    """Return the levels of each slide, the largest first.

    Images of the same size (other optical paths, other focal planes) belong to a pyramid of their own.
    """

    def place(image: ImageFile) -> tuple[int, int, str]:
        return -image.instance.columns, image.instance.instance_number or 0, image.instance.path

    slides: list[dict[tuple[int, int], ImageFile]] = []
    for image in sorted(images, key=place):
        size = image.instance.rows, image.instance.columns
        free = next((slide for slide in slides if size not in slide), None)
        if free is None:
            slides.append(free := {})
        free[size] = image
    return [Stack(tuple(slide.values())) for slide in slides]


def _rank(stack: Stack) -> tuple[int, int, int, str]:
    first = stack.images[0].instance
    place = 0 if stack.phase is None else stack.phase.index
    return -len(stack.images), place, first.instance_number or 0, first.path


def _key(image: ImageFile, orientations: list[tuple[float, ...]]) -> _Key:
    header, instance = image.header, image.instance
    modality = header.code(Tag.Modality)
    time = header.decimal(Tag.TemporalPositionIdentifier), header.code(Tag.TemporalPositionIdentifier)
    if instance.tiling is not None:
        return _slide_key(instance, instance.tiling, modality)
    own = instance.sop_instance_uid if instance.number_of_frames > 1 else ""
    if instance.mosaic:
        # Each mosaic is a volume of its own, one of the times of a series.
        time, own = (float(instance.instance_number or 0), instance.acquisition_time), ""
    b_value = header.double(Tag.DiffusionBValue)
    return _Key(
        echo=(header.decimal(Tag.EchoTime) or 0.0, header.code(Tag.EchoNumbers)),
        b_value=-1.0 if b_value is None else b_value,
        time=(time[0] or 0.0, time[1], instance.sop_instance_uid if instance.mosaic else ""),
        rest=(
            _orientation_class(instance, orientations),
            header.codes(Tag.ImageType)[: IMAGE_TYPE_VALUES.get(modality)],
            modality,
            instance.sop_class_uid,
            (instance.rows, instance.columns, instance.samples_per_pixel),
            (instance.bits_allocated, instance.signed, instance.photometric_interpretation),
            # A cine or an enhanced object is a stack of its own.
            own,
            # Radiographs of one series (PA and lateral) are different views, never a stack.
            instance.sop_instance_uid if modality in PROJECTION_MODALITIES else "",
        ),
    )


def _slide_key(instance: Instance, tiling: Tiling, modality: str) -> _Key:
    """What the levels of one slide share; label and overview are pictures of their own."""
    level = tiling.flavour in {Flavour.VOLUME, Flavour.THUMBNAIL}
    return _Key(
        echo=(0.0, ""),
        b_value=-1.0,
        time=(0.0, "", ""),
        rest=(
            modality,
            instance.sop_class_uid,
            instance.samples_per_pixel,
            instance.bits_allocated,
            tiling.flavour,
        )
        if not level
        else (modality, instance.sop_class_uid, instance.samples_per_pixel, instance.bits_allocated),
    )


def _orientation_class(instance: Instance, orientations: list[tuple[float, ...]]) -> int:
    """Number of the orientation among those seen so far in this series; -1 without one."""
    if instance.plane is None:
        return -1
    cosines = (*instance.plane.row_cosines, *instance.plane.column_cosines)
    for index, known in enumerate(orientations):
        if cosines == known or all(
            abs(a - b) <= PERPENDICULAR_TOLERANCE for a, b in zip(cosines, known, strict=True)
        ):
            return index
    orientations.append(cosines)
    return len(orientations) - 1


def _sorted(images: list[ImageFile]) -> list[ImageFile]:
    """Sort along the normal, else by instance number; position decides, number breaks ties."""

    def by_number(image: ImageFile) -> tuple[bool, int, str, str]:
        number = image.instance.instance_number
        return number is None, number or 0, image.instance.acquisition_time, image.instance.path

    ordered = sorted(images, key=by_number)
    offsets = _offsets(ordered)
    if offsets is None:
        return ordered
    return [ordered[index] for index in np.argsort(offsets, kind="stable")]


def _offsets(images: Sequence[ImageFile]) -> FloatArray | None:
    """Places along the normal of the first image, mm; none when an image has no plane."""
    planes = [image.instance.plane for image in images]
    known = [plane for plane in planes if plane is not None]
    if len(known) < len(images):
        return None
    offsets: FloatArray = np.asarray([plane.position for plane in known]) @ known[0].normal
    return offsets


def _times(images: list[ImageFile], group: int) -> list[Stack]:
    """Split sorted images that show each of several places equally often: a series over time.

    Their order at a place is that of acquisition times, else of instance numbers. Where neither tells
    them apart they may be copies, and stay together: the verdict on their geometry says so.
    """
    whole = [Stack(tuple(images))]
    offsets = _offsets(images)
    if offsets is None or len(images) < 4:
        return whole
    starts = [0, *(np.flatnonzero(np.diff(offsets) >= DUPLICATE_TOLERANCE_MM) + 1).tolist()]
    places = [images[start:end] for start, end in zip(starts, [*starts[1:], len(images)], strict=True)]
    count = len(places[0])
    if count < 2 or len(places) < 2 or any(len(place) != count for place in places):
        return whole
    order = _order_in_time(places)
    if order is None:
        return whole
    ranked = [sorted(place, key=order) for place in places]
    return [
        Stack(
            tuple(place[index] for place in ranked),
            Phase(group=group, kind=PhaseKind.TIME, index=index + 1, count=count),
        )
        for index in range(count)
    ]


def _order_in_time(places: list[list[ImageFile]]) -> Callable[[ImageFile], tuple[str, int]] | None:
    """What puts the images of each place in their order in time; none when nothing does."""

    def time(image: ImageFile) -> tuple[str, int]:
        return image.instance.acquisition_time, 0

    def number(image: ImageFile) -> tuple[str, int]:
        known = image.instance.instance_number
        return "", -1 if known is None else known

    for order in (time, number):
        if all(len({order(image) for image in place}) == len(place) for place in places):
            return order
    return None


def _with_phases(stacks: dict[_Key, Stack], *, first_group: int) -> list[Stack]:
    """Tell stacks of the same places that differ in one way only that they are phases."""
    families: dict[tuple[object, ...], list[_Key]] = defaultdict(list)
    for key, stack in stacks.items():
        families[key.rest, len(stack.images)].append(key)
    found = dict(stacks)
    for number, family in enumerate(families.values(), start=first_group):
        ways = [way for way in DIMENSIONS if len({way.value(key) for key in family}) > 1]
        if len(ways) != 1 or not _same_places([stacks[key] for key in family]):
            continue
        (way,) = ways
        family.sort(key=lambda key: (key.echo, key.b_value, key.time))
        for index, key in enumerate(family, start=1):
            phase = Phase(
                group=number, kind=way.kind, index=index, count=len(family), value=way.words(key)
            )
            found[key] = replace(stacks[key], phase=phase)
    return list(found.values())


def _same_places(stacks: list[Stack]) -> bool:
    """True when all stacks show the same places, image by image."""
    offsets = [_offsets(stack.images) for stack in stacks]
    first = offsets[0]
    if first is None:
        return False
    return all(
        other is not None and bool(np.all(np.abs(other - first) <= DUPLICATE_TOLERANCE_MM))
        for other in offsets
    )
