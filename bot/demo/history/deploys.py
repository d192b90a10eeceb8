"""The shop's past deploys: which commit was live when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.deployer import version_of
from bot.demo.repository.repository import Commit

REVIEW = timedelta(minutes=25)
"""The time between a commit and its deploy."""


@dataclass(frozen=True, slots=True)
class PastDeploy:
    """A past deploy of one commit; `by` is the commit's author."""

    commit_sha: str
    at: datetime
    by: str


class DeployLog:
    """The past deploys, oldest first. The first one was already live when the history starts."""

    def __init__(self, commits: Sequence[Commit], history_start: datetime) -> None:
        every = [PastDeploy(commit.sha, commit.committed_at + REVIEW, commit.author) for commit in commits]
        before = [deploy for deploy in every if deploy.at <= history_start]
        self.deploys = tuple(before[-1:] + every[len(before) :])
        self._moments = [deploy.at.timestamp() for deploy in self.deploys]

    def version_at(self, moment: float) -> str:
        """Return the version that was live at `moment` (seconds since the epoch)."""
        return version_of(self.deploys[max(0, bisect_right(self._moments, moment) - 1)].commit_sha)
