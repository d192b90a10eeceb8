"""When a series left its usual course: between which samples, how far, by a step or a trend, and whether it is back.

No history is needed beyond the series itself. Where there are enough samples, three courses are fitted and compared: a
step that may end (two-phase means, Hinkley 1970, with an end as in Levin & Kline 1985), a trend that may level off
(two-phase regression, Hinkley 1971), and an ordinary drift (a parabola), which the others must beat. A rank test
(Pettitt 1979) gives no end and no trend; PELT (Killick et al. 2012) with one or two changes is the same search for a
step. With few samples, as in exports, each is held against the ones before it. Changes too small to matter to
anybody are never departures, however exact the series: see `Least`.
"""

from __future__ import annotations

import numpy as np

from detection.statistics.departure_fits import best_course
from detection.statistics.departure_of_few import of_few
from detection.statistics.departure_scales import (
    CLEARLY_OFF,
    Departure,
    Least,
    Scale,
    clearly_off,
    last_usual,
    scale_of,
)
from detection.types import Floats

__all__ = ["Departure", "Least", "departed_when", "departure"]

MANY_SAMPLES = 20
"""From here on the noise can be estimated and courses can be fitted."""

_SPIKE_SIZE = 20.0
_RISE_SAMPLES = 5


def departure(
    times: Floats, values: Floats, *, worse: int = 0, until: float | None = None, least: Least | None = None
) -> Departure | None:
    """Return how a series left its usual course, None if it did not.

    times: (n,) seconds UTC in any order, regular or not. values: (n,); NaN is a missing sample. worse: +1 or -1 looks
    in one direction only. until: later samples are left out. least: the smallest change that matters; without it, one
    point and a factor of 1.3 for shares of 0 to 1, a factor of 1.3 for anything else.
    """
    moments, levels = _usable(times, values, until)
    if len(levels) < 2:
        return None
    smallest = least or Least.of(levels)
    if len(levels) < MANY_SAMPLES:
        return of_few(moments, levels, worse, smallest)
    return _of_many(moments, levels, worse, smallest)


def _usable(times: Floats, values: Floats, until: float | None) -> tuple[Floats, Floats]:
    moments, levels = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    keep = np.isfinite(moments) & np.isfinite(levels)
    if until is not None:
        keep &= moments <= until
    moments, levels = moments[keep], levels[keep]
    order = np.argsort(moments, kind="stable")
    return moments[order], levels[order]


def _of_many(times: Floats, values: Floats, worse: int, least: Least) -> Departure | None:
    course = best_course(values, worse)
    if course is None:
        return _spike(times, values, worse, least)
    scale = scale_of(values[: course.begins], values)
    after = float(np.median(values[course.begins : course.ends]))
    if course.is_ramp:
        after = float(np.median(values[max(course.ends - 3, course.begins) : course.ends]))
    if not _matters(after, scale, least, course.direction):
        return _spike(times, values, worse, least)
    off = clearly_off(values, scale, least, course.direction)
    first = _first_off(off, course.begins, course.ends)
    if first is None:
        return None
    earliest = last_usual(values, scale, least, course.direction, first)
    latest = first
    if course.is_ramp:
        earliest = min(earliest, max(course.begins - 1, 0))
        latest = max(min(first, course.begins_at_latest + 1), earliest + 1)
    is_over = course.ends < len(values)
    return Departure(
        float(times[earliest]),
        float(times[latest]),
        course.direction,
        scale.size(after),
        scale.level,
        after,
        course.is_ramp,
        _ended_at(times, off, first) if is_over or not off[-1] else None,
    )


def _matters(after: float, scale: Scale, least: Least, direction: int) -> bool:
    is_that_way = (after - scale.level) * direction > 0
    return is_that_way and scale.size(after) >= CLEARLY_OFF and least.is_exceeded(scale.level, after)


def _first_off(off: np.ndarray[tuple[int], np.dtype[np.bool_]], begins: int, ends: int) -> int | None:
    """Return the first sample of the unbroken departure around `begins`: the fit may be a sample or two away."""
    within = np.flatnonzero(off[begins:ends])
    if not len(within):
        return None
    first = begins + int(within[0])
    while first > 1 and off[first - 1]:
        first -= 1
    return first


