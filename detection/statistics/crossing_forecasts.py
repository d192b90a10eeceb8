"""Forecast when a metric will cross a threshold ("disk full in 3 h"), with its uncertainty.

The model is a local linear trend (Harvey 1989): each value is a level plus noise, the level moves by a slope, and both
may take random steps. The variances of these steps are not fitted. The forecast averages over a grid of them, each
weighted by how well it predicted the past one step ahead (the variance of the noise is integrated out). A clean line
therefore gives a narrow answer and a random walk a wide one. The distribution of the crossing time comes from futures
drawn from that posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detection.types import Floats

BUCKETS = 120
"""The most equal buckets that a history is cut into; each is represented by its median."""

LEAST_POINTS = 12
_FUTURES = 2000
_STEPS = 240
_LEVEL_VARIANCES: Floats = np.array([0.0, 0.01, 0.1, 1.0, 10.0, 1e3])
_SLOPE_VARIANCES: Floats = np.array([0.0, 1e-6, 1e-4, 1e-2])
"""Variances of one random step of the level and of the slope, in units of the noise's variance."""

_DIFFUSE = 1e7
_SPIKE = 5.0


@dataclass(frozen=True, slots=True)
class CrossingForecast:
    """When the threshold will be crossed, in seconds UTC: the 10 %, 50 % and 90 % quantiles of the distribution.

    A quantile beyond the horizon is None. probability is the probability of a crossing within the horizon. level and
    slope_per_hour are the metric's current ones.
    """

    threshold: float
    probability: float
    earliest: float | None
    median: float | None
    latest: float | None
    level: float
    slope_per_hour: float


def forecast_crossing(
    times: Floats,
    values: Floats,
    *,
    threshold: float,
    above: bool,
    horizon_seconds: float,
    random: np.random.Generator,
) -> CrossingForecast | None:
    """Forecast when a metric will be at or beyond the threshold.

    values: (n,) at times: (n,) seconds, oldest first. above: whether the threshold is a ceiling (crossed upward) or a
    floor. A level already beyond it crosses at the last time. Return None for insufficient data: fewer than 12 points,
    or all at one time.
    """
    if len(times) < LEAST_POINTS or times[-1] <= times[0]:
        return None
    step, levels = _bucketed(np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64))
    sign = 1.0 if above else -1.0
    unit = float(np.nanstd(levels)) or 1.0
    trend = _fit(_without_spikes(sign * levels / unit))
    waits = step * _crossings(trend, sign * threshold / unit, horizon_seconds / step, random)
    waits[waits > horizon_seconds] = np.inf
    early, middle, late = (_quantile_time(times[-1], waits, share) for share in (0.1, 0.5, 0.9))
    return CrossingForecast(
        threshold=threshold,
        probability=float(np.isfinite(waits).mean()),
        earliest=early,
        median=middle,
        latest=late,
        level=sign * unit * float(trend.weights @ trend.means[:, 0]),
        slope_per_hour=sign * unit * float(trend.weights @ trend.means[:, 1]) * 3600.0 / step,
    )


def _quantile_time(now: float, waits: Floats, share: float) -> float | None:
    wait = float(np.sort(waits)[int(share * len(waits))])
    return float(now) + wait if np.isfinite(wait) else None


def _bucketed(times: Floats, values: Floats) -> tuple[float, Floats]:
    """Return the width in seconds and the medians of equal buckets that end at the last time; NaN where empty."""
    span = float(times[-1] - times[0])
    gaps = np.diff(times)
    step = max(float(np.median(gaps[gaps > 0])), span / (BUCKETS - 1))
    age = np.floor((times[-1] - times) / step + 1e-9).astype(np.int64)
    levels = np.full(int(age[0]) + 1, np.nan)
    for one in np.unique(age):
        levels[-1 - one] = np.median(values[age == one])
    return step, levels


def _without_spikes(levels: Floats) -> Floats:
    """Replace single values far from the median of the five around them by gaps (Hampel's filter)."""
    padded = np.concatenate([np.full(2, np.nan), levels, np.full(2, np.nan)])
    around = np.nanmedian(np.where(np.isnan(levels)[:, None], 0.0, sliding_window_view(padded, 5)), axis=1)
    distance = np.abs(levels - around)
    spread = 1.4826 * float(np.nanmedian(distance))
    kept = levels.copy()
    spiky = distance > _SPIKE * max(spread, 1e-9)
    kept[spiky & (spread > 0)] = np.nan
    return kept


@dataclass(frozen=True, slots=True)
class _Trend:
    """The posterior at the last bucket for each of the g grid points of step variances.

    Variances are in units of the noise's variance. weights: (g,) posterior probabilities. means: (g, 2) of level and
    slope. covariances: (g, 3): variance of the level, covariance, variance of the slope. misfit: (g,) sums of squares
    that estimate the noise's variance, with `freedom` degrees of freedom.
    """

    weights: Floats
    level_variance: Floats
    slope_variance: Floats
    means: Floats
    covariances: Floats
    misfit: Floats
    freedom: int


