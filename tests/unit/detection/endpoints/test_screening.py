"""Screening skips no endpoint that has a finding: the findings are the same with and without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.endpoints.findings import endpoint_findings
from detection.endpoints.intervals import gathered_intervals
from detection.endpoints.normal import settled_hours
from detection.endpoints.screening import hours_in_brief, in_brief, worth_a_look
from detection.options import EndpointOptions
from detection.types import EndpointSeries
from tests.unit.detection.conftest import Shop

OPTIONS = EndpointOptions()


def screened(shop: Shop, series: EndpointSeries, coarse: EndpointSeries) -> bool:
    last = in_brief(gathered_intervals([series], since=shop.now - 120, until=shop.now, interval_seconds=10.0))
    past = hours_in_brief([coarse], shop.now, OPTIONS)
    settled = settled_hours(past.starts, shop.now - OPTIONS.recent_window_seconds, ())[None]
    return bool(worth_a_look(last, past, settled, at=shop.now, options=OPTIONS)[0])


def test_screening_skips_a_healthy_endpoint_and_selects_broken_ones(shop: Shop) -> None:
    coarse = shop.endpoint(shop.hours(), 1000, 100.0)
    starts = shop.tens(shop.now - 1800, shop.now)
    well = shop.endpoint(starts, 20, 100.0)
    assert not screened(shop, well, coarse)
    assert screened(shop, shop.endpoint(starts, 20, 300.0), coarse)
    assert screened(shop, shop.endpoint(starts, 20, 100.0, queries=40.0), coarse)
    assert screened(shop, replace(well, error_count=well.request_count // 3), coarse)


def test_screening_selects_an_endpoint_without_requests_any_more(shop: Shop) -> None:
    coarse = shop.endpoint(shop.hours(days=8), 14_400, 100.0)
    called = shop.endpoint(shop.tens(shop.now - 3600, shop.now), 40, 100.0)
    silent = shop.endpoint(shop.tens(shop.now - 3600, shop.now - 60), 40, 100.0)
    assert not screened(shop, called, coarse)
    assert screened(shop, silent, coarse)


def test_screening_selects_an_endpoint_that_is_slow_only_for_this_hour(shop: Shop) -> None:
    hours = shop.hours()
    coarse = shop.endpoint(hours, 1000, np.where((hours // 3600) % 24 < 6, 30.0, 400.0))
    assert screened(shop, shop.endpoint(shop.tens(shop.now - 1800, shop.now), 20, 150.0), coarse)


def test_screening_always_selects_a_young_service(shop: Shop) -> None:
    coarse = shop.endpoint(shop.hours(days=0.1), 1000, 100.0)
    assert screened(shop, shop.endpoint(shop.tens(shop.now - 1800, shop.now), 20, 100.0), coarse)


def test_screening_skips_an_endpoint_without_enough_busy_intervals(shop: Shop) -> None:
    coarse = shop.endpoint(shop.hours(), 1000, 100.0)
    assert not screened(shop, shop.endpoint(shop.tens(shop.now - 20, shop.now), 20, 900.0), coarse)
    assert not screened(shop, shop.endpoint(shop.tens(shop.now - 120, shop.now), 0.5, 900.0), coarse)


@pytest.mark.parametrize("seed", range(4))
def test_screening_never_changes_the_findings(shop: Shop, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random = np.random.default_rng(seed)
    starts, hours = shop.tens(shop.now - 3600, shop.now), shop.hours(days=8)
    coarse: list[EndpointSeries] = []
    series: list[EndpointSeries] = []
    for name in map(str, range(24)):
        rhythm = np.exp(random.uniform(0, 0.7) * np.sin(hours / 3600 * 2 * np.pi / 24))
        ms, rate, share = random.uniform(20, 400), random.choice([4.0, 20.0, 80.0]), random.choice([0.0, 0.01, 0.2])
        past = shop.endpoint(hours, 360 * rate * rhythm, ms * rhythm, name=name)
        coarse.append(replace(past, error_count=random.binomial(past.request_count, share)))
        broken = starts >= shop.now - random.choice([30, 40, 60, 300])
        factor, called = random.choice([1.0, 1.4, 1.6, 2.0, 4.0]), random.choice([1.0, 0.4, 0.1, 0.0])
        fine = shop.endpoint(
            starts, rate * np.where(broken, called, 1.0), ms * np.where(broken, factor, 1.0),
            queries=np.where(broken, random.choice([4.0, 9.0, 12.0]), 4.0), name=name,
        )  # fmt: skip
        failing = np.where(fine.bucket_starts >= starts[broken][0], random.choice([share, share + 0.06, 0.5]), share)
        series.append(replace(fine, error_count=random.binomial(fine.request_count, failing)))
    with_screen = endpoint_findings(series, coarse, now=shop.now + 5, options=OPTIONS)
    monkeypatch.setattr(
        "detection.endpoints.findings.worth_a_look",
        lambda last, past, *arguments, **options: np.ones(len(past.requests), bool),
    )
    assert endpoint_findings(series, coarse, now=shop.now + 5, options=OPTIONS) == with_screen
    assert len({finding.metric for finding in with_screen}) >= 3
