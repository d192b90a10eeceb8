"""What a team may set about the detectors; the defaults are those of the settings of the same names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunnelOptions:
    """When a conversion rate counts as broken.

    min_drop_percent is relative to the baseline. significance bounds the p-value after the corrections for the scan
    over window lengths and for the number of segments; it is small because a week holds 60,000 ticks. timezone is an
    IANA name. ingestion_lag_seconds is how long an event may take from its moment to the rollups.
    """

    min_sample_size: int = 100
    min_drop_percent: float = 12.0
    sigma_threshold: float = 2.0
    recent_window_minutes: float = 30.0
    baseline_window_hours: float = 168.0
    timezone: str = "UTC"
    ingestion_lag_seconds: float = 5.0
    significance: float = 1e-4

    @property
    def recent_window_seconds(self) -> float:
        """The longest of the recent windows."""
        return self.recent_window_minutes * 60


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """When an interval of an endpoint is a strike, and how many in a row are a finding.

    anomaly_threshold is in standard deviations. An interval with fewer than minimum_requests neither strikes nor
    clears. A latency strike needs both the ratio and the increase in ms; a query strike both of its own.
    """

    anomaly_threshold: float = 3.0
    consecutive_strikes: int = 3
    interval_seconds: float = 10.0
    baseline_window_hours: float = 168.0
    timezone: str = "UTC"
    ingestion_lag_seconds: float = 5.0
    recent_window_minutes: float = 30.0
    minimum_requests: int = 5
    minimum_baseline_requests: int = 200
    minimum_latency_ratio: float = 1.5
    minimum_latency_increase_ms: float = 50.0
    minimum_query_ratio: float = 2.0
    minimum_query_increase: float = 5.0

    @property
    def recent_window_seconds(self) -> float:
        """How far back an onset is looked for; the baseline ends where it begins."""
        return self.recent_window_minutes * 60
