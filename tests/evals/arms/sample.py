"""The cases that the arms spoil: one variant of each kind of scenario, and the public cases where they are there."""

from __future__ import annotations

from tests.benchmarks.figures import NothingToMeasureError
from tests.evals.cases import Case
from tests.evals.run import Run
from tests.evals.scenarios.generate import scenarios


def sample(evaluation: Run, arm: str) -> list[Case]:
    """Return the cases; those of the arm's own are written below its name."""
    found = list(scenarios(evaluation.scratch / arm, 1, evaluation.kinds))
    for suite in ("root_cause", "chain", "triage"):
        try:
            found += evaluation.cases(suite)
        except NothingToMeasureError:
            continue
    return found
