from __future__ import annotations

import uuid

import pytest

from integrations.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    RejectedError,
    RetryableError,
    StaleHeadError,
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


def revert(github: CodeHost, *shas: str, branch: str | None = None) -> PullRequest:
    name = branch or f"argux/revert-{uuid.uuid4().hex[:8]}"
    return github.open_revert(
        SHOP, shas, branch=name, title="Revert the slow checkout", body=ours("p95 rose at 14:05.")
    )


def changed(checkout: Checkout, before: str, after: str) -> str:
    text: str = (checkout.path / "shop.py").read_text()
    assert before in text
    return text.replace(before, after)


def test_the_commits_of_a_deploy_are_read_oldest_first_with_their_diffs(github: CodeHost, checkout: Checkout) -> None:
    base = checkout.git("rev-parse", "HEAD")
    first = checkout.commit("Add a cart", {"cart.py": "cart\n"})
    second = checkout.commit("Slow it down\n\nfor science", {"shop.py": changed(checkout, "line 3\n", "line three\n")})
    commits = github.commits_between(SHOP, base, second)
    assert [commit.sha for commit in commits] == [first, second]
    assert commits[0].parent_sha == base
    assert (commits[1].author, commits[1].message.splitlines()[0]) == ("Ana", "Slow it down")
    (file,) = commits[1].files
    assert (file.path, file.status, file.additions, file.deletions) == ("shop.py", "modified", 1, 1)
    assert "-line 3\n+line three" in file.patch
    assert abs(commits[1].committed_at - float(checkout.git("log", "-1", "--format=%ct"))) < 1


def test_without_an_earlier_deploy_only_the_head_commit_is_read(github: CodeHost, checkout: Checkout) -> None:
    sha = checkout.commit("Add a cart", {"cart.py": "cart\n"})
    assert [commit.sha for commit in github.commits_between(SHOP, None, sha)] == [sha]


