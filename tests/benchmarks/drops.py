"""A conversion rate that drops by 30 %, and one that never does: what the funnel detector finds and what it imagines.

The detector is `funnel_findings` with its defaults at its real tick of 10 s; a week of history lies before. The shops
(`SHOPS`) have two to four steps and convert 15 % to 30 % of those who enter; half an hour, the detector's longest
window, expects 200 conversions. `simulated_funnels` says how people come and convert.

Recall: from an hour of the week drawn by lot on, one step lets only 70 % of those go on that it used to, each step of
each shop as often; it counts when found by the time that 200 expected conversions are ripe. False alarms: a week of
a funnel of 100 segments, each of that size, and a week of a funnel that is only as large as one of them, whose everyone
could really fall by enough, added up; alarms within half an hour are one; the mean over the shops.

Most ticks cannot be an alarm. They are passed over where, by a bound that is looser than any that the detector
applies, no window of any series has fallen far enough; all the others are the detector's to judge.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.funnels.findings import funnel_findings
from detection.funnels.normal import baseline_since
from detection.funnels.scan import window_lengths
from detection.options import FunnelOptions
from detection.types import Floats
from tests.benchmarks.figures import Figure
from tests.benchmarks.simulated_funnels import (
    BUCKET_SECONDS,
    HORIZON_SECONDS,
    HOUR_SECONDS,
    IN_TIME_SHARE,
    WEEK_SECONDS,
    Break,
    Buckets,
    Shop,
    added,
    drawn,
    joined,
    mood,
    traffic,
    with_a_weekend,
)

OPTIONS = FunnelOptions()
SHOPS = (
    Shop("two steps", (0.3,)),
    Shop("three steps", (0.6, 0.5)),
    Shop("three steps, few convert", (0.3, 0.5)),
    Shop("four steps", (0.5, 0.6, 0.8)),
)
LEFT, EXPECTED_CONVERSIONS = 0.7, 200.0
RECALL_AT_LEAST, FALSE_ALARMS_AT_MOST = 0.90, 1.0
TRIALS, SEGMENTS, SMALL_WEEKS = 80, 100, 10
MONDAY = 1_770_595_200.0
PEER = "3 sigma below the known rate in the last half hour, every tick"
_PEER_FAR = -3.0
_FAR_ENOUGH, _FALLEN = {"everyone": -3.2, "segment": -4.3}, -1.5
"""In deviations: everyone's p-value must be under 1e-4 (-3.7), a segment's under a hundredth of that (-4.8) where it is
the only one; and the whole must have fallen by 2."""

_ALLOWANCE = 0.05
_LATE_BUCKETS = int(np.ceil((HORIZON_SECONDS + OPTIONS.ingestion_lag_seconds) / BUCKET_SECONDS))
"""The last bucket whose entries have had their time to convert ends so many before a tick."""

_WINDOW = int(OPTIONS.recent_window_seconds / BUCKET_SECONDS)
_FINE_SECONDS = 2 * OPTIONS.recent_window_seconds + HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class Past:
    """One series: fine buckets lately, hours before; `name` is None for everyone."""

    name: str | None
    fine: Buckets
    hours: Buckets


def run(data: Path) -> Iterator[Figure]:
    """Yield the recall and the false alarms a week, each beside those of the textbook's test; by shop on stderr."""
    found = [recall(shop, step) for shop in SHOPS for step in range(len(shop.step_rates))]
    ours, peers = np.mean(found, axis=0)
    yield Figure("drop_recall", float(ours), "share of drops", PEER, float(peers), at_least=RECALL_AT_LEAST)
    ours, peers = np.mean([false_alarms(shop) for shop in SHOPS], axis=0)
    yield Figure("drop_false_alarms", float(ours), "alarms a week", PEER, float(peers), at_most=FALSE_ALARMS_AT_MOST)


def recall(shop: Shop, step: int) -> tuple[float, float]:
    """The share of breaks of a step found by the time that 200 expected conversions are ripe, and the peer's."""
    random = np.random.default_rng(3)
    found = [_is_found(random, shop, step) for _ in range(TRIALS)]
    ours, peers = np.mean(found, axis=0)
    print(f"drops: {shop.name}, step {step + 1} breaks: recall {ours:.3f}, peer {peers:.3f}", file=sys.stderr)
    return float(ours), float(peers)


def _is_found(random: np.random.Generator, shop: Shop, step: int) -> tuple[bool, bool]:
    shop = with_a_weekend(random, shop)
    since = MONDAY + float(random.integers(168)) * HOUR_SECONDS
    half_hour = since + np.arange(_WINDOW) * BUCKET_SECONDS
    a_second = _entries_wanted(shop) / BUCKET_SECONDS / float((traffic(half_hour) * mood(shop, half_hour)).sum())
    until = float(half_hour[-1]) + (1 + _LATE_BUCKETS) * BUCKET_SECONDS
    broken = Break(since, step, LEFT)
    fine = drawn(random, shop, since=since - _FINE_SECONDS, until=until, entries_a_second=a_second, broken=broken)
    ticks = half_hour + (1 + _LATE_BUCKETS) * BUCKET_SECONDS
    one = [Past(None, fine, _hours(random, shop, since, a_second))]
    return any(_alarms(shop, one, ticks[::-1])), bool(_peer_alarms(one, ticks).any())


