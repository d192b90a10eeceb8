"""The courses that are fitted to a series to see whether, and where, it left the usual one.

Each fit is least squares over values whose single odd samples have been set to their neighbours' median (Hampel 1974).
A course counts only if it beats an ordinary drift by a margin that grows with the noise's memory: noise that wanders
looks like a step for a while, and n samples of it are worth (1 - r) / (1 + r) as many (Bartlett 1946).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.types import Floats, Integers

_ENOUGH_EVIDENCE = 7.0
"""Log likelihood ratio against a drift; keeps the false alarms on 90 samples of wandering noise below 2 %."""

_LARGEST_MEMORY = 0.9
_RAMP_STARTS = 48
_GAIN = 0.8
"""A course with one more parameter must leave at most this share of the error that the simpler one leaves."""

_AS_LIKELY = 1.92
_LEAST_RAMP = 5


@dataclass(frozen=True, slots=True)
class Course:
    """The departed part is `begins` up to but without `ends`, as indexes. begins_at_latest: of a trend, as likely."""

    begins: int
    ends: int
    begins_at_latest: int
    direction: int
    is_ramp: bool


def best_course(values: Floats, worse: int) -> Course | None:
    """Return the course that explains (n,) values better than a drift does, n >= 20; None if none does."""
    clean = without_odd_samples(values)
    step, grown, ramp = _best_step(clean, worse), _best_step_and_trend(clean, worse), _best_ramp(clean, worse)
    best = step
    if grown is not None and (best is None or grown[1] < _GAIN * best[1]):
        best = grown
    if ramp is not None and (best is None or ramp[1] < (1 / _GAIN if best is grown else _GAIN) * best[1]):
        best = ramp
    if best is None:
        return None
    course, error, residuals = best
    return course if _evidence(clean, error, residuals) >= _ENOUGH_EVIDENCE else None


def without_odd_samples(values: Floats) -> Floats:
    """Return the values with single samples that stand far from both sides set to their neighbours' median."""
    padded = np.pad(values, 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5)
    middle = np.median(windows, axis=1)
    away = np.abs(values - middle)
    typical = 1.4826 * float(np.median(np.abs(np.diff(values)))) / 1.4142
    near = 1.4826 * np.median(np.abs(windows - middle[:, None]), axis=1)
    is_odd = away > 4 * np.maximum(near, typical)
    is_odd[-2:] = False
    return np.where(is_odd, middle, values)


_Fit = tuple[Course, float, Floats]


def _best_step(values: Floats, worse: int) -> _Fit | None:
    """Fit one level with one stretch [i, j) at another; the stretch may run to the end, and begins after the start."""
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values - np.mean(values))])
    inside = sums[None, :] - sums[:, None]
    length = np.arange(count + 1)[None, :] - np.arange(count + 1)[:, None]
    allowed = (length >= 3) & (length <= count - 3)
    allowed[:, count] |= length[:, count] == 2
    allowed[:3, :] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(allowed, inside**2 * count / (length * (count - length)), -1.0)
    if worse:
        gain = np.where(inside * worse > 0, gain, -1.0)
    best = int(np.argmax(gain))
    begins, ends = divmod(best, count + 1)
    if gain[begins, ends] <= 0:
        return None
    is_inside = np.zeros(count, dtype=np.bool_)
    is_inside[begins:ends] = True
    fitted = np.where(is_inside, np.mean(values[is_inside]), np.mean(values[~is_inside]))
    residuals = values - fitted
    direction = 1 if inside[begins, ends] > 0 else -1
    return Course(begins, ends, begins, direction, False), float(np.sum(residuals**2)), residuals


