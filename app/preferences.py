"""What a person sets: keys, mouse, window presets, display; over what the machine's file sets. No Qt.

A file may be written by hand or by another version: each entry stands for itself, and one that
cannot be used is left out with a note instead of spoiling the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.files import write_private
from app.key_rules import conflicts, normal_key, why_refused
from viewer.acts import Act
from viewer.views.mouse import MOUSE_DEFAULTS, mouse_choices

MACHINE_FILE = "preferences.json"
"""Name of the machine's defaults in the home folder; the program reads it and never writes it."""

SCALE_FILE = "text-scale.json"
"""Name of the file in the home folder with the text scale chosen last: it is needed before sign-in."""

LARGEST_FILE = 1_000_000
"""Bytes; a file of preferences has some thousands."""

FORMAT = "sightline_preferences"
VERSION = 1

PRESET_DIGITS = "123456789"
OWN_PRESET = "9"
"""The digit that keeps the window of the moment (Shift+9)."""

_Made = TypeVar("_Made")

TEXT_SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


class PreferencesError(Exception):
    """A file of preferences cannot be used at all; the message says why in words."""


class Preset(BaseModel):
    """A grey-scale window under a digit: centre and width in the modality's unit."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=40)]
    centre: Annotated[float, Field(ge=-1e9, le=1e9)]
    width: Annotated[float, Field(gt=0, le=1e9)]


class Display(BaseModel):
    """How window and drafts show; none: as the machine, else as the program does it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    text_scale: Annotated[float, Field(ge=0.85, le=2.0)] | None = None
    """Factor of all text and space; from the next start on."""
    corner_text: bool | None = None
    """Text over the images when somebody signs in."""
    second_screen: bool | None = None
    """Images in a window of their own when a study opens."""
    draft_language: Literal["en", "zh-CN"] | None = None
    """Of drafted sentences and of the reader's normals, as `inference.drafting.templates.Language`."""
    draft_style: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """Name of the house style of drafts."""

    def over(self, base: Display) -> Display:
        """Return these choices, with those of `base` where none is made."""
        return base.model_copy(update=self.model_dump(exclude_none=True))


Keys = dict[str, tuple[str, ...]]
Mouse = dict[str, str]
Presets = dict[str, dict[str, Preset | None]]
"""By modality and digit; none: no preset under this digit."""


