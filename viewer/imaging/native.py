"""Native pixel data: which bytes are values already, and what is to be done in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.imaging.elements import EXPLICIT_BE
from viewer.imaging.layout import frame_shape
from viewer.imaging.study import Instance

Array = npt.NDArray[Any]


def is_direct(instance: Instance) -> bool:
    """True when the bytes in the file are the values of the stack, up to their unused bits."""
    if instance.transfer_syntax_uid == EXPLICIT_BE:
        return False
    if len(frame_shape(instance)) == 3:
        whole = (instance.bits_allocated, instance.bits_stored, instance.high_bit) == (8, 8, 7)
        plain = instance.photometric_interpretation in {"RGB", "YBR_FULL"} and not instance.planar
        return whole and plain and instance.samples_per_pixel == 3
    if instance.floating:
        return instance.bits_allocated == 32
    return instance.bits_allocated in (16, 32) or (instance.bits_allocated == 8 and not instance.signed)


def is_subsampled(instance: Instance) -> bool:
    """True for native YBR_FULL_422 of bytes, whose rows are pairs of pixels."""
    return (
        instance.photometric_interpretation == "YBR_FULL_422"
        and instance.samples_per_pixel == 3
        and instance.bits_allocated == 8
        and instance.columns % 2 == 0
        and not instance.planar
        and instance.transfer_syntax_uid != EXPLICIT_BE
    )


def empty_padding(target: Array, values: Array, instance: Instance) -> None:
    """Write NaN into a stack of floats where the stored values are padding (PS3.3 C.7.5.1.1.2)."""
    if instance.float_padding is not None:
        first, last = np.asarray(instance.float_padding, dtype=values.dtype)
        target[(values >= first) & (values <= last)] = np.nan


def correct_bits(values: Array, instance: Instance, *, high_bit: int | None = None) -> None:
    """Drop what is outside Bits Stored and extend the sign, in place (PS3.5 8.1.1).

    Unused high bits may hold overlays (retired) or rubbish.
    """
    stored = instance.bits_stored
    top = instance.high_bit if high_bit is None else high_bit
    width = 8 * values.dtype.itemsize
    if stored >= width:
        return
    if values.dtype.kind == "i":
        np.left_shift(values, width - 1 - top, out=values)
        np.right_shift(values, width - stored, out=values)
        return
    if top + 1 > stored:
        np.right_shift(values, top + 1 - stored, out=values)
    np.bitwise_and(values, values.dtype.type((1 << stored) - 1), out=values)
