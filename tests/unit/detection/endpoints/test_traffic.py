from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detection.endpoints.findings import endpoint_findings
from detection.endpoints.recovery import endpoint_recovery
from detection.endpoints.traffic import traffic_range
from detection.options import EndpointOptions
from detection.recovery import RecoveryState
from detection.types import EndpointSeries, Finding, Floats, Metric, TimeSpans, TrafficDetails
from tests.finding_details import details_as
from tests.unit.detection.conftest import Shop

OPTIONS = EndpointOptions()


def traffic_found(
    shop: Shop,
    series: EndpointSeries,
    baseline: EndpointSeries,
    *,
    excluded: Mapping[tuple[str, str], TimeSpans] | None = None,
) -> list[Finding]:
    found = endpoint_findings([series], [baseline], now=shop.now + 5, options=OPTIONS, excluded=excluded)
    return [finding for finding in found if finding.metric is Metric.REQUEST_RATE]


def lately(shop: Shop, per_second: float, *, since: float, usual: float = 4.0) -> EndpointSeries:
    starts = shop.tens(shop.now - 3600, shop.now)
    return shop.endpoint(starts, 10 * np.where(starts >= since, per_second, usual), 30.0)


def hours(shop: Shop, per_second: float | Floats = 4.0, *, days: float = 8.0) -> EndpointSeries:
    starts = shop.hours(days=days)
    return shop.endpoint(starts, 3600 * np.broadcast_to(per_second, starts.shape), 30.0)


def test_vanished_traffic_is_found_after_three_intervals_with_its_onset(shop: Shop) -> None:
    (finding,) = traffic_found(shop, lately(shop, 0.0, since=shop.now - 30), hours(shop))
    assert finding.fingerprint == "request_rate:endpoint:shop:POST /checkout"
    assert finding.observed == 0.0
    assert finding.expected == pytest.approx(240, rel=0.05)
    assert abs(finding.onset_at - (shop.now - 30)) <= 10
    assert details_as(TrafficDetails, finding).strikes == 3


def test_a_quieter_endpoint_is_judged_over_longer_intervals_and_a_very_quiet_one_is_not_judged(shop: Shop) -> None:
    slower = lately(shop, 0.0, since=shop.now - 60, usual=0.9)
    assert len(traffic_found(shop, slower, hours(shop, 0.9))) == 1
    assert traffic_found(shop, lately(shop, 0.0, since=shop.now - 30, usual=0.9), hours(shop, 0.9)) == []
    assert traffic_found(shop, lately(shop, 0.0, since=shop.now - 600, usual=0.2), hours(shop, 0.2)) == []


def test_traffic_of_a_service_younger_than_a_week_is_not_judged(shop: Shop) -> None:
    assert traffic_found(shop, lately(shop, 0.0, since=shop.now - 60), hours(shop, days=6.5)) == []


