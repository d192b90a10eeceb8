"""Is it quiet again: a finding about log lines, tested again on the lines since the fix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr, pdtrc

from detection.logs.findings import LogOptions, window_end
from detection.recovery import Recovery, RecoveryState, regained_share
from detection.types import Finding, Integers

FEWEST_BUCKETS = 2
LATEST_BUCKETS = 5
"""Whether it is quiet is asked of the last buckets, so that a slow start after the fix does not count for ever."""

_CHANCE = 0.01
_CHANCE_OF_SILENCE = 0.05
"""Lines that came seldom are missed only after a while: it must not outlast the patience of a verification."""

_QUIET_SHARE = 0.1
"""At most this share of the lines that came while it was broken is quiet, where next to none is usual."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """Lines in each whole bucket since the fix, oldest first (n,): of what was found, and of the rest of its service.

    broken and others_broken: how many of each came in a bucket while it was broken, on average.
    """

    lines: Integers
    others: Integers
    broken: float
    others_broken: float


def whole_buckets(since: float, now: float, options: LogOptions) -> tuple[float, float]:
    """From and until when there are whole buckets since a moment that all lines have had time to reach."""
    first = float(np.ceil(since / options.bucket_seconds) * options.bucket_seconds)
    return first, max(window_end(now, options), first)


def log_recovery(finding: Finding, minutes: Minutes, options: LogOptions) -> Recovery:
    """Test the lines that came since the fix was live.

    Recovered: no more come than is usual, or a tenth of what came while it was broken, and that many would have been
    seen had nothing changed. Silence of a service that says other things too proves nothing while it is silent about
    them as well.
    """
    # The finding's own window reaches back before the onset.
    during = minutes.broken * 60 / options.bucket_seconds or finding.observed
    buckets = min(len(minutes.lines), max(LATEST_BUCKETS, _to_be_missed(during * options.bucket_seconds / 60)))
    latest = int(minutes.lines[-buckets:].sum()) if buckets else 0
    length = buckets * options.bucket_seconds / 60
    rate = latest / length if buckets else None
    usual = max(finding.expected_high, finding.expected * options.minimum_ratio, during * _QUIET_SHARE)
    state = RecoveryState.INSUFFICIENT_DATA
    if buckets >= FEWEST_BUCKETS and rate is not None:
        if rate > usual and latest > 0 and pdtrc(latest - 1, max(usual * length, 1e-9)) < _CHANCE:
            state = RecoveryState.STILL_BROKEN
        elif rate <= usual and pdtr(latest, during * length) <= _CHANCE_OF_SILENCE and _is_heard(minutes, buckets):
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


def _to_be_missed(a_bucket: float) -> int:
    """In how many buckets without a line so many a bucket would be missed."""
    return int(np.ceil(-np.log(_CHANCE_OF_SILENCE) / max(a_bucket, 1e-9))) if a_bucket > 0 else LATEST_BUCKETS


def _is_heard(minutes: Minutes, buckets: int) -> bool:
    """Whether other lines came, where they should have: so long a silence would be no chance."""
    heard = np.flatnonzero(minutes.others)
    silent = len(minutes.others) - (int(heard[-1]) + 1 if len(heard) else 0)
    return bool(silent < buckets or np.exp(-minutes.others_broken * silent) > _CHANCE)
