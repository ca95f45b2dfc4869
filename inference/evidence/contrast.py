"""What the header of a series says of contrast medium."""

from __future__ import annotations

import re

from viewer.imaging.study import Series

CONTRAST_WORDS = re.compile(
    r"(?<![a-z])(cta|ctv|cct ?km|angio\w*|perfusion|c\+|post[ -]?contrast|with contrast|enhanced)"
    r"(?![a-z])",
    re.IGNORECASE,
)
"""Words of a description that tell of contrast medium."""


def contrast_given(series: Series) -> str:
    """Return what the header says of contrast medium, in words; empty when it says nothing of it."""
    if series.contrast_agent.strip() and series.contrast_agent.strip().upper() not in ("NONE", "NO"):
        return f"contrast agent {series.contrast_agent.strip()}"
    for text in (series.description, series.protocol):
        plain = re.sub(r"(?i)\b(non|no|without|w/o)[ -]?(contrast|enhanced)\b", "", text)
        if CONTRAST_WORDS.search(plain):
            return f"described as {text.strip()}"
    return ""
