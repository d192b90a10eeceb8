from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.endpoints.findings import endpoint_findings
from detection.endpoints.normal import normal_endpoint
from detection.endpoints.slow_strikes import is_fading, strike_runs
from detection.options import EndpointOptions
from detection.types import EndpointDetails, EndpointSeries, Floats, Integers, Metric
from tests.finding_details import details_as
from tests.unit.detection.conftest import Shop

OPTIONS = EndpointOptions()


def added(first: EndpointSeries, second: EndpointSeries) -> EndpointSeries:
    """Return the requests of both series; a bucket in which a change happens holds some of each."""
    starts = np.union1d(first.bucket_starts, second.bucket_starts)

    def total(name: str) -> Integers:
        values = getattr(first, name)
        out = np.zeros((len(starts), *values.shape[1:]), dtype=np.int64)
        for one in (first, second):
            out[np.searchsorted(starts, one.bucket_starts)] += getattr(one, name)
        return out

    names = ("request_count", "error_count", "query_sum", "duration_histogram", "query_histogram")
    return EndpointSeries(first.service, first.endpoint, starts, *(total(name) for name in names))


def broken_since(
    shop: Shop,
    onset: float,
    until: float,
    *,
    per_second: float = 2.0,
    median_ms: float = 1000.0,
    queries: float = 120.0,
) -> EndpointSeries:
    starts = shop.tens(shop.now - 1800, until)
    part = np.clip((starts + 10 - onset) / 10, 0, 1)
    good = shop.endpoint(starts, 10 * per_second * (1 - part), 30.0)
    return added(good, shop.endpoint(starts, 10 * per_second * part, median_ms, queries=queries))


def until(series: EndpointSeries, now: float) -> EndpointSeries:
    """Return the buckets that had ended by `now`."""
    kept = series.bucket_starts + 10 <= now
    return EndpointSeries(
        series.service,
        series.endpoint,
        series.bucket_starts[kept],
        series.request_count[kept],
        series.error_count[kept],
        series.query_sum[kept],
        series.duration_histogram[kept],
        series.query_histogram[kept],
    )


def test_an_n_plus_1_query_at_two_requests_per_second_is_found_within_forty_seconds(shop: Shop) -> None:
    baseline = [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)]
    delays, errors = [], []
    for trial in range(15):
        onset = shop.now - 600 + trial * 0.66
        series = broken_since(shop, onset, shop.now)
        for now in np.arange(np.floor(onset), onset + 120, 5.0):
            found = endpoint_findings([until(series, now)], baseline, now=now, options=OPTIONS)
            if found:
                delays.append(now - onset)
                errors.append(found[0].onset_at - onset)
                break
    assert len(delays) == 15
    assert max(delays) <= 40
    assert np.median(np.abs(errors)) <= 3


def test_the_two_findings_of_an_n_plus_1_query_hold_observed_and_baseline_values(shop: Shop) -> None:
    found = endpoint_findings(
        [broken_since(shop, shop.now - 120, shop.now)],
        [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)],
        now=shop.now,
        options=OPTIONS,
    )
    latency, queries = found
    assert (latency.detector, latency.metric) == ("endpoint_latency", Metric.LATENCY_P95)
    assert (queries.detector, queries.metric) == ("endpoint_queries", Metric.QUERY_COUNT)
    assert latency.fingerprint == "latency_p95_ms:endpoint:shop:POST /checkout"
    assert latency.observed == pytest.approx(1930, rel=0.25)
    assert latency.expected == pytest.approx(58, rel=0.1)
    assert latency.expected_low < latency.expected < latency.expected_high
    assert queries.observed == pytest.approx(120)
    assert queries.expected == pytest.approx(4)
    details = details_as(EndpointDetails, latency)
    assert details.slow_share > 0.95
    assert details.baseline_p50_ms == pytest.approx(30, rel=0.1)
    assert details.queries_per_request == pytest.approx(120)
    assert details.onset_low <= shop.now - 120 <= details.onset_high


