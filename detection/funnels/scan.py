"""Scan conversion rates for changes: nested recent windows of ripe entries against the baseline."""

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
    """The counts of users who reached one step and then the next, with their baseline; one row per requested series.

    allowance: the share of the normal rate that may be missing because some users are still in progress.
    """

    cohorts: Cohorts
    baseline: RateBaseline
    allowance: float = 0.0


StepTests = Callable[[Integers], Sequence[StepTest]]
"""Returns the tests of each step for the series in the given rows: only series that may have dropped need them."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The most significant recent window of each series; all arrays are (series,).

    tested: whether any window had enough entries. buckets: the length of the chosen window. p_value: corrected for the
    number of windows; 1.0 where no window had enough entries and a large enough change.
    """

    tested: Mask
    buckets: Integers
    entries: Floats
    converted: Floats
    score: Floats
    p_value: Floats


def window_lengths(longest: int) -> Integers:
    """Return the window lengths to test, in buckets: the longest, then successive halves, down to a 32nd.

    A short window shows a sudden break while the long one is still full of good entries. Halving keeps the number of
    tests small (a dyadic scan: Arias-Castro, Donoho and Huo 2005).
    """
    return np.unique(np.maximum(longest // 2 ** np.arange(_HALVINGS + 1), 1))[::-1]


def scan_for_drops(
    cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions, steps: StepTests | None = None
) -> Scan:
    """Test every series for a lower rate, over windows that all end with the last bucket of `cohorts`.

    A window qualifies with min_sample_size entries, a rate min_drop_percent below the baseline, and a score of
    sigma_threshold standard deviations. Its p-value is the beta-binomial mid-p, weighted for the scan: the longest
    window may spend four fifths of the error, each shorter one half of the remainder (weighted Bonferroni; Genovese,
    Roeder and Wasserman 2006). Short windows are tested on new data far more often, and a sudden break is large enough
    to be significant in spite of that.

    With `steps`, a qualifying window is judged by the smallest p-value of its whole funnel and its steps, multiplied by
    the number of these tests (Bonferroni). Usually a single step breaks, and the same loss is more significant there,
    without the random variation of users who never got that far.
    """
    return _scan(cohorts, baseline, options, baseline.rate * (1 - options.min_drop_percent / 100), steps)


def scan_for_rises(cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions) -> Scan:
    """Test every series for a higher rate, by the same scan for a lower rate of entries that did not convert."""
    failures = Cohorts(cohorts.bucket_starts, cohorts.entries, cohorts.entries - cohorts.converted)
    mirrored = replace(baseline, rate=1 - baseline.rate, low=1 - baseline.high, high=1 - baseline.low)
    highest = 1 - baseline.rate * (1 + options.min_drop_percent / 100)
    scan = _scan(failures, mirrored, options, highest)
    return replace(scan, converted=scan.entries - scan.converted, score=-scan.score)


def _scan(
    cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions, highest: Floats, steps: StepTests | None = None
) -> Scan:
    """Scan every series for a lower rate; highest: (series,) the largest share that counts as changed by enough."""
    lengths = window_lengths(cohorts.entries.shape[1])
    entries, converted = sums_ending_last(cohorts.entries, lengths), sums_ending_last(cohorts.converted, lengths)
    rate, strength = baseline.rate[:, None], baseline.strength[:, None]
    score = sigma_score(converted, entries, rate, strength)
    enough = entries >= options.min_sample_size
    changed = converted / np.maximum(entries, 1) <= highest[:, None]
    qualifies = enough & changed & (score <= -options.sigma_threshold)
    p_values = np.ones(entries.shape)
    rows, columns = np.nonzero(qualifies)
    raw = beta_binomial_mid_p(converted[qualifies], entries[qualifies], baseline.rate[rows], baseline.strength[rows])
    if steps is not None and len(rows):
        raw = _combined_with_steps(raw, rows, lengths[columns], steps)
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


def _combined_with_steps(raw: Floats, rows: Integers, lengths: Integers, steps: StepTests) -> Floats:
    """Return the smallest p-value of the whole and the steps of each window, times the number of tests, (windows,)."""
    wanted, places = np.unique(rows, return_inverse=True)
    p_values = [raw]
    for step in steps(wanted):
        reached, went_on = (
            sums_ending_last(counts, lengths) for counts in (step.cohorts.entries, step.cohorts.converted)
        )
        every = np.arange(len(rows))
        rate = step.baseline.rate[places] * (1 - step.allowance)
        strength = step.baseline.strength[places]
        p_values.append(beta_binomial_mid_p(went_on[places, every], reached[places, every], rate, strength))
    return np.asarray(np.min(p_values, axis=0) * len(p_values))


def error_shares(windows: int) -> Floats:
    """Return the share of the error probability that each window may spend, the longest first, (windows,)."""
    shorter = (1 - _LONGEST_SHARE) * 0.5 ** np.arange(1, windows)
    return np.concatenate([[_LONGEST_SHARE], shorter])


def significant(p_values: Floats, tested: Mask, significance: float) -> tuple[Floats, Integers]:
    """Return the p-values adjusted over the tested series, (series,), and the indices of the significant ones."""
    adjusted = np.ones(len(p_values))
    adjusted[tested] = benjamini_hochberg(p_values[tested])
    return adjusted, np.flatnonzero(adjusted <= significance)


def sums_ending_last(values: Floats, lengths: Integers) -> Floats:
    """Sum the last `length` buckets, for each of `lengths`, (series, lengths)."""
    running = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return np.asarray(running[:, -1:] - running[:, values.shape[1] - lengths])
