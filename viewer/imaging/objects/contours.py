"""A radiotherapy structure set as a value: regions and their contours (PS3.3 A.19, C.8.8.6)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from viewer.imaging.geometry import FloatArray
from viewer.imaging.mappings import unpack
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.parts import Code, Frozen, ImageReference


class Contour(Frozen):
    """One contour of a region, in the patient.

    Parameters
    ----------
    geometry
        CLOSED_PLANAR, CLOSEDPLANAR_XOR, OPEN_PLANAR, OPEN_NONPLANAR or POINT.
    count
        Number of points.
    data
        Their x, y, z (LPS mm) as float64, deflated, base64: `points` reads it.
    images
        The images it was drawn on.
    """

    geometry: str
    count: int
    data: str
    images: tuple[ImageReference, ...] = ()

    @property
    def closed(self) -> bool:
        """True when the contour encloses an area."""
        return self.geometry in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")

    @property
    def points(self) -> FloatArray:
        """(n, 3) LPS mm."""
        raw = unpack(self.data, self.count * 24)
        return np.frombuffer(raw, dtype="<f8").reshape(self.count, 3)


class StructureRegion(Frozen):
    """A region of interest of a structure set (ROI), with all its contours.

    Parameters
    ----------
    interpreted_type
        RT ROI Interpreted Type (GTV, PTV, ORGAN, MARKER, ...) or empty.
    generation
        ROI Generation Algorithm: AUTOMATIC, SEMIAUTOMATIC, MANUAL or empty.
    observer
        ROI Interpreter, or empty.
    stated_volume_ml
        ROI Volume as the file states it, or none.
    """

    number: int
    name: str = ""
    description: str = ""
    colour: str = ""
    interpreted_type: str = ""
    identification: Code | None = None
    generation: str = ""
    observer: str = ""
    frame_of_reference_uid: str = ""
    stated_volume_ml: float | None = None
    contours: tuple[Contour, ...] = ()


class StructureSetContent(Frozen):
    """A structure set: its regions of interest."""

    kind: Literal["structure set"] = "structure set"
    about: ForeignObject
    regions: tuple[StructureRegion, ...] = ()
    approval: str = ""
    """APPROVED, UNAPPROVED, REJECTED or empty."""
    notes: tuple[str, ...] = ()
