"""INSERT … ON CONFLICT on both databases; SQLAlchemy has a separate construct for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert_if_new(
    session: Session, model: type[DeclarativeBase], values: Mapping[str, Any], *, unique: list[str]
) -> bool:
    """Insert one row unless one with the same `unique` columns exists; return whether it was inserted."""
    session.flush()
    table = model.__table__
    assert isinstance(table, Table)
    insert = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing(index_elements=unique)
    return session.execute(statement.returning(*table.primary_key)).first() is not None
