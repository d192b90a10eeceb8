from __future__ import annotations

import numpy as np
import pytest

from detection.detectors import EndpointOptions, FunnelOptions, endpoint_findings, funnel_findings
from detection.types import Finding, FunnelSeries, Metric
from detection.verification import Recovery, RecoveryState, recovery

FUNNEL, ENDPOINT = FunnelOptions(), EndpointOptions()
BREAK, FIX = 900.0, 300.0
"""Seconds before the shop's now at which these shops broke and were mended."""


def funnel_past(shop) -> list[FunnelSeries]:
    return [shop.funnel(shop.hours(until=shop.now - 3600), 7200, 0.3)]


def funnel_story(shop, signup, after: float, *, entries: float = 20.0) -> tuple[Finding, list[FunnelSeries]]:
    """A conversion of 30 % that fell to 10 % and, since the fix, is `after`."""
    starts = shop.tens(shop.now - 7200, shop.now)
    rate = np.where(starts >= shop.now - FIX, after, np.where(starts >= shop.now - BREAK, 0.1, 0.3))
    series = [shop.funnel(starts, np.where(starts >= shop.now - FIX, entries, 20.0), rate, until=shop.now)]
    then = shop.now - FIX
    before = [shop.funnel(starts[starts < then], 20.0, rate[starts < then], until=then)]
    found = funnel_findings(before, funnel_past(shop), signup, now=then, options=FUNNEL)
    return found[0], series


def judged(shop, finding: Finding, series: list[FunnelSeries]) -> Recovery:
    return recovery(finding, series, funnel_past(shop), since=shop.now - FIX, now=shop.now, options=FUNNEL)


def test_a_conversion_that_is_back_has_recovered_with_before_during_and_after(shop, signup) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.3))
    assert result.state is RecoveryState.RECOVERED
    assert result.metric is Metric.CONVERSION_RATE
    assert result.before == pytest.approx(0.3, abs=0.02)
    assert result.during == pytest.approx(0.1, abs=0.03)
    assert result.after == pytest.approx(0.3, abs=0.05)
    assert result.recovered_share > 0.8
    assert result.normal_low <= result.before <= result.normal_high


def test_a_conversion_that_stays_down_is_still_broken(shop, signup) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.1))
    assert result.state is RecoveryState.STILL_BROKEN
    assert result.recovered_share < 0.2


def test_half_way_back_is_not_recovered(shop, signup) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.2))
    assert result.state is RecoveryState.STILL_BROKEN
    assert 0.2 < result.recovered_share < 0.8


def test_a_handful_of_entries_after_the_fix_says_nothing_yet(shop, signup) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.3, entries=0.5))
    assert result.state is RecoveryState.INSUFFICIENT_DATA
    assert result.sample_size < 60


def test_what_happened_before_the_fix_does_not_matter_to_the_state(shop, signup) -> None:
    finding, series = funnel_story(shop, signup, 0.3)
    cut = series[0].bucket_starts >= shop.now - FIX
    after_only = FunnelSeries(
        1, None, None, *(getattr(series[0], name)[cut] for name in ("bucket_starts", "entries", "reached")),
        series[0].converted_by_delay[cut],
    )  # fmt: skip
    whole, part = judged(shop, finding, series), judged(shop, finding, [after_only])
    assert (whole.state, whole.after, whole.sample_size) == (part.state, part.after, part.sample_size)


def endpoint_story(shop, medians: np.ndarray, queries: np.ndarray, rate: float = 20.0) -> tuple[list[Finding], list]:
    starts = shop.tens(shop.now - 3600, shop.now)
    series = [shop.endpoint(starts, rate, medians, queries=queries)]
    then = starts < shop.now - FIX
    before = [shop.endpoint(starts[then], 20.0, medians[then], queries=queries[then])]
    found = endpoint_findings(before, endpoint_past(shop), now=shop.now - FIX + 5, options=ENDPOINT)
    return found, series


def endpoint_past(shop) -> list:
    return [shop.endpoint(shop.hours(until=shop.now - 3600), 3000, 30.0)]


def course(shop, before: float, during: float, after: float) -> np.ndarray:
    starts = shop.tens(shop.now - 3600, shop.now)
    return np.where(starts >= shop.now - FIX, after, np.where(starts >= shop.now - BREAK, during, before))


def test_latency_and_queries_that_are_back_have_recovered(shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 30), course(shop, 4, 120, 4))
    assert {finding.metric for finding in found} == {Metric.LATENCY_P95, Metric.QUERY_COUNT}
    for finding in found:
        result = recovery(
            finding, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
        )
        assert result.state is RecoveryState.RECOVERED
        assert result.recovered_share > 0.95
        assert result.during == finding.observed
        assert result.before < result.during


def test_latency_that_is_still_up_is_still_broken(shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 800), course(shop, 4, 120, 90))
    for finding in found:
        result = recovery(
            finding, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT
        )
        assert result.state is RecoveryState.STILL_BROKEN
        assert result.recovered_share < 0.6


def test_a_slow_start_right_after_the_fix_is_forgiven_once_it_is_over(shop) -> None:
    starts = shop.tens(shop.now - 3600, shop.now)
    medians = course(shop, 30, 1000, 30)
    medians[(starts >= shop.now - FIX) & (starts < shop.now - FIX + 20)] = 900.0
    found, series = endpoint_story(shop, medians, course(shop, 4, 120, 4))
    latency = next(finding for finding in found if finding.metric is Metric.LATENCY_P95)
    result = recovery(latency, series, endpoint_past(shop), since=shop.now - FIX, now=shop.now + 5, options=ENDPOINT)
    assert result.state is RecoveryState.RECOVERED


def test_two_intervals_after_the_fix_are_too_few_to_say(shop) -> None:
    found, series = endpoint_story(shop, course(shop, 30, 1000, 30), course(shop, 4, 120, 4))
    result = recovery(found[0], series, endpoint_past(shop), since=shop.now - 20, now=shop.now + 5, options=ENDPOINT)
    assert result.state is RecoveryState.INSUFFICIENT_DATA
    assert result.after is not None


def test_a_series_that_is_gone_is_insufficient_data_and_the_wrong_options_are_an_error(shop, signup) -> None:
    finding, series = funnel_story(shop, signup, 0.3)
    gone = recovery(finding, [], [], since=shop.now - FIX, now=shop.now, options=FUNNEL)
    assert (gone.state, gone.after) == (RecoveryState.INSUFFICIENT_DATA, None)
    with pytest.raises(TypeError, match="FunnelOptions"):
        recovery(finding, series, series, since=shop.now - FIX, now=shop.now, options=ENDPOINT)
