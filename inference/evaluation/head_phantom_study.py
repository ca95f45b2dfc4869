"""Arrays as a study that the tools can measure: slices at any places, without DICOM files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from inference.evidence.tool import MeasureContext
from viewer.imaging.geometry import ImagePlane, judge
from viewer.imaging.study import Instance, Patient, Series, Study
from viewer.imaging.volume import ImageStack, as_volume

Vector = tuple[float, float, float]


def axial_planes(
    heights: Sequence[float], size: tuple[int, int], pixel_mm: float, *, tilt_degrees: float = 0.0
) -> list[ImagePlane]:
    """Return planes centred on x = y = 0 at these heights (z of their centres), LPS mm.

    Parameters
    ----------
    size
        Rows and columns.
    tilt_degrees
        Gantry tilt: the planes turn about x, the table still moves along z.
    """
    angle = np.radians(tilt_degrees)
    column = np.array([0.0, np.cos(angle), -np.sin(angle)])
    across, down = (size[1] - 1) / 2 * pixel_mm, (size[0] - 1) / 2 * pixel_mm
    planes = []
    for height in heights:
        corner = np.array([-across, 0.0, height]) - down * column
        planes.append(
            ImagePlane(
                position=_vector(corner),
                row_cosines=(1.0, 0.0, 0.0),
                column_cosines=_vector(column),
                row_spacing=pixel_mm,
                column_spacing=pixel_mm,
            )
        )
    return planes


def _vector(values: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def study_of(
    values: npt.NDArray[np.float32],
    planes: Sequence[ImagePlane],
    *,
    modality: str,
    thickness: float,
    body_region: str,
    header: Mapping[str, object] | None = None,
) -> MeasureContext:
    """Return values (slice, row, column) on planes as a series opened for the tools.

    Parameters
    ----------
    thickness
        Slice Thickness of the header, mm.
    header
        Further fields of `Series`.
    """
    stored = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    stored.flags.writeable = False
    instances = tuple(
        Instance(
            path=f"/nowhere/{index}.dcm",
            sop_instance_uid=f"1.2.3.{index + 1}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=stored.shape[1],
            columns=stored.shape[2],
            bits_allocated=16,
            bits_stored=16,
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
        slice_thickness=thickness,
        pixel_spacing=(planes[0].row_spacing, planes[0].column_spacing),
        spacing_source="PixelSpacing",
        instances=instances,
        verdict=judge(planes),
    ).model_copy(update=dict(header or {}))
    stack = ImageStack(series=series, stored=stored, frames=tuple((i, 1) for i in range(len(planes))))
    study = Study(study_instance_uid="1.2", patient=Patient(sex="F"), series=(series,))
    return MeasureContext(
        study=study, series=series, stack=stack, volume=as_volume(stack), body_region=body_region
    )
