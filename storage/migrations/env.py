"""What Alembic runs: the revisions, on the connection that `storage.database.session.migrate` opened.

Logging is left as the application set it up. On SQLite, too, the whole upgrade is one transaction.
"""

from __future__ import annotations

from alembic import context

from storage.database.locks import Lock, lock_exclusive
from storage.telemetry.rows.tables import events

connection = context.config.attributes["connection"]
lock_exclusive(connection, Lock.MIGRATE)
context.configure(
    connection=connection,
    # There is one metadata; telemetry's tables complete it.
    target_metadata=events.metadata,
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
