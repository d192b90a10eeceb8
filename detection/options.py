"""The options of the detectors that a team can set; the defaults equal those of the settings of the same names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FunnelOptions:
    """When a conversion rate counts as broken.

    min_drop_percent: relative to the baseline. significance: bound on the p-value after the corrections for the scan
    over window lengths and for the number of segments; it is small because a week has 60,000 ticks. timezone: an IANA
    name. ingestion_lag_seconds: the longest time an event may take to reach the rollups.
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
        """The length of the longest recent window."""
        return self.recent_window_minutes * 60


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """When an interval of an endpoint is a strike, and how many in a row make a finding.

    anomaly_threshold is in standard deviations. An interval with fewer than minimum_requests neither strikes nor
    clears a run.

    Latency: a strike needs both the ratio and the increase in ms, which is where people begin to notice (Nielsen 1993,
    chapter 5). Queries: a strike needs both the ratio and the increase. Errors: a strike needs both the ratio and the
    increase of the share of failed requests; a run needs minimum_errors.

    Traffic is judged after a week of history, in intervals of at least minimum_expected_requests. It fell if the share
    minimum_traffic_drop of the lowest usual rate is missing; it surged at minimum_surge_ratio times the highest.

    false_alarms_per_day: how often natural fluctuation of an endpoint may be reported as a finding. The fluctuation is
    estimated from the last swing_window_minutes of its fine series.
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
    minimum_latency_increase_ms: float = 100.0
    minimum_query_ratio: float = 2.0
    minimum_query_increase: float = 5.0
    minimum_error_ratio: float = 2.0
    minimum_error_increase: float = 0.05
    minimum_errors: int = 5
    minimum_expected_requests: float = 16.0
    minimum_traffic_drop: float = 0.6
    minimum_surge_ratio: float = 3.0
    false_alarms_per_day: float = 0.01
    swing_window_minutes: float = 60.0

    @property
    def recent_window_seconds(self) -> float:
        """The length of the recent window; the baseline ends where it begins."""
        return self.recent_window_minutes * 60

    @property
    def swing_window_seconds(self) -> float:
        """The length of the fine series from which an endpoint's fluctuation is estimated and onsets are located."""
        return self.swing_window_minutes * 60

    @property
    def chance(self) -> float:
        """The p-value threshold of one interval that corresponds to false_alarms_per_day."""
        return self.false_alarms_per_day * self.interval_seconds / 86_400
