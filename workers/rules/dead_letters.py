"""Retry and dismiss jobs that were given up; each is recorded in the audit chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import audit, dead_letters, outbox
from storage.models import OutboxJob
from workers.errors import RefusedError
from workers.services import Services


def retry_jobs(services: Services, job_ids: Sequence[int], *, actor: str) -> list[OutboxJob]:
    """Try these dead letters anew, with all their attempts, and return them.

    Raise RefusedError if none of them is a dead letter.
    """
    return _each(services, job_ids, dead_letters.retry, "job_retried", actor)


def dismiss_jobs(services: Services, job_ids: Sequence[int], *, actor: str) -> list[OutboxJob]:
    """Dismiss these dead letters, so that they are counted nowhere, and return them.

    Raise RefusedError if none of them is a dead letter that nobody has dismissed.
    """
    return _each(services, job_ids, dead_letters.dismiss, "job_dismissed", actor)


def _each(
    services: Services,
    job_ids: Sequence[int],
    change: Callable[[Session, int, datetime], OutboxJob | None],
    event: str,
    actor: str,
) -> list[OutboxJob]:
    now = services.clock()
    with services.sessions.begin() as session:
        found = (change(session, job_id, now) for job_id in sorted(set(job_ids)))
        jobs = [job for job in found if job is not None]
        if not jobs:
            raise RefusedError("No such job waits for a decision: it was retried, dismissed or done meanwhile.")
        key = f"{outbox.TELL_DEAD_LETTERS}:{event}:{jobs[0].id}:{now.timestamp()}"
        outbox.enqueue(session, outbox.TELL_DEAD_LETTERS, {}, key=key, now=now)
        outbox.finish_running(session, now)
        for job in jobs:
            audit.append(
                session,
                key=services.audit_key,
                actor=actor,
                event=event,
                payload={"job_id": job.id, "job": job.actor, "error": job.error or ""},
                now=now,
            )
    return jobs
