"""When a metric will cross a threshold ("disk full in 3 h"), with how sure that is.

A local linear trend (Harvey 1989): what is measured is a level with noise, the level drifts by a slope and both may
wander. How much they wander is not fitted but averaged over, on a grid, each weighted by how well it foretold the
past one step ahead (the noise's variance is integrated out); so a clean line gives a narrow answer and a random walk
a wide one. The crossing's distribution comes from futures drawn from that posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detection.types import Floats

BUCKETS = 120
"""A history is cut into at most so many equal buckets, each represented by its median."""

LEAST_POINTS = 12
_FUTURES = 2000
_STEPS = 240
_LEVEL_WANDERS: Floats = np.array([0.0, 0.01, 0.1, 1.0, 10.0, 1e3])
_SLOPE_WANDERS: Floats = np.array([0.0, 1e-6, 1e-4, 1e-2])
"""Variances of a step of the level and of the slope, in units of the noise's variance."""

_DIFFUSE = 1e7
_SPIKE = 5.0


@dataclass(frozen=True, slots=True)
class CrossingForecast:
    """When the threshold will be crossed, in seconds UTC: the 10 %, 50 % and 90 % points of the distribution.

    A point that lies beyond the horizon is None; probability is that of a crossing within the horizon. level and
    slope_per_hour are the metric's own now.
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
    """Return when values (n,) at times (n,) seconds, oldest first, will be at or beyond the threshold.

    above: whether it is a ceiling (crossed upward) or a floor. A level already beyond it crosses at the last time.
    None is insufficient data: fewer than 12 points, or all at one moment.
    """
    if len(times) < LEAST_POINTS or times[-1] <= times[0]:
        return None
    step, levels = _bucketed(np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64))
    sign = 1.0 if above else -1.0
    unit = float(np.nanstd(levels)) or 1.0
    trend = _fit(_without_spikes(sign * levels / unit))
    waits = step * _crossings(trend, sign * threshold / unit, horizon_seconds / step, random)
    waits[waits > horizon_seconds] = np.inf
    early, middle, late = (_moment(times[-1], waits, share) for share in (0.1, 0.5, 0.9))
    return CrossingForecast(
        threshold=threshold,
        probability=float(np.isfinite(waits).mean()),
        earliest=early,
        median=middle,
        latest=late,
        level=sign * unit * float(trend.weights @ trend.means[:, 0]),
        slope_per_hour=sign * unit * float(trend.weights @ trend.means[:, 1]) * 3600.0 / step,
    )


def _moment(now: float, waits: Floats, share: float) -> float | None:
    wait = float(np.sort(waits)[int(share * len(waits))])
    return float(now) + wait if np.isfinite(wait) else None


def _bucketed(times: Floats, values: Floats) -> tuple[float, Floats]:
    """The width in seconds and the medians of equal buckets that end at the last time; NaN where a bucket is empty."""
    span = float(times[-1] - times[0])
    gaps = np.diff(times)
    step = max(float(np.median(gaps[gaps > 0])), span / (BUCKETS - 1))
    age = np.floor((times[-1] - times) / step + 1e-9).astype(np.int64)
    levels = np.full(int(age[0]) + 1, np.nan)
    for one in np.unique(age):
        levels[-1 - one] = np.median(values[age == one])
    return step, levels


def _without_spikes(levels: Floats) -> Floats:
    """Single values far from the median of the five around them are taken for gaps (Hampel's filter)."""
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
    """The posterior at the last bucket, for each of g ways to wander; variances in units of the noise's.

    means: (g, 2) level and slope. covariances: (g, 3) of level, both, slope. misfit: (g,) sum of squares behind the
    noise's variance, with `freedom` degrees.
    """

    weights: Floats
    level_wander: Floats
    slope_wander: Floats
    means: Floats
    covariances: Floats
    misfit: Floats
    freedom: int


def _fit(levels: Floats) -> _Trend:
    """Kalman-filter all ways to wander at once."""
    level_wander, slope_wander = (grid.ravel() for grid in np.meshgrid(_LEVEL_WANDERS, _SLOPE_WANDERS))
    ways = len(level_wander)
    known = np.flatnonzero(~np.isnan(levels))
    level, slope = np.full(ways, levels[known[0]]), np.zeros(ways)
    var_level, both, var_slope = np.full(ways, _DIFFUSE), np.zeros(ways), np.full(ways, _DIFFUSE)
    log_scale, misfit, met = np.zeros(ways), np.zeros(ways), 0
    for place in range(known[0], len(levels)):
        if place > known[0]:
            level = level + slope
            var_level = var_level + 2 * both + var_slope + level_wander
            both, var_slope = both + var_slope, var_slope + slope_wander
        if np.isnan(levels[place]):
            continue
        variance = var_level + 1.0
        missed = levels[place] - level
        if met >= 2:  # The first two only set the level and the slope.
            log_scale += np.log(variance)
            misfit += missed**2 / variance
        met += 1
        gain_level, gain_slope = var_level / variance, both / variance
        level, slope = level + gain_level * missed, slope + gain_slope * missed
        var_slope, both, var_level = var_slope - gain_slope * both, both - gain_slope * var_level, gain_level
    freedom = max(met - 2, 1)
    misfit = np.maximum(misfit, 1e-12)
    evidence = -0.5 * (log_scale + freedom * np.log(misfit))
    weights = np.exp(evidence - evidence.max())
    return _Trend(
        weights=weights / weights.sum(),
        level_wander=level_wander,
        slope_wander=slope_wander,
        means=np.stack([level, slope], axis=1),
        covariances=np.stack([var_level, both, var_slope], axis=1),
        misfit=misfit,
        freedom=freedom,
    )


def _crossings(trend: _Trend, threshold: float, horizon: float, random: np.random.Generator) -> Floats:
    """(futures,) buckets from now to the threshold in each drawn future; infinite when beyond the horizon."""
    way = random.choice(len(trend.weights), _FUTURES, p=trend.weights)
    noise = np.sqrt(trend.misfit[way] / random.chisquare(trend.freedom, _FUTURES))
    level, slope = _drawn_states(trend, way, noise, random)
    width = max(horizon / _STEPS, 1e-9)
    level_step = noise * np.sqrt(trend.level_wander[way] * width)
    slope_step = noise * np.sqrt(trend.slope_wander[way] * width)
    waits = np.where(level >= threshold, 0.0, np.inf)
    for count in range(_STEPS):
        if not np.isinf(waits).any():
            break
        after = level + slope * width + level_step * random.standard_normal(_FUTURES)
        slope = slope + slope_step * random.standard_normal(_FUTURES)
        crossed = np.isinf(waits) & (
            (after >= threshold) | (random.random(_FUTURES) < _between(level, after, threshold, level_step))
        )
        waits[crossed] = (count + _part(level, after, threshold)[crossed]) * width
        level = after
    return waits


def _between(before: Floats, after: Floats, threshold: float, deviation: Floats) -> Floats:
    """The chance that a Brownian path touched the threshold between two points, both below it."""
    room = np.maximum(threshold - before, 0.0) * np.maximum(threshold - after, 0.0)
    return np.asarray(np.exp(-2.0 * room / np.maximum(deviation**2, 1e-300)))


def _part(before: Floats, after: Floats, threshold: float) -> Floats:
    """How far into a step the crossing lies; the middle where the path only touched the threshold in between."""
    rise = np.where(after >= threshold, after - before, 1.0)
    return np.asarray(np.where(after >= threshold, (threshold - before) / rise, 0.5))


def _drawn_states(trend: _Trend, way: np.ndarray, noise: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw level and slope of each future from the posterior of its way to wander."""
    var_level, both, var_slope = trend.covariances[way].T
    first, second = random.standard_normal((2, len(way)))
    deviation = np.sqrt(np.maximum(var_level, 1e-15))
    rest = np.sqrt(np.maximum(var_slope - both**2 / deviation**2, 0.0))
    level = trend.means[way, 0] + noise * deviation * first
    slope = trend.means[way, 1] + noise * (both / deviation * first + rest * second)
    return level, slope
