"""The screening of funnels reads little, includes late data in time, and selects the broken ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from detection.funnels.attempts import attempts
from detection.options import FunnelOptions
from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition, FunnelStep
from storage.database.session import create_database
from storage.telemetry.funnels.rollup import FunnelBucket
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, FunnelLevels
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack
from storage.telemetry.rows.tables import funnel_buckets, funnel_marks
from storage.telemetry.sql import SqlTelemetry
from workers.memory.funnels import FINE_AGAIN, FunnelMemory, everyone_series

NOW = 1_770_467_405.0
HOUR = NOW // COARSE_SECONDS * COARSE_SECONDS
FUNNEL = FunnelDefinition(1, "Signup", (FunnelStep("view", "view"), FunnelStep("done", "done")), 600.0, 7)
OPTIONS = FunnelOptions()
TEN_MINUTES = 600.0


@dataclass
class Counting(SqlTelemetry):
    """The real store; it records which buckets are read."""

    engine: object
    asked: list[tuple[int, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.engine, funnel_reader=attempts, segment_dimensions=[], clock=lambda: NOW)  # type: ignore[arg-type]

    def funnel_levels(
        self, funnel: FunnelDefinition, *, since: float, until: float, bucket_seconds: int, horizon_seconds: float
    ) -> FunnelLevels:
        self.asked.append((bucket_seconds, since, until))
        return super().funnel_levels(
            funnel, since=since, until=until, bucket_seconds=bucket_seconds, horizon_seconds=horizon_seconds
        )

    def buckets_asked(self, resolution: int) -> int:
        return sum(round((until - since) / width) for width, since, until in self.asked if width == resolution)

    def fill(
        self, resolution: int, starts: Sequence[float], entries: int, rate: float, country: str | None = None
    ) -> None:
        """Write exactly this number of entries and conversions into each bucket."""
        converted, size = round(entries * rate), len(starts)
        rows, column = np.arange(size), int(np.searchsorted(DELAY_EDGES_SECONDS, 3.0))
        reached = pack(
            [Counts(rows, rows * 0, rows * 0 + entries), Counts(rows, rows * 0 + 1, rows * 0 + converted)], size
        )
        delays = pack([Counts(rows, rows * 0 + column, rows * 0 + converted)], size)
        name = ("country", country) if country else ("", "")
        table = [
            (1, resolution, start, *name, entries, *blobs)
            for start, *blobs in zip(starts, reached, delays, strict=True)
        ]
        with self._engine.begin() as connection:
            put(connection, funnel_buckets, FunnelBucket._fields, table)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Counting]:
    """A store with the funnel and no entries."""
    engine = create_database(sqlite_url)
    with engine.begin() as connection:
        put(connection, funnel_marks, ("funnel_id", "sequence", "step_count", "window_seconds"), [(1, 0, 2, 600.0)])
    yield Counting(engine)
    engine.dispose()


def hours(count: int) -> list[float]:
    return [HOUR - number * COARSE_SECONDS for number in range(1, count + 1)]


def tens(since: float, until: float) -> list[float]:
    return np.arange(since // 10 * 10, until // 10 * 10, FINE_FUNNEL_SECONDS).tolist()


def is_worth(
    memory: FunnelMemory, store: Counting, now: float = NOW, *, excluded: Sequence[tuple[float, float]] = ()
) -> bool:
    store.asked.clear()
    return memory.worth_reading(
        store, FUNNEL, now=now, baseline_seconds=168 * 3600.0, options=OPTIONS, excluded=lambda segment: excluded
    )


def test_a_healthy_funnel_is_not_worth_reading_and_a_broken_one_is(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW + 60), 20, 0.3)
    memory = FunnelMemory()
    assert not is_worth(memory, store)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW, NOW + TEN_MINUTES), 20, 0.15)
    assert is_worth(memory, store, NOW + TEN_MINUTES)


def test_at_every_minute_the_hours_begin_with_the_same_hour_of_last_week(store: Counting) -> None:
    for minute in range(0, 60, 7):
        now = HOUR + 60.0 * minute
        is_worth(FunnelMemory(), store, now)
        judged = (now - FUNNEL.window_seconds - OPTIONS.recent_window_seconds) // COARSE_SECONDS * COARSE_SECONDS
        first = min(since for width, since, _ in store.asked if width == COARSE_SECONDS)
        assert first <= judged - 7 * 86_400 + COARSE_SECONDS
        assert first % COARSE_SECONDS == 0


def test_a_break_of_one_segment_and_a_rise_are_worth_reading(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    for country, rate in (("DE", 0.3), ("FR", 0.1)):
        store.fill(COARSE_SECONDS, hours(100), 700, 0.3, country)
        store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 10, rate, country)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 100, 0.3)
    assert is_worth(FunnelMemory(), store)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 10, 0.3, "FR")
    assert not is_worth(FunnelMemory(), store)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 100, 0.45)
    assert is_worth(FunnelMemory(), store)


def test_the_next_tick_reads_a_few_buckets_and_not_the_past(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(168), 7200, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW + 60), 20, 0.3)
    memory = FunnelMemory()
    is_worth(memory, store)
    assert store.buckets_asked(COARSE_SECONDS) >= 165
    is_worth(memory, store, NOW + 10)
    assert store.buckets_asked(COARSE_SECONDS) <= 2
    assert store.buckets_asked(FINE_FUNNEL_SECONDS) <= 7


def test_late_data_is_included_once_every_bucket_was_read_again(store: Counting) -> None:
    """At first most conversions of the last half hour are missing; then they arrive, in buckets read before."""
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 20, 0.1)
    memory = FunnelMemory()
    assert is_worth(memory, store)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 20, 0.3)
    turns = round(OPTIONS.recent_window_seconds / FINE_FUNNEL_SECONDS / FINE_AGAIN) + 1
    seen = [is_worth(memory, store) for _ in range(turns)]
    assert seen[0]
    assert not seen[-1]


def test_a_history_that_is_still_arriving_is_used_as_soon_as_it_is_complete(store: Counting) -> None:
    memory = FunnelMemory()
    assert not is_worth(memory, store)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 20, 0.1)
    store.fill(COARSE_SECONDS, hours(10), 7200, 0.3)
    assert not is_worth(memory, store)
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    assert memory.whose_turn([FUNNEL], NOW) == FUNNEL
    everyone = everyone_series(store, FUNNEL.funnel_id, since=NOW - 168 * 3600, until=NOW)
    memory.learn(FUNNEL, everyone, [], now=NOW, options=OPTIONS)
    assert is_worth(memory, store, NOW + 10)


def test_hours_of_an_incident_are_left_out_of_a_funnels_baseline(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(160), 7200, 0.3)
    store.fill(COARSE_SECONDS, hours(120), 7200, 0.15)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 20, 0.15)
    assert not is_worth(FunnelMemory(), store)
    assert is_worth(FunnelMemory(), store, excluded=[(HOUR - 120 * 3600, HOUR)])


def test_a_turn_comes_once_an_hour_and_one_funnel_at_a_time(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    memory = FunnelMemory()
    assert memory.whose_turn([FUNNEL], NOW) is None
    is_worth(memory, store)
    assert memory.whose_turn([FUNNEL], NOW) == FUNNEL
    memory.learn(FUNNEL, None, [], now=NOW, options=OPTIONS)
    assert memory.whose_turn([FUNNEL], NOW + 10) is None
    assert memory.whose_turn([FUNNEL], NOW + 3600) == FUNNEL
    assert memory.whose_turn([], NOW + 3600) is None


def test_a_funnel_looked_at_before_its_history_arrives_sees_a_drop_at_the_next_tick(store: Counting) -> None:
    """Without data the horizon is the funnel's window; with it, three seconds. The drop is younger than the window."""
    memory = FunnelMemory()
    assert not is_worth(memory, store)
    memory.learn(FUNNEL, everyone_series(store, 1, since=0.0, until=NOW), [], now=NOW, options=OPTIONS)
    store.fill(COARSE_SECONDS, hours(100), 7200, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW - 240), 20, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 240, NOW), 20, 0.02)
    assert is_worth(memory, store, NOW + 10)


def test_a_history_that_arrives_in_parts_is_read_again_in_full(store: Counting) -> None:
    store.fill(COARSE_SECONDS, hours(168), 300, 0.3)
    store.fill(FINE_FUNNEL_SECONDS, tens(NOW - 2400, NOW), 20, 0.3)
    memory = FunnelMemory()
    is_worth(memory, store)
    store.fill(COARSE_SECONDS, hours(168), 7200, 0.3)
    asked = []
    for tick in range(1, 5):
        is_worth(memory, store, NOW + 10 * tick)
        asked.append(store.buckets_asked(COARSE_SECONDS))
    assert max(asked[:2]) >= 165
    assert max(asked[2:]) <= 2
