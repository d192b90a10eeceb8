"""Fit the weekly pattern of a share from a few weeks of data; similar hours share information.

The fit goes through levels: the overall share, the kind of day (workday or weekend), the neighbouring hours of the day
and the hour itself, the neighbouring hours on days of that kind, the day of the week, the hour of the week. Each level
adjusts the odds that the levels before it expect, as far as its data support it (empirical Bayes; Efron and Morris
1975). The variance between the groups of a level is estimated with weights under which quiet groups count too (Paule
and Mandel 1982, as a fixed point; DerSimonian and Kacker 2007), because a weekend is quiet and yet different. There
are only two kinds of day, so their variance is fixed in advance; it also applies to a kind without any data.

All variances are shares of rate * (1 - rate). Hours of the week are laid out as (series, 7 days, 24 hours).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.types import Floats, Integers

_KIND_DEVIATION = 0.11
"""The relative standard deviation between weekends and workdays: a first weekend that converts three quarters as well
as the workdays is no surprise, one that converts half as well is."""

_WORKDAYS, _WEEKEND = 5, 2
_NEIGHBOURS, _BLOCK = 2, 4
"""Neighbouring hours on either side that an hour borrows from, and the size of the blocks that set how much."""

_NEAR = np.array(
    [[min((a - b) % 24, (b - a) % 24) <= _NEIGHBOURS for a in range(24)] for b in range(24)], dtype=np.float64
)
"""(24, 24): which hours of the day are neighbours, across midnight too."""

_CERTAIN = 1e-6
"""Shares are kept at least this far from 0 and 1."""

_STEPS, _LARGEST = 4, 0.5

Mask = NDArray[np.bool_]

_Sum = Callable[[Floats], Floats]
"""Sums (series, 7, 24) by group, into a shape that broadcasts back to it."""


@dataclass(frozen=True, slots=True)
class WeeklyRates:
    """The share expected at each hour of the week, `rate`, and the variance of that estimate, `error`: (series, 168).

    usual is the rate before the level of the single hour of the week is fitted. hour_overdispersion and
    day_overdispersion, (series,): the variance of a single hour, and of a single day, beyond the binomial.
    """

    rate: Floats
    error: Floats
    usual: Floats
    hour_overdispersion: Floats
    day_overdispersion: Floats


def weekly_rates(successes: Floats, trials: Floats, hours: Integers, hour_overdispersion: Floats) -> WeeklyRates:
    """Fit past hours, (series, n), at hours of the week, (n,).

    hour_overdispersion: (series,) as found by an earlier fit of the same data, or zero. Half of the variance between
    days, and between hours of the week, is assumed to repeat every week, because one week of data cannot tell.
    """
    fit = _Fit(
        _by_week(successes, hours),
        _by_week(trials, hours),
        _by_week(trials**2, hours),
        hour_overdispersion[:, None, None],
    )
    kinds = _KIND_DEVIATION**2 * np.minimum(fit.rate / (1 - fit.rate), 1.0)
    fit.pull(fit.groups(_by_kind), kinds)
    fit.error = 1 / np.maximum(fit.trials.sum(axis=(1, 2), keepdims=True), 1.0)
    fit.pull(fit.groups(_by_near_hours), _variance_between(fit.groups(_by_block), degrees_lost=1))
    same_hour = fit.groups(_by_hour)
    fit.pull(same_hour, _variance_between(same_hour, degrees_lost=6))
    fit.pull(fit.groups(_by_kind), kinds)
    fit.pull(fit.groups(_by_near_hours_of_kind), _variance_between(fit.groups(_by_block_of_kind), degrees_lost=7))
    same_day = fit.groups(_by_day)
    day_variance = _variance_between(same_day, degrees_lost=2)
    fit.pull(same_day, day_variance / 2, is_overdispersion=True)
    usual, hour_variance = _flat(fit.rate), _hour_overdispersion(fit, successes, trials, hours)
    fit.pull(fit.groups(_by_hour_of_week), hour_variance[:, None, None] / 2, is_overdispersion=True)
    return WeeklyRates(_flat(fit.rate), _flat(fit.error), usual, hour_variance, day_variance[:, 0, 0])


@dataclass(frozen=True, slots=True)
class _Groups:
    """Hours summed by group: trials (1 where none was seen), observed and expected share, variance of the observed."""

    trials: Floats
    seen: Mask
    own: Floats
    expected: Floats
    noise: Floats


class _Fit:
    """The fit after the levels so far: rates, their error variances and leverages.

    leverage: how much one trial moves the rate of its own hour.
    """

    def __init__(self, successes: Floats, trials: Floats, squares: Floats, hour_overdispersion: Floats) -> None:
        self.successes, self.trials, self.squares = successes, trials, squares
        self.hour_overdispersion = hour_overdispersion
        everyone = (successes.sum(axis=(1, 2)) + 0.5) / (trials.sum(axis=(1, 2)) + 1.0)
        self.rate = everyone[:, None, None]
        self.error = np.zeros((len(trials), 1, 1))
        self.leverage = np.zeros((len(trials), 1, 1))

    def groups(self, grouped: _Sum) -> _Groups:
        """Return the observed and the currently expected share of each group."""
        trials = grouped(self.trials)
        seen, trials = trials > 0, np.maximum(trials, 1.0)
        own, expected = grouped(self.successes) / trials, grouped(self.trials * self.rate) / trials
        noise = 1 / trials + self.hour_overdispersion * grouped(self.squares) / trials**2
        return _Groups(trials, seen, own, _clipped(expected), noise)

    def pull(self, groups: _Groups, variance: Floats, *, is_overdispersion: bool = False) -> None:
        """Move the odds of each group toward its observed share, weighted by `variance` against sampling noise.

        The part of the variance that stays unexplained adds to the error, unless it is reported as overdispersion.
        """
        weight = groups.seen * variance / (variance + groups.noise)
        pulled = _clipped(groups.expected + weight * (groups.own - groups.expected))
        odds = self.rate * pulled * (1 - groups.expected)
        self.rate = _clipped(odds / (odds + (1 - self.rate) * (1 - pulled) * groups.expected))
        unexplained = self.error + (0.0 if is_overdispersion else variance)
        self.error = weight**2 * groups.noise + (1 - weight) ** 2 * unexplained
        self.leverage = self.leverage + weight / groups.trials


def _variance_between(groups: _Groups, *, degrees_lost: int) -> Floats:
    """Estimate the variance of the groups around their expected shares, (series, 1, 1).

    degrees_lost: degrees of freedom that fitting the expected shares used up.
    """
    apart = (groups.own - groups.expected) ** 2 / (groups.expected * (1 - groups.expected))
    number = groups.seen.sum(axis=(1, 2), keepdims=True)
    left = np.maximum(number - degrees_lost, 0) / np.maximum(number, 1)
    surplus, found = apart - groups.noise * left, np.zeros(left.shape)
    for _ in range(_STEPS):
        weight = groups.seen / (found + groups.noise)
        whole = weight.sum(axis=(1, 2), keepdims=True) * left
        found = (weight * surplus).sum(axis=(1, 2), keepdims=True) / np.maximum(whole, 1e-12)
        found = np.minimum(np.maximum(found, 0.0), _LARGEST) * (left > 0)
    return found


def _hour_overdispersion(fit: _Fit, successes: Floats, trials: Floats, hours: Integers) -> Floats:
    """Estimate the variance of single hours around their expected shares beyond the binomial, (series,)."""
    expected, leverage = _flat(fit.rate)[:, hours], _flat(fit.leverage)[:, hours]
    kept, unit = np.clip(1 - trials * leverage, 0.0, 1.0), expected * (1 - expected)
    surplus = (successes - trials * expected) ** 2 - trials * kept * unit
    possible = trials * np.maximum(trials - 1, 0) * kept**2 * unit
    return np.asarray(np.clip(surplus.sum(axis=1) / np.maximum(possible.sum(axis=1), 1e-9), 0.0, _LARGEST))


def _clipped(share: Floats) -> Floats:
    return np.minimum(np.maximum(share, _CERTAIN), 1 - _CERTAIN)


def _by_week(values: Floats, hours: Integers) -> Floats:
    return sums_by_group(values, hours, 168).reshape(-1, 7, 24)


def _flat(weeks: Floats) -> Floats:
    return np.broadcast_to(weeks, (len(weeks), 7, 24)).reshape(-1, 168)


def _by_hour_of_week(weeks: Floats) -> Floats:
    return weeks


def _by_hour(weeks: Floats) -> Floats:
    return np.asarray(weeks.sum(axis=1, keepdims=True))


def _by_day(weeks: Floats) -> Floats:
    return np.asarray(weeks.sum(axis=2, keepdims=True))


def _by_kind(weeks: Floats) -> Floats:
    return _for_each_day(_kinds(weeks).sum(axis=2, keepdims=True))


def _by_near_hours(weeks: Floats) -> Floats:
    return np.asarray(_by_hour(weeks) @ _NEAR)


def _by_near_hours_of_kind(weeks: Floats) -> Floats:
    return _for_each_day(np.asarray(_kinds(weeks) @ _NEAR))


def _by_block(weeks: Floats) -> Floats:
    """Sum into disjoint blocks of hours, (series, 1, 6): estimating a variance needs groups that do not overlap."""
    return _blocks(_by_hour(weeks))


def _by_block_of_kind(weeks: Floats) -> Floats:
    """Sum into disjoint blocks of hours for each kind of day, (series, 2, 6)."""
    return _blocks(_kinds(weeks))


def _blocks(days: Floats) -> Floats:
    return np.asarray(days.reshape(*days.shape[:2], 24 // _BLOCK, _BLOCK).sum(axis=3))


def _kinds(weeks: Floats) -> Floats:
    """Sum over workdays and over weekends, (series, 2, 24)."""
    return np.stack([weeks[:, :_WORKDAYS].sum(axis=1), weeks[:, _WORKDAYS:].sum(axis=1)], axis=1)


def _for_each_day(kinds: Floats) -> Floats:
    return np.repeat(kinds, [_WORKDAYS, _WEEKEND], axis=1)


def sums_by_group(values: Floats, groups: Integers, size: int) -> Floats:
    """Sum the values, (series, n), of each group, (series, size); sorting first is quicker than a matrix product."""
    total = np.zeros((len(values), size))
    order = np.argsort(groups, kind="stable")
    present, first = np.unique(groups[order], return_index=True)
    if len(present):
        total[:, present] = np.add.reduceat(values[:, order], first, axis=1)
    return total
