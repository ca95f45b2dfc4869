"""Marks read as a report would write them: digits that mean something, units, sources, refusals."""

from __future__ import annotations

import pytest
from marks_driver import make

from viewer.imaging.marks import (
    ANGLE,
    AREA,
    DEVIATION,
    LENGTH,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    Concept,
    MarkKind,
    MarkValue,
)
from viewer.imaging.volume import ImageStack
from viewer.views.marks.words import label_lines, number_words, refusal_lines, spoken_words, value_words


def value(
    concept: Concept, number: float, unit: str, uncertainty: float | None = None, source: str = ""
) -> MarkValue:
    return MarkValue(
        concept=concept,
        label=concept.meaning,
        value=number,
        unit=unit,
        uncertainty=uncertainty,
        source=source,
    )


@pytest.mark.parametrize(
    ("number", "uncertainty", "words"),
    [
        (12.34, 0.53, "12.3 \u00b1 0.5"),
        (12.345, 0.053, "12.35 \u00b1 0.05"),
        (1234.5, 12.0, "1234 \u00b1 12"),
        (-513.86, None, "\u2212513.9"),
        (1024.0, None, "1024"),
        (1.8312, None, "1.83"),
        (0.0412, None, "0.041"),
    ],
)
def test_a_number_has_the_digits_that_its_uncertainty_leaves(
    number: float, uncertainty: float | None, words: str
) -> None:
    assert number_words(number, uncertainty) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (value(LENGTH, 12.3, "mm", 0.5, "PixelSpacing"), "12.3 \u00b1 0.5 mm"),
        (value(LENGTH, 12.3, "mm", 0.5, "at detector"), "12.3 \u00b1 0.5 mm at detector"),
        (
            value(LENGTH, 12.3, "{pixel}", 0.7, "not calibrated: in pixels"),
            "12.3 \u00b1 0.7 px not calibrated",
        ),
        (value(ANGLE, 37.24, "deg", 0.8, "at detector"), "37.2 \u00b1 0.8\u00b0"),
        (
            value(AREA, 314.2, "mm2", 12.0, "ultrasound region"),
            "314 \u00b1 12 mm\u00b2 ultrasound region",
        ),
        (value(MEAN, 45.21, "[hnsf'U]"), "45.2 HU"),
        (value(MEAN, 3.214, "{SUVbw}g/ml"), "3.21 SUVbw"),
        (value(MEAN, 77.04, "1"), "77.0"),
    ],
)
def test_a_value_says_its_unit_and_a_source_that_does_not_go_without_saying(
    found: MarkValue, words: str
) -> None:
    assert value_words(found) == words


def test_an_area_says_its_name_values_and_size_in_three_lines(stack: ImageStack) -> None:
    hu = "[hnsf'U]"
    values = (
        value(AREA, 314.2, "mm2", 12.0, "PixelSpacing"),
        value(MEAN, 45.21, hu),
        value(DEVIATION, 12.34, hu),
        value(MINIMUM, -20.0, hu),
        value(MAXIMUM, 90.0, hu),
        value(MEDIAN, 44.0, hu),
    )
    found = make(stack, MarkKind.RECTANGLE, (1, 2), (9, 8), name="T1", values=values)
    lines = label_lines(found)
    assert lines[0] == "T1"
    assert lines[1] == "Mean 45.2  Standard Deviation 12.3 HU"
    assert lines[2] == "Minimum \u221220  Maximum 90  Median 44 HU"
    assert lines[3] == "Area 314 \u00b1 12 mm\u00b2"
    assert spoken_words(found).startswith("T1, Mean 45.2")


def test_a_refusal_is_told_in_short_lines(stack: ImageStack) -> None:
    words = (
        "A point lies outside the calibrated regions of this ultrasound picture: measure inside one."
    )
    found = make(stack, MarkKind.LENGTH, (1, 2), (9, 8), refusal=words)
    lines = refusal_lines(found)
    assert " ".join(lines) == words and max(map(len, lines)) <= 52
    assert label_lines(found) == [] and spoken_words(found) == words
