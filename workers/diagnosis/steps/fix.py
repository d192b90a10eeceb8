"""Step 5: plan the fix, as data. Remediation opens the pull request."""

from __future__ import annotations

from collections.abc import Sequence

from workers.diagnosis import weights
from workers.diagnosis.model import CommitScore, FixPlan, Gathered, Hypothesis, Verdict
from workers.diagnosis.what_to_do import hunk_is_enough, what_to_do
from workers.words.text import counted, deploy_name, likelihood, short_sha

REVERT_PULL_REQUEST = "revert_pull_request"


def plan_fix(verdict: Verdict, hypotheses: Sequence[Hypothesis], gathered: Gathered) -> FixPlan:
    """Plan to revert the suspected commit if it is likely enough, else all commits of the deploy that change code.

    Without a confirmed deploy there is no action, and the reason says what people can do. The plan's commit_shas are
    oldest first.
    """
    origin = next((item for item in hypotheses if item.key == verdict.origin_key), None)
    if origin is None:
        return FixPlan(None, "Argux does not know the cause, so it offers no fix.")
    if origin.deploy is None:
        words = what_to_do(origin, gathered.evidence)
        reason = words or "The cause is not in a deploy, so there is nothing to revert."
        return FixPlan(None, reason, service=origin.service, says_what_to_do=words is not None)
    name, commits = deploy_name(origin.deploy), gathered.commits.get(origin.key, ())
    if not commits:
        reason = (
            f"Roll {origin.deploy.service} back to the version before {name}. "
            "Its commits could not be read, so Argux cannot prepare their revert."
        )
        return FixPlan(None, reason, service=origin.deploy.service, version=origin.deploy.version, says_what_to_do=True)
    shas, reason = _what_to_revert(name, verdict, commits)
    enough = hunk_is_enough(verdict.suspect, gathered.evidence) if verdict.suspect is not None else None
    return FixPlan(
        REVERT_PULL_REQUEST,
        f"{reason} {enough}" if enough else reason,
        service=origin.deploy.service,
        version=origin.deploy.version,
        repository=origin.deploy.repository,
        commit_shas=shas,
        says_what_to_do=enough is not None,
    )


def _what_to_revert(name: str, verdict: Verdict, commits: Sequence[CommitScore]) -> tuple[tuple[str, ...], str]:
    suspect = verdict.suspect
    if suspect is not None and verdict.commit_share >= weights.COMMIT_REVERTED_ALONE_AT:
        sure = likelihood(verdict.confidence)
        return (suspect.sha,), f"Commit {short_sha(suspect.sha)} caused it ({sure} sure); reverting it undoes that."
    shas = tuple(commit.sha for commit in commits if commit.log_weight > weights.COMMIT_ONLY_TEXT / 2)
    shas = shas or tuple(commit.sha for commit in commits)
    return shas, f"No one commit of {name} stands out, so {counted(len(shas), 'commit')} of it would be reverted."
