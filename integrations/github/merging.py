"""Merge a pull request by the method that its repository allows, and tell what passes by itself from what does not.

GitHub answers 405 to a merge for many reasons, and only the words of the answer and the pull request's `mergeable` and
`mergeable_state` tell them apart: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
"""

from __future__ import annotations

import re
from contextlib import suppress

from github import GithubException
from github.PullRequest import PullRequest
from github.Repository import Repository

from integrations.errors import (
    ConflictError,
    IntegrationError,
    RejectedError,
    RetryableError,
    StaleHeadError,
    WaitingError,
)
from integrations.github.errors import SYSTEM, error_message, from_github

_METHOD_REFUSED = re.compile(
    r"(merge commits|squash merges|rebase merges|merges) are not allowed|must not contain merge commits"
    r"|linear history|can.t be rebased|merge method",
    re.IGNORECASE,
)
_QUEUE = re.compile(r"merge queue", re.IGNORECASE)
_BEHIND = re.compile(r"out[- ]of[- ]date|not up to date|is behind|must be up.to.date", re.IGNORECASE)
_OTHER_MERGE = re.compile(r"already in progress|base branch was modified|merge attempt", re.IGNORECASE)
_CHECK = re.compile(r"status check|deployment|workflow", re.IGNORECASE)
_REVIEW = re.compile(r"review|approv|code owner|conversation", re.IGNORECASE)
_MOST_CHECKS_NAMED = 5

_ENQUEUE = """
mutation($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { id } }
}
"""

_IS_QUEUED = """
query($id: ID!) { node(id: $id) { ... on PullRequest { isInMergeQueue } } }
"""
_DEQUEUE = """
mutation($id: ID!) { dequeuePullRequest(input: {id: $id}) { mergeQueueEntry { id } } }
"""


def merge(repository: Repository, number: int, head_sha: str) -> PullRequest:
    """Merge the pull request if its head is `head_sha`; return it merged.

    Raises StaleHeadError, ConflictError (only if GitHub says that it conflicts), WaitingError or RejectedError.
    """
    pull = require_head(repository.get_pull(number), head_sha)
    if pull.merged:
        return pull
    if pull.state != "open":
        raise RejectedError(SYSTEM, f"pull request #{number} was closed without being merged")
    refusal = ""
    for method in _methods(repository):
        try:
            pull.merge(sha=head_sha, merge_method=method)
        except GithubException as error:
            if error.status not in (405, 409, 422):
                raise from_github(error) from error
            seen = require_head(repository.get_pull(number), head_sha)
            if seen.merged:
                # Somebody merged it between our check and our merge.
                return seen
            refusal = error_message(error)
            if _METHOD_REFUSED.search(refusal):
                continue
            raise _refused(repository, seen, error.status, refusal) from error
        return _seen_merged(repository, number)
    raise RejectedError(SYSTEM, f"{repository.full_name} allows none of merge commit, squash and rebase: {refusal}")


def _seen_merged(repository: Repository, number: int) -> PullRequest:
    """Return the pull request, merged. Raises RetryableError if GitHub's answer to the merge was not true (yet)."""
    seen = repository.get_pull(number)
    if not seen.merged:
        raise RetryableError(SYSTEM, f"it answered the merge of pull request #{number}, which is not merged yet")
    return seen


def require_head(pull: PullRequest, head_sha: str) -> PullRequest:
    """Return the pull request if its head is the approved one. Raises StaleHeadError otherwise."""
    if pull.head.sha == head_sha:
        return pull
    if pull.merged:
        text = f"pull request #{pull.number} was merged already, but not at the commit that was approved"
        raise StaleHeadError(SYSTEM, text)
    raise StaleHeadError(SYSTEM, f"pull request #{pull.number} changed since it was approved")


def _methods(repository: Repository) -> list[str]:
    """Return the merge methods to try, in order. A merge commit is the easiest to read and to revert."""
    allowed = {
        "merge": repository.allow_merge_commit,
        "squash": repository.allow_squash_merge,
        "rebase": repository.allow_rebase_merge,
    }
    return [method for method, is_allowed in allowed.items() if is_allowed is not False] or list(allowed)


