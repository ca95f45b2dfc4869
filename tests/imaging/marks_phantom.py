"""A phantom of one frame with anisotropic pixels, and marks on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import GeometryVerdict, ImagePlane, VerdictKind
from viewer.imaging.marks import Mark, MarkKind
from viewer.imaging.marks_mask import MarkMask
from viewer.imaging.marks_measure import frame_pixels, measure_mark
from viewer.imaging.study import Instance, Series
from viewer.imaging.volume import ImageStack

Point = tuple[float, float]

SPACING = (0.5, 0.8)
"""Between rows and between columns, mm."""

ROWS, COLUMNS = 60, 90

PLANE = ImagePlane(
    position=(0.0, 0.0, 0.0),
    row_cosines=(1.0, 0.0, 0.0),
    column_cosines=(0.0, 1.0, 0.0),
    row_spacing=SPACING[0],
    column_spacing=SPACING[1],
)


def stack_of(stored: npt.NDArray[Any] | None = None, modality: str = "CT", **fields: Any) -> ImageStack:
    """A stack of one frame; fields of the instance and of the series are told apart by their names."""
    if stored is None:
        stored = np.zeros((ROWS, COLUMNS), dtype=np.int16)
    own = {name: value for name, value in fields.items() if name in Instance.model_fields}
    rest = {name: value for name, value in fields.items() if name not in Instance.model_fields}
    instance = Instance(
        **{
            "path": "",
            "sop_instance_uid": "1.2.3.1",
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
            "transfer_syntax_uid": "1.2.840.10008.1.2.1",
            "rows": stored.shape[0],
            "columns": stored.shape[1],
            "plane": PLANE,
            "rescale_intercept": -1024.0,
            **own,
        }
    )
    series = Series(
        **{
            "series_instance_uid": "1.2.3",
            "modality": modality,
            "frame_of_reference_uid": "1.9",
            "pixel_spacing": SPACING,
            "spacing_source": "PixelSpacing",
            "verdict": GeometryVerdict(kind=VerdictKind.SINGLE, reason="one image", spacing=3.0),
            **rest,
            "instances": (instance,),
        }
    )
    return ImageStack(series, stored[None], ((0, 1),))


def mark(kind: MarkKind, *points: Sequence[float], **fields: Any) -> Mark:
    """A mark on that frame."""
    return Mark(
        **{
            "kind": kind,
            "points": tuple(tuple(point) for point in points),
            "series_instance_uid": "1.2.3",
            "series_key": "1.2.3",
            "sop_instance_uid": "1.2.3.1",
            **fields,
        }
    )


def measured(found: Mark, stack: ImageStack) -> Mark:
    """The mark with its values on the first frame of a stack."""
    return measure_mark(found, stack.series, stack.frames[0], frame_pixels(stack, 0))


def values(found: Mark) -> dict[str, float]:
    """Its values by their label."""
    return {value.label: value.value for value in found.values}


def brush(mask: npt.NDArray[np.bool_]) -> Mark:
    """A brush mark of some pixels."""
    return mark(MarkKind.BRUSH, mask=MarkMask.of(mask))


def in_pixels(*millimetres: Point) -> list[Point]:
    """Places in mm as image points."""
    return [(x / SPACING[1], y / SPACING[0]) for x, y in millimetres]


def disc(centre: Point, radius: float) -> npt.NDArray[np.bool_]:
    """Pixels whose centre lies within `radius` mm of a place in mm."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    away = np.hypot(column * SPACING[1] - centre[0], row * SPACING[0] - centre[1])
    inside: npt.NDArray[np.bool_] = away <= radius
    return inside
