"""An analytic head for CT with known truth: skull, brain, ventricles, falx, sinus, calcium and blood.

Bodies are ellipsoids and sheets in patient coordinates (LPS mm: +x left, +y back, +z head; the head's
middle at 0). Each slice is the mean over its thickness of what lies in it, on planes that may be
tilted and unevenly spaced; noise comes from a fixed PCG64 stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from inference.evaluation.head_phantom_study import axial_planes, study_of
from inference.evidence.masks import MaskStore
from inference.evidence.tool import IdSource, MeasureContext
from viewer.imaging.geometry import ImagePlane

FloatImage = npt.NDArray[np.float32]
Point = tuple[float, float, float]

AIR, SCALP, BONE, FLUID = -1000.0, 45.0, 1100.0, 8.0
GREY, WHITE, FALX, SINUS, CALCIUM, BLOOD = 38.0, 29.0, 48.0, 58.0, 190.0, 65.0

SKIN: Point = (80.0, 100.0, 86.0)
OUTER_TABLE: Point = (75.0, 95.0, 81.0)
INNER_TABLE: Point = (68.0, 88.0, 74.0)
CORTEX: Point = (65.0, 85.0, 71.0)
"""The brain; between it and the inner table lies fluid."""
WHITE_MATTER: Point = (52.0, 72.0, 58.0)

VENTRICLE_CENTRES: tuple[Point, Point] = ((-15.0, 0.0, 8.0), (15.0, 0.0, 8.0))
"""Right and left."""
VENTRICLE_RADII: Point = (7.0, 30.0, 10.0)

FALX_HALF_MM = 0.7
FALX_EDGE: Point = (60.0, 72.0, 58.0)
"""The falx hangs from the skull down to this body, 12 mm lower."""

FAR_MM = 3.0
SAGITTAL_SINUS_RADIUS = 4.0

CRESCENT_REACH: Point = (30.0, 48.0, 34.0)
"""Blood under the skull ends with this body, which is centred on the side of the inner table."""

SUB_SLICES = 5
PIXEL_MM = 0.8
FIELD_MM = (211.2, 172.8)
"""Height and width of the images."""

SEED = 20260211


@dataclass(frozen=True)
class Blood:
    """An ellipsoid of blood inside the brain, LPS mm."""

    centre: Point
    radii: Point
    hu: float = BLOOD

    @property
    def ml(self) -> float:
        """Its volume."""
        return float(4 / 3 * np.pi * np.prod(self.radii)) / 1000.0


@dataclass(frozen=True)
class Crescent:
    """Blood under the skull: what lies inside the inner table but not in the same body moved inwards,

    over a part of the side of the head.

    Parameters
    ----------
    depth
        Largest thickness, mm.
    side
        -1 for the right, +1 for the left of the patient.
    """

    depth: float
    side: float = 1.0
    hu: float = BLOOD

    def distance(self, x: FloatImage, y: FloatImage, z: FloatImage) -> FloatImage:
        """Return the signed distance to it, inside negative."""
        moved = ellipsoid(x + np.float32(self.side * self.depth), y, z, INNER_TABLE)
        part = ellipsoid(x - np.float32(self.side * INNER_TABLE[0]), y, z, CRESCENT_REACH)
        within: FloatImage = np.maximum(np.maximum(ellipsoid(x, y, z, INNER_TABLE), -moved), part)
        return within

    @property
    def ml(self) -> float:
        """Its volume, summed on a grid of 1 mm."""
        steps = [np.arange(-radius, radius + 1.0, 1.0, dtype=np.float32) for radius in INNER_TABLE]
        x, y, z = np.meshgrid(*steps, indexing="ij", sparse=True)
        part = np.clip(0.5 - self.distance(x, y, z), 0.0, 1.0)
        return float(part.sum(dtype=np.float64)) / 1000.0


Lesion = Blood | Crescent


def ellipsoid(x: FloatImage, y: FloatImage, z: FloatImage, radii: Point) -> FloatImage:
    """Return the distance to an ellipsoid at the origin, inside negative (first order)."""
    scaled = np.sqrt(sum((part / np.float32(r)) ** 2 for part, r in zip((x, y, z), radii, strict=True)))
    slope = np.sqrt(
        sum((part / np.float32(r * r)) ** 2 for part, r in zip((x, y, z), radii, strict=True))
    )
    distance: FloatImage = scaled * (scaled - 1) / np.maximum(slope, np.float32(1e-6))
    return np.where(scaled < 1e-3, np.float32(-min(radii)), distance)


def _at(x: FloatImage, y: FloatImage, z: FloatImage, centre: Point, radii: Point) -> FloatImage | None:
    """Return the distance to an ellipsoid elsewhere, or none where no place comes near it."""
    if float(z.min()) > centre[2] + radii[2] + FAR_MM or float(z.max()) < centre[2] - radii[2] - FAR_MM:
        return None
    cx, cy, cz = (np.float32(part) for part in centre)
    return ellipsoid(x - cx, y - cy, z - cz, radii)


@dataclass(frozen=True)
class HeadPhantom:
    """A head; what it holds beyond brain and skull is a choice.

    Parameters
    ----------
    noise
        SD of a pixel, HU.
    shift
        Septum and ventricles lie this far to the left of the falx, mm.
    calcium
        Calcified pineal gland and choroid plexus.
    """

    lesions: tuple[Lesion, ...] = ()
    noise: float = 4.0
    falx: bool = True
    sinus: bool = True
    calcium: bool = True
    shift: float = 0.0
    seed: int = SEED

    @property
    def ventricle_ml(self) -> float:
        """Volume of one lateral ventricle."""
        return float(4 / 3 * np.pi * np.prod(VENTRICLE_RADII)) / 1000.0

    def hu(self, x: FloatImage, y: FloatImage, z: FloatImage, blur: float) -> FloatImage:
        """Return HU at places, with edges `blur` mm wide."""
        hu = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), AIR, dtype=np.float32)

        def lay(distance: FloatImage | None, value: float) -> None:
            if distance is None:
                return
            part = np.clip(np.float32(0.5) - distance / np.float32(blur), 0.0, 1.0)
            np.add(hu, part * (np.float32(value) - hu), out=hu)

        lay(ellipsoid(x, y, z, SKIN), SCALP)
        lay(ellipsoid(x, y, z, OUTER_TABLE), BONE)
        lay(ellipsoid(x, y, z, INNER_TABLE), FLUID)
        lay(ellipsoid(x, y, z, CORTEX), GREY)
        lay(ellipsoid(x, y, z, WHITE_MATTER), WHITE)
        for cx, cy, cz in VENTRICLE_CENTRES:
            lay(_at(x, y, z, (cx + self.shift, cy, cz), VENTRICLE_RADII), FLUID)
        if self.falx:
            deep = ellipsoid(x, y, z + np.float32(12.0), FALX_EDGE)
            sheet = np.maximum(np.abs(x) - np.float32(FALX_HALF_MM), -deep)
            lay(np.maximum(np.maximum(sheet, -z - 5.0), ellipsoid(x, y, z, INNER_TABLE)), FALX)
        if self.sinus:
            ring = np.hypot(y / INNER_TABLE[1], z / INNER_TABLE[2])
            off = (np.float32(1.0) - ring) * INNER_TABLE[2] - SAGITTAL_SINUS_RADIUS
            tube = np.hypot(x, off) - SAGITTAL_SINUS_RADIUS
            lay(np.maximum(np.maximum(tube, -z), -y - 60.0), SINUS)
        if self.calcium:
            lay(_at(x, y, z, (0.0, 18.0, 2.0), (3.0, 3.0, 3.0)), CALCIUM)
            for cx, _, cz in VENTRICLE_CENTRES:
                lay(_at(x, y, z, (cx + self.shift, 20.0, cz), (3.0, 5.0, 3.5)), CALCIUM)
        for lesion in self.lesions:
            if isinstance(lesion, Crescent):
                lay(lesion.distance(x, y, z), lesion.hu)
            else:
                lay(_at(x, y, z, lesion.centre, lesion.radii), lesion.hu)
        return hu

    def slices(
        self, planes: Sequence[ImagePlane], size: tuple[int, int], thickness: float
    ) -> FloatImage:
        """Return (slice, row, column) HU on planes, averaged over the thickness, with noise."""
        rng = np.random.default_rng(self.seed)
        rows, columns = (np.arange(count, dtype=np.float64) for count in size)
        images = []
        for plane in planes:
            corner = np.asarray(plane.position)
            along = columns[None, :, None] * np.asarray(plane.row_cosines) * plane.column_spacing
            down = rows[:, None, None] * np.asarray(plane.column_cosines) * plane.row_spacing
            places = corner + along + down
            total = np.zeros(size, dtype=np.float32)
            for sub in range(SUB_SLICES):
                off = ((sub + 0.5) / SUB_SLICES - 0.5) * thickness * plane.normal
                x, y, z = np.moveaxis((places + off).astype(np.float32), -1, 0)
                total += self.hu(x, y, z, max(plane.column_spacing, 0.6))
            images.append(total / SUB_SLICES + rng.normal(0.0, self.noise, size).astype(np.float32))
        return np.stack(images).astype(np.float32)


EVEN = tuple(float(z) for z in np.arange(-92.5, 95.0, 5.0))
"""Heights of 5 mm slices over the whole head."""

UNEVEN = (
    *(float(z) for z in np.arange(-92.0, 0.0, 4.0)),
    *(float(z) for z in np.arange(5.0, 96.0, 6.0)),
)
"""Thin slices at the base and thick ones above, as heads are often scanned."""


def head_context(
    phantom: HeadPhantom,
    *,
    heights: Sequence[float] = EVEN,
    thickness: float = 5.0,
    pixel_mm: float = PIXEL_MM,
    tilt_degrees: float = 0.0,
    **header: object,
) -> MeasureContext:
    """Return the phantom as a CT series opened for the tools; `header` sets fields of `Series`."""
    size = round(FIELD_MM[0] / pixel_mm), round(FIELD_MM[1] / pixel_mm)
    planes = axial_planes(heights, size, pixel_mm, tilt_degrees=tilt_degrees)
    values = phantom.slices(planes, size, thickness)
    return study_of(
        values, planes, modality="CT", thickness=thickness, body_region="head", header=header
    )


def with_lesions(*lesions: Lesion, **fields: object) -> HeadPhantom:
    """Return a phantom with these lesions; `fields` as in `HeadPhantom`."""
    return replace(HeadPhantom(), lesions=lesions, **fields)  # type: ignore[arg-type]


CASES: tuple[tuple[str, Lesion], ...] = (
    ("ball of 8 mm", Blood((25.0, 45.0, -5.0), (4.0, 4.0, 4.0))),
    ("ball of 10 mm", Blood((25.0, 45.0, -5.0), (5.0, 5.0, 5.0))),
    ("ball of 16 mm", Blood((-30.0, -30.0, 25.0), (8.0, 8.0, 8.0))),
    ("ball of 24 mm", Blood((-30.0, 10.0, 20.0), (12.0, 12.0, 12.0))),
    ("layer of 6 mm", Crescent(6.0, -1.0)),
    ("layer of 8 mm", Crescent(8.0)),
    ("layer of 12 mm", Crescent(12.0)),
)
"""What `table` searches for, one at a time."""


def table() -> list[dict[str, object]]:
    """Return for each case and stack: volume found and true, and false candidates."""
    from inference.evidence.head import HeadDensity

    rows: list[dict[str, object]] = []
    for stack, heights, tilt in (("even 5 mm", EVEN, 0.0), ("uneven, 18 degrees", UNEVEN, 18.0)):
        for name, lesion in CASES:
            ctx = head_context(with_lesions(lesion), heights=heights, tilt_degrees=tilt, pixel_mm=1.0)
            found = HeadDensity().measure(ctx, IdSource(), MaskStore())[:-1]
            volumes = [item.value("volume_ml") for item in found]
            volume = volumes[0] if volumes else None
            covered = (
                volume is not None
                and volume.uncertainty is not None
                and abs(volume.value - lesion.ml) <= volume.uncertainty
            )
            rows.append(
                {
                    "stack": stack,
                    "body": name,
                    "truth_ml": round(lesion.ml, 2),
                    "measured_ml": round(volume.value, 2) if volume else None,
                    "covered": covered,
                    "false": max(len(found) - 1, 0),
                }
            )
    return rows
