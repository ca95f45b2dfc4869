"""Analytic studies: arrays with known answers, in any orientation, without DICOM files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from inference.evidence.tool import DrawnRegion, MeasureContext
from viewer.imaging.geometry import ImagePlane, judge
from viewer.imaging.study import Instance, Patient, Series, Study
from viewer.imaging.volume import ImageStack, as_volume

Vector = tuple[float, float, float]

AXIAL: tuple[Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
AXIAL_PRONE: tuple[Vector, Vector] = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
CORONAL: tuple[Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
SAGITTAL: tuple[Vector, Vector] = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


@dataclass(frozen=True)
class Chest:
    """Two ellipsoid lungs in an elliptic body, LPS mm: +x is the patient's left."""

    right_centre: Vector = (-70.0, 0.0, 0.0)
    left_centre: Vector = (75.0, 0.0, 0.0)
    right_radii: Vector = (55.0, 70.0, 100.0)
    left_radii: Vector = (45.0, 65.0, 95.0)
    lung_hu: float = -850.0
    couch: bool = True
    gas: bool = True

    @property
    def right_ml(self) -> float:
        """Volume of the right lung."""
        return float(4 / 3 * np.pi * np.prod(self.right_radii)) / 1000

    @property
    def left_ml(self) -> float:
        """Volume of the left lung."""
        return float(4 / 3 * np.pi * np.prod(self.left_radii)) / 1000

    def hu(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return HU at (..., 3) places with partial volume over about 1 mm."""
        x, y, z = (points[..., axis] for axis in range(3))
        hu = np.full(x.shape, -1000.0, dtype=np.float32)
        body = np.hypot(x / 160, y / 115) < 1
        hu[body] = 40.0
        if self.couch:
            hu[(y > 125) & (y < 140)] = -880.0  # foam, as dense as lung
        for centre, radii in (
            (self.right_centre, self.right_radii),
            (self.left_centre, self.left_radii),
        ):
            ratio = np.sqrt(
                sum(((p - c) / r) ** 2 for p, c, r in zip((x, y, z), centre, radii, strict=True))
            )
            depth = np.clip((1 - ratio) * min(radii) + 0.5, 0, 1)
            hu += (depth * (self.lung_hu - hu)).astype(np.float32)
        trachea = np.hypot(x, y + 10) < 9
        hu[trachea & (z > 20)] = -995.0
        if self.gas:
            hu[np.sqrt((x - 40) ** 2 + (y + 60) ** 2 + (z + 125) ** 2) < 22] = -1000.0
        return hu


def make_context(
    chest: Chest,
    *,
    orientation: tuple[Vector, Vector] = AXIAL,
    spacing: tuple[float, float, float] = (4.0, 2.0, 2.0),
    shape: tuple[int, int, int] = (76, 145, 180),
    reverse: bool = False,
    regions: tuple[DrawnRegion, ...] = (),
    modality: str = "CT",
    noise: float = 0.0,
    **header: object,
) -> MeasureContext:
    """Sample a chest on a box of voxels centred on it and wrap it as a study.

    `reverse` stacks the slices the other way with the orientation turned accordingly.
    """
    row, column = (np.asarray(axis) for axis in orientation)
    if reverse:
        column = -column
    normal = np.cross(row, column)
    steps = [
        (np.arange(size) - (size - 1) / 2) * step for size, step in zip(shape, spacing, strict=True)
    ]
    points = (
        steps[0][:, None, None, None] * normal
        + steps[1][None, :, None, None] * column
        + steps[2][None, None, :, None] * row
    )
    hu = chest.hu(points)
    if noise:
        hu = hu + np.random.default_rng(1).normal(0, noise, hu.shape)
    stored = np.rint(hu).astype(np.int16)
    stored.flags.writeable = False
    planes = [
        ImagePlane(
            position=tuple(float(v) for v in points[index, 0, 0]),
            row_cosines=tuple(float(v) for v in row),
            column_cosines=tuple(float(v) for v in column),
            row_spacing=spacing[1],
            column_spacing=spacing[2],
        )
        for index in range(shape[0])
    ]
    instances = tuple(
        Instance(
            path=f"/nowhere/{index}.dcm",
            sop_instance_uid=f"1.2.3.{index + 1}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=shape[1],
            columns=shape[2],
            bits_allocated=16,
            signed=True,
            rescale_type="HU" if modality == "CT" else "",
            plane=plane,
        )
        for index, plane in enumerate(planes)
    )
    series = Series(
        series_instance_uid="1.2.3",
        modality=modality,
        frame_of_reference_uid="1.2.9",
        slice_thickness=spacing[0],
        pixel_spacing=spacing[1:],
        spacing_source="PixelSpacing",
        instances=instances,
        verdict=judge(planes),
    ).model_copy(update=header)
    stack = ImageStack(series=series, stored=stored, frames=tuple((i, 1) for i in range(shape[0])))
    study = Study(study_instance_uid="1.2", patient=Patient(sex="F"), series=(series,))
    return MeasureContext(
        study=study, series=series, stack=stack, volume=as_volume(stack), regions=regions
    )


def with_stored(ctx: MeasureContext, stored: npt.NDArray[np.int16]) -> MeasureContext:
    """Return the context with other pixels."""
    stack = replace(ctx.stack, stored=stored)
    return replace(ctx, stack=stack, volume=as_volume(stack), _made={})
