"""Reads a radiotherapy structure set: regions and contours (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8).

Called in the imaging worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from viewer.imaging.geometry import FloatArray
from viewer.imaging.objects.colours import from_cielab, from_rgb
from viewer.imaging.objects.contours import Contour, StructureRegion, StructureSetContent
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.parts import packed
from viewer.imaging.objects.values import (
    ObjectError,
    code,
    image_references,
    items,
    number,
    numbers,
    whole,
    words,
)
from viewer.imaging.sources import Cancelled

MAX_REGIONS: Final = 2000
MAX_POINTS: Final = 6_000_000
"""Most points of all contours together."""

MAX_REGION_POINTS: Final = 1_500_000
MAX_COORDINATE: Final = 1e5
"""Largest coordinate that can lie in a patient, mm."""

GEOMETRIES: Final = frozenset(
    ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", "CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
)
CONTOUR_DATA: Final = 0x30060050

OnRegions = Callable[[list[StructureRegion]], None]


def read_structure_set(
    about: ForeignObject, on_regions: OnRegions, cancelled: Callable[[], bool]
) -> StructureSetContent:
    """Return a structure set; its regions go to `on_regions` one by one and are left out of it.

    Raises
    ------
    ObjectError
        It cannot be read.
    Cancelled
        `cancelled` said so.
    """
    with opened(about.path) as found:
        described = items(found, "StructureSetROISequence", limit=MAX_REGIONS)
        if not described:
            raise ObjectError("bad_header", "It describes no regions.")
        contours = {
            whole(one, "ReferencedROINumber"): one for one in items(found, "ROIContourSequence")
        }
        observed = {
            whole(one, "ReferencedROINumber"): one for one in items(found, "RTROIObservationsSequence")
        }
        notes: list[str] = []
        points = 0
        for item in described:
            if cancelled():
                raise Cancelled
            roi = whole(item, "ROINumber")
            if roi is None:
                notes.append("A region without a number is left out.")
                continue
            region, bad = _region(roi, item, contours.get(roi), observed.get(roi), about)
            if bad:
                notes.append(f"{region.name or roi}: {bad} damaged contours are left out.")
            points += sum(contour.count for contour in region.contours)
            if points > MAX_POINTS:
                raise ObjectError("too_large", f"It has more than {MAX_POINTS:,} contour points.")
            on_regions([region])
        return StructureSetContent(
            about=about, approval=words(found, "ApprovalStatus"), notes=tuple(notes)
        )


def _region(
    roi: int, item: Any, drawn: Any | None, observed: Any | None, about: ForeignObject
) -> tuple[StructureRegion, int]:
    """Return a region and how many of its contours are damaged."""
    contours: list[Contour] = []
    bad = points = 0
    for one in items(drawn, "ContourSequence") if drawn is not None else ():
        contour = _contour(one)
        if contour is None:
            bad += 1
            continue
        points += contour.count
        if points > MAX_REGION_POINTS:
            raise ObjectError("too_large", f"A region has more than {MAX_REGION_POINTS:,} points.")
        contours.append(contour)
    colour = ""
    if drawn is not None:
        colour = from_rgb(numbers(drawn, "ROIDisplayColor")) or from_cielab(
            numbers(drawn, "RecommendedDisplayCIELabValue")
        )
    region = StructureRegion(
        number=roi,
        name=words(item, "ROIName"),
        description=words(item, "ROIDescription", limit=1024),
        colour=colour,
        interpreted_type="" if observed is None else words(observed, "RTROIInterpretedType"),
        identification=None if observed is None else code(observed, "RTROIIdentificationCodeSequence"),
        generation=words(item, "ROIGenerationAlgorithm"),
        observer="" if observed is None else words(observed, "ROIInterpreter"),
        frame_of_reference_uid=words(item, "ReferencedFrameOfReferenceUID")
        or about.frame_of_reference_uid,
        stated_volume_ml=number(item, "ROIVolume"),
        contours=tuple(contours),
    )
    return region, bad


def _contour(item: Any) -> Contour | None:
    """Return a contour; none where it has no points or is of no known kind (PS3.3 C.8.8.6.1)."""
    geometry = words(item, "ContourGeometricType")
    points = _points(item)
    if geometry not in GEOMETRIES or points is None or not len(points):
        return None
    if geometry.startswith("CLOSED") and len(points) < 3:
        return None
    return Contour(
        geometry=geometry,
        count=len(points),
        data=packed(points.astype("<f8").tobytes()),
        images=image_references(item, "ContourImageSequence"),
    )


def _points(item: Any) -> FloatArray | None:
    """Return the points of a contour straight from its text: pydicom takes a second for 100,000."""
    try:
        raw = item.get_item(CONTOUR_DATA)
        if raw is None:
            return None
        if isinstance(raw.value, bytes):
            flat = np.array(raw.value.rstrip(b"\0 ").split(b"\\")).astype(np.float64)
        else:
            flat = np.array(raw.value, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError, AttributeError):
        return None
    if flat.size == 0 or flat.size % 3 or not bool(np.all(np.abs(flat) <= MAX_COORDINATE)):
        return None
    return flat.reshape(-1, 3)