def false_alarms(shop: Shop) -> tuple[float, float]:
    """Alarms a week where nothing is wrong: of many segments, and of one funnel as small as a segment; the peer's."""
    random = np.random.default_rng(4)
    of_segments = np.array(_healthy_week(random, shop, SEGMENTS))
    of_everyone = np.mean([_healthy_week(random, shop, 0) for _ in range(SMALL_WEEKS)], axis=0)
    print(
        f"drops: {shop.name}, alarms a week: {of_segments[0]} of {SEGMENTS} segments, {of_everyone[0]:.2f} of one "
        f"small funnel; peer {of_segments[1]} and {of_everyone[1]:.2f}",
        file=sys.stderr,
    )
    ours, peers = of_segments + of_everyone
    return float(ours), float(peers)


def _healthy_week(random: np.random.Generator, shop: Shop, segments: int) -> tuple[int, int]:
    a_second = _entries_wanted(shop) / OPTIONS.recent_window_seconds
    until = MONDAY + WEEK_SECONDS
    parts = []
    for number in range(max(segments, 1)):
        one = with_a_weekend(random, shop)
        fine = drawn(random, one, since=MONDAY - _FINE_SECONDS, until=until, entries_a_second=a_second)
        parts.append(Past(str(number), fine, joined(_hours(random, one, MONDAY, a_second), fine.hourly())))
    whole = Past(None, added([part.fine for part in parts]), added([part.hours for part in parts]))
    series = [whole, *parts] if segments else [whole]
    ticks = MONDAY + np.arange(0, WEEK_SECONDS, BUCKET_SECONDS)
    return _episodes(np.array(list(_alarms(shop, series, ticks)))), _episodes(ticks[_peer_alarms(series, ticks)])


def _entries_wanted(shop: Shop) -> float:
    """How many must enter for the expected number of conversions to be seen in time."""
    return EXPECTED_CONVERSIONS / IN_TIME_SHARE / shop.rate


def _hours(random: np.random.Generator, shop: Shop, until: float, entries_a_second: float) -> Buckets:
    """The week before the fine buckets that begin `_FINE_SECONDS` before `until`."""
    until -= _FINE_SECONDS
    return drawn(
        random, shop, since=until - WEEK_SECONDS, until=until, entries_a_second=entries_a_second, width=HOUR_SECONDS
    )


def _episodes(times: Floats) -> int:
    return int((np.diff(times, prepend=-np.inf) > OPTIONS.recent_window_seconds).sum()) if len(times) else 0


def _alarms(shop: Shop, series: Sequence[Past], ticks: Floats) -> Iterator[float]:
    """The ticks at which the detector finds something, as they are come upon."""
    possible = np.zeros(len(ticks), dtype=bool)
    for one in series:
        possible |= _could_alarm(one.fine, ticks, _FAR_ENOUGH["everyone" if one.name is None else "segment"])
    for now in ticks[possible]:
        since = float(now) - OPTIONS.recent_window_seconds - shop.funnel.window_seconds
        fine = [one.fine.series(since, float(now), one.name) for one in series]
        past = baseline_since(since, OPTIONS.baseline_window_hours)
        coarse = [one.hours.series(past, now - HOUR_SECONDS, one.name) for one in series]
        if funnel_findings(fine, coarse, shop.funnel, now=float(now), options=OPTIONS):
            yield float(now)


def _could_alarm(one: Buckets, ticks: Floats, far_enough: float) -> NDArray[np.bool_]:
    """(ticks,) whether in a window that ends before the whole has fallen, and it or a step by so many deviations."""
    whole = one.rates.prod(axis=0) * IN_TIME_SHARE
    possible = np.zeros(len(ticks), dtype=bool)
    for length in window_lengths(_WINDOW):
        fallen = _deviations(one, ticks, int(length), one.reached[0], one.in_time, whole)
        far = fallen <= far_enough
        for step, rate in enumerate(one.rates if len(one.rates) > 1 else ()):
            is_last = step == len(one.rates) - 1
            went_on = one.in_time if is_last else one.reached[step + 1]
            normal = rate * (IN_TIME_SHARE if is_last else 1 - _ALLOWANCE)
            far |= _deviations(one, ticks, int(length), one.reached[step], went_on, normal) <= far_enough
        possible |= far & (fallen <= _FALLEN)
    return possible


def _peer_alarms(series: Sequence[Past], ticks: Floats) -> NDArray[np.bool_]:
    far = [
        _deviations(
            one.fine, ticks, _WINDOW, one.fine.reached[0], one.fine.in_time, one.fine.rates.prod(axis=0) * IN_TIME_SHARE
        )
        <= _PEER_FAR
        for one in series
    ]
    return np.asarray(np.any(far, axis=0))


def _deviations(
    one: Buckets, ticks: Floats, length: int, trials: NDArray[np.int64], successes: NDArray[np.int64], rate: Floats
) -> Floats:
    """(ticks,) how far the windows of so many buckets lie from what is true of them."""
    surplus, variance = (
        np.concatenate([[0.0], np.cumsum(values)]) for values in (successes - trials * rate, trials * rate * (1 - rate))
    )
    ends = np.rint((ticks - one.since) / one.width).astype(np.int64) - _LATE_BUCKETS
    fallen, spread = surplus[ends] - surplus[ends - length], variance[ends] - variance[ends - length]
    return np.asarray(fallen / np.sqrt(np.maximum(spread, 1e-9)))
