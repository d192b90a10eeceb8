"""The funnel detector on conversion rates: its recall for drops of 30 %, and its false alarms on healthy funnels.

The detector is `funnel_findings` with its defaults, run at its real tick of 10 s after a week of history. The shops
(`SHOPS`) have two to four steps and a conversion rate of 15 % to 30 %. In half an hour, the detector's longest window,
200 conversions are expected. `simulated_funnels` describes traffic and conversion.

Recall: from a random hour of the week on, one step passes only 70 % of the users that it normally passes; each step of
each shop is tried equally often. A drop counts as found if it is found by the time that 200 expected conversions have
had time to happen. False alarms: those in a week of a funnel of 100 segments of this size, plus those in a week of a
funnel that is only as large as one segment, whose total could really fall by chance. Alarms within half an hour are
one. The figure is the mean over the shops.

Most ticks cannot raise an alarm. A tick is skipped if no window of any series has fallen far enough by a bound that is
looser than any of the detector's; all other ticks run the detector.
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
    draw_buckets,
    joined,
    relative_rate,
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
"""In standard deviations. The detector needs a p-value under 1e-4 for everyone (-3.7), under a hundredth of that for a
single segment (-4.8), and the whole conversion rate must have fallen by 2."""

_ALLOWANCE = 0.05
_LATE_BUCKETS = int(np.ceil((HORIZON_SECONDS + OPTIONS.ingestion_lag_seconds) / BUCKET_SECONDS))
"""How many buckets before a tick the last bucket ends whose entries have had time to convert."""

_WINDOW = int(OPTIONS.recent_window_seconds / BUCKET_SECONDS)
_FINE_SECONDS = 2 * OPTIONS.recent_window_seconds + HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class Past:
    """One series: recent fine buckets, and hourly buckets before; `name` is None for everyone."""

    name: str | None
    fine: Buckets
    hours: Buckets


def run(data: Path) -> Iterator[Figure]:
    """Yield the recall and the false alarms per week, each beside a textbook test; print them by shop on stderr."""
    found = [recall(shop, step) for shop in SHOPS for step in range(len(shop.step_rates))]
    ours, peers = np.mean(found, axis=0)
    yield Figure("drop_recall", float(ours), "share of drops", PEER, float(peers), at_least=RECALL_AT_LEAST)
    ours, peers = np.mean([false_alarms(shop) for shop in SHOPS], axis=0)
    yield Figure("drop_false_alarms", float(ours), "alarms a week", PEER, float(peers), at_most=FALSE_ALARMS_AT_MOST)


def recall(shop: Shop, step: int) -> tuple[float, float]:
    """Return the detector's and the peer's share of found drops of a step."""
    random = np.random.default_rng(3)
    found = [_is_found(random, shop, step) for _ in range(TRIALS)]
    ours, peers = np.mean(found, axis=0)
    print(f"drops: {shop.name}, step {step + 1} breaks: recall {ours:.3f}, peer {peers:.3f}", file=sys.stderr)
    return float(ours), float(peers)


def _is_found(random: np.random.Generator, shop: Shop, step: int) -> tuple[bool, bool]:
    shop = with_a_weekend(random, shop)
    since = MONDAY + float(random.integers(168)) * HOUR_SECONDS
    half_hour = since + np.arange(_WINDOW, dtype=np.float64) * BUCKET_SECONDS
    a_second = (
        _entries_wanted(shop) / BUCKET_SECONDS / float((traffic(half_hour) * relative_rate(shop, half_hour)).sum())
    )
    until = float(half_hour[-1]) + (1 + _LATE_BUCKETS) * BUCKET_SECONDS
    broken = Break(since, step, LEFT)
    fine = draw_buckets(
        random, shop, since=since - _FINE_SECONDS, until=until, entries_a_second=a_second, broken=broken
    )
    ticks = half_hour + (1 + _LATE_BUCKETS) * BUCKET_SECONDS
    one = [Past(None, fine, _hours(random, shop, since, a_second))]
    return any(_alarms(shop, one, ticks[::-1])), bool(_peer_alarms(one, ticks).any())


def false_alarms(shop: Shop) -> tuple[float, float]:
    """Return the detector's and the peer's alarms per week on healthy funnels: of SEGMENTS segments and a small one."""
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
        fine = draw_buckets(random, one, since=MONDAY - _FINE_SECONDS, until=until, entries_a_second=a_second)
        parts.append(Past(str(number), fine, joined(_hours(random, one, MONDAY, a_second), fine.hourly())))
    whole = Past(None, added([part.fine for part in parts]), added([part.hours for part in parts]))
    series = [whole, *parts] if segments else [whole]
    ticks = MONDAY + np.arange(0, WEEK_SECONDS, BUCKET_SECONDS, dtype=np.float64)
    return _episodes(np.array(list(_alarms(shop, series, ticks)))), _episodes(ticks[_peer_alarms(series, ticks)])


def _entries_wanted(shop: Shop) -> float:
    """Return how many users must enter for EXPECTED_CONVERSIONS conversions in time."""
    return EXPECTED_CONVERSIONS / IN_TIME_SHARE / shop.rate


def _hours(random: np.random.Generator, shop: Shop, until: float, entries_a_second: float) -> Buckets:
    """Draw the hourly buckets of the week before the fine buckets, which begin `_FINE_SECONDS` before `until`."""
    until -= _FINE_SECONDS
    return draw_buckets(
        random, shop, since=until - WEEK_SECONDS, until=until, entries_a_second=entries_a_second, width=HOUR_SECONDS
    )


def _episodes(times: Floats) -> int:
    return int((np.diff(times, prepend=-np.inf) > OPTIONS.recent_window_seconds).sum()) if len(times) else 0


def _alarms(shop: Shop, series: Sequence[Past], ticks: Floats) -> Iterator[float]:
    """Yield the ticks at which the detector finds something, in the order of `ticks`."""
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
    """Return (ticks,): whether the whole rate fell in a window that ends before, and it or a step fell `far_enough`."""
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
    """Return (ticks,): how many standard deviations the windows of `length` buckets lie from the true rate."""
    surplus, variance = (
        np.concatenate([[0.0], np.cumsum(values)]) for values in (successes - trials * rate, trials * rate * (1 - rate))
    )
    ends = np.rint((ticks - one.since) / one.width).astype(np.int64) - _LATE_BUCKETS
    fallen, spread = surplus[ends] - surplus[ends - length], variance[ends] - variance[ends - length]
    return np.asarray(fallen / np.sqrt(np.maximum(spread, 1e-9)))
