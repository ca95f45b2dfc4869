"""The pictures that the eyes learn from: the same for the same number, with a truth that fits them."""

from __future__ import annotations

import numpy as np
import pytest

from inference.training.eyes.pictures import (
    DIFFICULTY,
    FROZEN,
    HELD_OUT_SEED,
    KINDS,
    SIZE,
    TRAINING_SEED,
    Picture,
    View,
    empty_picture,
    picture,
)


@pytest.fixture(scope="module")
def drawn() -> list[Picture]:
    return [picture(HELD_OUT_SEED, number) for number in range(60)]


def test_the_difficulty_is_the_one_that_was_frozen_before_training() -> None:
    assert DIFFICULTY.sha256() == FROZEN


def test_a_number_always_gives_the_same_picture_and_the_streams_differ(drawn: list[Picture]) -> None:
    again = picture(HELD_OUT_SEED, 7)
    assert np.array_equal(again.pixels, drawn[7].pixels)
    assert again.findings == drawn[7].findings
    assert not np.array_equal(picture(TRAINING_SEED, 7).pixels, drawn[7].pixels)


def test_the_drawing_itself_is_the_frozen_one(drawn: list[Picture]) -> None:
    # Ranges alone do not fix a drawing: its mean grey does, up to the last bit of a Fourier transform.
    means = [float(one.pixels.mean()) for one in drawn[:4]]
    assert means == pytest.approx(MEANS, abs=0.05)


MEANS = [106.208, 99.081, 113.248, 89.035]


def test_every_view_and_kind_is_drawn(drawn: list[Picture]) -> None:
    assert {one.view for one in drawn} == set(View)
    for view in View:
        kinds = {found.kind for one in drawn if one.view is view for found in one.findings}
        assert kinds <= set(KINDS[view])
    assert len({found.kind for one in drawn for found in one.findings}) == 9


def test_boxes_hold_their_finding_and_sides_are_the_patients(drawn: list[Picture]) -> None:
    for one in drawn:
        for found in one.findings:
            x0, y0, x1, y1 = found.box
            assert 0 <= x0 < x1 <= SIZE
            assert 0 <= y0 < y1 <= SIZE
            mask = one.masks[found.kind] > 0.5
            assert mask.sum() == mask[int(y0) : int(y1), int(x0) : int(x1)].sum()
            if found.side != "central" and found.kind != "line":
                middle = float((np.nonzero(mask)[1]).mean())
                assert (middle < SIZE / 2) == (found.side == "right")


def test_a_finding_is_brighter_or_darker_than_what_lies_around_it() -> None:
    seen = 0
    for number in range(120):
        one = picture(HELD_OUT_SEED, number)
        found = one.finding("mass")
        if one.view is View.FILM and found is not None and len(one.findings) == 1:
            mask = one.masks["mass"]
            ring = (mask < 0.05) & (one.organs[0] + one.organs[1] > 0.9)
            assert one.pixels[mask > 0.8].mean() > one.pixels[ring].mean() + 15
            seen += 1
    assert seen >= 3


def test_empty_pictures_hold_nothing_and_come_in_every_view() -> None:
    empty = [empty_picture(TRAINING_SEED, number) for number in range(40)]
    assert {one.view for one in empty} == set(View)
    assert not any(one.findings or one.masks for one in empty)
    assert any(one.pixels.std() < 0.1 for one in empty)
    assert any(one.pixels.std() > 5 for one in empty)
