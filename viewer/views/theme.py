"""The tokens of the theme as Qt colours, fonts and lengths, multiplied by one scale factor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from PySide6.QtGui import QColor, QFont, QFontDatabase

import resources


@cache
def _tokens() -> dict[str, Any]:
    tokens: dict[str, Any] = resources.table("theme", "tokens.json")
    return tokens


@cache
def load_fonts() -> tuple[str, ...]:
    """Register the bundled fonts with the application, once; return their families."""
    families: list[str] = []
    for name in _tokens()["type"]["files"]:
        number = QFontDatabase.addApplicationFont(str(resources.path("fonts", name)))
        families += QFontDatabase.applicationFontFamilies(number)
    return tuple(families)


@cache
def _colour(token: str, white: bool) -> QColor:
    colours = _tokens()["colour"]
    return QColor(_tokens()["on-white"].get(token, colours[token]) if white else colours[token])


@cache
def _font(step: str, pixels: int) -> QFont:
    load_fonts()
    type_ = _tokens()["type"]
    font = QFont(type_["family"])
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight(type_["steps"][step]["weight"]))
    for feature, state in type_["features"].items():
        font.setFeature(QFont.Tag(feature), state)
    return font


@dataclass(frozen=True)
class Theme:
    """Look of the program at one scale.

    Parameters
    ----------
    scale
        Text and space factor chosen by the reader, 0.85 to 2; HiDPI is Qt's own and not in here.
    white
        Whether colours are those of things drawn on white: a projection of PET.
    """

    scale: float = 1.0
    white: bool = False

    def colour(self, token: str) -> QColor:
        """Return a colour by its token ("evidence", "text-2"); do not change it."""
        return _colour(token, self.white)

    def on_white(self) -> Theme:
        """Return the same look for things drawn on white."""
        return replace(self, white=True)

    def px(self, length: float) -> int:
        """Scale a length in logical pixels to whole pixels; a line never vanishes."""
        return max(1, round(length * self.scale)) if length else 0

    def length(self, group: str, token: str) -> int:
        """Return a scaled length by its tokens ("row", "bar")."""
        return self.px(_tokens()[group][token])

    def value(self, group: str, token: str) -> float:
        """Return an unscaled number by its tokens ("viewport", "region-halo-opacity")."""
        return float(_tokens()[group][token])

    def font(self, step: str) -> QFont:
        """Return the font of a type step ("corner"), tabular figures on; do not change it."""
        return _font(step, self.px(_tokens()["type"]["steps"][step]["size"]))

    def line_height(self, step: str) -> int:
        """Return the scaled line height of a type step."""
        return self.px(_tokens()["type"]["steps"][step]["line"])
