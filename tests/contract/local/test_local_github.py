"""The real PyGithub and the real git against the local workspace's repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from github import BadCredentialsException, GithubException, InputGitTreeElement, UnknownObjectException
from github.ContentFile import ContentFile
from github.PullRequest import PullRequest
from github.Repository import Repository

from integrations.local.github.git import Git
from integrations.local.github.host import Host, PullRecord
from integrations.local.store import Store
from tests.contract.local.workspace import Workspace

GIT_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ben",
    "GIT_AUTHOR_EMAIL": "ben@example.com",
    "GIT_COMMITTER_NAME": "Ben",
    "GIT_COMMITTER_EMAIL": "ben@example.com",
}


class Checkout:
    """A developer's working copy, used with plain git."""

    def __init__(self, directory: Path, remote: Path) -> None:
        self.directory = directory
        self.git("clone", "--quiet", str(remote), str(directory), inside=False)
        self.git("checkout", "--quiet", "-B", "main")

    def git(self, *arguments: str, inside: bool = True) -> str:
        """Run git and return its output; `inside` runs it in the working copy."""
        where = ["-C", str(self.directory)] if inside else []
        command = ["git", *where, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=GIT_ENVIRONMENT).stdout.strip()

    def commit(self, message: str, files: Mapping[str, str | None], branch: str = "main") -> str:
        """Write the files (None removes one), commit, push to `branch`, and return the SHA."""
        for path, contents in files.items():
            target = self.directory / path
            if contents is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(contents)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def name(shared_workspace: Workspace) -> str:
    """The name of a repository that no other test uses."""
    return shared_workspace.unused_repositories.pop()


def open_shop(directory: Path, workspace: Workspace, name: str) -> Checkout:
    """Clone a repository and push its first commit."""
    working = Checkout(directory / "work", workspace.directory / "repositories" / f"{name}.git")
    working.commit("Open the shop", {"shop/checkout.py": "def checkout():\n    return 1\n", "README.md": "Shop\n"})
    return working


@pytest.fixture
def checkout(shared_workspace: Workspace, name: str, tmp_path: Path) -> Checkout:
    return open_shop(tmp_path, shared_workspace, name)


@pytest.fixture
def repository(shared_workspace: Workspace, checkout: Checkout, name: str) -> Repository:
    return shared_workspace.github().get_repo(name)


def open_revert(repository: Repository, bad: str, branch: str = "argux/revert") -> PullRequest:
    """Open a pull request that reverts a commit, using only the git data API, without a working copy."""
    parent = repository.get_commit(bad).parents[0]
    before = {entry.path: entry for entry in repository.get_git_tree(parent.sha, recursive=True).tree}
    changed = [file.filename for file in repository.get_commit(bad).files]
    head = repository.get_branch("main").commit
    elements = [
        InputGitTreeElement(path, "100644", "blob", sha=before[path].sha if path in before else None)
        for path in changed
    ]
    tree = repository.create_git_tree(elements, base_tree=repository.get_git_tree(head.sha))
    commit = repository.create_git_commit("Revert it", tree, [repository.get_git_commit(head.sha)])
    repository.create_git_ref(f"refs/heads/{branch}", commit.sha)
    return repository.create_pull(base="main", head=branch, title="Revert it", body="Evidence: [E1]")


def test_a_revert_made_through_the_api_merges_and_restores_the_files(
    checkout: Checkout, repository: Repository
) -> None:
    bad = checkout.commit("Query per item", {"shop/checkout.py": "def checkout():\n    return 41\n", "new.py": "x\n"})
    pull = open_revert(repository, bad)
    assert (pull.state, pull.mergeable, pull.changed_files) == ("open", True, 2)
    assert {file.filename: file.status for file in pull.get_files()} == {
        "shop/checkout.py": "modified",
        "new.py": "removed",
    }
    result = pull.merge(sha=pull.head.sha)
    assert result.merged

    merged = repository.get_pull(pull.number)
    assert (merged.state, merged.merged, merged.merge_commit_sha) == ("closed", True, result.sha)
    checkout.git("pull", "--quiet", "origin", "main")
    assert checkout.git("rev-list", "--parents", "-n1", "HEAD").split()[1:] == [bad, pull.head.sha]
    assert (checkout.directory / "shop/checkout.py").read_text() == "def checkout():\n    return 1\n"
    assert not (checkout.directory / "new.py").exists()


