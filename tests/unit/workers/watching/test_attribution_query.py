from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from detection.types import FunnelCells, TimeSpans, WhereVerdict
from storage.telemetry.protocol import COARSE_SECONDS, FINE_CELL_SECONDS, TelemetryStore
from tests.unit.detection.where.shop_cells import HORIZON_SECONDS, Shop
from workers.watching.attribution_query import AttributionQuery, locate_loss

NOW = 1_770_465_600.0  # 2026-02-07 12:00 UTC
DAY, HOUR = 86_400.0, 3600.0
GERMAN_PAYPAL = (("country", "DE"), ("payment_method", "paypal"))


@dataclass
class Store:
    """A telemetry store that returns entries in proportion to the length of the window, and records the calls."""

    broken_since: float
    asked: list[tuple[float, float, int]] = field(default_factory=list)

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        self.asked.append((since, until, bucket_seconds))
        shop = Shop(GERMAN_PAYPAL) if since >= self.broken_since else Shop()
        return shop.cells(int((until - since) * 2), len(self.asked))


def query(since: float, until: float, broken: TimeSpans = ()) -> AttributionQuery:
    return AttributionQuery(1, since, until, since - 7 * DAY, HORIZON_SECONDS, broken=broken)


def located(asked: AttributionQuery) -> Store:
    store = Store(asked.since)
    attribution = locate_loss(cast(TelemetryStore, store), asked, now=NOW)
    assert attribution is not None
    assert attribution.verdict == WhereVerdict.PLACES
    return store


def test_the_window_is_read_in_whole_half_minutes_and_the_baseline_in_whole_hours() -> None:
    store = located(query(NOW - 1807, NOW - 65))
    assert store.asked[0] == (NOW - 1800, NOW - 90, FINE_CELL_SECONDS)
    assert store.asked[-1] == (NOW - HOUR - 7 * DAY + HOUR, NOW - HOUR, COARSE_SECONDS)


def test_the_usual_mix_is_read_from_the_same_hour_and_its_neighbours_on_the_days_before() -> None:
    store = located(query(NOW - 1800, NOW - 60))
    usual = store.asked[1:-1]
    assert usual[:2] == [(NOW - DAY * day - 2 * HOUR, NOW - DAY * day + HOUR, COARSE_SECONDS) for day in (1, 2)]
    assert len(usual) == 7


def test_the_baseline_leaves_out_broken_times() -> None:
    began, ended = NOW - 2 * DAY - 600, NOW - 2 * DAY + 600
    store = located(query(NOW - 1800, NOW - 60, broken=[(began, ended)]))
    assert all(until <= began or since >= ended for since, until, _ in store.asked)


def test_an_old_window_is_read_by_whole_hours() -> None:
    assert located(query(NOW - 10 * HOUR + 5, NOW - 5 * HOUR + 5)).asked[0] == (
        NOW - 9 * HOUR, NOW - 5 * HOUR, COARSE_SECONDS
    )  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "read"),
    [
        (NOW - 95, NOW - 70, (NOW - 120, NOW - 90)),
        (NOW - 100, NOW - 61, (NOW - 120, NOW - 90)),
        (NOW - 10 * HOUR + 600, NOW - 10 * HOUR + 1800, (NOW - 10 * HOUR, NOW - 9 * HOUR)),
    ],
)
def test_a_window_without_a_whole_bucket_is_read_from_the_bucket_in_which_it_begins(
    since: float, until: float, read: tuple[float, float]
) -> None:
    store = Store(read[0])
    locate_loss(cast(TelemetryStore, store), query(since, until), now=NOW)
    assert store.asked[0][:2] == read
