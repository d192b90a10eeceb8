from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.investigate.pages import read_pages, triage_folder


def _page(page_id: str, service: str, minute: int, **others: Any) -> dict[str, Any]:
    return {
        "id": page_id,
        "service": service,
        "metric": "http_5xx_rate",
        "severity": "SEV2",
        "fired_at": f"2026-03-01T10:{minute:02d}:00Z",
        "value": 0.3,
        "threshold": 0.05,
        "fired_count_last_1h": 1,
        "auto_resolved_after_s": None,
        "related_pattern": None,
        "recent_deploy": None,
    } | others


def _write(folder: Path, name: str, value: object) -> None:
    (folder / name).write_text(json.dumps(value, indent=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(
        tmp_path,
        "pages.json",
        [
            _page("root", "stock", 10, related_pattern="pool"),
            _page("caller", "till", 11, related_pattern="pool"),
            _page("blip", "mail", 12, auto_resolved_after_s=30, related_pattern="usual"),
            _page("owned", "cart", 13),
            _page("drain", "node", 14, auto_resolved_after_s=90),
        ],
    )
    _write(
        tmp_path,
        "patterns.json",
        [
            {
                "pattern_id": "pool",
                "signature": "pool exhausted",
                "delta_vs_baseline_pct": 900,
                "sentiment": "negative",
            },
            {"pattern_id": "usual", "signature": "retry", "delta_vs_baseline_pct": 2, "sentiment": "neutral"},
        ],
    )
    _write(
        tmp_path,
        "incidents_open.json",
        [
            {
                "incident_id": "INC-1",
                "service": "cart",
                "metric": "http_5xx_rate",
                "status": "investigating",
                "owner": "kim",
                "opened_at": "2026-03-01T10:00:00Z",
            }
        ],
    )
    _write(
        tmp_path,
        "deploys.json",
        [
            {
                "timestamp": "2026-03-01T10:00:00Z",
                "service": "node",
                "version": "drain-1",
                "scope": ["node"],
                "window_start": "2026-03-01T10:00:00Z",
                "window_end": "2026-03-01T11:00:00Z",
            },
            {
                "timestamp": "2026-03-01T10:05:00Z",
                "service": "cart",
                "version": "cart-2",
                "config_changes": {"heap.max_pct": {"from": 50, "to": 75}},
            },
        ],
    )
    (tmp_path / "metrics.csv").write_text(
        "timestamp,service,metric,value\n"
        "2026-03-01T10:00:00Z,stock,http_5xx_rate,0.01\n"
        "2026-03-01T10:10:00Z,stock,http_5xx_rate,0.3\n"
        "2026-03-01T10:20:00Z,stock,http_5xx_rate,0.4\n"
    )
    return tmp_path


def test_the_root_is_paged_and_its_symptom_the_blip_the_owned_and_the_announced_are_not(folder: Path) -> None:
    answer = triage_folder(folder)
    assert answer.decisions == {
        "root": "page",
        "caller": "suppress",
        "blip": "suppress",
        "owned": "suppress",
        "drain": "suppress",
    }
    assert answer.joins == {"caller": "root", "owned": "INC-1"}
    assert answer.problems == ()


def test_a_deploy_keeps_the_limits_that_it_names_and_a_plan_is_no_deploy(folder: Path) -> None:
    context = read_pages(folder).context
    assert [dict(one.limits) for one in context.changes] == [{"config_changes.heap.max_pct": 75.0}]
    assert [one.name for one in context.windows] == ["drain-1"]


def test_what_is_broken_is_told_with_its_line_and_the_rest_is_used(folder: Path) -> None:
    pages = json.loads((folder / "pages.json").read_text())
    del pages[1]["metric"]
    pages[2]["fired_at"] = "soon"
    pages.append("page")
    _write(folder, "pages.json", pages)
    (folder / "patterns.json").write_text('[{"pattern_id": ')
    with (folder / "metrics.csv").open("a") as file:
        file.write("2026-03-01T10:20:00Z,stock,http_5xx_rate,many\n")
    answer = triage_folder(folder)
    assert answer.decisions["root"] == "page"
    assert set(answer.decisions) == {"root", "owned", "drain", "caller", "blip"}
    assert answer.decisions["blip"] == "page", "what cannot be judged is told"
    told = [str(one) for one in answer.problems]
    assert "pages.json, line 15, item[1]: metric is missing" in told
    assert any(one.startswith("pages.json, line 27, item[2]: fired_at 'soon' is not an ISO 8601 time") for one in told)
    assert "metrics.csv, line 5: value is no number" in told
    assert "patterns.json, line 1: is not JSON: Expecting value" in told
    assert len(told) == 5


def test_a_folder_without_files_has_no_pages(tmp_path: Path) -> None:
    answer = triage_folder(tmp_path)
    assert (answer.decisions, answer.problems) == ({}, ())


def test_a_number_that_cannot_be_read_costs_the_number_and_not_the_alert(folder: Path) -> None:
    pages = json.loads((folder / "pages.json").read_text())
    pages[0] |= {"value": "0.3", "threshold": "low"}
    _write(folder, "pages.json", pages)
    answer = triage_folder(folder)
    assert answer.decisions["root"] == "page"
    assert answer.problems == ("pages.json, line 2, item[0]: threshold is no number: 'low'",)
