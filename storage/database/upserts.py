"""INSERT … ON CONFLICT on both databases; SQLAlchemy has a separate construct for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert_if_new(
    session: Session, model: type[DeclarativeBase], values: Mapping[str, Any], *, unique: list[str]
) -> bool:
    """Insert one row unless one with the same `unique` columns exists; return whether it was inserted."""
    statement = _insert(session, model).values(**values).on_conflict_do_nothing(index_elements=unique)
    return session.execute(statement.returning(*model.__table__.primary_key)).first() is not None


def insert_new(
    session: Session, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]], *, unique: list[str]
) -> int:
    """Insert the rows of which no row with the same `unique` columns exists; return how many were inserted."""
    if not rows:
        return 0
    insert = _insert(session, model)
    statement = insert.on_conflict_do_nothing(index_elements=unique)
    result = session.connection().execute(
        statement, [dict(row) for row in _in_order(rows, unique)], execution_options={"preserve_rowcount": True}
    )
    return result.rowcount


def put(
    session: Session, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]], *, unique: list[str]
) -> None:
    """Insert the rows; a row with the same `unique` columns takes the new values of all other columns."""
    upsert(session, model, rows, unique=unique, newest=None, keep=())


def upsert(
    session: Session,
    model: type[DeclarativeBase],
    rows: Sequence[Mapping[str, Any]],
    *,
    unique: list[str],
    newest: str | None,
    keep: Sequence[str],
) -> None:
    """Insert the rows; a row with the same `unique` columns takes the new values of all other columns but `keep`.

    newest: a column in which the new row must not be older than the stored one, or else nothing changes.
    """
    if not rows:
        return
    insert, table = _insert(session, model), model.__table__
    changed = {name: insert.excluded[name] for name in rows[0] if name not in (*unique, *keep)}
    where = insert.excluded[newest] >= table.c[newest] if newest else None
    statement = insert.on_conflict_do_update(index_elements=unique, set_=changed, where=where)
    session.execute(statement, [dict(row) for row in _in_order(rows, unique)])


def _in_order(rows: Sequence[Mapping[str, Any]], unique: list[str]) -> list[Mapping[str, Any]]:
    """Return the rows in the order of their keys, so that two transactions that write the same ones cannot deadlock."""
    return sorted(rows, key=lambda row: tuple(row[name] for name in unique))


def _insert(session: Session, model: type[DeclarativeBase]) -> postgresql.Insert | sqlite.Insert:
    """Return an insert into the model's table, after what the session holds."""
    session.flush()
    table = model.__table__
    assert isinstance(table, Table)
    insert = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    return insert(table)
