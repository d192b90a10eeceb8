"""docs/evaluation.md and docs/investigate.md say what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.evals.catalogue import ARMS, SUITES
from tests.evals.scenarios.generate import KINDS, scenario

DOCS = Path(__file__).parents[3] / "docs"
EVALUATION = (DOCS / "evaluation.md").read_text()
INVESTIGATE = (DOCS / "investigate.md").read_text()
OF_THE_EXPORT = {"window", "description", "generated_at"}


@pytest.mark.parametrize("name", [*SUITES, *ARMS, *KINDS])
def test_every_suite_arm_and_kind_is_explained(name: str) -> None:
    assert f"`{name}`" in EVALUATION


@pytest.mark.parametrize("page", [EVALUATION, INVESTIGATE], ids=["evaluation", "investigate"])
def test_every_link_leads_to_a_heading_or_a_page(page: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in page.splitlines()
        if line[:1] == "#"
    }
    for target in re.findall(r"\]\(([^)]+)\)", page):
        path, _, anchor = target.partition("#")
        assert (DOCS / path).exists() if path else anchor in headings, target


@pytest.mark.parametrize("kind", ["third_party", "node_pressure", "n_plus_one"])
def test_every_file_and_field_of_a_scenario_is_documented(kind: str, tmp_path: Path) -> None:
    for seed in range(4):
        folder = scenario(tmp_path, kind, seed).folder
        for path in folder.rglob("*.*json"):
            name = path.relative_to(folder).as_posix()
            assert f"`{name}`" in INVESTIGATE, name
            if name != "truth.json":
                text = path.read_text()
                read = (
                    [json.loads(line) for line in text.splitlines()] if name.endswith(".ndjson") else json.loads(text)
                )
                assert {field for field in fields(read) if f"`{field}`" not in INVESTIGATE} <= OF_THE_EXPORT, name


def fields(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {field for inner in value.values() for field in fields(inner)}
    return {field for inner in value for field in fields(inner)} if isinstance(value, list) else set()
