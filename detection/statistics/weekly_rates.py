"""How a share goes through the week, from few weeks: each hour borrows from the hours that are like it.

Every level moves the odds of what the levels before it expect, and is believed as far as its data carry (empirical
Bayes; Efron and Morris 1975): everyone's share, the kind of day (workday or weekend), the neighbouring hours of the
day and the hour itself, the neighbouring hours on days of that kind, the day of the week, the hour of the week. How
much the groups of a level differ is estimated with weights that let quiet groups speak (Paule and Mandel 1982, as a
fixed point; DerSimonian and Kacker 2007), for a weekend is quiet and yet different. There are only two kinds of day, so
what they may differ by is laid down instead, and holds too for the kind that has not been seen.

All variances are shares of rate * (1 - rate). Hours of the week are laid out as (series, 7 days, 24 hours).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.types import Floats, Integers

_KIND_DEVIATION = 0.11
"""How far a weekend may be from the workdays, relative, as a standard deviation: a first weekend that converts three
quarters is no surprise, one that converts half is."""

_WORKDAYS, _WEEKEND = 5, 2
_NEIGHBOURS, _BLOCK = 2, 4
"""Hours on either side from which an hour borrows, and hours of the blocks that say how much."""

_NEAR = np.array(
    [[min((a - b) % 24, (b - a) % 24) <= _NEIGHBOURS for a in range(24)] for b in range(24)], dtype=np.float64
)
"""(24, 24): which hours of the day are neighbours of each other, past midnight too."""

_CERTAIN = 1e-6
"""A share is never taken to be closer to 0 or 1."""

_STEPS, _LARGEST = 4, 0.5

Mask = NDArray[np.bool_]

_Sum = Callable[[Floats], Floats]
"""Adds (series, 7, 24) up by group, into a shape that broadcasts to it again."""


@dataclass(frozen=True, slots=True)
class WeeklyRates:
    """The share expected at each hour of the week, (series, 168), and the variance of that estimate.

    usual is the same before its own hour had a say. hour_luck and day_luck, (series,): how much a single hour, and a
    single day, vary beyond the binomial around what is expected of them.
    """

    rate: Floats
    error: Floats
    usual: Floats
    hour_luck: Floats
    day_luck: Floats


def weekly_rates(successes: Floats, trials: Floats, hours: Integers, hour_luck: Floats) -> WeeklyRates:
    """Fit past hours, (series, n), at hours of the week, (n,); hour_luck is what an earlier fit of them found, or zero.

    Half of how days and hours of the week differ from what is expected of them is taken to come back every week, for
    one week cannot tell.
    """
    fit = _Fit(
        _by_week(successes, hours), _by_week(trials, hours), _by_week(trials**2, hours), hour_luck[:, None, None]
    )
    kinds = _KIND_DEVIATION**2 * np.minimum(fit.rate / (1 - fit.rate), 1.0)
    fit.pull(fit.groups(_by_kind), kinds)
    fit.error = 1 / np.maximum(fit.trials.sum(axis=(1, 2), keepdims=True), 1.0)
    fit.pull(fit.groups(_by_near_hours), _between(fit.groups(_by_block), lost=1))
    same_hour = fit.groups(_by_hour)
    fit.pull(same_hour, _between(same_hour, lost=6))
    fit.pull(fit.groups(_by_kind), kinds)
    fit.pull(fit.groups(_by_near_hours_of_kind), _between(fit.groups(_by_block_of_kind), lost=7))
    same_day = fit.groups(_by_day)
    day_luck = _between(same_day, lost=2)
    fit.pull(same_day, day_luck / 2, is_luck=True)
    usual, luck = _flat(fit.rate), _luck(fit, successes, trials, hours)
    fit.pull(fit.groups(_alone), luck[:, None, None] / 2, is_luck=True)
    return WeeklyRates(_flat(fit.rate), _flat(fit.error), usual, luck, day_luck[:, 0, 0])


@dataclass(frozen=True, slots=True)
class _Groups:
    """Hours taken together: trials, 1 where none was seen; their own and the expected share; the own one's variance."""

    trials: Floats
    seen: Mask
    own: Floats
    expected: Floats
    noise: Floats


