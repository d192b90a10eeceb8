"""Alembic's entry point: run the revisions on the connection that `storage.database.session.migrate` opened.

Logging stays as the application configured it. The whole upgrade is one transaction, also on SQLite.
"""

from __future__ import annotations

from alembic import context

from storage.database.locks import Lock, lock_exclusive
from storage.telemetry.rows.tables import events

connection = context.config.attributes["connection"]
lock_exclusive(connection, Lock.MIGRATE)
context.configure(
    connection=connection,
    # All tables share one metadata; importing the telemetry tables adds them to it.
    target_metadata=events.metadata,
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
