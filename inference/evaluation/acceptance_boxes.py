"""Box self-test: does a model, as it runs here, say where a thing is? If not, how is it off?

A bright block lies somewhere in a noisy picture, and the model is asked for its box in its own
convention. The same picture, fit and inverse are used as for a real image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.models.letterbox import Box

GOOD_IOU = 0.5
"""Mean overlap (intersection over union) from which boxes follow the thing."""
EXPLAINED_IOU = 0.6
"""Mean overlap from which a fault explains the boxes when it is taken back."""
LARGEST_OFFSET = 0.03
"""Share of the picture's side by which all boxes may be off to one side."""
LARGEST_SCALE = 0.05
"""Share by which all positions may be stretched or shrunk."""

Grey = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BlockPicture:
    """A picture with one bright block; the box is in pixels of the image, edges included."""

    grey: Grey
    box: Box


@dataclass(frozen=True)
class BoxResult:
    """How boxes lie: mean overlap, and the fault in words (empty when they are good)."""

    overlap: float
    fault: str

    @property
    def passed(self) -> bool:
        """Whether the boxes of the model may be used."""
        return not self.fault


def block_pictures(count: int, seed: int = 0) -> tuple[BlockPicture, ...]:
    """Return pictures of several sizes with a block away from the diagonals and the middle."""
    draw = np.random.default_rng(seed)
    made: list[BlockPicture] = []
    while len(made) < count:
        rows, columns = (int(side) for side in draw.integers(240, 640, 2))
        high, wide = int(rows * draw.uniform(0.12, 0.3)), int(columns * draw.uniform(0.12, 0.3))
        top, left = int(draw.integers(0, rows - high)), int(draw.integers(0, columns - wide))
        middle = ((left + wide / 2) / columns, (top + high / 2) / rows)
        if min(abs(middle[0] - middle[1]), abs(middle[0] - 0.5), abs(sum(middle) - 1)) < 0.12:
            continue  # a swap or a mirror would look like nothing
        grey = draw.normal(40, 8, (rows, columns))
        grey[top : top + high, left : left + wide] += 170
        box = (left - 0.5, top - 0.5, left + wide - 0.5, top + high - 0.5)
        made.append(BlockPicture(np.clip(grey, 0, 255).astype(np.uint8), box))
    return tuple(made)


def judge_boxes(said: Sequence[Box | None], true: Sequence[Box]) -> BoxResult:
    """Compare boxes (shares of the picture) with the truth and name what is wrong.

    Parameters
    ----------
    said
        What the model says for each picture; none where it gave no box.
    """
    pairs = [(one, other) for one, other in zip(said, true, strict=True) if one is not None]
    if len(pairs) < 0.8 * len(true):
        return BoxResult(0.0, f"a box was given for {len(pairs)} of {len(true)} pictures")
    given, wanted = np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])
    overlap = _overlap(given, wanted)
    scale, offset = _scale(given, wanted), np.median(wanted - given, axis=0)[[0, 1]]
    if (
        overlap >= GOOD_IOU
        and np.abs(offset).max() <= LARGEST_OFFSET
        and abs(scale - 1) <= LARGEST_SCALE
    ):
        return BoxResult(overlap, "")
    for name, mended in (
        ("the axes are swapped", given[:, [1, 0, 3, 2]]),
        ("left and right are swapped", _mirrored(given, 0)),
        ("top and bottom are swapped", _mirrored(given, 1)),
        (f"positions are off by a scale of {scale:.2f}", given * scale),
        (
            f"boxes are off by {offset[0]:+.0%} across and {offset[1]:+.0%} down",
            given + np.tile(offset, 2),
        ),
    ):
        if _overlap(mended, wanted) >= max(EXPLAINED_IOU, overlap + 0.02):
            return BoxResult(overlap, f"{name} (overlap {overlap:.2f})")
    return BoxResult(overlap, f"boxes do not follow what is in the picture (overlap {overlap:.2f})")


def _mirrored(boxes: Boxes, axis: int) -> Boxes:
    turned = boxes.copy()
    turned[:, axis], turned[:, axis + 2] = 1 - boxes[:, axis + 2], 1 - boxes[:, axis]
    return turned


def _scale(given: Boxes, wanted: Boxes) -> float:
    """Return the one factor that brings given positions nearest to the wanted ones."""
    return float((given * wanted).sum() / max(float((given * given).sum()), 1e-12))


def _overlap(one: Boxes, other: Boxes) -> float:
    """Return the mean intersection over union."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = sum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other))
    return float(np.mean(shared / np.maximum(areas - shared, 1e-12)))


Locate = Callable[[Grey], Box | None]
"""Shows an image to the model and returns the box it gives, in shares of the image, or none."""


def self_test(locate: Locate, count: int = 10) -> BoxResult:
    """Ask a model for the block of some pictures and judge its boxes."""
    pictures = block_pictures(count)
    said = [locate(one.grey) for one in pictures]
    return judge_boxes(said, [shares(one.box, *one.grey.shape) for one in pictures])


def shares(box: Box, rows: int, columns: int) -> Box:
    """Return a box in pixels of an image as shares of its sides."""
    return (
        (box[0] + 0.5) / columns, (box[1] + 0.5) / rows,
        (box[2] + 0.5) / columns, (box[3] + 0.5) / rows,
    )  # fmt: skip
