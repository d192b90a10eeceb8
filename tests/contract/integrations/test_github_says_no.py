"""What becomes of each way in which GitHub refuses a merge, in GitHub's own words."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    NotFoundError,
    RejectedError,
    RetryableError,
    StaleHeadError,
    WaitingError,
)
from integrations.github import GitHubCodeHost
from integrations.protocols import CodeHost, PullRequest
from integrations.text import ours
from tests.contract.integrations.workspace import Checkout, Workspace

SHOP = "acme/shop"


@pytest.fixture
def github(workspace: Workspace) -> CodeHost:
    return GitHubCodeHost(
        workspace.github_token, base_url=f"{workspace.url}/github", timeout_seconds=workspace.patience_seconds
    )


@pytest.fixture
def pull(github: CodeHost, checkout: Checkout) -> PullRequest:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    return github.open_revert(SHOP, (bad,), branch=f"argux/{bad[:12]}", title="Revert", body=ours("p95 rose."))


def refuse(workspace: Workspace, status: int, message: str, **more: Any) -> None:
    workspace.fault("github", status, path_contains="/merge", body={"message": message, "status": str(status)}, **more)


def merged(github: CodeHost, pull: PullRequest) -> PullRequest:
    return github.merge(SHOP, pull.number, head_sha=pull.head_sha)


WAITED_FOR = [
    (405, 'Required status check "ci/test" is expected.'),
    (405, 'Required status check "ci/test" is pending.'),
    (405, "2 of 2 required status checks are expected."),
    (405, "2 of 3 required status checks have not succeeded: 1 expected and 1 pending."),
    (405, 'Required status check "ci/test" is failing.'),
    (405, "At least 1 approving review is required by reviewers with write access."),
    (405, "Repository rule violations found\n\nWaiting on code owner review from acme/shop-owners."),
    (405, "Merge already in progress"),
    (405, "Base branch was modified. Review and try the merge again."),
    (405, "Pull Request is not mergeable"),
    (409, "Merge attempt failed: the base branch is being updated"),
    (405, "Changes must be made through a merge queue"),
    (405, "Changes must be made through the merge queue"),
]


@pytest.mark.parametrize(("status", "message"), WAITED_FOR)
def test_what_passes_by_itself_or_by_a_persons_act_is_waited_for_and_then_merged(
    workspace: Workspace, github: CodeHost, pull: PullRequest, status: int, message: str
) -> None:
    refuse(workspace, status, message)
    with pytest.raises(WaitingError) as caught:
        merged(github, pull)
    assert caught.value.waits_for
    assert "conflict" not in str(caught.value)
    assert merged(github, pull).state == "merged"


def test_what_is_waited_for_names_the_checks_that_still_run(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    runs = [
        {"name": "unit tests", "status": "in_progress", "conclusion": None},
        {"name": "lint", "status": "completed", "conclusion": "success"},
        {"name": "deploy preview", "status": "completed", "conclusion": "failure"},
    ]
    workspace.fault("github", 200, path_contains="/check-runs", body={"total_count": 3, "check_runs": runs})
    refuse(workspace, 405, "2 of 3 required status checks have not succeeded: 1 expected.")
    with pytest.raises(WaitingError) as caught:
        merged(github, pull)
    assert "the check “unit tests” to end and the failed check “deploy preview” to pass" in caught.value.waits_for


@pytest.mark.parametrize(
    ("message", "times"),
    [
        ("Merge commits are not allowed on this repository.", 1),
        ("This branch must not contain merge commits.", 1),
        ("Repository rule violations found\n\nThis branch must not contain merge commits.\n\n", 1),
    ],
)
def test_where_merge_commits_are_not_allowed_the_approved_head_is_squashed(
    workspace: Workspace, github: CodeHost, checkout: Checkout, pull: PullRequest, message: str, times: int
) -> None:
    refuse(workspace, 405, message, count=times)
    done = merged(github, pull)
    assert done.state == "merged"
    checkout.git("fetch", "--quiet", "origin", "main")
    assert len(checkout.git("log", "-1", "--format=%P", "FETCH_HEAD").split()) == 1
    assert "bad.py" not in checkout.tree("FETCH_HEAD")


def test_where_no_method_is_allowed_the_refusal_says_so(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    refuse(workspace, 405, "Merge commits are not allowed on this repository.")
    refuse(workspace, 405, "Squash merges are not allowed on this repository.")
    refuse(workspace, 405, "Rebase merges are not allowed on this repository.")
    with pytest.raises(RejectedError, match="none of merge commit, squash and rebase"):
        merged(github, pull)


def test_a_merge_queue_is_given_the_approved_head(workspace: Workspace, github: CodeHost, pull: PullRequest) -> None:
    entry = {"data": {"enqueuePullRequest": {"mergeQueueEntry": {"id": "MQE_1"}}}}
    workspace.fault("github", 200, path_contains="/graphql", body=entry)
    refuse(workspace, 405, "Changes must be made through a merge queue")
    with pytest.raises(WaitingError, match="the merge queue of main") as caught:
        merged(github, pull)
    assert caught.value.is_under_way


def test_a_merge_queue_that_cannot_be_used_asks_a_person(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    refuse(workspace, 405, "Changes must be made through a merge queue")
    with pytest.raises(WaitingError, match="press Merge when ready") as caught:
        merged(github, pull)
    assert not caught.value.is_under_way


def queue_answers(workspace: Workspace, *bodies: dict[str, Any]) -> None:
    for body in bodies:
        workspace.fault("github", 200, path_contains="/graphql", body=body)


def test_what_is_in_the_merge_queue_is_taken_out_of_it(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    queue_answers(
        workspace,
        {"data": {"node": {"isInMergeQueue": True}}},
        {"data": {"dequeuePullRequest": {"mergeQueueEntry": {"id": "MQE_1"}}}},
    )
    assert github.leave_queue(SHOP, pull.number)


def test_what_is_in_no_merge_queue_is_left_alone(workspace: Workspace, github: CodeHost, pull: PullRequest) -> None:
    queue_answers(workspace, {"data": {"node": {"isInMergeQueue": False}}})
    assert not github.leave_queue(SHOP, pull.number)


def test_a_refusal_to_leave_the_merge_queue_is_told_in_githubs_words(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    queue_answers(
        workspace,
        {"data": {"node": {"isInMergeQueue": True}}},
        {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]},
    )
    with pytest.raises(RejectedError, match="Resource not accessible by integration"):
        github.leave_queue(SHOP, pull.number)


def test_an_open_pull_request_is_found_by_its_branch_and_a_closed_one_is_not(
    github: CodeHost, pull: PullRequest
) -> None:
    found = github.find_open(SHOP, pull.branch)
    assert found is not None
    assert found.number == pull.number
    assert github.find_open(SHOP, "argux/another") is None
    github.close(SHOP, pull.number, comment=ours("Not needed."))
    assert github.find_open(SHOP, pull.branch) is None


REFUSED: list[tuple[int, str, type[IntegrationError]]] = [
    (403, "Resource not accessible by personal access token", AuthenticationError),
    (403, "Repository was archived so is read-only.", AuthenticationError),
    (404, "Not Found", NotFoundError),
    (422, "Validation Failed", RejectedError),
    (405, "Head branch is out of date with the base branch", RejectedError),
    (409, "Head branch was modified. Review and try the merge again.", WaitingError),
]


@pytest.mark.parametrize(("status", "message", "kind"), REFUSED)
def test_what_a_person_has_to_mend_is_told_in_githubs_words_and_never_as_a_conflict(
    workspace: Workspace, github: CodeHost, pull: PullRequest, status: int, message: str, kind: type[IntegrationError]
) -> None:
    refuse(workspace, status, message)
    with pytest.raises(kind) as caught:
        merged(github, pull)
    assert type(caught.value) is kind
    assert "merges cleanly" not in str(caught.value)
    assert not isinstance(caught.value, StaleHeadError)


@pytest.mark.parametrize(
    ("status", "message", "asked", "wait"),
    [
        (403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", None, 60.0),
        (403, "You have triggered an abuse detection mechanism.", None, 60.0),
        (403, "You have exceeded a secondary rate limit.", 120, 120.0),
        (429, "You have exceeded a secondary rate limit.", None, 60.0),
        (429, "Too many requests", 90, 90.0),
    ],
)
def test_a_secondary_limit_is_left_alone_for_a_minute_or_as_long_as_it_asks(
    workspace: Workspace, github: CodeHost, status: int, message: str, asked: int | None, wait: float
) -> None:
    more = {} if asked is None else {"retry_after": asked}
    workspace.fault("github", status, body={"message": message}, **more)
    with pytest.raises(RetryableError) as caught:
        github.check()
    assert caught.value.retry_after_seconds == wait


def test_a_diff_too_large_for_github_is_refused_with_its_reason(
    workspace: Workspace, github: CodeHost, pull: PullRequest
) -> None:
    message = "Sorry, the diff exceeded the maximum number of lines (20000)"
    workspace.fault("github", 406, path_contains=f"pulls/{pull.number}", body={"message": message})
    with pytest.raises(RejectedError, match="too large for GitHub to send"):
        github.diff(SHOP, pull.number)


def test_commits_that_come_too_slowly_are_not_waited_for(
    workspace: Workspace, github: CodeHost, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = checkout.commit("One", {"one.py": "1\n"})
    checkout.commit("Two", {"two.py": "2\n"})
    head = checkout.commit("Three", {"three.py": "3\n"})
    assert len(github.commits_between(SHOP, base, head)) == 2
    monkeypatch.setattr("integrations.github.host.LONGEST_READ_SECONDS", -1.0)
    with pytest.raises(RetryableError, match="it answers too slowly: 0 of 2 commits"):
        github.commits_between(SHOP, base, head)
