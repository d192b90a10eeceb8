"""Nothing is wrong but a flapping alert, among deploys and flags: whoever blames a commit here blames at will."""

from __future__ import annotations

from collections.abc import Iterator

from tests.evals.figures import EvalFigure, count, share
from tests.evals.graders.root_cause import grade
from tests.evals.marks import BLAMED_FROM
from tests.evals.run import Run
from tests.evals.scenarios.generate import scenario

_FIRST_SEED = 1000
"""Beyond the seeds of the suite of scenarios, so that these are other nights."""


def run(evaluation: Run) -> Iterator[EvalFigure]:
    """Yield how often the answer is to abstain or "none", and how often a commit is blamed."""
    seeds = range(_FIRST_SEED, _FIRST_SEED + 2 * evaluation.seeds)
    cases = [scenario(evaluation.scratch / "no_fault", "no_fault", seed) for seed in seeds]
    marks = [grade(case, evaluation.answer(case)) for case in cases]
    blamed = [mark for mark in marks if not mark.passed and mark.answer.confidence >= BLAMED_FROM]
    yield share("no_fault_passes", sum(mark.passed for mark in marks), len(marks), at_least=1.0)
    yield count("no_fault_commits_blamed", len(blamed), len(marks), "commits blamed at 0.6 or more", at_most=0)
