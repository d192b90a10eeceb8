"""The guilty commit is not among those that are known: no innocent one may take its place."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.evals.arms.sample import sample
from tests.evals.cases import Case, read_case
from tests.evals.figures import EvalFigure, count, share
from tests.evals.graders.commits import NONE, same_commit
from tests.evals.marks import BLAMED_FROM
from tests.evals.run import Run
from tests.evals.seam import Answer

_LISTS = {"context/commits.json": "commits", "context/deploys.json": "deploys", "deploys.json": "deploys"}
"""The files that name the commit, and under which key their rows may lie."""


def run(evaluation: Run) -> Iterator[EvalFigure]:
    """Yield how often no commit is blamed at 0.6 or more where the one that did it is not known."""
    asked = blamed = 0
    for case in sample(evaluation, "guilty_away"):
        spoilt = without_the_guilty(case, evaluation.scratch / "without_the_guilty" / f"{case.suite}-{case.name}")
        if spoilt is None:
            continue
        answer = evaluation.answer(spoilt)
        is_blamed = blames_a_commit(answer)
        asked, blamed = asked + 1, blamed + is_blamed
        if is_blamed:
            told = f"{answer.root_cause_commit} at {answer.confidence:.2f}"
            print(f"{case.suite}/{case.name} without its guilty commit: {told}", file=sys.stderr)
    yield share("guilty_away_passes", asked - blamed, asked, "share of cases without their culprit", at_least=1.0)
    yield count("guilty_away_innocents_blamed", blamed, asked, "innocent commits blamed at 0.6 or more", at_most=0)


def without_the_guilty(case: Case, folder: Path) -> Case | None:
    """Return a copy in which neither the guilty commit nor its deploy is there; None if no commit did it."""
    guilty = case.truth.get("root_cause_commit") or case.truth.get("root_cause_culprit_sha")
    if guilty is None or guilty == NONE:
        return None
    shutil.copytree(case.folder, folder)
    for name, key in _LISTS.items():
        path = folder / name
        if path.exists():
            path.write_text(json.dumps(_without(json.loads(path.read_text("utf-8")), key, guilty)), encoding="utf-8")
    return read_case(folder, case.suite, case.group)


def blames_a_commit(answer: Answer) -> bool:
    """Whether a commit is named, with a confidence from which on it counts as blamed."""
    return answer.root_cause_commit not in (None, NONE) and answer.confidence >= BLAMED_FROM


def _without(read: Any, key: str, guilty: str) -> Any:
    if isinstance(read, dict):
        return {**read, key: _without(read[key], key, guilty)}
    return [row for row in read if not same_commit(row.get("sha") or row.get("commit_sha"), guilty)]
