"""Whether something still comes: what has fallen silent may be well or dead, and silence says neither."""

from __future__ import annotations

from detection.types import Floats, Integers

_PATIENCE_SECONDS = 120.0
"""A sender may hold back for a minute what it has to tell."""

_MISSED = 5.0
"""So many missing in a row where they came at random happen once in 150 times."""


def is_heard(starts: Floats, counts: Integers, *, since: float, now: float, bucket_seconds: float) -> bool:
    """Whether what has come since a moment still comes.

    starts, counts: (n,) buckets, seconds and how many came. It does not when nothing came at all, or when at the pace
    at which it came more than a handful is missing by now, and for longer than a sender may hold it back.
    """
    came = (starts >= since) & (counts > 0)
    if not came.any():
        return False
    first, last = float(starts[came].min()), float(starts[came].max()) + bucket_seconds
    pace = float(counts[came].sum()) / (last - first)
    gap = now - last
    return gap <= _PATIENCE_SECONDS or gap * pace <= _MISSED