def test_slower_requests_without_more_queries_make_only_a_latency_finding(shop: Shop) -> None:
    series = broken_since(shop, shop.now - 120, shop.now, median_ms=300.0, queries=4.0)
    found = endpoint_findings(
        [series], [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)], now=shop.now, options=OPTIONS
    )
    assert [finding.metric for finding in found] == [Metric.LATENCY_P95]


def test_a_healthy_shop_gives_no_findings_in_an_hour(shop: Shop) -> None:
    baseline = [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)]
    starts = shop.tens(shop.now - 1800, shop.now + 3600)
    series = shop.endpoint(starts, 20, 30.0)
    for now in np.arange(shop.now, shop.now + 3600, 30.0):
        assert endpoint_findings([until(series, now)], baseline, now=now, options=OPTIONS) == []


def test_a_cold_start_after_a_deploy_is_no_finding_even_across_three_intervals(shop: Shop) -> None:
    baseline = [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)]
    for offset in (0.0, 2.5, 5.0, 6.0):
        starts = shop.tens(shop.now - 1800, shop.now + 60)
        began = shop.now - 30 + offset
        part = np.clip(np.minimum(starts + 10, began + 20) - np.maximum(starts, began), 0, 10) / 10
        good = shop.endpoint(starts, 20 * (1 - part), 30.0)
        series = added(good, shop.endpoint(starts, 20 * part, 900.0))
        for now in np.arange(shop.now - 30, shop.now + 60, 5.0):
            assert endpoint_findings([until(series, now)], baseline, now=now, options=OPTIONS) == [], (offset, now)


def test_a_rise_from_20_to_60_ms_is_below_the_minimum_and_no_finding(shop: Shop) -> None:
    starts = shop.tens(shop.now - 1800, shop.now)
    medians = np.where(starts >= shop.now - 60, 60.0, 20.0)
    series = shop.endpoint(starts, 20, medians, spread=0.15)
    baseline = [shop.endpoint(shop.hours(), 7200, 20.0, spread=0.3)]
    assert endpoint_findings([series], baseline, now=shop.now, options=OPTIONS) == []


def test_the_same_series_give_the_same_strikes_after_a_restart(shop: Shop) -> None:
    series, baseline = (
        broken_since(shop, shop.now - 120, shop.now),
        [shop.endpoint(shop.hours(until=shop.now - 3600), 7200, 30.0)],
    )
    first = endpoint_findings([series], baseline, now=shop.now, options=OPTIONS)
    again = endpoint_findings([series], baseline, now=shop.now, options=OPTIONS)
    assert first == again
    assert details_as(EndpointDetails, first[0]).strikes >= 10


def test_intervals_with_too_few_requests_neither_strike_nor_clear() -> None:
    strikes = np.array([[True, False, True, False, True], [True, False, True, True, False]])
    enough = np.array([[True, False, True, False, True], [True, True, True, True, False]])
    assert strike_runs(strikes, enough, 3).tolist() == [3, 0]


def test_a_baseline_of_fewer_than_two_hundred_requests_gives_no_findings(shop: Shop) -> None:
    series = broken_since(shop, shop.now - 120, shop.now)
    assert endpoint_findings([series], [], now=shop.now, options=OPTIONS) == []
    thin = [shop.endpoint(shop.hours(days=1), 5, 30.0)]
    assert endpoint_findings([series], thin, now=shop.now, options=OPTIONS) == []
    an_hour = [shop.endpoint(shop.hours(until=shop.now - 3600, days=1 / 24), 400, 30.0)]
    assert len(endpoint_findings([series], an_hour, now=shop.now, options=OPTIONS)) == 2


def test_a_regression_in_the_current_hour_is_removed_from_its_own_baseline(shop: Shop) -> None:
    fine = broken_since(shop, shop.now - 600, shop.now)
    hour = shop.now - 3600
    this_hour = EndpointSeries(
        fine.service,
        fine.endpoint,
        np.array([hour]),
        *(
            getattr(fine, name)[fine.bucket_starts >= hour].sum(axis=0, keepdims=True)
            for name in ("request_count", "error_count", "query_sum", "duration_histogram", "query_histogram")
        ),
    )
    coarse = added(shop.endpoint(shop.hours(days=1, until=hour), 300, 30.0), this_hour)
    normal = normal_endpoint(coarse, fine, recent_since=shop.now - 1800, at=shop.now, options=OPTIONS)
    assert normal is not None
    assert normal.queries == pytest.approx(4.0)
    assert normal.p95_ms == pytest.approx(58, rel=0.1)


