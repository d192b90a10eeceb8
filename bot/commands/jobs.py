"""What the `argux jobs` commands do: list, retry and dismiss the jobs that failed for good."""

from __future__ import annotations

from collections.abc import Sequence

from bot.commands.person import user_name
from integrations.text import visible
from storage import outbox
from storage.models import OutboxJob
from workers.errors import RefusedError
from workers.rules.dead_letters import dismiss_jobs, retry_jobs
from workers.services import Services
from workers.words.jobs import job_text, jobs_text


def list_text(services: Services) -> str:
    """Return two lines per job: its number, when it failed and what it was to do; and why it failed."""
    with services.readers() as session:
        dead = outbox.dead_letters(session)
        if not dead:
            return "No job has failed for good."
        return "\n".join(_lines(services, job) for job in dead)


def retry(services: Services, job_ids: Sequence[int], *, all_of_them: bool) -> str:
    """Try the jobs anew and return the confirmation. Raises RefusedError, whose message says what is wrong."""
    done = retry_jobs(services, _chosen(services, job_ids, all_of_them), actor=user_name())
    return f"{jobs_text(len(done))} tried again: {_numbers(done)}"


def dismiss(services: Services, job_ids: Sequence[int], *, all_of_them: bool) -> str:
    """Dismiss the jobs and return the confirmation. Raises RefusedError, whose message says what is wrong."""
    done = dismiss_jobs(services, _chosen(services, job_ids, all_of_them), actor=user_name())
    return f"{jobs_text(len(done))} dismissed: {_numbers(done)}"


def _chosen(services: Services, job_ids: Sequence[int], all_of_them: bool) -> Sequence[int]:
    if bool(job_ids) == all_of_them:
        raise RefusedError("Name the jobs by their numbers, or say --all. `argux jobs list` shows them.")
    if not all_of_them:
        return job_ids
    with services.readers() as session:
        return [job.id for job in outbox.dead_letters(session)]


def _lines(services: Services, job: OutboxJob) -> str:
    """Such as "  12  2026-02-07 14:03 CET  create a Jira ticket for incident #3", and the reason below it."""
    assert job.dead_at is not None
    at = job.dead_at.astimezone(services.settings.timezone)
    reason = visible(job.error or "no reason is known")
    return f"{job.id:>4}  {at:%Y-%m-%d %H:%M %Z}  {visible(job_text(job))}\n      {reason}"


def _numbers(jobs: Sequence[OutboxJob]) -> str:
    return ", ".join(f"#{job.id}" for job in jobs)
