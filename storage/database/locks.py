"""Work that only one transaction may do at a time, on either database.

On SQLite a writing transaction is alone by nature. On PostgreSQL these are transaction-scoped advisory locks: freed by
commit, rollback or a lost connection, so a crash leaves nothing locked.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session


class Lock(IntEnum):
    """What is done by one at a time; the numbers are ours in the whole PostgreSQL database."""

    MIGRATE = 4_127_001
    AUDIT = 4_127_002
    ROLL_UP = 4_127_003
    APPEND = 4_127_004
    PARTITIONS = 4_127_005
    DEPLOYS = 4_127_006


def lock_exclusive(database: Session | Connection, lock: Lock) -> None:
    """Wait until no other transaction holds `lock`, then hold it to the end of this one."""
    if _is_postgresql(database):
        database.execute(select(func.pg_advisory_xact_lock(int(lock))))


def lock_shared(database: Session | Connection, lock: Lock) -> None:
    """Hold `lock` with any number of others who came by `together`, to the end of this transaction."""
    if _is_postgresql(database):
        database.execute(select(func.pg_advisory_xact_lock_shared(int(lock))))


def _is_postgresql(database: Session | Connection) -> bool:
    connection = database.connection() if isinstance(database, Session) else database
    return connection.dialect.name == "postgresql"
