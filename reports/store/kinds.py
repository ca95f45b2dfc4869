"""Kinds of what is kept beside reports. Without the store's library: a window is built before it."""

from __future__ import annotations

from enum import StrEnum


class RecordKind(StrEnum):
    """What is kept beside the report of a study; of LESIONS the subject is a patient key."""

    MARKS = "marks"
    KEY_IMAGES = "key images"
    REGISTRATIONS = "registrations"
    LESIONS = "lesions"


class PreferenceKind(StrEnum):
    """What an account keeps for itself."""

    BINDINGS = "bindings"
    PRESETS = "presets"
    HANGING = "hanging"
    DISPLAY = "display"
