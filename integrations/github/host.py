"""The code host over GitHub's REST API, by PyGithub. Nothing is tried twice here: the jobs retry."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from github import Auth, Github, GithubException, InputGitTreeElement
from github.GitCommit import GitCommit
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository

from integrations import wording
from integrations.errors import ConflictError, NotFoundError, RejectedError, RetryableError, StaleHeadError
from integrations.github import reading, revert
from integrations.github.errors import SYSTEM, described, from_github, github_errors
from integrations.github.objects import Entry, GitObjects
from integrations.http import error_for_status
from integrations.protocols import Commit, PullRequest

COMMITS_READ = 50
HISTORY_SEARCHED = 2_500
TITLE_LIMIT = 250
BODY_LIMIT = 60_000


class GitHubCodeHost:
    """GitHub as a CodeHost.

    Safe to share between threads: PyGithub's connection keeps the request it is sending in itself, so each call here
    has a client of its own.
    """

    def __init__(self, token: str, *, base_url: str = "https://api.github.com", timeout_seconds: int = 15) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        """The commits in head and not in base, oldest first; of more than 50 the newest 50."""
        with self._repository(repository) as found:
            if base_sha is None:
                return (reading.commit(found.get_commit(head_sha)),)
            listed = found.compare(base_sha, head_sha).commits
            newest = deque(islice(listed, HISTORY_SEARCHED), maxlen=COMMITS_READ)
            return tuple(reading.commit(found.get_commit(item.sha)) for item in newest)

    def open_revert(
        self, repository: str, commit_shas: tuple[str, ...], *, branch: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request that undoes these commits on the default branch, or find it where `branch` exists.

        The branch is made last and whole, so one that exists holds the revert, whatever became of its pull request.
        Raises ConflictError where later changes touch the same lines.
        """
        with self._repository(repository) as found:
            if not _branch_exists(found, branch):
                _push_revert(found, commit_shas, branch, body)
            return reading.pull_request(repository, _pull_request_of(found, branch, title, body))

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """Read one pull request."""
        with self._repository(repository) as found:
            return reading.pull_request(repository, found.get_pull(number))

    def diff(self, repository: str, number: int) -> str:
        """The pull request's unified diff."""
        with self._repository(repository) as found:
            status, _, text = found.requester.requestJson(
                "GET", f"{found.url}/pulls/{number}", headers={"Accept": "application/vnd.github.v3.diff"}
            )
        if status >= 400:
            raise error_for_status(SYSTEM, status, "the diff cannot be read")
        return text

    def merge(self, repository: str, number: int, *, head_sha: str) -> PullRequest:
        """Merge only while its head is `head_sha` (else StaleHeadError); already merged at that head is success."""
        with self._repository(repository) as found:
            pull = found.get_pull(number)
            if pull.head.sha != head_sha:
                raise StaleHeadError(SYSTEM, f"pull request #{number} changed since it was approved")
            if pull.merged:
                return reading.pull_request(repository, pull)
            if pull.state != "open":
                raise RejectedError(SYSTEM, f"pull request #{number} is closed")
            try:
                pull.merge(sha=head_sha, merge_method=_merge_method(found))
            except GithubException as error:
                raise _merge_failure(error, number) from error
            return reading.pull_request(repository, found.get_pull(number))

    def close(self, repository: str, number: int, *, comment: str) -> None:
        """Close without merging, saying why; closing what is closed does nothing."""
        with self._repository(repository) as found:
            pull = found.get_pull(number)
            if pull.merged:
                raise RejectedError(SYSTEM, f"pull request #{number} is already merged")
            if pull.state == "closed":
                return
            if all(said.body != comment for said in pull.get_issue_comments()):
                pull.create_issue_comment(comment)
            pull.edit(state="closed")

    def check(self) -> str:
        """Say who we are on GitHub."""
        with self._client() as client:
            return f"connected as {client.get_user().login}"

    @contextmanager
    def _client(self) -> Iterator[Github]:
        # PyGithub's own pauses between calls would only keep a worker's thread waiting; GitHub says when to slow down.
        with (
            github_errors(),
            Github(
                auth=Auth.Token(self._token),
                base_url=self._base_url,
                timeout=self._timeout_seconds,
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
                per_page=100,
            ) as client,
        ):
            yield client

    @contextmanager
    def _repository(self, name: str) -> Iterator[Repository]:
        with self._client() as client:
            yield client.get_repo(name)


