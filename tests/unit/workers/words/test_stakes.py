"""The stakes of an outage, as figures and in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detection.types import Estimate, Finding, Metric, Subject
from tests.finding_details import DROP, STAKES
from workers.words.stakes import EndpointStakes, FunnelStakes, stakes_of, worst_stakes


def drop(revenue: Estimate | None = None, currency: str | None = None, affected: float = 40.0) -> Finding:
    affected_an_hour = Estimate(affected, 28.0, 52.0)
    stakes = replace(STAKES, affected_an_hour=affected_an_hour, revenue_a_day=revenue, currency=currency)
    return Finding(
        "test", Metric.CONVERSION_RATE, Subject("funnel", "Signup", funnel_id=1), 0.2, 0.3, 0.28, 0.32, 400, -6.0,
        1e-9, 0.0, 600.0, 0.0, replace(DROP, stakes=stakes),
    )  # fmt: skip


def called(metric: Metric, observed: float) -> Finding:
    subject = Subject("endpoint", "POST /checkout", service="shop", endpoint="POST /checkout")
    return Finding("test", metric, subject, observed, 0.01, 0.0, 0.02, 120, 6.0, 1e-9, 0.0, 30.0, 0.0)


@pytest.mark.parametrize(
    ("revenue", "currency", "text"),
    [
        (None, None, "about 40 of 120 users an hour (28 to 52)"),
        (
            Estimate(1937.0, 1310.0, 2549.0),
            "EUR",
            "about 40 of 120 users an hour (28 to 52); €1,900 a day (€1,300 to €2,500)",
        ),
        (
            Estimate(3.42, -1.0, 9.96),
            "CHF",
            "about 40 of 120 users an hour (28 to 52); CHF 3.4 a day (CHF 0 to CHF 10)",
        ),
    ],
)
def test_users_and_money_are_written_with_their_bounds(
    revenue: Estimate | None, currency: str | None, text: str
) -> None:
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
    assert stakes_of(replace(drop(), details=None)) is None
    assert worst_stakes([]) is None


def test_the_worst_stakes_are_those_of_the_costliest_funnel_and_users_come_before_requests() -> None:
    cheap, dear = drop(affected=10.0), drop(affected=90.0)
    worst = worst_stakes([called(Metric.ERROR_RATE, 0.9), cheap, dear])
    assert isinstance(worst, FunnelStakes)
    assert worst.affected_an_hour.value == 90.0
    paid = drop(Estimate(5.0, 1.0, 9.0), "EUR", affected=10.0)
    assert worst_stakes([dear, paid]) == stakes_of(paid)
