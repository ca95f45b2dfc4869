"""Measurements of a report as marks on the images of a study, in the name of who made them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from viewer.imaging.marks import Concept, Mark, MarkKind, MarkOrigin, MarkValue
from viewer.imaging.objects.parts import Code, Point
from viewer.imaging.objects.reports import (
    ImageShape,
    Measurement,
    MeasurementGroup,
    PatientShape,
    ReportContent,
    Shape,
)
from viewer.imaging.study import Series, Study

MAX_MARKS: Final = 2000
STATED: Final = "stated in the report"

LONG_AXIS: Final = (("103339001", "SCT"), ("G-A185", "SRT"), ("103339001", "SRT"))
SHORT_AXIS: Final = (("103340004", "SCT"), ("G-A186", "SRT"), ("103340004", "SRT"))
ANGLES: Final = (("1483009", "SCT"), ("G-A1A0", "SRT"), ("285285000", "SCT"))

ON_PLANE_MM: Final = 0.5
"""Coordinates in the patient lie on an image when none is further from its plane than this, or than
half of the distance between images."""


@dataclass(frozen=True)
class _Placed:
    """A shape on an image of the study, in its pixels."""

    kind: str
    points: tuple[Point, ...]
    series: Series
    sop_instance_uid: str
    frame: int
    name: str


@dataclass(frozen=True)
class _Drawn:
    """A shape as a mark has it: its kind, its points in the order of that kind, its values."""

    kind: MarkKind
    placed: _Placed
    points: tuple[Point, ...]
    values: tuple[Measurement, ...]


def marks_of_report(report: ReportContent, study: Study) -> tuple[Mark, ...]:
    """Return what a report measured on images of a study, as marks.

    Shapes on images that are not there, and open lines of more than three points, make no mark: they
    remain in the groups of the report.
    """
    finder = _Finder(study)
    marks: list[Mark] = []
    for place, group in enumerate(report.groups):
        for number, drawn in enumerate(_drawn(group, finder)):
            mark = _mark(report, group, drawn, f"{place}.{number}")
            if mark is not None:
                marks.append(mark)
            if len(marks) >= MAX_MARKS:
                return tuple(marks)
    return tuple(marks)


def _drawn(group: MeasurementGroup, finder: _Finder) -> Iterator[_Drawn]:
    """Yield the marks of a group: two axes together, shapes of the group, shapes of its values."""
    axes = _axes(group, finder)
    if axes is not None:
        yield axes
    for measured in group.measurements:
        if axes is not None and measured in axes.values:
            continue
        for shape in measured.shapes:
            yield from _shapes(shape, (measured,), group, finder)
    values = tuple(one for one in group.measurements if not one.shapes)
    for shape in group.shapes:
        yield from _shapes(shape, values, group, finder)


def _axes(group: MeasurementGroup, finder: _Finder) -> _Drawn | None:
    """Return long and short axis as one bidirectional measurement, where both are drawn."""
    lines = []
    for codes in (LONG_AXIS, SHORT_AXIS):
        found = [one for one in group.measurements if one.concept.is_one_of(*codes) and one.shapes]
        placed = finder.place(found[0].shapes[0]) if len(found) == 1 else None
        if placed is None or placed.kind != "POLYLINE" or len(placed.points) != 2:
            return None
        lines.append((found[0], placed))
    (long, first), (short, second) = lines
    if (first.sop_instance_uid, first.frame) != (second.sop_instance_uid, second.frame):
        return None
    return _Drawn(MarkKind.BIDIRECTIONAL, first, first.points + second.points, (long, short))


def _shapes(
    shape: Shape, values: tuple[Measurement, ...], group: MeasurementGroup, finder: _Finder
) -> Iterator[_Drawn]:
    placed = finder.place(shape)
    if placed is None:
        return
    if placed.kind == "MULTIPOINT":
        for point in placed.points:
            yield _Drawn(MarkKind.POINT, placed, (point,), values)
        return
    found = _kind(placed, values, is_region=group.template == "1410")
    if found is not None:
        yield _Drawn(found[0], placed, found[1], values)


def _kind(
    placed: _Placed, values: Sequence[Measurement], *, is_region: bool
) -> tuple[MarkKind, tuple[Point, ...]] | None:
    """Return the kind of mark that a shape is, with its points in the order of that kind."""
    points = placed.points
    match placed.kind, len(points):
        case "POINT", _:
            found = MarkKind.POINT, points[:1]
        case "CIRCLE", 2:
            found = MarkKind.ELLIPSE, _round(*points)
        case "ELLIPSE", 4:
            found = MarkKind.ELLIPSE, points
        case "POLYLINE" | "POLYGON", count if count > 3 and points[0] == points[-1]:
            found = MarkKind.POLYGON, points[:-1]
        case "POLYLINE" | "POLYGON", count if count > 2 and (is_region or placed.kind == "POLYGON"):
            found = MarkKind.POLYGON, points
        case "POLYLINE", 2:
            found = MarkKind.LENGTH, points
        case "POLYLINE", 3 if any(one.concept.is_one_of(*ANGLES) for one in values):
            found = MarkKind.ANGLE, points
        case _:
            return None
    return found


def _round(centre: Point, edge: Point) -> tuple[Point, ...]:
    """Return the ends of two diameters of a circle."""
    (x, y), radius = centre, float(np.hypot(edge[0] - centre[0], edge[1] - centre[1]))
    return (x - radius, y), (x + radius, y), (x, y - radius), (x, y + radius)


def _mark(report: ReportContent, group: MeasurementGroup, drawn: _Drawn, place: str) -> Mark | None:
    placed = drawn.placed
    made = _made_at(report)
    name = group.tracking_id or (group.finding.meaning if group.finding is not None else "")
    try:
        return Mark(
            id=hashlib.sha256(f"{report.about.sop_instance_uid} {place}".encode()).hexdigest()[:32],
            kind=drawn.kind,
            name=name or placed.name,
            points=drawn.points,
            series_instance_uid=placed.series.series_instance_uid,
            series_key=placed.series.key,
            sop_instance_uid=placed.sop_instance_uid,
            frame_number=placed.frame,
            values=tuple(_value(one) for one in drawn.values if one.value is not None),
            tracking_uid=group.tracking_uid or None,
            author=", ".join(report.observers) or report.about.creator,
            origin=MarkOrigin.SR,
            **({"created_at": made, "modified_at": made} if made else {}),
        )
    except ValueError:  # points that make no mark
        return None


def _value(measured: Measurement) -> MarkValue:
    assert measured.value is not None
    return MarkValue(
        concept=_concept(measured.concept),
        label=measured.label,
        value=measured.value,
        unit=measured.unit,
        source=STATED,
    )


def _concept(code: Code) -> Concept:
    return Concept(value=code.value, scheme=code.scheme, meaning=code.meaning)


def _made_at(report: ReportContent) -> str:
    """Return date and time of the content, ISO 8601 without a zone; empty where it has no date."""
    date, time = report.about.date, report.about.time[:6]
    if len(date) != 8 or not date.isdigit():
        return ""
    clock = f"T{time[:2]}:{time[2:4]}:{time[4:6]}" if len(time) == 6 and time.isdigit() else ""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}{clock}"


class _Finder:
    """Finds the image of a study that a shape lies on."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._images = {
            one.sop_instance_uid: (series, one.number_of_frames)
            for series in study.series
            for one in series.instances
        }

    def place(self, shape: Shape) -> _Placed | None:
        """Return a shape in the pixels of an image of the study, none where there is none."""
        return self._on_image(shape) if isinstance(shape, ImageShape) else self._in_patient(shape)

    def _on_image(self, shape: ImageShape) -> _Placed | None:
        if shape.image is None or shape.image.sop_instance_uid not in self._images:
            return None
        series, count = self._images[shape.image.sop_instance_uid]
        frame = shape.image.frames[0] if shape.image.frames else 1
        if not 1 <= frame <= count:
            return None
        uid = shape.image.sop_instance_uid
        return _Placed(shape.type, shape.points, series, uid, frame, shape.name)

    def _in_patient(self, shape: PatientShape) -> _Placed | None:
        points = np.array(shape.points)
        for series in self._study.series:
            if not shape.frame_of_reference_uid or (
                series.frame_of_reference_uid != shape.frame_of_reference_uid
            ):
                continue
            reach = max(ON_PLANE_MM, (series.verdict.spacing or 0.0) / 2.0)
            best: tuple[float, tuple[int, int]] | None = None
            for frame in series.frame_order():
                plane = series.plane_of(frame)
                if plane is None:
                    continue
                distance = float(np.abs(points @ plane.normal - plane.offset).max())
                if distance <= reach and (best is None or distance < best[0]):
                    best = distance, frame
            if best is None:
                continue
            plane = series.plane_of(best[1])
            assert plane is not None
            pixels = plane.patient_to_pixel(points)
            instance = series.instances[best[1][0]]
            return _Placed(
                shape.type,
                tuple((float(x), float(y)) for x, y in pixels),
                series,
                instance.sop_instance_uid,
                best[1][1],
                shape.name,
            )
        return None