def test_a_merge_is_refused_when_the_head_moved_after_approval(checkout: Checkout, repository: Repository) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    approved = pull.head.sha
    checkout.git("fetch", "--quiet", "origin")
    checkout.git("checkout", "--quiet", "origin/argux/revert")
    checkout.commit("Sneak something in", {"evil.py": "x\n"}, branch="argux/revert")
    with pytest.raises(GithubException, match="Head branch was modified") as caught:
        pull.merge(sha=approved)
    assert caught.value.status == 409
    assert not repository.get_pull(pull.number).merged


def test_a_merge_is_refused_when_it_conflicts(checkout: Checkout, repository: Repository) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    checkout.commit("Touch the same line", {"shop/checkout.py": "def checkout():\n    return 42\n"})
    assert repository.get_pull(pull.number).mergeable is False
    with pytest.raises(GithubException, match="not mergeable") as caught:
        pull.merge(sha=pull.head.sha)
    assert caught.value.status == 405


def test_a_merged_pull_request_cannot_be_merged_again(checkout: Checkout, repository: Repository) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    pull.merge()
    with pytest.raises(GithubException) as caught:
        pull.merge()
    assert caught.value.status == 405


def test_a_pull_request_counts_as_merged_once_its_head_is_part_of_its_base(
    checkout: Checkout, repository: Repository
) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    checkout.git("fetch", "--quiet", "origin")
    checkout.git("merge", "--quiet", "--no-ff", "-m", "By hand", "origin/argux/revert")
    checkout.git("push", "--quiet", "origin", "HEAD:main")
    by_hand = checkout.git("rev-parse", "HEAD")
    later = checkout.commit("Later", {"later.py": "x\n"})
    merged = repository.get_pull(pull.number)
    assert (merged.state, merged.merged, merged.merge_commit_sha) == ("closed", True, by_hand)
    assert list(repository.get_pulls(state="open")) == []
    with pytest.raises(GithubException) as caught:
        pull.merge(sha=pull.head.sha)
    assert caught.value.status == 405
    assert repository.get_branch("main").commit.sha == later


def test_a_pull_request_whose_branch_was_reset_to_its_base_does_not_count_as_merged(
    checkout: Checkout, repository: Repository
) -> None:
    base = checkout.git("rev-parse", "HEAD")
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    checkout.git("push", "--quiet", "--force", "origin", f"{base}:refs/heads/argux/revert")
    assert not repository.get_pull(pull.number).merged


def test_a_pull_request_can_be_closed_commented_and_labelled(checkout: Checkout, repository: Repository) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    pull = open_revert(repository, bad)
    pull.create_issue_comment("Not needed any more.")
    pull.add_to_labels("argux")
    pull.edit(state="closed")
    assert [comment.body for comment in pull.get_issue_comments()] == ["Not needed any more."]
    assert [label.name for label in repository.get_pull(pull.number).labels] == ["argux"]
    assert [found.number for found in repository.get_pulls(state="closed")] == [pull.number]
    assert list(repository.get_pulls(state="open")) == []


def test_a_commit_is_shown_with_its_files_and_patches(checkout: Checkout, repository: Repository) -> None:
    after = {"shop/checkout.py": "def checkout():\n    return 2\n", "README.md": None, "a b.txt": "1\n"}
    sha = checkout.commit("Rework\n\nWith a body.", after)
    commit = repository.get_commit(sha)
    files = {file.filename: file for file in commit.files}
    assert commit.commit.message == "Rework\n\nWith a body."
    assert commit.commit.author.name == "Ben"
    assert {name: file.status for name, file in files.items()} == {
        "shop/checkout.py": "modified",
        "README.md": "removed",
        "a b.txt": "added",
    }
    assert files["shop/checkout.py"].patch == "@@ -1,2 +1,2 @@\n def checkout():\n-    return 1\n+    return 2"
    assert (commit.stats.additions, commit.stats.deletions) == (2, 2)


