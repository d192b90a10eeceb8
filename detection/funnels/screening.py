"""Screen funnels: a cheap test on counts, more lenient than the detectors' own, of which funnels to read in full."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import betainc

from detection.funnels.cohorts import Cohorts
from detection.funnels.normal import USABLE_SECONDS
from detection.funnels.scan import error_shares, sums_ending_last, window_lengths
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask, RateBaseline, hours_of_week, rate_baseline
from detection.statistics.proportions import benjamini_hochberg, sigma_score
from detection.types import Floats

_MARGIN = 5.0
"""The factor by which a p-value may exceed the significance level: the tail is an approximation, and the counts may be
some ticks old."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The users of each segment who reached each step: counts (steps, segments, buckets), on a regular grid.

    The first step is the entries; the last step counts only within the horizon.
    """

    bucket_starts: Floats
    counts: Floats

    def parts(self) -> list[Cohorts]:
        """Return the cohorts from the first step to the last and, with three steps or more, between adjacent steps."""
        pairs = [(self.counts[0], self.counts[-1])]
        if len(self.counts) > 2:
            pairs += pairwise(self.counts)
        return [Cohorts(self.bucket_starts, before, after) for before, after in pairs]


@dataclass(frozen=True, slots=True)
class Usual:
    """The baseline at one hour of the week for each of `Reached.parts`, one row per segment.

    usable: (segments,) whether there is enough history for a baseline.
    """

    parts: tuple[RateBaseline, ...]
    usable: Mask


def usual(past: Reached, *, at: float, timezone: str, fewest: int) -> Usual:
    """Fit the baseline at time `at` from hourly counts; excluded hours must be zero.

    fewest: the fewest entries for a usable baseline.
    """
    weekly = hours_of_week(np.append(past.bucket_starts, at), timezone)
    fitted = [rate_baseline(part.converted, part.entries, weekly[:-1], int(weekly[-1])) for part in past.parts()]
    return Usual(tuple(fitted), _usable(past.counts[0], fewest))


def worth_reading(recent: Reached, normal: Usual, everyone: Mask, options: FunnelOptions) -> bool:
    """Whether the detectors may find a drop or a rise, of the whole funnel or among its segments.

    recent: ripe entries in fine buckets. everyone: (segments,) which row is the whole funnel. The windows and their
    error shares are those of the detectors' scan; steps are tested without their allowance.
    """
    lengths = window_lengths(len(recent.bucket_starts))
    parts = [
        (sums_ending_last(part.entries, lengths), sums_ending_last(part.converted, lengths), fitted)
        for part, fitted in zip(recent.parts(), normal.parts, strict=True)
    ]
    entries, converted, fitted = parts[0]
    rate = fitted.rate[:, None]
    score = sigma_score(converted, entries, rate, fitted.strength[:, None])
    share = converted / np.maximum(entries, 1)
    enough, least = entries >= options.min_sample_size, options.min_drop_percent / 100
    fell = enough & (share <= rate * (1 - least)) & (score <= -options.sigma_threshold)
    rose = enough & (share >= rate * (1 + least)) & (score >= options.sigma_threshold)
    drops = np.min([_tail(*part, fell) for part in parts], axis=0) * len(parts)
    rises = _tail(entries, entries - converted, _mirrored(fitted), rose)
    tested = normal.usable & enough.any(axis=1)
    return any(
        _may_be_significant(p_values[family], options)
        for p_values in ((tails / error_shares(len(lengths))).min(axis=1) for tails in (drops, rises))
        for family in (tested & everyone, tested & ~everyone)
    )


def _may_be_significant(p_values: Floats, options: FunnelOptions) -> bool:
    adjusted = benjamini_hochberg(p_values)
    return bool(adjusted.size and adjusted.min() <= options.significance * _MARGIN)


def _tail(entries: Floats, converted: Floats, usual: RateBaseline, counted: Mask) -> Floats:
    """Approximate the lower mid-p tail of the beta-binomial where counted, 1 elsewhere, (segments, windows).

    It uses a binomial with the effective sample size that has the same variance: its tail has a closed form.
    """
    p_values = np.ones(entries.shape)
    rows, columns = np.nonzero(counted & (entries > 0))
    n, k, m = entries[rows, columns], converted[rows, columns], usual.strength[rows]
    effective_share = (m + 1) / (m + n)
    trials, successes = n * effective_share, k * effective_share
    p_values[rows, columns] = betainc(trials - successes + 0.5, successes + 0.5, 1 - usual.rate[rows])
    return p_values


def _mirrored(usual: RateBaseline) -> RateBaseline:
    return replace(usual, rate=1 - usual.rate, low=1 - usual.high, high=1 - usual.low)


def _usable(entries: Floats, fewest: int) -> Mask:
    """Return whether the hours span a day and hold enough entries, as in `is_usable`, (segments,)."""
    if entries.shape[1] == 0:
        return np.zeros(len(entries), dtype=bool)
    seen = entries > 0
    first, last = seen.argmax(axis=1), entries.shape[1] - seen[:, ::-1].argmax(axis=1)
    spans = (last - first) * HOUR_SECONDS >= USABLE_SECONDS
    return np.asarray(spans & (entries.sum(axis=1) >= fewest))
