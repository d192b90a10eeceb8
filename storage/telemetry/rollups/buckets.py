"""Time buckets: their two sizes, how long each is kept, and which ones a record counts in."""

from __future__ import annotations

import numpy as np

from detection.types import Floats
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, FINE_FUNNEL_SECONDS

assert FINE_FUNNEL_SECONDS == FINE_ENDPOINT_SECONDS
RETENTION_SECONDS = {FINE_ENDPOINT_SECONDS: 3 * 3600.0, COARSE_SECONDS: 35 * 86_400.0}
"""How long the buckets of each size are kept."""


def oldest_kept(bucket_seconds: int, now: float) -> float:
    """Buckets that start before this are gone, and not written any more."""
    return float(np.floor((now - RETENTION_SECONDS[bucket_seconds]) / bucket_seconds) * bucket_seconds)


def starts(moments: Floats, bucket_seconds: int) -> Floats:
    """Where the bucket of each moment starts: (n,)."""
    found: Floats = np.floor(moments / bucket_seconds) * bucket_seconds
    return found