def _ended_at(times: Floats, off: np.ndarray[tuple[int], np.dtype[np.bool_]], first: int) -> float | None:
    """Return the sample from which on nothing is off any more, if two of them or a tenth have come since."""
    last = int(np.flatnonzero(off)[-1])
    quiet = len(off) - 1 - last
    return float(times[last + 1]) if quiet >= max(2, (last - first + 1) // 5) or quiet >= _RISE_SAMPLES else None


def _spike(times: Floats, values: Floats, worse: int, least: Least) -> Departure | None:
    """Return the largest single sample that is far off, if it is by itself; a departure only if nothing else is."""
    scale = scale_of(values, values)
    scores = (values - scale.level) / scale.spread
    if worse:
        scores = np.where(scores * worse > 0, scores, 0.0)
    index = int(np.argmax(np.abs(scores)))
    direction = 1 if scores[index] > 0 else -1
    value = float(values[index])
    beside = np.abs(np.delete(scores, index))
    if index == 0 or not _matters(value, scale, least, direction):
        return None
    if abs(scores[index]) < max(_SPIKE_SIZE, 4 * float(np.max(beside))):
        return None
    ended = float(times[index + 1]) if index + 1 < len(times) else None
    return Departure(
        float(times[index - 1]), float(times[index]), direction, scale.size(value), scale.level, value, False, ended
    )


_SMALLEST_CHANCE = 2e-3
_SOON_SECONDS = 600.0
_CHANCE_SECONDS = 7200.0
_AFTER_THE_ONSET = -3.0


def departed_when(
    times: Floats,
    values: Floats,
    change_at: float,
    within_seconds: float,
    *,
    worse: int = 0,
    least: Least | None = None,
) -> float:
    """Return how much better a change at `change_at` explains when the series left its course than chance does.

    A log likelihood ratio, about -6 to 6. With the change at fault, the departure begins after it, most likely at once,
    and at the latest `within_seconds` later; by chance, at any time of the series. The onset is known only to lie
    between `earliest` and `latest`, so both are averaged over that interval. Negative: it left its course before the
    change, or long after it, or never.
    """
    found = departure(times, values, worse=worse, least=least)
    moments = np.asarray(times, dtype=np.float64)[np.isfinite(np.asarray(values, dtype=np.float64))]
    if len(moments) < 2:
        return 0.0
    begin, end = float(np.min(moments)), float(np.max(moments))
    if found is None:
        seen = np.clip((end - change_at) / max(within_seconds, 1.0), 0.0, 1.0)
        return float(seen) * float(np.log(_SMALLEST_CHANCE)) / 2
    grain = float(np.median(np.diff(np.sort(moments))))
    slack = min(grain, 60.0)
    low, high = found.earliest, max(found.latest, found.earliest + 1.0)
    if change_at > high + slack:
        return _AFTER_THE_ONSET - min((change_at - high) / grain / 10, 3.0)
    # An export is cut close around its incident; by chance, it could have begun in a longer time than the samples show.
    by_chance = (high - low) / max(end - begin, min(within_seconds, _CHANCE_SECONDS), high - low)
    caused = _share_after(high - change_at + slack, within_seconds) - _share_after(
        low - change_at + slack, within_seconds
    )
    return float(np.log(caused + _SMALLEST_CHANCE) - np.log(by_chance + _SMALLEST_CHANCE))


def _share_after(seconds: float, within_seconds: float) -> float:
    """Return the share of departures begun by then: half of them at once or nearly so, half spread over the delay.

    Also what grows for hours begins to grow soon, and that beginning is the departure.
    """
    allowed = max(within_seconds, 1.0)
    passed = min(max(seconds, 0.0), allowed)
    soon = min(allowed / 5, _SOON_SECONDS)
    return 0.5 * (1 - float(np.exp(-passed / soon))) + 0.5 * passed / allowed
