"""Midline shift by three points that a person sets: two on the falx, one on the septum.

Recipe in docs/evidence/midline-shift.md. Never automatic: no program says where the falx is attached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.evidence.masks import MaskStore
from inference.evidence.quantities import quantity
from inference.evidence.tool import (
    Applies,
    IdSource,
    MeasureContext,
    Need,
    NeedShape,
    RefusalCode,
    refused,
    source,
)
from reports.domain import Code, Evidence, EvidenceKind, ReportDefault, Side
from viewer.imaging.geometry import FloatArray, ImagePlane
from viewer.imaging.regions import Region, Space

SHIFT = Code(value="MIDLINESHIFT", scheme="99SIGHTLINE", meaning="Midline shift")

FALX_FRONT, FALX_BACK, SEPTUM = "falx_anterior", "falx_posterior", "septum"

HEAD_CT_OR_MR = Applies(frozenset({"CT", "MR"}), frozenset({"head"}))

CLICK_MM = 1.0
"""Half-width with which a person hits a point of the falx or septum; a pixel where that is more."""

SHORTEST_FALX_MM = 60.0
FURTHEST_SLICE_MM = 12.0
"""Points on slices further apart than this do not make one line: the falx curves with height."""

ALONG = (0.1, 0.9)
"""The foot of the septum lies in this part of the line between the points of the falx."""

_REASONS = {
    "place": "A point lies on no image of this series that has a place in the patient.",
    "short": "The two points of the falx lie only {0:.0f} mm apart: set them at its ends.",
    "slices": "The points lie on slices {0:.0f} mm apart: set them on one slice.",
    "between": "The point of the septum does not lie between the points of the falx.",
    "across": "The line of the falx runs across the head: the side of a shift would not be certain.",
}


@dataclass(frozen=True)
class MidlineShift:
    """How far the septum lies from the line of the falx, and to which side."""

    name: str = "midline-shift"
    version: str = "1"
    title: str = "Midline shift"
    concept: Code = SHIFT
    report_default: ReportDefault = ReportDefault.SENTENCE
    applies: Applies = HEAD_CT_OR_MR
    needs: tuple[Need, ...] = (
        Need(FALX_FRONT, NeedShape.POINT, "Click the front end of the falx, at the skull"),
        Need(
            FALX_BACK,
            NeedShape.POINT,
            "Click the back end of the falx, at the skull, on the same image",
        ),
        Need(
            SEPTUM, NeedShape.POINT, "Click the septum pellucidum where it is furthest from the midline"
        ),
    )

    def measure(self, ctx: MeasureContext, ids: IdSource, masks: MaskStore) -> tuple[Evidence, ...]:
        """Return the shift in mm with its side, or a refusal."""
        regions = tuple(ctx.inputs[role] for role in (FALX_FRONT, FALX_BACK, SEPTUM))
        placed = [_placed(ctx, region) for region in regions]
        known = [one for one in placed if one is not None]
        if len(known) < len(placed):
            return (self._refusal(ids, "place", code=RefusalCode.GEOMETRY),)
        plane = known[0][1]
        front, back, septum = (point for point, _ in known)
        line = _Line.through(front, back, plane.normal)
        heights = np.array([front, back, septum]) @ plane.normal
        if line.length < SHORTEST_FALX_MM:
            return (self._refusal(ids, "short", line.length),)
        if np.ptp(heights) > FURTHEST_SLICE_MM:
            return (self._refusal(ids, "slices", float(np.ptp(heights))),)
        if abs(float(line.across[0])) < 0.7:
            return (self._refusal(ids, "across", code=RefusalCode.GEOMETRY),)
        distance, share = line.distance(septum)
        if not ALONG[0] <= share <= ALONG[1]:
            return (self._refusal(ids, "between"),)
        doubt = max(CLICK_MM, plane.row_spacing, plane.column_spacing) * float(
            np.sqrt(1.0 + share**2 + (1.0 - share) ** 2)
        )
        to_left = distance * float(line.across[0]) > 0
        certain = abs(distance) > doubt
        return (
            Evidence(
                id=ids.take(),
                kind=EvidenceKind.MEASUREMENT,
                concept=SHIFT,
                label=self.title,
                side=(Side.LEFT if to_left else Side.RIGHT) if certain else Side.UNKNOWN,
                values=(quantity("shift", abs(distance), uncertainty=doubt),),
                regions=regions,
                source=source(self),
                report_default=self.report_default,
                checks=(
                    f"falx {line.length:.0f} mm long",
                    f"points within {float(np.ptp(heights)):.1f} mm of height",
                    "three points set by a person",
                ),
                warnings=() if certain else ("within what three clicks can tell: no side",),
            ),
        )

    def _refusal(
        self, ids: IdSource, reason: str, *values: float, code: RefusalCode = RefusalCode.UNCERTAIN
    ) -> Evidence:
        return refused(self, ids.take(), code, _REASONS[reason].format(*values))


@dataclass(frozen=True, eq=False)
class _Line:
    """The falx seen along the normal of the slices: a plane through two points.

    Parameters
    ----------
    along, across
        Unit vectors in the slice: from front to back, and to its side.
    """

    front: FloatArray
    along: FloatArray
    across: FloatArray
    length: float

    @classmethod
    def through(cls, front: FloatArray, back: FloatArray, normal: FloatArray) -> _Line:
        way = back - front
        way = way - (way @ normal) * normal
        length = float(np.linalg.norm(way))
        along = way / max(length, 1e-6)
        return cls(front, along, np.cross(normal, along), length)

    def distance(self, point: FloatArray) -> tuple[float, float]:
        """Return the signed distance of a point, mm, and where its foot lies, 0 front to 1 back."""
        away = point - self.front
        return float(away @ self.across), float(away @ self.along) / max(self.length, 1e-6)


def _placed(ctx: MeasureContext, region: Region) -> tuple[FloatArray, ImagePlane] | None:
    """Return a point in LPS mm with the plane of its image (of the nearest, for one given in mm)."""
    planes = [
        (ctx.series.instances[index].sop_instance_uid, frame, ctx.series.plane_of((index, frame)))
        for index, frame in ctx.stack.frames
    ]
    centre = region.array().mean(axis=0)
    if region.space is Space.PATIENT:
        known = [plane for _, _, plane in planes if plane is not None]
        if not known or region.frame_of_reference_uid != ctx.series.frame_of_reference_uid:
            return None
        return centre, min(known, key=lambda one: abs(float(centre @ one.normal) - one.offset))
    for uid, frame, plane in planes:
        if uid == region.sop_instance_uid and frame == region.frame_number and plane is not None:
            return plane.pixel_to_patient(centre[None])[0], plane
    return None
