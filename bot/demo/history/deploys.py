"""The deploys before today: which commit was live when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.deployer import version_of
from bot.demo.repository.repository import Commit

REVIEW = timedelta(minutes=25)
"""From a commit to its deploy."""


@dataclass(frozen=True, slots=True)
class PastDeploy:
    """A commit that went live, and who brought it."""

    commit_sha: str
    at: datetime
    by: str


class DeployLog:
    """The deploys of the past, oldest first; the first of them was live at the beginning of the history."""

    def __init__(self, commits: Sequence[Commit], history_begins: datetime) -> None:
        every = [PastDeploy(commit.sha, commit.committed_at + REVIEW, commit.author) for commit in commits]
        before = [deploy for deploy in every if deploy.at <= history_begins]
        self.deploys = tuple(before[-1:] + every[len(before) :])
        self._moments = [deploy.at.timestamp() for deploy in self.deploys]

    def version_at(self, moment: float) -> str:
        """The version that served a request at `moment`, seconds UTC."""
        return version_of(self.deploys[max(0, bisect_right(self._moments, moment) - 1)].commit_sha)
