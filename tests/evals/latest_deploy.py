"""The peer that every suite can be held against: whatever went live last before the alert is to blame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.evals.cases import Case
from tests.evals.graders.commits import same_commit


def latest_deploys_right(cases: Sequence[Case]) -> int:
    """Return in how many cases the latest deploy before the alert is the culprit."""
    return sum(same_commit(latest_deploy(case.folder), case.truth.get("root_cause_commit")) for case in cases)


def latest_deploy(folder: Path) -> str | None:
    """Return the commit of the latest deploy before the alert, None if there is no deploy."""
    path = folder / "context" / "deploys.json"
    if not path.exists():
        return None
    read = json.loads(path.read_text(encoding="utf-8"))
    deploys: list[dict[str, Any]] = read if isinstance(read, list) else read["deploys"]
    fired = json.loads((folder / "alert.json").read_text(encoding="utf-8"))["fired_at"]
    before = [deploy for deploy in deploys if deploy["timestamp"] <= fired]
    return str(max(before, key=lambda deploy: str(deploy["timestamp"]))["commit_sha"]) if before else None
