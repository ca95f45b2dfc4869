"""Halved copies of a frame, so that a large radiograph is drawn fast and without aliasing. No Qt."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

StoredFrame = npt.NDArray[np.generic]

KEPT = 8
"""Halved frames that stay cached: dragging a window re-maps the same few pixels."""

MOST_HALVINGS = 6


def level_for(scale: float) -> int:
    """Return how often a frame may be halved at a scale (device pixels per column) and stay sharp."""
    level = 0
    while level < MOST_HALVINGS and scale * 2 ** (level + 1) <= 1.0:
        level += 1
    return level


def halved(frame: StoredFrame) -> StoredFrame:
    """Return the mean of each 2 x 2 block in the stored type; an odd last row or column is repeated."""
    pad = [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2)] + [(0, 0)] * (frame.ndim - 2)
    even = np.pad(frame, pad, mode="edge") if any(after for _, after in pad) else frame
    floating = even.dtype.kind == "f"
    wide = np.float32 if floating else np.int64 if even.itemsize > 2 else np.int32
    total = even[0::2, 0::2].astype(wide)
    for part in (even[1::2, 0::2], even[0::2, 1::2], even[1::2, 1::2]):
        total += part
    return (total / 4 if floating else total >> 2).astype(frame.dtype)


class Pyramid:
    """The halved frames of one stack, the newest kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], StoredFrame] = OrderedDict()

    def frame(self, stored: npt.NDArray[np.generic], index: int, level: int) -> StoredFrame:
        """Return frame `index` of a stack halved `level` times."""
        if level == 0:
            return stored[index]
        kept = self._kept.get((index, level))
        if kept is None:
            kept = halved(self.frame(stored, index, level - 1))
            self._kept[(index, level)] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end((index, level))
        return kept

    def clear(self) -> None:
        """Forget all frames (the pixels of the stack have changed)."""
        self._kept.clear()
