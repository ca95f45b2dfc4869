"""The imaging worker with a parser that a file named "crash" brings down: for the reader."""

from __future__ import annotations

import os
from typing import Any

from viewer.imaging import decode, index, serve

_read_odd = index.read_odd_header
_read = decode._Reader.read


def _fragile_header(path: str, **options: Any) -> Any:
    if "crash" in path:
        os.abort()
    return _read_odd(path, **options)


def _fragile_read(self: Any, number: int, target: Any) -> str:
    if "crash" in self.instance.path:
        os.abort()
    return _read(self, number, target)


index.read_odd_header = _fragile_header
decode._Reader.read = _fragile_read

HANDLERS = serve.HANDLERS
