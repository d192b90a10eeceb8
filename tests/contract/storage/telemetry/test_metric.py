"""The roll-up of custom metrics: gauges, counters, resets, late points, attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, select, update

from detection.types import MetricKind, MetricPoint, MetricSeries
from storage.telemetry.metrics.series import MAX_SETS_PER_METRIC, OTHER
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, TelemetryStore
from storage.telemetry.rows.tables import metric_buckets, metric_counters, metric_series
from tests.contract.storage.telemetry.records import DAY, NOW, Clock, roll_up_all

MINUTE = 60.0


def point(
    value: float, at: float, kind: MetricKind = MetricKind.GAUGE, name: str = "depth", **more: Any
) -> MetricPoint:
    attributes = more.pop("attributes", {})
    identity = f"{name}:{more.get('service', 'shop')}:{at}:{sorted(attributes.items())}"
    return MetricPoint(identity, name, more.get("service", "shop"), at, float(value), kind, attributes)


def series_of(store: TelemetryStore, bucket_seconds: int = FINE_METRIC_SECONDS) -> dict[tuple[str, str], MetricSeries]:
    found = store.metric_series(since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds)
    return {(series.name, series.attributes): series for series in found}


def roll_up(store: TelemetryStore, *points: MetricPoint, now: float = NOW + 5) -> None:
    store.append_metric_points(points)
    roll_up_all(store, (), now=now)


def counter_points(
    values: dict[float, float], kind: MetricKind = MetricKind.CUMULATIVE, **more: Any
) -> list[MetricPoint]:
    """Make points of one counter. values: by seconds after NOW - 10 minutes."""
    return [point(value, NOW - 10 * MINUTE + after, kind, "served", **more) for after, value in values.items()]


def test_a_gauges_points_are_averaged_per_minute_and_per_hour(store: TelemetryStore) -> None:
    roll_up(store, point(2, NOW - 30), point(4, NOW - 20), point(9, NOW - 90))

    fine, coarse = series_of(store)["depth", ""], series_of(store, COARSE_SECONDS)["depth", ""]
    assert fine.bucket_starts.tolist() == [NOW - 120, NOW - 60]
    assert (fine.means.tolist(), fine.counts.tolist()) == ([9, 3], [1, 2])
    assert (coarse.bucket_starts.tolist(), coarse.means.tolist()) == ([NOW - 3600], [5])
    assert not fine.is_rate


def test_the_lowest_and_highest_value_of_a_bucket_are_kept_over_several_passes(
    store: TelemetryStore, engine: Engine
) -> None:
    for value in (5.0, -2.0, 11.0):
        roll_up(store, point(value, NOW - 30 + value))
    columns = metric_buckets.c
    with engine.connect() as connection:
        query = select(columns.low, columns.high, columns.total, columns["count"])
        assert connection.execute(query.where(columns.resolution == COARSE_SECONDS)).one() == (-2, 11, 14, 3)


def test_a_cumulative_counter_becomes_its_increase_per_second(store: TelemetryStore) -> None:
    roll_up(store, *counter_points({0: 1000, 60: 1060, 120: 1300}))
    series = series_of(store)["served", ""]
    assert series.means.tolist() == [1.0, 4.0]
    assert series.bucket_starts.tolist() == [NOW - 9 * MINUTE, NOW - 8 * MINUTE]
    assert series.is_rate


def test_the_counters_last_value_is_kept_between_passes(store: TelemetryStore) -> None:
    for part in counter_points({0: 1000, 60: 1060, 120: 1300}):
        roll_up(store, part)
    assert series_of(store)["served", ""].means.tolist() == [1.0, 4.0]


def test_a_counter_that_was_reset_counts_from_zero(store: TelemetryStore) -> None:
    roll_up(store, *counter_points({0: 1000, 60: 30, 120: 90}))
    assert series_of(store)["served", ""].means.tolist() == [0.5, 1.0]


def test_a_late_value_of_a_cumulative_counter_is_no_reset(store: TelemetryStore) -> None:
    first, late, last = counter_points({0: 1000, 60: 1060, 120: 1120})
    roll_up(store, first, last)
    roll_up(store, late)
    roll_up(store, *counter_points({180: 1180}))
    assert series_of(store)["served", ""].means.tolist() == [1.0, 1.0]


def test_a_delta_counter_becomes_a_rate_also_for_late_points(
    store: TelemetryStore,
) -> None:
    first, second, late, last = counter_points({0: 60, 60: 120, 120: 240, 180: 60}, MetricKind.DELTA)
    roll_up(store, first, second, last)
    roll_up(store, late)
    found = series_of(store)["served", ""]
    assert found.means[0] == 2.0
    assert found.bucket_starts.tolist() == [NOW - 9 * MINUTE, NOW - 8 * MINUTE, NOW - 7 * MINUTE]


def test_counters_of_two_instances_are_separate_and_add_to_one_series(store: TelemetryStore) -> None:
    one = counter_points({0: 1000, 60: 1060}, attributes={"service.instance.id": "a", "route": "/"})
    two = counter_points({0: 10, 60: 190}, attributes={"service.instance.id": "b", "route": "/"})
    roll_up(store, *one, *two)
    assert list(series_of(store)) == [("served", "route=/")]
    assert series_of(store)["served", "route=/"].means.tolist() == [2.0]


def test_a_gap_of_hours_between_counter_points_makes_no_rate(store: TelemetryStore) -> None:
    roll_up(store, point(10, NOW - 7200, MetricKind.CUMULATIVE), point(20, NOW - 60, MetricKind.CUMULATIVE))
    assert series_of(store) == {}


def test_a_late_point_is_counted_in_the_bucket_in_which_it_happened(store: TelemetryStore) -> None:
    roll_up(store, point(1, NOW - 60))
    roll_up(store, point(7, NOW - 7200))
    assert series_of(store)["depth", ""].bucket_starts.tolist() == [NOW - 7200, NOW - 60]
    roll_up(store, point(8, NOW - 5 * 3600))
    assert series_of(store)["depth", ""].bucket_starts.tolist() == [NOW - 7200, NOW - 60]
    assert len(series_of(store, COARSE_SECONDS)["depth", ""].bucket_starts) == 3


def test_each_attribute_set_is_a_series_up_to_the_maximum_and_the_rest_share_one(store: TelemetryStore) -> None:
    points = [point(n, NOW - 60, attributes={"customer": f"c{n}"}) for n in range(MAX_SETS_PER_METRIC + 30)]
    roll_up(store, *points, point(0, NOW - 50, attributes={"customer": f"c{MAX_SETS_PER_METRIC + 29}"}))

    found = series_of(store)
    assert len(found) == MAX_SETS_PER_METRIC + 1
    assert found["depth", OTHER].counts.tolist() == [30]
    assert ("depth", f"customer=c{MAX_SETS_PER_METRIC + 29}") in found, "the most frequent have a series of their own"


def test_counters_within_the_series_other_are_kept_apart(store: TelemetryStore) -> None:
    def point_per_customer(at: float, value: float) -> list[MetricPoint]:
        sets = range(MAX_SETS_PER_METRIC + 2)
        return [point(value, at, MetricKind.CUMULATIVE, attributes={"customer": f"c{n}"}) for n in sets]

    roll_up(store, *point_per_customer(NOW - 120, 100), *point_per_customer(NOW - 60, 220))
    assert series_of(store)["depth", OTHER].means.tolist() == [2.0]


def test_no_persons_name_becomes_a_series(store: TelemetryStore, engine: Engine) -> None:
    roll_up(
        store,
        point(1, NOW - 60, attributes={"user.id": "ana", "route": "/"}),
        point(5, NOW - 50, MetricKind.CUMULATIVE, "served", attributes={"user.id": "ana"}),
    )
    with engine.connect() as connection:
        rows = [*connection.execute(select(metric_series)), *connection.execute(select(metric_counters))]
    assert list(series_of(store)) == [("depth", "route=/")]
    assert "ana" not in str(rows)


def test_a_pass_takes_no_more_than_its_limit_and_the_next_continues(store: TelemetryStore) -> None:
    store.append_metric_points([point(n, NOW - 60 + n) for n in range(5)])
    assert [store.roll_up((), now=NOW, limit=2).points for _ in range(4)] == [2, 2, 1, 0]
    assert series_of(store)["depth", ""].counts.tolist() == [5]


def test_some_series_are_read_by_name(store: TelemetryStore) -> None:
    roll_up(store, point(1, NOW - 60), point(2, NOW - 60, name="lag"), point(3, NOW - 60, service="cart"))
    wanted = [("cart", "depth", ""), ("shop", "lag", ""), ("shop", "nothing", "")]
    found = store.metric_series(since=NOW - 120, until=NOW, bucket_seconds=FINE_METRIC_SECONDS, series=wanted)
    assert [(one.service, one.name, one.means.tolist()) for one in found] == [
        ("cart", "depth", [3]),
        ("shop", "lag", [2]),
    ]


def test_metric_levels_hold_all_buckets_and_metric_names_all_series(store: TelemetryStore) -> None:
    roll_up(store, point(1, NOW - 120), point(2, NOW - 60), point(3, NOW - 60, name="lag"))
    found = store.metric_levels(since=NOW - 3600, until=NOW, bucket_seconds=FINE_METRIC_SECONDS)
    found_means = sorted(
        (found.names[row], start, mean)
        for row, start, mean in zip(found.rows.tolist(), found.bucket_starts, found.means, strict=True)
    )
    assert found_means == [
        (("shop", "depth", ""), NOW - 120, 1.0),
        (("shop", "depth", ""), NOW - 60, 2.0),
        (("shop", "lag", ""), NOW - 60, 3.0),
    ]
    assert [one.name for one in store.metric_names(name="lag")] == ["lag"]
    assert [one.name for one in store.metric_names(limit=1, offset=1)] == ["lag"]


def test_metric_levels_name_the_series_that_came_and_not_those_that_were_deleted(
    store: TelemetryStore, clock: Clock
) -> None:
    def levels(until: float) -> dict[str, float]:
        found = store.metric_levels(since=until - 3600, until=until, bucket_seconds=FINE_METRIC_SECONDS)
        means = zip(found.rows.tolist(), found.means.tolist(), strict=True)
        return {found.names[row][1]: mean for row, mean in means}

    roll_up(store, point(1, NOW - 60), point(2, NOW - 60, name="lag"))
    before = store.metric_levels(since=NOW - 3600, until=NOW, bucket_seconds=FINE_METRIC_SECONDS).names
    assert levels(NOW) == {"depth": 1.0, "lag": 2.0}
    assert store.metric_levels(since=NOW - 60, until=NOW, bucket_seconds=FINE_METRIC_SECONDS).names is before

    roll_up(store, point(3, NOW - 60, name="age"))
    assert levels(NOW) == {"depth": 1.0, "lag": 2.0, "age": 3.0}

    clock.now = later = NOW + 4 * DAY
    roll_up(store, point(4, later - 60, name="lag"), now=later)
    store.expire(now=later)
    roll_up(store, point(5, later - 60, name="newest"), point(6, later - 60, name="depth"), now=later)
    assert levels(later) == {"lag": 4.0, "newest": 5.0, "depth": 6.0}
    names = store.metric_levels(since=later - 60, until=later, bucket_seconds=FINE_METRIC_SECONDS).names
    assert sorted(name for _, name, _ in names) == ["depth", "lag", "newest"]


def test_overlong_names_and_extreme_values_do_no_harm(store: TelemetryStore) -> None:
    roll_up(
        store,
        point(1, NOW - 60, name="n" * 5000, service="s" * 5000, attributes={"k" * 300: "v" * 5000, "deep": {"a": [1]}}),
        point(float("inf"), NOW - 60),
        point(1e300, NOW - 50),
    )
    [(name, attributes)] = series_of(store)
    assert len(name) <= 150
    assert len(attributes) <= 150


def test_old_buckets_and_series_no_longer_sent_expire_and_make_room(
    store: TelemetryStore, clock: Clock, engine: Engine
) -> None:
    roll_up(store, *[point(1, NOW - 60, attributes={"pod": f"p{n}"}) for n in range(MAX_SETS_PER_METRIC)])
    later = NOW + 4 * DAY
    clock.now = later
    roll_up(store, point(2, later - 60, attributes={"pod": "new"}), now=later)
    assert series_of_hour(store, later) == {"other": 2.0}

    store.expire(now=later)
    roll_up(store, point(3, later - 30, attributes={"pod": "newer"}), now=later)
    assert series_of_hour(store, later)["pod=newer"] == 3.0
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(metric_series)) == 2


def series_of_hour(store: TelemetryStore, until: float) -> dict[str, float]:
    found = store.metric_series(since=until - 7200, until=until + 60, bucket_seconds=COARSE_SECONDS)
    return {one.attributes: float(one.means[-1]) for one in found}


def test_a_point_stays_in_the_hot_store_until_it_is_rolled_up(store: TelemetryStore, clock: Clock) -> None:
    store.append_metric_points([point(1, NOW)])
    clock.now = NOW + DAY
    store.expire(now=clock.now)
    assert len(store.metric_samples("shop", "depth", since=0.0, until=NOW + DAY)) == 1
    roll_up_all(store, (), now=clock.now)
    store.expire(now=clock.now)
    assert len(store.metric_samples("shop", "depth", since=0.0, until=NOW + DAY)) == 0


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_number_of_points_per_pass_does_not_change_the_buckets(
    make_store: Callable[..., TelemetryStore], size: int
) -> None:
    random = np.random.default_rng(5)
    store = make_store()
    rises = random.integers(1, 50, 40).cumsum()
    points = [point(float(value), NOW - 3000 + 60 * n, MetricKind.CUMULATIVE) for n, value in enumerate(rises)]
    store.append_metric_points(points)
    while store.roll_up((), now=NOW, limit=size).points:
        pass
    assert series_of(store)["depth", ""].means.tolist() == pytest.approx((np.diff(rises) / 60).tolist())


def scoped(value: float, at: float, scope: str, **more: Any) -> MetricPoint:
    attributes = {**({"otel.scope.name": scope} if scope else {}), **more.pop("attributes", {})}
    return point(value, at, attributes=attributes, **more)


def test_a_metric_that_two_scopes_send_is_two_series_whichever_pass_they_come_in(store: TelemetryStore) -> None:
    roll_up(store, scoped(400, NOW - 30, "readers"), scoped(7, NOW - 30, "writers"))
    roll_up(store, scoped(12, NOW - 20, "writers"))
    roll_up(store, scoped(402, NOW - 10, "readers"), scoped(1, NOW - 10, ""))

    found = {attributes: series.means.tolist() for (_, attributes), series in series_of(store).items()}
    assert found == {"": [401], "scope=writers": [9.5], "no scope": [1]}


def test_one_scope_adds_nothing_to_the_series_name_nor_splits_it(store: TelemetryStore) -> None:
    for value, at in ((3, NOW - 30), (5, NOW - 20)):
        roll_up(store, scoped(value, at, "readers", attributes={"shard": "a"}))

    assert {key: series.means.tolist() for key, series in series_of(store).items()} == {("depth", "shard=a"): [4]}


def test_a_series_from_before_scopes_were_kept_goes_on_with_the_first_that_comes(
    store: TelemetryStore, engine: Engine
) -> None:
    roll_up(store, point(2, NOW - 40))
    with engine.begin() as connection:
        connection.execute(update(metric_series).values(scope=None))
    for value, at in ((4, NOW - 30), (6, NOW - 20)):
        roll_up(store, scoped(value, at, "readers"), scoped(100, at, "writers"))

    found = {attributes: series.means.tolist() for (_, attributes), series in series_of(store).items()}
    assert found == {"": [4], "scope=writers": [100]}


def test_counters_of_two_scopes_are_not_taken_for_resets_of_one(store: TelemetryStore) -> None:
    for second in (0.0, 60.0, 120.0):
        at = NOW - 300 + second
        roll_up(
            store,
            scoped(1_000 + second, at, "readers", kind=MetricKind.CUMULATIVE),
            scoped(2 * second, at, "writers", kind=MetricKind.CUMULATIVE),
        )

    found = {attributes: set(series.means.tolist()) for (_, attributes), series in series_of(store).items()}
    assert found == {"": {1.0}, "scope=writers": {2.0}}


def test_what_the_watch_remembers_is_kept_for_the_series_that_are_known(store: TelemetryStore) -> None:
    roll_up(store, point(2, NOW - 30), point(3, NOW - 30, name="width"))
    depth, width, unknown = ("shop", "depth", ""), ("shop", "width", ""), ("shop", "height", "")

    store.keep_metric_memories({depth: b"\x00first", unknown: b"lost"})
    store.keep_metric_memories({depth: b"\x00second"})

    assert store.metric_memories([depth, width, unknown]) == {depth: b"\x00second"}


def test_what_was_remembered_of_a_series_goes_with_it(store: TelemetryStore) -> None:
    roll_up(store, point(2, NOW - 30))
    store.keep_metric_memories({("shop", "depth", ""): b"memory"})
    store.expire(now=NOW + 4 * DAY)
    roll_up(store, point(2, NOW + 4 * DAY - 30), now=NOW + 4 * DAY)
    assert store.metric_memories([("shop", "depth", "")]) == {}
