"""Window presets as a person has set them, over those of `resources/presets`.

A preset of the table is a window in the modality's unit, a range of SUVs, or a change of the window
that the image brings: values of MR and radiographs have no unit that means the same on two machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import resources
from viewer.imaging.grey import presets
from viewer.imaging.study import Series, WindowPreset
from viewer.imaging.suv import SuvScale, suv_scale

OwnPresets = Mapping[str, Mapping[str, WindowPreset | None]]
"""By modality and key; none: no preset under this key."""

ANY: Final = "*"
"""Modalities without rows of their own."""


class PresetTable:
    """The presets in force: one person at a time sits at this machine."""

    def __init__(self) -> None:
        self._own: OwnPresets = {}

    def change(self, own: OwnPresets) -> None:
        """Take what a person has set; every other key chooses what it does by default."""
        self._own = own

    def of(self, modality: str) -> dict[str, WindowPreset]:
        """Return the presets of a modality that are windows, in the order of their keys."""
        found: dict[str, WindowPreset | None] = {**presets(modality), **self._own.get(modality, {})}
        return {key: preset for key, preset in sorted(found.items()) if preset is not None}

    def named(self, modality: str) -> dict[str, str]:
        """Return the names of all presets that a modality has by default, by their keys."""
        return {row["key"]: row["explanation"] for row in _rows(modality)}

    def fitting(self, series: Series, brought: WindowPreset | None) -> dict[str, WindowPreset]:
        """Return the presets of an image, by their keys.

        Parameters
        ----------
        brought
            The window with which the image comes up.
        """
        found: dict[str, WindowPreset | None] = {}
        scale = suv_scale(series) if series.modality == "PT" else None
        # without SUVs a PET image is shown by the counts that it has
        counts = series.modality == "PT" and not isinstance(scale, SuvScale)
        for row in _rows(ANY if counts else series.modality):
            if "suv" in row and isinstance(scale, SuvScale):
                found[row["key"]] = _of_suv(row, scale)
            elif "of_own" in row and brought is not None and brought.table is None:
                found[row["key"]] = _of_brought(row, brought)
        found |= presets(series.modality) | dict(self._own.get(series.modality, {}))
        return {key: preset for key, preset in sorted(found.items()) if preset is not None}


def _rows(modality: str) -> list[dict[str, Any]]:
    table = resources.table("presets", "windows.json")
    rows: list[dict[str, Any]] = table.get(modality, table[ANY])
    return rows


def _of_suv(row: dict[str, Any], scale: SuvScale) -> WindowPreset:
    low, high = (float(end) / scale.factor for end in row["suv"])
    return WindowPreset(
        center=(low + high) / 2.0,
        width=high - low,
        explanation=row["explanation"],
        function="LINEAR_EXACT",
    )


def _of_brought(row: dict[str, Any], brought: WindowPreset) -> WindowPreset:
    change = row["of_own"]
    return WindowPreset(
        center=brought.center + change["shift"] * brought.width,
        width=brought.width * change["width"],
        explanation=row["explanation"],
        function=brought.function,
    )


PRESETS = PresetTable()
"""The presets of this process."""
