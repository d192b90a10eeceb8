"""The buttons under the list of jobs that failed for good: Retry and Dismiss."""

from __future__ import annotations

from collections.abc import Sequence

from workers.errors import RefusedError
from workers.rules.dead_letters import dismiss_jobs, retry_jobs
from workers.services import Services


def retry_listed(services: Services, value: str, *, actor: str) -> None:
    """Try the listed jobs anew. The list is shown again; it says what becomes of them."""
    retry_jobs(services, _ids(value), actor=actor)


def dismiss_listed(services: Services, value: str, *, actor: str) -> None:
    """Dismiss the listed jobs."""
    dismiss_jobs(services, _ids(value), actor=actor)


def _ids(value: str) -> Sequence[int]:
    parts = value.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise RefusedError("This button is from another version of Argux. Use the newest message.")
    return [int(part) for part in parts]
