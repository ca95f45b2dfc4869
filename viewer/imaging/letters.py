"""Orientation letters at the edges of an image, from the render matrix and the image plane. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from viewer.imaging.geometry import ImagePlane

FloatArray = npt.NDArray[np.float64]

LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Letter of the negative and positive end of the LPS axes (PS3.3 C.7.6.1.1.1, bipeds)."""

OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
"""The other end of a body axis."""

LEAST_COMPONENT = 0.1
"""A direction within about 6 degrees of a body axis gets no second letter for the rest."""


@dataclass(frozen=True)
class EdgeLetters:
    """The letter or letters at the four mid-edges of the viewport."""

    left: str
    right: str
    top: str
    bottom: str


def direction_letters(direction: npt.ArrayLike) -> str:
    """Name a patient direction (LPS): the main body axis first, then oblique parts by size."""
    vector = np.asarray(direction, dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        return ""
    vector = vector / length
    order = sorted(range(3), key=lambda axis: -abs(vector[axis]))
    return "".join(
        LETTERS[axis][int(vector[axis] > 0)] for axis in order if abs(vector[axis]) >= LEAST_COMPONENT
    )


def edge_letters(plane: ImagePlane | None, matrix: FloatArray) -> EdgeLetters | None:
    """Return the letters for an image drawn with a render matrix, or none without an orientation.

    Parameters
    ----------
    matrix
        3 x 3 affine from image points to widget points: flips and turns are in it.
    """
    if plane is None:
        return None
    along_row = np.asarray(plane.row_cosines) * plane.column_spacing
    along_column = np.asarray(plane.column_cosines) * plane.row_spacing
    return _letters(
        tuple(along_row.tolist()), tuple(along_column.tolist()), tuple(matrix[:2, :2].ravel().tolist())
    )


def named_letters(orientation: tuple[str, ...], matrix: FloatArray) -> EdgeLetters | None:
    """Return the letters of a projection image by its Patient Orientation, or none where it says none.

    Parameters
    ----------
    orientation
        Letters towards which rows and columns run ("P", "FL"; PS3.3 C.7.6.1.1.1).
    matrix
        3 x 3 affine from image points to widget points: flips and quarter turns are in it.
    """
    if len(orientation) != 2 or not all(_is_direction(word) for word in orientation):
        return None
    across = np.linalg.inv(matrix[:2, :2]).astype(np.float64)
    right, down = _towards(across[:, 0], orientation), _towards(across[:, 1], orientation)
    return EdgeLetters(left=_opposite(right), right=right, top=_opposite(down), bottom=down)


def _is_direction(word: str) -> bool:
    """Return whether a word is made of letters of different body axes."""
    axes = [next((axis for axis, ends in enumerate(LETTERS) if one in ends), None) for one in word]
    return bool(word) and None not in axes and len(set(axes)) == len(axes)


def _towards(step: FloatArray, orientation: tuple[str, ...]) -> str:
    """Return the word for a step in image points (columns, rows) along one of the two."""
    axis = int(abs(step[1]) > abs(step[0]))
    return orientation[axis] if step[axis] > 0 else _opposite(orientation[axis])


def _opposite(word: str) -> str:
    return "".join(OPPOSITE[letter] for letter in word)


@lru_cache(maxsize=64)
def _letters(
    along_row: tuple[float, ...], along_column: tuple[float, ...], linear: tuple[float, ...]
) -> EdgeLetters:
    """Return the letters for steps of one pixel in the patient (mm); images of a series share them."""
    across = np.linalg.inv(np.reshape(linear, (2, 2)))
    axes = np.stack([along_row, along_column], axis=1)
    right, down = axes @ across[:, 0], axes @ across[:, 1]
    return EdgeLetters(
        left=direction_letters(-right),
        right=direction_letters(right),
        top=direction_letters(-down),
        bottom=direction_letters(down),
    )
