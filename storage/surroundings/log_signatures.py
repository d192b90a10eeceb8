"""Log lines that another tool has counted by their form."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection import types
from storage.database.dropping import drop_old
from storage.database.reading import readable
from storage.database.texts import clipped, moment, moment_or_none, seconds_or_none
from storage.database.upserts import put
from storage.models import LogSignature


def record_signatures(session: Session, signatures: Sequence[types.LogSignature], *, now: datetime) -> None:
    """Record counts; the same form of a service in the same period takes the new count."""
    rows = [
        {
            "service": clipped(signature.service, 200),
            "text_hash": hashlib.sha256(signature.text.encode("utf-8", "replace")).hexdigest(),
            "since": moment(signature.since),
            "until": moment(signature.until),
            "text": clipped(signature.text, 10_000),
            "count": float(signature.count),
            "usual_count": signature.usual_count,
            "first_seen_at": moment_or_none(signature.first_seen_at),
            "is_bad": signature.is_bad,
            "recorded_at": now,
        }
        for signature in signatures
    ]
    put(session, LogSignature, rows, unique=["service", "text_hash", "since", "until"])


def signatures_between(
    session: Session, since: datetime, until: datetime, services: Collection[str] | None = None
) -> list[types.LogSignature]:
    """Return what was counted in periods that overlap `since` to `until`, by service, the earliest first.

    services: of these only.
    """
    query = select(LogSignature).where(LogSignature.since < until, LogSignature.until >= since)
    if services is not None:
        query = query.where(LogSignature.service.in_(sorted(services)))
    rows = readable(session, query.order_by(LogSignature.service, LogSignature.since, LogSignature.text_hash))
    return [
        types.LogSignature(
            service=row.service,
            text=row.text,
            count=int(row.count),
            usual_count=row.usual_count,
            first_seen_at=seconds_or_none(row.first_seen_at),
            is_bad=row.is_bad,
            since=row.since.timestamp(),
            until=row.until.timestamp(),
        )
        for row in rows
    ]


def drop_old_signatures(session: Session, *, now: datetime) -> int:
    """Delete some counts received long ago; return how many."""
    return drop_old(session, LogSignature, LogSignature.recorded_at, now=now)
