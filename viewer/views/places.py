"""Where frames lie in the patient: the nearest frame to a point, and how two images cut. No Qt.

Points are LPS millimetres in one frame of reference, or image points (column, row) with the centre of
the first pixel at (0, 0). Two series share space through an equal, non-empty FrameOfReferenceUID
(PS3.3 C.7.4.1) or a registration that a person confirmed (`viewer.imaging.spaces`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.probe import Probe, probe
from viewer.imaging.spaces import SPACES
from viewer.imaging.volume import ImageStack

FloatArray = npt.NDArray[np.float64]

DEFAULT_REACH_MM = 0.5
"""How far from a plane a 3D point may lie and still be drawn on it, where the spacing is unknown."""

ALONG = 0.9998
"""Cosine above which two images are parallel (about 1 degree): their cut would tell nothing."""

ROUNDING_MM = 1e-6
"""Slack of distances that are computed from decimal text in two ways."""


@dataclass(frozen=True)
class PatientPoint:
    """A place in one frame of reference, LPS millimetres."""

    frame_of_reference_uid: str
    position: tuple[float, float, float]

    def in_space(self, uid: str) -> PatientPoint | None:
        """Return the same place in another frame of reference; none when nothing joins the two."""
        way = SPACES.between(self.frame_of_reference_uid, uid)
        if way is None:
            return None
        x, y, z = way.moved(self.position).tolist()
        return PatientPoint(uid, (x, y, z))


@dataclass(frozen=True)
class PointedPixel:
    """The pixel under the pointer, counted from 0, and what stands there."""

    column: int
    row: int
    found: Probe


@dataclass(frozen=True)
class Cut:
    """One image as a rectangle in the patient.

    Parameters
    ----------
    reach
        How far from the plane, in millimetres, the image still stands for the patient: half a slice.
    """

    frame_of_reference_uid: str
    plane: ImagePlane
    rows: int
    columns: int
    reach: float = DEFAULT_REACH_MM

    @cached_property
    def normal(self) -> FloatArray:
        """Unit normal of the plane, computed once."""
        return self.plane.normal

    def edges(self) -> FloatArray:
        """Return the outer corners of the image in order round it, (4, 2) image points."""
        right, bottom = self.columns - 0.5, self.rows - 0.5
        return np.array([(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)])

    def shares_space(self, other: Cut | PatientPoint) -> bool:
        """True when it is known how both lie to each other."""
        own = self.frame_of_reference_uid
        return SPACES.between(other.frame_of_reference_uid, own) is not None

    def distance(self, position: npt.ArrayLike) -> float:
        """Return how far a point lies from the plane, mm; positive along its normal."""
        return float((np.asarray(position) - np.asarray(self.plane.position)) @ self.normal)

    def point(self, image_point: tuple[float, float]) -> PatientPoint:
        """Return the place of an image point in the patient."""
        x, y, z = self.plane.pixel_to_patient(np.array([image_point]))[0].tolist()
        return PatientPoint(self.frame_of_reference_uid, (x, y, z))

    def middle(self) -> PatientPoint:
        """Return the place of the image's middle in the patient."""
        return self.point(((self.columns - 1) / 2, (self.rows - 1) / 2))

    def place_of(self, point: PatientPoint) -> tuple[float, float] | None:
        """Return the image point of a place that this image shows, or none."""
        here = point.in_space(self.frame_of_reference_uid)
        if here is None or abs(self.distance(here.position)) > self.reach + ROUNDING_MM:
            return None
        column, row = self.plane.patient_to_pixel(np.array([here.position]))[0].tolist()
        inside = -0.5 <= column <= self.columns - 0.5 and -0.5 <= row <= self.rows - 0.5
        return (column, row) if inside else None


def pointed_pixel(stack: ImageStack, index: int, point: tuple[float, float]) -> PointedPixel | None:
    """Return the pixel at an image point, or none outside the image."""
    column, row = math.floor(point[0] + 0.5), math.floor(point[1] + 0.5)
    rows, columns = stack.stored.shape[1:3]
    if not (0 <= column < columns and 0 <= row < rows):
        return None
    return PointedPixel(column, row, probe(stack, index, row, column))