def _best_step_and_trend(values: Floats, worse: int) -> _Fit | None:
    """Fit a level, then from i on a straight line that begins anywhere: a step that keeps growing or wears off."""
    count = len(values)
    places = np.arange(count, dtype=np.float64) / count
    centred = values - np.median(values)

    def tails(terms: Floats) -> Floats:
        return np.cumsum(terms[::-1])[::-1]

    begins = np.arange(4, count - 4)
    after = (count - begins).astype(np.float64)
    x, y = tails(places)[begins] / after, tails(centred)[begins] / after
    spread = tails(places**2)[begins] - after * x**2
    shared = tails(places * centred)[begins] - after * x * y
    left_after = tails(centred**2)[begins] - after * y**2 - shared**2 / spread
    level = np.cumsum(centred)[begins - 1] / begins
    left_before = np.cumsum(centred**2)[begins - 1] - begins * level**2
    jump = y + shared / spread * (places[begins] - x) - level
    way = np.sign(y - level)
    errors = np.where((jump * way > 0) & (way * worse >= 0), left_before + left_after, np.inf)
    best = int(np.argmin(errors))
    if not np.isfinite(errors[best]):
        return None
    at = int(begins[best])
    slope = float(shared[best] / spread[best])
    line = float(y[best]) + slope * (places - float(x[best]))
    residuals = centred - np.where(np.arange(count) < at, float(level[best]), line)
    return Course(at, count, at, int(way[best]), False), float(max(errors[best], 0.0)), residuals


def _best_ramp(values: Floats, worse: int) -> _Fit | None:
    """Fit a level, then a straight climb or fall from i to j, then the level reached."""
    count = len(values)
    stride = max(1, count // _RAMP_STARTS)
    marks = np.unique(np.concatenate([np.arange(3, count, stride), [count - 1]]))
    coarse = _ramps(values, worse, marks, marks)
    if coarse is None:
        return None
    near = np.arange(max(coarse[0] - 3 * stride, 3), min(coarse[0] + 3 * stride, count - 1) + 1)
    fine = _ramps(values, worse, near, marks[np.abs(marks - coarse[1]) <= 2 * stride])
    if fine is None:
        return None
    start, _, starts, errors, residuals, direction = fine
    close = starts[errors <= np.min(errors) * (1 + 2 * _AS_LIKELY / _worth(count, _memory(residuals)))]
    course = Course(min(int(np.min(close)), start), count, max(int(np.max(close)), start), direction, True)
    return course, float(max(np.min(errors), 0.0)), residuals


def _ramps(
    values: Floats, worse: int, starts: Integers, stops: Integers
) -> tuple[int, int, Integers, Floats, Floats, int] | None:
    """Return the best start and stop, the starts tried with their errors, the best one's residuals and direction."""
    count = len(values)
    starts, stops = (grid.ravel() for grid in np.meshgrid(starts, stops, indexing="ij"))
    is_long = stops - starts >= max(_LEAST_RAMP, count // 15)
    starts, stops = starts[is_long], stops[is_long]
    if not len(starts):
        return None
    shapes = np.clip((np.arange(count)[None, :] - starts[:, None]) / (stops - starts)[:, None], 0.0, 1.0)
    shapes -= shapes.mean(axis=1, keepdims=True)
    centred = values - np.mean(values)
    heights = shapes @ centred / np.sum(shapes**2, axis=1)
    errors = float(centred @ centred) - heights**2 * np.sum(shapes**2, axis=1)
    errors = np.maximum(errors, 1e-15 * float(centred @ centred))
    if worse:
        errors = np.where(heights * worse > 0, errors, np.inf)
    best = int(np.argmin(errors))
    if not np.isfinite(errors[best]):
        return None
    residuals = centred - heights[best] * shapes[best]
    return int(starts[best]), int(stops[best]), starts, errors, residuals, 1 if heights[best] > 0 else -1


def _evidence(values: Floats, error: float, residuals: Floats) -> float:
    """Return the log likelihood ratio of a course against a parabola, worth of the noise's memory."""
    count = len(values)
    places = np.linspace(-1.0, 1.0, count)
    drift = np.stack([np.ones(count), places, places**2], axis=1)
    left = values - drift @ np.linalg.lstsq(drift, values, rcond=None)[0]
    tiny = 1e-12 * float(np.sum(values**2)) + 1e-18
    ratio = (float(np.sum(left**2)) + tiny) / (error + tiny)
    return float(0.5 * _worth(count, _memory(residuals)) * np.log(ratio))


def _worth(count: int, memory: float) -> float:
    return count * (1 - memory) / (1 + memory)


def _memory(residuals: Floats) -> float:
    """Return the correlation of neighbouring residuals, with the small-sample bias of the estimate put back."""
    count = len(residuals)
    total = float(residuals @ residuals)
    if total <= 0:
        return 0.0
    raw = float(residuals[1:] @ residuals[:-1]) / total
    return float(np.clip(raw + (1 + 4 * raw) / count, 0.0, _LARGEST_MEMORY))
