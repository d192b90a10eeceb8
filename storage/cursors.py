"""Cursors: how far each outside source has been read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storage.database.reading import leave_out
from storage.database.upserts import insert_if_new
from storage.errors import UnreadableError
from storage.models import PullCursor

Position = TypeVar("Position")


def read_cursor(session: Session, source: str, read: Callable[[Mapping[str, Any]], Position]) -> Position | None:
    """Return what `read` makes of the position where the last read of a source ended; None before the first read.

    A position that cannot be read is told, and counts as none: the source is read anew, from its beginning.
    """
    try:
        query = select(PullCursor.position).where(PullCursor.source == source)
        rows = session.scalars(query).all()
        return read(rows[0]) if rows else None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}; it is begun anew"
        leave_out(f"reading the position of {source}", UnreadableError(PullCursor.__tablename__, source, reason))
        return None


def save_cursor(session: Session, source: str, position: Mapping[str, Any], *, now: datetime) -> None:
    """Store the position where this read ended."""
    values = {"position": dict(position), "updated_at": now}
    if not insert_if_new(session, PullCursor, {"source": source, **values}, unique=["source"]):
        session.execute(update(PullCursor).where(PullCursor.source == source).values(**values))
