"""The one database: encrypted SQLite, one Alembic tree, one transaction per act with its audit event.

`keys` holds the providers that wrap the database key; `database.Store` owns the engine and hands out
`accounts`, `studies`, `drafts` and `reports`. Import from the modules: this package loads nothing.
"""
