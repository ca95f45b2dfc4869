"""Marks of one image with known values, for the tests of this folder."""

from __future__ import annotations

from viewer.imaging.marks import (
    AREA,
    DEVIATION,
    LENGTH,
    LONG_AXIS,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    SHORT_AXIS,
    Mark,
    MarkKind,
    MarkPlane,
    MarkValue,
)

HU = "[hnsf'U]"


def length(identity: str = "a", mm: float = 12.34, *, sop: str = "1.2.3.39", **fields: object) -> Mark:
    """Return a length of so many mm, drawn with pixels of 1 mm."""
    value = MarkValue(
        concept=LENGTH, label="Length", value=mm, unit="mm", uncertainty=0.7, source="PixelSpacing"
    )
    return Mark(
        **{
            "id": identity,
            "kind": MarkKind.LENGTH,
            "points": ((10.0, 20.0), (10.0 + mm, 20.0)),
            "series_instance_uid": "1.2.3",
            "series_key": "1.2.3",
            "sop_instance_uid": sop,
            "values": (value,),
            "created_at": "2026-03-01T08:00:00+00:00",
            "modified_at": "2026-03-01T08:00:00+00:00",
            **fields,
        }  # type: ignore[arg-type]
    )


def bidirectional(long: float, short: float, **fields: object) -> Mark:
    """Return two axes at right angles."""
    values = tuple(
        MarkValue(concept=concept, label=concept.meaning, value=value, unit="mm", uncertainty=0.7)
        for concept, value in ((LONG_AXIS, long), (SHORT_AXIS, short))
    )
    points = ((30.0, 60.0), (30.0 + long, 60.0), (35.0, 56.0), (35.0, 56.0 + short))
    return length("b", kind=MarkKind.BIDIRECTIONAL, points=points, values=values, **fields)


def ellipse(column: float, row: float, a: float, b: float, **fields: object) -> Mark:
    """Return an ellipse round a centre, with values as if measured."""
    points = ((column - a, row), (column + a, row), (column, row - b), (column, row + b))
    values = (
        MarkValue(concept=AREA, label="Area", value=100.4, unit="mm2", uncertainty=3.0),
        MarkValue(concept=MEAN, label="Mean", value=41.0, unit=HU),
        MarkValue(concept=DEVIATION, label="SD", value=6.2, unit=HU),
        MarkValue(concept=MINIMUM, label="Minimum", value=20.0, unit=HU),
        MarkValue(concept=MAXIMUM, label="Maximum", value=60.0, unit=HU),
        MarkValue(concept=MEDIAN, label="Median", value=40.0, unit=HU),
    )
    return length("e", kind=MarkKind.ELLIPSE, points=points, **{"values": values, **fields})


def oblique_length() -> Mark:
    """Return a length on an oblique plane in the patient."""
    plane = MarkPlane(
        origin=(0.0, 0.0, 0.0), row_cosines=(1.0, 0.0, 0.0), column_cosines=(0.0, 0.0, 1.0)
    )
    return length(
        "o",
        points=((0.0, 5.0, 5.0), (10.0, 5.0, 8.0)),
        sop_instance_uid=None,
        frame_of_reference_uid="1.2.9",
        plane=plane,
    )
