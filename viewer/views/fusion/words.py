"""What fusion says on the screen."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from viewer.imaging.fusion import OverVolume
from viewer.imaging.spaces import SPACES
from viewer.imaging.study import Series
from viewer.views.corner_text import series_text, value_text

SUV_ANNOTATION = "{SUV"
"""How UCUM units of SUVs begin (CID 85)."""


def tr(text: str) -> str:
    """Translate a word of fusion."""
    return QCoreApplication.translate("Fusion", text)


def unit_word(over: OverVolume) -> str:
    """Return the unit of the values that are shown, as readers write it."""
    return value_text(0.0, over.unit).removeprefix("0 ")


def number_text(value: float, over: OverVolume) -> str:
    """Write a value as finely as its unit means: SUVs with a decimal, large numbers whole."""
    wide = over.look.high - over.look.low
    return f"{value:.1f}" if wide < 100 else f"{value:.0f}"


def shown_text(value: float | None, over: OverVolume) -> str:
    """Write the value of the upper series under the pointer; empty where there is none."""
    if value is None:
        return ""
    unit = unit_word(over)
    number = number_text(value, over).replace("-", "\u2212")
    return f"{unit} {number}" if over.unit.startswith(SUV_ANNOTATION) else f"{number} {unit}"


def over_text(over: OverVolume, opacity: float) -> str:
    """Name the upper series and how much of it is seen."""
    words = tr("over it {series}, {percent} %")
    return words.format(series=series_text(over.series, None), percent=f"{100 * opacity:.0f}")


def joined_text(base: Series, over: Series) -> str:
    """Say who vouches for how two series lie to each other; empty in one frame of reference."""
    joined = SPACES.between(base.frame_of_reference_uid, over.frame_of_reference_uid)
    if joined is None or joined.registration is None:
        return ""
    return tr("registered, confirmed by {name}").format(name=joined.registration.confirmed_by)
