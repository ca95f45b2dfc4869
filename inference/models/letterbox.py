"""A picture fitted into a model's input with its aspect kept, and the exact way back for boxes.

Positions are *edges*: the input goes from 0 to 1 along each side, an image of n columns from -0.5 to
n - 0.5 in the pixel coordinates of regions (centre of the first pixel at 0).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

Grey = npt.NDArray[np.uint8]


class Fit(ABC):
    """How an image lies in the input of a model: scaled by `scale`, its corner at `start`."""

    rows: int
    columns: int
    mirrored: bool

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the input."""

    @abstractmethod
    def scale(self) -> tuple[float, float]:
        """Return input pixels per image column and row."""

    @abstractmethod
    def start(self) -> tuple[float, float]:
        """Return where the image begins in the input."""

    def apply(self, grey: Grey) -> Grey:
        """Return the image in its input: averaged where it shrinks, black around it."""
        if grey.shape != (self.rows, self.columns):
            raise ValueError(f"An image of {grey.shape} is not {(self.rows, self.columns)}.")
        (x, y), (left, top), (height, width) = self.scale(), self.start(), self.shape
        across = _weights(self.columns, width, x, left)
        down = _weights(self.rows, height, y, top)
        source = grey[:, ::-1] if self.mirrored else grey
        fitted = down @ source.astype(np.float32) @ across.T
        made: Grey = np.clip(np.rint(fitted), 0, 255).astype(np.uint8)
        return made

    def to_image(self, share: Box) -> Box:
        """Return a box of the input (shares of its sides) in pixels of the image, cut at its edges."""
        (x, y), (left, top), (height, width) = self.scale(), self.start(), self.shape
        columns = [(value * width - left) / x for value in (share[0], share[2])]
        rows = [(value * height - top) / y for value in (share[1], share[3])]
        if self.mirrored:
            columns = [self.columns - value for value in reversed(columns)]
        columns = [min(max(value, 0.0), float(self.columns)) - 0.5 for value in columns]
        rows = [min(max(value, 0.0), float(self.rows)) - 0.5 for value in rows]
        return columns[0], rows[0], columns[1], rows[1]

    def to_share(self, box: Box) -> Box:
        """Return a box of the image in shares of the input's sides."""
        (x, y), (left, top), (height, width) = self.scale(), self.start(), self.shape
        columns = [box[0] + 0.5, box[2] + 0.5]
        if self.mirrored:
            columns = [self.columns - value for value in reversed(columns)]
        columns = [(value * x + left) / width for value in columns]
        rows = [((value + 0.5) * y + top) / height for value in (box[1], box[3])]
        return columns[0], rows[0], columns[1], rows[1]


@dataclass(frozen=True)
class Letterbox(Fit):
    """How an image lies in a square input.

    Parameters
    ----------
    rows, columns
        Of the image.
    size
        Rows and columns of the input.
    aspect
        Height of an image pixel over its width.
    mirrored
        The image is turned left to right on its way in.
    """

    rows: int
    columns: int
    size: int
    aspect: float = 1.0
    mirrored: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the input."""
        return self.size, self.size

    def scale(self) -> tuple[float, float]:
        """Return input pixels per image column and row."""
        unit = self.size / max(self.columns, self.rows * self.aspect)
        return unit, unit * self.aspect

    def start(self) -> tuple[float, float]:
        """Return where the image begins in the input, in whole input pixels."""
        x, y = self.scale()
        return (
            float(int(self.size - self.columns * x + 0.5) // 2),
            float(int(self.size - self.rows * y + 0.5) // 2),
        )


def _weights(old: int, new: int, scale: float, start: float) -> npt.NDArray[np.float32]:
    """Return (new, old) weights of a triangle filter that is never narrower than an input pixel."""
    wide = max(1.0, 1.0 / scale)
    centre = (np.arange(new) + 0.5 - start) / scale
    away = np.abs(np.arange(old)[None, :] + 0.5 - centre[:, None]) / wide
    weights = np.clip(1.0 - away, 0.0, None)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    weights[(centre < 0) | (centre > old)] = 0.0
    return weights.astype(np.float32)
