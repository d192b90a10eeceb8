"""What the status feeds of providers say of their incidents, each in its newest state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.reading import readable
from storage.database.texts import clipped, moment, moment_or_none, seconds_or_none
from storage.database.upserts import put
from storage.models import ProviderStatus

_MOST_RATES = 10_000


def record_statuses(session: Session, statuses: Sequence[types.ProviderStatus], *, now: datetime) -> None:
    """Record statuses; one that is known by its provider and id takes the new state."""
    rows = [
        {
            "provider": clipped(status.provider, 200),
            "status_id": clipped(status.status_id, 200),
            "title": clipped(status.title, 2_000),
            "component": clipped(status.component, 500),
            "impact": clipped(status.impact, 100),
            "began_at": moment(status.began_at),
            "ended_at": moment_or_none(status.ended_at),
            "hosts": [clipped(host, 300) for host in status.hosts],
            "error_rates": [list(rate) for rate in status.error_rates[-_MOST_RATES:]],
            "details": dict(status.details),
            "recorded_at": now,
        }
        for status in statuses
    ]
    put(session, ProviderStatus, rows, unique=["provider", "status_id"])


def statuses_between(session: Session, since: datetime, until: datetime) -> list[types.ProviderStatus]:
    """Return the statuses of incidents that lasted at some time from `since` to `until`, the first to begin first."""
    query = select(ProviderStatus).where(
        ProviderStatus.began_at < until, or_(ProviderStatus.ended_at.is_(None), ProviderStatus.ended_at >= since)
    )
    in_order = query.order_by(ProviderStatus.began_at, ProviderStatus.provider, ProviderStatus.status_id)
    return [_status(row) for row in readable(session, in_order, _status)]


def drop_old_statuses(session: Session, *, now: datetime) -> int:
    """Delete some statuses of which nothing was heard for long; return how many."""
    return drop_old(session, ProviderStatus, ProviderStatus.recorded_at, now=now)


def _status(row: ProviderStatus) -> types.ProviderStatus:
    return types.ProviderStatus(
        status_id=row.status_id,
        provider=row.provider,
        title=row.title,
        component=row.component,
        impact=row.impact,
        began_at=row.began_at.timestamp(),
        ended_at=seconds_or_none(row.ended_at),
        hosts=tuple(str(host) for host in row.hosts),
        error_rates=tuple((float(at), float(share)) for at, share in row.error_rates),
        details=dict(row.details),
    )
