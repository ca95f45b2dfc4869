"""Pixels of a series with what is needed to interpret them: an ImageStack, and the Volume it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import FloatArray
from viewer.imaging.study import Series, WindowPreset


@dataclass(frozen=True, eq=False)
class ImageStack:
    """Decoded frames of a series in its sorted order.

    Parameters
    ----------
    series
        The series these pixels belong to; frame `i` of the stack is `frames[i]`.
    stored
        Stored values, (frame, row, column) or (frame, row, column, 3) for colour (always RGB,
        uint8). dtype is that of the file: int16, uint16, uint8, ... Read-only view.
    frames
        (instance index in `series.instances`, frame number from 1) of each plane of `stored`.
    decoder
        Which decoder gave the pixels ("native", "imagecodecs", "pydicom", "gdcm").
    """

    series: Series
    stored: npt.NDArray[np.generic]
    frames: tuple[tuple[int, int], ...]
    decoder: str = "native"

    @property
    def is_colour(self) -> bool:
        """True for RGB stacks, which have no window."""
        return self.stored.ndim == 4


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack whose geometry is a box: stored int16 + LPS affine + rescale + window presets.

    Parameters
    ----------
    stored
        (slice, row, column) int16, read-only. Modality value = stored * slope + intercept.
    affine
        4 x 4: (column, row, slice, 1) -> LPS mm.
    unit
        UCUM unit of modality values ("[hnsf'U]" for CT) or "1".
    padding
        Stored value outside the field of view; excluded from statistics, or none.
    """

    series: Series
    stored: npt.NDArray[np.int16]
    affine: FloatArray
    slope: float
    intercept: float
    unit: str
    windows: tuple[WindowPreset, ...]
    padding: int | None = None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size (between slices, between rows, between columns), mm: the order of `stored`."""
        column, row, slice_ = (float(np.linalg.norm(self.affine[:3, i])) for i in range(3))
        return slice_, row, column

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel, millilitres."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def modality_values(self) -> npt.NDArray[np.float32]:
        """Return a float32 copy in modality units (HU for CT)."""
        return self.stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)
