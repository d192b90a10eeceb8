"""What an approval is bound to: everything that decides what the click does, and what of it has moved since."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from integrations import unified_diff
from integrations.errors import RejectedError
from integrations.protocols import PullRequest
from storage import incidents
from workers.remediation.catalogue import RevertPullRequest
from workers.services import Services


def read_diff(services: Services, plan: RevertPullRequest) -> str:
    """Return the pull request's diff. Raises RejectedError for an answer that is no whole unified diff."""
    text = services.code_host.diff(plan.repository, plan.number)
    fault = unified_diff.fault_of(text)
    if fault is not None:
        raise RejectedError(
            "GitHub",
            f"what came as the diff of pull request #{plan.number} is none: {fault}. Nobody can read what would be "
            "merged, so it cannot be approved here. Look at it on GitHub, and press Approve fix again later",
        )
    return text


def with_pull_request(plan: RevertPullRequest, found: PullRequest, diff: str) -> RevertPullRequest:
    """Return the plan with the target branch and the diff that the pull request has now."""
    return plan.model_copy(update={"base_branch": found.base_branch, "diff_sha256": unified_diff.digest(diff)})


def with_tests(services: Services, session: Session, incident_id: int, plan: RevertPullRequest) -> RevertPullRequest:
    """Return the plan with what the click would have tested afterwards, and where a deploy would count as live."""
    records = incidents.get_incident(session, incident_id).findings
    metrics = sorted({f"{record.metric} of {record.subject['name']}" for record in records})
    environments = tuple(services.settings.deploy_environments)
    return plan.model_copy(update={"metrics": tuple(metrics), "environments": environments})


def moved(shown: RevertPullRequest, now: RevertPullRequest) -> str:
    """Return what has moved since it was shown, in words; "" if nothing has. What was not known then cannot move."""
    parts = []
    for name, words in _WORDS.items():
        before, after = getattr(shown, name), getattr(now, name)
        if before and before != after:
            parts.append(words.format(before=_text(before), after=_text(after)))
    return "; ".join(parts)


def parameters(plan: RevertPullRequest) -> dict[str, Any]:
    """Return the plan as a proposal stores it."""
    return plan.model_dump(mode="json")


_WORDS = {
    "head_sha": "its head is another commit",
    "base_branch": "it would go into {after} instead of {before}",
    "diff_sha256": "its diff is another one",
    "metrics": "what is tested afterwards is {after} instead of {before}",
    "environments": "a deploy counts as live in {after} instead of {before}",
}


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
