"""Lays a segmentation over the frames of a stack: on the same planes, else by the nearest plane.

Pure geometry: no file is read here, so it runs in the window's background threads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.objects.segments import FrameMask, SegmentationContent
from viewer.imaging.study import Series

Mask = npt.NDArray[np.uint8]
Grid = tuple[int, int]

SPACING_TOLERANCE: Final = 1e-3
"""Pixel spacings are the same within this part: half a pixel over 500."""

PIXEL_TOLERANCE: Final = 0.05
"""Pixels of two planes are the same when their centres lie closer than this, in pixels."""

PLANE_TOLERANCE: Final = 0.05
"""Planes are the same when they lie closer than this, in parts of the distance between planes."""

PLANE_TOLERANCE_MM: Final = 0.01
"""... and where that distance is not known, mm."""


@dataclass(frozen=True)
class Misaligned:
    """Why an object cannot be laid over a series, in words for the reader.

    Parameters
    ----------
    code
        other_frame (of reference), no_position, other_grid, not_parallel, outside.
    """

    code: str
    reason: str


@dataclass(frozen=True)
class _Piece:
    """A frame of the segmentation on a frame of the stack, moved by whole pixels."""

    frame: int
    row: int
    column: int


class Alignment:
    """A segmentation over the frames of a stack.

    Masks are uint8: 255 where a segment is, 0 where it is not; between for fractional ones.

    Attributes
    ----------
    badge
        What the reader has to know ("Resampled to the nearest plane"), or empty when every pixel lies
        on a pixel.
    shape
        Rows and columns of the stack.
    outside
        Frames of the segmentation that lie on no frame of the stack.
    """

    def __init__(
        self,
        content: SegmentationContent,
        shape: Grid,
        pieces: dict[int, tuple[_Piece, ...]],
        *,
        planes: Sequence[ImagePlane | None] = (),
        lattice: _Lattice | None = None,
        outside: int = 0,
    ) -> None:
        self.content = content
        self.shape = shape
        self.outside = outside
        self._pieces = pieces
        self._planes = planes
        self._lattice = lattice
        self._labels: dict[int, frozenset[int]] = {}
        notes = []
        if lattice is not None:
            notes.append("Resampled to the nearest plane")
        if outside:
            total = len(content.frames)
            notes.append(f"{outside} of {total} frames lie outside of this series")
        self.badge = "; ".join(notes)

    @property
    def frame_count(self) -> int:
        """Frames of the stack."""
        return len(self._planes)

    @property
    def resampled(self) -> bool:
        """True when pixels were taken from the nearest plane of another grid."""
        return self._lattice is not None

    def frames_of(self, segment: int) -> tuple[int, ...]:
        """Return the frames of the stack, from 0, on which a segment may be seen."""
        return tuple(index for index in range(self.frame_count) if self._frames_at(index, segment))

    def mask(self, segment: int, index: int) -> Mask:
        """Return the mask of a segment on a frame of the stack; the background (0) has none."""
        if segment == 0:
            return np.zeros(self.shape, dtype=np.uint8)
        if self._lattice is not None:
            return self._lattice.sampled(self._planes[index], segment, self.shape)
        found = np.zeros(self.shape, dtype=np.uint8)
        for piece in self._pieces.get(index, ()):
            frame = self.content.frames[piece.frame]
            if frame.segment in (segment, 0) and frame.mask.height:
                _paste(found, _eight_bits(self.content, frame.mask, segment), frame.mask, piece)
        return found

    def masks(self, segment: int) -> Mask:
        """Return the masks of a segment on all frames: (frames, rows, columns)."""
        found = np.zeros((self.frame_count, *self.shape), dtype=np.uint8)
        for index in self.frames_of(segment):
            found[index] = self.mask(segment, index)
        return found

    def _frames_at(self, index: int, segment: int) -> bool:
        if self._lattice is not None:
            return self._lattice.may_show(self._planes[index], segment, self.shape)
        return any(segment in self._segments(piece.frame) for piece in self._pieces.get(index, ()))

    def _segments(self, number: int) -> frozenset[int]:
        """Return the segments that a frame of the segmentation shows."""
        known = self._labels.get(number)
        if known is None:
            frame = self.content.frames[number]
            if not frame.mask.height:
                known = frozenset()
            elif self.content.type == "LABELMAP":
                counts = np.bincount(frame.mask.box().reshape(-1))
                known = frozenset(int(label) for label in np.flatnonzero(counts)) - {0}
            else:
                known = frozenset((frame.segment,))
            self._labels[number] = known
        return known


def align(
    content: SegmentationContent, series: Series, frames: Sequence[tuple[int, int]]
) -> Alignment | Misaligned:
    """Lay a segmentation over the frames of a stack.

    Parameters
    ----------
    series, frames
        As of an `ImageStack`: `align(content, stack.series, stack.frames)`.
    """
    if not content.frames:
        return Misaligned("outside", "The segmentation has no frames.")
    first = series.instances[frames[0][0]]
    shape = (first.rows, first.columns)
    planes = [series.plane_of(frame) for frame in frames]
    by_source = _by_source(content, series, frames)
    if not _is_linked(content, series, bool(by_source)):
        return Misaligned(
            "other_frame",
            "The segmentation lies in another frame of reference than this series and does not refer "
            "to it.",
        )
    placed = [frame for frame in content.frames if frame.plane is not None]
    known = [plane for plane in planes if plane is not None]
    if not placed or not known:
        return _on_sources(content, shape, planes, by_source)
    if len(placed) < len(content.frames) or len(known) < len(planes):
        return Misaligned("no_position", "Some frames have no position in the patient.")
    return _on_planes(content, shape, planes, one_space=not _is_elsewhere(content, series))


def _on_planes(
    content: SegmentationContent,
    shape: Grid,
    planes: Sequence[ImagePlane | None],
    *,
    one_space: bool,
) -> Alignment | Misaligned:
    """Lay frames over the planes of a stack where they are the same, else by the nearest plane.

    Nothing is taken from the nearest plane of another frame of reference: its millimetres are others.
    """
    pieces, found = _on_same_planes(content, planes)
    if found:
        outside = sum(
            index not in found and frame.mask.height > 0 for index, frame in enumerate(content.frames)
        )
        return Alignment(content, shape, pieces, planes=planes, outside=outside)
    if not one_space:
        return Misaligned(
            "other_frame",
            "The segmentation was made on this series but lies in another frame of reference and on "
            "other planes: its place is not known.",
        )
    lattice = _Lattice.of(content)
    if isinstance(lattice, Misaligned):
        return lattice
    return Alignment(content, shape, {}, planes=planes, lattice=lattice)


def _is_linked(content: SegmentationContent, series: Series, has_sources: bool) -> bool:
    own, other = content.frame_of_reference_uid, series.frame_of_reference_uid
    return bool(
        (own and own == other) or has_sources or content.about.refers_to(series.series_instance_uid)
    )


def _is_elsewhere(content: SegmentationContent, series: Series) -> bool:
    own, other = content.frame_of_reference_uid, series.frame_of_reference_uid
    return bool(own and other and own != other)


def _by_source(
    content: SegmentationContent, series: Series, frames: Sequence[tuple[int, int]]
) -> dict[int, list[int]]:
    """Return, for each frame of the stack, the frames that were derived from it."""
    where = {
        (series.instances[instance].sop_instance_uid, number): index
        for index, (instance, number) in enumerate(frames)
    }
    single = {one.sop_instance_uid: one.number_of_frames == 1 for one in series.instances}
    found: dict[int, list[int]] = defaultdict(list)
    for index, frame in enumerate(content.frames):
        for source in frame.sources:
            uid = source.sop_instance_uid
            if uid not in single:
                continue
            numbers = (1,) if single[uid] else source.frames
            for number in numbers:
                if (uid, number) in where:
                    found[where[uid, number]].append(index)
    return found


def _on_sources(
    content: SegmentationContent,
    shape: Grid,
    planes: Sequence[ImagePlane | None],
    by_source: dict[int, list[int]],
) -> Alignment | Misaligned:
    """Lay frames over the images they were derived from: pictures without a place in the patient."""
    if not by_source:
        return Misaligned(
            "no_position",
            "Neither planes nor source images say where the frames of the segmentation lie in this "
            "series.",
        )
    if (content.rows, content.columns) != shape:
        return Misaligned(
            "other_grid",
            f"The segmentation has {content.rows} x {content.columns} pixels, its images "
            f"{shape[0]} x {shape[1]}.",
        )
    pieces = {
        index: tuple(_Piece(frame, 0, 0) for frame in dict.fromkeys(found))
        for index, found in by_source.items()
    }
    used = {piece.frame for group in pieces.values() for piece in group}
    return Alignment(content, shape, pieces, planes=planes, outside=len(content.frames) - len(used))


def _on_same_planes(
    content: SegmentationContent, planes: Sequence[ImagePlane | None]
) -> tuple[dict[int, tuple[_Piece, ...]], set[int]]:
    """Return which frames lie on which frames of the stack, pixel on pixel."""
    tolerance = PLANE_TOLERANCE_MM
    if content.slice_spacing is not None:
        tolerance = max(tolerance, PLANE_TOLERANCE * content.slice_spacing)
    stack = [(index, plane, plane.offset) for index, plane in enumerate(planes) if plane is not None]
    offsets = np.array([offset for _, _, offset in stack])
    found: set[int] = set()
    pieces: dict[int, list[_Piece]] = defaultdict(list)
    cache: dict[ImagePlane, list[tuple[int, int, int]]] = {}
    for number, frame in enumerate(content.frames):
        plane = frame.plane
        assert plane is not None  # `align` has looked
        if plane not in cache:
            near = np.flatnonzero(
                np.abs(offsets - np.dot(plane.position, stack[0][1].normal)) < tolerance
            )
            cache[plane] = [
                (stack[place][0], *moved)
                for place in near
                if (moved := _moved(plane, stack[place][1])) is not None
            ]
        for index, row, column in cache[plane]:
            pieces[index].append(_Piece(number, row, column))
            found.add(number)
    return {index: tuple(group) for index, group in pieces.items()}, found


def _moved(plane: ImagePlane, onto: ImagePlane) -> tuple[int, int] | None:
    """Return the row and column of the first pixel of a plane on another one of the same grid."""
    same = (
        plane.is_parallel(onto)
        and abs(plane.row_spacing / onto.row_spacing - 1.0) < SPACING_TOLERANCE
        and abs(plane.column_spacing / onto.column_spacing - 1.0) < SPACING_TOLERANCE
    )
    if not same:
        return None
    column, row = onto.patient_to_pixel(np.array([plane.position]))[0]
    near = round(float(column)), round(float(row))
    if abs(column - near[0]) > PIXEL_TOLERANCE or abs(row - near[1]) > PIXEL_TOLERANCE:
        return None
    return near[1], near[0]


@lru_cache(maxsize=4)
def _labels(mask: FrameMask) -> npt.NDArray[Any]:
    """Return the labels of a frame, which each of its segments asks for."""
    return mask.box()


def _eight_bits(content: SegmentationContent, mask: FrameMask, segment: int) -> Mask:
    """Return the box of a mask for one segment, 0 to 255."""
    if content.type == "LABELMAP":
        labelled: Mask = (_labels(mask) == segment).astype(np.uint8) * np.uint8(255)
        return labelled
    box: npt.NDArray[Any] = mask.box()
    if content.type == "BINARY":
        box = box * 255
    else:
        box = np.rint(box.astype(np.float32) * (255.0 / content.maximum))
    return box.astype(np.uint8)


def _paste(target: Mask, box: Mask, mask: FrameMask, piece: _Piece) -> None:
    """Put a box where it lies; what lies outside of the target is cut off."""
    top, left = mask.top + piece.row, mask.left + piece.column
    rows = slice(max(top, 0), min(top + mask.height, target.shape[0]))
    columns = slice(max(left, 0), min(left + mask.width, target.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = box[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    np.maximum(target[rows, columns], part, out=target[rows, columns])


class _Lattice:
    """The frames of a segmentation as parallel planes of one grid, to be sampled anywhere."""

    def __init__(self, content: SegmentationContent, first: ImagePlane, spacing: float) -> None:
        self._content = content
        self._first = first
        self._spacing = spacing
        self._frames: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, frame in enumerate(content.frames):
            assert frame.plane is not None
            step = round((float(np.dot(frame.plane.position, first.normal)) - first.offset) / spacing)
            self._frames[frame.segment, step].append(number)

    @staticmethod
    def of(content: SegmentationContent) -> _Lattice | Misaligned:
        """Return the lattice of a segmentation, or why its frames make none."""
        planes = [frame.plane for frame in content.frames if frame.plane is not None]
        first = planes[0]
        if not all(_moved(plane, first) == (0, 0) for plane in set(planes)):
            return Misaligned(
                "other_grid",
                "The segmentation lies on another grid than this series, and its own frames differ in "
                "orientation, spacing or position: it cannot be resampled.",
            )
        if content.slice_spacing is None:
            return Misaligned(
                "not_parallel",
                "The segmentation lies on other planes than this series, and their spacing is not even "
                "or not known: it cannot be resampled.",
            )
        return _Lattice(content, first, content.slice_spacing)

    def _steps(self, plane: ImagePlane | None, shape: Grid) -> tuple[npt.NDArray[Any], ...]:
        """Return slice, row and column of the nearest voxel of each pixel of a plane."""
        assert plane is not None
        columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
        points = plane.pixel_to_patient(np.stack([columns.ravel(), rows.ravel()], axis=1))
        offsets = points @ self._first.normal - self._first.offset
        steps = np.floor(offsets / self._spacing + 0.5).astype(np.int64)
        pixels = np.floor(self._first.patient_to_pixel(points) + 0.5).astype(np.int64)
        return steps, pixels[:, 1], pixels[:, 0]

    def may_show(self, plane: ImagePlane | None, segment: int, shape: Grid) -> bool:
        """True when a plane crosses a slice of a segment."""
        assert plane is not None
        corners = np.array([(0, 0), (shape[1] - 1, 0), (0, shape[0] - 1), (shape[1] - 1, shape[0] - 1)])
        offsets = plane.pixel_to_patient(corners) @ self._first.normal - self._first.offset
        low, high = np.floor(np.array([offsets.min(), offsets.max()]) / self._spacing + 0.5)
        return any(number in (segment, 0) and low <= step <= high for number, step in self._frames)

    def sampled(self, plane: ImagePlane | None, segment: int, shape: Grid) -> Mask:
        """Return the nearest voxels of a segment on a plane."""
        found = np.zeros(shape[0] * shape[1], dtype=np.uint8)
        steps, rows, columns = self._steps(plane, shape)
        content = self._content
        inside = (rows >= 0) & (rows < content.rows) & (columns >= 0) & (columns < content.columns)
        for step in np.unique(steps[inside]):
            numbers = self._frames.get((segment, int(step)), []) + (
                self._frames.get((0, int(step)), []) if segment else []
            )
            here = inside & (steps == step)
            for number in numbers:
                mask = content.frames[number].mask
                whole = np.zeros((content.rows, content.columns), dtype=np.uint8)
                if mask.height:
                    _paste(whole, _eight_bits(content, mask, segment), mask, _Piece(number, 0, 0))
                found[here] = np.maximum(found[here], whole[rows[here], columns[here]])
        return found.reshape(shape)
