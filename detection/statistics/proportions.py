"""Tests and intervals for shares: conversion rates, error rates, the share of slow requests.

All functions are elementwise over arrays that broadcast together. Counts are whole numbers, as floats or integers.
The module uses `scipy.special` because importing `scipy.stats` costs an idle worker 70 MB.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, betaln, gammaln, ndtri, xlog1py, xlogy

from detection.types import Floats

_NEGLIGIBLE = 1e-15


def binomial_mid_p(successes: ArrayLike, trials: ArrayLike, rate: ArrayLike) -> Floats:
    """Return P(X < successes) + P(X = successes) / 2 for X ~ Binomial(trials, rate): small when fewer than expected.

    The mid-p value of Lancaster (1961) undoes most of the conservatism of the exact test on counts; Agresti
    (Categorical Data Analysis, 3rd ed., 2013, section 1.4.4) recommends it. The upper tail is one minus this value.
    """
    k, n, p = _broadcast(successes, trials, rate)

    def log_mass(k: Floats, n: Floats, p: Floats) -> Floats:
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return np.asarray(ways + xlogy(k, p) + xlog1py(n - k, -p))

    def step_down(k: Floats, n: Floats, p: Floats) -> Floats:
        return k * (1 - p) / ((n - k + 1) * p)

    return _lower_tail(k, n * p, log_mass, step_down, (n, p), lambda n, p: (n, 1 - p), n)


def beta_binomial_mid_p(successes: ArrayLike, trials: ArrayLike, rate: ArrayLike, strength: ArrayLike) -> Floats:
    """Return the lower mid-p tail when the rate is uncertain: Beta(strength * rate, strength * (1 - rate)).

    `strength` is the effective sample size of the baseline, reduced for overdispersion. The test then allows for the
    error of the baseline and for ordinary fluctuation beyond the binomial (Skellam 1948).
    """
    k, n, p, m = _broadcast(successes, trials, rate, strength)

    def log_mass(k: Floats, n: Floats, a: Floats, b: Floats) -> Floats:
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return np.asarray(ways + betaln(k + a, n - k + b) - betaln(a, b))

    def step_down(k: Floats, n: Floats, a: Floats, b: Floats) -> Floats:
        return k * (n - k + b) / ((n - k + 1) * (k + a - 1))

    a, b = np.maximum(m * p, 1e-9), np.maximum(m * (1 - p), 1e-9)
    return _lower_tail(k, n * p, log_mass, step_down, (n, a, b), lambda n, a, b: (n, b, a), n)


def two_sample_mid_p(
    successes: ArrayLike, trials: ArrayLike, other_successes: ArrayLike, other_trials: ArrayLike
) -> Floats:
    """Return the lower mid-p tail of Fisher's conditional test: small when the first rate is lower than the other.

    Fisher (1935) with Lancaster's mid-p; Agresti (2013, section 3.5.5).
    """
    k, n, other_k, other_n = _broadcast(successes, trials, other_successes, other_trials)
    total = k + other_k

    def log_mass(k: Floats, n: Floats, m: Floats, t: Floats) -> Floats:
        return np.asarray(_log_choose(n, k) + _log_choose(m, t - k) - _log_choose(n + m, t))

    def step_down(k: Floats, n: Floats, m: Floats, t: Floats) -> Floats:
        return k * (m - t + k) / ((t - k + 1) * (n - k + 1))

    centre = total * n / np.maximum(n + other_n, 1)
    return _lower_tail(k, centre, log_mass, step_down, (n, other_n, total), lambda n, m, t: (n, m, n + m - t), n)


def sigma_score(successes: ArrayLike, trials: ArrayLike, rate: ArrayLike, strength: ArrayLike = np.inf) -> Floats:
    """Return how many standard deviations the share lies above (+) or below (-) `rate`; 0 without trials.

    `strength` as in `beta_binomial_mid_p`; infinite means that the rate is known exactly.
    """
    k, n, p, m = _broadcast(successes, trials, rate, strength)
    variance = p * (1 - p) * (1 / np.maximum(n, 1) + 1 / (m + 1))
    difference = k / np.maximum(n, 1) - p
    return np.where(n > 0, difference / np.sqrt(np.maximum(variance, 1e-12)), 0.0)


def wilson_interval(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the score interval of Wilson (1927) for a share; (0, 1) without trials."""
    k, n = _broadcast(successes, trials)
    z = float(ndtri(0.5 + confidence / 2))
    share = k / np.maximum(n, 1)
    centre = (share + z**2 / (2 * np.maximum(n, 1))) / (1 + z**2 / np.maximum(n, 1))
    spread = np.sqrt(share * (1 - share) / np.maximum(n, 1) + (z / (2 * np.maximum(n, 1))) ** 2)
    half = z * spread / (1 + z**2 / np.maximum(n, 1))
    low = np.where((n == 0) | (k == 0), 0.0, np.clip(centre - half, 0.0, 1.0))
    high = np.where((n == 0) | (k == n), 1.0, np.clip(centre + half, 0.0, 1.0))
    return low, high


