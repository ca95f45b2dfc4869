"""Parts of an object that are shown one by one: segments and regions, with their colours. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from viewer.imaging.objects.content import ObjectContent
from viewer.imaging.objects.contours import StructureRegion, StructureSetContent
from viewer.imaging.objects.segments import Segment, SegmentationContent

COLOURS: Final = (
    "#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#F0E442", "#D55E00",
    "#8DA0F0", "#B3DE69", "#FB8072", "#80D8C8", "#D9A6E8", "#C9A66B",
)  # fmt: skip
"""For parts without a colour of their own; the first ones by Okabe and Ito."""


BACKGROUND: Final = 0
"""The number of what is no segment in a label map; some list it as one."""


class PartKey(NamedTuple):
    """A part of an object: SOP Instance UID and segment or region number."""

    object_uid: str
    number: int


@dataclass(frozen=True)
class Part:
    """One segment or region as a list shows it.

    Parameters
    ----------
    about
        What it is, in words: type, algorithm, interpreted type.
    colour
        "#rrggbb".
    volume_ml
        Millilitres, or none; `volume_note` says why not, or how it was counted.
    """

    key: PartKey
    label: str
    about: str
    colour: str
    volume_ml: float | None
    volume_note: str = ""


def parts_of(content: ObjectContent) -> tuple[Part, ...]:
    """Return the parts of a segmentation or a structure set; none of other objects."""
    uid = content.about.sop_instance_uid
    if isinstance(content, SegmentationContent):
        drawn = [one for one in content.segments if one.number != BACKGROUND]
        return tuple(_segment(uid, place, one) for place, one in enumerate(drawn))
    if isinstance(content, StructureSetContent):
        return tuple(_region(uid, place, one) for place, one in enumerate(content.regions))
    return ()


def _segment(uid: str, place: int, segment: Segment) -> Part:
    kind = "" if segment.type is None else segment.type.meaning or segment.type.value
    words = (
        kind,
        *(modifier.meaning for modifier in segment.type_modifiers),
        *(region.meaning for region in segment.regions),
        segment.algorithm_type.lower(),
        segment.algorithm_name,
        segment.description,
    )
    return Part(
        PartKey(uid, segment.number),
        segment.label or kind or str(segment.number),
        ", ".join(dict.fromkeys(filter(None, words))),
        segment.colour or COLOURS[place % len(COLOURS)],
        segment.volume_ml,
        segment.volume_note,
    )


def _region(uid: str, place: int, region: StructureRegion) -> Part:
    words = (
        region.interpreted_type,
        "" if region.identification is None else region.identification.meaning,
        region.generation.lower(),
        region.observer,
        region.description,
    )
    stated = region.stated_volume_ml
    return Part(
        PartKey(uid, region.number),
        region.name or str(region.number),
        ", ".join(dict.fromkeys(filter(None, words))),
        region.colour or COLOURS[place % len(COLOURS)],
        stated,
        "" if stated is None else "volume as the object states it",
    )
