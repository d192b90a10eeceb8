"""Locks for work that only one transaction may do at a time, on either database.

On SQLite there is only one writing transaction at a time, so no lock is needed. On PostgreSQL these are advisory locks
of a transaction: commit, rollback or a lost connection releases them, so a crash leaves nothing locked.

All transactions take their locks in one order, so that no two can wait for each other:

1. the advisory locks of the telemetry store (they are never held together with the rows below);
2. the row of the incident (`storage.database.rows.hold`), one incident a transaction, before anything else is written;
3. rows that belong to the incident: findings, proposals, verifications, deliveries, the timeline;
4. jobs of the outbox;
5. the audit chain, right before the commit (`storage.audit.append` sees to it).
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session


class Lock(IntEnum):
    """The work that each lock protects. The numbers identify the locks within the whole PostgreSQL database."""

    MIGRATE = 4_127_001
    AUDIT = 4_127_002
    ROLL_UP = 4_127_003
    APPEND = 4_127_004
    PARTITIONS = 4_127_005
    DEPLOYS = 4_127_006
    SERVICE_MAP = 4_127_013
    FUNNEL_NAMES = 4_127_012


def lock_exclusive(database: Session | Connection, lock: Lock) -> None:
    """Take `lock` exclusively until the end of this transaction; wait while another transaction holds it."""
    if _is_postgresql(database):
        database.execute(select(func.pg_advisory_xact_lock(int(lock))))


def lock_shared(database: Session | Connection, lock: Lock) -> None:
    """Take `lock` shared with any number of other transactions, until the end of this one."""
    if _is_postgresql(database):
        database.execute(select(func.pg_advisory_xact_lock_shared(int(lock))))


def _is_postgresql(database: Session | Connection) -> bool:
    connection = database.connection() if isinstance(database, Session) else database
    return connection.dialect.name == "postgresql"
