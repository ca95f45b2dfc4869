"""Tables of the store and the triggers that keep what must never change.

The Alembic tree makes the tables; the triggers are put back after each migration, because Alembic's
batch mode copies a table and drops its triggers without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

METADATA = sa.MetaData()

STRICT: Final[dict[str, Any]] = {"sqlite_strict": True}
"""SQLite keeps what it is given unless it is told to hold a column to its type."""

INSTALLATION = sa.Table(
    "installation",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("signing_key", sa.LargeBinary, nullable=False),
    sa.Column("decoy_hash", sa.Text, nullable=False),
    sa.Column("seal_key", sa.LargeBinary),
    **STRICT,
)
ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("printed_name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("disabled", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    **STRICT,
)
ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    # Hash of the name that was typed: a password typed into the wrong field must not be kept.
    sa.Column("name_sha256", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", sa.Text, nullable=False),
    **STRICT,
)
STUDIES = sa.Table(
    "studies",
    METADATA,
    sa.Column("study_instance_uid", sa.Text, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("imported_at", sa.Text, nullable=False),
    **STRICT,
)
DRAFTS = sa.Table(
    "drafts",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("study_instance_uid", sa.Text, nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("draft", sa.LargeBinary, nullable=False),
    sa.Column("ledger", sa.LargeBinary, nullable=False),
    sa.Column("trace", sa.LargeBinary, nullable=False),
    sa.Column("masks", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("study_instance_uid", "number", name="uq_drafts_study_number"),
    **STRICT,
)
LEDGERS = sa.Table(
    "ledgers",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    **STRICT,
)
REPORTS = sa.Table(
    "reports",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("study_instance_uid", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("latest_revision", sa.Integer, nullable=False),
    sa.Column("addendum_to", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    **STRICT,
)
REVISIONS = sa.Table(
    "report_revisions",
    METADATA,
    sa.Column("report_id", sa.Text, sa.ForeignKey("reports.id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("ledger_sha256", sa.Text, sa.ForeignKey("ledgers.sha256")),
    **STRICT,
)
SIGNATURES = sa.Table(
    "signatures",
    METADATA,
    sa.Column("report_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("content_sha256", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["report_id", "revision"], ["report_revisions.report_id", "report_revisions.revision"]
    ),
    **STRICT,
)
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("report_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("pdf", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("checkpoint", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(
        ["report_id", "revision"], ["report_revisions.report_id", "report_revisions.revision"]
    ),
    **STRICT,
)
STUDY_RECORDS = sa.Table(
    "study_records",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    # Study Instance UID, or the patient key of lesions.
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("saved_at", sa.Text, nullable=False),
    **STRICT,
)
PREFERENCES = sa.Table(
    "preferences",
    METADATA,
    sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("saved_at", sa.Text, nullable=False),
    **STRICT,
)
AUDIT_EVENTS = sa.Table(
    "audit_events",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event", sa.LargeBinary, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    **STRICT,
)
CHECKPOINTS = sa.Table(
    "checkpoints",
    METADATA,
    sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),
    **STRICT,
)


@dataclass(frozen=True)
class Trigger:
    """A trigger that aborts a statement on a table when a condition holds.

    `message` is what the reader sees; `when` is SQL over OLD and NEW.
    """

    table: str
    statement: str
    message: str
    when: str = "1"

    @property
    def name(self) -> str:
        """Name in the database."""
        return f"keep_{self.table}_{self.statement.lower()}"

    def sql(self) -> str:
        """Return the statement that makes the trigger."""
        return (
            f"CREATE TRIGGER {self.name} BEFORE {self.statement} ON {self.table} "
            f"FOR EACH ROW WHEN {self.when} BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        )


_LOCKED = "('final', 'addendum')"
"""reports.domain.LOCKED as SQL; a test holds the two together."""
_REPORT_IS_LOCKED = f"(SELECT state FROM reports WHERE id = NEW.report_id) IN {_LOCKED}"
_SAME_PART = "report_id = NEW.report_id AND revision = NEW.revision"
_LOG = "The audit log is only ever added to."
_FINAL = "A final report never changes: start an addendum."
_REVISION = "A revision of a report never changes."
_SIGNATURE = "A signature never changes."
_DOCUMENT = "A sealed document never changes."
_RECORD = "A revision of a study record never changes."

# INSERT triggers look for an existing row too: INSERT OR REPLACE deletes without a DELETE trigger
# unless the connection asks for recursive triggers.
TRIGGERS: tuple[Trigger, ...] = (
    Trigger("audit_events", "UPDATE", _LOG),
    Trigger("audit_events", "DELETE", _LOG),
    Trigger(
        "audit_events",
        "INSERT",
        "Entries of the audit log count up without gaps.",
        "NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit_events)",
    ),
    Trigger("checkpoints", "UPDATE", _LOG),
    Trigger("checkpoints", "DELETE", _LOG),
    Trigger(
        "checkpoints",
        "INSERT",
        "Checkpoints of the audit log only ever grow.",
        "NEW.size <= (SELECT coalesce(max(size), -1) FROM checkpoints)",
    ),
    Trigger("report_revisions", "UPDATE", _REVISION),
    Trigger("report_revisions", "DELETE", _REVISION),
    Trigger(
        "report_revisions",
        "INSERT",
        _FINAL,
        f"{_REPORT_IS_LOCKED} OR EXISTS (SELECT 1 FROM report_revisions WHERE {_SAME_PART})",
    ),
    Trigger("signatures", "UPDATE", _SIGNATURE),
    Trigger("signatures", "DELETE", _SIGNATURE),
    Trigger(
        "signatures",
        "INSERT",
        _FINAL,
        f"{_REPORT_IS_LOCKED} OR EXISTS (SELECT 1 FROM signatures WHERE {_SAME_PART})",
    ),
    Trigger("documents", "UPDATE", _DOCUMENT),
    Trigger("documents", "DELETE", _DOCUMENT),
    Trigger(
        "documents",
        "INSERT",
        _DOCUMENT,
        f"{_REPORT_IS_LOCKED} OR EXISTS (SELECT 1 FROM documents WHERE {_SAME_PART})",
    ),
    Trigger("reports", "UPDATE", _FINAL, f"OLD.state IN {_LOCKED}"),
    Trigger("reports", "DELETE", "A report is never deleted."),
    Trigger("reports", "INSERT", _FINAL, "EXISTS (SELECT 1 FROM reports WHERE id = NEW.id)"),
    Trigger("ledgers", "UPDATE", "A ledger never changes."),
    Trigger("ledgers", "DELETE", "A ledger never changes."),
    Trigger("study_records", "UPDATE", _RECORD),
    Trigger("study_records", "DELETE", _RECORD),
    Trigger(
        "study_records",
        "INSERT",
        "Revisions of a study record count up without gaps.",
        "NEW.revision IS NOT (SELECT coalesce(max(revision), 0) + 1 FROM study_records "
        "WHERE kind = NEW.kind AND subject = NEW.subject)",
    ),
    Trigger("accounts", "DELETE", "An account is disabled, never deleted."),
)


def triggers_in(connection: sa.Connection) -> dict[str, str]:
    """Return name and SQL of the triggers that the database holds."""
    rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    return {str(name): str(sql) for name, sql in rows}


def triggers_are_complete(connection: sa.Connection) -> bool:
    """Return whether all triggers are there, word for word."""
    return triggers_in(connection) == {trigger.name: trigger.sql() for trigger in TRIGGERS}


def install_triggers(connection: sa.Connection) -> None:
    """Put back all triggers, in the transaction that is open."""
    for name in triggers_in(connection):
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    for trigger in TRIGGERS:
        connection.exec_driver_sql(trigger.sql())
