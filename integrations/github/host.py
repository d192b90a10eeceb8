"""The code host over GitHub's REST API, with PyGithub. It does not retry: the jobs do."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from github import Auth, Github, GithubException
from github.PullRequest import PullRequest as GithubPullRequest
from github.Repository import Repository

from detection.types import Commit
from integrations import wording
from integrations.errors import RejectedError, RetryableError
from integrations.github import branches, merging, reading
from integrations.github.checking import check_writable
from integrations.github.errors import SYSTEM, from_github, github_errors
from integrations.github.markdown import to_commit_message, to_github, uncalled
from integrations.protocols import PullRequest
from integrations.text import Markup, visible

COMMITS_READ = 50
LONGEST_READ_SECONDS = 60.0
"""How long reading the commits of a deploy may take, one call for each: people wait for the diagnosis."""

TITLE_LIMIT = 250
BODY_LIMIT = 60_000


class GitHubCodeHost:
    """A CodeHost for GitHub.

    Thread-safe: each call creates its own client, because PyGithub's connection stores the request that it is sending.
    """

    def __init__(self, token: str, *, base_url: str = "https://api.github.com", timeout_seconds: int = 15) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    def commits_between(self, repository: str, base_sha: str | None, head_sha: str) -> tuple[Commit, ...]:
        """Return the commits in head but not in base, oldest first. Of more than 50, only the newest 50.

        Raises RetryableError when that takes longer than LONGEST_READ_SECONDS: some of them would mislead.
        """
        until = time.monotonic() + LONGEST_READ_SECONDS
        with self._repository(repository) as found:
            if base_sha is None:
                return (reading.commit(found.get_commit(head_sha)),)
            listed = found.compare(base_sha, head_sha).commits
            newest = deque(islice(listed, branches.HISTORY_SEARCHED), maxlen=COMMITS_READ)
            commits: list[Commit] = []
            for item in newest:
                if time.monotonic() > until:
                    read = f"{len(commits)} of {len(newest)} commits in {LONGEST_READ_SECONDS:.0f} s"
                    raise RetryableError(SYSTEM, f"it answers too slowly: {read}")
                commits.append(reading.commit(found.get_commit(item.sha)))
            return tuple(commits)

    def open_revert(
        self, repository: str, commit_shas: tuple[str, ...], *, branch: str, title: str, body: Markup
    ) -> PullRequest:
        """Open a pull request that reverts these commits on the default branch, or find it if `branch` exists.

        The branch is created last and complete. An existing branch is accepted only if it holds exactly the revert, so
        that no other commit is offered as one. Raises ConflictError if it holds anything else, or if later changes
        touch the same lines (`paths` names the files).
        """
        with self._repository(repository) as found:
            head_sha = branches.revert_branch(found, commit_shas, branch, to_commit_message(body))
            pull = _find_or_create_pull_request(found, branch, title, to_github(body))
            if pull.head.sha != head_sha:
                raise branches.changed_branch_error(branch)
            return reading.pull_request(repository, pull)

    def pull_request(self, repository: str, number: int) -> PullRequest:
        """Read one pull request."""
        with self._repository(repository) as found:
            return reading.pull_request(repository, found.get_pull(number))

    def diff(self, repository: str, number: int) -> str:
        """Return the pull request's diff as GitHub sends it; the caller checks that it is one."""
        with self._repository(repository) as found:
            status, headers, text = found.requester.requestJson(
                "GET", f"{found.url}/pulls/{number}", headers={"Accept": "application/vnd.github.v3.diff"}
            )
        if status == 406:
            raise RejectedError(SYSTEM, f"the diff of pull request #{number} is too large for GitHub to send")
        if status >= 400:
            raise from_github(GithubException(status, _object(text), headers))
        return text

    def merge(self, repository: str, number: int, *, head_sha: str) -> PullRequest:
        """Merge only if the head is `head_sha` (else StaleHeadError). Already merged at that head is a success.

        By a merge commit, else a squash, else a rebase: whatever the repository allows. Raises WaitingError for what
        passes by itself or by a person's act: a check, a review, a merge queue, another merge.
        """
        with self._repository(repository) as found:
            return reading.pull_request(repository, merging.merge(found, number, head_sha))

    def leave_queue(self, repository: str, number: int) -> bool:
        """Take the pull request out of the merge queue; return False if it was in none."""
        with self._repository(repository) as found:
            return merging.leave_queue(found, number)

    def find_open(self, repository: str, branch: str) -> PullRequest | None:
        """Return the open pull request from this branch of the repository; None if there is none."""
        with self._repository(repository) as found:
            owner = found.full_name.partition("/")[0]
            pulls = found.get_pulls(state="open", head=f"{owner}:{branch}")
            return next((reading.pull_request(repository, found.get_pull(pull.number)) for pull in pulls), None)

    def close(self, repository: str, number: int, *, comment: Markup) -> None:
        """Close without merging, with a comment that says why. Does nothing if it is already closed."""
        with self._repository(repository) as found:
            pull = found.get_pull(number)
            if pull.merged:
                raise RejectedError(SYSTEM, f"pull request #{number} is already merged")
            if pull.state == "closed":
                return
            text = to_github(comment)
            if all(said.body != text for said in pull.get_issue_comments()):
                pull.create_issue_comment(text)
            pull.edit(state="closed")
            if pull.state != "closed":
                raise RetryableError(SYSTEM, f"it answered the closing of pull request #{number}, which is open still")

    def check(self) -> str:
        """Return the GitHub account that the token belongs to."""
        with self._client() as client:
            login = client.get_user().login
        if not login:
            raise RetryableError(SYSTEM, "the answer was not GitHub's")
        return f"connected as {login}"

    def check_repository(self, repository: str) -> str:
        """Return the repository and its default branch. Raises if it cannot be read, or not be written."""
        with self._repository(repository) as found:
            return check_writable(found)

    @contextmanager
    def _client(self) -> Iterator[Github]:
        # Without PyGithub's pauses between calls, which would only block a worker. GitHub tells us when to slow down.
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


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object of an answer; an empty one if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _find_or_create_pull_request(repository: Repository, branch: str, title: str, body: str) -> GithubPullRequest:
    """Return the branch's open pull request, else a merged one, else a new one."""
    owner = repository.full_name.partition("/")[0]
    existing = list(repository.get_pulls(state="all", head=f"{owner}:{branch}", base=repository.default_branch))
    for pull in sorted(existing, key=lambda pull: pull.state != "open"):
        if pull.state == "open" or pull.merged_at is not None:
            return repository.get_pull(pull.number)
    return repository.create_pull(
        base=repository.default_branch,
        head=branch,
        title=wording.cut(uncalled(visible(title)), TITLE_LIMIT),
        body=wording.cut(body, BODY_LIMIT),
    )
