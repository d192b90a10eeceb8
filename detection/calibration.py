"""How sure an answer may be called, by how often answers like it were right.

The evidence gives a raw confidence. Until outcomes are known it is shrunk by a stated table; from LEAST_FOR_PLATT
outcomes on a logistic curve is fitted to them, from LEAST_FOR_ISOTONIC a curve of free form. Each kind of cause has a
curve of its own once it has LEAST_FOR_PLATT outcomes; until then all kinds share one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from detection.statistics.reliability import (
    isotonic,
    logits,
    platt_scaling,
    reliability_bins,
)
from detection.types import Floats, JudgedAnswer

PRIOR: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (0.5, 0.45),
    (0.6, 0.55),
    (0.8, 0.74),
    (0.9, 0.87),
    (0.95, 0.93),
    (0.99, 0.97),
    (1.0, 0.97),
)
"""Raw confidence to calibrated, linear in between, for as long as there are fewer than LEAST_FOR_PLATT outcomes.

Judgements, not measurements: evidence that is weighed as if it were independent makes an answer too sure of itself, and
so every confidence shrinks and none is above 97 %.
"""

LEAST_FOR_PLATT, LEAST_FOR_ISOTONIC = 50, 500

SUREST = 0.99
"""No answer is called surer than this, and none less sure than 1 - SUREST."""

LEAST_ALIKE = 20
"""How many answers it takes to say how many of them were right."""

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Answers are as sure as one another if no level lies between their confidences."""

_LEAST_IN_STEP = 20
"""How many answers a step of the isotonic curve rests on at least, so that three lucky ones make no certainty."""
_MOST_STEPS = 50
_POINTS = 41


class Method(StrEnum):
    """How a raw confidence was turned into a calibrated one."""

    PRIOR = "prior"
    PLATT = "platt"
    ISOTONIC = "isotonic"


@dataclass(frozen=True, slots=True)
class Alike:
    """Of `count` answers that were as sure, `right` were right."""

    count: int
    right: int


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibrated confidence, 0 to 1. cause: the kind whose outcomes gave the curve; None for those of all kinds.

    alike: None until LEAST_ALIKE answers were as sure.
    """

    confidence: float
    method: Method
    cause: str | None = None
    alike: Alike | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve that never falls, as (raw, calibrated) points, linear in between; `outcomes` is how many it rests on.

    alike: how many answers were made between two LEVELS, and how many of them were right; one more than LEVELS.
    """

    method: Method
    points: tuple[tuple[float, float], ...]
    outcomes: int = 0
    alike: tuple[Alike, ...] = ()

    def at(self, raw: float) -> float:
        """Return the calibrated confidence of a raw one."""
        scores, confidences = zip(*self.points, strict=True)
        return float(np.interp(raw, scores, confidences))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curve over all outcomes, and those of the kinds of cause that have enough outcomes of their own."""

    over_all: Curve = Curve(Method.PRIOR, PRIOR)
    by_cause: dict[str, Curve] = field(default_factory=dict)

    def of(self, raw: float, cause: str, *, cap: float = 1.0, unseen: float = 0.0) -> Calibrated:
        """Return the calibrated confidence of an answer, never above `cap`. Raises ValueError outside of 0 to 1.

        unseen: the evidence against it that may exist and that nobody could see, in nats; see `doubted`.
        """
        if not 0 <= raw <= 1:
            raise ValueError(f"a confidence lies between 0 and 1, not at {raw}")
        curve = self.curve_of(cause)
        confidence = round(min(doubted(curve.at(raw), unseen), cap), 4)
        alike = curve.alike[_level(confidence)] if curve.alike else None
        return Calibrated(
            confidence=confidence,
            method=curve.method,
            cause=cause if cause in self.by_cause else None,
            alike=alike if alike is not None and alike.count >= LEAST_ALIKE else None,
        )

    def curve_of(self, cause: str) -> Curve:
        """Return the curve of a kind of cause: its own, or else the one over all."""
        return self.by_cause.get(cause, self.over_all)


def doubted(confidence: float, nats: float) -> float:
    """Return a confidence with so much evidence against it: `nats` less of its log odds."""
    if nats <= 0 or not 0 < confidence < 1:
        return confidence
    return 1.0 / (1.0 + math.exp(nats) * (1.0 - confidence) / confidence)


def fit(outcomes: Sequence[JudgedAnswer]) -> Calibration:
    """Return the calibration that these outcomes, in any order, give."""
    kinds: dict[str, list[JudgedAnswer]] = {}
    for outcome in outcomes:
        kinds.setdefault(outcome.cause, []).append(outcome)
    own = {cause: _curve(kinds[cause]) for cause in sorted(kinds) if len(kinds[cause]) >= LEAST_FOR_PLATT}
    return Calibration(_curve(outcomes), own)


def held_out(outcomes: Sequence[JudgedAnswer], *, folds: int = 5) -> list[float]:
    """Return each answer's calibrated confidence by a calibration that has not seen it: cross-validation by turns."""
    confidences = [0.0] * len(outcomes)
    for turn in range(folds):
        learnt = fit([outcome for place, outcome in enumerate(outcomes) if place % folds != turn])
        for place in range(turn, len(outcomes), folds):
            confidences[place] = learnt.of(outcomes[place].raw, outcomes[place].cause).confidence
    return confidences


