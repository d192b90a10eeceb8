"""Funnels of simulated shops, drawn in buckets of 10 s; they can be read fine or by the hour.

More users come by day than by night, and more on weekdays than at weekends. The conversion rate varies by a tenth with
the hour of the day, and at weekends by the shop's weekend rate. In addition each hour varies at random by 2 %, so the
counts are overdispersed (more than binomial). IN_TIME_SHARE of those who convert take a minute, the others five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detection.types import DELAY_EDGES_SECONDS, Floats, FunnelDefinition, FunnelSeries, FunnelStep, Integers

BUCKET_SECONDS, HOUR_SECONDS, DAY_SECONDS = 10.0, 3600.0, 86_400.0
WEEK_SECONDS = 7 * DAY_SECONDS
WEEKEND_RATES = (0.75, 1.1)
WEEKEND_TRAFFIC, DAILY_TRAFFIC, DAILY_RATE, HOURLY_LUCK = 0.7, 0.6, 0.1, 0.02
IN_TIME_SHARE = 0.96
_IN_TIME, _LATE = (int(np.searchsorted(DELAY_EDGES_SECONDS, seconds)) for seconds in (60.0, 300.0))
HORIZON_SECONDS = float(DELAY_EDGES_SECONDS[_IN_TIME])
"""The horizon that the detector derives from these delays: their 95th percentile."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A simulated shop.

    step_rates: of the users who reach each step, the share that reaches the next. weekend_rate: the conversion rate at
    weekends relative to that on weekdays.
    """

    name: str
    step_rates: tuple[float, ...]
    weekend_rate: float = 1.0

    @property
    def rate(self) -> float:
        """The conversion rate of the whole funnel."""
        return float(np.prod(self.step_rates))

    @property
    def funnel(self) -> FunnelDefinition:
        """The shop's funnel, with the default window of ten minutes."""
        names = [f"step {number}" for number in range(len(self.step_rates) + 1)]
        return FunnelDefinition(1, self.name, tuple(FunnelStep(name, name) for name in names), 600.0, 7)


@dataclass(frozen=True, slots=True)
class Break:
    """From `since` on, only the share `left` of the users who normally pass step `step` pass it."""

    since: float
    step: int
    left: float


@dataclass(frozen=True, slots=True)
class Buckets:
    """Counts in regular buckets of `width` seconds from `since` on.

    reached: (steps, buckets). in_time: (buckets,), how many of those at the last step took only a minute. rates:
    (steps - 1, buckets), the true share that passes each step when nothing is broken.
    """

    since: float
    width: float
    reached: Integers
    in_time: Integers
    rates: Floats

    def series(self, since: float, until: float, value: str | None = None) -> FunnelSeries:
        """Return the buckets that begin in [since, until) as the series of everyone or of one segment."""
        first, last = (max(int(np.ceil((time - self.since) / self.width)), 0) for time in (since, until))
        reached, in_time = self.reached[:, first:last], self.in_time[first:last]
        delays = np.zeros((reached.shape[1], len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
        delays[:, _IN_TIME], delays[:, _LATE] = in_time, reached[-1] - in_time
        return FunnelSeries(
            funnel_id=1,
            dimension=None if value is None else "country",
            value=value,
            bucket_starts=self.since + np.arange(first, first + len(delays), dtype=np.float64) * self.width,
            entries=reached[0],
            reached=reached.T,
            converted_by_delay=delays,
        )

    def hourly(self) -> Buckets:
        """Return the same counts by the hour; leave out an incomplete last hour."""
        size = int(HOUR_SECONDS / self.width)
        hours = len(self.in_time) // size

        def by_hour(counts: Integers) -> Integers:
            return np.asarray(counts[..., : hours * size].reshape(*counts.shape[:-1], hours, size).sum(axis=-1))

        return Buckets(self.since, HOUR_SECONDS, by_hour(self.reached), by_hour(self.in_time), self.rates[:, ::size])


def with_a_weekend(random: np.random.Generator, shop: Shop) -> Shop:
    """Return the shop with a random weekend rate."""
    return replace(shop, weekend_rate=float(random.uniform(*WEEKEND_RATES)))


def draw_buckets(
    random: np.random.Generator,
    shop: Shop,
    *,
    since: float,
    until: float,
    entries_a_second: float,
    width: float = BUCKET_SECONDS,
    broken: Break | None = None,
) -> Buckets:
    """Draw the buckets of `width` seconds in [since, until); entries_a_second is the mean over a week."""
    times = since + np.arange(int((until - since) / width), dtype=np.float64) * width
    hours = np.floor(times / HOUR_SECONDS).astype(np.int64)
    luck = np.exp(random.normal(0.0, HOURLY_LUCK, int(hours[-1] - hours[0]) + 1))[hours - hours[0]]
    by_step = (luck * relative_rate(shop, times + width / 2)) ** (1 / len(shop.step_rates))
    rates = np.minimum(np.outer(shop.step_rates, by_step), 1.0)
    reached = [random.poisson(entries_a_second * width * traffic(times + width / 2))]
    for step, normal in enumerate(rates):
        is_broken = broken is not None and broken.step == step
        now = np.where(times >= broken.since, normal * broken.left, normal) if broken and is_broken else normal
        reached.append(random.binomial(reached[-1], now))
    in_time = random.binomial(reached[-1], IN_TIME_SHARE)
    return Buckets(since, width, np.stack(reached).astype(np.int32), in_time.astype(np.int32), rates)


def traffic(times: Floats) -> Floats:
    """Return the traffic at each time, relative to the mean of the week."""
    by_day = np.where(_is_weekend(times), WEEKEND_TRAFFIC, 1.0) / ((5 + 2 * WEEKEND_TRAFFIC) / 7)
    return np.asarray(by_day * (1 + DAILY_TRAFFIC * np.sin(2 * np.pi * (times / DAY_SECONDS - 9 / 24))))


def relative_rate(shop: Shop, times: Floats) -> Floats:
    """Return the conversion rate at each time, relative to the shop's rate."""
    by_day = np.where(_is_weekend(times), shop.weekend_rate, 1.0)
    return np.asarray(by_day * (1 + DAILY_RATE * np.sin(2 * np.pi * (times / DAY_SECONDS - 15 / 24))))


def _is_weekend(times: Floats) -> NDArray[np.bool_]:
    return np.asarray((np.floor(times / DAY_SECONDS).astype(np.int64) + 3) % 7 >= 5)


def added(parts: Sequence[Buckets]) -> Buckets:
    """Return everyone: the sum of equally large segments in the same buckets."""
    reached, in_time = sum(part.reached for part in parts), sum(part.in_time for part in parts)
    rates = sum(part.rates for part in parts) / len(parts)
    return Buckets(parts[0].since, parts[0].width, np.asarray(reached), np.asarray(in_time), np.asarray(rates))


def joined(before: Buckets, after: Buckets) -> Buckets:
    """Concatenate two parts of one series with buckets of one width; the second begins where the first ends."""
    return Buckets(
        before.since,
        before.width,
        np.concatenate([before.reached, after.reached], axis=1),
        np.concatenate([before.in_time, after.in_time]),
        np.concatenate([before.rates, after.rates], axis=1),
    )
