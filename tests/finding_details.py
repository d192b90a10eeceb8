"""Details of findings for tests that build findings by hand; `dataclasses.replace` sets what a test is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from detection.types import (
    AlertDetails,
    EndpointDetails,
    Estimate,
    Finding,
    FindingDetails,
    ForecastDetails,
    FunnelDriftDetails,
    FunnelDropDetails,
    FunnelRiseDetails,
    LevelDetails,
    LogDetails,
    LossStakes,
    TrafficDetails,
)

_Details = TypeVar("_Details", bound=FindingDetails)


def details_as(kind: type[_Details], finding: Finding) -> _Details:
    """The finding's details, which are of this kind."""
    assert isinstance(finding.details, kind)
    return finding.details


def _changed(kind: Callable[..., _Details], converted: int, drop_percent: float) -> _Details:
    return kind(
        onset_low=0.0,
        onset_high=0.0,
        bucket_seconds=10.0,
        horizon_seconds=30.0,
        entries=400,
        converted=converted,
        drop_percent=drop_percent,
        window_minutes=10.0,
        step=None,
        steps=(),
        baseline_entries=40_000,
        baseline_converted=16_000,
        baseline_hours=168,
        median_seconds_to_convert=20.0,
        where=(),
    )


DROP = _changed(FunnelDropDetails, converted=80, drop_percent=50.0)
RISE = _changed(FunnelRiseDetails, converted=200, drop_percent=-25.0)
DRIFT = FunnelDriftDetails(
    horizon_seconds=30.0,
    bucket_seconds=3600.0,
    entries=4000,
    converted=1400,
    drop_percent=12.5,
    hours=40,
    where=(),
)
STAKES = LossStakes(
    since=0.0,
    until=600.0,
    entries=120,
    affected_users=Estimate(12.0, 8.0, 16.0),
    entries_an_hour=Estimate(120.0, 110.0, 130.0),
    affected_an_hour=Estimate(40.0, 28.0, 52.0),
    conversions_a_day=Estimate(960.0, 700.0, 1200.0),
    revenue_a_day=None,
    currency=None,
)
ENDPOINT = EndpointDetails(
    onset_low=0.0,
    onset_high=0.0,
    bucket_seconds=10.0,
    strikes=3,
    request_count=250,
    p50_ms=600.0,
    p95_ms=900.0,
    p99_ms=1200.0,
    slow_share=0.9,
    queries_per_request=4.0,
    error_rate=0.0,
    baseline_requests=50_000,
    baseline_p50_ms=60.0,
    baseline_p95_ms=100.0,
    baseline_p99_ms=140.0,
    baseline_queries_per_request=4.0,
    baseline_error_rate=0.0,
)
TRAFFIC = TrafficDetails(
    onset_low=0.0,
    onset_high=0.0,
    bucket_seconds=10.0,
    strikes=3,
    request_count=0,
    minutes_before_per_minute=None,
)
LEVEL = LevelDetails(metric="queue.depth", attributes="", is_rate=False, onset_low=0.0, onset_high=0.0, points=900)
FORECAST = ForecastDetails(
    metric="queue.depth",
    attributes="",
    is_rate=False,
    limit=500.0,
    above=True,
    horizon_seconds=None,
    crossing_at=None,
    crossing_earliest=None,
    crossing_latest=None,
    probability=0.92,
    slope_per_hour=5.0,
)
LOG = LogDetails(
    onset_low=0.0,
    onset_high=0.0,
    bucket_seconds=10.0,
    text="Charge for <*> failed",
    sample="Charge for 12 failed",
    severity="error",
    window_minutes=10.0,
    line_count=12,
    baseline_lines=0,
    baseline_hours=168.0,
    past_incident_lines=0,
)
ALERT = AlertDetails(
    source="alertmanager",
    severity=None,
    summary="",
    url="",
    values={},
    together=None,
    onset_low=0.0,
    onset_high=0.0,
)