def test_renames_binaries_and_links_each_keep_their_own_patch(checkout: Checkout, repository: Repository) -> None:
    body = "".join(f"line {number}\n" for number in range(30))
    checkout.commit("Add", {"old.txt": body, "kind.txt": "x\n"})
    checkout.git("mv", "old.txt", "new.txt")
    (checkout.directory / "picture.png").write_bytes(b"\x89PNG\0\0")
    (checkout.directory / "kind.txt").unlink()
    (checkout.directory / "kind.txt").symlink_to("README.md")
    sha = checkout.commit("Change kinds", {"new.txt": body + "more\n"})
    files = {file.filename: file for file in repository.get_commit(sha).files}
    assert (files["new.txt"].status, files["new.txt"].previous_filename) == ("renamed", "old.txt")
    assert files["new.txt"].patch.endswith("+more")
    picture: Any = files["picture.png"]  # PyGithub declares `patch` as always present
    assert picture.patch is None
    assert files["kind.txt"].status == "changed"
    assert "-x" in files["kind.txt"].patch
    assert "+README.md" in files["kind.txt"].patch


def test_the_root_commit_is_compared_with_the_empty_tree(checkout: Checkout, repository: Repository) -> None:
    first = repository.get_commit(checkout.git("rev-list", "--max-parents=0", "HEAD"))
    assert {file.status for file in first.files} == {"added"}
    assert first.parents == []


def test_a_comparison_lists_the_commits_between_oldest_first(checkout: Checkout, repository: Repository) -> None:
    base = checkout.git("rev-parse", "HEAD")
    shas = [checkout.commit(f"Step {number}", {"README.md": f"{number}\n"}) for number in range(3)]
    comparison = repository.compare(base, shas[-1])
    assert [commit.sha for commit in comparison.commits] == shas
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("ahead", 3, 0)
    assert [file.filename for file in comparison.files] == ["README.md"]
    assert repository.compare(shas[-1], base).status == "behind"


def file_at(repository: Repository, path: str) -> ContentFile:
    found = repository.get_contents(path)
    assert isinstance(found, ContentFile)
    return found


def test_contents_and_branches_can_be_read(checkout: Checkout, repository: Repository) -> None:
    assert file_at(repository, "shop/checkout.py").decoded_content == b"def checkout():\n    return 1\n"
    root = repository.get_contents("")
    assert isinstance(root, list)
    assert {entry.path: entry.type for entry in root} == {"README.md": "file", "shop": "dir"}
    checkout.commit("On a branch", {"x": "1\n"}, branch="feature/one")
    assert {branch.name for branch in repository.get_branches()} == {"main", "feature/one"}
    assert repository.get_branch("feature/one").commit.sha == checkout.git("rev-parse", "HEAD")
    assert repository.get_git_blob(file_at(repository, "README.md").sha).size == 5
    assert repository.default_branch == "main"


def test_long_lists_are_paginated(checkout: Checkout, repository: Repository) -> None:
    for number in range(4):
        checkout.git("commit", "--quiet", "--allow-empty", "-m", str(number))
    checkout.git("push", "--quiet", "origin", "HEAD:main")
    commits = repository.get_commits()
    repository.requester.per_page = 2
    assert [commit.commit.message for commit in commits] == ["3", "2", "1", "0", "Open the shop"]


def test_references_only_fast_forward_unless_forced(checkout: Checkout, repository: Repository) -> None:
    old = checkout.git("rev-parse", "HEAD")
    new = checkout.commit("Next", {"README.md": "2\n"})
    reference = repository.create_git_ref("refs/heads/topic", new)
    with pytest.raises(GithubException, match="not a fast forward"):
        reference.edit(old)
    reference.edit(old, force=True)
    assert repository.get_git_ref("heads/topic").object.sha == old
    with pytest.raises(GithubException, match="Reference already exists"):
        repository.create_git_ref("refs/heads/topic", new)
    with pytest.raises(GithubException, match="Object does not exist"):
        repository.create_git_ref("refs/heads/other", "0" * 39 + "1")
    reference.delete()
    with pytest.raises(UnknownObjectException):
        repository.get_git_ref("heads/topic")


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        (InputGitTreeElement("../escape", "100644", "blob", content="x"), "malformed path"),
        (InputGitTreeElement(".git/config", "100644", "blob", content="x"), "malformed path"),
        (InputGitTreeElement("a", "100644", "blob", sha="0" * 39 + "1"), "not a valid blob"),
    ],
)
def test_a_tree_with_an_invalid_entry_is_refused(
    shared_workspace: Workspace, element: InputGitTreeElement, problem: str
) -> None:
    repository = shared_workspace.github().get_repo("acme/shop")
    with pytest.raises(GithubException, match=problem) as caught:
        repository.create_git_tree([element])
    assert caught.value.status == 422


