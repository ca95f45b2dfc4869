"""First schema: installation, accounts, studies, drafts, reports, documents, audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "checkpoints",
    "audit_events",
    "documents",
    "signatures",
    "report_revisions",
    "reports",
    "ledgers",
    "drafts",
    "studies",
    "attempts",
    "accounts",
    "installation",
)


def upgrade() -> None:
    """Make all tables. Written out, not taken from the models: a revision never changes later."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("signing_key", sa.LargeBinary, nullable=False),
        sa.Column("decoy_hash", sa.Text, nullable=False),
        sa.Column("seal_key", sa.LargeBinary),
        sqlite_strict=True,
    )
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("printed_name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("disabled", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "attempts",
        sa.Column("name_sha256", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "studies",
        sa.Column("study_instance_uid", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("imported_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("study_instance_uid", sa.Text, nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("draft", sa.LargeBinary, nullable=False),
        sa.Column("ledger", sa.LargeBinary, nullable=False),
        sa.Column("trace", sa.LargeBinary, nullable=False),
        sa.Column("masks", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("study_instance_uid", "number", name="uq_drafts_study_number"),
        sqlite_strict=True,
    )
    op.create_table(
        "ledgers",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("study_instance_uid", sa.Text, nullable=False, index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("latest_revision", sa.Integer, nullable=False),
        sa.Column("addendum_to", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "report_revisions",
        sa.Column("report_id", sa.Text, sa.ForeignKey("reports.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("ledger_sha256", sa.Text, sa.ForeignKey("ledgers.sha256")),
        sqlite_strict=True,
    )
    for name, columns in (
        (
            "signatures",
            (
                sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
                sa.Column("content", sa.LargeBinary, nullable=False),
                sa.Column("content_sha256", sa.Text, nullable=False),
            ),
        ),
        (
            "documents",
            (
                sa.Column("pdf", sa.LargeBinary, nullable=False),
                sa.Column("sha256", sa.Text, nullable=False),
                sa.Column("checkpoint", sa.Text, nullable=False),
            ),
        ),
    ):
        op.create_table(
            name,
            sa.Column("report_id", sa.Text, primary_key=True),
            sa.Column("revision", sa.Integer, primary_key=True),
            *columns,
            sa.ForeignKeyConstraint(
                ["report_id", "revision"],
                ["report_revisions.report_id", "report_revisions.revision"],
            ),
            sqlite_strict=True,
        )
    op.create_table(
        "audit_events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Remove all tables, for an empty test database only: a backup is the way back."""
    for name in TABLES:
        op.drop_table(name)
