"""The one database: SQLAlchemy models, one Alembic tree, one transaction per act."""
