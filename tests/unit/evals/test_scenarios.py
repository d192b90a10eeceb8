"""The generated scenarios: true to themselves, the same for the same seed, and no giveaway."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.evals.cases import sealed
from tests.evals.latest_deploy import latest_deploy
from tests.evals.scenarios.changes import GUILTY
from tests.evals.scenarios.generate import KINDS, scenario
from tests.evals.scenarios.harmless import TEMPTING

_HUNK = re.compile(r"^@@ -\d+,(\d+) \+\d+,(\d+) @@")


def read(path: Path, key: str | None = None) -> Any:
    content = json.loads(path.read_text())
    return content if key is None or isinstance(content, list) else content[key]


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_files_and_another_seed_others(kind: str, tmp_path: Path) -> None:
    one, same, other = (scenario(tmp_path / place, kind, seed) for place, seed in (("a", 3), ("b", 3), ("c", 4)))
    files = sorted(path.relative_to(one.folder) for path in one.folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(same.folder) for path in same.folder.rglob("*") if path.is_file())
    assert all((one.folder / path).read_bytes() == (same.folder / path).read_bytes() for path in files)
    assert (one.folder / "metrics.csv").read_bytes() != (other.folder / "metrics.csv").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_agrees_with_the_files(kind: str, tmp_path: Path) -> None:
    for seed in range(3):
        case = scenario(tmp_path, kind, seed)
        deploys = {one["commit_sha"]: one for one in read(case.folder / "context" / "deploys.json", "deploys")}
        commits = {one["sha"] for one in read(case.folder / "context" / "commits.json", "commits")}
        assert deploys.keys() <= commits
        assert set(case.truth["decoy_deploy_commits"]) <= deploys.keys()
        culprit = case.truth["root_cause_commit"]
        assert culprit not in case.truth["decoy_deploy_commits"]
        if culprit != "none":
            assert time(deploys[culprit]["timestamp"]) <= time(case.truth["onset"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no_fault"])
def test_the_alert_fires_after_the_onset_on_a_metric_that_is_beyond_its_limit(kind: str, tmp_path: Path) -> None:
    for seed in range(4):
        case = scenario(tmp_path, kind, seed)
        alert = read(case.folder / "alert.json")
        limit = float(str(alert["threshold"]).strip("> ").split()[0])
        assert time(alert["fired_at"]) > time(case.truth["onset"])
        with (case.folder / "metrics.csv").open() as file:
            values = {
                row["timestamp"]: float(row["value"])
                for row in csv.DictReader(file)
                if (row["service"], row["metric"]) == (alert["service"], alert["metric"])
            }
        assert values[alert["fired_at"]] > limit, f"{case.name} at {alert['fired_at']}"
        assert 60 <= len(values) <= 200


@pytest.mark.parametrize("template", [*GUILTY, *TEMPTING], ids=lambda one: f"{one.mechanism}-{one.language}")
def test_a_diff_counts_its_lines_and_leaves_no_word_unfilled(template: Any, tmp_path: Path) -> None:
    words = dict.fromkeys(
        ("svc", "svc_id", "thing", "Thing", "callee", "callee_id", "CALLEE", "old", "new", "old_s", "new_s", "many"),
        "x",
    )
    written = template.filled(words | dict.fromkeys(("country", "store", "n"), "x"), 12)
    header, *lines = written.diff.split("\n")
    counted = _HUNK.match(header)
    assert counted is not None
    assert int(counted[1]) == sum(line[0] in " -" for line in lines)
    assert int(counted[2]) == sum(line[0] in " +" for line in lines)
    assert not re.search(r"@(?:svc|thing|callee|old|new|many|store|n|country)", written.path + written.message)
    assert any(line[0] in "+-" for line in lines)


def test_every_kind_with_a_culprit_has_more_than_one_way_to_write_it(tmp_path: Path) -> None:
    by_mechanism: dict[str, set[str]] = {}
    for template in GUILTY:
        by_mechanism.setdefault(template.mechanism, set()).add(template.language)
    assert {name for name, languages in by_mechanism.items() if len(languages) < 2} == set()


def test_the_latest_deploy_is_seldom_the_culprit_but_not_never(tmp_path: Path) -> None:
    cases = [
        scenario(tmp_path, kind, seed) for kind in ("n_plus_one", "bad_release", "pool_lowered") for seed in range(12)
    ]
    right = sum(latest_deploy(case.folder) == case.truth["root_cause_commit"] for case in cases)
    assert 0 < right < len(cases) / 2


def test_a_sealed_case_holds_everything_but_the_truth(tmp_path: Path) -> None:
    case = scenario(tmp_path / "open", "third_party", 0)
    copy = sealed(case, tmp_path / "sealed")
    assert copy.name == case.folder.name
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert "truth.json" not in names
    assert {"alert.json", "metrics.csv", "context/commits.json"} <= names


def test_a_country_that_cannot_pay_stands_in_the_logs(tmp_path: Path) -> None:
    case = scenario(tmp_path, "payment_country", 1)
    lines = [json.loads(line) for line in (case.folder / "logs.ndjson").read_text().splitlines()]
    refused = {line["country"] for line in lines if "refused" in line["msg"]}
    captured = {line["country"] for line in lines if "captured" in line["msg"]}
    assert len(refused) == 1
    assert refused.isdisjoint(captured)


def test_a_flag_at_fault_was_turned_on_just_before_the_onset(tmp_path: Path) -> None:
    case = scenario(tmp_path, "flag_turned_on", 2)
    onset = time(case.truth["onset"])
    turned = [flag for flag in read(case.folder / "context" / "flags.json", "changes") if flag["change"] == "off->on"]
    near = [flag for flag in turned if 0 <= (onset - time(flag["timestamp"])).total_seconds() <= 90]
    assert case.truth["first_failing_service"] in {flag["service"] for flag in near}


def test_a_night_without_a_fault_accepts_to_abstain(tmp_path: Path) -> None:
    truth = scenario(tmp_path, "no_fault", 0).truth
    assert (truth["root_cause_commit"], truth["accept_abstention"], truth["propagation_path"]) == ("none", True, [])
