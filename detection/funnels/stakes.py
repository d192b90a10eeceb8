"""The cost of a drop in conversion: users affected so far and revenue lost per day, with confidence intervals.

Intervals of sums, differences and products are combined from those of their parts (MOVER; Newcombe 1998, method 10;
Zou and Donner 2008). This preserves the asymmetry of the parts and needs no simulation.
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
    """The cost of a drop.

    affected_users: users who would have converted but did not. conversions_per_day: conversions lost per day while the
    drop lasts, at the usual number of entries. revenue_per_day: None if the funnel has no value per conversion.
    """

    affected_users: Estimate
    conversions_per_day: Estimate
    revenue_per_day: Estimate | None


def conversion_stakes(
    *, entries: int, converted: int, expected: Estimate, daily_entries: Estimate, value_per_conversion: float | None
) -> Stakes:
    """Estimate the cost of a drop from the `expected` rate to `converted` of `entries`, both counted since the onset.

    expected: a finding's expected, expected_low and expected_high. value_per_conversion: in the funnel's currency.
    Raises ValueError without entries, when converted is not between 0 and entries, or for a negative value.
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
    """Return the share of entries whose conversion is lost: expected minus observed, with Newcombe's interval."""
    low, high = (float(bound) for bound in wilson_interval(converted, entries, _CONFIDENCE))
    rate = converted / entries
    value = expected.value - rate
    below = np.hypot(expected.value - expected.low, high - rate)
    above = np.hypot(expected.high - expected.value, rate - low)
    return Estimate(value, value - float(below), value + float(above))


def product(first: Estimate, second: Estimate) -> Estimate:
    """Multiply two independent estimates; `second` must be positive, `first` may have either sign."""
    value = first.value * second.value
    fewer, more = second.value - second.low, second.high - second.value
    sizes = (fewer, more) if first.value >= 0 else (more, fewer)
    below = np.hypot(second.value * (first.value - first.low), first.value * sizes[0])
    above = np.hypot(second.value * (first.high - first.value), first.value * sizes[1])
    return Estimate(value, value - float(below), value + float(above))


def daily_entries(baseline: FunnelSeries, *, until: float) -> Estimate:
    """Estimate the entries per day from the whole days before `until` that the coarse series covers.

    Days vary by more than chance, so the interval comes from their variance (Student's t). With less than two days the
    interval covers only chance: the Poisson interval of Garwood (1936), scaled to a day.
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
    """Estimate the count in a whole period from the `count` in a share of it (Garwood 1936).

    share may exceed 1, when the count covers several periods.
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