def test_a_pull_request_needs_two_branches_with_commits_between_them(
    checkout: Checkout, repository: Repository
) -> None:
    def refused(*, base: str, head: str) -> Any:
        """Return the first error of the refusal."""
        with pytest.raises(GithubException) as caught:
            repository.create_pull(title="x", body="", base=base, head=head)
        assert caught.value.status == 422
        return caught.value.data["errors"][0]

    assert refused(base="main", head="nowhere") == {"resource": "PullRequest", "field": "head", "code": "invalid"}
    assert refused(base="nowhere", head="main")["field"] == "base"
    repository.create_git_ref("refs/heads/same", checkout.git("rev-parse", "HEAD"))
    assert refused(base="main", head="same")["message"] == "No commits between main and same"
    checkout.commit("Ahead", {"x": "1\n"}, branch="ahead")
    repository.create_pull(base="main", head="ahead", title="One")
    assert refused(base="main", head="acme:ahead")["message"] == "A pull request already exists for acme:ahead."


@pytest.mark.parametrize("reference", ["main~1", "--upload-pack=x", "HEAD", ":/Open", "a b", "deadbeef"])
def test_revision_expressions_and_options_do_not_resolve_to_a_commit(
    shared_workspace: Workspace, reference: str
) -> None:
    repository = shared_workspace.github().get_repo("acme/shop")
    with pytest.raises(GithubException) as caught:
        repository.get_commit(reference)
    assert caught.value.status == 422


def test_a_wrong_token_and_an_unknown_repository_are_refused(shared_workspace: Workspace) -> None:
    with pytest.raises(BadCredentialsException):
        shared_workspace.github("wrong").get_repo("acme/shop")
    with pytest.raises(UnknownObjectException):
        shared_workspace.github().get_repo("acme/nothing")
    client = shared_workspace.github()
    assert client.get_user().login == "argux-bot"
    assert client.get_rate_limit().rate.remaining == 5000


def test_the_diff_is_available_as_text_and_on_a_page(
    shared_workspace: Workspace, checkout: Checkout, repository: Repository
) -> None:
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return '<script>'\n"})
    pull = open_revert(repository, bad)
    headers = {"Accept": "application/vnd.github.diff", "Authorization": "Bearer github-local"}
    diff = httpx.get(pull.url, headers=headers, trust_env=False).text
    assert "-    return '<script>'\n+    return 1\n" in diff
    page = shared_workspace.page.get(httpx.URL(pull.html_url).path)
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "<script>" not in page.text
    assert pull.head.sha in page.text
    assert shared_workspace.page.get("/github/acme/shop/pull/99").status_code == 404


def test_pull_requests_survive_a_restart(workspace: Workspace, tmp_path: Path) -> None:
    checkout = open_shop(tmp_path, workspace, "acme/shop")
    repository = workspace.github().get_repo("acme/shop")
    bad = checkout.commit("Bad", {"shop/checkout.py": "def checkout():\n    return 41\n"})
    number = open_revert(repository, bad).number
    workspace.restart()
    again = workspace.github().get_repo("acme/shop").get_pull(number)
    assert (again.title, again.state, again.mergeable) == ("Revert it", "open", True)


def test_pull_requests_can_be_listed_while_others_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "put", lambda *_: None)
    # Make threads switch at nearly every step.
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    words = dict.fromkeys(("title", "body", "head", "base", "head_sha", "base_sha"), "x")
    closed = {**words, "repository": "acme/shop", "state": "closed", "created_at": 0.0, "updated_at": 0.0}
    try:
        with closing(Store(tmp_path / "workspace.db")) as store, ThreadPoolExecutor(1) as pool:
            host = Host({"acme/shop": Git(tmp_path)}, store, lambda: 0.0)
            opening = pool.submit(lambda: [host.save(PullRecord(number=n, **closed)) for n in range(2000)])
            while not opening.done():
                host.pulls("acme/shop")
            assert len(host.pulls("acme/shop")) == 2000
    finally:
        sys.setswitchinterval(before)
