from __future__ import annotations

from dataclasses import replace

import numpy as np

from detection.endpoints.findings import endpoint_findings
from detection.endpoints.recovery import endpoint_recovery
from detection.options import EndpointOptions
from detection.recovery import RecoveryState
from detection.types import EndpointSeries, Finding, Floats, Metric
from tests.unit.detection.conftest import Shop

ENDPOINT = EndpointOptions()
BREAK, FIX = 900.0, 300.0
"""Seconds before now at which the shops of these tests break and are fixed."""


def endpoint_story(
    shop: Shop, medians: Floats, queries: Floats, rate: float = 20.0
) -> tuple[list[Finding], list[EndpointSeries]]:
    starts = shop.tens(shop.now - 3600, shop.now)
    series = [shop.endpoint(starts, rate, medians, queries=queries)]
    then = starts < shop.now - FIX
    before = [shop.endpoint(starts[then], 20.0, medians[then], queries=queries[then])]
    found = endpoint_findings(before, endpoint_past(shop), now=shop.now - FIX + 5, options=ENDPOINT)
    return found, series


def endpoint_past(shop: Shop) -> list[EndpointSeries]:
    return [shop.endpoint(shop.hours(until=shop.now - 3600), 3000, 30.0)]


def course(shop: Shop, before: float, during: float, after: float) -> Floats:
    starts = shop.tens(shop.now - 3600, shop.now)
    return np.where(starts >= shop.now - FIX, after, np.where(starts >= shop.now - BREAK, during, before))


def test_latency_and_queries_back_at_normal_have_recovered(shop: Shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 30), course(shop, 4, 120, 4))
    assert {finding.metric for finding in found} == {Metric.LATENCY_P95, Metric.QUERY_COUNT}
    for finding in found:
        result = endpoint_recovery(
            finding, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
        )
        assert result.state is RecoveryState.RECOVERED
        assert result.recovered_share > 0.95
        assert result.during == finding.observed
        assert result.before < result.during


def test_latency_that_stays_high_is_still_broken(shop: Shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 800), course(shop, 4, 120, 90))
    for finding in found:
        result = endpoint_recovery(
            finding, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
        )
        assert result.state is RecoveryState.STILL_BROKEN
        assert result.recovered_share < 0.6


def test_a_slow_start_right_after_the_fix_is_ignored_once_it_is_over(shop: Shop) -> None:
    starts = shop.tens(shop.now - 3600, shop.now)
    medians = course(shop, 30, 1000, 30)
    medians[(starts >= shop.now - FIX) & (starts < shop.now - FIX + 20)] = 900.0
    found, series = endpoint_story(shop, medians, course(shop, 4, 120, 4))
    latency = next(finding for finding in found if finding.metric is Metric.LATENCY_P95)
    result = endpoint_recovery(
        latency, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
    )
    assert result.state is RecoveryState.RECOVERED


def test_two_intervals_after_the_fix_are_insufficient_data(shop: Shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 30), course(shop, 4, 120, 4))
    result = endpoint_recovery(
        found[0], series, endpoint_past(shop), since=shop.now - 20, now=shop.now + 5, options=ENDPOINT
    )
    assert result.state is RecoveryState.INSUFFICIENT_DATA
    assert result.after is not None


def test_the_series_of_another_endpoint_is_ignored(shop: Shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 30), course(shop, 4, 120, 4))
    others = [replace(one, endpoint="GET /other") for one in series]
    for finding in found:
        for some, state in (
            ([], "insufficient_data"),
            (others, "insufficient_data"),
            ([*others, *series], "recovered"),
        ):
            result = endpoint_recovery(
                finding, some, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
            )
            assert result.state == state
