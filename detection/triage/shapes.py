"""The shape of a short series: does it rise, settle, fall back, or come back after it had fallen.

Two to some dozens of irregular samples must do; so the tests are of order (concordant pairs, as in Mann and Kendall's
trend test) and of width, not of a fitted model. Values are turned so that more is always worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detection.types import Floats

_LAST = 8
"""A trend is looked for in so many of the last samples, so that an old quiet hour does not hide a climb."""
_PARTS = 12
"""A dense series is looked at in so many parts."""
_CONCORDANT = 0.6
_TAIL_SHARE = 0.4
_NARROW_OF_RISE, _NARROW_OF_LEVEL = 0.10, 0.035
_CREEP_OF_RISE = 0.04
_RISE_OF_SPREAD, _RISE_OF_LEVEL = 0.3, 0.03
_CLIMBED_BACK = 0.35
_NO_WORSE = 1.25
_STEADY = 0.05
_MUCH_WORSE = 1.5
_HOVERS = 0.05


@dataclass(frozen=True, slots=True)
class Shape:
    """What a series did. Values are in the metric's own unit, turned back.

    is_over: its last sample is over the threshold. fell_back: it was over the threshold, and its last samples are not.
    samples_back: how many last samples are not over. flaps: it was over and back at least twice, each time for one
    sample or so, and is no worse than before. peaks_grow: each time over was worse than the last.
    steady: all its samples lie close together. came_back: after it had fallen back it climbed again, at least a good
    part of the way to the threshold. rises: it climbs up to its last sample. settled: it had risen, and its last
    samples hold one level. per_second: how fast it rises in its last samples, 0 if it falls. excess_left: how much is
    left of what it was over the threshold at its worst, 0 to 1. seconds: how long the samples span.
    """

    samples: int
    is_over: bool
    fell_back: bool
    samples_back: int
    flaps: bool
    peaks_grow: bool
    steady: bool
    came_back: bool
    rises: bool
    settled: bool
    is_monotone: bool
    per_second: float
    last: float
    worst: float
    excess_left: float
    seconds: float


NO_SHAPE = Shape(0, False, False, 0, False, False, False, False, False, False, False, 0.0, 0.0, 0.0, 0.0, 0.0)


def shape_of(
    times: Floats, values: Floats, threshold: float | None, sign: float = 1.0, *, since: float = -np.inf
) -> Shape:
    """Return the shape of a series. sign: 1 if more is worse, -1 if less is. Without a threshold, nothing is over.

    since: when it fired; only what it did after that counts as coming back.
    """
    usable = np.isfinite(times) & np.isfinite(values)
    order = np.argsort(times[usable], kind="stable")
    at, worse = times[usable][order], values[usable][order] * sign
    if at.size == 0:
        return NO_SHAPE
    limit = np.inf if threshold is None else threshold * sign
    over = worse >= limit
    back = _run_at_the_end(~over) if over.any() else 0
    coarse_at, coarse = _coarse(at, worse)
    # The last sample before it fired is the one for which it fired.
    begin = max(0, int(np.searchsorted(at, since, side="right")) - 1)
    return Shape(
        samples=int(at.size),
        is_over=bool(over[-1]),
        fell_back=bool(over.any() and not over[-1]),
        samples_back=back,
        flaps=_flaps(worse, over, limit),
        peaks_grow=_peaks_grow(worse, over, limit),
        steady=bool(at.size >= 3 and np.ptp(worse) <= _STEADY * np.abs(worse).max()),
        came_back=_came_back(worse[begin:], over[begin:], limit),
        rises=is_rising(coarse_at, coarse) or _leaves_its_level(at, worse),
        settled=has_settled(coarse_at, coarse),
        is_monotone=bool(at.size >= 3 and np.all(np.diff(worse) > 0)),
        per_second=_speed(coarse_at, coarse),
        last=float(worse[-1] * sign),
        worst=float(worse.max() * sign),
        excess_left=float((worse[-1] - limit) / max(worse.max() - limit, 1e-12)) if over[-1] else 0.0,
        seconds=float(at[-1] - at[0]),
    )


def _coarse(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return a dense series as medians of parts of equal size, so that noise between neighbours hides no climb."""
    if values.size <= _PARTS:
        return times, values
    parts = np.array_split(np.arange(values.size), _PARTS)
    return (
        np.array([float(np.median(times[part])) for part in parts]),
        np.array([float(np.median(values[part])) for part in parts]),
    )


def is_rising(times: Floats, values: Floats) -> bool:
    """Return whether the series climbs up to its last sample, and does not merely hold a level that it reached."""
    if values.size < 3 or has_settled(times, values):
        return False
    last = values[-_LAST:]
    # The climb begins at the lowest of the last samples: what fell before it is another story.
    last = last[int(np.argmin(last)) :]
    # Two levels are a step, such as a check that fails since then: it lasts, but it does not climb.
    if np.unique(last).size < 3:
        return False
    rise = float(last[-1] - last[0])
    spread = float(values.max() - values.min())
    level = float(np.abs(last).max())
    if rise <= 0 or rise < _RISE_OF_SPREAD * spread or rise < _RISE_OF_LEVEL * level:
        return False
    return _concordance(last) >= _CONCORDANT and bool(last[-1] >= np.quantile(last, 0.7))


