"""Where something is: a point, box, polygon, ellipse or mask, in image pixels or patient millimetres.

Regions map one to one on DICOM SR SCOORD (image) and SCOORD3D (patient), PS3.3 C.18.6 and C.18.9.
Geometry is taken as an argument (`Plane`), so this module depends on nothing else of ours.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, model_validator

FloatArray = npt.NDArray[np.float64]


class Plane(Protocol):
    """The geometry of one image: what a region needs to move between pixels and patient."""

    def pixel_to_patient(self, points: FloatArray) -> FloatArray:
        """Map (n, 2) column/row pixels to (n, 3) LPS millimetres."""
        ...

    def patient_to_pixel(self, points: FloatArray) -> FloatArray:
        """Map (n, 3) LPS millimetres to (n, 2) column/row pixels (the foot on the plane)."""
        ...


class Shape(StrEnum):
    """Geometry of a region; ELLIPSE has four points as SCOORD: ends of major, then minor axis."""

    POINT = "point"
    BOX = "box"
    POLYGON = "polygon"
    ELLIPSE = "ellipse"
    MASK = "mask"


class Space(StrEnum):
    """Coordinate frame: IMAGE = (column, row) pixels, PATIENT = (x, y, z) LPS millimetres."""

    IMAGE = "image"
    PATIENT = "patient"


POINTS_OF: dict[Shape, tuple[int, int | None]] = {
    Shape.POINT: (1, 1),
    Shape.BOX: (2, 2),
    Shape.POLYGON: (3, None),
    Shape.ELLIPSE: (4, 4),
    Shape.MASK: (0, 0),
}
"""Fewest and most points per shape. BOX is its top-left and bottom-right corner."""


class RegionError(ValueError):
    """A region that cannot be: wrong number of points, or a frame it has no reference for."""


class Region(BaseModel):
    """One place in a series.

    Parameters
    ----------
    points
        IMAGE: (column, row) with the centre of the first pixel at (0, 0) (SCOORD counts the corner
        as 0, 0: add 0.5 when writing one). PATIENT: (x, y, z) LPS millimetres. MASK: none.
    sop_instance_uid, frame_number
        The image an IMAGE region lies on; frame counts from 1. A mask has none: it spans a series.
    mask_sha256, segment
        For MASK: key of the mask volume in the draft's mask store, and its segment number (from 1)
        in `evidence.seg.dcm`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: Shape
    space: Space = Space.IMAGE
    series_instance_uid: str
    sop_instance_uid: str | None = None
    frame_number: int = 1
    frame_of_reference_uid: str | None = None
    points: tuple[tuple[float, ...], ...] = ()
    mask_sha256: str | None = None
    segment: int | None = None

    @model_validator(mode="after")
    def _check(self) -> Region:
        fewest, most = POINTS_OF[self.shape]
        if len(self.points) < fewest or (most is not None and len(self.points) > most):
            raise RegionError(f"A {self.shape} region cannot have {len(self.points)} points.")
        width = 2 if self.space is Space.IMAGE else 3
        if any(len(point) != width for point in self.points):
            raise RegionError(f"Points in {self.space} space have {width} coordinates.")
        if self.shape is Shape.MASK:
            if self.mask_sha256 is None:
                raise RegionError("A mask region names its mask.")
        elif self.space is Space.IMAGE and self.sop_instance_uid is None:
            raise RegionError("A region in pixels names its image (SOP Instance UID).")
        elif self.space is Space.PATIENT and self.frame_of_reference_uid is None:
            raise RegionError("A region in millimetres names its frame of reference.")
        return self

    def array(self) -> FloatArray:
        """Return the points as an (n, 2) or (n, 3) array."""
        return np.asarray(self.points, dtype=np.float64)


def to_patient(region: Region, plane: Plane, *, frame_of_reference_uid: str) -> Region:
    """Move a pixel region to LPS millimetres through the geometry of its image."""
    if region.space is Space.PATIENT or region.shape is Shape.MASK:
        return region
    points = outline(region) if region.shape is Shape.BOX else region.array()
    shape = Shape.POLYGON if region.shape is Shape.BOX else region.shape
    return region.model_copy(
        update={
            "space": Space.PATIENT,
            "shape": shape,
            "points": _tuples(plane.pixel_to_patient(points)),
            "frame_of_reference_uid": frame_of_reference_uid,
        }
    )


def to_image(region: Region, plane: Plane, *, sop_instance_uid: str, frame_number: int = 1) -> Region:
    """Project a region in millimetres onto one image, in that image's pixels."""
    if region.space is Space.IMAGE or region.shape is Shape.MASK:
        return region
    return region.model_copy(
        update={
            "space": Space.IMAGE,
            "points": _tuples(plane.patient_to_pixel(region.array())),
            "sop_instance_uid": sop_instance_uid,
            "frame_number": frame_number,
        }
    )


def outline(region: Region, *, segments: int = 72) -> FloatArray:
    """Return the closed outline of an image region as (n, 2) column/row points (first not repeated).

    Raises
    ------
    RegionError
        The region is a mask or a point in another space: it has no outline of its own.
    """
    points = region.array()
    if region.space is not Space.IMAGE or region.shape is Shape.MASK:
        raise RegionError(f"A {region.shape} region in {region.space} space has no outline.")
    if region.shape is Shape.BOX:
        (x0, y0), (x1, y1) = points
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)
    if region.shape is Shape.ELLIPSE:
        centre = points[:2].mean(axis=0)
        major, minor = (points[1] - points[0]) / 2, (points[3] - points[2]) / 2
        angle = np.linspace(0.0, 2 * np.pi, segments, endpoint=False)[:, None]
        ring: FloatArray = centre + np.cos(angle) * major + np.sin(angle) * minor
        return ring
    return points


def _tuples(points: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in point) for point in points)
