"""Create the shop's git repository with its history, and push to it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.demo.errors import GitSlowError
from bot.demo.repository.changes import HISTORY, Change
from bot.demo.repository.git import git

NAME = "acme/shop"
LOOK_SECONDS = 20.0
SHOP_SOURCE = Path(__file__).parents[1] / "shop"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit in the repository."""

    sha: str
    author: str
    message: str
    committed_at: datetime


class ShopRepository:
    """A bare repository, as on a code host, and one developer's clone to push from."""

    def __init__(self, bare: Path, clone: Path) -> None:
        self.bare = bare
        self._clone = clone

    def create(self, now: datetime, more: Sequence[Change] = ()) -> list[Commit]:
        """Create the whole history, push it, and return its commits, oldest first. Raises DemoError.

        more: what this shop has beside, as the newest commits.
        """
        self.bare.mkdir(parents=True)
        git(self.bare, "init", "--quiet", "--bare", "--initial-branch=main")
        self._clone.mkdir(parents=True)
        git(self._clone, "init", "--quiet", "--initial-branch=main")
        git(self._clone, "remote", "add", "origin", str(self.bare.resolve()))
        _copy_shop(self._clone)
        for change in reversed(HISTORY[1:]):
            git(self._clone, "apply", "--reverse", str(change.patch_file))
        commits = [self._commit(HISTORY[0], now)]
        for change in (*HISTORY[1:], *more):
            git(self._clone, "apply", str(change.patch_file))
            commits.append(self._commit(change, now))
        git(self._clone, "push", "--quiet", "origin", "main")
        return commits

    def push(self, changes: Sequence[Change], now: datetime) -> list[Commit]:
        """Commit the changes in order on top of main, push them together, and return the commits. Raises DemoError."""
        git(self._clone, "pull", "--quiet", "--ff-only", "origin", "main")
        commits = []
        for change in changes:
            git(self._clone, "apply", str(change.patch_file))
            commits.append(self._commit(change, now))
        git(self._clone, "push", "--quiet", "origin", "main")
        return commits

    def head(self) -> str:
        """Return the full SHA of main."""
        return git(self.bare, "rev-parse", "refs/heads/main")

    def head_now(self, path: str | None = None) -> str | None:
        """Return the full SHA of main, or None while git is too slow to tell, for those who ask again anyway.

        path: the newest commit or merge of main that changes something in this directory.
        """
        main = "refs/heads/main"
        asked = ("rev-parse", main) if path is None else ("rev-list", "-1", "--first-parent", main, "--", path)
        try:
            return git(self.bare, *asked, limit_seconds=LOOK_SECONDS)
        except GitSlowError:
            return None

    def check_out(self, sha: str, directory: Path) -> None:
        """Check out one commit into a new directory."""
        git(self.bare, "clone", "--quiet", "--shared", "--no-checkout", str(self.bare.resolve()), str(directory))
        git(directory, "checkout", "--quiet", "--detach", sha)

    def _commit(self, change: Change, now: datetime) -> Commit:
        moment = (now - timedelta(days=change.days_ago)).astimezone(UTC)
        identity = {
            "GIT_AUTHOR_NAME": change.author.name,
            "GIT_AUTHOR_EMAIL": change.author.email,
            "GIT_AUTHOR_DATE": moment.isoformat(),
            "GIT_COMMITTER_NAME": change.author.name,
            "GIT_COMMITTER_EMAIL": change.author.email,
            "GIT_COMMITTER_DATE": moment.isoformat(),
        }
        git(self._clone, "add", "--all")
        git(self._clone, "commit", "--quiet", "--message", change.message, environment=identity)
        return Commit(git(self._clone, "rev-parse", "HEAD"), change.author.name, change.message, moment)


def _copy_shop(directory: Path) -> None:
    """Copy the shop's package into shop/, and its README beside it."""
    package = directory / "shop"
    package.mkdir()
    for source in sorted(SHOP_SOURCE.glob("*.py")):
        shutil.copy(source, package / source.name)
    shutil.copy(SHOP_SOURCE / "README.md", directory / "README.md")
    (directory / ".gitignore").write_text("__pycache__/\n*.db*\n")
