"""Each scenario's commits fit on each other, and what is said to do no harm changes nothing that could."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo.repository.git import git
from bot.demo.repository.repository import ShopRepository
from bot.demo.scenario import SCENARIOS, Scenario, ScenarioName

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALL = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=str)
OF_A_COMMIT = pytest.mark.parametrize(
    "scenario", [scenario for scenario in SCENARIOS.values() if scenario.fault is not None], ids=str
)


def pushed(scenario: Scenario, directory: Path) -> ShopRepository:
    repository = ShopRepository(directory / "shop.git", directory / "clone")
    repository.create(NOW, scenario.base)
    repository.push(scenario.changes, NOW)
    if scenario.later:
        repository.push(scenario.later, NOW)
    return repository


def test_every_name_has_its_scenario() -> None:
    assert set(SCENARIOS) == set(ScenarioName)


@ALL
def test_all_commits_of_a_scenario_apply_and_parse(scenario: Scenario, tmp_path: Path) -> None:
    repository = pushed(scenario, tmp_path)

    for number, sha in enumerate(git(repository.bare, "rev-list", "main").split()[:6]):
        repository.check_out(sha, tmp_path / f"v{number}")
        for source in (tmp_path / f"v{number}").glob("*/*.py"):
            ast.parse(source.read_text())


@ALL
def test_the_fault_is_one_of_the_commits_that_are_pushed_first(scenario: Scenario) -> None:
    assert scenario.fault is None or scenario.fault in scenario.changes
    assert scenario.fault not in scenario.later


@OF_A_COMMIT
def test_the_fault_can_be_reverted_after_everything_was_pushed(scenario: Scenario, tmp_path: Path) -> None:
    assert scenario.fault is not None
    repository = pushed(scenario, tmp_path)
    (fault,) = git(repository.bare, "log", "--format=%H", f"--grep={scenario.fault.message}", "main").split()
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(tmp_path / "other"))
    someone = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    git(tmp_path / "other", "revert", "--no-edit", fault, environment=someone)


def test_a_lifetime_of_the_cache_is_all_that_the_guilty_commit_changes(tmp_path: Path) -> None:
    repository = pushed(SCENARIOS[ScenarioName.CACHE_TTL], tmp_path)

    changed = git(repository.bare, "diff", "-U0", "main~3", "main~2").splitlines()
    assert [line for line in changed if line[:2] in ("-C", "+C")] == [
        "-CATALOGUE_TTL_SECONDS = 150",
        "+CATALOGUE_TTL_SECONDS = 1",
    ]


def test_the_inventory_s_deployer_sees_only_commits_of_the_inventory(tmp_path: Path) -> None:
    repository = pushed(SCENARIOS[ScenarioName.SLOW_DOWNSTREAM], tmp_path)
    shop, inventory = repository.head_now("shop"), repository.head_now("inventory")

    assert inventory == repository.head_now() == repository.head()
    assert shop == git(repository.bare, "rev-parse", "main~1")


def test_a_merged_revert_is_deployed_as_the_merge_that_main_is_at(tmp_path: Path) -> None:
    repository = pushed(SCENARIOS[ScenarioName.SLOW_DOWNSTREAM], tmp_path)
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(other))
    someone = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    git(other, "checkout", "--quiet", "-b", "undo")
    git(other, "revert", "--no-edit", "HEAD", environment=someone)
    git(other, "checkout", "--quiet", "main")
    git(other, "merge", "--quiet", "--no-ff", "-m", "Undo", "undo", environment=someone)
    git(other, "push", "--quiet", "origin", "main")

    assert repository.head_now("inventory") == repository.head_now() == git(other, "rev-parse", "main")
    assert repository.head_now("shop") == git(other, "rev-parse", "main~2")
