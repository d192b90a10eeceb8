"""Test whether a finding about log lines has recovered, on the lines since the fix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr, pdtrc

from detection.logs.findings import LogOptions, window_end
from detection.recovery import Recovery, RecoveryState, regained_share
from detection.types import Finding, Integers

FEWEST_BUCKETS = 2
LATEST_BUCKETS = 5
"""Only the last buckets are tested, so that lines just after the fix do not count for ever."""

_CHANCE = 0.01
_CHANCE_OF_SILENCE = 0.05
"""The p-value for the absence of lines. It is larger because rare lines need a long silence to be significant, and a
verification does not wait that long."""

_QUIET_SHARE = 0.1
"""Where hardly any lines are normal, up to this share of the lines during the incident counts as recovered."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """Lines in each whole bucket since the fix, oldest first, (n,): of the finding, and of the rest of its service.

    broken and others_broken: the mean number of each per bucket during the incident.
    """

    lines: Integers
    others: Integers
    broken: float
    others_broken: float


def whole_buckets(since: float, now: float, options: LogOptions) -> tuple[float, float]:
    """Return the (begin, end) of the whole buckets after `since` whose lines have all arrived by `now`."""
    first = float(np.ceil(since / options.bucket_seconds) * options.bucket_seconds)
    return first, max(window_end(now, options), first)


def log_recovery(finding: Finding, minutes: Minutes, options: LogOptions) -> Recovery:
    """Test the lines since the fix was live.

    Recovered: the rate is at most the usual one, or at most a tenth of the rate during the incident, and so few lines
    would be significant had nothing changed. If the service normally logs other lines too, those must have come as
    well: a service that logs nothing at all proves nothing.
    """
    # Prefer the measured rate: the finding's window may begin before the onset, which dilutes its rate.
    during = minutes.broken * 60 / options.bucket_seconds or finding.observed
    needed = _significant_empty_buckets(during * options.bucket_seconds / 60)
    buckets = min(len(minutes.lines), max(LATEST_BUCKETS, needed))
    latest = int(minutes.lines[-buckets:].sum()) if buckets else 0
    length = buckets * options.bucket_seconds / 60
    rate = latest / length if buckets else None
    usual = max(finding.expected_high, finding.expected * options.minimum_ratio, during * _QUIET_SHARE)
    state = RecoveryState.INSUFFICIENT_DATA
    if buckets >= FEWEST_BUCKETS and rate is not None:
        if rate > usual and latest > 0 and pdtrc(latest - 1, max(usual * length, 1e-9)) < _CHANCE:
            state = RecoveryState.STILL_BROKEN
        elif rate <= usual and pdtr(latest, during * length) <= _CHANCE_OF_SILENCE and _still_logs(minutes, buckets):
            state = RecoveryState.RECOVERED
    before = finding.expected
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=during,
        after=rate,
        recovered_share=regained_share(before, during, rate) if during > before else 0.0,
        sample_size=latest,
        normal_low=finding.expected_low,
        normal_high=finding.expected_high,
    )


def _significant_empty_buckets(lines_per_bucket: float) -> int:
    """Return how many empty buckets in a row are significant at this rate."""
    if lines_per_bucket <= 0:
        return LATEST_BUCKETS
    return int(np.ceil(-np.log(_CHANCE_OF_SILENCE) / max(lines_per_bucket, 1e-9)))


def _still_logs(minutes: Minutes, buckets: int) -> bool:
    """Whether the service still logs other lines, or its silence is too short to be significant."""
    seen = np.flatnonzero(minutes.others)
    silent = len(minutes.others) - (int(seen[-1]) + 1 if len(seen) else 0)
    return bool(silent < buckets or np.exp(-minutes.others_broken * silent) > _CHANCE)