def _leaves_its_level(times: Floats, values: Floats) -> bool:
    """Return whether a dense series climbs at its end above all that was before.

    Beside hours of one level its climb would be only the last part of the series, which shows no trend.
    """
    begin = values.size - values.size // 4
    if begin < 3 * _PARTS:
        return False
    _, before = _coarse(times[:begin], values[:begin])
    _, last = _coarse(times[begin:], values[begin:])
    climbs = bool(last[-3] <= last[-2] < last[-1])
    return climbs and float(last[-1] - before.max()) >= _RISE_OF_LEVEL * float(np.abs(last).max())


def has_settled(times: Floats, values: Floats) -> bool:
    """Return whether the series had risen and then holds one level: its last samples lie close together."""
    if values.size < 4:
        return False
    begin = times[-1] - _TAIL_SHARE * (times[-1] - times[0])
    # The last samples of the series, at least three of them, and no fewer than those of the last part of its time.
    count = max(3, int(np.count_nonzero(times >= begin)))
    tail, before = values[-count:], values[:-count]
    if before.size == 0:
        return False
    level = float(np.median(tail))
    rise = level - float(before.min())
    if rise <= 0.05 * max(abs(level), 1e-12):
        return False
    width = float(tail.max() - tail.min())
    creeps = bool(np.all(np.diff(tail) > 0))
    if creeps and width > _CREEP_OF_RISE * rise:
        return False
    # Of what rose much, a wide band is narrow beside the rise; but not if it is wide beside its level too.
    return width <= _NARROW_OF_RISE * rise or width <= _NARROW_OF_LEVEL * abs(level)


def _came_back(worse: Floats, over: NDArray[np.bool_], limit: float) -> bool:
    """Return whether the series was over, fell back, and then climbed again, in most of its steps."""
    if not over.any() or not np.isfinite(limit):
        return False
    first = int(np.argmax(over))
    below = np.flatnonzero(~over[first:])
    if below.size == 0:
        return False
    after = worse[first + int(below[0]) :]
    rest = after[int(np.argmin(after[: max(1, after.size - 1)])) :]
    if rest.size < 2:
        return False
    if rest[-1] >= limit:
        return True
    gap = limit - float(rest[0])
    return bool(rest.size >= 3 and _concordance(rest) >= 0.8 and rest[-1] - rest[0] >= _CLIMBED_BACK * gap)


def _flaps(worse: Floats, over: NDArray[np.bool_], limit: float) -> bool:
    """Return whether it goes over and back again and again, and its last time over is short and no worse."""
    returns = int(np.count_nonzero(over[:-1] & ~over[1:]))
    if returns < 2:
        return False
    trailing = _run_at_the_end(over)
    earlier = worse[: worse.size - trailing] - limit
    return trailing <= 1 and bool(worse[-1] - limit <= _NO_WORSE * earlier.max())


def _peaks_grow(worse: Floats, over: NDArray[np.bool_], limit: float) -> bool:
    """Return whether it was over at least three times, each time by more, and at last by much more than at first.

    What hovers about the threshold is over by a little more or less each time, which says nothing.
    """
    borders = np.flatnonzero(np.diff(over.astype(np.int8))) + 1
    peaks = [float(part.max()) - limit for part in np.split(worse, borders) if part.size and part[0] >= limit]
    grows = all(later > earlier for earlier, later in pairwise(peaks))
    hovers = len(peaks) > 0 and peaks[-1] < _HOVERS * abs(limit)
    return len(peaks) >= 3 and grows and not hovers and peaks[-1] >= _MUCH_WORSE * peaks[0]


def _concordance(values: Floats) -> float:
    """Return Kendall's tau of the values with their order: 1 if each is above all before it, -1 if below."""
    size = values.size
    if size < 2:
        return 0.0
    signs = np.sign(values[None, :] - values[:, None])
    return float(np.triu(signs, 1).sum() / (size * (size - 1) / 2))


def _speed(times: Floats, values: Floats) -> float:
    """Return the median slope between pairs of the last samples, per second (Theil 1950, Sen 1968)."""
    at, last = times[-_LAST:], values[-_LAST:]
    first, second = np.triu_indices(at.size, 1)
    gaps = at[second] - at[first]
    usable = gaps > 0
    if not usable.any():
        return 0.0
    return max(0.0, float(np.median((last[second] - last[first])[usable] / gaps[usable])))


def _run_at_the_end(flags: NDArray[np.bool_]) -> int:
    holes = np.flatnonzero(~flags)
    return int(flags.size if holes.size == 0 else flags.size - 1 - holes[-1])