class _Fit:
    """The shares and their errors as far as the levels so far say; leverage is what one trial moves its own hour by."""

    def __init__(self, successes: Floats, trials: Floats, squares: Floats, hour_luck: Floats) -> None:
        self.successes, self.trials, self.squares, self.hour_luck = successes, trials, squares, hour_luck
        everyone = (successes.sum(axis=(1, 2)) + 0.5) / (trials.sum(axis=(1, 2)) + 1.0)
        self.rate = everyone[:, None, None]
        self.error = np.zeros((len(trials), 1, 1))
        self.leverage = np.zeros((len(trials), 1, 1))

    def groups(self, grouped: _Sum) -> _Groups:
        """What the hours say, by group, beside what is expected so far."""
        trials = grouped(self.trials)
        seen, trials = trials > 0, np.maximum(trials, 1.0)
        own, expected = grouped(self.successes) / trials, grouped(self.trials * self.rate) / trials
        return _Groups(
            trials, seen, own, _inside(expected), 1 / trials + self.hour_luck * grouped(self.squares) / trials**2
        )

    def pull(self, groups: _Groups, variance: Floats, *, is_luck: bool = False) -> None:
        """Move the odds of each group toward its own, as far as they differ by `variance` rather than by chance.

        What is left unexplained of a variance is error, unless it counts as luck.
        """
        belief = groups.seen * variance / (variance + groups.noise)
        pulled = _inside(groups.expected + belief * (groups.own - groups.expected))
        odds = self.rate * pulled * (1 - groups.expected)
        self.rate = _inside(odds / (odds + (1 - self.rate) * (1 - pulled) * groups.expected))
        self.error = belief**2 * groups.noise + (1 - belief) ** 2 * (self.error + (0.0 if is_luck else variance))
        self.leverage = self.leverage + belief / groups.trials


def _between(groups: _Groups, *, lost: int) -> Floats:
    """(series, 1, 1) how much groups differ from what is expected; lost: degrees of freedom spent on expecting it."""
    apart = (groups.own - groups.expected) ** 2 / (groups.expected * (1 - groups.expected))
    number = groups.seen.sum(axis=(1, 2), keepdims=True)
    left = np.maximum(number - lost, 0) / np.maximum(number, 1)
    surplus, found = apart - groups.noise * left, np.zeros(left.shape)
    for _ in range(_STEPS):
        weight = groups.seen / (found + groups.noise)
        whole = weight.sum(axis=(1, 2), keepdims=True) * left
        found = (weight * surplus).sum(axis=(1, 2), keepdims=True) / np.maximum(whole, 1e-12)
        found = np.minimum(np.maximum(found, 0.0), _LARGEST) * (left > 0)
    return found


def _luck(fit: _Fit, successes: Floats, trials: Floats, hours: Integers) -> Floats:
    """(series,) how much single hours vary around what is expected of them, beyond the binomial."""
    expected, leverage = _flat(fit.rate)[:, hours], _flat(fit.leverage)[:, hours]
    kept, unit = np.clip(1 - trials * leverage, 0.0, 1.0), expected * (1 - expected)
    surplus = (successes - trials * expected) ** 2 - trials * kept * unit
    possible = trials * np.maximum(trials - 1, 0) * kept**2 * unit
    return np.asarray(np.clip(surplus.sum(axis=1) / np.maximum(possible.sum(axis=1), 1e-9), 0.0, _LARGEST))


def _inside(share: Floats) -> Floats:
    return np.minimum(np.maximum(share, _CERTAIN), 1 - _CERTAIN)


def _by_week(values: Floats, hours: Integers) -> Floats:
    return summed(values, hours, 168).reshape(-1, 7, 24)


def _flat(weeks: Floats) -> Floats:
    return np.broadcast_to(weeks, (len(weeks), 7, 24)).reshape(-1, 168)


def _alone(weeks: Floats) -> Floats:
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
    """(series, 1, 6): apart from each other, as variances need their groups to be."""
    return _blocks(_by_hour(weeks))


def _by_block_of_kind(weeks: Floats) -> Floats:
    """(series, 2, 6)."""
    return _blocks(_kinds(weeks))


def _blocks(days: Floats) -> Floats:
    return np.asarray(days.reshape(*days.shape[:2], 24 // _BLOCK, _BLOCK).sum(axis=3))


def _kinds(weeks: Floats) -> Floats:
    """(series, 2, 24): workdays and weekends."""
    return np.stack([weeks[:, :_WORKDAYS].sum(axis=1), weeks[:, _WORKDAYS:].sum(axis=1)], axis=1)


def _for_each_day(kinds: Floats) -> Floats:
    return np.repeat(kinds, [_WORKDAYS, _WEEKEND], axis=1)


def summed(values: Floats, groups: Integers, size: int) -> Floats:
    """(series, size) the values (series, n) of each group added up; sorting first is quicker than a product."""
    total = np.zeros((len(values), size))
    order = np.argsort(groups, kind="stable")
    present, first = np.unique(groups[order], return_index=True)
    if len(present):
        total[:, present] = np.add.reduceat(values[:, order], first, axis=1)
    return total
