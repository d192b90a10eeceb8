"""Grades one of our own scenarios: the commit as in the suite of root causes, and the origin and chain beside."""

from __future__ import annotations

from dataclasses import replace

from tests.evals.cases import Case
from tests.evals.graders import chain, root_cause
from tests.evals.marks import Mark
from tests.evals.seam import Answer


def grade(case: Case, answer: Answer) -> Mark:
    """Mark an answer by its commit; what it says of the chain is only counted, where something failed at all."""
    mark = root_cause.grade(case, answer)
    if not case.truth["propagation_path"]:
        return mark
    return replace(mark, counts={**mark.counts, **chain.grade(case, answer).counts})
