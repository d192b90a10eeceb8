"""The Dramatiq actors, one per job: skip the job if the outbox says it is done, run it, mark it done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from dramatiq import Actor, Broker

from integrations.errors import PermanentError, RetryableError
from storage import outbox
from workers.errors import NotConfiguredError, NotYetError, RefusedError
from workers.queueing.queues import QUEUES, priority
from workers.running.jobs import JOBS, Job, payload
from workers.services import Services

log = structlog.get_logger()


def register(broker: Broker, services: Services) -> None:
    """Register one actor per job with the broker. Messages from the outbox carry an `outbox_key`."""
    for name, job in JOBS.items():
        Actor(
            _actor(services, name, job),
            broker=broker,
            actor_name=name,
            queue_name=QUEUES[name],
            priority=priority(name),
            options={"time_limit": int(job.time_limit_seconds * 1000)},
        )


def _actor(services: Services, name: str, job: Job) -> Callable[..., None]:
    def act(outbox_key: str | None = None, **arguments: Any) -> None:
        run_job(services, name, job, outbox_key, arguments)

    return act


def run_job(services: Services, name: str, job: Job, outbox_key: str | None, arguments: dict[str, Any]) -> None:
    """Run the job once. On failure, have the outbox retry it; for a job not from the outbox, only log the error."""
    with structlog.contextvars.bound_contextvars(job=name, **payload(arguments)):
        if outbox_key is not None and _is_done(services, outbox_key):
            return
        try:
            job.work(services, **arguments)
        except NotYetError as error:
            _postpone(services, outbox_key, error)
        except Exception as error:  # noqa: BLE001 - any error of a job is recorded, and the job retried
            if _record_failure(services, outbox_key, error) and job.given_up is not None:
                job.given_up(services, reason=str(error), **arguments)
        else:
            if outbox_key is not None:
                with services.sessions.begin() as session:
                    outbox.mark_done(session, outbox_key, services.clock())


def _is_done(services: Services, outbox_key: str) -> bool:
    with services.readers() as session:
        return outbox.is_done(session, outbox_key)


def _postpone(services: Services, outbox_key: str | None, error: NotYetError) -> None:
    log.debug("job_put_off", reason=str(error))
    if outbox_key is not None:
        with services.sessions.begin() as session:
            outbox.postpone(session, outbox_key, now=services.clock(), seconds=error.after_seconds)


def _record_failure(services: Services, outbox_key: str | None, error: Exception) -> bool:
    """Schedule a retry, or move the job to the dead letters when a retry cannot help or none is left.

    Return True when the job became a dead letter.
    """
    retryable = not isinstance(error, (PermanentError, NotConfiguredError, RefusedError))
    log.warning(
        "job_failed",
        error=str(error),
        error_type=type(error).__name__,
        retryable=retryable,
        exc_info=_is_unexpected(error),
    )
    if outbox_key is None:
        return False
    wait = error.retry_after_seconds if isinstance(error, RetryableError) else None
    with services.sessions.begin() as session:
        return outbox.fail(
            session,
            outbox_key,
            f"{type(error).__name__}: {error}",
            now=services.clock(),
            retry_after_seconds=wait,
            permanent=not retryable,
        )


def _is_unexpected(error: Exception) -> bool:
    return not isinstance(error, (RetryableError, PermanentError, NotConfiguredError, RefusedError))
