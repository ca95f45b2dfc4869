"""Siemens mosaics: one picture that holds all slices of a volume as tiles, split into its slices.

The number of tiles and the direction in which they stack stand in the private CSA image header
(0029,1010), of format "SV10" or the older one. A mosaic without it is shown as the picture that it is:
nothing is guessed.
"""

from __future__ import annotations

import math
import struct
from typing import Final

import numpy as np

from viewer.imaging.elements import Odd, TooDeep, TooLong, read_raw
from viewer.imaging.headers import Header, Tag
from viewer.imaging.study import FrameAttributes, Instance

CSA_CREATOR: Final = 0x00290010
CSA_IMAGE_HEADER: Final = 0x00291010

MAX_TAGS: Final = 1000
MAX_ITEMS: Final = 1000
MAX_TILES: Final = 1024

NORMAL_TOLERANCE: Final = 1e-3
"""The stacking direction is the normal of the tiles up to its sign, within this."""


def is_mosaic(header: Header) -> bool:
    """True when the image calls itself a mosaic of Siemens."""
    return "MOSAIC" in header.codes(Tag.ImageType) and header.code(Tag.Modality) == "MR"


def with_tiles(header: Header, instance: Instance) -> Instance:
    """Return a mosaic as an instance whose frames are its slices; as it is when that is not known.

    The position in the header is that of the whole picture as if it were one slice, so the corner of
    a slice lies half of what the picture is larger further in. The slices follow each other along the
    slice normal of the CSA header.
    """
    plane, spacing = instance.plane, header.decimal(Tag.SpacingBetweenSlices)
    csa = _csa_header(header.path)
    count = int((_numbers(csa, "NumberOfImagesInMosaic") or (0.0,))[0])
    normal = np.asarray(_numbers(csa, "SliceNormalVector"))
    if plane is None or not spacing or spacing <= 0.0 or normal.size != 3 or not 1 < count <= MAX_TILES:
        return instance
    side = tiles_a_side(count)
    if instance.rows % side or instance.columns % side or instance.samples_per_pixel != 1:
        return instance
    along = float(plane.normal @ normal)
    if abs(abs(along) - 1.0) > NORMAL_TOLERANCE:
        return instance
    rows, columns = instance.rows // side, instance.columns // side
    inward = ((instance.columns - columns) / 2.0, (instance.rows - rows) / 2.0)
    corner = plane.pixel_to_patient(np.asarray([inward]))[0]
    step = plane.normal * math.copysign(spacing, along)
    positions = [corner + number * step for number in range(count)]
    planes = [
        plane.model_copy(update={"position": tuple(float(part) for part in position)})
        for position in positions
    ]
    shared = instance.of_frame(1)
    frames = tuple(FrameAttributes.model_copy(shared, update={"plane": one}) for one in planes)
    return instance.model_copy(
        update={
            "mosaic": True,
            "rows": rows,
            "columns": columns,
            "number_of_frames": count,
            "plane": planes[0],
            "frames": frames,
            "overlays": (),  # they lie on the picture, not on its slices
        }
    )


def tiles_a_side(count: int) -> int:
    """Return how many tiles a mosaic of some slices has in a row, and how many rows of them."""
    return math.isqrt(count - 1) + 1


def picture_of(instance: Instance) -> Instance:
    """Return the whole picture of a mosaic, as it is stored."""
    side = tiles_a_side(instance.number_of_frames)
    return instance.model_copy(
        update={
            "mosaic": False,
            "rows": instance.rows * side,
            "columns": instance.columns * side,
            "number_of_frames": 1,
            "frames": (),
        }
    )


def _csa_header(path: str) -> bytes:
    """The CSA image header of a file; empty when there is none that can be read plainly."""
    try:
        raw = read_raw(path, frozenset((CSA_CREATOR, CSA_IMAGE_HEADER))).elements
    except (Odd, TooDeep, TooLong, OSError):
        return b""
    owner = raw.get(CSA_CREATOR, b"").strip(b"\0 ")
    return raw.get(CSA_IMAGE_HEADER, b"") if owner == b"SIEMENS CSA HEADER" else b""


def _numbers(csa: bytes, name: str) -> tuple[float, ...]:
    try:
        found = tuple(float(text) for text in csa_values(csa, name))
    except ValueError:
        return ()
    return found if all(map(math.isfinite, found)) else ()


def csa_values(csa: bytes, name: str) -> tuple[str, ...]:
    """Return the values of one element of a CSA header, empty without it.

    A header of format SV10 begins with that mark and four bytes; one of the older format (CSA1) has no
    mark. Then come the number of elements and a check word, then each element with its name (64 bytes),
    multiplicity, VR, type, number of items and a check word. An item is four words and its text padded
    to four bytes. The length of the text is the second word in SV10; in the older format it is the
    first, above the number of items of the first element.
    """
    newer = csa[:4] == b"SV10"
    if len(csa) < 16:
        return ()
    position = 8 if newer else 0
    (count,) = struct.unpack_from("<I", csa, position)
    if not 0 < count <= MAX_TAGS:
        return ()
    position += 8
    offset: int | None = 0 if newer else None
    try:
        for _ in range(count):
            label = csa[position : position + 64].split(b"\0", 1)[0]
            (items,) = struct.unpack_from("<i", csa, position + 76)
            offset = items if offset is None else offset
            position += 84
            values = []
            for _ in range(min(items, MAX_ITEMS)):
                words = struct.unpack_from("<4i", csa, position)
                length = words[1] if newer else words[0] - offset
                position += 16
                if not 0 <= length <= len(csa) - position:
                    if newer:
                        return ()
                    break  # the older format ends its items like this
                values.append(csa[position : position + length].split(b"\0", 1)[0].strip())
                position += (length + 3) // 4 * 4
            if label == name.encode("ascii"):
                return tuple(value.decode("ascii", "replace") for value in values if value)
    except struct.error:
        return ()
    return ()