def _fit(levels: Floats) -> _Trend:
    """Run the Kalman filter for all grid points of step variances at once."""
    level_variance, slope_variance = (grid.ravel() for grid in np.meshgrid(_LEVEL_VARIANCES, _SLOPE_VARIANCES))
    size = len(level_variance)
    known = np.flatnonzero(~np.isnan(levels))
    level, slope = np.full(size, levels[known[0]]), np.zeros(size)
    var_level, covariance, var_slope = np.full(size, _DIFFUSE), np.zeros(size), np.full(size, _DIFFUSE)
    log_scale, misfit, seen = np.zeros(size), np.zeros(size), 0
    for place in range(known[0], len(levels)):
        if place > known[0]:
            level = level + slope
            var_level = var_level + 2 * covariance + var_slope + level_variance
            covariance, var_slope = covariance + var_slope, var_slope + slope_variance
        if np.isnan(levels[place]):
            continue
        variance = var_level + 1.0
        error = levels[place] - level
        if seen >= 2:  # The first two only set the level and the slope.
            log_scale += np.log(variance)
            misfit += error**2 / variance
        seen += 1
        gain_level, gain_slope = var_level / variance, covariance / variance
        level, slope = level + gain_level * error, slope + gain_slope * error
        var_slope = var_slope - gain_slope * covariance
        covariance, var_level = covariance - gain_slope * var_level, gain_level
    freedom = max(seen - 2, 1)
    misfit = np.maximum(misfit, 1e-12)
    evidence = -0.5 * (log_scale + freedom * np.log(misfit))
    weights = np.exp(evidence - evidence.max())
    return _Trend(
        weights=weights / weights.sum(),
        level_variance=level_variance,
        slope_variance=slope_variance,
        means=np.stack([level, slope], axis=1),
        covariances=np.stack([var_level, covariance, var_slope], axis=1),
        misfit=misfit,
        freedom=freedom,
    )


def _crossings(trend: _Trend, threshold: float, horizon: float, random: np.random.Generator) -> Floats:
    """Return the buckets from now to the threshold in each drawn future, (futures,); infinite beyond the horizon."""
    chosen = random.choice(len(trend.weights), _FUTURES, p=trend.weights)
    noise = np.sqrt(trend.misfit[chosen] / random.chisquare(trend.freedom, _FUTURES))
    level, slope = _drawn_states(trend, chosen, noise, random)
    width = max(horizon / _STEPS, 1e-9)
    level_step = noise * np.sqrt(trend.level_variance[chosen] * width)
    slope_step = noise * np.sqrt(trend.slope_variance[chosen] * width)
    waits = np.where(level >= threshold, 0.0, np.inf)
    for count in range(_STEPS):
        if not np.isinf(waits).any():
            break
        after = level + slope * width + level_step * random.standard_normal(_FUTURES)
        slope = slope + slope_step * random.standard_normal(_FUTURES)
        crossed = np.isinf(waits) & (
            (after >= threshold) | (random.random(_FUTURES) < _touch_probability(level, after, threshold, level_step))
        )
        waits[crossed] = (count + _crossing_fraction(level, after, threshold)[crossed]) * width
        level = after
    return waits


def _touch_probability(before: Floats, after: Floats, threshold: float, deviation: Floats) -> Floats:
    """Return the probability that a Brownian path touched the threshold between two points that are both below it."""
    room = np.maximum(threshold - before, 0.0) * np.maximum(threshold - after, 0.0)
    return np.asarray(np.exp(-2.0 * room / np.maximum(deviation**2, 1e-300)))


def _crossing_fraction(before: Floats, after: Floats, threshold: float) -> Floats:
    """Return how far into a step the crossing lies, 0 to 1; one half where the path only touched the threshold."""
    rise = np.where(after >= threshold, after - before, 1.0)
    return np.asarray(np.where(after >= threshold, (threshold - before) / rise, 0.5))


def _drawn_states(
    trend: _Trend, chosen: np.ndarray, noise: Floats, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the level and slope of each future from the posterior of its chosen grid point."""
    var_level, covariance, var_slope = trend.covariances[chosen].T
    first, second = random.standard_normal((2, len(chosen)))
    deviation = np.sqrt(np.maximum(var_level, 1e-15))
    rest = np.sqrt(np.maximum(var_slope - covariance**2 / deviation**2, 0.0))
    level = trend.means[chosen, 0] + noise * deviation * first
    slope = trend.means[chosen, 1] + noise * (covariance / deviation * first + rest * second)
    return level, slope
