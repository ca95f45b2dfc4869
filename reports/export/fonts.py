"""The embedded fonts, and text made safe to print: escaped, clean of controls, every glyph present.

Inter covers Latin, Greek and Cyrillic, a second font the Chinese characters of GB 2312. A character
that both lack (rarer Chinese, Korean, Arabic, Hebrew ...) is printed as a visible box and counted, so
that the page says what it could not show; the attached record holds the text as it was stored.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from enum import StrEnum
from functools import cache
from typing import Any
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
    HAN = "DroidSansFallback-GB2312"
    """Stands in, in its one weight, for what another face lacks."""


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
        """Return text on one line in which each character has a glyph in the face or in `HAN`."""
        glyphs = _glyphs(face) | _glyphs(Face.HAN)
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
        return "".join(
            escape(run) if own is face else f'<font name="{own}">{escape(run)}</font>'
            for own, run in runs(self.plain(text, face), face)
        )

    def replaced_words(self) -> str:
        """Return the replaced characters as code points with how often each came, or ""."""
        return ", ".join(
            f"U+{ord(character):04X}" + (f" ({count} times)" if count > 1 else "")
            for character, count in sorted(self.replaced.items())
        )


def runs(text: str, face: Face) -> list[tuple[Face, str]]:
    """Return text as pieces with the face that holds their glyphs."""
    own, found = _glyphs(face), list[tuple[Face, str]]()
    for character in text:
        used = face if ord(character) in own else Face.HAN
        if found and found[-1][0] is used:
            found[-1] = (found[-1][0], found[-1][1] + character)
        else:
            found.append((used, character))
    return found


def width_of(text: str, face: Face, size: float) -> float:
    """Return the width of printable text in points."""
    return float(sum(pdfmetrics.stringWidth(run, own.value, size) for own, run in runs(text, face)))


def draw(
    canvas: Any,
    x: float,
    y: float,
    text: str,
    *,
    face: Face,
    size: float,
    anchor: float = 0.0,
    mode: int | None = None,
) -> None:
    """Draw one line of printable text: anchor 0 starts at x, 0.5 is centred on it, 1 ends there.

    `mode` is the text rendering mode (PDF 32000-1, 9.3.6); none leaves it as it is.
    """
    x -= anchor * width_of(text, face, size)
    for own, run in runs(text, face):
        canvas.setFont(own.value, size)
        canvas.drawString(x, y, run, mode=mode)
        x += pdfmetrics.stringWidth(run, own.value, size)


def fit(text: str, face: Face, size: float, width: float) -> str:
    """Shorten text with an ellipsis until it is at most `width` points wide."""
    if width_of(text, face, size) <= width:
        return text
    kept = text
    while kept and width_of(kept + "\u2026", face, size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "\u2026"