def _refused(repository: Repository, pull: PullRequest, status: int, text: str) -> IntegrationError:
    """Return the error for a refused merge of an open pull request whose head is still the approved one."""
    state = pull.mergeable_state or "unknown"
    if _QUEUE.search(text):
        return _enqueued(repository, pull)
    if state == "dirty":
        return ConflictError(SYSTEM, f"pull request #{pull.number} no longer merges cleanly")
    if _OTHER_MERGE.search(text) or status == 409:
        return WaitingError(SYSTEM, f"{pull.base.ref}, into which something else is being merged")
    if pull.draft or state == "draft":
        return WaitingError(SYSTEM, f"somebody to press Ready for review on pull request #{pull.number}: it is a draft")
    if _BEHIND.search(text) or state == "behind":
        return RejectedError(
            SYSTEM,
            f"pull request #{pull.number} must hold the newest {pull.base.ref} before it may be merged. Press Update "
            "branch on it and merge it there; its head is then another one than the approved one",
        )
    if _CHECK.search(text) or _REVIEW.search(text) or state == "blocked" or "rule violation" in text.lower():
        return WaitingError(SYSTEM, _unmet(repository, pull, text))
    if "not mergeable" in text.lower() or pull.mergeable is None:
        return WaitingError(SYSTEM, f"GitHub to work out whether pull request #{pull.number} can be merged")
    return RejectedError(SYSTEM, text or f"pull request #{pull.number} cannot be merged")


def _unmet(repository: Repository, pull: PullRequest, text: str) -> str:
    """Return what a protected branch still asks for: the checks by name if they can be read, and GitHub's words."""
    unfinished, failed = _checks(repository, pull.head.sha)
    parts = []
    if unfinished:
        parts.append(f"the check{'s' if len(unfinished) > 1 else ''} {_listed(unfinished)} to end")
    if failed:
        parts.append(f"the failed check{'s' if len(failed) > 1 else ''} {_listed(failed)} to pass")
    wanted = " and ".join(parts) or f"what {pull.base.ref} asks for"
    return f"{wanted} (GitHub: {' '.join(text.split()).rstrip('.')})" if text else wanted


def _checks(repository: Repository, sha: str) -> tuple[list[str], list[str]]:
    """Return the names of the head's checks that run and that failed; none if the token may not read them."""
    unfinished: list[str] = []
    failed: list[str] = []
    commit = repository.get_commit(sha)
    with suppress(GithubException):
        for status in commit.get_combined_status().statuses:
            if status.state == "pending":
                unfinished.append(status.context)
            elif status.state in ("failure", "error"):
                failed.append(status.context)
    with suppress(GithubException):
        for run in commit.get_check_runs():
            if run.status != "completed":
                unfinished.append(run.name)
            elif run.conclusion in ("failure", "timed_out", "cancelled", "action_required"):
                failed.append(run.name)
    return list(dict.fromkeys(unfinished)), list(dict.fromkeys(failed))


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:_MOST_CHECKS_NAMED])
    more = len(names) - _MOST_CHECKS_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _enqueued(repository: Repository, pull: PullRequest) -> WaitingError:
    """Put the approved head into the repository's merge queue; if that is refused, ask a person to do it."""
    try:
        repository.requester.graphql_query(_ENQUEUE, {"id": pull.node_id, "head": pull.head.sha})
    except GithubException as error:
        if "already" not in error_message(error).lower():
            return WaitingError(
                SYSTEM, f"somebody to press Merge when ready on pull request #{pull.number}: it merges through a queue"
            )
    return WaitingError(SYSTEM, f"the merge queue of {pull.base.ref}", is_under_way=True)


def leave_queue(repository: Repository, number: int) -> bool:
    """Take the pull request out of the merge queue; return False if it was in none."""
    pull = repository.get_pull(number)
    if pull.merged or pull.state != "open":
        return False
    _, answer = repository.requester.graphql_query(_IS_QUEUED, {"id": pull.node_id})
    if not (answer["data"]["node"] or {}).get("isInMergeQueue"):
        return False
    repository.requester.graphql_query(_DEQUEUE, {"id": pull.node_id})
    return True
