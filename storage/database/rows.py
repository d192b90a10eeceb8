"""Load rows that must exist, and lock them; look whether there are any."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from storage.database.base import Base
from storage.errors import NotFoundError

Row = TypeVar("Row", bound=Base)


def get(session: Session, model: type[Row], key: object, what: str) -> Row:
    """Return the row with this primary key; raise NotFoundError if there is none. what: its name in the error."""
    row = session.get(model, key)
    if row is None:
        raise NotFoundError(what, key)
    return row


def hold(session: Session, row: Row) -> None:
    """Reload the row and lock it against changes by others until this transaction ends.

    SELECT … FOR NO KEY UPDATE: others may still insert rows that refer to it.
    """
    session.refresh(row, with_for_update={"key_share": True})


def holds_any(session: Session, model: type[Base]) -> bool:
    """Whether a table holds any row at all."""
    return session.execute(select(literal(1)).select_from(model).limit(1)).first() is not None
