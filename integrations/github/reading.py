"""Convert PyGithub's objects to the protocol's."""

from __future__ import annotations

from itertools import islice

from github.Commit import Commit as GithubCommit
from github.PullRequest import PullRequest as GithubPullRequest

from detection.types import ChangedFile, Commit
from integrations.protocols import PullRequest

FILES_READ = 300


def commit(found: GithubCommit) -> Commit:
    """Convert a commit, with up to 300 files that differ from its first parent."""
    git = found.commit
    return Commit(
        sha=found.sha,
        parent_sha=found.parents[0].sha if found.parents else None,
        author=git.author.name or "",
        committed_at=git.committer.date.timestamp(),
        message=git.message,
        url=found.html_url,
        files=tuple(
            ChangedFile(item.filename, item.status, item.additions, item.deletions, item.patch or "")
            for item in islice(found.files, FILES_READ)
        ),
    )


def pull_request(repository: str, found: GithubPullRequest) -> PullRequest:
    """Convert a pull request. Before the merge, GitHub's merge_commit_sha is only a test merge, so it is left out."""
    return PullRequest(
        repository=repository,
        number=found.number,
        url=found.html_url,
        title=found.title,
        state="merged" if found.merged else found.state,
        branch=found.head.ref,
        head_sha=found.head.sha,
        base_sha=found.base.sha,
        base_branch=found.base.ref,
        merge_commit_sha=found.merge_commit_sha if found.merged else None,
        merged_at=found.merged_at.timestamp() if found.merged_at else None,
    )
