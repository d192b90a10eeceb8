"""The actions that Argux can propose: their parameters, risk, verification and rollback."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class RevertPullRequest(BaseModel):
    """Parameters of the action: merge this pull request, only while it is exactly what is described here.

    diff_sha256: digest of the diff that a person reads. It stands for the base's commit, which moves all day without
    changing what the pull request does. metrics: what is tested afterwards. environments: where a deploy counts as
    live. An empty value is not known yet; it is filled in before a person is asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str
    number: int
    head_sha: str
    url: str
    service: str
    commit_shas: tuple[str, ...]
    base_branch: str = ""
    diff_sha256: str = ""
    metrics: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    merged_by: str = "merge commit, else squash, else rebase"


@dataclass(frozen=True, slots=True)
class ActionDescription:
    """The description of an action that a person reads before deciding."""

    title: str
    risk: str
    blast_radius: str
    verified_by: str
    undone_by: str


def describe_revert(plan: RevertPullRequest) -> ActionDescription:
    """Describe a revert. It restores code that ran before, so its risk is low; reverting it again undoes it."""
    commits = ", ".join(sha[:7] for sha in plan.commit_shas)
    return ActionDescription(
        title=f"Revert {commits} (pull request #{plan.number})",
        risk="low",
        blast_radius=f"Takes {commits} out of {plan.repository} and so redeploys {plan.service}. "
        "Nothing else in the repository changes.",
        verified_by="the incident's own metrics, tested again once the revert is live",
        undone_by=f"reverting pull request #{plan.number}",
    )
