"""How far each outside source has been read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage.models import PullCursor


def read_cursor(session: Session, source: str) -> Mapping[str, Any] | None:
    """Where the last look at a source ended; None where there was none yet."""
    cursor = session.get(PullCursor, source)
    return None if cursor is None else cursor.position


def save_cursor(session: Session, source: str, position: Mapping[str, Any], *, now: datetime) -> None:
    """Keep where this look ended."""
    session.merge(PullCursor(source=source, position=dict(position), updated_at=now))
    session.flush()
