"""The outbox: jobs committed in the same transaction as the change that causes them.

A relay hands `due` jobs to the broker and marks them sent; the worker marks them begun, then done or failed. A job that
the broker has lost is sent again. A job therefore runs at least once, and must be idempotent under its key. Waiting,
in the queue or for a rate limit, is no attempt: only a run that failed, or that ended without a word, counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storage.database.reading import readable
from storage.database.upserts import insert_if_new
from storage.errors import NotFoundError
from storage.models import OutboxJob

MAX_ATTEMPTS = 12
LONGEST_WAIT_SECONDS = 6 * 3600.0
"""How long a job may be told to wait, from the first time on. After that a wait counts as a failed attempt."""

GIVE_UP = "give_up"
"""The job that tells whoever waits for a dead letter; it is committed together with the death."""

TELL_DEAD_LETTERS = "tell_dead_letters"
"""The job that shows the dead letters in the channel."""

_LONGEST_PAUSE_SECONDS = 300.0
_SHORTEST_WAIT_SECONDS = 1.0

_running_key: ContextVar[str | None] = ContextVar("running_key", default=None)


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


def unfinished(session: Session, key_prefix: str) -> int:
    """Count the jobs whose key begins so, and that are neither done nor given up."""
    query = select(func.count()).where(
        OutboxJob.key.startswith(key_prefix, autoescape=True), OutboxJob.done_at.is_(None), OutboxJob.dead_at.is_(None)
    )
    return session.scalar(query) or 0


def hasten_all(session: Session, key_prefix: str, *, to: datetime) -> None:
    """Make the jobs whose key begins so, and that are not sent yet, due at `to` if they were due later."""
    session.execute(
        update(OutboxJob)
        .where(OutboxJob.key.startswith(key_prefix, autoescape=True), OutboxJob.sent_at.is_(None))
        .where(OutboxJob.done_at.is_(None), OutboxJob.dead_at.is_(None), OutboxJob.available_at > to)
        .values(available_at=to)
    )


def enqueue_again(session: Session, actor: str, arguments: Mapping[str, Any], *, key: str, now: datetime) -> bool:
    """As `enqueue`, but a dead letter does not keep its key: the job is tried anew, with these arguments.

    For what a person may press again. Return False if the job is done, or still on its way.
    """
    if enqueue(session, actor, arguments, key=key, now=now):
        return True
    job = _held(session, key)
    if job.dead_at is None:
        return False
    job.arguments = dict(arguments)
    start_anew(job, now)
    session.flush()
    return True


def start_anew(job: OutboxJob, now: datetime) -> None:
    """Make a dead letter due again, with all its attempts."""
    job.attempts = 0
    job.available_at = now
    job.sent_at = job.message_id = job.begun_at = job.waiting_since = job.dead_at = job.dismissed_at = None


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job to hand to the broker. arguments: an `Unreadable` where what is stored is no JSON object."""

    key: str
    actor: str
    arguments: Mapping[str, Any]


