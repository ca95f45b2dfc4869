"""What an image lost to compression, as its header says (PS3.3 C.7.6.1.1.5).

Lossy Image Compression says that the image was ever compressed with loss, also when it is stored
without any now. The transfer syntax says nothing about that and is not asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from viewer.imaging.study import Instance

METHODS: Final = {
    "ISO_10918_1": "JPEG",
    "ISO_14495_1": "JPEG-LS",
    "ISO_15444_1": "JPEG 2000",
    "ISO_15444_15": "HTJ2K",
    "ISO_18181_1": "JPEG XL",
    "ISO_13818_2": "MPEG-2",
    "ISO_14496_10": "H.264",
    "ISO_23008_2": "H.265",
}
"""Lossy Image Compression Method (0028,2114), PS3.3 C.7.6.1.1.5.1."""

MAX_STEPS: Final = 8


@dataclass(frozen=True, slots=True)
class LossyStep:
    """One compression with loss: its method in words, empty where unknown, and ratio to 1, or none."""

    method: str
    ratio: float | None


def lossy_steps(instance: Instance) -> tuple[LossyStep, ...]:
    """Return the compressions with loss that an image went through, the first first.

    Empty for an image that says it never was; one step without words where it says no more than that.
    """
    if not instance.lossy:
        return ()
    methods = _parts(instance.lossy_method)
    ratios = tuple(map(_ratio, _parts(instance.lossy_ratio)))
    count = min(max(len(methods), len(ratios), 1), MAX_STEPS)
    return tuple(
        LossyStep(
            METHODS.get(methods[step], "") if step < len(methods) else "",
            ratios[step] if step < len(ratios) else None,
        )
        for step in range(count)
    )


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split("\\")) if value else ()


def _ratio(text: str) -> float | None:
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if math.isfinite(ratio) and ratio > 0.0 else None
