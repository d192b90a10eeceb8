"""Test whether data still arrives: without data, nobody can tell a healthy sender from a dead one."""

from __future__ import annotations

from detection.types import Floats, Integers

_BUFFERING_SECONDS = 120.0
"""Gaps up to this length are normal: a sender may buffer for a minute."""

_MISSING_ARRIVALS = 5.0
"""The largest expected count in a gap: with random arrivals a longer gap happens once in 150 times."""


def is_heard(starts: Floats, counts: Integers, *, since: float, now: float, bucket_seconds: float) -> bool:
    """Whether data that arrived since `since` still arrives.

    starts, counts: (n,) buckets, seconds and arrivals. False if nothing arrived at all, or if the gap since the last
    arrival is longer than a sender may buffer and more than five arrivals are missing at the previous rate.
    """
    has_data = (starts >= since) & (counts > 0)
    if not has_data.any():
        return False
    first, last = float(starts[has_data].min()), float(starts[has_data].max()) + bucket_seconds
    rate = float(counts[has_data].sum()) / (last - first)
    gap = now - last
    return gap <= _BUFFERING_SECONDS or gap * rate <= _MISSING_ARRIVALS
