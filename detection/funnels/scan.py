"""Is a conversion rate broken: nested recent windows of ripe entries against the baseline of this hour of the week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detection.funnels.cohorts import Cohorts
from detection.options import FunnelOptions
from detection.statistics.baselines import Mask, RateBaseline
from detection.statistics.proportions import benjamini_hochberg, beta_binomial_mid_p, sigma_score
from detection.types import Floats, Integers

_HALVINGS = 5
_LONGEST_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class StepTest:
    """Of those who reached a step, how many reached the next, beside what is normal; a row for each series asked for.

    allowance is the share of the normal rate that may be missing because late ones are still on their way.
    """

    cohorts: Cohorts
    baseline: RateBaseline
    allowance: float = 0.0


StepTests = Callable[[Integers], Sequence[StepTest]]
"""The tests of each step for the series in some rows: those few that seem to have dropped are looked at so closely."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The most telling recent window of each series, all arrays (series,).

    p_value is corrected for the windows that were tried; 1.0 where no window had enough entries and enough of a
    drop, or where none was tested. buckets is the length of that window.
    """

    tested: Mask

    buckets: Integers
    entries: Floats
    converted: Floats
    score: Floats
    p_value: Floats


def window_lengths(longest: int) -> Integers:
    """Return the lengths tried, in buckets: the longest, then halves of it, down to a 32nd.

    Short windows see a sudden break while the long one is still full of good entries; the halving keeps the number
    of tests small (a dyadic scan: Arias-Castro, Donoho and Huo 2005).
    """
    return np.unique(np.maximum(longest // 2 ** np.arange(_HALVINGS + 1), 1))[::-1]


def scan_for_drops(
    cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions, steps: StepTests | None = None
) -> Scan:
    """Test every series for a lower rate, over windows that all end with the last bucket of `cohorts`.

    A window counts with min_sample_size entries, min_drop_percent below the baseline and sigma_threshold deviations.
    The p-value is the beta-binomial mid-p, weighted for the scan: the longest window has four fifths of the error to
    spend, each shorter one half of what is left (weighted Bonferroni; Genovese, Roeder and Wasserman 2006). Short
    windows begin anew so much more often, and a sudden break is plain enough to pay that price.

    With `steps` a window that counts is judged by the most telling of its whole and its steps, at the price of that
    many tests (Bonferroni). What breaks is mostly one step, and there the same loss stands out further: the luck of
    those who never came so far is left out.
    """
    return _scan(cohorts, baseline, options, baseline.rate * (1 - options.min_drop_percent / 100), steps)


def scan_for_rises(cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions) -> Scan:
    """Test every series for a higher rate: the same scan over those who did not convert, seen in the mirror."""
    failures = Cohorts(cohorts.bucket_starts, cohorts.entries, cohorts.entries - cohorts.converted)
    mirrored = replace(baseline, rate=1 - baseline.rate, low=1 - baseline.high, high=1 - baseline.low)
    highest = 1 - baseline.rate * (1 + options.min_drop_percent / 100)
    scan = _scan(failures, mirrored, options, highest)
    return replace(scan, converted=scan.entries - scan.converted, score=-scan.score)


def _scan(
    cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions, highest: Floats, steps: StepTests | None = None
) -> Scan:
    """highest: (series,) the share that a window must not exceed to count as changed by enough."""
    lengths = window_lengths(cohorts.entries.shape[1])
    entries, converted = _ending_last(cohorts.entries, lengths), _ending_last(cohorts.converted, lengths)
    rate, strength = baseline.rate[:, None], baseline.strength[:, None]
    score = sigma_score(converted, entries, rate, strength)
    enough = entries >= options.min_sample_size
    changed = converted / np.maximum(entries, 1) <= highest[:, None]
    counts = enough & changed & (score <= -options.sigma_threshold)
    p_values = np.ones(entries.shape)
    rows, columns = np.nonzero(counts)
    raw = beta_binomial_mid_p(converted[counts], entries[counts], baseline.rate[rows], baseline.strength[rows])
    if steps is not None and len(rows):
        raw = _sharpened(raw, rows, lengths[columns], steps)
    p_values[rows, columns] = np.minimum(raw / error_shares(len(lengths))[columns], 1.0)
    best = np.argmin(p_values, axis=1)
    every = np.arange(len(best))
    return Scan(
        tested=np.asarray(enough.any(axis=1)),
        buckets=lengths[best],
        entries=entries[every, best],
        converted=converted[every, best],
        score=score[every, best],
        p_value=p_values[every, best],
    )


def _sharpened(raw: Floats, rows: Integers, lengths: Integers, steps: StepTests) -> Floats:
    """(windows,) the least p-value of each window's whole and its steps, times how many they are."""
    asked, places = np.unique(rows, return_inverse=True)
    p_values = [raw]
    for step in steps(asked):
        reached, went_on = (_ending_last(counts, lengths) for counts in (step.cohorts.entries, step.cohorts.converted))
        every = np.arange(len(rows))
        rate = step.baseline.rate[places] * (1 - step.allowance)
        strength = step.baseline.strength[places]
        p_values.append(beta_binomial_mid_p(went_on[places, every], reached[places, every], rate, strength))
    return np.asarray(np.min(p_values, axis=0) * len(p_values))


def error_shares(windows: int) -> Floats:
    """(windows,) how much of the error each window may spend, the longest first."""
    shorter = (1 - _LONGEST_SHARE) * 0.5 ** np.arange(1, windows)
    return np.concatenate([[_LONGEST_SHARE], shorter])


def significant(p_values: Floats, tested: Mask, significance: float) -> tuple[Floats, Integers]:
    """Return the p-values adjusted over the tested series, (series,), and the indices of those that stand."""
    adjusted = np.ones(len(p_values))
    adjusted[tested] = benjamini_hochberg(p_values[tested])
    return adjusted, np.flatnonzero(adjusted <= significance)


def _ending_last(values: Floats, lengths: Integers) -> Floats:
    """(series, lengths) sums over the last `length` buckets."""
    running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return np.asarray(running[:, -1:] - running[:, values.shape[1] - lengths])
