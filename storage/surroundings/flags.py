"""Changes of flags and configuration values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.reading import readable
from storage.database.texts import clipped, clipped_or_none, moment
from storage.database.upserts import insert_new
from storage.models import FlagChange

REPEATED_WITHIN = timedelta(minutes=10)
"""How long after a change the same report without a time counts as a repeat of it (a script that tries again)."""

_LONGEST_VALUE = 10_000


def record_flag_changes(session: Session, changes: Sequence[types.FlagChange], *, now: datetime) -> int:
    """Record changes, each once by its id; return how many are new."""
    rows = [
        {
            "change_id": clipped(change.change_id, 200),
            "flag": clipped(change.flag, 300),
            "service": clipped_or_none(change.service, 200),
            "environment": clipped(change.environment, 200),
            "before": None if change.before is None else clipped(change.before, _LONGEST_VALUE),
            "after": clipped(change.after, _LONGEST_VALUE),
            "changed_at": moment(change.changed_at),
            "changed_by": clipped_or_none(change.changed_by, 200),
            "source": clipped(change.source, 50),
            "recorded_at": now,
        }
        for change in changes
    ]
    return insert_new(session, FlagChange, rows, unique=["change_id"])


def flag_changes_between(session: Session, since: datetime, until: datetime) -> list[types.FlagChange]:
    """Return the changes from `since` (inclusive) to `until` (exclusive), oldest first."""
    query = select(FlagChange).where(FlagChange.changed_at >= since, FlagChange.changed_at < until)
    rows = readable(session, query.order_by(FlagChange.changed_at, FlagChange.change_id))
    return [
        types.FlagChange(
            change_id=row.change_id,
            flag=row.flag,
            service=row.service,
            environment=row.environment,
            before=row.before,
            after=row.after,
            changed_at=row.changed_at.timestamp(),
            changed_by=row.changed_by,
            source=row.source,
        )
        for row in rows
    ]


def drop_old_flag_changes(session: Session, *, now: datetime) -> int:
    """Delete some changes received long ago; return how many."""
    return drop_old(session, FlagChange, FlagChange.recorded_at, now=now)


def is_repeated(session: Session, change: types.FlagChange, *, now: datetime) -> bool:
    """Whether a change that is told without a time repeats the latest of its flag, told within ten minutes."""
    query = select(FlagChange).where(
        FlagChange.flag == change.flag,
        FlagChange.environment == change.environment,
        FlagChange.service.is_(None) if change.service is None else FlagChange.service == change.service,
        FlagChange.changed_at >= now - REPEATED_WITHIN,
    )
    latest = readable(session, query.order_by(FlagChange.changed_at.desc(), FlagChange.change_id).limit(1))
    return bool(latest) and latest[0].after == change.after
