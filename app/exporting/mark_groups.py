"""Marks as the groups of a structured report: what each kind of mark becomes. No DICOM here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reports.export.sr import CodeWord, Points, SrGroup, SrValue, uid_of
from viewer.imaging.marks import (
    DEVIATION,
    LONG_AXIS,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    SHORT_AXIS,
    Concept,
    Mark,
    MarkKind,
    MarkValue,
    region_of,
)
from viewer.imaging.regions import Shape

DERIVATIONS: Final = frozenset(one.value for one in (MEAN, DEVIATION, MINIMUM, MAXIMUM, MEDIAN))

PIXEL_CONCEPTS: Final[dict[str, CodeWord]] = {
    "[hnsf'U]": ("112031", "DCM", "Attenuation Coefficient"),
    "g/ml{SUVbw}": ("126401", "DCM", "SUVbw"),
    "Bq/ml": ("110821", "DCM", "Nuclear Medicine Projection Activity"),
}
"""What the pixels of a unit mean (PS3.16 CID 7180, 7181); others are "pixel values" of ours."""

PIXEL_VALUES: Final[CodeWord] = ("PIXEL-VALUES", "99SIGHTLINE", "Pixel values")

AXES: Final = {LONG_AXIS.value: slice(0, 2), SHORT_AXIS.value: slice(2, 4)}
"""Which points of a mark with two axes a value was measured on."""

NAMED: Final = {MarkKind.TEXT: "Text", MarkKind.ARROW: "Arrow", MarkKind.POINT: "Point"}


def groups_of(marks: Sequence[Mark]) -> tuple[SrGroup, ...]:
    """Return the groups of marks that measure or show something, in their order."""
    return tuple(group for group in map(group_of, marks) if group is not None)


def group_of(mark: Mark) -> SrGroup | None:
    """Return a mark as a group; none for one without a place (an empty mask)."""
    placed = _placed(mark)
    if placed is None:
        return None
    graphic, points = placed
    is_region = mark.kind.has_area or not mark.values
    if mark.in_patient and is_region and graphic == "POLYLINE" and len(points) > 3:
        graphic = "POLYGON"
    return SrGroup(
        name=" ".join(filter(None, (mark.name, mark.text))) or NAMED.get(mark.kind) or str(mark.kind),
        tracking_uid=mark.tracking_uid or uid_of("mark", mark.id),
        graphic=graphic,
        is_region=is_region,
        points=points,
        sop_instance_uid=mark.sop_instance_uid or "",
        frame_number=mark.frame_number,
        frame_of_reference_uid=(mark.frame_of_reference_uid or "") if mark.in_patient else "",
        values=tuple(_value(mark, value) for value in mark.values),
    )


def _placed(mark: Mark) -> tuple[str, Points] | None:
    if not mark.kind.has_area and len(mark.points) > 1 and mark.kind is not MarkKind.ARROW:
        return "POLYLINE", mark.points
    region = region_of(mark)
    if region is None:
        return None
    if region.shape is Shape.BOX:
        (left, top), (right, bottom) = region.points
        return "POLYLINE", ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    if region.shape is Shape.POLYGON:
        return "POLYLINE", (*region.points, region.points[0])
    return region.shape.name, region.points


def _value(mark: Mark, value: MarkValue) -> SrValue:
    is_statistic = value.concept.value in DERIVATIONS
    concept = PIXEL_CONCEPTS.get(value.unit, PIXEL_VALUES) if is_statistic else _word(value.concept)
    has_axes = mark.kind in (MarkKind.BIDIRECTIONAL, MarkKind.PERPENDICULAR)
    axis = AXES.get(value.concept.value) if has_axes else None
    return SrValue(
        concept=concept,
        value=value.value,
        unit=value.unit,
        derivation=_word(value.concept) if is_statistic else None,
        uncertainty=value.uncertainty,
        source=value.source,
        points=() if axis is None else mark.points[axis],
    )


def _word(concept: Concept) -> CodeWord:
    return concept.value, concept.scheme, concept.meaning
