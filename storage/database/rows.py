"""Finding rows that must be there, and holding them still."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.orm import Session

from storage.database.base import Base
from storage.errors import NotFoundError

Row = TypeVar("Row", bound=Base)


def get(session: Session, model: type[Row], key: object, what: str) -> Row:
    """The row with this primary key, or NotFoundError."""
    row = session.get(model, key)
    if row is None:
        raise NotFoundError(what, key)
    return row


def hold(session: Session, row: Row) -> None:
    """Read the row anew and keep others from changing it until this transaction ends."""
    session.refresh(row, with_for_update=True)
