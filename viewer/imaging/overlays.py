"""Overlays of an image: text, outlines and regions that were drawn into bits of their own.

The index knows which overlays there are; their bits are read when an image is shown with them.
PS3.3 C.9.2; overlays in unused bits of the pixel values are retired and still met in old data.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from viewer.imaging.charset import TextDecoder
from viewer.imaging.elements import EXPLICIT_BE
from viewer.imaging.headers import OVERLAY_GROUPS, Header, Tag
from viewer.imaging.study import Instance, OverlayPlane

Mask = npt.NDArray[np.bool_]


def overlay_planes(header: Header) -> tuple[OverlayPlane, ...]:
    """Return what the overlay groups describe (PS3.3 C.9.2)."""
    raw = header.raw.elements
    present = [group for group in OVERLAY_GROUPS if group << 16 | 0x0010 in raw]
    planes = (_overlay(header, group) for group in present)
    return tuple(plane for plane in planes if plane is not None)


def _overlay(header: Header, group: int) -> OverlayPlane | None:
    base = group << 16
    rows, columns = header.number(base | 0x0010), header.number(base | 0x0011)
    if not rows or not columns:
        return None
    order: Literal["big", "little"] = "big" if header.raw.big_endian else "little"
    origin = header.raw.elements.get(base | 0x0050, b"")
    row, column = (
        int.from_bytes(origin[at : at + 2], order, signed=True) if len(origin) >= 4 else 1
        for at in (0, 2)
    )
    decoder = TextDecoder(header.raw.elements.get(Tag.SpecificCharacterSet))
    label, description = (
        decoder.text(header.raw.elements.get(base | element)) for element in (0x1500, 0x0022)
    )
    allocated = header.number(base | 0x0100) or 1
    return OverlayPlane(
        group=group,
        rows=rows,
        columns=columns,
        origin=(row, column),
        first_frame=header.number(base | 0x0051) or 1,
        number_of_frames=header.integer(base | 0x0015) or 0,
        bit_position=(header.number(base | 0x0102) or 0) if allocated > 1 else -1,
        label=label or description,
        region=header.code(base | 0x0040) == "R",
    )


def overlay_masks(instance: Instance, frame: int) -> dict[int, Mask]:
    """Read the overlays of one frame (from 1): group -> mask of the whole image, true where drawn.

    An overlay without bits, or of other frames, is left out. Called in the imaging worker.
    """
    masks: dict[int, Mask] = {}
    own = {plane.group: plane for plane in instance.overlays if plane.bit_position < 0}
    data = _overlay_data(instance, frozenset(own)) if own else {}
    for plane in instance.overlays:
        if plane.bit_position >= 0:
            drawn = _bits_of_pixels(instance, frame, plane.bit_position)
        else:
            drawn = _drawn(plane, frame, data.get(plane.group, b""))
        if drawn is not None:
            masks[plane.group] = placed(drawn, plane, instance)
    return masks


def _overlay_data(instance: Instance, groups: frozenset[int]) -> dict[int, bytes]:
    """Overlay Data of some groups, in the byte order of little endian files."""
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tags = [group << 16 | 0x3000 for group in sorted(groups)]
        data_set = dcmread(instance.path, stop_before_pixels=True, specific_tags=tags, force=True)
        found = {group: data_set.get(group << 16 | 0x3000) for group in groups}
    swapped = instance.transfer_syntax_uid == EXPLICIT_BE
    return {
        group: _swapped(bytes(element.value))
        if swapped and element.VR == "OW"
        else bytes(element.value)
        for group, element in found.items()
        if element is not None and element.value
    }


def _swapped(data: bytes) -> bytes:
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype=">u2")
    return words.astype("<u2").tobytes()


def _drawn(plane: OverlayPlane, frame: int, data: bytes) -> Mask | None:
    """Overlay Data as a mask of the overlay's own size: one bit a point, lowest first (PS3.5 8.1.2).

    None when the overlay does not belong to the frame or its data is too short.
    """
    place = frame - plane.first_frame if plane.number_of_frames > 0 else 0
    if not 0 <= place < max(plane.number_of_frames, 1):
        return None
    size = plane.rows * plane.columns
    start = place * size
    packed = np.frombuffer(data, dtype=np.uint8)[start // 8 : (start + size + 7) // 8]
    bits = np.unpackbits(packed, bitorder="little")[start % 8 : start % 8 + size]
    return bits.reshape(plane.rows, plane.columns).astype(bool) if bits.size == size else None


def _bits_of_pixels(instance: Instance, frame: int, position: int) -> Mask | None:
    """One bit of the stored pixel cells, outside their values (PS3.5 8.1.1, retired use)."""
    if instance.pixel_length <= 0 or instance.samples_per_pixel != 1 or instance.bits_allocated < 8:
        return None
    if position > instance.high_bit - instance.bits_stored and position <= instance.high_bit:
        return None  # a bit of the values themselves
    order = ">" if instance.transfer_syntax_uid == EXPLICIT_BE else "<"
    count = instance.rows * instance.columns
    with Path(instance.path).open("rb") as file:
        file.seek(instance.pixel_offset + (frame - 1) * count * instance.bits_allocated // 8)
        cells = np.fromfile(file, dtype=f"{order}u{instance.bits_allocated // 8}", count=count)
    if cells.size != count:
        return None
    drawn: Mask = ((cells >> position) & 1).astype(bool).reshape(instance.rows, instance.columns)
    return drawn


def placed(drawn: Mask, plane: OverlayPlane, instance: Instance) -> Mask:
    """Put the points of an overlay where they lie in the image; what lies outside is cut off."""
    whole = np.zeros((instance.rows, instance.columns), dtype=bool)
    top, left = plane.origin[0] - 1, plane.origin[1] - 1
    first_row, first_column = max(top, 0), max(left, 0)
    last_row = min(top + plane.rows, instance.rows)
    last_column = min(left + plane.columns, instance.columns)
    if first_row < last_row and first_column < last_column:
        whole[first_row:last_row, first_column:last_column] = drawn[
            first_row - top : last_row - top, first_column - left : last_column - left
        ]
    return whole
