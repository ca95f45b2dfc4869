"""Stacks whose every pixel and plane is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.study import Instance, Patient, Series, Study, WindowPreset
from viewer.imaging.volume import ImageStack

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
"""Kept from the feet up, read from the head down."""

CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
"""Kept in the order in which they are read: the next frame is the next image."""


def ramp(frame: int, rows: int, columns: int) -> np.ndarray:
    """Stored values that tell frame, row and column apart."""
    row, column = np.mgrid[:rows, :columns]
    values: np.ndarray = ((column * 7 + row * 3 + frame * 11) % 2000 - 1000).astype(np.int16)
    return values


def build_stack(
    *,
    count: int = 9,
    rows: int = 64,
    columns: int = 96,
    spacing: tuple[float, float] = (1.0, 1.0),
    between: float = 2.0,
    axes: tuple[tuple[float, float, float], tuple[float, float, float]] | None = AXIAL,
    uid: str = "1.2.3",
    frame_of_reference: str = "1.9",
    calibrated: bool = True,
    modality: str = "CT",
    verdict: GeometryVerdict | None = None,
    pixels: Callable[[int, int, int], np.ndarray] = ramp,
    origin: tuple[float, float, float] = (-100.0, -80.0, -40.0),
) -> ImageStack:
    """Build a stack whose every pixel and plane is known."""
    instances = []
    for number in range(count):
        plane = None
        if axes is not None:
            normal = np.cross(axes[0], axes[1])
            position = np.asarray(origin) + normal * between * number
            plane = ImagePlane(
                position=tuple(float(part) for part in position),
                row_cosines=axes[0],
                column_cosines=axes[1],
                row_spacing=spacing[0],
                column_spacing=spacing[1],
            )
        instances.append(
            Instance(
                path="",
                sop_instance_uid=f"{uid}.{number + 1}",
                sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                rows=rows,
                columns=columns,
                bits_allocated=16,
                bits_stored=16,
                high_bit=15,
                signed=True,
                photometric_interpretation="MONOCHROME2",
                windows=(WindowPreset(center=40.0, width=400.0),),
                plane=plane,
            )
        )
    series = Series(
        series_instance_uid=uid,
        series_number=2,
        description="Lung",
        modality=modality,
        frame_of_reference_uid=frame_of_reference,
        pixel_spacing=spacing if calibrated else None,
        spacing_source="PixelSpacing" if calibrated else "",
        slice_thickness=between,
        instances=tuple(instances),
        verdict=verdict
        or GeometryVerdict(kind=VerdictKind.UNIFORM, reason="evenly spaced", spacing=between),
    )
    stored = np.stack([pixels(number, rows, columns) for number in range(count)])
    stored.flags.writeable = False
    return ImageStack(series, stored, tuple((number, 1) for number in range(count)))


def build_study(*series: Series) -> Study:
    """A study of the phantom patient."""
    return Study(
        study_instance_uid="1.1",
        patient=Patient(patient_id="LUNG1-001", name="DEMO^Patient One", sex="M"),
        date="20080918",
        time="094100",
        age="083Y",
        series=series,
    )
