"""Whether the stated confidence can be believed: of all answers that name a cause, how many were right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from detection.statistics.reliability import brier, expected_calibration_error, logits, platt_scaling
from tests.evals.figures import EvalFigure, resampled
from tests.evals.marks import Mark

_FOLDS = 10


def calibration(suite: str, marks: Sequence[Mark], *, at_most: float | None = None) -> Iterator[EvalFigure]:
    """Yield ECE and Brier of the stated confidence, and ECE after Platt scaling that never saw the answer's group."""
    stated = [(mark.answer.confidence, float(mark.right)) for mark in marks if mark.right is not None]
    if not stated:
        return
    said, right = [one for one, _ in stated], [one for _, one in stated]
    yield EvalFigure(
        f"{suite}_ece",
        expected_calibration_error(said, right),
        "expected calibration error of the confidence as stated (0 is best)",
        len(stated),
        resampled(stated, expected_calibration_error),
    )
    mended = cross_validated([mark for mark in marks if mark.right is not None])
    yield EvalFigure(
        f"{suite}_ece_cross_validated",
        expected_calibration_error(mended, right),
        "expected calibration error after Platt scaling on other groups",
        len(stated),
        resampled(list(zip(mended, right, strict=True)), expected_calibration_error),
        at_most=at_most,
    )
    yield EvalFigure(
        f"{suite}_brier", brier(said, right), "Brier score (0 is best)", len(stated), resampled(stated, brier)
    )


def cross_validated(marks: Sequence[Mark]) -> list[float]:
    """Return each answer's confidence after Platt scaling that was fitted on the other folds.

    Cases of one group share a fold, so what is learnt of a kind of incident is never tested on the same kind.
    """
    scores = logits([mark.answer.confidence for mark in marks])
    right = np.array([float(bool(mark.right)) for mark in marks])
    folds = np.array([_fold(mark.case.group) for mark in marks])
    mended = np.zeros(len(marks))
    for fold in set(folds.tolist()):
        inside = folds == fold
        mended[inside] = platt_scaling(scores[~inside], right[~inside]).probability(scores[inside])
    return [float(one) for one in mended]


def _fold(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % _FOLDS
