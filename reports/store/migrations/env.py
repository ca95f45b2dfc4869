"""Alembic's entry: runs the tree on the connection of the caller, inside the caller's transaction."""

from alembic import context

from reports.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
