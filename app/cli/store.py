"""Opening the store from the command line: the passphrase comes from a file or the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.output import CommandFailed

if TYPE_CHECKING:
    from app.desk import Desk

PASSPHRASE_FILE = "SIGHTLINE_PASSPHRASE_FILE"
"""Names a file whose first line opens a passphrase store, for machines nobody sits at."""


def passphrase() -> str:
    """Return the passphrase of a store from the named file, else from the terminal.

    Raises
    ------
    CommandFailed
        There is neither.
    """
    named = os.environ.get(PASSPHRASE_FILE)
    if named:
        lines = Path(named).read_text(encoding="utf-8").splitlines()
        if lines:
            return lines[0]
        raise CommandFailed(f"The passphrase file {named} is empty.")
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase of the store: ")
    raise CommandFailed(
        f"This store opens with a passphrase: name a file that holds it in {PASSPHRASE_FILE}."
    )


def open_desk(home: Path) -> Desk:
    """Open the store of a home folder, asking for its passphrase when it has one.

    Raises
    ------
    StoreError, CommandFailed
        It cannot be opened.
    """
    from app.desk import Desk
    from reports.store.errors import PassphraseNeededError

    try:
        return Desk.open(home)
    except PassphraseNeededError:
        return Desk.open(home, passphrase=passphrase())
