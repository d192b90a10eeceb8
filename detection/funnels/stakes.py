"""What a broken conversion rate costs: the users affected so far, and the revenue per day at stake, with intervals.

Intervals of sums, differences and products are put together from those of their parts (MOVER; Newcombe 1998, method
10; Zou and Donner 2008), which keeps them as lopsided as the parts are, and needs no simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, stdtrit

from detection.statistics.baselines import HOUR_SECONDS
from detection.statistics.proportions import wilson_interval
from detection.types import Estimate, Floats, FunnelSeries

_DAY_SECONDS = 24 * HOUR_SECONDS
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a drop costs. affected_users did not convert who would have; revenue_per_day is None without a value.

    conversions_per_day counts what is lost while the drop lasts, at the usual number of entries.
    """

    affected_users: Estimate
    conversions_per_day: Estimate
    revenue_per_day: Estimate | None


def conversion_stakes(
    *, entries: int, converted: int, expected: Estimate, daily_entries: Estimate, value_per_conversion: float | None
) -> Stakes:
    """Weigh a drop from the `expected` rate to `converted` of `entries`, which should be counted since the onset.

    expected is a finding's expected, expected_low and expected_high. value_per_conversion is in the team's currency.
    Raises ValueError without entries, when the counts do not fit, or for a negative value.
    """
    if entries <= 0 or not 0 <= converted <= entries:
        raise ValueError("a drop needs entries, of which between none and all converted")
    if value_per_conversion is not None and value_per_conversion < 0:
        raise ValueError("the value of a conversion cannot be negative")
    lost = shortfall(entries=entries, converted=converted, expected=expected)
    per_day = product(lost, daily_entries)
    return Stakes(
        affected_users=lost.times(entries),
        conversions_per_day=per_day,
        revenue_per_day=None if value_per_conversion is None else per_day.times(value_per_conversion),
    )


def shortfall(*, entries: int, converted: int, expected: Estimate) -> Estimate:
    """Return the share of entries that is lost: expected minus observed, with Newcombe's interval."""
    low, high = (float(bound) for bound in wilson_interval(converted, entries, _CONFIDENCE))
    rate = converted / entries
    value = expected.value - rate
    below = np.hypot(expected.value - expected.low, high - rate)
    above = np.hypot(expected.high - expected.value, rate - low)
    return Estimate(value, value - float(below), value + float(above))


def product(first: Estimate, second: Estimate) -> Estimate:
    """Multiply two independent estimates; `second` is positive, `first` may have either sign."""
    value = first.value * second.value
    fewer, more = second.value - second.low, second.high - second.value
    sizes = (fewer, more) if first.value >= 0 else (more, fewer)
    below = np.hypot(second.value * (first.value - first.low), first.value * sizes[0])
    above = np.hypot(second.value * (first.high - first.value), first.value * sizes[1])
    return Estimate(value, value - float(below), value + float(above))


def daily_entries(baseline: FunnelSeries, *, until: float) -> Estimate:
    """Estimate how many entries a day brings, from the whole days before `until` that the coarse series covers.

    Days differ by more than chance, so their own variation gives the interval (Student's t); of a single day, or of
    part of one, only chance is known (Garwood 1936, scaled up).
    """
    past = baseline.bucket_starts < until
    if not past.any():
        return Estimate(0.0, 0.0, 0.0)
    starts, entries = baseline.bucket_starts[past], baseline.entries[past].astype(np.float64)
    days = int((until - starts.min()) // _DAY_SECONDS)
    if days < 2:
        covered = min(max(until - float(starts.min()), HOUR_SECONDS), 2 * _DAY_SECONDS)
        return _poisson_mean(float(entries.sum()), _DAY_SECONDS / covered)
    ago = ((until - starts - 1e-9) // _DAY_SECONDS).astype(np.int64)
    by_day = np.bincount(ago[ago < days], entries[ago < days], days)
    return _mean(np.asarray(by_day, dtype=np.float64))


def counted_in(count: int, *, share: float) -> Estimate:
    """Estimate how many come in a whole stretch of time, where `count` came in a share of it (Garwood 1936).

    share may be more than 1, for a count over several of them.
    """
    return _poisson_mean(float(count), 1 / share)


def _mean(values: Floats) -> Estimate:
    mean = float(values.mean())
    reach = float(stdtrit(len(values) - 1, 0.5 + _CONFIDENCE / 2)) * float(values.std(ddof=1)) / len(values) ** 0.5
    return Estimate(mean, max(mean - reach, 0.0), mean + reach)


def _poisson_mean(count: float, scale: float) -> Estimate:
    tail = (1 - _CONFIDENCE) / 2
    low = float(chdtri(2 * count, 1 - tail)) / 2 if count else 0.0
    return Estimate(count * scale, low * scale, float(chdtri(2 * count + 2, tail)) / 2 * scale)
