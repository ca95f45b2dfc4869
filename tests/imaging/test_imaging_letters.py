"""Orientation letters come from the render matrix: analytic for each plane, turn and flip."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from viewer.imaging.geometry import ImagePlane
from viewer.imaging.letters import EdgeLetters, direction_letters, edge_letters, named_letters
from viewer.views.viewport_state import ImageSize, ViewportState, render_matrix

IMAGE = ImageSize(columns=96, rows=64)
AXES = {
    # plane: (row cosines, column cosines), letters (left, top, right, bottom) as it comes
    "axial": (((1, 0, 0), (0, 1, 0)), "RALP"),
    "coronal": (((1, 0, 0), (0, 0, -1)), "RHLF"),
    "sagittal": (((0, 1, 0), (0, 0, -1)), "AHPF"),
    "axial, prone feet first": (((-1, 0, 0), (0, -1, 0)), "LPRA"),
}


def plane(axes: tuple[tuple[float, ...], tuple[float, ...]]) -> ImagePlane:
    return ImagePlane(
        position=(0.0, 0.0, 0.0),
        row_cosines=axes[0],
        column_cosines=axes[1],
        row_spacing=0.7,
        column_spacing=1.3,
    )


def clockwise(letters: EdgeLetters) -> str:
    return letters.left + letters.top + letters.right + letters.bottom


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize(("turns", "mirrored"), itertools.product(range(4), (False, True)))
def test_letters_under_every_turn_and_flip(name: str, turns: int, mirrored: bool) -> None:
    axes, expected = AXES[name]
    # A clockwise quarter turn moves each letter on by one edge; a mirror swaps left and right.
    expected = expected[-turns:] + expected[:-turns] if turns else expected
    if mirrored:
        expected = expected[2] + expected[1] + expected[0] + expected[3]
    state = ViewportState(quarter_turns=turns, mirrored=mirrored)
    letters = edge_letters(plane(axes), render_matrix(state, IMAGE, 300, 200))
    assert letters is not None
    assert clockwise(letters) == expected


def test_no_letters_without_an_orientation() -> None:
    assert edge_letters(None, render_matrix(ViewportState(), IMAGE, 300, 200)) is None


@pytest.mark.parametrize(("turns", "mirrored"), itertools.product(range(4), (False, True)))
def test_letters_of_a_projection_image_are_those_of_its_patient_orientation(
    turns: int, mirrored: bool
) -> None:
    expected = ["A", "HR", "P", "FL"]  # the right breast, mediolateral oblique
    expected = expected[-turns:] + expected[:-turns] if turns else expected
    if mirrored:
        expected = [expected[2], expected[1], expected[0], expected[3]]
    state = ViewportState(quarter_turns=turns, mirrored=mirrored)
    letters = named_letters(("P", "FL"), render_matrix(state, IMAGE, 300, 200))
    assert letters is not None
    assert [letters.left, letters.top, letters.right, letters.bottom] == expected


@pytest.mark.parametrize("words", [(), ("P",), ("P", ""), ("CD", "V"), ("PA", "F"), ("<b>", "F")])
def test_words_that_are_no_directions_give_no_letters(words: tuple[str, ...]) -> None:
    assert named_letters(words, render_matrix(ViewportState(), IMAGE, 300, 200)) is None


def test_oblique_directions_name_the_larger_part_first() -> None:
    angle = np.radians(30)
    assert direction_letters((np.cos(angle), np.sin(angle), 0)) == "LP"
    assert direction_letters((np.sin(angle), -np.cos(angle), 0)) == "AL"
    assert direction_letters((-0.6, -0.5, 0.4)) == "RAH"


def test_a_tilt_of_a_few_degrees_gets_no_second_letter() -> None:
    angle = np.radians(4)
    assert direction_letters((np.cos(angle), 0, np.sin(angle))) == "L"