def test_an_hour_that_is_quiet_every_night_is_no_outage(shop: Shop) -> None:
    starts = shop.hours(days=8.0)
    of_day = (starts // 3600) % 24
    nightly = np.where(of_day == 12, 0.05, 4.0)
    assert traffic_found(shop, lately(shop, 0.05, since=shop.now - 60), hours(shop, nightly)) == []


def test_low_traffic_next_to_an_hour_that_is_always_quiet_is_no_outage(shop: Shop) -> None:
    of_day = (shop.hours(days=8.0) // 3600) % 24
    for quiet in (11, 13):
        nightly = np.where(of_day == quiet, 0.05, 4.0)
        assert traffic_found(shop, lately(shop, 0.05, since=shop.now - 60), hours(shop, nightly)) == []


def test_a_quiet_weekend_is_expected_after_a_quiet_weekend_before(shop: Shop) -> None:
    """The shop's now is a Saturday: without last Saturday, the five busy days would decide."""
    starts = shop.hours(days=8.0)
    is_weekend = (starts // 86_400 + 3) % 7 >= 5
    assert (
        traffic_found(shop, lately(shop, 0.4, since=shop.now - 60), hours(shop, np.where(is_weekend, 0.4, 4.0))) == []
    )


def test_traffic_that_was_low_for_the_whole_hour_is_no_finding(shop: Shop) -> None:
    assert traffic_found(shop, lately(shop, 0.3, since=0.0), hours(shop)) == []


def test_an_endpoint_called_in_bursts_gives_no_finding_between_the_bursts(shop: Shop) -> None:
    starts = shop.tens(shop.now - 3600, shop.now)
    bursts = shop.endpoint(starts, np.where((starts // 60) % 5 == 0, 120.0, 0.0), 30.0)
    assert traffic_found(shop, bursts, hours(shop, 2.4)) == []


def test_a_surge_is_found_once_it_exceeds_the_requests_of_a_whole_usual_hour(shop: Shop) -> None:
    assert traffic_found(shop, lately(shop, 40.0, since=shop.now - 300), hours(shop)) == []
    (finding,) = traffic_found(shop, lately(shop, 40.0, since=shop.now - 480), hours(shop))
    assert finding.observed == pytest.approx(2400, rel=0.05)
    assert abs(finding.onset_at - (shop.now - 480)) <= 10


def test_an_excluded_outage_last_week_does_not_make_silence_normal(shop: Shop) -> None:
    starts = shop.hours(days=8.0)
    began, ended = shop.now - 7 * 86_400 - 7200, shop.now - 7 * 86_400 + 7200
    poisoned = hours(shop, np.where((starts >= began) & (starts < ended), 0.01, 4.0))
    silent = lately(shop, 0.0, since=shop.now - 60)
    assert traffic_found(shop, silent, poisoned) == []
    known = {("shop", "POST /checkout"): [(began, ended)]}
    assert len(traffic_found(shop, silent, poisoned, excluded=known)) == 1


@pytest.mark.parametrize(
    ("now", "last_week"), [((2026, 3, 30, 9), (2026, 3, 23, 9)), ((2026, 10, 26, 9), (2026, 10, 19, 9))]
)
def test_the_same_hour_of_last_week_follows_the_wall_clock_across_a_clock_change(
    now: tuple[int, int, int, int], last_week: tuple[int, int, int, int]
) -> None:
    """The hour at nine o'clock in Berlin and its neighbours are busy, and all others are quiet."""
    zone = ZoneInfo("Europe/Berlin")
    at, then = (datetime(*moment, tzinfo=zone).timestamp() for moment in (now, last_week))
    assert abs(at - then - 7 * 86_400) == 3600
    starts = np.arange(then - 2 * 86_400, at, 3600.0)
    local = [datetime.fromtimestamp(start, zone).hour for start in starts]
    requests = np.where(np.isin(local, [8, 9, 10]), 3600.0, 36.0)[None]
    options = EndpointOptions(timezone="Europe/Berlin")
    for hour, rate in ((at, 1.0), (at + 5 * 3600, 0.01)):
        rates = traffic_range(requests, np.ones(requests.shape, bool), starts, at=hour + 600, options=options)
        assert (rates.low[0], rates.usual[0], rates.high[0]) == pytest.approx((rate, rate, rate))
    wrong = traffic_range(requests, np.ones(requests.shape, bool), starts, at=at + 600, options=OPTIONS)
    assert wrong.low[0] < 1.0


def test_traffic_has_recovered_when_requests_return_and_not_while_there_are_none(shop: Shop) -> None:
    baseline = hours(shop)
    finding = traffic_found(shop, lately(shop, 0.0, since=shop.now - 60), baseline)[0]
    starts = shop.tens(shop.now - 60, shop.now + 60)
    back = shop.endpoint(starts, np.where(starts >= shop.now, 40.0, 0.0), 30.0)
    for series, state in (([back], RecoveryState.RECOVERED), ([], RecoveryState.STILL_BROKEN)):
        result = endpoint_recovery(finding, series, [baseline], since=shop.now, now=shop.now + 65, options=OPTIONS)
        assert (result.metric, result.state) == (Metric.REQUEST_RATE, state)
        assert result.before == pytest.approx(240, rel=0.05)
    early = endpoint_recovery(finding, [back], [baseline], since=shop.now, now=shop.now + 15, options=OPTIONS)
    assert early.state is RecoveryState.INSUFFICIENT_DATA


def test_no_requests_after_a_surge_are_no_recovery(shop: Shop) -> None:
    baseline = hours(shop)
    surged = lately(shop, 40.0, since=shop.now - 480)
    (surge,) = traffic_found(shop, surged, baseline)
    assert (surge.metric, surge.observed > surge.expected) == (Metric.REQUEST_RATE, True)
    states = [
        endpoint_recovery(surge, [series], [baseline], since=since, now=until, options=OPTIONS).state
        for series, since, until in (
            (surged, shop.now, shop.now + 65),
            (lately(shop, 4.0, since=shop.now - 60), shop.now - 60, shop.now),
        )
    ]
    assert states == [RecoveryState.STILL_BROKEN, RecoveryState.RECOVERED]
