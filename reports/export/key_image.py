"""A key image as a value: grey pixels, numbered outlines, orientation letters, spacing, caption.

The pixels come from the program's grey pipeline; nothing here maps values or draws (`figure` does).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.export.record import ExportError
from viewer.imaging.regions import FloatArray


@dataclass(frozen=True)
class Outline:
    """The numbered edge of a region on this image.

    Parameters
    ----------
    number
        Number in the disc: the digits of the evidence id, 5 for "E5" (`evidence_number`).
    points
        (n, 2) column/row pixels of the given image, centre of the first pixel at (0, 0). One point
        is drawn as a ring, two as a line, more as a closed contour.
    label
        Words beside the outline in place of a number: a mark of the reader, which is no evidence.
    """

    number: int
    points: FloatArray
    label: str = ""


@dataclass(frozen=True)
class EdgeLetters:
    """Orientation letters at the edges ("R", "L", "A", "HP" ...); empty where unknown."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


@dataclass(frozen=True, eq=False)
class KeyImage:
    """One figure of the appendix.

    Parameters
    ----------
    number
        Figure number, counted from 1.
    grey
        (rows, columns) uint8 screen values from the grey pipeline, or (rows, columns, 3) of colour.
    outlines
        The regions to show, drawn in order.
    letters
        Orientation letters, from the geometry of the image.
    pixel_spacing
        (row, column) spacing in mm at the patient; none when not calibrated: the bar then counts
        pixels of the original image.
    caption
        What it shows and where it is: "Left hilar mass. Se 2, Im 60, W 1500 L \u2212500".
    sop_instance_uid
        The image, so that the table of citations can name the figure; empty when unknown.
    """

    number: int
    grey: npt.NDArray[np.uint8]
    outlines: tuple[Outline, ...]
    caption: str
    letters: EdgeLetters = EdgeLetters()
    pixel_spacing: tuple[float, float] | None = None
    sop_instance_uid: str = ""

    def __post_init__(self) -> None:
        is_picture = self.grey.ndim == 2 or self.grey.shape[2:] == (3,)
        if not is_picture or self.grey.dtype != np.uint8 or 0 in self.grey.shape:
            raise ExportError(
                f"Key image {self.number} is {self.grey.dtype} of shape {self.grey.shape}; "
                "8-bit grey or RGB of rows by columns is needed."
            )
        for outline in self.outlines:
            if outline.points.ndim != 2 or outline.points.shape[1:] != (2,) or not len(outline.points):
                raise ExportError(
                    f"Region {outline.number} on key image {self.number} has points of shape "
                    f"{outline.points.shape}; (n, 2) column/row pixels are needed."
                )

    @property
    def aspect(self) -> float:
        """Printed height per printed width, with pixels that are not square taken into account."""
        rows, columns = self.grey.shape[:2]
        row_mm, column_mm = self.pixel_spacing or (1.0, 1.0)
        return float((rows * row_mm) / (columns * column_mm))


def evidence_number(evidence_id: str) -> int:
    """Return the number of an evidence id as it stands in the disc: 5 for "E5"."""
    return int(evidence_id.removeprefix("E"))
