"""The stakes of an outage, as figures and in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detection.types import Finding, JsonValue, Metric, Subject
from workers.words.stakes import EndpointStakes, FunnelStakes, stakes_of, worst_stakes


def estimate(value: float, low: float, high: float) -> JsonValue:
    return {"value": value, "low": low, "high": high}


def drop(revenue: JsonValue = None, currency: str | None = None, affected: float = 40.0) -> Finding:
    stakes: JsonValue = {
        "affected_users": estimate(12.0, 8.0, 16.0),
        "entries_an_hour": estimate(120.0, 110.0, 130.0),
        "affected_an_hour": estimate(affected, 28.0, 52.0),
        "conversions_a_day": estimate(960.0, 700.0, 1200.0),
        "revenue_a_day": revenue,
        "currency": currency,
    }
    return Finding(
        "test", Metric.CONVERSION_RATE, Subject("funnel", "Signup", funnel_id=1), 0.2, 0.3, 0.28, 0.32, 400, -6.0,
        1e-9, 0.0, 600.0, 0.0, {"stakes": stakes},
    )  # fmt: skip


def called(metric: Metric, observed: float) -> Finding:
    subject = Subject("endpoint", "POST /checkout", service="shop", endpoint="POST /checkout")
    return Finding("test", metric, subject, observed, 0.01, 0.0, 0.02, 120, 6.0, 1e-9, 0.0, 30.0, 0.0)


@pytest.mark.parametrize(
    ("revenue", "currency", "text"),
    [
        (None, None, "about 40 of 120 users an hour (28 to 52)"),
        (
            estimate(1937.0, 1310.0, 2549.0),
            "EUR",
            "about 40 of 120 users an hour (28 to 52); €1,900 a day (€1,300 to €2,500)",
        ),
        (
            estimate(3.42, -1.0, 9.96),
            "CHF",
            "about 40 of 120 users an hour (28 to 52); CHF 3.4 a day (CHF 0 to CHF 10)",
        ),
    ],
)
def test_users_and_money_are_written_with_their_bounds(revenue: JsonValue, currency: str | None, text: str) -> None:
    stakes = stakes_of(drop(revenue, currency))
    assert isinstance(stakes, FunnelStakes)
    assert stakes.text == text


def test_the_stakes_of_an_endpoint_are_requests_and_failures_with_bounds() -> None:
    failing = stakes_of(called(Metric.ERROR_RATE, 0.05))
    assert isinstance(failing, EndpointStakes)
    assert failing.text == "about 12 of 240 requests a minute fail (5.5 to 25)"
    slow = stakes_of(called(Metric.LATENCY_P95, 900.0))
    assert slow is not None
    assert slow.text == "about 240 requests a minute"


def test_there_are_no_stakes_without_the_data_for_them() -> None:
    assert stakes_of(called(Metric.REQUEST_RATE, 0.0)) is None
    assert stakes_of(replace(called(Metric.LATENCY_P95, 900.0), window_end=0.0)) is None
    assert stakes_of(replace(drop(), details={})) is None
    assert worst_stakes([]) is None


def test_the_worst_stakes_are_those_of_the_costliest_funnel_and_users_come_before_requests() -> None:
    cheap, dear = drop(affected=10.0), drop(affected=90.0)
    worst = worst_stakes([called(Metric.ERROR_RATE, 0.9), cheap, dear])
    assert isinstance(worst, FunnelStakes)
    assert worst.affected_an_hour.value == 90.0
    paid = drop(estimate(5.0, 1.0, 9.0), "EUR", affected=10.0)
    assert worst_stakes([dear, paid]) == stakes_of(paid)