def test_a_revert_equals_the_one_that_git_makes(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit(
        "Slow down",
        {"shop.py": changed(checkout, "line 3\n", "line three\n"), "new/deep/file.py": "new\n", "run.sh": "x\n"},
    )
    later = checkout.commit("Later", {"shop.py": changed(checkout, "line 17\n", "line seventeen\n"), "b.py": "b\n"})
    pull = revert(github, bad)
    assert (pull.state, pull.base_sha) == ("open", later)
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    checkout.git("revert", "--no-edit", bad)
    assert checkout.tree("FETCH_HEAD") == checkout.tree("HEAD")
    message = checkout.git("log", "-1", "--format=%B", "FETCH_HEAD")
    assert message == f'Revert "Slow down"\n\nThis reverts commit {bad}.\n\np95 rose at 14:05.'


def test_a_deletion_and_a_mode_change_are_reverted(github: CodeHost, checkout: Checkout) -> None:
    checkout.commit("Add", {"gone.py": "gone\n", "run.sh": "x\n"})
    before = checkout.tree("HEAD")
    checkout.git("update-index", "--chmod=+x", "run.sh")
    (checkout.path / "run.sh").chmod(0o755)
    bad = checkout.commit("Delete", {"gone.py": None})
    pull = revert(github, bad)
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    assert checkout.tree("FETCH_HEAD") == before


def test_several_commits_are_reverted_newest_first_in_any_given_order(github: CodeHost, checkout: Checkout) -> None:
    before = checkout.tree("HEAD")
    first = checkout.commit("One", {"shop.py": changed(checkout, "line 3\n", "line three\n")})
    second = checkout.commit("Two", {"shop.py": changed(checkout, "line three\n", "line drei\n")})
    for order in ((first, second), (second, first)):
        pull = revert(github, *order)
        checkout.git("fetch", "--quiet", "origin", pull.branch)
        assert checkout.tree("FETCH_HEAD") == before


def test_a_merge_is_reverted_against_its_target_branch(github: CodeHost, checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "-b", "feature")
    (checkout.path / "feature.py").write_text("feature\n")
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message", "Feature")
    checkout.git("checkout", "--quiet", "main")
    before = checkout.tree("HEAD")
    checkout.git("merge", "--quiet", "--no-ff", "--message", "Merge feature", "feature")
    checkout.git("push", "--quiet", "origin", "main")
    pull = revert(github, checkout.git("rev-parse", "HEAD"))
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    assert checkout.tree("FETCH_HEAD") == before


def test_a_later_change_to_the_same_lines_is_a_conflict_that_names_the_file(
    github: CodeHost, checkout: Checkout
) -> None:
    bad = checkout.commit("Slow down", {"shop.py": changed(checkout, "line 3\n", "line three\n")})
    checkout.commit("Later", {"shop.py": changed(checkout, "line three\n", "line drei\n")})
    with pytest.raises(ConflictError) as caught:
        revert(github, bad)
    assert caught.value.paths == ("shop.py",)


def test_a_repeated_call_finds_the_same_pull_request(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad, branch="argux/again")
    assert revert(github, bad, branch="argux/again") == pull


@pytest.mark.parametrize(("path", "fault"), [("git/refs", "lost_answer"), ("pulls", 500), ("git/trees", 502)])
def test_an_interrupted_revert_is_completed_by_the_next_try(
    workspace: Workspace, github: CodeHost, checkout: Checkout, path: str, fault: str | int
) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    branch = f"argux/half-{path.replace('/', '-')}"
    workspace.fault("github", fault, path_contains=path)
    with pytest.raises(RetryableError):
        revert(github, bad, branch=branch)
    first = revert(github, bad, branch=branch)
    assert (first.branch, first.state) == (branch, "open")
    assert revert(github, bad, branch=branch).number == first.number


def test_an_unknown_commit_and_an_already_reverted_commit_are_refused(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    checkout.commit("Undo", {"bad.py": None})
    with pytest.raises(RejectedError, match="nothing of these commits"):
        revert(github, bad)
    with pytest.raises(NotFoundError):
        revert(github, "0" * 40)


def test_the_diff_to_approve_is_the_pull_requests_own(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"shop.py": changed(checkout, "line 3\n", "line three\n")})
    diff = github.diff(SHOP, revert(github, bad).number)
    assert diff.startswith("diff --git a/shop.py b/shop.py")
    assert "-line three\n+line 3\n" in diff


def test_only_the_approved_head_is_merged(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    with pytest.raises(StaleHeadError):
        github.merge(SHOP, pull.number, head_sha=bad)
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    checkout.git("checkout", "--quiet", "FETCH_HEAD")
    (checkout.path / "smuggled.py").write_text("smuggled\n")
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message", "Smuggled in")
    checkout.git("push", "--quiet", "origin", f"HEAD:{pull.branch}")
    with pytest.raises(StaleHeadError):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)
    assert github.pull_request(SHOP, pull.number).state == "open"


def test_a_merge_is_idempotent(workspace: Workspace, github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    workspace.fault("github", "lost_answer", path_contains="/merge")
    with pytest.raises(RetryableError):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)
    merged = github.merge(SHOP, pull.number, head_sha=pull.head_sha)
    assert merged.state == "merged"
    assert github.merge(SHOP, pull.number, head_sha=pull.head_sha) == merged
    checkout.git("fetch", "--quiet", "origin", "main")
    assert checkout.git("rev-parse", "FETCH_HEAD") == merged.merge_commit_sha
    assert "bad.py" not in checkout.tree("FETCH_HEAD")


def test_a_pull_request_that_no_longer_applies_is_a_conflict(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"shop.py": changed(checkout, "line 3\n", "line three\n")})
    pull = revert(github, bad)
    checkout.commit("Later", {"shop.py": changed(checkout, "line three\n", "line drei\n")})
    with pytest.raises(ConflictError):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)


def test_closing_comments_once_and_a_closed_pull_request_is_not_merged(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    for _ in range(2):
        github.close(SHOP, pull.number, comment=ours("It was a false alarm."))
    assert github.pull_request(SHOP, pull.number).state == "closed"
    with pytest.raises(RejectedError):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)


def test_failures_become_the_right_errors(workspace: Workspace, github: CodeHost) -> None:
    with pytest.raises(AuthenticationError):
        GitHubCodeHost("wrong", base_url=f"{workspace.url}/github").check()
    with pytest.raises(NotFoundError):
        github.pull_request("acme/nothing", 1)
    with pytest.raises(NotFoundError):
        github.pull_request(SHOP, 99_999)
    workspace.fault("github", 429, retry_after=4)
    with pytest.raises(RetryableError) as caught:
        github.check()
    assert caught.value.retry_after_seconds == 4.0


def test_a_github_that_does_not_answer_times_out(workspace: Workspace) -> None:
    workspace.fault("github", "timeout", seconds=300)
    with pytest.raises(RetryableError, match="did not answer in time"):
        GitHubCodeHost(workspace.github_token, base_url=f"{workspace.url}/github", timeout_seconds=1).check()


def test_a_repository_is_looked_up(github: CodeHost) -> None:
    assert github.check_repository(SHOP) == f"{SHOP} (main)"
    with pytest.raises(NotFoundError):
        github.check_repository("acme/nothing")


def test_the_check_returns_the_account_in_use(github: CodeHost) -> None:
    assert github.check().startswith("connected as ")