def jeffreys_interval(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the equal-tailed interval under Jeffreys' prior, closed at 0 and 1 (Brown, Cai and DasGupta 2001)."""
    k, n = _broadcast(successes, trials)
    tail = (1 - confidence) / 2
    low = np.where(k == 0, 0.0, betaincinv(k + 0.5, n - k + 0.5, tail))
    high = np.where(k == n, 1.0, betaincinv(k + 0.5, n - k + 0.5, 1 - tail))
    return low, high


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return adjusted p-values: rejecting those <= q keeps the false discovery rate at q (Benjamini, Hochberg 1995).

    p_values: (tests,), independent or positively dependent.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.size == 0:
        return p
    order = np.argsort(p)
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def _broadcast(*arrays: ArrayLike) -> tuple[Floats, ...]:
    return np.broadcast_arrays(*(np.asarray(array, dtype=np.float64) for array in arrays))


def _log_choose(n: Floats, k: Floats) -> Floats:
    inside = (k >= 0) & (k <= n)
    safe = np.where(inside, k, 0.0)
    return np.where(inside, gammaln(n + 1) - gammaln(safe + 1) - gammaln(n - safe + 1), -np.inf)


def _lower_tail(
    k: Floats,
    centre: Floats,
    log_mass: Callable[..., Floats],
    step_down: Callable[..., Floats],
    parameters: tuple[Floats, ...],
    mirror: Callable[..., tuple[Floats, ...]],
    trials: Floats,
) -> Floats:
    """Sum a unimodal probability mass below k plus half the mass at k, using the shorter tail.

    step_down(k) is mass(k - 1) / mass(k). Above the centre the mirrored distribution (of trials - k) is summed instead.
    """
    above = k > centre
    flipped = mirror(*parameters)
    sides = tuple(np.where(above, other, own) for own, other in zip(parameters, flipped, strict=True))
    start = np.where(above, trials - k, k)
    tail = _summed_down(start, log_mass, step_down, sides)
    tail = np.clip(np.where(above, 1.0 - tail, tail), 0.0, 1.0)
    return np.where(trials > 0, tail, 0.5)


def _summed_down(
    start: Floats,
    log_mass: Callable[..., Floats],
    step_down: Callable[..., Floats],
    parameters: tuple[Floats, ...],
) -> Floats:
    """Sum half the mass at `start` and all mass below it; each element stops when its terms are negligible."""
    k = np.array(start, dtype=np.float64).ravel()
    held = tuple(np.asarray(parameter).ravel() for parameter in parameters)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        term = np.exp(log_mass(k, *held))
        total = 0.5 * term
        active = np.flatnonzero((term > 0) & (k > 0))
        k, term, held = k[active], term[active], tuple(parameter[active] for parameter in held)
        while active.size:
            ratio = step_down(k, *held)
            term = term * np.nan_to_num(ratio, nan=0.0, posinf=0.0)
            k = k - 1
            total[active] += term
            going = (k > 0) & ((ratio > 1) | (term > _NEGLIGIBLE * total[active]))
            if not going.all():
                active, k, term = active[going], k[going], term[going]
                held = tuple(parameter[going] for parameter in held)
    return total.reshape(np.shape(start))
