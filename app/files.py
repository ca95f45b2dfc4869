"""Files the program writes outside the store: private to their owner, whole or absent."""

from __future__ import annotations

from pathlib import Path

from reports.store import home


def write_private(path: Path, content: bytes) -> Path:
    """Write a file of mode 0600, making its folder when needed, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.write_private(path, content)
    return path
