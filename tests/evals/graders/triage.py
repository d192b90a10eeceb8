"""Grades for which alerts somebody is woken."""

from __future__ import annotations

from tests.evals.cases import Case
from tests.evals.marks import Mark
from tests.evals.seam import Answer

PAGE = "page"


def grade(case: Case, answer: Answer) -> Mark:
    """Mark an answer: it passes if every alert of `must_page` pages and F1 of "page" reaches the threshold.

    An alert without a decision counts as suppressed.
    """
    labels = {page: label == PAGE for page, label in case.truth["labels"].items()}
    paged = {page for page in labels if answer.decisions.get(page) == PAGE}
    positives = {page for page, is_page in labels.items() if is_page}
    missed = set(case.truth.get("must_page", ())) - paged
    f1 = f1_score(len(paged & positives), len(paged - positives), len(positives - paged))
    return Mark(
        case,
        answer,
        passed=not missed and f1 >= float(case.truth["f1_threshold"]),
        counts={
            "must_pages_suppressed": len(missed),
            "true_pages": len(paged & positives),
            "false_pages": len(paged - positives),
            "missed_pages": len(positives - paged),
            "pages": len(labels),
        },
    )


def f1_score(found: int, false: int, missed: int) -> float:
    """Return the harmonic mean of precision and recall; 1 if there was nothing to find and nothing was claimed."""
    return 2 * found / (2 * found + false + missed) if found + false + missed else 1.0
