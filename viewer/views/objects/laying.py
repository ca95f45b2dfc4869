"""Where an object lies on the frames of a series: masks, contours, the largest slice. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from viewer.imaging.objects.contours import StructureSetContent
from viewer.imaging.objects.outlines import Outline, Outlines, outlines
from viewer.imaging.objects.placing import Alignment, Misaligned, align
from viewer.imaging.objects.segments import SegmentationContent
from viewer.imaging.study import Series

Mask = npt.NDArray[np.uint8]
Inside = npt.NDArray[np.bool_]
HALF: Final = 128
"""Where a mask of 0 to 255 begins to count as inside."""

Frames = Sequence[tuple[int, int]]
"""Instance and frame number of each, as of an `ImageStack`."""

Shaped = SegmentationContent | StructureSetContent
"""Objects that have a shape on the images."""


class LaidSegments:
    """A segmentation on a stack.

    Attributes
    ----------
    is_fractional
        True when masks hold shares between 0 and 255.
    badge
        What the reader has to know of the place, or empty.
    """

    def __init__(self, content: SegmentationContent, alignment: Alignment) -> None:
        self.is_fractional = content.type == "FRACTIONAL"
        self.badge = alignment.badge
        self._alignment = alignment
        self._frames = {
            one.number: frozenset(alignment.frames_of(one.number)) for one in content.segments
        }

    def mask(self, number: int, index: int) -> Mask | None:
        """Return the mask of a segment on a frame, 0 to 255; none where it has no part."""
        if index not in self._frames.get(number, frozenset()):
            return None
        return self._alignment.mask(number, index)

    def frames_inside(self, number: int) -> tuple[int, ...]:
        """Return the frames on which a segment may be."""
        return tuple(sorted(self._frames.get(number, frozenset())))

    def inside(self, number: int, index: int) -> Inside:
        """Return the pixels of a frame that belong to a segment; a fraction counts from one half."""
        return self._alignment.mask(number, index) >= HALF

    def outlines(self, number: int, index: int) -> tuple[Outline, ...]:
        """Return no contours: a segmentation has masks."""
        return ()

    def largest_frame(self, number: int) -> int | None:
        """Return the frame on which a segment has the largest area; none when it is on no frame."""
        areas = {
            index: int(self._alignment.mask(number, index).sum(dtype=np.int64))
            for index in sorted(self._frames.get(number, frozenset()))
        }
        return max(areas, key=lambda index: areas[index]) if any(areas.values()) else None


class LaidRegions:
    """The regions of a structure set on a stack."""

    is_fractional = False

    def __init__(self, laid: Mapping[int, Outlines], missing: Mapping[int, Misaligned]) -> None:
        self._laid = laid
        badges = [one.badge for one in laid.values() if one.badge]
        badges += [one.reason for one in missing.values()]
        self.badge = "; ".join(dict.fromkeys(badges))

    def mask(self, number: int, index: int) -> Mask | None:
        """Return no mask: regions are drawn as the contours that they are."""
        return None

    def frames_inside(self, number: int) -> tuple[int, ...]:
        """Return the frames on which a region may enclose pixels."""
        laid = self._laid.get(number)
        return () if laid is None else tuple(range(laid.frame_count))

    def inside(self, number: int, index: int) -> Inside:
        """Return the pixels of a frame that a region encloses."""
        return self._laid[number].mask(index) > 0

    def outlines(self, number: int, index: int) -> tuple[Outline, ...]:
        """Return the contours of a region on a frame."""
        laid = self._laid.get(number)
        return () if laid is None else laid.on(index)

    def largest_frame(self, number: int) -> int | None:
        """Return the frame on which a region encloses most; of points and lines the first frame."""
        laid = self._laid.get(number)
        frames = () if laid is None else laid.frames()
        if laid is None or not frames:
            return None
        return max(frames, key=lambda index: int(np.count_nonzero(laid.mask(index))))

    def volume_ml(self, number: int) -> float | None:
        """Return the volume of the voxels that a region encloses."""
        laid = self._laid.get(number)
        return None if laid is None else laid.volume_ml()


Laid = LaidSegments | LaidRegions


def lay(content: Shaped, series: Series, frames: Frames) -> Laid | Misaligned:
    """Lay an object over frames of a series, or say why it cannot be."""
    if isinstance(content, SegmentationContent):
        found = align(content, series, frames)
        return found if isinstance(found, Misaligned) else LaidSegments(content, found)
    laid: dict[int, Outlines] = {}
    missing: dict[int, Misaligned] = {}
    for region in content.regions:
        found_lines = outlines(region, series, frames)
        if isinstance(found_lines, Misaligned):
            missing[region.number] = found_lines
        else:
            laid[region.number] = found_lines
    if not laid:
        none = Misaligned("outside", "The structure set has no regions.")
        return next(iter(missing.values()), none)
    return LaidRegions(laid, missing)
