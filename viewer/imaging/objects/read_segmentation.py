"""Reads a segmentation: BINARY, FRACTIONAL and label maps (PS3.3 A.51, C.8.20.2).

Frames are placed by their functional groups, never by their order. Called in the imaging worker.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.images import make_plane
from viewer.imaging.objects.colours import from_cielab
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.frame_pixels import FramePixels
from viewer.imaging.objects.opening import opened
from viewer.imaging.objects.palettes import colour_at, palette
from viewer.imaging.objects.parts import ImageReference
from viewer.imaging.objects.segments import FrameMask, Segment, SegmentationContent, SegmentFrame
from viewer.imaging.objects.values import (
    ObjectError,
    code,
    codes,
    first_item,
    image_references,
    items,
    number,
    numbers,
    whole,
    words,
)
from viewer.imaging.sources import Cancelled

MAX_FRAMES: Final = 100_000
MAX_PACKED: Final = 512 << 20
"""Most characters of packed masks: what the window then holds in memory."""

MAX_MASK: Final = 16 << 20
"""Most characters of one packed mask."""

BATCH: Final = 64
"""Frames that are handed on together, at most."""

BATCH_SIZE: Final = 4 << 20
"""Characters of packed masks after which they are handed on."""

SPACING_TOLERANCE: Final = 0.01
"""Planes count as evenly spaced when each gap is a multiple of the spacing within 1 %."""

LABEL_MAP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.66.7"

OnFrames = Callable[[list[SegmentFrame]], None]


@dataclass
class _Tally:
    """What is counted of one segment while frames go by."""

    frames: int = 0
    voxels: int = 0
    sum: int = 0
    halves: int = 0
    """Pixels at or above half of the maximum."""


@dataclass
class _Measured:
    """What is gathered of all frames."""

    tallies: dict[int, _Tally] = field(default_factory=dict)
    planes: dict[tuple[float, ...], ImagePlane] = field(default_factory=dict)
    stated_spacing: float | None = None
    thickness: float | None = None
    packed: int = 0

    def count(self, segment: int, pixels: int, total: int, halves: int) -> None:
        tally = self.tallies.setdefault(segment, _Tally())
        tally.frames += 1
        tally.voxels += pixels
        tally.sum += total
        tally.halves += halves


def read_segmentation(
    about: ForeignObject, on_frames: OnFrames, cancelled: Callable[[], bool]
) -> SegmentationContent:
    """Return a segmentation; its frames go to `on_frames` in batches and are left out of it.

    Raises
    ------
    ObjectError
        It cannot be read.
    Cancelled
        `cancelled` said so.
    """
    with opened(about.path) as found:
        content = _described(about, found)
        pixels = FramePixels(found, content.rows, content.columns, _frame_count(found))
        measured = _Measured()
        batch: list[SegmentFrame] = []
        for index, frame in enumerate(_places(found, content, measured, pixels.count)):
            if cancelled():
                raise Cancelled
            batch.append(_with_mask(frame, pixels, index, content, measured))
            if len(batch) >= BATCH or sum(len(one.mask.data) for one in batch) > BATCH_SIZE:
                on_frames(batch)
                batch = []
        if batch:
            on_frames(batch)
        spacing = _slice_spacing(measured)
        segments = _measured_segments(content, measured, spacing)
        return content.model_copy(update={"slice_spacing": spacing, "segments": segments})


def _frame_count(found: Any) -> int:
    count = whole(found, "NumberOfFrames") or 1
    if not 1 <= count <= MAX_FRAMES:
        raise ObjectError("bad_header", f"Its header gives {count} frames: impossible.")
    return count


def _described(about: ForeignObject, found: Any) -> SegmentationContent:
    rows, columns = whole(found, "Rows") or 0, whole(found, "Columns") or 0
    if rows < 1 or columns < 1:
        raise ObjectError("bad_header", "Its header gives no usable number of rows and columns.")
    stated = words(found, "SegmentationType")
    types: dict[str, Literal["BINARY", "FRACTIONAL", "LABELMAP"]] = {
        "BINARY": "BINARY",
        "FRACTIONAL": "FRACTIONAL",
        "LABELMAP": "LABELMAP",
    }
    kind = types.get("LABELMAP" if about.sop_class_uid == LABEL_MAP_CLASS else stated)
    if kind is None:
        raise ObjectError("unsupported", f"Segmentations of type {stated or '(none)'} are not read.")
    segments = tuple(
        segment
        for item in items(found, "SegmentSequence", limit=65536)
        if (segment := _segment(item)) is not None
    )
    if not segments:
        raise ObjectError("bad_header", "It describes no segments.")
    tables = palette(found) if kind == "LABELMAP" else None
    if tables is not None:
        segments = tuple(
            one.model_copy(update={"colour": one.colour or colour_at(tables, one.number)})
            for one in segments
        )
    maximum = whole(found, "MaximumFractionalValue") or 0
    if kind == "FRACTIONAL" and not 1 <= maximum <= 65535:
        raise ObjectError("bad_header", "It is fractional and does not say which value means all.")
    return SegmentationContent(
        about=about,
        type=kind,
        fractional_type=words(found, "SegmentationFractionalType") if kind == "FRACTIONAL" else "",
        maximum=maximum if kind == "FRACTIONAL" else 1,
        padding=whole(found, "PixelPaddingValue") if kind == "LABELMAP" else None,
        rows=rows,
        columns=columns,
        frame_of_reference_uid=words(found, "FrameOfReferenceUID"),
        segments=segments,
    )


def _segment(item: Any) -> Segment | None:
    """Return one item of the Segment Sequence (PS3.3 C.8.20.4); none without a number."""
    segment_number = whole(item, "SegmentNumber")
    if segment_number is None:
        return None
    regions = codes(item, "AnatomicRegionSequence")
    algorithm = first_item(item, "SegmentationAlgorithmIdentificationSequence")
    names = (
        words(item, "SegmentAlgorithmName"),
        "" if algorithm is None else words(algorithm, "AlgorithmVersion"),
    )
    kind = first_item(item, "SegmentedPropertyTypeCodeSequence")
    return Segment(
        number=segment_number,
        label=words(item, "SegmentLabel"),
        description=words(item, "SegmentDescription", limit=1024),
        category=code(item, "SegmentedPropertyCategoryCodeSequence"),
        type=code(item, "SegmentedPropertyTypeCodeSequence"),
        type_modifiers=codes(kind, "SegmentedPropertyTypeModifierCodeSequence") if kind else (),
        regions=regions,
        algorithm_type=words(item, "SegmentAlgorithmType"),
        algorithm_name=" ".join(filter(None, names)),
        colour=from_cielab(numbers(item, "RecommendedDisplayCIELabValue")),
        tracking_id=words(item, "TrackingID"),
        tracking_uid=words(item, "TrackingUID"),
    )


# --- places


def _places(
    found: Any, content: SegmentationContent, measured: _Measured, count: int
) -> list[SegmentFrame]:
    """Return all frames without their masks, in the order of the file."""
    shared = first_item(found, "SharedFunctionalGroupsSequence")
    per_frame = items(found, "PerFrameFunctionalGroupsSequence", limit=count)
    if words(found, "DimensionOrganizationType") == "TILED_FULL" and not per_frame:
        return _tiles(found, content, count)
    if len(per_frame) < count:
        raise ObjectError("bad_header", f"Its header describes {len(per_frame)} of {count} frames.")
    return [_place(content, measured, [one, shared]) for one in per_frame]


def _group(groups: list[Any], keyword: str) -> Any | None:
    """Return the first item of a functional group: of the frame, else shared (PS3.3 C.7.6.16)."""
    for group in groups:
        if group is not None and (found := first_item(group, keyword)) is not None:
            return found
    return None


def _place(content: SegmentationContent, measured: _Measured, groups: list[Any]) -> SegmentFrame:
    segment = 0
    if content.type != "LABELMAP":
        named = _group(groups, "SegmentIdentificationSequence")
        stated = None if named is None else whole(named, "ReferencedSegmentNumber")
        if stated is None and len(content.segments) > 1:
            raise ObjectError("bad_header", "A frame does not say of which segment it is.")
        segment = content.segments[0].number if stated is None else stated
    slide = _group(groups, "PlanePositionSlideSequence")
    corner = None
    if slide is not None:
        column = whole(slide, "ColumnPositionInTotalImagePixelMatrix")
        row = whole(slide, "RowPositionInTotalImagePixelMatrix")
        corner = None if column is None or row is None else (column - 1, row - 1)
    return SegmentFrame(
        segment=segment,
        plane=_plane(measured, groups),
        sources=_sources(groups),
        corner=corner,
    )


def _plane(measured: _Measured, groups: list[Any]) -> ImagePlane | None:
    position = _group(groups, "PlanePositionSequence")
    orientation = _group(groups, "PlaneOrientationSequence")
    measures = _group(groups, "PixelMeasuresSequence")
    if position is None or orientation is None or measures is None:
        return None
    if measured.stated_spacing is None and measured.thickness is None:
        measured.stated_spacing = number(measures, "SpacingBetweenSlices")
        measured.thickness = number(measures, "SliceThickness")
    place = numbers(position, "ImagePositionPatient")
    cosines = numbers(orientation, "ImageOrientationPatient")
    spacing = numbers(measures, "PixelSpacing")
    key = (*place, *cosines, *spacing)
    known = measured.planes.get(key)
    if known is None:
        known = make_plane(place, cosines, spacing)
        if known is not None:
            measured.planes[key] = known
    return known


def _sources(groups: list[Any]) -> tuple[ImageReference, ...]:
    derivation = _group(groups, "DerivationImageSequence")
    return () if derivation is None else image_references(derivation, "SourceImageSequence")[:64]


def _tiles(found: Any, content: SegmentationContent, count: int) -> list[SegmentFrame]:
    """Return the frames of a TILED_FULL slide: rows of tiles, then segments (PS3.3 C.7.6.17.3)."""
    width = whole(found, "TotalPixelMatrixColumns") or 0
    height = whole(found, "TotalPixelMatrixRows") or 0
    across, down = -(-width // content.columns), -(-height // content.rows)
    numbers_of = [0] if content.type == "LABELMAP" else [one.number for one in content.segments]
    if across * down < 1 or across * down * len(numbers_of) != count:
        raise ObjectError("unsupported", "Its tiles do not fill its picture: they cannot be placed.")
    return [
        SegmentFrame(segment=segment, corner=(column * content.columns, row * content.rows))
        for segment in numbers_of
        for row in range(down)
        for column in range(across)
    ]


# --- pixels and volumes


def _with_mask(
    frame: SegmentFrame,
    pixels: FramePixels,
    index: int,
    content: SegmentationContent,
    measured: _Measured,
) -> SegmentFrame:
    values = pixels.frame(index)
    if content.type == "LABELMAP":
        for label, count in enumerate(np.bincount(values.reshape(-1))):
            if count and label != content.padding:
                measured.count(label, int(count), int(count), int(count))
    else:
        if content.type == "BINARY":
            values = np.minimum(values, 1)
        elif int(values.max(initial=0)) > content.maximum:
            raise ObjectError("corrupt", "A value is larger than the largest its header allows.")
        measured.count(
            frame.segment,
            int(np.count_nonzero(values)),
            int(values.sum(dtype=np.int64)),
            int(np.count_nonzero(values >= content.maximum / 2.0)),
        )
    bits = 1 if content.type == "BINARY" else 16 if values.dtype == np.uint16 else 8
    mask = FrameMask.of(values, bits=bits)
    measured.packed += len(mask.data)
    if measured.packed > MAX_PACKED or len(mask.data) > MAX_MASK:
        raise ObjectError("too_large", f"Its masks take more than {MAX_PACKED >> 20} MiB.")
    return frame.model_copy(update={"mask": mask})


def _slice_spacing(measured: _Measured) -> float | None:
    """Return the distance between planes, mm.

    That which the header states, where the positions are multiples of it; else the smallest gap of
    the positions, where the others are multiples of that; of a single plane its thickness.
    """
    planes = list(measured.planes.values())
    if not planes or not all(plane.is_parallel(planes[0]) for plane in planes):
        return None
    normal = planes[0].normal
    offsets = np.sort([float(np.dot(plane.position, normal)) for plane in planes])
    gaps = np.diff(offsets)
    gaps = gaps[gaps > 1e-3]
    stated = measured.stated_spacing
    for candidate in (stated, measured.thickness if gaps.size == 0 else float(gaps.min())):
        if candidate is None or candidate <= 0.0:
            continue
        steps = np.rint(gaps / candidate)
        if bool(np.all(np.abs(gaps - steps * candidate) <= SPACING_TOLERANCE * gaps)) and bool(
            np.all(steps >= 1)
        ):
            return candidate
    return None


def _measured_segments(
    content: SegmentationContent, measured: _Measured, spacing: float | None
) -> tuple[Segment, ...]:
    areas = {plane.row_spacing * plane.column_spacing for plane in measured.planes.values()}
    voxel: float | None = None
    why = "No volume: its frames have no place in the patient."
    if len(areas) == 1 and spacing is not None:
        voxel = areas.pop() * spacing / 1000.0
    elif areas:
        why = "No volume: its planes are not evenly spaced and parallel."
    described = {one.number: one for one in content.segments}
    for label in measured.tallies:
        described.setdefault(label, Segment(number=label, label=f"Segment {label} (not described)"))
    return tuple(
        _measured_segment(segment, content, measured.tallies.get(segment.number), voxel, why)
        for segment in described.values()
    )


def _measured_segment(
    segment: Segment,
    content: SegmentationContent,
    tally: _Tally | None,
    voxel: float | None,
    why: str,
) -> Segment:
    tally = tally or _Tally()
    weight = float(tally.voxels)
    note = ""
    if content.type == "FRACTIONAL":
        if content.fractional_type == "OCCUPANCY":
            weight, note = tally.sum / content.maximum, "Sum of the occupied parts of voxels."
        else:
            weight, note = float(tally.halves), "Voxels with a probability of at least one half."
    volume = None if voxel is None or not math.isfinite(voxel) else weight * voxel
    return segment.model_copy(
        update={
            "frames": tally.frames,
            "voxels": tally.voxels,
            "volume_ml": volume,
            "volume_note": why if volume is None else note,
        }
    )