def due(session: Session, *, now: datetime, limit: int) -> Sequence[DueJob]:
    """Return and lock jobs to hand to the broker, oldest first; on PostgreSQL two relays get different jobs."""
    query = (
        select(OutboxJob.key, OutboxJob.actor, OutboxJob.arguments)
        .where(OutboxJob.sent_at.is_(None), OutboxJob.dead_at.is_(None), OutboxJob.available_at <= now)
        .order_by(OutboxJob.available_at, OutboxJob.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [DueJob(key, actor, arguments) for key, actor, arguments in session.execute(query)]


def mark_sent(session: Session, key: str, now: datetime, *, message_id: str | None = None) -> None:
    """Record that the broker has accepted the job, as the message of this id."""
    job = _held(session, key)
    job.sent_at, job.message_id = now, message_id
    session.flush()


def begin(session: Session, key: str, now: datetime) -> bool:
    """Record that a worker begins the job; return False if it must not run: it is done or dead.

    A run that began and never ended, because its worker was killed, counts as a failed attempt. So a job that kills its
    worker every time becomes a dead letter. Call it only where no other worker can be at the same job.
    """
    job = _held(session, key)
    if job.done_at is not None or job.dead_at is not None:
        return False
    if job.begun_at is not None:
        job.attempts += 1
        job.error = job.error or "a worker began this and never ended it"
    job.begun_at = now
    if job.attempts >= MAX_ATTEMPTS:
        _bury(session, job, now)
    session.flush()
    return job.dead_at is None


def mark_done(session: Session, key: str, now: datetime) -> None:
    """Record that the job's work is finished, so that it is never sent again and no longer counts as a dead letter."""
    job = _held(session, key)
    job.done_at = now
    job.sent_at = job.sent_at or now
    job.begun_at = job.dead_at = job.dismissed_at = None
    session.flush()


@contextmanager
def running(key: str) -> Iterator[None]:
    """Say that the block is the work of this job, for `finish_running`."""
    token = _running_key.set(key)
    try:
        yield
    finally:
        _running_key.reset(token)


def finish_running(session: Session, now: datetime) -> None:
    """Mark the job at work done in this transaction; outside a job do nothing.

    Call it in the transaction that changes something for good: a worker killed after the commit has then left nothing
    that a second run would do, or say, again.
    """
    key = _running_key.get()
    if key is not None:
        mark_done(session, key, now)


@dataclass(frozen=True, slots=True)
class RunningJob:
    """The job at work: its key, and when it was enqueued."""

    key: str
    since: datetime


def running_job(session: Session) -> RunningJob | None:
    """Return the job at work; None outside one, or for one that is not from the outbox."""
    key = _running_key.get()
    if key is None:
        return None
    since = session.scalars(select(OutboxJob.created_at).where(OutboxJob.key == key)).one_or_none()
    return RunningJob(key, since) if since is not None else None


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
    if job.done_at is not None or job.dead_at is not None:
        return False
    job.attempts += 1
    job.error = error
    if permanent or job.attempts >= MAX_ATTEMPTS:
        _bury(session, job, now)
    else:
        pause = min(2.0 ** (job.attempts - 1), _LONGEST_PAUSE_SECONDS)
        _send_later(job, now, pause if retry_after_seconds is None else retry_after_seconds)
    session.flush()
    return job.dead_at is not None


def wait(session: Session, key: str, error: str, *, now: datetime, seconds: float) -> bool:
    """Send the job again when the outside system allows it; that is no failed attempt for LONGEST_WAIT_SECONDS.

    After that it is one, so that nothing waits silently for ever. Return whether the job became a dead letter.
    """
    job = _held(session, key)
    if job.done_at is not None or job.dead_at is not None:
        return False
    seconds = max(seconds, _SHORTEST_WAIT_SECONDS)
    job.waiting_since = job.waiting_since or now
    if now - job.waiting_since >= timedelta(seconds=LONGEST_WAIT_SECONDS):
        return fail(session, key, error, now=now, retry_after_seconds=seconds)
    job.error = error
    _send_later(job, now, seconds)
    session.flush()
    return False


def postpone(session: Session, key: str, *, now: datetime, seconds: float) -> None:
    """Send the job again later, because it is not its turn yet; this does not count as a failed attempt."""
    job = _held(session, key)
    if job.done_at is None and job.dead_at is None:
        _send_later(job, now, seconds)
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


@dataclass(frozen=True, slots=True)
class SentJob:
    """A job that was sent and has not ended. message_id: None if it was sent before ids were kept."""

    key: str
    actor: str
    message_id: str | None


def sent_and_unfinished(session: Session, *, sent_before: datetime, limit: int) -> Sequence[SentJob]:
    """Return jobs that were sent before that moment and have not ended, the first sent first."""
    query = (
        select(OutboxJob.key, OutboxJob.actor, OutboxJob.message_id)
        .where(OutboxJob.sent_at <= sent_before, OutboxJob.done_at.is_(None), OutboxJob.dead_at.is_(None))
        .order_by(OutboxJob.sent_at)
        .limit(limit)
    )
    return [SentJob(key, actor, message_id) for key, actor, message_id in session.execute(query)]


def send_again(session: Session, lost: SentJob, *, now: datetime, begun_delay_seconds: float) -> bool:
    """Make a job due again whose message the broker has lost; return False if it has ended or was sent again meanwhile.

    begun_delay_seconds: how long to leave a job alone that a worker has begun, because that worker may still be at it.
    """
    job = _held(session, lost.key)
    if job.done_at is not None or job.dead_at is not None or job.sent_at is None or job.message_id != lost.message_id:
        return False
    job.sent_at = None
    job.available_at = now + timedelta(seconds=begun_delay_seconds if job.begun_at is not None else 0.0)
    session.flush()
    return True


def is_done(session: Session, key: str) -> bool:
    """Tell whether the job's work is finished, so that a second delivery of it can be skipped."""
    return session.scalars(select(OutboxJob.done_at).where(OutboxJob.key == key)).one_or_none() is not None


def dead_letters(session: Session, *, limit: int | None = None) -> Sequence[OutboxJob]:
    """Return the dead letters that nobody has dismissed, newest first: jobs given up, which a person must look at."""
    query = select(OutboxJob).where(*_IS_DEAD_LETTER)
    return readable(session, query.order_by(OutboxJob.dead_at.desc(), OutboxJob.id.desc()).limit(limit))


def count_dead_letters(session: Session) -> tuple[int, datetime | None]:
    """Return how many dead letters nobody has dismissed, and since when there is one."""
    query = select(func.count(), func.min(OutboxJob.dead_at)).where(*_IS_DEAD_LETTER)
    count, since = session.execute(query).one()
    return count, since


_IS_DEAD_LETTER = (OutboxJob.dead_at.is_not(None), OutboxJob.dismissed_at.is_(None))


def _bury(session: Session, job: OutboxJob, now: datetime) -> None:
    """Make the job a dead letter, and enqueue in the same transaction what tells people of it.

    Those two jobs themselves die quietly: telling of their death would fail as they did.
    """
    job.dead_at, job.begun_at = now, None
    if job.actor not in (GIVE_UP, TELL_DEAD_LETTERS):
        death = f"{job.id}:{now.timestamp()}"
        enqueue(session, GIVE_UP, {"job_id": job.id}, key=f"{GIVE_UP}:{death}", now=now)
        enqueue(session, TELL_DEAD_LETTERS, {}, key=f"{TELL_DEAD_LETTERS}:{death}", now=now)


def _send_later(job: OutboxJob, now: datetime, seconds: float) -> None:
    job.available_at = now + timedelta(seconds=seconds)
    job.sent_at = job.begun_at = None


def _held(session: Session, key: str) -> OutboxJob:
    query = select(OutboxJob).where(OutboxJob.key == key).with_for_update()
    job = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise NotFoundError("job", key)
    return job
