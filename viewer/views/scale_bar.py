"""Length of the scale bar: a round number of centimetres, or of pixels without calibration. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SHARE = 0.2
"""The bar takes at most this share of the viewport's height."""

SMALLEST_MM = 1.0
"""Below this a bar counts micrometres."""

STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class ScaleBar:
    """A bar of `length` widget pixels and the words beside it ("5 cm", "100 px")."""

    length: float
    text: str


def scale_bar(*, scale: float, column_spacing: float | None, height: float) -> ScaleBar | None:
    """Choose the longest round bar that fits.

    Parameters
    ----------
    scale
        Widget pixels for one image column.
    column_spacing
        Millimetres at the patient between columns; none when the image is not calibrated at the
        patient (PS3.3 10.7.1), and the bar then counts image pixels.
    height
        Height of the viewport in widget pixels.
    """
    unit = scale if column_spacing is None else scale / column_spacing
    longest = height * LONGEST_SHARE / unit
    rounds = [step * 10.0**power for power in range(-4, 6) for step in STEPS]
    fitting = [value for value in rounds if value <= longest]
    if not fitting or (column_spacing is None and fitting[-1] < 1):
        return None
    value = fitting[-1]
    if column_spacing is None:
        text = f"{value:.0f} px"
    elif value >= 10:
        text = f"{value / 10:g} cm"
    elif value < SMALLEST_MM:
        text = f"{1000 * value:g} \u00b5m"
    else:
        text = f"{value:g} mm"
    return ScaleBar(length=value * unit, text=text)
