"""Cursors: how far each outside source has been read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage.models import PullCursor


def read_cursor(session: Session, source: str) -> Mapping[str, Any] | None:
    """Return the position where the last read of a source ended; None before the first read."""
    cursor = session.get(PullCursor, source)
    return None if cursor is None else cursor.position


def save_cursor(session: Session, source: str, position: Mapping[str, Any], *, now: datetime) -> None:
    """Store the position where this read ended."""
    session.merge(PullCursor(source=source, position=dict(position), updated_at=now))
    session.flush()
