from __future__ import annotations

import numpy as np
import pytest

from detection.detectors import EndpointOptions, endpoint_findings
from detection.endpoint_screening import worth_a_look
from detection.histograms import gathered_intervals
from detection.types import EndpointSeries

OPTIONS = EndpointOptions()


def screened(shop, series: EndpointSeries, coarse: EndpointSeries) -> bool:
    last = gathered_intervals([series], since=shop.now - 120, until=shop.now, interval_seconds=10.0)
    return bool(worth_a_look(last, [coarse], OPTIONS)[0])


def test_an_endpoint_that_is_well_is_passed_over_and_a_broken_one_is_not(shop) -> None:
    coarse = shop.endpoint(shop.hours(), 1000, 100.0)
    starts = shop.tens(shop.now - 1800, shop.now)
    assert not screened(shop, shop.endpoint(starts, 20, 100.0), coarse)
    assert screened(shop, shop.endpoint(starts, 20, 300.0), coarse)
    assert screened(shop, shop.endpoint(starts, 20, 100.0, queries=40.0), coarse)


def test_what_is_slow_only_for_this_hour_is_looked_at(shop) -> None:
    hours = shop.hours()
    coarse = shop.endpoint(hours, 1000, np.where((hours // 3600) % 24 < 6, 30.0, 400.0))
    assert screened(shop, shop.endpoint(shop.tens(shop.now - 1800, shop.now), 20, 150.0), coarse)


def test_a_young_service_is_always_looked_at(shop) -> None:
    coarse = shop.endpoint(shop.hours(days=0.1), 1000, 100.0)
    assert screened(shop, shop.endpoint(shop.tens(shop.now - 1800, shop.now), 20, 100.0), coarse)


def test_without_enough_intervals_in_which_it_was_called_nothing_can_strike(shop) -> None:
    coarse = shop.endpoint(shop.hours(), 1000, 100.0)
    assert not screened(shop, shop.endpoint(shop.tens(shop.now - 20, shop.now), 20, 900.0), coarse)
    assert not screened(shop, shop.endpoint(shop.tens(shop.now - 120, shop.now), 0.5, 900.0), coarse)


@pytest.mark.parametrize("factor", [1.0, 1.6, 2.5])
def test_passing_over_never_changes_what_is_found(shop, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    coarse = [shop.endpoint(shop.hours(days=2), 1000, 100.0, name=str(row)) for row in range(10)]
    starts = shop.tens(shop.now - 1800, shop.now)
    medians = np.where(starts >= shop.now - 60, 100.0 * factor, 100.0)
    series = [shop.endpoint(starts, 20, medians, name=str(row)) for row in range(10)]
    with_screen = endpoint_findings(series, coarse, now=shop.now, options=OPTIONS)
    monkeypatch.setattr(
        "detection.endpoint_findings.worth_a_look", lambda last, past, options: np.ones(len(past), bool)
    )
    assert endpoint_findings(series, coarse, now=shop.now, options=OPTIONS) == with_screen
