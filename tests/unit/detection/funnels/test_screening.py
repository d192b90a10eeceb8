"""Screening selects every funnel in which the detectors find something, and hardly any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detection.funnels.findings import funnel_findings, funnel_rises
from detection.funnels.screening import Reached, usual, worth_reading
from detection.options import FunnelOptions
from detection.types import Floats, FunnelDefinition, FunnelSeries
from tests.unit.detection.conftest import Shop

OPTIONS = FunnelOptions()
COUNTRIES = [None, *(f"country-{number}" for number in range(6))]


def reached(series: Sequence[FunnelSeries], starts: Floats) -> Reached:
    table = np.zeros((3, len(series), len(starts)))
    for row, one in enumerate(series):
        columns = np.searchsorted(starts, one.bucket_starts)
        inside = (columns < len(starts)) & np.isin(one.bucket_starts, starts)
        table[:, row, columns[inside]] = one.reached[inside].T
    return Reached(starts, table)


def drawn(shop: Shop, rates: Sequence[float | Floats], starts: Floats, entries: float) -> list[FunnelSeries]:
    return [
        shop.funnel(starts, entries, rate, delay_seconds=4.0, dimension=country and "country", value=country)
        for country, rate in zip(COUNTRIES, rates, strict=True)
    ]


@pytest.mark.parametrize("broken", [0.0, 0.1, 0.2, 0.3, 0.4, -0.15, -0.3])
def test_screening_selects_every_funnel_with_findings_and_no_healthy_one(
    shop: Shop, signup: FunnelDefinition, broken: float
) -> None:
    for row in (0, 3):
        starts = shop.tens(shop.now - 3600, shop.now)
        rates: list[float | Floats] = [np.full(len(starts), 0.3) for _ in COUNTRIES]
        rates[row] = np.where(starts >= shop.now - 1500, 0.3 * (1 - broken), 0.3)
        fine, past = drawn(shop, rates, starts, 3.0), drawn(shop, [0.3] * 7, shop.hours(), 300.0)
        found = [
            finding
            for detector in (funnel_findings, funnel_rises)
            for finding in detector(fine, past, signup, now=shop.now, options=OPTIONS)
        ]
        grid = shop.tens(shop.now - 1850, shop.now - 50)
        normal = usual(reached(past, shop.hours()), at=shop.now - 900, timezone="UTC", fewest=100)
        everyone = np.array([country is None for country in COUNTRIES])
        is_worth = worth_reading(reached(fine, grid), normal, everyone, OPTIONS)
        assert is_worth or not found
        if not broken:
            assert not is_worth


def test_screening_ignores_a_segment_without_enough_history(shop: Shop) -> None:
    starts = shop.tens(shop.now - 1850, shop.now - 50)
    fine = [shop.funnel(starts, 20.0, 0.01)]
    past = [shop.funnel(shop.hours(0.5), 1000.0, 0.3)]
    normal = usual(reached(past, shop.hours()), at=shop.now, timezone="UTC", fewest=100)
    assert not worth_reading(reached(fine, starts), normal, np.array([True]), OPTIONS)
