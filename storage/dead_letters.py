"""Dead letters in people's hands: try one anew, or dismiss it. And the end of jobs that nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, union_all
from sqlalchemy.orm import Session

from storage.database.rows import get, hold
from storage.models import OutboxJob
from storage.outbox import start_anew

KEPT_DAYS = 30
"""How long done and dismissed jobs are kept, and with them their keys. Until then no second job with the same key can
run. Slack repeats a click for an hour at most; what else asks twice within its incident's life finds the row of its own
(the ticket, the action, the message) and does nothing."""

PRUNED_AT_ONCE = 2_000
"""How many jobs one transaction deletes, so that no writer waits long for it."""


def get_job(session: Session, job_id: int) -> OutboxJob:
    """Return a job; raise NotFoundError if there is none."""
    return get(session, OutboxJob, job_id, "job")


def retry(session: Session, job_id: int, now: datetime) -> OutboxJob | None:
    """Try a dead letter anew, even a dismissed one; return it, or None if the job is no dead letter."""
    job = _held(session, job_id)
    if job.dead_at is None:
        return None
    start_anew(job, now)
    session.flush()
    return job


def dismiss(session: Session, job_id: int, now: datetime) -> OutboxJob | None:
    """Dismiss a dead letter, which then counts nowhere; return it, or None if it is none or dismissed already."""
    job = _held(session, job_id)
    if job.dead_at is None or job.dismissed_at is not None:
        return None
    job.dismissed_at = now
    session.flush()
    return job


def prune(session: Session, now: datetime) -> int:
    """Delete up to PRUNED_AT_ONCE jobs that were done or dismissed more than KEPT_DAYS ago; return how many."""
    until = now - timedelta(days=KEPT_DAYS)
    done = select(OutboxJob.id).where(OutboxJob.done_at < until)
    # Dismissed jobs are found among the dead letters, which have an index.
    dismissed = select(OutboxJob.id).where(OutboxJob.dead_at < until, OutboxJob.dismissed_at < until)
    ids = session.scalars(union_all(done, dismissed).limit(PRUNED_AT_ONCE)).all()
    if ids:
        session.execute(delete(OutboxJob).where(OutboxJob.id.in_(ids)))
    return len(ids)


def _held(session: Session, job_id: int) -> OutboxJob:
    job = get_job(session, job_id)
    hold(session, job)
    return job
