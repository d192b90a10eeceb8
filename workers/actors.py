"""Dramatiq's actors: thin, one a job, each a look at the outbox, one call, and a mark that it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dramatiq
import structlog
from dramatiq import Broker

from integrations.errors import PermanentError, RetryableError
from storage import outbox
from workers.errors import NotConfiguredError, RefusedError
from workers.jobs import JOBS, Job, payload
from workers.services import Services

log = structlog.get_logger()

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
"""How long a failed job waits, by how often it has failed; the last counts for all that follow."""


def register(broker: Broker, services: Services) -> None:
    """Give the broker one actor a job. `outbox_key` is there when the outbox sent it."""
    for name, job in JOBS.items():
        dramatiq.actor(
            _actor(services, name, job),
            actor_name=name,
            queue_name=job.queue,
            broker=broker,
            time_limit=job.time_limit_seconds * 1000,
        )


def _actor(services: Services, name: str, job: Job) -> Callable[..., None]:
    def act(outbox_key: str | None = None, **arguments: Any) -> None:
        run_job(services, name, job, outbox_key, arguments)

    return act


def run_job(services: Services, name: str, job: Job, outbox_key: str | None, arguments: dict[str, Any]) -> None:
    """Do the work once; a failure is put back into the outbox, or logged where the job did not come from there."""
    with structlog.contextvars.bound_contextvars(job=name, **payload(arguments)):
        if outbox_key is not None and _is_done(services, outbox_key):
            return
        try:
            job.work(services, **arguments)
        except Exception as error:
            _failed(services, outbox_key, error)
        else:
            if outbox_key is not None:
                with services.sessions.begin() as session:
                    outbox.mark_done(session, outbox_key, services.clock())


def _is_done(services: Services, outbox_key: str) -> bool:
    with services.sessions() as session:
        return outbox.is_done(session, outbox_key)


def _failed(services: Services, outbox_key: str | None, error: Exception) -> None:
    """Try again what may pass; what cannot pass goes to the dead letters at once."""
    retryable = not isinstance(error, (PermanentError, NotConfiguredError, RefusedError))
    log.warning(
        "job_failed", error=str(error), error_type=type(error).__name__, retryable=retryable, exc_info=_unexpected(error)
    )
    if outbox_key is None:
        return
    with services.sessions.begin() as session:
        attempts = outbox.attempts(session, outbox_key)
        wait = BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS) - 1)]
        if isinstance(error, RetryableError) and error.retry_after_seconds is not None:
            wait = error.retry_after_seconds
        outbox.fail(
            session,
            outbox_key,
            f"{type(error).__name__}: {error}",
            now=services.clock(),
            retry_after_seconds=wait if retryable else None,
        )


def _unexpected(error: Exception) -> bool:
    return not isinstance(error, (RetryableError, PermanentError, NotConfiguredError, RefusedError))
