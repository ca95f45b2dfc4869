"""How an image becomes the picture that a model of some family wants, and the exact way back.

libmtmd takes a picture as it is when it already has a size that the family's projector works with.
So the scaling is done here, where its inverse is known, and libmtmd has nothing left to scale, pad or
cut into tiles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from inference.models.letterbox import Fit, Letterbox


class PicturePlan(BaseModel):
    """What a family wants of a picture.

    Parameters
    ----------
    fit
        "square": aspect kept, black around, `side` by `side`. "multiple": both sides scaled to whole
        multiples of `cell`, between `least` and `most` image tokens, aspect kept but for that.
    side
        Of the square in pixels.
    cell
        Side in pixels of what becomes one image token.
    least, most
        Image tokens of a picture ("multiple").
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fit: Literal["square", "multiple"]
    side: int = Field(default=0, ge=0, le=4096)
    cell: int = Field(ge=1, le=256)
    least: int = Field(default=1, ge=1)
    most: int = Field(default=4096, ge=1)

    def prepare(self, rows: int, columns: int, *, aspect: float = 1.0, mirrored: bool = False) -> Fit:
        """Return how an image of this size is fitted; `aspect` is pixel height over width."""
        if self.fit == "square":
            return Letterbox(rows, columns, self.side, aspect=aspect, mirrored=mirrored)
        height, width = sides_in_cells(
            rows * aspect, columns, cell=self.cell, least=self.least, most=self.most
        )
        return Stretched(rows, columns, height, width, mirrored)

    def tokens(self, fit: Fit) -> int:
        """Return the image tokens of a fitted picture."""
        height, width = fit.shape
        return (height // self.cell) * (width // self.cell)


def sides_in_cells(height: float, width: float, *, cell: int, least: int, most: int) -> tuple[int, int]:
    """Return height and width as whole multiples of `cell` with `least` to `most` cells in all.

    Qwen2.5-VL's own rule (smart_resize of its processor): rounded to the nearest multiple, and when
    that is too many or too few cells, scaled by the root of the areas and rounded down or up.
    """
    down, across = (max(1, round(side / cell)) for side in (height, width))
    if down * across > most:
        scale = math.sqrt(height * width / (most * cell * cell))
        down, across = (max(1, int(side / scale / cell)) for side in (height, width))
        down, across = min(down, most), min(across, most)
    elif down * across < least:
        scale = math.sqrt(least * cell * cell / (height * width))
        down, across = (math.ceil(side * scale / cell) for side in (height, width))
    return down * cell, across * cell


@dataclass(frozen=True)
class Stretched(Fit):
    """An image that fills its picture: each axis with its own scale.

    Parameters
    ----------
    rows, columns
        Of the image.
    height, width
        Of the picture.
    mirrored
        The image is turned left to right on its way in.
    """

    rows: int
    columns: int
    height: int
    width: int
    mirrored: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        return self.height, self.width

    def scale(self) -> tuple[float, float]:
        """Return picture pixels per image column and row."""
        return self.width / self.columns, self.height / self.rows

    def start(self) -> tuple[float, float]:
        """Return where the image begins in the picture."""
        return 0.0, 0.0
