"""Boxes go from an image into every convention and come back: geometry, numbers, text, grammar."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from inference.models.boxes import MOST_BOXES, BoxError, BoxFormat, Named, box_formats
from inference.models.letterbox import Box
from inference.models.preparation import PicturePlan, sides_in_cells
from inference.models.profiles import PROFILES

SEEING = [name for name, profile in PROFILES.items() if profile.boxes]

sides = st.integers(40, 3000)
images = st.tuples(sides, sides, st.sampled_from([1.0, 0.7, 2.5]))
boxes = st.tuples(*[st.floats(0, 1)] * 4)


def a_box(rows: int, columns: int, shares: tuple[float, ...]) -> Box:
    """A box of an image, in its pixels."""
    x0, x1 = sorted((shares[0], shares[2]))
    y0, y1 = sorted((shares[1], shares[3]))
    return (x0 * columns - 0.5, y0 * rows - 0.5, x1 * columns - 0.5, y1 * rows - 0.5)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(SEEING), image=images, mirrored=st.booleans(), shares=boxes)
def test_a_box_comes_back_through_every_profile(
    name: str, image: tuple[int, int, float], mirrored: bool, shares: tuple[float, ...]
) -> None:
    """The geometry alone is exact; through the text, within half a pixel or half a step of it."""
    rows, columns, aspect = image
    profile = PROFILES[name]
    assert profile.picture is not None
    assert profile.box_format is not None
    assume(max(rows * aspect, columns) / min(rows * aspect, columns) < 20)
    fit = profile.picture.prepare(rows, columns, aspect=aspect, mirrored=mirrored)
    box = a_box(rows, columns, shares)
    share = fit.to_share(box)
    assert np.allclose(fit.to_image(share), box, atol=1e-6)
    text = profile.box_format.write([Named("nodule", share)], size=fit.shape)
    (found,) = profile.box_format.parse(text, size=fit.shape)
    assert found.label == "nodule"
    back = fit.to_image(found.box)
    steps = profile.box_format.step(fit.shape)
    (x, y), (height, width) = fit.scale(), fit.shape
    pixels = (steps[0] * width / x, steps[1] * height / y)
    for side, value in enumerate(back):
        # The last place of the 128 is the 127th: it stands for the edge too.
        slack = pixels[side % 2] if profile.box_format.largest else max(0.5, pixels[side % 2] / 2)
        assert abs(value - box[side]) <= slack + 1e-6


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(box_formats())), shares=boxes, height=sides, width=sides)
def test_every_convention_reads_what_it_writes(
    name: str, shares: tuple[float, ...], height: int, width: int
) -> None:
    form = box_formats()[name]
    box = (*map(min, shares[:2], shares[2:]), *map(max, shares[:2], shares[2:]))
    once = form.parse(
        form.write([Named("left lung", box)] * 2, size=(height, width)), size=(height, width)
    )
    twice = form.parse(form.write(once, size=(height, width)), size=(height, width))
    assert len(once) == 2
    assert twice == once


@pytest.mark.parametrize(
    ("name", "text", "box"),
    [
        ("medgemma", '[{"box_2d":[100,200,300,400],"label":"heart"}]', (0.2, 0.1, 0.4, 0.3)),
        ("medgemma", '```\n[{ "box_2d" : [100,200, 300,400],\n"label":"heart"}]', (0.2, 0.1, 0.4, 0.3)),
        ("qwen25vl", '[{"bbox_2d": [80, 40, 160, 120], "label": "heart"}]', (0.1, 0.1, 0.2, 0.3)),
        ("qwen3vl", '[{"bbox_2d": [200, 100, 400, 300], "label": "heart"}]', (0.2, 0.1, 0.4, 0.3)),
        ("medrega", "<ref>heart</ref><box>[[0, 0, 999, 999]]</box>", (0.0, 0.0, 1.0, 1.0)),
        ("chexagent", "<|ref|>heart<|/ref|><|box|>(20,10),(40,30)<|/box|>", (0.2, 0.1, 0.4, 0.3)),
        ("maira2", "<obj>heart<box><x20><y10><x40><y30></box></obj>", (0.205, 0.105, 0.405, 0.305)),
        ("qwen3vl", '[{"bbox_2d": [400, 300, 200, 100], "label": "heart"}]', (0.2, 0.1, 0.4, 0.3)),
    ],
)  # fmt: skip
def test_the_answers_of_the_families_are_read(name: str, text: str, box: Box) -> None:
    (found,) = box_formats()[name].parse(text, size=(400, 800))
    assert found.label == "heart"
    assert np.allclose(found.box, box)


def test_what_is_out_of_range_or_no_box_is_not_taken() -> None:
    form = box_formats()["medgemma"]
    with pytest.raises(BoxError, match="outside of the range"):
        form.parse('[{"box_2d": [0, 0, 1001, 10], "label": "x"}]', size=(10, 10))
    assert form.parse("The heart is at the left.", size=(10, 10)) == ()
    assert form.parse('[{"box_2d": [0, 0, 10], "label": "x"}]', size=(10, 10)) == ()
    many = form.write([Named("x", (0, 0, 1, 1))] * (MOST_BOXES + 1), size=(10, 10))
    with pytest.raises(BoxError, match="more than"):
        form.parse(many, size=(10, 10))
    with pytest.raises(BoxError, match="label"):
        form.write([Named('x", "y', (0, 0, 1, 1))], size=(10, 10))


def numbers_of(form: BoxFormat, size: tuple[int, int]) -> re.Pattern[str]:
    """A grammar's number rules as a pattern."""
    rules = [
        line.split(" ::= ")[1] for line in form.grammar(["x"], size=size).splitlines() if line[0] == "n"
    ]
    return re.compile(
        "|".join(
            f"(?:{rule.replace(' | ', '|').replace(' ', '').replace(chr(34), '')})" for rule in rules
        )
    )


@pytest.mark.parametrize("name", sorted(box_formats()))
def test_a_grammar_allows_just_the_numbers_of_its_convention(name: str) -> None:
    form, size = box_formats()[name], (812, 812)
    pattern = numbers_of(form, size)
    most = max(form.numbers((1.0, 1.0, 1.0, 1.0), size))
    allowed = [n for n in range(most + 200) if pattern.fullmatch(f"{n:0{form.digits}d}")]
    assert allowed == list(range(most + 1))


@settings(max_examples=100, deadline=None)
@given(height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_sides_are_whole_cells_within_the_limits(height: int, width: int) -> None:
    assume(max(height, width) / min(height, width) < 100)
    down, across = sides_in_cells(height, width, cell=28, least=1024, most=1280)
    assert down % 28 == across % 28 == 0
    assert 1024 <= down * across // 784 <= 1280 or max(height, width) / min(height, width) > 8


@pytest.mark.parametrize("name", SEEING)
def test_an_image_lies_where_its_boxes_say(name: str) -> None:
    """A bright block of an image is found in the prepared picture at the shares of its box."""
    plan = PROFILES[name].picture
    assert isinstance(plan, PicturePlan)
    grey = np.zeros((300, 500), np.uint8)
    grey[60:180, 100:250] = 255
    fit = plan.prepare(300, 500)
    picture = fit.apply(grey)
    assert picture.shape == fit.shape
    rows, columns = np.nonzero(picture > 127)
    height, width = fit.shape
    last = (columns.max() + 1) / width, (rows.max() + 1) / height
    seen = (columns.min() / width, rows.min() / height, *last)
    assert np.allclose(seen, fit.to_share((99.5, 59.5, 249.5, 179.5)), atol=1.01 / min(fit.shape))
