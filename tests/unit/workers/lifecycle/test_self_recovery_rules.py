from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detection.metrics.forecasts import FORECAST_DETECTOR
from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, Metric, Subject
from integrations.charts import Point
from tests.finding_details import DROP
from workers.lifecycle.self_recovery import FORECAST_QUIET_SECONDS, QUIET_SECONDS, quiet_seconds
from workers.watching.last_abnormal import last_beyond_halfway
from workers.words.measures import measure, measure_without_fix

SLOW = Finding(
    detector="endpoint_latency", metric=Metric.LATENCY_P95,
    subject=Subject("endpoint", "POST /pay", service="shop", endpoint="POST /pay"),
    observed=900.0, expected=100.0, expected_low=80.0, expected_high=130.0, sample_size=200, score=9.0, p_value=1e-9,
    window_start=0.0, window_end=30.0, onset_at=0.0,
)  # fmt: skip
USUAL_AGAIN = Recovery(
    state=RecoveryState.RECOVERED, metric=Metric.LATENCY_P95, before=100.0, during=500.0, after=140.0,
    recovered_share=0.9, sample_size=40, normal_low=80.0, normal_high=130.0,
)  # fmt: skip


def funnel(**details: Any) -> Finding:
    return replace(SLOW, metric=Metric.CONVERSION_RATE, details=replace(DROP, **details))


def test_an_endpoint_must_be_unseen_for_ten_minutes_and_a_forecast_for_half_an_hour() -> None:
    assert quiet_seconds(SLOW) == QUIET_SECONDS == 600
    assert quiet_seconds(replace(SLOW, metric=Metric.CUSTOM, detector=FORECAST_DETECTOR)) == FORECAST_QUIET_SECONDS


def test_a_funnel_also_waits_for_its_entries_to_convert_and_a_drift_for_whole_hours() -> None:
    assert quiet_seconds(funnel(horizon_seconds=900.0, bucket_seconds=10.0)) == 1500
    assert quiet_seconds(funnel(horizon_seconds=900.0, bucket_seconds=3600.0)) == 900 + 3 * 3600


@pytest.mark.parametrize(("usual", "worst"), [(100.0, 900.0), (900.0, 100.0)])
def test_a_minute_halfway_to_the_worst_value_is_abnormal_in_both_directions(usual: float, worst: float) -> None:
    halfway, near = (usual + worst) / 2, usual + (worst - usual) / 4
    values = [usual, halfway, worst, worst, near, None]
    points = [Point(20.0 * place, value) for place, value in enumerate(values)]
    assert last_beyond_halfway(points, usual=usual, worst=worst) == 60.0
    assert last_beyond_halfway(points[2:], usual=usual, worst=worst) is None
    assert last_beyond_halfway(points, usual=usual, worst=usual) is None


def test_a_recovery_without_a_fix_shows_the_worst_value() -> None:
    said = measure_without_fix(SLOW, USUAL_AGAIN)
    assert said["text"] == "POST /pay p95 latency: 100 ms before, 900 ms at its worst, 140 ms now."
    assert (said["during"], said["recovered_share"]) == (900.0, 0.95)
    assert measure(SLOW, USUAL_AGAIN)["text"].endswith("500 ms during, 140 ms now (back to usual).")
