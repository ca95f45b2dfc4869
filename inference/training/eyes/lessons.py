"""Pictures as tensors: what the encoder's heads are to see, and the form that is to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from inference.models.look_form import (
    FORMS,
    KINDS,
    NO,
    PLACE_TOKENS,
    PLACES,
    SIDE_TOKENS,
    YES,
    Box,
    fill,
)
from inference.models.profiles import PROFILES
from inference.training.eyes.model import ORGANS, EyesShape, Heads
from inference.training.eyes.pictures import Picture
from inference.training.eyes.vocabulary import IMAGE_END, IMAGE_START
from inference.training.tokenizer import EOT, PAD

Tensor: TypeAlias = torch.Tensor

BLUR = 1.2
"""Positions by which a place may be missed: standard deviation of what is aimed at."""

KIND_WEIGHT, ANSWER_WEIGHT, PLACE_WEIGHT = 0.05, 2.0, 1.0
"""A kind stands in the form whatever is seen; whether it is there counts most."""


@dataclass(frozen=True)
class Lesson:
    """A batch of pictures with everything that is to be learnt from them.

    Parameters
    ----------
    outline
        (picture, patch, channel) coverage of findings and organs in the cells of each patch.
    kind, box
        (picture, token, kind) 1 where a finding lies, and (..., 4) its box as shares of the side.
    words, weights
        (picture, position) tokens behind the image, and how much each of them counts.
    places
        (picture, position) target position 0..127, or -1 for tokens that are no position.
    """

    pixels: Tensor
    outline: Tensor
    kind: Tensor
    box: Tensor
    words: Tensor
    weights: Tensor
    places: Tensor


class Teacher:
    """Makes lessons for one pair."""

    def __init__(self, tokenizer: Any, shape: EyesShape) -> None:
        self.shape = shape
        self._tokenizer = tokenizer
        profile = PROFILES["sightline"]
        self.before: list[int] = tokenizer.encode(profile.before + IMAGE_START).ids
        self._after = profile.after
        self.first_place: int = tokenizer.token_to_id(PLACE_TOKENS[0])
        weights = {YES: ANSWER_WEIGHT, NO: ANSWER_WEIGHT} | dict.fromkeys(SIDE_TOKENS, 1.0)
        self._weights = {tokenizer.token_to_id(word): weight for word, weight in weights.items()}

    def question(self, view: str) -> list[int]:
        """Return the tokens from the end of the image to the beginning of the answer."""
        ids: list[int] = self._tokenizer.encode(IMAGE_END + view + self._after).ids
        return ids

    def lesson(self, pictures: Sequence[Picture]) -> Lesson:
        """Return a batch."""
        outline, kind, box = zip(*(self._seen(one) for one in pictures), strict=True)
        written = [self._written(one) for one in pictures]
        length = max(len(words) for words, _ in written)
        words = torch.full((len(pictures), length), PAD)
        weights = torch.zeros(len(pictures), length)
        for row, (tokens, weight) in enumerate(written):
            words[row, : len(tokens)] = torch.tensor(tokens)
            weights[row, : len(weight)] = torch.tensor(weight)
        places = words - self.first_place
        places[(places < 0) | (places >= PLACES)] = -1
        return Lesson(
            torch.from_numpy(np.stack([one.pixels for one in pictures])),
            torch.from_numpy(np.stack(outline)),
            torch.from_numpy(np.stack(kind)),
            torch.from_numpy(np.stack(box)),
            words,
            weights,
            places,
        )

    def _seen(self, picture: Picture) -> tuple[npt.NDArray[np.float32], ...]:
        shape = self.shape
        cell = shape.patch // Heads.CELLS
        maps = np.zeros((len(KINDS) + ORGANS, shape.size, shape.size), dtype=np.float32)
        for name, mask in picture.masks.items():
            maps[KINDS.index(name)] = mask
        maps[len(KINDS) :] = picture.organs
        cells = maps.reshape(len(maps), shape.size // cell, cell, shape.size // cell, cell).mean((2, 4))
        grid, side = shape.grid, Heads.CELLS
        outline = cells.reshape(len(maps), grid, side, grid, side).transpose(1, 3, 0, 2, 4)
        merged = shape.grid // shape.merge
        token = shape.size // merged
        share = maps[: len(KINDS)].reshape(-1, merged, token, merged, token).mean((2, 4))
        kind = np.zeros((merged * merged, len(KINDS)), dtype=np.float32)
        box = np.zeros((merged * merged, len(KINDS), 4), dtype=np.float32)
        for one in picture.findings:
            number = KINDS.index(one.kind)
            covered = share[number].reshape(-1)
            kind[covered >= min(0.15, 0.7 * float(covered.max())), number] = 1
            box[:, number] = np.array(one.box) / shape.size
        return outline.reshape(grid * grid, -1), kind, box

    def _written(self, picture: Picture) -> tuple[list[int], list[float]]:
        question = self.question(picture.view.value)
        answer = self._tokenizer.encode(form_of(picture)).ids
        weights = [
            PLACE_WEIGHT
            if self.first_place <= token < self.first_place + PLACES
            else self._weights.get(token, KIND_WEIGHT)
            for token in answer
        ]
        return [*question, *answer, EOT], [*([0.0] * len(question)), *weights, KIND_WEIGHT]


def form_of(picture: Picture) -> str:
    """Return the form that is right for a picture."""
    size = picture.pixels.shape[0]
    lines = []
    for kind in FORMS[picture.view.value]:
        one = picture.finding(kind)
        found: tuple[str, Box] | None = None
        if one is not None:
            x0, y0, x1, y1 = (value / size for value in one.box)
            found = (one.side, (x0, y0, x1, y1))
        lines.append(fill(kind, found))
    return "".join(lines)
