"""Take a pull request that is not to be merged any more out of the code host's merge queue."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.errors import IntegrationError, RetryableError
from workers.remediation.catalogue import RevertPullRequest
from workers.services import Services


@dataclass(frozen=True, slots=True)
class Leaving:
    """How it went. said: what to tell people, if anything. error: why it is worth another try."""

    said: tuple[str, ...] = ()
    error: RetryableError | None = None


NOT_QUEUED = Leaving()


def leave_queue(services: Services, plan: RevertPullRequest, *, was_queued: bool) -> Leaving:
    """Take the pull request out of the queue, if it is in one; when that is refused, say who has to.

    was_queued: it is known to have been put there. Otherwise a code host that refuses has probably no queue at all.
    """
    try:
        has_left = services.code_host.leave_queue(plan.repository, plan.number)
    except IntegrationError as error:
        if not was_queued:
            return Leaving(error=error if isinstance(error, RetryableError) else None)
        said = (
            f"It may be in GitHub's merge queue still, and Argux could not take it out ({error}): "
            "press Remove from queue on the pull request."
        )
        return Leaving((said,), error if isinstance(error, RetryableError) else None)
    return Leaving(("It was taken out of GitHub's merge queue.",)) if has_left else NOT_QUEUED