def push(checkout: Checkout, pull: PullRequest, message: str, files: dict[str, str]) -> str:
    """Push another person's commit to the pull request's branch. Return its sha."""
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    checkout.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    for name, content in files.items():
        (checkout.path / name).write_text(content)
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--message", message)
    checkout.git("push", "--quiet", "origin", f"HEAD:refs/heads/{pull.branch}")
    sha: str = checkout.git("rev-parse", "HEAD")
    return sha


def test_a_branch_with_an_additional_commit_is_not_accepted_as_the_revert(github: CodeHost, checkout: Checkout) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    push(checkout, pull, "Smuggled in", {"smuggled.py": "smuggled\n"})
    with pytest.raises(ConflictError, match=f"somebody has changed the branch {pull.branch}") as caught:
        revert(github, bad, branch=pull.branch)
    assert caught.value.paths == ()
    assert "delete it" in str(caught.value)


def test_a_branch_rewritten_with_the_same_commit_message_is_not_accepted_as_the_revert(
    github: CodeHost, checkout: Checkout
) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    checkout.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    (checkout.path / "smuggled.py").write_text("smuggled\n")
    checkout.git("add", "--all")
    checkout.git("commit", "--quiet", "--amend", "--no-edit")
    checkout.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{pull.branch}")
    with pytest.raises(ConflictError, match="somebody has changed the branch"):
        revert(github, bad, branch=pull.branch)


def test_an_unrelated_branch_of_the_same_name_is_not_accepted_as_the_revert(
    github: CodeHost, checkout: Checkout
) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    checkout.git("push", "--quiet", "origin", "HEAD:refs/heads/argux/taken")
    with pytest.raises(ConflictError, match="somebody has changed the branch argux/taken"):
        revert(github, bad, branch="argux/taken")


def test_a_revert_of_several_commits_is_recognised_after_the_base_branch_moved(
    github: CodeHost, checkout: Checkout
) -> None:
    first = checkout.commit("One", {"shop.py": changed(checkout, "line 3\n", "line three\n"), "deep.py": "x\n"})
    second = checkout.commit("Two", {"shop.py": changed(checkout, "line 5\n", "line five\n")})
    checkout.commit("Later", {"shop.py": changed(checkout, "line 17\n", "line seventeen\n")})
    pull = revert(github, first, second)
    later = checkout.commit("Later still", {"other.py": "y\n"})
    found = github.open_revert(
        SHOP, (first, second), branch=pull.branch, title="x", body=ours("Other evidence by now.")
    )
    assert (found.number, found.head_sha, found.base_sha) == (pull.number, pull.head_sha, later)


def by_hand(checkout: Checkout, pull: PullRequest, *options: str) -> str:
    """Merge the branch into main in a checkout and push it. Return main's new sha."""
    checkout.git("fetch", "--quiet", "origin", pull.branch)
    checkout.git("merge", "--quiet", *options, "FETCH_HEAD")
    checkout.git("push", "--quiet", "origin", "HEAD:main")
    sha: str = checkout.git("rev-parse", "HEAD")
    return sha


@pytest.mark.parametrize("how", [("--no-ff", "--message", "By hand"), ("--ff-only",)])
def test_a_manually_merged_branch_reports_the_commit_that_merged_it(
    github: CodeHost, checkout: Checkout, how: tuple[str, ...]
) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    merged_as = by_hand(checkout, pull, *how)
    after = checkout.commit("Later", {"later.py": "later\n"})
    found = github.merge(SHOP, pull.number, head_sha=pull.head_sha)
    assert (found.state, found.merge_commit_sha, found.head_sha) == ("merged", merged_as, pull.head_sha)
    assert found.merged_at is not None
    checkout.git("fetch", "--quiet", "origin", "main")
    assert checkout.git("rev-parse", "FETCH_HEAD") == after


def test_a_manually_merged_branch_with_an_additional_commit_is_not_the_approved_change(
    github: CodeHost, checkout: Checkout
) -> None:
    bad = checkout.commit("Slow down", {"bad.py": "bad\n"})
    pull = revert(github, bad)
    push(checkout, pull, "More", {"more.py": "more\n"})
    checkout.git("checkout", "--quiet", "main")
    by_hand(checkout, pull, "--no-ff", "--message", "By hand")
    with pytest.raises(StaleHeadError, match="was merged already, but not at the commit that was approved"):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)


def test_a_closed_pull_request_is_not_merged(github: CodeHost, checkout: Checkout) -> None:
    pull = revert(github, checkout.commit("Slow down", {"bad.py": "bad\n"}))
    github.close(SHOP, pull.number, comment=ours("Not needed."))
    with pytest.raises(RejectedError, match="was closed without being merged"):
        github.merge(SHOP, pull.number, head_sha=pull.head_sha)
