"""Planes of images in the patient, the order of a series, and a typed verdict on its geometry.

Patient coordinates are DICOM LPS millimetres (PS3.3 C.7.6.2.1.1): +x to the patient's left, +y to
the back, +z to the head. Pixel coordinates are (column, row), centre of the first pixel at (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from viewer.imaging.reading_order import reads_backwards

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
        (a, b, c), (d, e, f) = self.row_cosines, self.column_cosines
        return np.array((b * f - c * e, c * d - a * f, a * e - b * d))

    def is_parallel(self, other: ImagePlane) -> bool:
        """True when both images have the same orientation, within the perpendicular tolerance."""
        return all(
            abs(mine - theirs) <= PERPENDICULAR_TOLERANCE
            for mine, theirs in zip(
                (*self.row_cosines, *self.column_cosines),
                (*other.row_cosines, *other.column_cosines),
                strict=True,
            )
        )

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
        Index in the sorted series (from 0) after which slices are missing, with how many; the reason
        counts images as they are read (`viewer.imaging.reading_order`).
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


def judge(planes: Sequence[ImagePlane | None]) -> GeometryVerdict:  # noqa: PLR0911 - one per verdict
    """Say what the geometry of sorted images allows, and why.

    Parameters
    ----------
    planes
        One plane per image in the order of the stack (ascending offset); none where an image has no
        place in the patient.
    """
    known = [plane for plane in planes if plane is not None]
    refusal = _no_volume(planes, known)
    if refusal is not None:
        return refusal
    positions = np.asarray([plane.position for plane in known], dtype=np.float64)
    normal = known[0].normal
    offsets = positions @ normal
    gaps = np.diff(offsets)
    backwards, count = reads_backwards(known[0], known[-1]), len(known)
    doubled = np.flatnonzero(gaps < DUPLICATE_TOLERANCE_MM) + 1
    repeats = _repeats(offsets)
    if repeats > 1:
        each = len(known) // repeats
        where = "one position" if each == 1 else f"each of {each} positions"
        return GeometryVerdict(
            kind=VerdictKind.DUPLICATED,
            reason=f"The {len(known)} images show {where} {repeats} times: a series over time, of "
            "several echoes or b-values, or copies, and no single volume.",
            duplicated=tuple(int(index) for index in doubled),
        )
    if doubled.size:
        shown = (count - doubled)[::-1] if backwards else doubled + 1
        places = ", ".join(map(str, shown[:5])) + (", ..." if doubled.size > 5 else "")
        return GeometryVerdict(
            kind=VerdictKind.DUPLICATED,
            reason=f"{doubled.size} of {len(known)} images stand at a position that another image "
            f"already has (image {places}): which one belongs to the volume is not known.",
            duplicated=tuple(int(index) for index in doubled),
        )
    spacing = float(np.median(gaps))
    tilt, straight = _tilt(positions, normal)
    tilted = f" The gantry is tilted by {tilt:.1f} degrees." if tilt is not None else ""
    even = bool(np.all(np.abs(gaps - spacing) <= RELATIVE_SPACING_TOLERANCE * spacing))
    if not even:
        steps = np.rint(gaps / spacing)
        regular = np.abs(gaps - steps * spacing) <= RELATIVE_SPACING_TOLERANCE * steps * spacing
        if bool(np.all(regular & (steps >= 1))):
            missing = tuple((int(i), int(steps[i]) - 1) for i in np.flatnonzero(steps > 1))
            total = sum(n for _, n in missing)
            gone = (
                [(count - 1 - i, n) for i, n in reversed(missing)]
                if backwards
                else [(i + 1, n) for i, n in missing]
            )
            places = ", ".join(f"{n} after image {after}" for after, n in gone[:5])
            places += ", ..." if len(missing) > 5 else ""
            return GeometryVerdict(
                kind=VerdictKind.MISSING,
                reason=f"{total} {'slice is' if total == 1 else 'slices are'} missing ({places}) at a "
                f"spacing of {spacing:.4g} mm.{tilted}",
                spacing=spacing,
                missing=missing,
                tilt_degrees=tilt,
            )
        return GeometryVerdict(
            kind=VerdictKind.NON_UNIFORM,
            reason=f"The distance between slices varies from {gaps.min():.4g} to {gaps.max():.4g} mm."
            + tilted,
            spacing=spacing,
            tilt_degrees=tilt,
        )
    if not straight:
        return GeometryVerdict(
            kind=VerdictKind.NOT_A_VOLUME,
            reason="The images are shifted sideways against each other, so they form no box of voxels.",
            spacing=spacing,
        )
    if tilt is not None:
        return GeometryVerdict(
            kind=VerdictKind.TILTED,
            reason=f"The stacking direction is {tilt:.1f} degrees off the normal of the slices "
            f"(gantry tilt), at {spacing:.4g} mm between slices.",
            spacing=spacing,
            tilt_degrees=tilt,
        )
    return GeometryVerdict(
        kind=VerdictKind.UNIFORM,
        reason=f"{len(known)} evenly spaced slices, {spacing:.4g} mm apart.",
        spacing=spacing,
    )


def _repeats(offsets: FloatArray) -> int:
    """How often each position occurs, when all occur equally often; else 0."""
    starts = np.flatnonzero(np.diff(offsets) >= DUPLICATE_TOLERANCE_MM) + 1
    counts = np.diff(np.concatenate(([0], starts, [len(offsets)])))
    return int(counts[0]) if bool(np.all(counts == counts[0])) else 0


def _no_volume(
    planes: Sequence[ImagePlane | None], known: Sequence[ImagePlane]
) -> GeometryVerdict | None:
    """Refuse what is no stack of parallel, equally sized images; none when it may be a volume."""

    def refuse(kind: VerdictKind, reason: str) -> GeometryVerdict:
        return GeometryVerdict(kind=kind, reason=reason)

    if len(planes) == 1:
        return refuse(VerdictKind.SINGLE, "There is one image only.")
    if not known:
        return refuse(VerdictKind.NOT_A_VOLUME, "The images carry no position in the patient.")
    if len(known) < len(planes):
        missing = len(planes) - len(known)
        return refuse(
            VerdictKind.NOT_A_VOLUME,
            f"{missing} of {len(planes)} images carry no position in the patient.",
        )
    cosines = np.asarray([(*plane.row_cosines, *plane.column_cosines) for plane in known])
    if np.any(np.abs(cosines - cosines[0]) > PERPENDICULAR_TOLERANCE):
        return refuse(VerdictKind.NOT_A_VOLUME, "The images have different orientations.")
    spacings = np.asarray([(plane.row_spacing, plane.column_spacing) for plane in known])
    if np.any(np.abs(spacings - spacings[0]) > RELATIVE_SPACING_TOLERANCE * spacings[0]):
        return refuse(VerdictKind.NOT_A_VOLUME, "The images have different pixel spacings.")
    return None


def _tilt(positions: FloatArray, normal: FloatArray) -> tuple[float | None, bool]:
    """Angle between stacking direction and normal in degrees (none when upright), and straightness.

    Straight: no image lies further from the line of first positions than the spacing tolerance of
    the mean step.
    """
    offsets = positions @ normal
    span = positions[-1] - positions[0]
    along = float(offsets[-1] - offsets[0])
    sideways = float(np.linalg.norm(span - along * normal))
    expected = positions[0] + np.outer((offsets - offsets[0]) / along, span)
    mean_step = along / (len(positions) - 1)
    limit = max(RELATIVE_SPACING_TOLERANCE * mean_step, DUPLICATE_TOLERANCE_MM)
    straight = bool(np.all(np.linalg.norm(positions - expected, axis=1) <= limit))
    if sideways <= PERPENDICULAR_TOLERANCE * along:
        return None, straight
    return float(np.degrees(np.arctan2(sideways, along))), straight
