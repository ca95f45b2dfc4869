"""How a mark reads: values with unit and uncertainty, where the calibration is from, refusals."""

from __future__ import annotations

import re
from textwrap import wrap

from PySide6.QtCore import QCoreApplication

from viewer.imaging.marks import (
    AREA,
    DEVIATION,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    Concept,
    Mark,
    MarkValue,
)
from viewer.imaging.measure import UNCALIBRATED
from viewer.views.corner_text import printed_name, signed

UNIT_WORDS = {
    "[hnsf'U]": "HU",
    "mm2": "mm\u00b2",
    "deg": "\u00b0",
    "{pixel}": "px",
    "{pixel}2": "px\u00b2",
    "1": "",
}
"""How readers write a UCUM unit, where that differs from its code."""

ORDINARY = "PixelSpacing"
"""The source of calibration that goes without saying."""

REFUSAL_WIDTH = 52
"""Characters of a line of a refusal beside its mark."""

LINES: tuple[tuple[Concept, ...], ...] = ((MEAN, DEVIATION), (MINIMUM, MAXIMUM, MEDIAN))
"""Values of pixels that share a line, with their unit at its end."""


def tr(text: str) -> str:
    """Translate words of a mark."""
    return QCoreApplication.translate("Marks", text)


def unit_words(unit: str) -> str:
    """Write a UCUM unit as readers do."""
    uptake = re.match(r"\{(SUV\w+)\}", unit)
    return uptake[1] if uptake else UNIT_WORDS.get(unit, unit)


def number_words(value: float, uncertainty: float | None = None) -> str:
    """Write a number with the digits that mean something."""
    if uncertainty is not None and uncertainty > 0.0:
        digits = (
            0 if uncertainty >= 10 else 1 if uncertainty >= 0.1 else 2 if uncertainty >= 0.01 else 3
        )
        return f"{signed(value, digits)} \u00b1 {uncertainty:.{digits}f}"
    size = abs(value)
    digits = 0 if value == int(value) or size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3
    return signed(value, digits)


def value_words(value: MarkValue) -> str:
    """Write a value with uncertainty, unit and, where it does not go without saying, its source."""
    unit = unit_words(value.unit)
    space = "" if unit == "\u00b0" else " "
    words = f"{number_words(value.value, value.uncertainty)}{space}{unit}".rstrip()
    if value.uncertainty is None or value.source == ORDINARY or value.unit == "deg":
        # an angle is the same at the detector and in the patient
        return words
    source = tr("not calibrated") if value.source == UNCALIBRATED else tr(value.source)
    return f"{words} {source}" if source else words


def label_lines(mark: Mark) -> list[str]:
    """Return the lines beside a mark: its name, what it measured, and the reason of a refusal."""
    lines = [mark.name] if mark.name else []
    by_concept = {value.concept: value for value in mark.values}
    for concepts in LINES:
        found = [by_concept[one] for one in concepts if one in by_concept]
        if found:
            numbers = "  ".join(f"{tr(one.label)} {number_words(one.value)}" for one in found)
            lines.append(f"{numbers} {unit_words(found[0].unit)}".rstrip())
    shared = {one for concepts in LINES for one in concepts}
    sizes = [value for value in mark.values if value.concept not in shared]
    for value in sizes:
        named = len(sizes) > 1 or value.concept == AREA
        words = value_words(value)
        lines.append(f"{tr(value.label)} {words}" if named else words)
    if not mark.is_own and mark.author:
        lines.append(printed_name(mark.author))
    return lines


def refusal_lines(mark: Mark) -> list[str]:
    """Return the reason why something was not measured, in short lines."""
    return wrap(tr(mark.refusal), REFUSAL_WIDTH) if mark.refusal else []


def spoken_words(mark: Mark) -> str:
    """Return a mark in one line, for lists, messages and assistive technology."""
    return ", ".join((*label_lines(mark), *([tr(mark.refusal)] if mark.refusal else []))) or mark.text
