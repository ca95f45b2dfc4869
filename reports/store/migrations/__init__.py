"""Alembic tree of the store."""