class Preferences(BaseModel):
    """Everything that was set, and nothing that was not."""

    model_config = ConfigDict(frozen=True)

    keys: Keys = {}
    """Keys of single acts by act name; an empty tuple takes the act's keys away."""
    mouse: Mouse = {}
    presets: Presets = {}
    display: Display = Display()

    def over(self, base: Preferences) -> Preferences:
        """Return these preferences on top of others: a person's on the machine's."""
        presets = {name: dict(rows) for name, rows in base.presets.items()}
        for name, rows in self.presets.items():
            presets[name] = {**presets.get(name, {}), **rows}
        return Preferences(
            keys={**base.keys, **self.keys},
            mouse={**base.mouse, **self.mouse},
            presets=presets,
            display=self.display.over(base.display),
        )

    def with_keys(self, changed: Mapping[str, tuple[str, ...]]) -> Preferences:
        """Return the preferences with other keys for some acts."""
        return self.model_copy(update={"keys": {**self.keys, **changed}})

    def without_keys(self, name: str) -> Preferences:
        """Return the preferences with an act's keys as they are without a person's choice."""
        kept = {other: keys for other, keys in self.keys.items() if other != name}
        return self.model_copy(update={"keys": kept})

    def with_mouse(self, wanted: str, value: str) -> Preferences:
        """Return the preferences with another meaning of a button or of the wheel."""
        return self.model_copy(update={"mouse": {**self.mouse, wanted: value}})

    def with_preset(self, modality: str, digit: str, preset: Preset | None) -> Preferences:
        """Return the preferences with another window under a digit; none leaves the digit empty."""
        rows = {**self.presets.get(modality, {}), digit: preset}
        return self.model_copy(update={"presets": {**self.presets, modality: rows}})

    def without_preset(self, modality: str, digit: str) -> Preferences:
        """Return the preferences with a digit as it is without a person's choice."""
        rows = {key: row for key, row in self.presets.get(modality, {}).items() if key != digit}
        others = {name: kept for name, kept in self.presets.items() if name != modality}
        return self.model_copy(update={"presets": {**others, modality: rows} if rows else others})

    def with_display(self, **choices: object) -> Preferences:
        """Return the preferences with other display choices."""
        display = Display.model_validate({**self.display.model_dump(), **choices})
        return self.model_copy(update={"display": display})

    def part(self, name: str) -> dict[str, Any]:
        """Return one part as JSON values, wrapped so that an empty one is kept too."""
        return {name: self.model_dump(mode="json")[name]}

    def to_text(self) -> str:
        """Return the preferences as the text of a file."""
        body = {FORMAT: VERSION, **self.model_dump(mode="json")}
        body["display"] = self.display.model_dump(mode="json", exclude_none=True)
        return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def read_text(text: str, acts: Iterable[Act]) -> tuple[Preferences, tuple[str, ...]]:
    """Read the text of a file; returns what can be used, and notes about what can't.

    Raises
    ------
    PreferencesError
        The text is no file of preferences.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PreferencesError(f"This is no file of preferences: {error}.") from error
    if not isinstance(body, dict) or FORMAT not in body:
        raise PreferencesError(f"This is no file of preferences: it has no “{FORMAT}”.")
    if body[FORMAT] != VERSION:
        raise PreferencesError(
            f"These preferences are of version {body[FORMAT]!s:.20}; this program reads {VERSION}."
        )
    return read(body, acts)


def read_file(path: Path, acts: Iterable[Act]) -> tuple[Preferences, tuple[str, ...]]:
    """Read a file of preferences.

    Raises
    ------
    PreferencesError
        It cannot be read, is too large or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise PreferencesError("This file is too large for preferences.")
        return read_text(content.decode("utf-8-sig"), acts)
    except OSError as error:
        raise PreferencesError(f"The file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PreferencesError("This is no file of preferences: it is not UTF-8 text.") from error


def read_machine(home: Path, acts: Iterable[Act]) -> tuple[Preferences, tuple[str, ...]]:
    """Read the machine's defaults; nothing is set where there is no file or a broken one."""
    path = home / MACHINE_FILE
    if not path.exists():
        return Preferences(), ()
    try:
        return read_file(path, acts)
    except PreferencesError as error:
        return Preferences(), (f"{MACHINE_FILE}: {error}",)


def start_scale(home: Path, acts: Iterable[Act]) -> float:
    """Return the text scale to start with: the one chosen last here, else the machine's, else 1."""
    try:
        with (home / SCALE_FILE).open("rb") as file:
            kept = Display.model_validate_json(file.read(LARGEST_FILE))
    except (OSError, ValueError):
        kept = Display()
    return kept.text_scale or read_machine(home, acts)[0].display.text_scale or 1.0


def keep_scale(home: Path, scale: float | None) -> None:
    """Keep the text scale for the next start."""
    kept = Display(text_scale=scale).model_dump_json(exclude_none=True)
    write_private(home / SCALE_FILE, kept.encode())


def read(body: Mapping[str, Any], acts: Iterable[Act]) -> tuple[Preferences, tuple[str, ...]]:
    """Read preferences from JSON values, entry by entry; returns notes about what was left out."""
    notes: list[str] = []
    table = {act.name: act for act in acts}
    keys = _read_keys(_mapping(body, "keys", notes), table, notes)
    mouse = _read_mouse(_mapping(body, "mouse", notes), notes)
    presets = _read_presets(_mapping(body, "presets", notes), notes)
    display = _read_display(_mapping(body, "display", notes), notes)
    return Preferences(keys=keys, mouse=mouse, presets=presets, display=display), tuple(notes)


def _mapping(body: Mapping[str, Any], name: str, notes: list[str]) -> dict[str, Any]:
    found = body.get(name, {})
    if isinstance(found, dict):
        return found
    notes.append(f"{name}: left out, it is not a table")
    return {}


def _read_keys(rows: dict[str, Any], table: dict[str, Act], notes: list[str]) -> Keys:
    kept: Keys = {}
    for name, value in rows.items():
        act = table.get(name)
        if act is None:
            notes.append(f"{name:.60}: left out, this version has no such act")
            continue
        wanted = _checked(name, TypeAdapter(tuple[str, ...]), value, notes)
        if wanted is None:
            continue
        refused = {key: why_refused(act, key) for key in wanted}
        notes += [f"{name}: {key:.20} left out. {why}" for key, why in refused.items() if why]
        good = tuple(dict.fromkeys(normal_key(key) for key, why in refused.items() if not why))
        if good or not wanted:
            kept[name] = good
    found = conflicts(table.values(), kept)
    for clash in found:
        # The changed act gives way to what has the key already; of two changed ones the later does.
        loser = clash.second if clash.second.name in kept else clash.first
        if loser.name in kept:
            kept[loser.name] = tuple(key for key in kept[loser.name] if key != clash.key)
            winner = clash.first if loser is clash.second else clash.second
            notes.append(f"{loser.name}: {clash.key} left out, {winner.name} has it")
    return kept


def _read_mouse(rows: dict[str, Any], notes: list[str]) -> Mouse:
    kept: Mouse = {}
    for name, value in rows.items():
        if name not in MOUSE_DEFAULTS or value not in mouse_choices(name):
            notes.append(f"mouse {name:.40}: left out, it cannot be “{value!s:.40}”")
        else:
            kept[name] = value
    return kept


def _read_presets(rows: dict[str, Any], notes: list[str]) -> Presets:
    kept: Presets = {}
    for modality, digits in rows.items():
        if not isinstance(digits, dict):
            notes.append(f"presets {modality:.16}: left out, it is not a table")
            continue
        for digit, value in digits.items():
            name = f"preset {modality:.16} {digit:.8}"
            if len(digit) != 1 or digit not in PRESET_DIGITS:
                notes.append(f"{name}: left out, presets have the keys 1 to 9")
            elif value is None:
                kept.setdefault(modality, {})[digit] = None
            else:
                preset = _checked(name, TypeAdapter(Preset), value, notes)
                if preset is not None:
                    kept.setdefault(modality, {})[digit] = preset
    return kept


def _read_display(rows: dict[str, Any], notes: list[str]) -> Display:
    display = Display()
    for name, value in rows.items():
        if name not in Display.model_fields:
            notes.append(f"display {name:.40}: left out, this version has no such choice")
            continue
        one = _checked(f"display {name}", TypeAdapter(Display), {name: value}, notes)
        if one is not None:
            display = one.over(display)
    return display


def _checked(name: str, kind: TypeAdapter[_Made], value: object, notes: list[str]) -> _Made | None:
    """Return a value of a kind, or none with a note when it is none."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        notes.append(f"{name:.60}: left out, {error.errors()[0]['msg'].lower()}")
        return None
