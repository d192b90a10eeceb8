"""The Dramatiq actors, one per job: skip the job if the outbox says it is done or dead, run it, record its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from dramatiq import Actor, Broker
from dramatiq.middleware import TimeLimitExceeded

from integrations.errors import PermanentError, RateLimitedError, RetryableError
from storage import outbox
from storage.errors import DatabaseUnavailableError, StorageError
from workers.errors import NotConfiguredError, NotYetError, RefusedError
from workers.locks import lease
from workers.queueing.queues import QUEUES, priority
from workers.running.jobs import JOBS, Job, payload
from workers.services import Services

log = structlog.get_logger()

LIMITED_SECONDS = 30.0
"""How long a job waits for a rate limit that does not say how long."""


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
    """Run the job once, and record how it ended; the outbox then retries what failed.

    If another worker is at the same job, return: that one records the end. An error of the database or of the broker
    while the job begins or ends is raised; Dramatiq then drops the message, and the relay finds that it is lost.
    """
    with structlog.contextvars.bound_contextvars(job=name, **payload(arguments)):
        if outbox_key is None:
            _run_unrecorded(services, job, arguments)
            return
        with lease(services, f"job:{outbox_key}") as is_free:
            if is_free and _begin(services, outbox_key):
                _run(services, job, outbox_key, arguments)


def _begin(services: Services, outbox_key: str) -> bool:
    with services.sessions.begin() as session:
        return outbox.begin(session, outbox_key, services.clock())


def _run(services: Services, job: Job, outbox_key: str, arguments: dict[str, Any]) -> None:
    try:
        with outbox.running(outbox_key):
            job.work(services, **arguments)
    except NotYetError as error:
        log.debug("job_put_off", reason=str(error))
        with services.sessions.begin() as session:
            outbox.postpone(session, outbox_key, now=services.clock(), seconds=error.after_seconds)
    except (Exception, TimeLimitExceeded) as error:  # noqa: BLE001 - any error of a job is recorded, and it is retried
        _record_failure(services, outbox_key, error)
    else:
        _mark_done(services, outbox_key)


def _run_unrecorded(services: Services, job: Job, arguments: dict[str, Any]) -> None:
    """Run a job that is not from the outbox, so that nothing retries it: who waits for it is told at once."""
    try:
        job.work(services, **arguments)
    except NotYetError as error:
        log.debug("job_put_off", reason=str(error))
    except (Exception, TimeLimitExceeded) as error:  # noqa: BLE001 - any error is told to who waits
        _log_failure(error)
        if job.given_up is not None:
            job.given_up(services, reason=reason_text(error), **arguments)


def _mark_done(services: Services, outbox_key: str) -> None:
    """Mark the job done, unless its own last transaction has."""
    with services.readers() as session:
        if outbox.is_done(session, outbox_key):
            return
    with services.sessions.begin() as session:
        outbox.mark_done(session, outbox_key, services.clock())


def _record_failure(services: Services, outbox_key: str, error: BaseException) -> None:
    """Have the job wait as a rate limit asks, retry it, or give it up if a retry cannot help or none is left."""
    _log_failure(error)
    text, now = reason_text(error), services.clock()
    with services.sessions.begin() as session:
        if isinstance(error, RateLimitedError):
            seconds = LIMITED_SECONDS if error.retry_after_seconds is None else error.retry_after_seconds
            outbox.wait(session, outbox_key, text, now=now, seconds=seconds)
            return
        outbox.fail(
            session,
            outbox_key,
            text,
            now=now,
            retry_after_seconds=error.retry_after_seconds if isinstance(error, RetryableError) else None,
            permanent=_is_permanent(error),
        )


def _log_failure(error: BaseException) -> None:
    log.warning(
        "job_failed",
        error=str(error),
        error_type=type(error).__name__,
        retryable=not _is_permanent(error),
        exc_info=_is_unexpected(error),
    )


def _is_permanent(error: BaseException) -> bool:
    """Whether a retry cannot help: it was refused, a setting is missing, or what it is about is not there."""
    if isinstance(error, DatabaseUnavailableError):
        return False
    return isinstance(error, (PermanentError, NotConfiguredError, RefusedError, StorageError))


def reason_text(error: BaseException) -> str:
    """Return why a job failed, for people. An error of Argux itself is only named: its text may hold anything."""
    if isinstance(error, TimeLimitExceeded):
        return "it took too long"
    if _is_unexpected(error):
        return f"an error inside Argux ({type(error).__name__}); the worker's log says more"
    return str(error).rstrip(".")


def _is_unexpected(error: BaseException) -> bool:
    return not _is_permanent(error) and not isinstance(error, (RetryableError, DatabaseUnavailableError))
