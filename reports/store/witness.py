"""Witnesses of the audit log outside the database: the side file and the keyring.

They are written after the commit, so they never run ahead of a log that is whole; what a killed
process did not write is caught up at the next start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reports.audit.checkpoint import CheckpointNote, size_stated
from reports.audit.verify import Witness
from reports.store.errors import NoSecretServiceError
from reports.store.home import sync_folder
from reports.store.keys import keyring_get, keyring_is_available, keyring_set

SIDE_FILE = "the side file"
KEYRING = "the keyring"


def read_side_file(path: Path) -> Witness | None:
    """Return the checkpoints in the side file, none when the file is gone.

    A line that is no JSON was cut short by a crash and counts as not there: whoever could spoil a
    line to hide it could as well remove it. A line with another signature is found by `verify_log`.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return None
    return Witness(SIDE_FILE, tuple(note for line in lines for note in _notes_in(line)))


def _notes_in(line: str) -> tuple[str, ...]:
    try:
        return (str(json.loads(line)["note"]),)
    except (ValueError, KeyError, TypeError):
        return ()


def append_side_file(path: Path, notes: Sequence[CheckpointNote]) -> None:
    """Add checkpoints to the side file and make them last."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        text = "".join(json.dumps({"note": note.note}) + "\n" for note in notes)
        # A line that a crash cut short must not be joined to this one.
        was_cut = file.read()[-1:] not in {b"", b"\n"}
        file.write(("\n" if was_cut else "").encode() + text.encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def read_keyring(installation: str) -> Witness | None:
    """Return the checkpoint in the keyring, none where there is no keyring or it holds none."""
    if not keyring_is_available():
        return None
    try:
        note = keyring_get(_entry(installation))
    except NoSecretServiceError:
        return None
    return None if note is None else Witness(KEYRING, (note,))


def write_keyring(installation: str, note: CheckpointNote) -> None:
    """Keep a checkpoint in the keyring, unless a newer one of another process is there.

    A keyring that refuses is no reason to fail an act that is committed: the side file has it.
    """
    if not keyring_is_available():
        return
    with suppress(NoSecretServiceError):
        there = keyring_get(_entry(installation))
        if there is None or size_stated(there) < note.size:
            keyring_set(_entry(installation), note.note)


def _entry(installation: str) -> str:
    return f"{installation}:checkpoint"


@dataclass(frozen=True)
class Witnesses:
    """The witnesses of one store.

    Parameters
    ----------
    uses_keyring
        False for a demonstration store, which leaves nothing on the machine but its folder.
    """

    side_file: Path
    installation: str
    uses_keyring: bool

    def read(self) -> tuple[Witness | None, Witness | None]:
        """Return what the side file and the keyring have seen; none for one that is not there."""
        keyring = read_keyring(self.installation) if self.uses_keyring else None
        return read_side_file(self.side_file), keyring

    def tell(self, notes: Sequence[CheckpointNote]) -> None:
        """Give committed checkpoints to them, oldest first."""
        append_side_file(self.side_file, notes)
        if self.uses_keyring:
            write_keyring(self.installation, notes[-1])
