"""Planes of images in the patient, the order of a series, and a typed verdict on its geometry.

Patient coordinates are DICOM LPS millimetres (PS3.3 C.7.6.2.1.1): +x to the patient's left, +y to
the back, +z to the head. Pixel coordinates are (column, row), centre of the first pixel at (0, 0).
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

FloatArray = npt.NDArray[np.float64]

RELATIVE_SPACING_TOLERANCE = 0.01
"""Slices count as evenly spaced when each gap is within 1 % of the median gap."""

PERPENDICULAR_TOLERANCE = 1e-3
"""Largest deviation of the stacking direction from the normal (and of cosines from unit length)."""

DUPLICATE_TOLERANCE_MM = 1e-3
"""Two images closer than this along the normal stand at the same position."""


class ImagePlane(BaseModel):
    """Position and orientation of one image (Image Plane Module, PS3.3 C.7.6.2).

    Parameters
    ----------
    position
        ImagePositionPatient, LPS mm of the centre of the first pixel.
    row_cosines, column_cosines
        First and second half of ImageOrientationPatient: the direction along a row (growing column
        index) and along a column (growing row index).
    row_spacing, column_spacing
        PixelSpacing[0] (between rows) and PixelSpacing[1] (between columns), mm.
    """

    model_config = ConfigDict(frozen=True)

    position: tuple[float, float, float]
    row_cosines: tuple[float, float, float]
    column_cosines: tuple[float, float, float]
    row_spacing: float
    column_spacing: float

    @property
    def normal(self) -> FloatArray:
        """Unit normal: row_cosines x column_cosines."""
        return np.cross(np.asarray(self.row_cosines), np.asarray(self.column_cosines))

    @property
    def offset(self) -> float:
        """Position along the normal, mm: the order of slices."""
        return float(np.dot(self.position, self.normal))

    def pixel_to_patient(self, points: FloatArray) -> FloatArray:
        """Map (n, 2) column/row pixels to (n, 3) LPS mm (PS3.3 equation C.7.6.2.1-1)."""
        points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        along_row = np.asarray(self.row_cosines) * self.column_spacing
        along_column = np.asarray(self.column_cosines) * self.row_spacing
        mapped: FloatArray = (
            np.asarray(self.position) + points[:, :1] * along_row + points[:, 1:2] * along_column
        )
        return mapped

    def patient_to_pixel(self, points: FloatArray) -> FloatArray:
        """Map (n, 3) LPS mm to (n, 2) column/row pixels of the foot on this plane."""
        delta = np.atleast_2d(np.asarray(points, dtype=np.float64)) - np.asarray(self.position)
        column = delta @ np.asarray(self.row_cosines) / self.column_spacing
        row = delta @ np.asarray(self.column_cosines) / self.row_spacing
        return np.stack([column, row], axis=1)


class VerdictKind(StrEnum):
    """What the geometry of a series allows."""

    UNIFORM = "uniform"
    MISSING = "missing slices"
    DUPLICATED = "duplicated positions"
    NON_UNIFORM = "non-uniform spacing"
    TILTED = "gantry tilt"
    SINGLE = "single slice"
    NOT_A_VOLUME = "not a volume"


class GeometryVerdict(BaseModel):
    """A typed verdict that says why.

    Parameters
    ----------
    spacing
        Distance between slices along the normal, mm (median), or none.
    missing
        Index in the sorted series (from 0) after which slices are missing, with how many.
    tilt_degrees
        Angle between the stacking direction and the normal, degrees.
    """

    model_config = ConfigDict(frozen=True)

    kind: VerdictKind
    reason: str
    spacing: float | None = None
    missing: tuple[tuple[int, int], ...] = ()
    duplicated: tuple[int, ...] = ()
    tilt_degrees: float | None = None

    @property
    def is_volume(self) -> bool:
        """True when the stack is a box of voxels that can be measured in three dimensions."""
        return self.kind is VerdictKind.UNIFORM
