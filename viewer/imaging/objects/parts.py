"""What all contents of objects are made of: codes, references to images, packed bytes."""

from __future__ import annotations

import base64
import zlib

from pydantic import BaseModel, ConfigDict

Point = tuple[float, float]
"""(column, row) in an image."""

PatientPoint = tuple[float, float, float]
"""LPS mm."""


class Frozen(BaseModel):
    """A plain frozen value that travels as JSON."""

    model_config = ConfigDict(frozen=True)


def packed(raw: bytes) -> str:
    """Return bytes deflated quickly, in base64; `mappings.unpack` reads them."""
    return base64.b64encode(zlib.compress(raw, 1)).decode("ascii")


class Code(Frozen):
    """A coded concept (PS3.3 section 8): value, scheme and what to show."""

    value: str
    scheme: str = ""
    meaning: str = ""

    def is_one_of(self, *codes: tuple[str, str]) -> bool:
        """True when this is one of some (value, scheme) pairs."""
        return (self.value, self.scheme) in codes


class ImageReference(Frozen):
    """An image, some of its frames (from 1; empty: all), or some segments of a segmentation."""

    sop_instance_uid: str
    sop_class_uid: str = ""
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()

    def is_of(self, sop_instance_uid: str, frame: int) -> bool:
        """True when this names the image, and the frame where it names frames."""
        return self.sop_instance_uid == sop_instance_uid and (not self.frames or frame in self.frames)
