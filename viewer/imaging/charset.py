"""Text of a header made safe to show: character sets decoded, NFC, no control or bidi characters.

PS3.3 C.12.1.1.2 (Specific Character Set) and PS3.5 6.1.2 (code extensions), through pydicom's
tables. A value that does not decode cleanly is shown with replacement characters and marked suspect.
"""

from __future__ import annotations

import unicodedata
import warnings
from typing import Final

MAX_TEXT: Final = 256
"""Longest text kept of one element, characters; LO holds 64, ST 1024."""

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BREAKS: Final = "\r\n\t\v\f\x85\u2028\u2029"
_ESCAPE: Final = 0x1B


def clean(text: str, *, limit: int = MAX_TEXT) -> str:
    """Return the text in NFC on one line, without control, bidi and unassigned characters, capped."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    normal = unicodedata.normalize("NFC", text[: 4 * limit])
    kept = "".join(
        " " if character in _BREAKS else character
        for character in normal
        if character in _BREAKS
        or (character not in _BIDI and unicodedata.category(character) not in ("Cc", "Cs", "Cn"))
    )
    return kept.strip()[:limit]


def visible(text: str) -> str:
    """Return the name of a file on one line, with control and bidi characters as escapes."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        else character
        for character in text
    )


class TextDecoder:
    """Decodes the text of one header.

    Parameters
    ----------
    character_set
        Raw value of Specific Character Set (0008,0005), or none.

    Attributes
    ----------
    suspect
        True after anything that did not decode cleanly: the reader must be told.
    """

    def __init__(self, character_set: bytes | None) -> None:
        self.suspect = False
        self._encodings: list[str] | None = None
        self._terms = [
            term.strip().decode("ascii", "replace")
            for term in (character_set or b"").rstrip(b"\0 ").split(b"\\")
        ]

    def text(self, value: bytes | None) -> str:
        """Decode LO, SH, ST and the like."""
        return self._decode(value, name=False)

    def name(self, value: bytes | None) -> str:
        """Decode a person name; the groups (alphabetic=ideographic=phonetic) stay joined by '='."""
        return self._decode(value, name=True)

    def _decode(self, value: bytes | None, *, name: bool) -> str:
        if not value:
            return ""
        value = value.rstrip(b"\0 ")
        if value.isascii() and _ESCAPE not in value and self._plain_terms():
            return clean(value.decode("ascii"))
        from pydicom.charset import convert_encodings, decode_bytes
        from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                if self._encodings is None:
                    self._encodings = list(convert_encodings(list(self._terms)))
                parts = value.split(b"=") if name else [value]
                delimiters = PN_DELIMS if name else TEXT_VR_DELIMS
                text = "=".join(decode_bytes(part, self._encodings, delimiters) for part in parts)
            except (LookupError, UnicodeError, ValueError):
                self.suspect = True
                text = value.decode("latin-1")
        if caught or "�" in text:
            self.suspect = True
        if not any(self._terms) and not value.isascii():
            self.suspect = True  # bytes above 0x7F without a declared character set
        return clean(text)

    def _plain_terms(self) -> bool:
        """True when the first character set leaves ASCII bytes as they are (all but JIS X 0201)."""
        return self._terms[0] in ("", "ISO_IR 6", "ISO_IR 100", "ISO_IR 192") or (
            len(self._terms) == 1 and self._terms[0] in _ASCII_SETS
        )


_ASCII_SETS: Final = frozenset(
    (
        *("ISO_IR 101", "ISO_IR 109", "ISO_IR 110", "ISO_IR 144", "ISO_IR 127", "ISO_IR 126"),
        *("ISO_IR 138", "ISO_IR 148", "ISO_IR 166", "GB18030", "GBK"),
    )
)
