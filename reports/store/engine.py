"""The engine: an encrypted SQLite file behind SQLAlchemy, with the settings each connection gets.

SQLCipher checks an HMAC over each page when it is read, so a changed byte is an error, not a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher

from reports.store.errors import (
    DatabaseBusyError,
    DatabaseDamagedError,
    DiskError,
    DiskFullError,
    LockedRecordError,
    NotWritableError,
    StoreError,
)
from reports.store.schema import TRIGGERS

BUSY_SECONDS: Final = 20.0
"""How long an act waits for another process: longer than a document takes to be made."""

PRAGMAS: Final = (
    "cipher_compatibility = 4",
    "journal_mode = WAL",
    "synchronous = FULL",
    "fullfsync = ON",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
    "mmap_size = 0",
    "foreign_keys = ON",
    "recursive_triggers = ON",
    "cell_size_check = ON",
    "secure_delete = ON",
)
"""Set on each connection, after the key (facts: database)."""

WRITE: Final = "sightline_write"
"""Execution option of a connection whose transaction takes the write lock at once."""

_DAMAGED = (
    DatabaseDamagedError,
    "The database {file} was changed or damaged outside Sightline: a page does not fit its check "
    "value. Do not work on with it; restore the last backup.",
)
_ERRORS: Final[dict[int, tuple[type[StoreError], str]]] = {
    5: (DatabaseBusyError, "Another Sightline is writing to the database. Try again in a moment."),
    6: (DatabaseBusyError, "Another Sightline is writing to the database. Try again in a moment."),
    8: (NotWritableError, "The database {file} cannot be written. Nothing was changed."),
    10: (DiskError, "The disk refused to read or write {file}. Nothing was changed."),
    11: _DAMAGED,
    13: (DiskFullError, "The disk is full. Nothing was changed: make room and do it again."),
    14: (NotWritableError, "The database {file} cannot be opened."),
    26: _DAMAGED,
}
"""SQLite primary result codes (sqlite.org/rescode.html) in words."""
_KEPT: Final = frozenset(trigger.message for trigger in TRIGGERS)
"""What our triggers say when they stop a statement (SQLCipher's binding gives no extended code)."""


def _connect(file: Path, key: bytes, *, read_only: bool = False) -> Any:
    # The URI keeps SQLite from making a missing file, which would come out readable for others.
    uri = f"file:{quote(str(file))}?mode=rw"
    connection = sqlcipher.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
    )
    try:
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA cipher_log_level = NONE")
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_engine(file: Path, key: bytes, *, read_only: bool = False) -> sa.Engine:
    """Return an engine on an existing database file.

    Parameters
    ----------
    key
        Raw 256-bit key.
    read_only
        Refuse every write on its connections.
    """

    def connect() -> Any:
        return _connect(file, key, read_only=read_only)

    engine = sa.create_engine(f"sqlite:///{file}", creator=connect, module=sqlcipher)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        immediate = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


@contextmanager
def in_words(file: Path) -> Iterator[None]:
    """Turn errors of the database into typed errors of the store.

    Raises
    ------
    StoreError
        The subclass that says what happened.
    """
    try:
        yield
    except (sa.exc.DBAPIError, sqlcipher.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        code = int(getattr(cause, "sqlite_errorcode", 0) or 0)
        if str(cause) in _KEPT:
            raise LockedRecordError(str(cause)) from error
        kind, words = _ERRORS.get(code & 0xFF, (None, ""))
        if kind is None:
            raise
        raise kind(words.format(file=file)) from error


def damaged_pages(connection: sa.Connection) -> list[str]:
    """Return what the checks of structure find wrong, an empty list when they find nothing."""
    rows = connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all()
    return [str(row) for row in rows if row != "ok"]


def failed_page_checks(connection: sa.Connection) -> list[str]:
    """Return the pages whose HMAC does not fit, over the whole file, used or free."""
    rows = connection.exec_driver_sql("PRAGMA cipher_integrity_check").scalars().all()
    return [str(row) for row in rows]


def back_up(file: Path, key: bytes, target: Path) -> None:
    """Copy a database under the same key through SQLite's backup, and check the copy.

    Raises
    ------
    FileExistsError
        A backup is never overwritten.
    DatabaseDamagedError
        The copy does not pass its checks.
    """
    target.touch(mode=0o600, exist_ok=False)
    with closing(_connect(file, key)) as source, closing(_connect(target, key)) as copy:
        source.backup(copy)
        found = copy.execute("PRAGMA cipher_integrity_check").fetchall()
        found += [row for row in copy.execute("PRAGMA integrity_check") if row != ("ok",)]
        if found:
            raise DatabaseDamagedError(f"The backup {target} is damaged: {found[0][0]}.")
