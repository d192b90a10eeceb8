"""The details of a finding in its row: JSON of rows that are there already is read, and written the same again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.funnels.drift_findings import DOWN, UP
from detection.metrics.forecasts import FORECAST_DETECTOR
from detection.types import (
    AlertDetails,
    Attribution,
    EndpointDetails,
    Estimate,
    ForecastDetails,
    FunnelDriftDetails,
    FunnelDropDetails,
    FunnelRiseDetails,
    LevelDetails,
    LogDetails,
    Metric,
    Place,
    RiseReading,
    SegmentLoss,
    Severity,
    StepRates,
    TrafficDetails,
    WhereVerdict,
)
from storage.finding_details import attribution_to_json, details_of, details_to_json
from storage.models import FindingRecord

STAKES = """{
    "since": 1770465000.0, "until": 1770465600.0, "entries": 120,
    "affected_users": {"value": 12.0, "low": 8.0, "high": 16.0},
    "entries_an_hour": {"value": 720.0, "low": 600.0, "high": 850.0},
    "affected_an_hour": {"value": 72.0, "low": -1.5, "high": 96.0},
    "conversions_a_day": {"value": 1700.0, "low": 1200.0, "high": 2300.0},
    "revenue_a_day": {"value": 85000.0, "low": 60000.0, "high": 115000.0}, "currency": "EUR"
}"""
ATTRIBUTION = """{
    "verdict": "places", "observed": 0.3, "expected": 0.38, "rate_effect": -0.075, "mix_effect": -0.005,
    "places": [{"where": [["country", "DE"], ["provider", "paypal"]], "entries": 100.0, "converted": 10.0,
                "expected": 40.0, "share_of_loss": 0.9}],
    "shifts": [{"dimension": "country", "value": "IN", "share": 0.5, "usual_share": 0.1, "rate": null, "effect": -0.1}],
    "dimensions": ["country", "provider"],
    "possible": [{"where": [["country", "DE"]], "entries": 300.0, "converted": 60.0, "expected": 90.0,
                  "share_of_loss": 0.6}]
}"""
WINDOW = """
    "onset_low": 1770464990.0, "onset_high": 1770465030.0, "bucket_seconds": 10.0, "horizon_seconds": 42.5,
    "entries": 400, "converted": 80, "drop_percent": 50.0, "window_minutes": 9.5,
    "steps": [{"name": "view", "recent_reached": 400, "baseline_reached": 40000, "recent_rate": 1.0,
               "baseline_rate": 1.0},
              {"name": "paid", "recent_reached": 80, "baseline_reached": 16000, "recent_rate": 0.2,
               "baseline_rate": 0.4}],
    "baseline_entries": 40000, "baseline_converted": 16000, "baseline_hours": 167, "median_seconds_to_convert": 11.4"""
SEGMENT = """{"dimension": "device", "value": "ios", "share_of_drop": 0.93, "recent_rate": 0.05, "baseline_rate": 0.4,
    "entries": 130}"""
DROP = f'{{{WINDOW}, "step": "paid", "where": [{SEGMENT}], "stakes": {STAKES}, "attribution": {ATTRIBUTION}}}'
DROP_ALONE = f'{{{WINDOW}, "step": null, "where": []}}'
RISE = f'{{{WINDOW}, "step": null, "where": [], "reading": "entries_missing", "usual_entries": 812.5}}'
DRIFT = f"""{{"horizon_seconds": 42.5, "bucket_seconds": 3600.0, "entries": 4000, "converted": 1400,
    "drop_percent": 12.5, "hours": 40, "where": [{SEGMENT}], "stakes": {STAKES}}}"""
DRIFT_UP = """{"horizon_seconds": 42.5, "bucket_seconds": 3600.0, "entries": 4000, "converted": 1800,
    "drop_percent": -12.5, "hours": 9, "where": [], "reading": "better", "usual_entries": 4100.0}"""
ENDPOINT = """{"onset_low": 1770464990.0, "onset_high": 1770465010.0, "bucket_seconds": 10.0, "strikes": 3,
    "request_count": 250, "p50_ms": 600.0, "p95_ms": 900.0, "p99_ms": 1200.0, "slow_share": 0.96,
    "queries_per_request": 4.0, "error_rate": 0.01, "baseline_requests": 50000, "baseline_p50_ms": 60.0,
    "baseline_p95_ms": 100.0, "baseline_p99_ms": 140.0, "baseline_queries_per_request": 4.0,
    "baseline_error_rate": 0.01}"""
TRAFFIC = """{"onset_low": 1770464990.0, "onset_high": 1770465010.0, "bucket_seconds": 20.0, "strikes": 3,
    "request_count": 0, "minutes_before_per_minute": null}"""
LEVEL = """{"metric": "queue.depth", "attributes": "queue=mail", "is_rate": false, "onset_low": 1770464990.0,
    "onset_high": 1770465010.0, "points": 900, "step_seconds": 300.0, "mean_reach": 4.5, "stands_still": false}"""
FORECAST = """{"metric": "system.filesystem.utilization", "attributes": "device=sda1", "is_rate": false, "limit": 1.0,
    "above": true, "horizon_seconds": null, "crossing_at": 1770476400.0, "crossing_earliest": 1770472800.0,
    "crossing_latest": null, "probability": 0.92, "slope_per_hour": 0.02}"""
TEMPLATE = """{"onset_low": 1770464990.0, "onset_high": 1770465010.0, "bucket_seconds": 10.0,
    "text": "Charge for <*> failed", "sample": "Charge for 12 failed", "severity": "error", "window_minutes": 10.0,
    "line_count": 12, "baseline_lines": 0, "baseline_hours": 168.0, "past_incident_lines": 3}"""
PATTERN = f'{TEMPLATE[:-1]}, "pattern_severity": "sev2"}}'
ALERT = """{"source": "alertmanager", "severity": "sev3", "summary": "5 % fail", "url": "https://mon.example/1",
    "values": {"error_rate": 0.05}, "together": "group-7", "onset_low": 1770464700.0, "onset_high": 1770465000.0}"""
ALERT_ALONE = """{"source": "grafana", "severity": null, "summary": "", "url": "", "values": {}, "together": null,
    "onset_low": 1770464700.0, "onset_high": 1770465000.0}"""

ROWS = [
    ("funnel_conversion", Metric.CONVERSION_RATE, "funnel", DROP, FunnelDropDetails),
    ("funnel_conversion", Metric.CONVERSION_RATE, "funnel", DROP_ALONE, FunnelDropDetails),
    ("funnel_conversion_rise", Metric.CONVERSION_RATE, "funnel_rise", RISE, FunnelRiseDetails),
    ("funnel_conversion_drift", Metric.CONVERSION_RATE, "funnel_drift", DRIFT, FunnelDriftDetails),
    ("funnel_conversion_drift", Metric.CONVERSION_RATE, "funnel_drift_up", DRIFT_UP, FunnelDriftDetails),
    ("endpoint_latency", Metric.LATENCY_P95, "endpoint", ENDPOINT, EndpointDetails),
    ("endpoint_queries", Metric.QUERY_COUNT, "endpoint", ENDPOINT, EndpointDetails),
    ("endpoint_errors", Metric.ERROR_RATE, "endpoint", ENDPOINT, EndpointDetails),
    ("endpoint_traffic", Metric.REQUEST_RATE, "endpoint", TRAFFIC, TrafficDetails),
    ("metric_level", Metric.CUSTOM, "metric", LEVEL, LevelDetails),
    ("metric_forecast", Metric.CUSTOM, "metric", FORECAST, ForecastDetails),
    ("log_new_template", Metric.LOG_RATE, "log_template", TEMPLATE, LogDetails),
    ("log_template_rate", Metric.LOG_RATE, "log_template", TEMPLATE, LogDetails),
    ("log_pattern", Metric.LOG_RATE, "log_pattern", PATTERN, LogDetails),
    ("alert", Metric.ALERT, "alert", ALERT, AlertDetails),
    ("alert", Metric.ALERT, "alert", ALERT_ALONE, AlertDetails),
]


def row(details: dict[str, Any], detector: str, metric: Metric, kind: str) -> FindingRecord:
    return FindingRecord(
        detector=detector, metric=metric.value, subject={"kind": kind, "name": "something"}, details=details
    )


@pytest.mark.parametrize(("detector", "metric", "kind", "stored", "details_type"), ROWS)
def test_a_stored_row_of_every_kind_is_read_as_its_type_and_written_the_same_again(
    detector: str, metric: Metric, kind: str, stored: str, details_type: type
) -> None:
    details = details_of(row(json.loads(stored), detector, metric, kind))
    assert type(details) is details_type
    assert json.loads(json.dumps(details_to_json(details))) == json.loads(stored)


@pytest.mark.parametrize(("detector", "metric", "kind", "stored", "details_type"), ROWS)
def test_unknown_keys_of_a_row_are_ignored(
    detector: str, metric: Metric, kind: str, stored: str, details_type: type
) -> None:
    known = json.loads(stored)
    details = details_of(row({**known, "of_another_version": {"a": [1]}}, detector, metric, kind))
    assert details == details_of(row(known, detector, metric, kind))


def test_the_names_that_choose_a_type_are_those_that_the_detectors_write() -> None:
    assert (FORECAST_DETECTOR, DOWN, UP) == ("metric_forecast", "funnel_drift", "funnel_drift_up")


def test_nested_values_are_read_as_their_types() -> None:
    drop = details_of(row(json.loads(DROP), "funnel_conversion", Metric.CONVERSION_RATE, "funnel"))
    assert isinstance(drop, FunnelDropDetails)
    assert drop.steps[1] == StepRates(
        name="paid", recent_reached=80, baseline_reached=16_000, recent_rate=0.2, baseline_rate=0.4
    )
    assert drop.where == (
        SegmentLoss(
            dimension="device", value="ios", share_of_drop=0.93, recent_rate=0.05, baseline_rate=0.4, entries=130
        ),
    )
    assert drop.stakes is not None
    assert drop.stakes.affected_an_hour == Estimate(72.0, -1.5, 96.0)
    assert drop.attribution is not None
    assert drop.attribution.verdict is WhereVerdict.PLACES
    assert drop.attribution.places == (Place((("country", "DE"), ("provider", "paypal")), 100.0, 10.0, 40.0, 0.9),)
    rise = details_of(row(json.loads(RISE), "funnel_conversion_rise", Metric.CONVERSION_RATE, "funnel_rise"))
    assert isinstance(rise, FunnelRiseDetails)
    assert rise.reading is RiseReading.ENTRIES_MISSING
    pattern = details_of(row(json.loads(PATTERN), "log_pattern", Metric.LOG_RATE, "log_pattern"))
    assert isinstance(pattern, LogDetails)
    assert pattern.pattern_severity is Severity.SEV2


def test_a_finding_without_details_has_an_empty_object() -> None:
    assert details_to_json(None) == {}
    assert details_of(row({}, "endpoint_latency", Metric.LATENCY_P95, "endpoint")) is None


def test_a_row_whose_details_do_not_fit_its_kind_is_a_finding_without_details() -> None:
    for damaged in ({"strikes": 3}, {**json.loads(ENDPOINT), "p95_ms": "slow"}):
        assert details_of(row(damaged, "endpoint_latency", Metric.LATENCY_P95, "endpoint")) is None


def test_an_attribution_is_written_as_it_is_within_a_finding() -> None:
    drop = details_of(row(json.loads(DROP), "funnel_conversion", Metric.CONVERSION_RATE, "funnel"))
    assert isinstance(drop, FunnelDropDetails)
    assert isinstance(drop.attribution, Attribution)
    assert attribution_to_json(drop.attribution) == {"attribution": json.loads(ATTRIBUTION)}
