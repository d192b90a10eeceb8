"""The actions Argux knows how to offer: what each needs, how risky it is, how it is checked and undone."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

REVERT_PULL_REQUEST = "revert_pull_request"


class RevertPullRequest(BaseModel):
    """Merge this pull request while its head is exactly `head_sha`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str
    number: int
    head_sha: str
    url: str
    service: str
    commit_shas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person is told about an action before they decide."""

    title: str
    risk: str
    blast_radius: str
    verified_by: str
    undone_by: str


def revert_offer(plan: RevertPullRequest) -> Offer:
    """A revert brings back code that ran before: low risk, and undone by reverting it in turn."""
    commits = ", ".join(sha[:7] for sha in plan.commit_shas)
    return Offer(
        title=f"Revert {commits} (pull request #{plan.number})",
        risk="low",
        blast_radius=f"Takes {commits} out of {plan.repository} and so redeploys {plan.service}. "
        "Nothing else in the repository changes.",
        verified_by="the incident's own metrics, tested again once the revert is live",
        undone_by=f"reverting pull request #{plan.number}",
    )
