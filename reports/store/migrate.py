"""Brings a database to the schema of this program, with its triggers put back, in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from reports.store.errors import NewerStoreError
from reports.store.schema import install_triggers

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0002"
"""Newest revision of the tree; kept here so that opening a current store loads no Alembic."""
TREE: Final = Path(__file__).resolve().parent / "migrations"


def alembic_config() -> Config:
    """Return the configuration of the tree, wherever the package is installed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(TREE).replace("%", "%%"))
    return config


def revision_of(connection: sa.Connection) -> str | None:
    """Return the schema revision of a database, none for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def require_known(revision: str | None) -> None:
    """Refuse a schema that this program does not know.

    Raises
    ------
    NewerStoreError
        A newer program made it.
    """
    from alembic.script import ScriptDirectory

    tree = ScriptDirectory.from_config(alembic_config())
    known = {script.revision for script in tree.walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerStoreError(
            "A newer Sightline made this store. Install that version; nothing was changed."
        )


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to `HEAD` in the transaction that is open, and put back the triggers."""
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    install_triggers(connection)