def test_latency_that_is_always_high_at_one_hour_is_normal_only_at_that_hour(shop: Shop) -> None:
    hours = shop.hours()
    nightly = np.where((hours // 3600) % 24 == 12, 400.0, 30.0)
    coarse = shop.endpoint(hours, 3000, nightly)
    at_noon = shop.endpoint(shop.tens(shop.now, shop.now + 1800), 20, 400.0)
    assert endpoint_findings([at_noon], [coarse], now=shop.now + 1800, options=OPTIONS) == []
    at_three = shop.endpoint(shop.tens(shop.now + 3 * 3600, shop.now + 3 * 3600 + 1800), 20, 400.0)
    assert len(endpoint_findings([at_three], [coarse], now=shop.now + 3 * 3600 + 1800, options=OPTIONS)) == 1


def test_a_run_is_fading_only_if_its_last_interval_is_significantly_better() -> None:
    assert is_fading(np.array([10.0, 20.0, 10.0]), np.array([20.0, 20.0, 20.0]))
    assert not is_fading(np.array([20.0, 20.0, 19.0]), np.array([20.0, 20.0, 20.0]))
    assert not is_fading(np.array([20.0]), np.array([20.0]))


def autocorrelated(random: np.random.Generator, days: int, correlation: float, deviation: float) -> Floats:
    """Draw AR(1) log-latencies, one value per 10 s interval, (8640, days)."""
    steps = random.normal(0, deviation * np.sqrt(1 - correlation**2), (8640, days))
    level = np.empty_like(steps)
    level[0] = random.normal(0, deviation, days)
    for index in range(1, len(level)):
        level[index] = correlation * level[index - 1] + steps[index]
    return level


@pytest.mark.parametrize("correlation", [0.8, 0.95])
def test_autocorrelated_latency_gives_no_false_alarm_in_a_day_and_a_doubling_is_found_in_a_minute(
    shop: Shop, correlation: float
) -> None:
    """Fluctuation of 10 % on top of the noise of single requests, judged every minute of a day."""
    noise = np.exp(autocorrelated(shop.random, 1, correlation, 0.1)[:, 0])
    starts = shop.tens(shop.now, shop.now + 86_400)
    baseline = [shop.endpoint(shop.hours(until=shop.now - 3600, days=2), 1000, 100.0, spread=0.41)]
    series = shop.endpoint(starts, 20, 100.0 * noise)
    judged = [(last_half_hour(series, now), now) for now in np.arange(shop.now + 1800, shop.now + 86_400, 60.0)]
    assert not [now for one, now in judged if endpoint_findings([one], baseline, now=now + 5, options=OPTIONS)]
    seen = 0
    for begin in range(400, 8400, 400):
        healthy = shop.endpoint(starts[begin - 180 : begin], 20, 100.0 * noise[begin - 180 : begin])
        slow = shop.endpoint(starts[begin : begin + 6], 20, 200.0 * noise[begin : begin + 6])
        nows = starts[begin] + np.arange(30, 61, 10) + 5
        seen += any(
            endpoint_findings([added(healthy, until(slow, now))], baseline, now=now, options=OPTIONS) for now in nows
        )
    assert seen >= 17


def last_half_hour(series: EndpointSeries, now: float) -> EndpointSeries:
    kept = (series.bucket_starts >= now - 1800) & (series.bucket_starts < now)
    return replace(
        series,
        bucket_starts=series.bucket_starts[kept],
        request_count=series.request_count[kept],
        error_count=series.error_count[kept],
        query_sum=series.query_sum[kept],
        duration_histogram=series.duration_histogram[kept],
        query_histogram=series.query_histogram[kept],
    )
