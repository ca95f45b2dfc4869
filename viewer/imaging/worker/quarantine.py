"""Files and models that killed workers, and are not tried again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from pathlib import Path

CRASHES = 2
"""So many dead workers put a subject in quarantine."""


class Quarantine:
    """Counts dead workers per subject. Thread-safe.

    Parameters
    ----------
    path
        JSON file that keeps the counts, or none for memory only. It holds SHA-256 of subjects, never
        the subjects: a path may name a patient. A file that cannot be read counts as empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._crashes: dict[str, int] = self._load()

    def holds(self, subject: str) -> bool:
        """Tell whether the subject is in quarantine."""
        with self._lock:
            return self._crashes.get(_key(subject), 0) >= CRASHES

    def crashed(self, subject: str) -> None:
        """Count a worker that died over the subject."""
        with self._lock:
            key = _key(subject)
            self._crashes[key] = self._crashes.get(key, 0) + 1
            self._save()

    def release(self, subject: str) -> None:
        """Forget what the subject did, on a person's word."""
        with self._lock:
            if self._crashes.pop(_key(subject), None) is not None:
                self._save()

    def _load(self) -> dict[str, int]:
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))["crashes"]
            return {str(key): int(count) for key, count in found.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _save(self) -> None:
        if self._path is None:
            return
        # On a full disk the counts still hold for this run.
        with contextlib.suppress(OSError):
            # mkstemp makes the file 0600; the rename keeps the old one whole until the new one is.
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump({"version": 1, "crashes": self._crashes}, file, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)


def _key(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
