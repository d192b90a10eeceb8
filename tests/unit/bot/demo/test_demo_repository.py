"""The shop's repository is a real git repository with a realistic history."""

from __future__ import annotations

import ast
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.errors import DemoError
from bot.demo.repository.changes import FREE_RETURNS, HISTORY, LIVE_STOCK, ORDER_TOTAL, Change
from bot.demo.repository.git import TIME_LIMIT_SECONDS, git
from bot.demo.repository.repository import SHOP_SOURCE, ShopRepository

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path) -> ShopRepository:
    repository = ShopRepository(tmp_path / "repositories/acme/shop.git", tmp_path / "clone")
    repository.create(NOW)
    return repository


def test_main_equals_the_shop_in_the_source_tree(repository: ShopRepository, tmp_path: Path) -> None:
    repository.check_out(repository.head(), tmp_path / "live")
    for source in SHOP_SOURCE.glob("*.py"):
        assert (tmp_path / "live/shop" / source.name).read_text() == source.read_text()


def test_the_history_has_several_authors_over_the_last_weeks_in_order(repository: ShopRepository) -> None:
    log = git(repository.bare, "log", "--reverse", "--format=%an|%at|%s", "main").splitlines()
    authors, times, subjects = zip(*(line.split("|") for line in log), strict=True)
    assert subjects == tuple(change.message for change in HISTORY)
    assert len(set(authors)) >= 4
    assert list(times) == sorted(times)
    assert datetime.fromtimestamp(int(times[0]), UTC) < NOW - timedelta(days=20)
    assert datetime.fromtimestamp(int(times[-1]), UTC) < NOW - timedelta(days=1)


def test_every_commit_of_the_history_parses_as_python(repository: ShopRepository, tmp_path: Path) -> None:
    for sha in git(repository.bare, "rev-list", "main").splitlines():
        repository.check_out(sha, tmp_path / sha)
        for source in (tmp_path / sha / "shop").glob("*.py"):
            ast.parse(source.read_text())


@pytest.mark.parametrize(
    "changes", [(LIVE_STOCK, FREE_RETURNS), (FREE_RETURNS, ORDER_TOTAL)], ids=["bad-deploy", "harmless-deploy"]
)
def test_a_push_adds_its_commits_in_order_on_top_of_main(
    repository: ShopRepository, changes: tuple[Change, ...]
) -> None:
    before = repository.head()
    pushed = repository.push(changes, NOW)
    assert repository.head() == pushed[-1].sha
    assert git(repository.bare, "rev-list", "--reverse", f"{before}..main").splitlines() == [c.sha for c in pushed]
    assert git(repository.bare, "rev-parse", f"{pushed[0].sha}^") == before


def test_a_push_builds_on_commits_that_someone_else_merged_meanwhile(
    repository: ShopRepository, tmp_path: Path
) -> None:
    (bad,) = repository.push([LIVE_STOCK], NOW)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(other))
    someone = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    git(other, "revert", "--no-edit", bad.sha, environment=someone)
    git(other, "push", "--quiet", "origin", "main")
    repository.push([FREE_RETURNS], NOW)
    subjects = git(repository.bare, "log", "--format=%s", "-3", "main").splitlines()
    assert subjects == [FREE_RETURNS.message, f'Revert "{LIVE_STOCK.message}"', LIVE_STOCK.message]


def test_a_git_failure_is_reported_with_gits_own_message(repository: ShopRepository) -> None:
    with pytest.raises(DemoError, match=r"git log failed: .*no-such-branch"):
        git(repository.bare, "log", "no-such-branch")


def test_without_git_the_demo_reports_that_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DemoError, match="git is not on the PATH"):
        git(tmp_path, "status")


def test_a_slow_git_is_asked_again_instead_of_ending_the_demo(
    repository: ShopRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.head()
    slow = tmp_path / "slow" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)

    with monkeypatch.context() as changed:
        changed.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
        changed.setattr("bot.demo.repository.repository.LOOK_SECONDS", 0.2)
        assert repository.head_now() is None

    assert repository.head_now() == head
    assert TIME_LIMIT_SECONDS >= 120, "half a minute is no hang"
