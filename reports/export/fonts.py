"""The embedded fonts, and text made safe to print: escaped, clean of controls, every glyph present.

Inter covers Latin, Greek and Cyrillic. A character it lacks (Chinese, Japanese, Korean, Arabic,
Hebrew ...) is printed as a visible box and counted, so that the page says what it could not show;
the attached record holds the text as it was stored.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from enum import StrEnum
from functools import cache
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

import resources


class Face(StrEnum):
    """Registered names of the embedded fonts."""

    REGULAR = "Inter-Regular"
    MEDIUM = "Inter-Medium"
    SEMIBOLD = "Inter-SemiBold"
    MONO = "IBMPlexMono-Regular"


MISSING_GLYPH = "\u25a1"
"""What stands for a character without a glyph: a white square."""

REMOVED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Control, format (bidirectional overrides, zero-width), surrogate and private characters."""


@cache
def register() -> None:
    """Register the fonts with ReportLab, once."""
    for face in Face:
        pdfmetrics.registerFont(TTFont(face.value, str(resources.path("fonts", f"{face}.ttf"))))


@cache
def _glyphs(face: Face) -> frozenset[int]:
    register()
    return frozenset(pdfmetrics.getFont(face.value).face.charToGlyph)


class Typesetter:
    """Makes text printable and remembers which characters it had to replace."""

    def __init__(self) -> None:
        register()
        self.replaced: Counter[str] = Counter()

    def plain(self, text: str, face: Face = Face.REGULAR) -> str:
        """Return text on one line in which each character has a glyph in the font."""
        glyphs = _glyphs(face)
        clean: list[str] = []
        for character in unicodedata.normalize("NFC", text):
            if character.isspace():
                clean.append("\u00a0" if character in "\u00a0\u202f" else " ")
            elif unicodedata.category(character) in REMOVED_CATEGORIES:
                continue
            elif ord(character) in glyphs:
                clean.append(character)
            else:
                self.replaced[character] += 1
                clean.append(MISSING_GLYPH)
        return "".join(clean)

    def markup(self, text: str, face: Face = Face.REGULAR) -> str:
        """Return text for a ReportLab paragraph: markup inside it is printed as it was typed."""
        return escape(self.plain(text, face))

    def replaced_words(self) -> str:
        """Return the replaced characters as code points with how often each came, or ""."""
        return ", ".join(
            f"U+{ord(character):04X}" + (f" ({count} times)" if count > 1 else "")
            for character, count in sorted(self.replaced.items())
        )


def fit(text: str, face: Face, size: float, width: float) -> str:
    """Shorten text with an ellipsis until it is at most `width` points wide."""
    register()
    if pdfmetrics.stringWidth(text, face.value, size) <= width:
        return text
    kept = text
    while kept and pdfmetrics.stringWidth(kept + "\u2026", face.value, size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "\u2026"
