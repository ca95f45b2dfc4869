"""Alembic tree of the store; run by `reports.store.migrate` on the connection it hands over."""
