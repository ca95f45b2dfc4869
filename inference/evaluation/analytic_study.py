"""Arrays with known answers as studies that the tools can measure; no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inference.evidence.tool import MeasureContext
from viewer.imaging.geometry import ImagePlane, judge
from viewer.imaging.regions import Region, Shape, Space
from viewer.imaging.study import Instance, Patient, Series, Study
from viewer.imaging.volume import ImageStack, as_volume

FloatArray = npt.NDArray[np.float64]

SERIES_UID = "2.25.1001"
FRAME_UID = "2.25.1002"

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def coordinates(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return x, y, z (LPS mm) of axial voxels centred on 0, each ready to broadcast."""
    z, y, x = (
        (np.arange(size, dtype=np.float64) - (size - 1) / 2.0) * step
        for size, step in zip(shape, spacing, strict=True)
    )
    return x[None, None, :], y[None, :, None], z[:, None, None]


def volume_context(
    stored: npt.NDArray[np.int16],
    spacing: tuple[float, float, float],
    *,
    modality: str,
    slope: float = 1.0,
    inputs: Mapping[str, Region] | None = None,
    **header: Any,
) -> MeasureContext:
    """Wrap axial slices, first at the feet, as a study centred on 0 LPS.

    Parameters
    ----------
    stored
        (slice, row, column); modality value = stored x `slope`.
    spacing
        Between slices, rows and columns, mm.
    header
        Further fields of the series.
    """
    stored = np.ascontiguousarray(stored)
    stored.flags.writeable = False
    x, y, z = coordinates((stored.shape[0], stored.shape[1], stored.shape[2]), spacing)
    planes = [
        ImagePlane(
            position=(float(x.min()), float(y.min()), float(height)),
            row_cosines=(1.0, 0.0, 0.0),
            column_cosines=(0.0, 1.0, 0.0),
            row_spacing=spacing[1],
            column_spacing=spacing[2],
        )
        for height in z.ravel()
    ]
    instances = tuple(
        Instance(
            path=f"/nowhere/{index}.dcm",
            sop_instance_uid=f"{SERIES_UID}.{index + 1}",
            sop_class_uid=CT_CLASS,
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            rows=stored.shape[1],
            columns=stored.shape[2],
            bits_allocated=16,
            signed=True,
            rescale_slope=slope,
            rescale_type="HU" if modality == "CT" else "",
            plane=plane,
        )
        for index, plane in enumerate(planes)
    )
    series = Series(
        series_instance_uid=SERIES_UID,
        modality=modality,
        frame_of_reference_uid=FRAME_UID,
        slice_thickness=spacing[0],
        pixel_spacing=spacing[1:],
        spacing_source="PixelSpacing",
        patient_position="HFS",
        instances=instances,
        verdict=judge(planes),
    ).model_copy(update=header)
    frames = tuple((index, 1) for index in range(stored.shape[0]))
    return _context(series, ImageStack(series=series, stored=stored, frames=frames), inputs)


def image_context(
    stored: npt.NDArray[np.uint16], *, inputs: Mapping[str, Region] | None = None, **header: Any
) -> MeasureContext:
    """Wrap one projection image, (row, column), as a study of one series."""
    pixels = np.ascontiguousarray(stored[None])
    pixels.flags.writeable = False
    instance = Instance(
        path="/nowhere/0.dcm",
        sop_instance_uid=f"{SERIES_UID}.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        rows=stored.shape[0],
        columns=stored.shape[1],
        bits_allocated=16,
        photometric_interpretation="MONOCHROME2",
    )
    series = Series(
        series_instance_uid=SERIES_UID, modality="DX", instances=(instance,), verdict=judge([None])
    ).model_copy(update=header)
    return _context(series, ImageStack(series=series, stored=pixels, frames=((0, 1),)), inputs)


def _context(series: Series, stack: ImageStack, inputs: Mapping[str, Region] | None) -> MeasureContext:
    study = Study(study_instance_uid="2.25.1000", patient=Patient(sex="O"), series=(series,))
    return MeasureContext(
        study=study, series=series, stack=stack, volume=as_volume(stack), inputs=dict(inputs or {})
    )


def point_mm(place: tuple[float, float, float]) -> Region:
    """Return a click at an LPS place of an analytic volume."""
    return Region(
        shape=Shape.POINT,
        space=Space.PATIENT,
        series_instance_uid=SERIES_UID,
        frame_of_reference_uid=FRAME_UID,
        points=(place,),
    )


def drawn_on(index: int, points: Sequence[tuple[float, float]]) -> Region:
    """Return a click, or a closed outline, in (column, row) pixels of an analytic image."""
    return Region(
        shape=Shape.POINT if len(points) == 1 else Shape.POLYGON,
        series_instance_uid=SERIES_UID,
        sop_instance_uid=f"{SERIES_UID}.{index + 1}",
        points=tuple(points),
    )
