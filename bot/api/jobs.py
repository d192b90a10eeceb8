"""The API of the jobs that failed for good: list, retry and dismiss them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError
from storage import dead_letters, outbox
from storage.models import OutboxJob
from workers.errors import RefusedError, told_plainly
from workers.rules.dead_letters import dismiss_jobs, retry_jobs
from workers.words.jobs import job_text

router = APIRouter(prefix="/jobs", tags=["Jobs"])

JobId = Annotated[int, Path(ge=1, le=2**31 - 1)]

NOT_WAITING = {"description": "It waits for no decision: it was retried, dismissed or done meanwhile."}


class JobOut(BaseModel):
    """A job that failed for good. job: its kind. what: what it was to do, in words."""

    id: int
    job: str
    what: str
    error: str
    attempts: int
    enqueued_at: datetime
    failed_at: datetime | None = Field(description="Null once it is tried again.")
    dismissed_at: datetime | None


@router.get("", summary="List the jobs that failed for good")
def list_all(
    services: InjectedServices, operator: Operator, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[JobOut]:
    """Those that nobody has retried or dismissed, the newest first."""
    with services.readers() as session:
        return [_job_out(job) for job in outbox.dead_letters(session, limit=limit)]


@router.post("/{job_id}/retry", summary="Try a job again", responses={409: NOT_WAITING})
def retry(services: InjectedServices, operator: Operator, job_id: JobId) -> JobOut:
    """At once, and with all its attempts; also one that was dismissed."""
    try:
        retry_jobs(services, [job_id], actor=operator.name)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error
    return _read(services, job_id)


@router.post("/{job_id}/dismiss", summary="Dismiss a job", responses={409: NOT_WAITING})
def dismiss(services: InjectedServices, operator: Operator, job_id: JobId) -> JobOut:
    """It is not done, and is counted no more."""
    try:
        dismiss_jobs(services, [job_id], actor=operator.name)
    except RefusedError as error:
        raise ConflictError(told_plainly(error)) from error
    return _read(services, job_id)


def _read(services: InjectedServices, job_id: int) -> JobOut:
    with services.readers() as session:
        return _job_out(dead_letters.get_job(session, job_id))


def _job_out(job: OutboxJob) -> JobOut:
    return JobOut(
        id=job.id,
        job=job.actor,
        what=job_text(job),
        error=job.error or "",
        attempts=job.attempts,
        enqueued_at=job.created_at,
        failed_at=job.dead_at,
        dismissed_at=job.dismissed_at,
    )
