"""Data files of the program: fonts, icons, theme, presets, phrases, the built-in model, the sample.

Imports nothing of ours; every package may read it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent

NOTICE = "Research software. Not a medical device."
"""The strip on every window and page."""

NOTICE_LONG = (
    "Research software. Not a medical device; not FDA-cleared or CE-marked; not for diagnosis or "
    "treatment. AI-drafted text may be wrong or incomplete; a qualified radiologist must check "
    "every statement against the images. The deploying institution is responsible for regulatory "
    "status."
)


def path(*parts: str) -> Path:
    """Return the path of a resource; the file must exist.

    Raises
    ------
    FileNotFoundError
        The installation is incomplete; the message names the file.
    """
    found = ROOT.joinpath(*parts)
    if not found.exists():
        raise FileNotFoundError(f"Resource {'/'.join(parts)} is missing: reinstall Sightline.")
    return found


@cache
def table(*parts: str) -> Any:
    """Return a JSON table of the resources, read once."""
    return json.loads(path(*parts).read_text(encoding="utf-8"))
