"""How far stated probabilities can be believed, and how to mend them.

Outcomes are 0 or 1 (was the answer right), probabilities lie in [0, 1]; arrays have the shape (answers,).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from detection.statistics.proportions import wilson_interval
from detection.types import Floats

_FURTHEST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""
_STEPS = 100
_RIDGE = 1e-9
_SMALL = 1e-10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Some answers of similar probability: how sure they were on average, and what share of them was right.

    low and high: the Wilson interval (95 %) of `share_right`.
    """

    count: int
    mean_probability: float
    share_right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PlattScaling:
    """A logistic curve over scores: probability = expit(slope * score + intercept)."""

    slope: float
    intercept: float

    def probability(self, scores: ArrayLike) -> Floats:
        """Return the probability of each score."""
        return np.asarray(expit(self.slope * np.asarray(scores, dtype=float) + self.intercept))


@dataclass(frozen=True, slots=True)
class IsotonicScaling:
    """A curve that never falls: linear between (score, probability) points, level outside of them."""

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def probability(self, scores: ArrayLike) -> Floats:
        """Return the probability of each score."""
        return np.asarray(np.interp(np.asarray(scores, dtype=float), self.scores, self.probabilities))


def brier(probabilities: ArrayLike, outcomes: ArrayLike) -> float:
    """Return the mean squared difference of probability and outcome: 0 is best. Brier (1950). NaN without answers."""
    p, y = _pair(probabilities, outcomes)
    return float(np.mean((p - y) ** 2)) if p.size else float("nan")


def expected_calibration_error(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> float:
    """Return the mean distance of stated probability and share right, over bins of equal mass weighted by size.

    Naeini, Cooper and Hauskrecht (AAAI 2015), with the equal-mass bins of Nguyen and O'Connor (EMNLP 2015). With few
    answers it is biased upwards: chance alone moves a small bin off its probability. NaN without answers.
    """
    p, y = _in_order(probabilities, outcomes)
    if not p.size:
        return float("nan")
    starts = _edges(p, bins)[:-1]
    return float(np.sum(np.abs(np.add.reduceat(p, starts) - np.add.reduceat(y, starts))) / p.size)


def reliability_bins(probabilities: ArrayLike, outcomes: ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Return at most `bins` bins of about equally many answers, in order of probability.

    Answers of the same probability stay together, so that the order in which they came does not matter.
    """
    p, y = _in_order(probabilities, outcomes)
    return tuple(_bin(p[start:end], y[start:end]) for start, end in pairwise(_edges(p, bins)))


def platt_scaling(scores: ArrayLike, outcomes: ArrayLike) -> PlattScaling:
    """Fit a logistic curve to outcomes by Newton's method.

    Platt (1999) with his smoothed targets, (right + 1) / (right + 2) and 1 / (wrong + 2), so that it stays finite where
    all answers were right; the Newton steps with halving of Lin, Lin and Weng (Machine Learning 68, 2007).
    """
    f, y = _pair(scores, outcomes)
    right, wrong = float(np.sum(y)), float(np.sum(1 - y))
    target = np.where(y > 0.5, (right + 1) / (right + 2), 1 / (wrong + 2))
    design = np.column_stack([f, np.ones_like(f)])
    weights = np.array([0.0, np.log((right + 1) / (wrong + 1))])
    loss = _log_loss(design @ weights, target)
    for _ in range(_STEPS):
        p = expit(design @ weights)
        gradient = design.T @ (p - target)
        if np.max(np.abs(gradient), initial=0.0) < _SMALL:
            break
        hessian = (design * (p * (1 - p))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > _SMALL and _log_loss(design @ (weights - size * step), target) > loss:
            size /= 2
        if size <= _SMALL:
            break
        weights = weights - size * step
        loss = _log_loss(design @ weights, target)
    return PlattScaling(float(weights[0]), float(weights[1]))


def isotonic(scores: ArrayLike, outcomes: ArrayLike) -> IsotonicScaling:
    """Fit the curve that never falls and is closest to the outcomes, by pooling adjacent violators.

    Ayer, Brunk, Ewing, Reid and Silverman (1955); for probabilities Zadrozny and Elkan (KDD 2002). Answers of the same
    score are pooled first. Raises ValueError without answers.
    """
    f, y = _pair(scores, outcomes)
    if not f.size:
        raise ValueError("an isotonic curve needs at least one answer")
    levels, place = np.unique(f, return_inverse=True)
    mass = np.bincount(place).astype(float)
    blocks: list[tuple[float, float, int]] = []  # (mean, mass, how many levels)
    for mean, weight in zip(np.bincount(place, weights=y) / mass, mass, strict=True):
        blocks.append((float(mean), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (mean_b, mass_b, size_b), (mean_a, mass_a, size_a) = blocks.pop(), blocks.pop()
            together = mass_a + mass_b
            blocks.append(((mean_a * mass_a + mean_b * mass_b) / together, together, size_a + size_b))
    fitted = [mean for mean, _, size in blocks for _ in range(size)]
    return IsotonicScaling(tuple(map(float, levels)), tuple(fitted))


def logits(probabilities: ArrayLike) -> Floats:
    """Return log odds, the scores on which `platt_scaling` mends probabilities; finite also for 0 and 1."""
    return np.asarray(logit(np.clip(np.asarray(probabilities, dtype=float), _FURTHEST, 1 - _FURTHEST)))


def _in_order(probabilities: ArrayLike, outcomes: ArrayLike) -> tuple[Floats, Floats]:
    p, y = _pair(probabilities, outcomes)
    order = np.argsort(p, kind="stable")
    return p[order], y[order]


def _edges(p: Floats, bins: int) -> list[int]:
    """Return where the bins of sorted probabilities begin, and the end; a cut within equal ones moves to their end."""
    cuts = {0, p.size} if p.size else {0}
    for k in range(1, bins):
        cut = round(k * p.size / bins)
        if 0 < cut < p.size:
            first, last = np.searchsorted(p, [p[cut]], "left"), np.searchsorted(p, [p[cut]], "right")
            cuts.add(int(first[0] if cut - first[0] <= last[0] - cut else last[0]))
    return sorted(cuts)


def _bin(probabilities: Floats, outcomes: Floats) -> ReliabilityBin:
    right, count = float(np.sum(outcomes)), int(outcomes.size)
    low, high = wilson_interval(right, count)
    return ReliabilityBin(count, float(np.mean(probabilities)), right / count, float(low), float(high))


def _log_loss(margins: Floats, target: Floats) -> float:
    """Return the cross entropy of expit(margins) against targets in [0, 1], without overflow."""
    return float(np.sum(np.logaddexp(0.0, margins) - target * margins))


def _pair(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(one, dtype=float).ravel(), np.asarray(other, dtype=float).ravel()
    if first.shape != second.shape:
        raise ValueError(f"{first.size} probabilities or scores, but {second.size} outcomes")
    return first, second
