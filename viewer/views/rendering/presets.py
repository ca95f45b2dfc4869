"""Presets of volume rendering, from `resources/presets/rendering.json`, and what is shown with one.

Numbers of a preset stand on one of three scales: modality values (HU), SUV, or the share of the range
that the values of the volume fill. `Look` puts them into the volume's modality values. No Qt, no VTK.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import resources
from viewer.imaging.study import Series
from viewer.imaging.suv import SuvRefusal, suv_scale

Points = tuple[tuple[float, float], ...]
"""(value, opacity) in rising order."""

Colours = tuple[tuple[float, float, float, float], ...]
"""(value, red, green, blue), colours from 0 to 1."""

FULL_SUV = 10.0
"""The SUV that the highest values stand for where the headers give no SUV."""

NARROWEST = 0.02
"""Narrowest that a window may be dragged, in widths of the preset."""

WIDEST = 20.0


class Scale(StrEnum):
    """What the numbers of a preset mean."""

    VALUE = "value"
    SHARE = "share"
    SUV = "suv"


class Mode(StrEnum):
    """How a ray becomes a pixel."""

    RENDER = "render"
    MIP = "mip"


@dataclass(frozen=True)
class RenderPreset:
    """How values are drawn.

    Parameters
    ----------
    modalities
        Those it is offered for; empty for all that have none of their own.
    gradient
        (change of the value per voxel, factor of the opacity).
    light
        Ambient, diffuse, specular and the power of the specular.
    mip
        Values drawn black and white in a projection.
    inverse
        Whether a projection is drawn black on white.
    """

    name: str
    text: str
    modalities: tuple[str, ...]
    scale: Scale
    opacity: Points
    colour: Colours
    gradient: Points
    light: tuple[float, float, float, float]
    mip: tuple[float, float]
    mode: Mode = Mode.RENDER
    inverse: bool = False


@cache
def render_presets() -> tuple[RenderPreset, ...]:
    """Return all presets in the order in which menus show them."""
    table = resources.table("presets", "rendering.json")
    return tuple(
        RenderPreset(
            name=row["name"],
            text=row["text"],
            modalities=tuple(row["modalities"]),
            scale=Scale(row["scale"]),
            opacity=tuple((float(value), float(part)) for value, part in row["opacity"]),
            colour=tuple((float(v), float(r), float(g), float(b)) for v, r, g, b in row["colour"]),
            gradient=tuple((float(value), float(part)) for value, part in row["gradient"]),
            light=tuple(float(part) for part in row["light"]),
            mip=(float(row["mip"][0]), float(row["mip"][1])),
            mode=Mode(row.get("mode", Mode.RENDER)),
            inverse=bool(row.get("inverse", False)),
        )
        for row in table
    )


def presets_for(modality: str) -> tuple[RenderPreset, ...]:
    """Return the presets offered for a modality, the default first."""
    own = tuple(preset for preset in render_presets() if modality in preset.modalities)
    return own or tuple(preset for preset in render_presets() if not preset.modalities)


@dataclass(frozen=True)
class ValueScale:
    """What one unit of a preset is in modality values: value = number * `unit` + `zero`.

    Parameters
    ----------
    name
        The unit as readers write it ("HU", "SUVbw"), empty for shares.
    """

    unit: float = 1.0
    zero: float = 0.0
    name: str = ""


def value_scale(preset: RenderPreset, series: Series, low: float, high: float) -> ValueScale:
    """Return the scale of a preset for a volume.

    Parameters
    ----------
    low, high
        Modality values between which nearly all values of the volume lie.
    """
    if preset.scale is Scale.VALUE:
        return ValueScale(name="HU" if series.modality == "CT" else "")
    if preset.scale is Scale.SUV:
        found = suv_scale(series)
        if not isinstance(found, SuvRefusal):
            return ValueScale(unit=1.0 / found.factor, name=found.kind)
        return ValueScale(unit=max(high, 1e-9) / FULL_SUV)
    return ValueScale(unit=max(high - low, 1e-9), zero=low)


@dataclass(frozen=True)
class Look:
    """A preset on a volume, moved and stretched by the reader.

    Parameters
    ----------
    shift
        Added to all numbers of the preset, in its own scale.
    stretch
        Factor of their distance to the middle of its window.
    """

    preset: RenderPreset
    scale: ValueScale
    mode: Mode
    shift: float = 0.0
    stretch: float = 1.0

    def window(self) -> tuple[float, float]:
        """Return the numbers between which something changes, in the scale of the preset."""
        low, high = self._span()
        return self._moved(low), self._moved(high)

    def _span(self) -> tuple[float, float]:
        if self.mode is Mode.MIP:
            return self.preset.mip
        points = self.preset.opacity
        return points[0][0], points[-2][0]

    def _moved(self, number: float) -> float:
        low, high = self._span()
        middle = (low + high) / 2
        return middle + self.shift + (number - middle) * self.stretch

    def _value(self, number: float) -> float:
        return self._moved(number) * self.scale.unit + self.scale.zero

    def opacity(self) -> Points:
        """Return opacity over modality values."""
        if self.mode is Mode.MIP:
            low, high = self.preset.mip
            return (self._value(low), 1.0), (self._value(high), 1.0)
        return tuple((self._value(number), part) for number, part in self.preset.opacity)

    def colours(self) -> Colours:
        """Return colours over modality values; grey in a projection."""
        if self.mode is Mode.MIP:
            low, high = self.preset.mip
            first = 1.0 if self.preset.inverse else 0.0
            last = 1.0 - first
            return (self._value(low), first, first, first), (self._value(high), last, last, last)
        return tuple((self._value(number), r, g, b) for number, r, g, b in self.preset.colour)

    def gradient(self) -> Points:
        """Return the factor of the opacity over the change of the modality value per voxel."""
        return tuple(
            (number * self.scale.unit * self.stretch, part) for number, part in self.preset.gradient
        )

    @property
    def white_ground(self) -> bool:
        """Whether nothing is white."""
        return self.mode is Mode.MIP and self.preset.inverse

    def dragged(self, across: float, up: float) -> Look:
        """Return the look after a window drag, in shares of the view: across widens, up darkens."""
        low, high = self._span()
        stretch = min(max(self.stretch * 4.0**across, NARROWEST), WIDEST)
        shift = self.shift + up * (high - low)
        return Look(self.preset, self.scale, self.mode, shift, stretch)

    def in_mode(self, mode: Mode) -> Look:
        """Return the same preset drawn in another way, its window as it was made."""
        return Look(self.preset, self.scale, mode)
