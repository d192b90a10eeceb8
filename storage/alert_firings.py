"""Each firing of an alert: when it began, and when it ended. So flapping is known by Argux's own record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage.database.upserts import insert_if_new
from storage.models import AlertFiring

KEPT = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class PastFiring:
    """One firing. ended_at: None while it fires."""

    fingerprint: str
    started_at: datetime
    ended_at: datetime | None
    value: float | None


def record_begin(session: Session, fingerprint: str, at: datetime, value: float | None) -> None:
    """Record that an alert began to fire; the same beginning counts once."""
    values = {"fingerprint": fingerprint, "started_at": at, "ended_at": None, "value": value}
    insert_if_new(session, AlertFiring, values, unique=["fingerprint", "started_at"])


def record_end(session: Session, fingerprint: str, at: datetime) -> None:
    """Record that an alert ended: every firing of it that began by then and has no end."""
    open_ones = (AlertFiring.fingerprint == fingerprint, AlertFiring.ended_at.is_(None), AlertFiring.started_at <= at)
    session.execute(
        update(AlertFiring).where(*open_ones).values(ended_at=at), execution_options={"synchronize_session": False}
    )


def firings_since(session: Session, fingerprints: Collection[str], since: datetime) -> Sequence[PastFiring]:
    """Return the firings of these alerts that began at or after `since`, oldest first."""
    query = (
        select(AlertFiring.fingerprint, AlertFiring.started_at, AlertFiring.ended_at, AlertFiring.value)
        .where(AlertFiring.fingerprint.in_(sorted(fingerprints)), AlertFiring.started_at >= since)
        .order_by(AlertFiring.started_at, AlertFiring.id)
    )
    return [PastFiring(*row) for row in session.execute(query)]


def drop_old_firings(session: Session, *, now: datetime, at_once: int) -> int:
    """Delete up to `at_once` firings that began more than KEPT ago; return how many."""
    old = select(AlertFiring.id).where(AlertFiring.started_at < now - KEPT)
    ids = session.scalars(old.limit(at_once)).all()
    if ids:
        session.execute(delete(AlertFiring).where(AlertFiring.id.in_(ids)))
    return len(ids)
