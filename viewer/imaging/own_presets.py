"""Window presets as a person has set them, over those of `resources/presets`."""

from __future__ import annotations

from collections.abc import Mapping

from viewer.imaging.grey import presets
from viewer.imaging.study import WindowPreset

OwnPresets = Mapping[str, Mapping[str, WindowPreset | None]]
"""By modality and key; none: no preset under this key."""


class PresetTable:
    """The presets in force: one person at a time sits at this machine."""

    def __init__(self) -> None:
        self._own: OwnPresets = {}

    def change(self, own: OwnPresets) -> None:
        """Take what a person has set; every other key chooses what it does by default."""
        self._own = own

    def of(self, modality: str) -> dict[str, WindowPreset]:
        """Return the presets of a modality by their key, in the order of the keys."""
        found: dict[str, WindowPreset | None] = {**presets(modality), **self._own.get(modality, {})}
        return {key: preset for key, preset in sorted(found.items()) if preset is not None}


PRESETS = PresetTable()
"""The presets of this process."""
