"""The outbox: jobs committed in the same transaction as the change that causes them.

A relay hands `due` jobs to the broker and marks them sent; the worker marks them done or failed. A job that was sent
but never finished is sent again. A job therefore runs at least once, and must be idempotent under its key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.database.upserts import insert_if_new
from storage.errors import NotFoundError
from storage.models import OutboxJob

MAX_ATTEMPTS = 12
_LONGEST_PAUSE_SECONDS = 300.0


def enqueue(
    session: Session,
    actor: str,
    arguments: Mapping[str, Any],
    *,
    key: str,
    now: datetime,
    delay_seconds: float = 0.0,
) -> bool:
    """Enqueue a job, due from this transaction's commit on; return False if its key was used before."""
    values = {
        "actor": actor,
        "arguments": dict(arguments),
        "key": key,
        "created_at": now,
        "available_at": now + timedelta(seconds=delay_seconds),
        "attempts": 0,
    }
    return insert_if_new(session, OutboxJob, values, unique=["key"])


def due(session: Session, *, now: datetime, limit: int) -> Sequence[OutboxJob]:
    """Return and lock jobs to hand to the broker, oldest first; on PostgreSQL two relays get different jobs."""
    query = (
        select(OutboxJob)
        .where(OutboxJob.sent_at.is_(None), OutboxJob.dead_at.is_(None), OutboxJob.available_at <= now)
        .order_by(OutboxJob.available_at, OutboxJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def mark_sent(session: Session, key: str, now: datetime) -> None:
    """Record that the broker has accepted the job."""
    _held(session, key).sent_at = now
    session.flush()


def mark_done(session: Session, key: str, now: datetime) -> None:
    """Record that the job's work is finished, so that it is never sent again."""
    job = _held(session, key)
    job.done_at = now
    job.sent_at = job.sent_at or now
    session.flush()


def fail(
    session: Session,
    key: str,
    error: str,
    *,
    now: datetime,
    retry_after_seconds: float | None = None,
    permanent: bool = False,
) -> bool:
    """Record a failed attempt and schedule a retry: after `retry_after_seconds`, else with backoff 1, 2, 4 … 300 s.

    After MAX_ATTEMPTS, or at once if `permanent`, the job becomes a dead letter instead; return whether it did.
    """
    job = _held(session, key)
    if job.done_at is not None:
        return False
    job.attempts += 1
    job.error = error
    if permanent or job.attempts >= MAX_ATTEMPTS:
        job.dead_at = now
    else:
        pause = min(2.0 ** (job.attempts - 1), _LONGEST_PAUSE_SECONDS)
        job.available_at = now + timedelta(seconds=pause if retry_after_seconds is None else retry_after_seconds)
        job.sent_at = None
    session.flush()
    return job.dead_at is not None


def postpone(session: Session, key: str, *, now: datetime, seconds: float) -> None:
    """Send the job again later, because it is not its turn yet; this does not count as a failed attempt."""
    job = _held(session, key)
    if job.done_at is None and job.dead_at is None:
        job.available_at = now + timedelta(seconds=seconds)
        job.sent_at = None
    session.flush()


def hasten(session: Session, key: str, *, now: datetime) -> None:
    """Make a postponed job due now, because what it waits for has happened; do nothing to any other job."""
    query = select(OutboxJob).where(
        OutboxJob.key == key,
        OutboxJob.sent_at.is_(None),
        OutboxJob.dead_at.is_(None),
        OutboxJob.done_at.is_(None),
        OutboxJob.available_at > now,
    )
    job = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if job is not None:
        job.available_at = now
        session.flush()


def resend_lost(session: Session, *, now: datetime, older_than_seconds: float) -> int:
    """Resend jobs that were sent long ago and never finished; return how many.

    Each loss counts as a failed attempt, so that a job which kills its worker every time becomes a dead letter.
    """
    query = (
        select(OutboxJob)
        .where(
            OutboxJob.sent_at <= now - timedelta(seconds=older_than_seconds),
            OutboxJob.done_at.is_(None),
            OutboxJob.dead_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    lost = session.scalars(query).all()
    for job in lost:
        fail(session, job.key, "sent, and never heard of again", now=now, retry_after_seconds=0.0)
    return len(lost)


def is_done(session: Session, key: str) -> bool:
    """Tell whether the job's work is finished, so that a second delivery of it can be skipped."""
    return session.scalars(select(OutboxJob.done_at).where(OutboxJob.key == key)).one_or_none() is not None


def dead_letters(session: Session) -> Sequence[OutboxJob]:
    """Return the dead letters, newest first: jobs given up, which a person must look at."""
    query = select(OutboxJob).where(OutboxJob.dead_at.is_not(None))
    return session.scalars(query.order_by(OutboxJob.dead_at.desc(), OutboxJob.id.desc())).all()


def _held(session: Session, key: str) -> OutboxJob:
    query = select(OutboxJob).where(OutboxJob.key == key).with_for_update()
    job = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise NotFoundError("job", key)
    return job
