"""A segmentation as a value: segments, and frames with their places (PS3.3 A.51, C.8.20)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.mappings import unpack
from viewer.imaging.objects.foreign import ForeignObject
from viewer.imaging.objects.parts import Code, Frozen, ImageReference, packed


class FrameMask(Frozen):
    """The pixels of one frame of a segmentation, cut to the box where they are not zero.

    Parameters
    ----------
    top, left, height, width
        The box in the frame, pixels; 0 x 0 for an empty frame.
    bits
        1: one bit a pixel; 8 or 16: values.
    data
        Deflated, base64; rows on end.
    """

    top: int = 0
    left: int = 0
    height: int = 0
    width: int = 0
    bits: int = 1
    data: str = ""

    @staticmethod
    def of(pixels: npt.NDArray[np.generic], *, bits: int) -> FrameMask:
        """Cut and pack a frame of uint8 or uint16."""
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        if rows.size == 0:
            return FrameMask(bits=bits)
        top, left = int(rows[0]), int(columns[0])
        box = pixels[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        if bits == 1:
            raw = np.packbits(box.astype(bool)).tobytes()
        else:
            raw = box.astype("<u2" if bits == 16 else np.uint8).tobytes()
        height, width = box.shape
        return FrameMask(
            top=top, left=left, height=int(height), width=int(width), bits=bits, data=packed(raw)
        )

    def box(self) -> npt.NDArray[Any]:
        """Return the values inside the box: uint8 (of bits: 0 and 1), or uint16."""
        count = self.height * self.width
        if count == 0:
            return np.zeros((0, 0), dtype=np.uint8)
        if self.bits == 1:
            raw = np.frombuffer(unpack(self.data, (count + 7) // 8), dtype=np.uint8)
            return np.unpackbits(raw, count=count).reshape(self.height, self.width)
        dtype = np.dtype("<u2" if self.bits == 16 else np.uint8)
        values = np.frombuffer(unpack(self.data, count * dtype.itemsize), dtype=dtype, count=count)
        return values.reshape(self.height, self.width)


class SegmentFrame(Frozen):
    """One frame of a segmentation and where it lies.

    Parameters
    ----------
    segment
        Segment number; 0 in a label map, whose pixels are segment numbers.
    plane
        In the patient, or none (ultrasound, radiographs, slides).
    sources
        The images it was derived from.
    corner
        Column and row of the first pixel in the whole picture of a slide, from 0; none elsewhere.
    """

    segment: int
    plane: ImagePlane | None = None
    sources: tuple[ImageReference, ...] = ()
    corner: tuple[int, int] | None = None
    mask: FrameMask = FrameMask()


class Segment(Frozen):
    """What one segment is and how large.

    Parameters
    ----------
    algorithm_type
        AUTOMATIC, SEMIAUTOMATIC, MANUAL or empty.
    voxels
        Pixels that are set (in a fractional segmentation: above zero).
    volume_ml
        Millilitres, or none; `volume_note` then says why, else how it was counted where that is not
        plain.
    """

    number: int
    label: str = ""
    description: str = ""
    category: Code | None = None
    type: Code | None = None
    type_modifiers: tuple[Code, ...] = ()
    regions: tuple[Code, ...] = ()
    algorithm_type: str = ""
    algorithm_name: str = ""
    colour: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    frames: int = 0
    voxels: int = 0
    volume_ml: float | None = None
    volume_note: str = ""


class SegmentationContent(Frozen):
    """A segmentation: its segments, and its frames with their places.

    Parameters
    ----------
    type
        BINARY, FRACTIONAL or LABELMAP.
    fractional_type
        PROBABILITY or OCCUPANCY; empty for other types.
    maximum
        The value that means 1.0 in a fractional segmentation; 1 for other types.
    padding
        Pixel Padding Value of a label map: no label at all.
    slice_spacing
        Distance between planes, mm, or none.
    """

    kind: Literal["segmentation"] = "segmentation"
    about: ForeignObject
    type: Literal["BINARY", "FRACTIONAL", "LABELMAP"]
    fractional_type: str = ""
    maximum: int = 1
    padding: int | None = None
    rows: int
    columns: int
    frame_of_reference_uid: str = ""
    slice_spacing: float | None = None
    segments: tuple[Segment, ...] = ()
    frames: tuple[SegmentFrame, ...] = ()
    notes: tuple[str, ...] = ()
