"""Each measure has one printed form."""

from __future__ import annotations

import pytest

from inference.evidence.quantities import MEASURES, quantity


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("volume", 2.8149, "2.81 L"),
        ("mean_density", -823.4, "\u2212823 HU"),
        ("mean_density", -0.3, "0 HU"),
        ("laa950", 7.04, "7.0 %"),
        ("long", 12.44, "12.4 mm"),
        ("area", 201.06, "201 mm²"),
        ("slice_thickness", 5.0, "5 mm"),
        ("slice_thickness", 0.625, "0.625 mm"),
        ("slice_spacing", 2.9999999, "3 mm"),
        ("kvp", 120.0, "120 kV"),
        ("images", 60, "60"),
    ],
)
def test_rounding_by_measure(name: str, value: float, text: str) -> None:
    written = quantity(name, value)
    assert written.text == text
    assert written.value == value
    assert written.unit == MEASURES[name].unit
