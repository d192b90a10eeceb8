"""The team's own named log patterns, and the built-in ones that it has turned off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import Severity
from storage.database.reading import readable
from storage.database.rows import get
from storage.database.upserts import insert_if_new
from storage.errors import NameTakenError
from storage.models import LogPattern


def add_pattern(
    session: Session,
    *,
    name: str,
    expression: str,
    severity: Severity,
    description: str,
    enabled: bool = True,
    by: str,
    now: datetime,
) -> LogPattern:
    """Store a pattern. Raises NameTakenError if the name is in use. The caller must have validated the expression."""
    values = {
        "name": name,
        "expression": expression,
        "severity": severity,
        "description": description,
        "enabled": enabled,
        "created_at": now,
        "created_by": by,
    }
    if not insert_if_new(session, LogPattern, values, unique=["name"]):
        raise NameTakenError(f"There is a pattern called {name} already.")
    return get(session, LogPattern, name, "pattern")


def list_patterns(session: Session) -> Sequence[LogPattern]:
    """Return all stored patterns that can be read, ordered by name."""
    return readable(session, select(LogPattern).order_by(LogPattern.name))


def find_pattern(session: Session, name: str) -> LogPattern | None:
    """Return the pattern of this name, or None."""
    return session.get(LogPattern, name)


def remove_pattern(session: Session, name: str) -> None:
    """Delete a pattern; raise NotFoundError if there is none of this name."""
    session.delete(get(session, LogPattern, name, "pattern"))
