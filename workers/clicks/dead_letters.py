"""The buttons under the list of jobs that failed for good: Retry and Dismiss."""

from __future__ import annotations

from workers.clicks.ids import ids_of
from workers.rules.dead_letters import dismiss_jobs, retry_jobs
from workers.services import Services


def retry_listed(services: Services, value: str, *, actor: str) -> None:
    """Try the listed jobs anew. The list is shown again; it says what becomes of them."""
    retry_jobs(services, ids_of(value), actor=actor)


def dismiss_listed(services: Services, value: str, *, actor: str) -> None:
    """Dismiss the listed jobs."""
    dismiss_jobs(services, ids_of(value), actor=actor)
