"""Is a conversion rate broken: nested recent windows of ripe entries against the baseline of this hour of the week."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detection.baselines import Mask, RateBaseline
from detection.cohorts import Cohorts
from detection.options import FunnelOptions
from detection.proportions import benjamini_hochberg, beta_binomial_mid_p, sigma_score
from detection.types import Floats, Integers

_HALVINGS = 5
_LONGEST_SHARE = 0.8


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


def scan_for_drops(cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions) -> Scan:
    """Test every series for a lower rate, over windows that all end with the last bucket of `cohorts`.

    A window counts with min_sample_size entries, min_drop_percent below the baseline and sigma_threshold deviations.
    The p-value is the beta-binomial mid-p, weighted for the scan: the longest window has four fifths of the error to
    spend, each shorter one half of what is left (weighted Bonferroni; Genovese, Roeder and Wasserman 2006). Short
    windows begin anew so much more often, and a sudden break is plain enough to pay that price.
    """
    return _scan(cohorts, baseline, options, baseline.rate * (1 - options.min_drop_percent / 100))


def scan_for_rises(cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions) -> Scan:
    """Test every series for a higher rate: the same scan over those who did not convert, seen in the mirror."""
    failures = Cohorts(cohorts.bucket_starts, cohorts.entries, cohorts.entries - cohorts.converted)
    mirrored = replace(baseline, rate=1 - baseline.rate, low=1 - baseline.high, high=1 - baseline.low)
    highest = 1 - baseline.rate * (1 + options.min_drop_percent / 100)
    scan = _scan(failures, mirrored, options, highest)
    return replace(scan, converted=scan.entries - scan.converted, score=-scan.score)


def _scan(cohorts: Cohorts, baseline: RateBaseline, options: FunnelOptions, highest: Floats) -> Scan:
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
    p_values[rows, columns] = np.minimum(raw / _error_shares(len(lengths))[columns], 1.0)
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


def _error_shares(windows: int) -> Floats:
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