def plane_of(stack: ImageStack, index: int) -> ImagePlane | None:
    """Return the plane of a frame in the patient, or none without an orientation."""
    return stack.series.plane_of(stack.frames[index])


def cut_of(stack: ImageStack, index: int) -> Cut | None:
    """Return a frame as a cut through the patient, or none without an orientation."""
    plane = plane_of(stack, index)
    if plane is None:
        return None
    rows, columns = stack.stored.shape[1:3]
    return Cut(stack.series.frame_of_reference_uid, plane, rows, columns, reach_of(stack))


def reach_of(stack: ImageStack) -> float:
    """Return half the distance between slices, else half their thickness, mm."""
    spacing = stack.series.verdict.spacing or stack.series.slice_thickness
    return spacing / 2 if spacing else DEFAULT_REACH_MM


def nearest(stack: ImageStack, position: npt.ArrayLike) -> tuple[int, float] | None:
    """Return the frame whose plane is nearest to a point, and its distance in mm; none has a place."""
    indices, origins, normals = _planes(stack)
    if not indices.size:
        return None
    away = np.abs(((np.asarray(position) - origins) * normals).sum(axis=1))
    best = int(away.argmin())
    return int(indices[best]), float(away[best])


def nearest_frame(stack: ImageStack, point: npt.ArrayLike) -> int | None:
    """Return the frame whose plane is nearest to a point in LPS millimetres."""
    found = nearest(stack, point)
    return None if found is None else found[0]


_KNOWN: WeakKeyDictionary[ImageStack, tuple[npt.NDArray[np.intp], FloatArray, FloatArray]] = (
    WeakKeyDictionary()
)
"""Planes of the stacks in use as arrays: looking through 3,000 headers takes longer than a frame."""


def _planes(stack: ImageStack) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
    """Return the frames that have a plane, with the position and normal of each."""
    found = _KNOWN.get(stack)
    if found is None:
        planes = {
            index: plane
            for index in range(len(stack.frames))
            if (plane := plane_of(stack, index)) is not None
        }
        rows = [each.row_cosines for each in planes.values()]
        columns = [each.column_cosines for each in planes.values()]
        found = (
            np.array(list(planes), dtype=np.intp),
            np.array([each.position for each in planes.values()], dtype=np.float64).reshape(-1, 3),
            np.cross(np.reshape(rows, (-1, 3)), np.reshape(columns, (-1, 3))),
        )
        _KNOWN[stack] = found
    return found


def reference_line(on: Cut, of: Cut) -> FloatArray | None:
    """Return where one image cuts another, as two image points on `on`.

    The line is as long as the image `of` reaches, and ends at the edge of `on`.

    Returns
    -------
    numpy.ndarray or None
        (2, 2) column and row of the ends; none when they share no space, are parallel or do not meet.
    """
    way = SPACES.between(of.frame_of_reference_uid, on.frame_of_reference_uid)
    if way is None or abs(float(on.normal @ way.turned(of.normal))) > ALONG:
        return None
    corners = way.moved(of.plane.pixel_to_patient(of.edges()))
    away = (corners - np.asarray(on.plane.position)) @ on.normal
    crossings = []
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 0)):
        if (away[start] < 0) != (away[end] < 0):
            share = away[start] / (away[start] - away[end])
            crossings.append(corners[start] + share * (corners[end] - corners[start]))
    if len(crossings) != 2:
        return None
    return _clipped(on.plane.patient_to_pixel(np.array(crossings)), on)


def _clipped(line: FloatArray, cut: Cut) -> FloatArray | None:
    """Return the part of a line that lies on an image (Liang and Barsky 1984), or none."""
    low, high = cut.edges()[0], cut.edges()[2]
    start, along = line[0], line[1] - line[0]
    enter, leave = 0.0, 1.0
    for axis in (0, 1):
        if along[axis] == 0.0:
            if not low[axis] <= start[axis] <= high[axis]:
                return None
            continue
        first, last = sorted(
            ((low[axis] - start[axis]) / along[axis], (high[axis] - start[axis]) / along[axis])
        )
        enter, leave = max(enter, float(first)), min(leave, float(last))
    if enter >= leave:
        return None
    return np.array([start + enter * along, start + leave * along])
