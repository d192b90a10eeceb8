"""Time buckets: their two sizes, their retention, and the bucket that a record belongs to."""

from __future__ import annotations

import numpy as np

from detection.types import Floats
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, FINE_FUNNEL_SECONDS

assert FINE_FUNNEL_SECONDS == FINE_ENDPOINT_SECONDS
RETENTION_SECONDS = {FINE_ENDPOINT_SECONDS: 3 * 3600.0, COARSE_SECONDS: 35 * 86_400.0}
"""How long buckets of each size are kept, in seconds."""


def oldest_kept(bucket_seconds: int, now: float) -> float:
    """Return the oldest bucket start that is kept; earlier buckets are neither kept nor written."""
    return float(np.floor((now - RETENTION_SECONDS[bucket_seconds]) / bucket_seconds) * bucket_seconds)


def starts(moments: Floats, bucket_seconds: int) -> Floats:
    """Return the start of each moment's bucket: (n,)."""
    found: Floats = np.floor(moments / bucket_seconds) * bucket_seconds
    return found