def _branch_exists(repository: Repository, branch: str) -> bool:
    return any(ref.ref == f"refs/heads/{branch}" for ref in repository.get_git_matching_refs(f"heads/{branch}"))


def _push_revert(repository: Repository, commit_shas: tuple[str, ...], branch: str, body: str) -> None:
    """Commit the revert on the default branch's head and name it `branch`."""
    head = repository.get_git_commit(repository.get_branch(repository.default_branch).commit.sha)
    commits = [repository.get_git_commit(sha) for sha in _newest_first(repository, head.sha, commit_shas)]
    changed = revert.undo(GitObjects(repository), head.tree.sha, [_trees(repository, item) for item in commits])
    if not changed:
        raise RejectedError(SYSTEM, f"{repository.default_branch} holds nothing of these commits any more")
    tree = repository.create_git_tree([_element(path, entry) for path, entry in changed.items()], head.tree)
    text = revert.message([(item.sha, item.message) for item in commits], body)
    made = repository.create_git_commit(text, tree, [head])
    try:
        repository.create_git_ref(f"refs/heads/{branch}", made.sha)
    except GithubException as error:
        if error.status != 422 or not _branch_exists(repository, branch):
            raise


def _newest_first(repository: Repository, head_sha: str, commit_shas: tuple[str, ...]) -> list[str]:
    """The commits in the order in which they must be undone: their order in the default branch's history."""
    missing = set(commit_shas)
    if not missing:
        raise RejectedError(SYSTEM, "there is no commit to revert")
    ordered: list[str] = []
    for item in islice(repository.get_commits(sha=head_sha), HISTORY_SEARCHED):
        if item.sha in missing:
            ordered.append(item.sha)
            missing.discard(item.sha)
        if not missing:
            return ordered
    raise NotFoundError(SYSTEM, f"{', '.join(sorted(missing))} is not on {repository.default_branch}")


def _trees(repository: Repository, commit: GitCommit) -> tuple[str, str]:
    """The trees before and after a commit; a merge is undone against its first parent, the branch merged into."""
    if not commit.parents:
        raise RejectedError(SYSTEM, f"{commit.sha} is the first commit: there is nothing to go back to")
    return repository.get_git_commit(commit.parents[0].sha).tree.sha, commit.tree.sha


def _element(path: str, entry: Entry | None) -> InputGitTreeElement:
    if entry is None:
        return InputGitTreeElement(path, "100644", "blob", sha=None)
    return InputGitTreeElement(path, entry.mode, entry.kind, sha=entry.sha)


def _pull_request_of(repository: Repository, branch: str, title: str, body: str) -> GithubPullRequest:
    """The branch's pull request, open before merged, or a new one."""
    owner = repository.full_name.partition("/")[0]
    existing = list(repository.get_pulls(state="all", head=f"{owner}:{branch}", base=repository.default_branch))
    for pull in sorted(existing, key=lambda pull: pull.state != "open"):
        if pull.state == "open" or pull.merged_at is not None:
            return repository.get_pull(pull.number)
    return repository.create_pull(
        base=repository.default_branch,
        head=branch,
        title=wording.cut(title, TITLE_LIMIT),
        body=wording.cut(body, BODY_LIMIT),
    )


def _merge_method(repository: Repository) -> str:
    """A merge commit where the repository allows it: it is the easiest to read and to undo."""
    if repository.allow_merge_commit is not False:
        return "merge"
    return "squash" if repository.allow_squash_merge is not False else "rebase"


def _merge_failure(error: GithubException, number: int) -> Exception:
    """409: the head moved. 405: it cannot be merged now, for a reason that only the message tells."""
    text = described(error)
    if error.status == 409:
        return StaleHeadError(SYSTEM, f"pull request #{number} changed since it was approved")
    if error.status != 405:
        return from_github(error)
    if "base branch was modified" in text.lower():
        return RetryableError(SYSTEM, text)
    if "not mergeable" in text.lower() or "conflict" in text.lower():
        return ConflictError(SYSTEM, f"pull request #{number} no longer merges cleanly")
    return RejectedError(SYSTEM, text)
