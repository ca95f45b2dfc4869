"""Read a few text keys of a GGUF header, in Python and with limits; for the model worker only.

llama.cpp's own parser is native code with a history of overflows (CVE-2024-23496, CVE-2025-53630,
CVE-2026-27940), so the family of a file is checked here, after its hash and before it is loaded.
Format: ggml/docs/gguf.md, versions 2 and 3, little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import BinaryIO

MAGIC = b"GGUF"
MOST_KEYS = 4096
LONGEST_TEXT = 1 << 20
MOST_ELEMENTS = 1 << 22
"""Bounds that real files stay far below: about 60 keys, 262,144 tokens, templates of 10 kB."""

_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of the fixed-size value types."""


class GgufError(ValueError):
    """The file is no GGUF that can be read; the message says at what."""


def read_text_keys(stream: BinaryIO, wanted: Collection[str]) -> dict[str, str]:
    """Return the wanted keys that hold text; stops reading when all were found.

    Raises
    ------
    GgufError
        The header is damaged, or larger than any real one.
    """
    if stream.read(4) != MAGIC:
        raise GgufError("it does not begin as a GGUF file")
    version = _number(stream, "<I")
    if version not in (2, 3):
        raise GgufError(f"its GGUF version {version} is unknown")
    _number(stream, "<Q")
    count = _number(stream, "<Q")
    if count > MOST_KEYS:
        raise GgufError("its header names too many keys")
    found: dict[str, str] = {}
    for _ in range(count):
        key = _text(stream)
        kind = _number(stream, "<I")
        if kind == _STRING:
            text = _text(stream)
            if key in wanted:
                found[key] = text
                if len(found) == len(wanted):
                    break
        else:
            _skip(stream, kind)
    return found


def _skip(stream: BinaryIO, kind: int) -> None:
    if kind != _ARRAY:
        _read(stream, _SIZES.get(kind, -1))
        return
    element, count = _number(stream, "<I"), _number(stream, "<Q")
    if count > MOST_ELEMENTS:
        raise GgufError("its header holds a list that is too long")
    if element == _STRING:
        for _ in range(count):
            _text(stream)
    else:
        _read(stream, _SIZES.get(element, -1) * count)


def _number(stream: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, _read(stream, struct.calcsize(form)))[0])


def _text(stream: BinaryIO) -> str:
    length = _number(stream, "<Q")
    if length > LONGEST_TEXT:
        raise GgufError("its header holds a text that is too long")
    return _read(stream, length).decode("utf-8", "replace")


def _read(stream: BinaryIO, count: int) -> bytes:
    if count < 0:
        raise GgufError("its header holds a value of an unknown type")
    data = stream.read(count)
    if len(data) != count:
        raise GgufError("it ends inside its header")
    return data
