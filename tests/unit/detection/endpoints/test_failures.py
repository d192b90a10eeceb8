from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.endpoints.findings import endpoint_findings
from detection.endpoints.recovery import endpoint_recovery
from detection.options import EndpointOptions
from detection.recovery import RecoveryState
from detection.types import EndpointDetails, EndpointSeries, Finding, Floats, Metric
from tests.finding_details import details_as
from tests.unit.detection.conftest import Shop

OPTIONS = EndpointOptions()


def failing(shop: Shop, series: EndpointSeries, share: Floats | float) -> EndpointSeries:
    errors = shop.random.binomial(series.request_count, np.broadcast_to(share, series.request_count.shape))
    return replace(series, error_count=errors)


def past(shop: Shop, share: float = 0.01, requests: float = 3600.0) -> list[EndpointSeries]:
    return [failing(shop, shop.endpoint(shop.hours(until=shop.now - 3600), requests, 30.0), share)]


def lately(shop: Shop, share: float, *, since: float, requests: float = 20.0, usual: float = 0.01) -> EndpointSeries:
    series = shop.endpoint(shop.tens(shop.now - 3600, shop.now), requests, 30.0)
    return failing(shop, series, np.where(series.bucket_starts >= since, share, usual))


def errors_found(shop: Shop, series: EndpointSeries, baseline: list[EndpointSeries]) -> list[Finding]:
    found = endpoint_findings([series], baseline, now=shop.now + 5, options=OPTIONS)
    assert {finding.metric for finding in found} <= {Metric.ERROR_RATE}
    return found


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_failing_requests_are_found_after_three_intervals_with_their_onset(shop: Shop, share: float) -> None:
    (finding,) = errors_found(shop, lately(shop, share, since=shop.now - 30), past(shop))
    assert finding.fingerprint == "error_rate:endpoint:shop:POST /checkout"
    assert finding.observed == pytest.approx(share, abs=0.15)
    assert finding.expected == pytest.approx(0.01, abs=0.003)
    assert finding.expected_low <= finding.expected <= finding.expected_high
    assert abs(finding.onset_at - (shop.now - 30)) <= 10
    assert details_as(EndpointDetails, finding).error_rate == finding.observed


def test_two_failing_intervals_are_not_enough(shop: Shop) -> None:
    assert errors_found(shop, lately(shop, 1.0, since=shop.now - 20), past(shop)) == []


def test_an_error_increase_below_the_minimum_is_no_finding_however_many_requests_there_are(shop: Shop) -> None:
    series = lately(shop, 0.04, since=shop.now - 60, requests=2000.0)
    assert errors_found(shop, series, past(shop)) == []


def test_three_failed_attempts_of_one_user_are_no_finding(shop: Shop) -> None:
    series = lately(shop, 0.0, since=0.0, requests=6.0)
    errors = np.zeros_like(series.error_count)
    errors[-3:] = 1
    assert errors_found(shop, replace(series, error_count=errors), past(shop, 0.0005)) == []


def test_an_endpoint_with_regular_error_bursts_is_no_finding_at_the_next_burst(shop: Shop) -> None:
    series = lately(shop, 0.0, since=0.0)
    minutes = (series.bucket_starts // 60).astype(int)
    spells = failing(shop, series, np.where(minutes % 5 == minutes[-1] % 5, 0.25, 0.01))
    assert errors_found(shop, spells, past(shop, 0.06)) == []


def test_an_error_rate_that_is_usual_at_this_hour_is_no_finding(shop: Shop) -> None:
    hours = shop.hours(until=shop.now - 3600)
    nightly = np.where((hours // 3600) % 24 == 12, 0.3, 0.01)
    baseline = [failing(shop, shop.endpoint(hours, 3600, 30.0), nightly)]
    assert errors_found(shop, lately(shop, 0.3, since=shop.now - 60, usual=0.3), baseline) == []


def test_the_error_rate_has_recovered_only_when_the_errors_are_gone(shop: Shop) -> None:
    baseline = past(shop)
    finding = errors_found(shop, lately(shop, 0.4, since=shop.now - 60), baseline)[0]
    for share, state in ((0.01, RecoveryState.RECOVERED), (0.35, RecoveryState.STILL_BROKEN)):
        starts = shop.tens(shop.now - 60, shop.now + 120)
        broken = failing(shop, shop.endpoint(starts, 200, 30.0), np.where(starts >= shop.now, share, 0.4))
        result = endpoint_recovery(finding, [broken], baseline, since=shop.now, now=shop.now + 125, options=OPTIONS)
        assert (result.metric, result.state) == (Metric.ERROR_RATE, state)
        assert result.after == pytest.approx(share, abs=0.1)
        assert result.during == finding.observed
    few = endpoint_recovery(finding, [broken], baseline, since=shop.now, now=shop.now + 20, options=OPTIONS)
    assert few.state is RecoveryState.INSUFFICIENT_DATA
