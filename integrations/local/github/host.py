"""The code host: the workspace's repositories and their pull requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from integrations.local.config import WorkspaceConfig
from integrations.local.github import history, writing
from integrations.local.github.errors import GithubError, not_found
from integrations.local.github.git import Git, ensure_repository
from integrations.local.store import Store

LOGIN = "argux-bot"
EMAIL = "argux-bot@users.noreply.github.com"


class CommentRecord(BaseModel):
    """One comment on a pull request; times are seconds since the epoch."""

    id: int
    body: str
    created_at: float


class PullRecord(BaseModel):
    """One stored pull request. The SHAs are those of the last save; a merge freezes them."""

    repository: str
    number: int
    title: str
    body: str
    head: str
    base: str
    head_sha: str
    base_sha: str
    created_at: float
    updated_at: float
    state: str = "open"
    closed_at: float | None = None
    merged_at: float | None = None
    merge_commit_sha: str | None = None
    comments: list[CommentRecord] = []
    labels: list[str] = []


class Host:
    """The code host. Its routes run in threads, so hold `lock` while changing pull requests."""

    def __init__(self, repositories: dict[str, Git], store: Store, clock: Callable[[], float]) -> None:
        self._repositories = repositories
        self._store = store
        self.clock = clock
        self.lock = threading.RLock()
        self._pulls = {(pull.repository, pull.number): pull for pull in store.read("pull", PullRecord)}

    def git(self, repository: str) -> Git:
        """Return the repository "owner/name". Raises GithubError 404."""
        if repository not in self._repositories:
            raise not_found()
        return self._repositories[repository]

    def commit_sha(self, repository: str, reference: str) -> str:
        """Return the SHA of the commit that a reference names. Raises GithubError 422 if none, as GitHub does."""
        sha = history.resolve(self.git(repository), reference)
        if sha is None:
            raise GithubError(422, f"No commit found for SHA: {reference}")
        return sha

    def pulls(self, repository: str) -> list[PullRecord]:
        """Return a repository's pull requests in their current state, newest first. Raises GithubError 404."""
        self.git(repository)
        # A copy, because another thread may open a pull request meanwhile.
        known = list(self._pulls)
        numbers = sorted((number for name, number in known if name == repository), reverse=True)
        return [self.pull(repository, number) for number in numbers]

    def pull(self, repository: str, number: int) -> PullRecord:
        """Return one pull request; an open one with the current heads of its branches. Raises GithubError 404.

        An open pull request whose head has become part of its base is marked as merged, as on GitHub.
        """
        record = self._pulls.get((repository, number))
        if record is None:
            raise not_found()
        if record.state != "open":
            return record
        git = self.git(repository)
        heads = {
            "head_sha": history.resolve(git, f"refs/heads/{record.head}") or record.head_sha,
            "base_sha": history.resolve(git, f"refs/heads/{record.base}") or record.base_sha,
        }
        present = record.model_copy(update=heads)
        if present.base_sha == record.base_sha or writing.is_ancestor(git, present.head_sha, record.base_sha):
            return present
        if not writing.is_ancestor(git, present.head_sha, present.base_sha):
            return present
        with self.lock:
            known = self._pulls[repository, number]
            if known.state != "open":
                return known
            now = self.clock()
            merged = {
                "state": "closed",
                "head_sha": present.head_sha,
                "closed_at": now,
                "merged_at": now,
                "merge_commit_sha": history.merge_commit_for(git, present.head_sha, present.base_sha),
            }
            return self.save(known.model_copy(update=merged))

    def save(self, record: PullRecord) -> PullRecord:
        """Store a pull request with the current time as its time of change, and return it."""
        changed = record.model_copy(update={"updated_at": self.clock()})
        self._pulls[changed.repository, changed.number] = changed
        self._store.put("pull", f"{changed.repository}#{changed.number}", changed)
        return changed

    def next_number(self, repository: str) -> int:
        """Return the number for the next pull request."""
        return max((number for name, number in self._pulls if name == repository), default=0) + 1


def open_host(config: WorkspaceConfig, directory: Path, store: Store, clock: Callable[[], float]) -> Host:
    """Open the host with the configured repositories, which are bare in DIRECTORY/OWNER/NAME.git. Raises GitError."""
    repositories = {name: ensure_repository(directory / f"{name}.git") for name in config.repositories}
    return Host(repositories, store, clock)