def _curve(outcomes: Sequence[JudgedAnswer]) -> Curve:
    method, points = _points(outcomes)
    scores, confidences = zip(*points, strict=True)
    stated = np.interp([outcome.raw for outcome in outcomes], scores, confidences).round(4)
    levels = [_level(confidence) for confidence in stated.tolist()]
    alike = tuple(
        Alike(
            levels.count(level),
            sum(outcome.is_right for outcome, own in zip(outcomes, levels, strict=True) if own == level),
        )
        for level in range(len(LEVELS) + 1)
    )
    return Curve(method, points, len(outcomes), alike if outcomes else ())


def _points(outcomes: Sequence[JudgedAnswer]) -> tuple[Method, tuple[tuple[float, float], ...]]:
    if len(outcomes) < LEAST_FOR_PLATT:
        return Method.PRIOR, PRIOR
    ordered = sorted(outcomes, key=lambda outcome: (outcome.raw, outcome.is_right))
    raw = np.array([outcome.raw for outcome in ordered])
    right = np.array([float(outcome.is_right) for outcome in ordered])
    if len(outcomes) < LEAST_FOR_ISOTONIC:
        return Method.PLATT, _platt(raw, right)
    return Method.ISOTONIC, _isotonic(raw, right)


def _platt(raw: Floats, right: Floats) -> tuple[tuple[float, float], ...]:
    """Return points of the logistic curve over log odds; where it would fall, the share that is right, everywhere."""
    scores = np.linspace(0.0, 1.0, _POINTS)
    # Denser where most answers are, near 1, for the curve bends there.
    scores = np.unique(np.concatenate([scores, np.linspace(0.975, 1.0, 26)]).round(4))
    # SUREST bounds the log odds: at 0 and 1 they are without end, and a few such answers would decide the slope.
    scaling = platt_scaling(_log_odds(raw), right)
    if scaling.slope < 0:
        confidences = np.full_like(scores, (right.sum() + 1) / (right.size + 2))
    else:
        confidences = scaling.probability(_log_odds(scores))
    return _bounded(scores, confidences)


def _isotonic(raw: Floats, right: Floats) -> tuple[tuple[float, float], ...]:
    bins = reliability_bins(raw, right, bins=min(_MOST_STEPS, raw.size // _LEAST_IN_STEP))
    counts = [one.count for one in bins]
    # One right and one wrong answer are added to each step (Laplace), for a step of few answers is no certainty.
    shares = [(one.share_right * one.count + 1) / (one.count + 2) for one in bins]
    means = [one.mean_probability for one in bins]
    curve = isotonic(np.repeat(means, counts), np.repeat(shares, counts))
    return _bounded(np.array(curve.scores), np.array(curve.probabilities))


def _bounded(scores: Floats, confidences: Floats) -> tuple[tuple[float, float], ...]:
    kept = np.clip(confidences, 1 - SUREST, SUREST).round(6)
    return tuple((float(score), float(confidence)) for score, confidence in zip(scores, kept, strict=True))


def _log_odds(confidences: Floats) -> Floats:
    return logits(np.clip(confidences, 1 - SUREST, SUREST))


def _level(confidence: float) -> int:
    return bisect_right(LEVELS, confidence)
