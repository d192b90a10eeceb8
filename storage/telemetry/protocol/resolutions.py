"""How long the buckets of each kind of signal are, in seconds."""

from __future__ import annotations

FINE_FUNNEL_SECONDS = 10
FINE_ENDPOINT_SECONDS = 10
FINE_METRIC_SECONDS = 60
FINE_CELL_SECONDS = 30
COARSE_SECONDS = 3600
FINE_LOG_SECONDS = 60
LOG_WINDOW_SECONDS = 600
