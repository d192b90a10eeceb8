"""The team's own named patterns, and which of the built-in ones it has turned off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import Severity
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
    """Keep a pattern; NameTakenError where there is one of this name. The expression is the caller's to check."""
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
    """By name."""
    return session.scalars(select(LogPattern).order_by(LogPattern.name)).all()


def find_pattern(session: Session, name: str) -> LogPattern | None:
    """The row of this name, if there is one."""
    return session.get(LogPattern, name)


def remove_pattern(session: Session, name: str) -> None:
    """Forget it; NotFoundError where there is none."""
    session.delete(get(session, LogPattern, name, "pattern"))
