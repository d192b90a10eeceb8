"""Delete old rows, a bounded number in one transaction, so that no writer waits long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.database.base import Base

KEPT = timedelta(days=35)
"""How long flags, commits, the service map and what others report are kept."""

DROPPED_AT_ONCE = 2_000
"""How many rows of one table one transaction deletes."""


def drop_old(
    session: Session,
    model: type[Base],
    column: InstrumentedAttribute[datetime],
    *,
    now: datetime,
    only: ColumnElement[bool] | None = None,
) -> int:
    """Delete up to DROPPED_AT_ONCE rows whose `column` is more than KEPT ago; return how many. only: which of them."""
    key: Any = tuple_(*model.__table__.primary_key)
    old = select(*model.__table__.primary_key).where(column < now - KEPT)
    if only is not None:
        old = old.where(only)
    keys = session.execute(old.limit(DROPPED_AT_ONCE)).all()
    for start in range(0, len(keys), 500):
        some = [tuple(one) for one in keys[start : start + 500]]
        session.execute(delete(model).where(key.in_(some)), execution_options={"synchronize_session": False})
    return len(keys)
