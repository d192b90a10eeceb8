"""The outbox: jobs committed together with the change that causes them.

A relay hands `due` jobs to the broker and marks them sent; the worker marks them done or failed. A job that was sent
and never came back is sent again, so a job runs at least once and must be idempotent under its key.
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
    """Owe a job from this transaction's commit on; False when a job with this key was owed before."""
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
    """Jobs to hand to the broker, oldest first; two relays on PostgreSQL get different ones."""
    query = (
        select(OutboxJob)
        .where(OutboxJob.sent_at.is_(None), OutboxJob.dead_at.is_(None), OutboxJob.available_at <= now)
        .order_by(OutboxJob.available_at, OutboxJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


def mark_sent(session: Session, key: str, now: datetime) -> None:
    """The broker has it."""
    _held(session, key).sent_at = now
    session.flush()


def mark_done(session: Session, key: str, now: datetime) -> None:
    """Its work is finished: never again."""
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
    """Note a failed attempt and send it again later: when the other side said, else after 1, 2, 4 … 300 s.

    After MAX_ATTEMPTS, or at once when trying again cannot help, it goes to the dead letters; True when it did.
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
    """Send it again a little later, because it is not its turn yet: no failure, so none is counted."""
    job = _held(session, key)
    if job.done_at is None and job.dead_at is None:
        job.available_at = now + timedelta(seconds=seconds)
        job.sent_at = None
    session.flush()


def resend_lost(session: Session, *, now: datetime, older_than_seconds: float) -> int:
    """Send again what was sent long ago and never done; returns how many.

    Each loss is an attempt, so that a job which kills its worker every time ends among the dead letters.
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
    """Whether the job's work is finished, so that a second delivery of it has nothing left to do."""
    return session.scalars(select(OutboxJob.done_at).where(OutboxJob.key == key)).one_or_none() is not None


def dead_letters(session: Session) -> Sequence[OutboxJob]:
    """Jobs given up, newest first: a person must look."""
    query = select(OutboxJob).where(OutboxJob.dead_at.is_not(None))
    return session.scalars(query.order_by(OutboxJob.dead_at.desc(), OutboxJob.id.desc())).all()


def _held(session: Session, key: str) -> OutboxJob:
    query = select(OutboxJob).where(OutboxJob.key == key).with_for_update()
    job = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise NotFoundError("job", key)
    return job
