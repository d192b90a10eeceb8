"""What came in through the doors: one row for each process and minute, of the last hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.upserts import insert_if_new
from storage.models import ArrivalMinute


def save(session: Session, process: str, minute: datetime, tallies: Sequence[Any]) -> None:
    """Store what came in to a process in a minute, in place of what was stored for it before."""
    row = {"process": process, "minute": minute, "tallies": list(tallies)}
    if not insert_if_new(session, ArrivalMinute, row, unique=["process", "minute"]):
        is_same = (ArrivalMinute.process == process) & (ArrivalMinute.minute == minute)
        session.execute(update(ArrivalMinute).where(is_same).values(tallies=list(tallies)))


def since(session: Session, minute: datetime) -> Sequence[ArrivalMinute]:
    """Return the rows of this minute and later, the oldest first, without those that cannot be read."""
    query = select(ArrivalMinute).where(ArrivalMinute.minute >= minute)
    return readable(session, query.order_by(ArrivalMinute.minute, ArrivalMinute.process))


def delete_before(session: Session, minute: datetime) -> None:
    """Delete the rows of earlier minutes."""
    session.execute(delete(ArrivalMinute).where(ArrivalMinute.minute < minute))
