"""The form that a model fills in is read as it was written, or not at all."""

from __future__ import annotations

import pytest

from inference.models.generation import Choice
from inference.models.look_form import FORMS, KINDS, FormError, chances, fill, grammar, place_of, read

TWO = ("nodule", "mass")
FILLED = fill("nodule", ("left", (0.1, 0.2, 0.3, 0.4))) + fill("mass", None)


def test_a_form_is_read_as_it_was_filled_in() -> None:
    (entry,) = read(FILLED, TWO)
    assert (entry.kind, entry.side) == ("nodule", "left")
    assert entry.box == pytest.approx((0.1, 0.2, 0.3, 0.4), abs=1 / 256)
    assert FILLED.startswith("<yes>", entry.start)


@pytest.mark.parametrize(
    "text",
    [
        "",
        FILLED[:-1],
        FILLED + "<mass><no>",
        fill("mass", None) + fill("nodule", None),
        "<nodule><yes><left><001><002><003><mass><no>",
        "<nodule><maybe><mass><no>",
    ],
)
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(FormError):
        read(text, TWO)


def test_corners_in_the_wrong_order_still_make_a_box() -> None:
    (entry,) = read("<nodule><yes><left><064><096><032><016><mass><no>", TWO)
    assert entry.box == (0.25, 0.125, 0.5, 0.75)


def test_positions_stay_on_the_picture() -> None:
    assert [place_of(share) for share in (-0.1, 0.0, 0.5, 1.0, 2.0)] == [0, 0, 64, 127, 127]


def test_chances_are_those_of_the_answers_and_of_no_other_choice() -> None:
    yes = FILLED.index("<yes>")
    choices = [
        Choice(yes, "<yes>", 0.7),
        Choice(yes + 5, "<left>", 0.9),
        Choice(len(FILLED) - 4, "<no>", 0.6),
    ]
    assert chances(FILLED, choices, TWO) == pytest.approx({"nodule": 0.7, "mass": 0.4})
    assert chances(FILLED, [], TWO) == {"nodule": 1.0, "mass": 0.0}


def test_every_form_asks_for_known_kinds_once_and_has_a_grammar() -> None:
    for kinds in FORMS.values():
        assert len(set(kinds)) == len(kinds)
        assert set(kinds) <= set(KINDS)
        assert grammar(kinds).count("answer") == len(kinds) + 1
