"""Funnel levels (buckets in brief) agree with the full series."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import pytest

from detection.funnels.cohorts import totals
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, TelemetryStore
from tests.contract.storage.telemetry.records import FUNNEL, NOW, STEPS, make_event, roll_up_all, visit


class Span(TypedDict):
    """From `since` (inclusive) to `until` (exclusive)."""

    since: float
    until: float


def fill(store: TelemetryStore) -> None:
    for number in range(12):
        at = NOW - number * 700
        store.append_events(visit(f"u{number}", at, *STEPS[: 1 + number % 3], country="de" if number % 2 else "fr"))
    slow = [make_event(step, "slow", NOW - 900 + 200 * index, country="de") for index, step in enumerate(STEPS)]
    store.append_events(slow)
    roll_up_all(store)


@pytest.mark.parametrize("bucket_seconds", [FINE_FUNNEL_SECONDS, COARSE_SECONDS])
@pytest.mark.parametrize("horizon_seconds", [30.0, 600.0])
def test_funnel_levels_agree_with_the_full_series(
    store: TelemetryStore, bucket_seconds: int, horizon_seconds: float
) -> None:
    fill(store)
    span: Span = {"since": NOW - 5000, "until": NOW + 1}
    levels = store.funnel_levels(FUNNEL, **span, bucket_seconds=bucket_seconds, horizon_seconds=horizon_seconds)
    series = store.funnel_series(1, **span, bucket_seconds=bucket_seconds)
    assert set(levels.names) == {(one.dimension, one.value) for one in series if one.entries.size}
    for one in series:
        mine = levels.rows == list(levels.names).index((one.dimension, one.value))
        assert levels.bucket_starts[mine].tolist() == one.bucket_starts.tolist()
        _, converted, reached = totals(one, horizon_seconds, **span)
        assert levels.reached[mine].sum(axis=0).tolist() == [*reached[:-1].tolist(), converted]
    waited = 600 if horizon_seconds == 600 else 0
    everyone = levels.rows == list(levels.names).index((None, None))
    assert levels.reached[everyone, -1].sum() == 2 + bool(waited)


def test_levels_without_any_events_are_empty(store: TelemetryStore) -> None:
    levels = store.funnel_levels(FUNNEL, since=0, until=NOW, bucket_seconds=COARSE_SECONDS, horizon_seconds=60)
    assert (list(levels.names), levels.rows.size, levels.reached.shape) == ([], 0, (0, len(STEPS)))


def test_the_everyone_series_read_alone_equals_the_one_read_with_all(store: TelemetryStore) -> None:
    fill(store)
    span: Span = {"since": NOW - 5000, "until": NOW + 1}
    (alone,) = store.funnel_series(1, **span, bucket_seconds=FINE_FUNNEL_SECONDS, everyone_only=True)
    among = store.funnel_series(1, **span, bucket_seconds=FINE_FUNNEL_SECONDS)[0]
    assert alone.dimension is None
    for name in ("bucket_starts", "entries", "reached", "converted_by_delay"):
        assert np.array_equal(getattr(alone, name), getattr(among, name))
