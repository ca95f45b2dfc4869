"""A mark as evidence: its own values and place; the region tool adds side and diameters where it can.

What a mark shows on the image is what the ledger says of it: where both measured the same, the value
of the mark stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from inference.evidence.quantities import MEASURES, NO_UNIT, PIXEL_MEASURES, Measure, quantity
from inference.evidence.region_statistics import LESION
from reports.domain import (
    Code,
    Evidence,
    EvidenceKind,
    Quantity,
    Refusal,
    ReportDefault,
    Side,
    Source,
    SourceKind,
)
from viewer.imaging.marks import (
    ANGLE,
    AREA,
    COBB_ANGLE,
    DEVIATION,
    LENGTH,
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
from viewer.imaging.regions import Region, Shape, Space

NAMES: Final[dict[Concept, str]] = {
    LENGTH: "long",
    LONG_AXIS: "long",
    SHORT_AXIS: "short",
    ANGLE: "angle",
    COBB_ANGLE: "angle",
    AREA: "area",
    MEAN: "mean",
    DEVIATION: "sd",
    MINIMUM: "minimum",
    MAXIMUM: "maximum",
    MEDIAN: "median",
}
"""Slot name of each concept of a mark; a length is a long diameter, as sentences call it."""

PRINTED: Final[dict[str, tuple[str, int]]] = {
    "mm": (" mm", 1),
    "mm2": (" mm\u00b2", 0),
    "{pixel}": (" px", 1),
    "{pixel}2": (" px\u00b2", 0),
    "deg": ("\u00b0", 1),
    "[hnsf'U]": (" HU", 0),
    "Bq/ml": (" Bq/ml", 0),
}
"""Unit in text and decimals of the UCUM units that marks come in."""

OUTSIDE_DETAIL: Final = 0.5
"""Pixels round a line, so that the box about it holds at least the pixels it crosses."""


def quantities_of(mark: Mark) -> tuple[Quantity, ...]:
    """Return what a mark measured as values of the ledger, each name once."""
    found: dict[str, Quantity] = {}
    for value in mark.values:
        name = NAMES.get(value.concept, value.label.casefold().replace(" ", "_"))
        found.setdefault(name, _quantity(name, value))
    return tuple(found.values())


def _quantity(name: str, value: MarkValue) -> Quantity:
    usual = MEASURES.get(name)
    measure = usual if usual is not None and usual.unit == value.unit else None
    if measure is None:
        printed, digits = _printed(value.unit)
        unit = PIXEL_UNITS.get(value.unit, value.unit)
        measure = Measure(unit, printed, digits, Code(**value.concept.model_dump()))
    return quantity(name, value.value, uncertainty=value.uncertainty, measure=measure)


def _printed(unit: str) -> tuple[str, int]:
    """Return a UCUM unit as printed behind a number, and its decimals."""
    uptake = re.match(r"\{(SUV\w+)\}", unit)
    if uptake is not None:
        return f" {uptake[1]}", 2
    return PRINTED.get(unit, ("" if unit == NO_UNIT else f" {unit}", 1))


PIXEL_UNITS: Final[Mapping[str, str]] = {
    "{pixel}": PIXEL_MEASURES["long"].unit,
    "{pixel}2": PIXEL_MEASURES["area"].unit,
}
"""How the ledger writes the units of what nothing calibrates."""


def place_of(mark: Mark) -> Region:
    """Return where a mark is: on its image, or in the patient."""
    region = region_of(mark)
    if region is not None:
        return region
    closed = (*mark.points, *(mark.points[-2:0:-1] or mark.points[:1]))
    shape = Shape.POLYGON if len(closed) > 2 else Shape.POINT
    return Region(
        shape=shape,
        space=Space.PATIENT,
        series_instance_uid=mark.series_instance_uid,
        frame_of_reference_uid=mark.frame_of_reference_uid,
        points=closed if shape is Shape.POLYGON else mark.points[:1],
    )


def measured_region(mark: Mark) -> Region:
    """Return the region that the region tool looks at: of what has no area the box about it."""
    region = place_of(mark)
    if mark.kind.has_area or region.space is Space.PATIENT:
        return region
    points = region.array()
    low, high = points.min(axis=0) - OUTSIDE_DETAIL, points.max(axis=0) + OUTSIDE_DETAIL
    corners = (tuple(map(float, low)), tuple(map(float, high)))
    return region.model_copy(update={"shape": Shape.BOX, "points": corners})


def evidence_of(mark: Mark, looked: Evidence, *, label: str, person: str) -> Evidence:
    """Return a mark as a measurement of the ledger, made by a person.

    Parameters
    ----------
    looked
        What the region tool said of `measured_region`, a refusal too.
    label
        Short name for a chip's card.
    person
        Printed name of who marked it.
    """
    own = quantities_of(mark)
    names = {value.name for value in own}
    is_area = mark.kind.has_area and looked.refusal is None
    further = tuple(value for value in looked.values if is_area and value.name not in names)
    refusal = looked.refusal if mark.kind.has_area and not own else None
    if mark.refusal and not own and mark.kind not in WITHOUT_VALUES:
        refusal = Refusal(code="no_value", reason=mark.refusal)
    sources = dict.fromkeys(value.source for value in mark.values if value.source)
    return Evidence(
        id=looked.id,
        kind=EvidenceKind.MEASUREMENT,
        concept=LESION,
        label=label,
        side=looked.side if looked.refusal is None else Side.UNKNOWN,
        values=() if refusal is not None else _in_order((*own, *further)),
        regions=() if refusal is not None else (place_of(mark),),
        source=Source(kind=SourceKind.PERSON, name=person),
        report_default=ReportDefault.ON_REQUEST,
        checks=(
            *(looked.checks[:1] if is_area else ()),
            *(f"calibration {one}" for one in sources),
            *_measured_by(mark),
        ),
        warnings=looked.warnings,
        refusal=refusal,
    )


def _measured_by(mark: Mark) -> tuple[str, ...]:
    """Return who measured what is no mark of the reader: the object of others that it stands in."""
    if mark.is_own:
        return ()
    author = " ".join(part for part in mark.author.split("^") if part)
    return (" ".join(filter(None, ("measured by", author or "others", f"({mark.origin})"))),)


ORDER: Final = ("long", "short", "angle", "area", "mean", "sd", "median", "minimum", "maximum")
"""Sizes first: a card shows the first few."""


def _in_order(values: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
    places = {name: place for place, name in enumerate(ORDER)}
    return tuple(sorted(values, key=lambda value: places.get(value.name, len(ORDER))))


WITHOUT_VALUES: Final = frozenset((MarkKind.ARROW, MarkKind.TEXT, MarkKind.POINT))
"""Kinds that point at something: there is nothing to measure."""
