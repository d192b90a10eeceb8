"""The repositories of the workspace and the pull requests on them."""

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
    """One comment on a pull request; times are seconds, UTC."""

    id: int
    body: str
    created_at: float


class PullRecord(BaseModel):
    """One pull request as it is kept. The SHAs are those it was last seen with; a merge freezes them."""

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
    """The code host. Its routes run in threads, so what changes pull requests holds `lock`."""

    def __init__(self, repositories: dict[str, Git], store: Store, clock: Callable[[], float]) -> None:
        self._repositories = repositories
        self._store = store
        self.clock = clock
        self.lock = threading.RLock()
        self._pulls = {(pull.repository, pull.number): pull for pull in store.read("pull", PullRecord)}

    def git(self, repository: str) -> Git:
        """The repository "owner/name". Raises GithubError 404."""
        if repository not in self._repositories:
            raise not_found()
        return self._repositories[repository]

    def commit_sha(self, repository: str, reference: str) -> str:
        """The commit that a reference names. Raises GithubError 422, as GitHub does for a SHA that is not there."""
        sha = history.resolve(self.git(repository), reference)
        if sha is None:
            raise GithubError(422, f"No commit found for SHA: {reference}")
        return sha

    def pulls(self, repository: str) -> list[PullRecord]:
        """A repository's pull requests, newest first, each as it stands now."""
        self.git(repository)
        # A copy, which no thread that opens another meanwhile can change.
        known = list(self._pulls)
        numbers = sorted((number for name, number in known if name == repository), reverse=True)
        return [self.pull(repository, number) for number in numbers]

    def pull(self, repository: str, number: int) -> PullRecord:
        """One pull request; an open one with its branches' present heads. Raises GithubError 404.

        One whose head has become part of its base is merged, by whatever brought it there, as on GitHub.
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
                "merge_commit_sha": history.brought_in(git, present.head_sha, present.base_sha),
            }
            return self.save(known.model_copy(update=merged))

    def save(self, record: PullRecord) -> PullRecord:
        """Write a pull request down, as changed now."""
        changed = record.model_copy(update={"updated_at": self.clock()})
        self._pulls[changed.repository, changed.number] = changed
        self._store.put("pull", f"{changed.repository}#{changed.number}", changed)
        return changed

    def next_number(self, repository: str) -> int:
        """The number of the next pull request."""
        return max((number for name, number in self._pulls if name == repository), default=0) + 1


def open_host(config: WorkspaceConfig, directory: Path, store: Store, clock: Callable[[], float]) -> Host:
    """The host of the configured repositories, bare in DIRECTORY/OWNER/NAME.git. Raises GitError."""
    repositories = {name: ensure_repository(directory / f"{name}.git") for name in config.repositories}
    return Host(repositories, store, clock)
