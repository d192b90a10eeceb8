"""The workers' memory of metrics: what is judged, what is learnt, and what outlives the process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from detection.metrics.series import MetricOptions
from detection.types import Floats
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, MetricLevels
from workers.memory.broken_times import PastIncident
from workers.memory.metric_buckets import Key
from workers.memory.metric_courses import fingerprint_of
from workers.memory.metrics import MetricMemory

KEY: Key = ("shop", "depth", "")
BEGAN = datetime(2026, 3, 16, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class Store:
    """Holds one metric's points, and what the watch remembers. `until`: later points have not come yet."""

    def __init__(self, times: Floats, values: Floats) -> None:
        self.times, self.values, self.until = times, values, np.inf
        self.memories: dict[Key, bytes] = {}

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        begins, ends = (math.ceil(moment / bucket_seconds) * bucket_seconds for moment in (since, until))
        low, high = np.searchsorted(self.times, [begins, min(ends, self.until)]).tolist()
        starts = self.times[low:high] // bucket_seconds * bucket_seconds
        starts, first, counts = np.unique(starts, return_index=True, return_counts=True)
        values = self.values[low:high]
        means = np.add.reduceat(values, first) / counts if len(first) else np.empty(0)
        lows = np.minimum.reduceat(values, first) if len(first) else means
        highs = np.maximum.reduceat(values, first) if len(first) else means
        rows = np.zeros(len(starts), dtype=np.int64)
        return MetricLevels([KEY], rows, starts, means, lows, highs)

    def metric_memories(self, series: Sequence[Key]) -> Mapping[Key, bytes]:
        return {key: self.memories[key] for key in series if key in self.memories}

    def keep_metric_memories(self, memories: Mapping[Key, bytes]) -> None:
        self.memories |= memories


def history(days: float, step: float = 300.0, seed: int = 1) -> tuple[Floats, Floats]:
    times = BEGAN + np.arange(round(days * DAY / step), dtype=np.float64) * step
    return times, 100 + 5 * np.random.default_rng(seed).standard_normal(len(times))


def watched(
    memory: MetricMemory,
    store: Store,
    since: float,
    until: float,
    past: Sequence[PastIncident] = (),
    timezone: str = "UTC",
) -> list[float]:
    """Let the memory judge each minute with a point; return the times at which the metric was broken."""
    found = []
    for at in store.times[(store.times >= since) & (store.times < until)].tolist():
        now = at // MINUTE * MINUTE + FINE_METRIC_SECONDS
        store.until = now
        if memory.departures(store, now=now, options=MetricOptions(timezone=timezone), past=past):
            found.append(at)
    return found


def incident(began: float, ended: float | None) -> PastIncident:
    return PastIncident(began, ended, "shop", frozenset({fingerprint_of(KEY)}))


def test_a_level_that_doubles_is_reported_at_each_of_its_points() -> None:
    times, values = history(6)
    values[-40:] *= 2
    broken = watched(MetricMemory(), Store(times, values), 0, np.inf)
    assert broken[0] - times[-40] <= 4 * 300
    assert broken[-1] == times[-1]


@pytest.mark.parametrize(("step", "late"), [(60.0, 90.0), (300.0, 240.0), (300.0, 480.0), (3600.0, 50 * 60.0)])
def test_the_points_of_a_sender_that_is_always_late_are_judged_as_well(step: float, late: float) -> None:
    times, values = history(max(3.0, 250 * step / DAY), step)
    values[-8:] *= 2
    store, memory = Store(times, values), MetricMemory()
    watched(memory, store, 0, float(times[-30]))
    found = []
    for now in np.arange(times[-30], times[-1] + late + 2 * MINUTE, MINUTE).tolist():
        store.until = now - late
        found += [now for _ in memory.departures(store, now=now, options=MetricOptions(), past=[])]
    assert found
    assert found[0] - times[-8] <= late + 5 * step


def test_a_minute_is_judged_once() -> None:
    times, values = history(4)
    values[-20:] *= 3
    store, memory, now = Store(times, values), MetricMemory(), float(times[-1]) + 60
    watched(memory, store, 0, float(times[-1]))
    assert memory.departures(store, now=now, options=MetricOptions(), past=[])
    assert memory.departures(store, now=now + 10, options=MetricOptions(), past=[]) == []


def test_a_new_process_goes_on_with_what_was_stored_and_judges_first_what_came_meanwhile() -> None:
    times, values = history(6)
    values[-30:] *= 2
    store, until = Store(times, values), float(times[-40])
    watched(MetricMemory(), store, 0, until)
    restarted = watched(MetricMemory(), store, float(times[-20]), np.inf)
    assert restarted[0] == times[-20]
    assert restarted[-1] == times[-1]


def test_without_a_stored_memory_a_new_process_does_not_judge_a_level_it_has_not_seen_change() -> None:
    times, values = history(6)
    values[-200:] *= 2
    store = Store(times, values)
    assert watched(MetricMemory(), store, float(times[-20]), np.inf) == []


def test_while_an_incident_is_open_nothing_is_learnt_and_when_it_is_over_the_watch_goes_on() -> None:
    times, values = history(8)
    values[-600:-560] *= 2
    values[-100:] *= 2
    store, memory = Store(times, values), MetricMemory()
    first = watched(memory, store, 0, float(times[-560]))
    still_open = [incident(first[0], None)]
    assert watched(memory, store, float(times[-560]), float(times[-540]), still_open)[8:] == []
    ended = [incident(first[0], float(times[-540]))]
    again = watched(memory, store, float(times[-540]), np.inf, ended)
    assert again[0] - times[-100] <= 4 * 300


def test_a_batch_at_night_that_was_alarming_twice_is_usual_from_then_on() -> None:
    times, values = history(9)
    at_night = (times % DAY >= 2 * HOUR) & (times % DAY < 3 * HOUR)
    values[at_night] += 200
    past = [incident(BEGAN + day * DAY + 2 * HOUR, BEGAN + day * DAY + 3 * HOUR + MINUTE) for day in range(2)]
    store, memory = Store(times, values), MetricMemory()
    watched(memory, store, 0, BEGAN + 2 * DAY, past)
    assert watched(memory, store, BEGAN + 2 * DAY, np.inf, past) == []


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_when_summer_time_begins_a_rhythm_goes_on_by_the_clock_or_without_it(by_the_clock: bool) -> None:
    times, values = history(20, step=1800.0)
    summer = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()
    local = times + HOUR + np.where(times >= summer, HOUR, 0.0) if by_the_clock else times
    busy = (local % DAY >= 8 * HOUR) & (local % DAY < 18 * HOUR)
    values[busy] += 150
    assert watched(MetricMemory(), Store(times, values), BEGAN + 0, np.inf, timezone="Europe/Berlin") == []


def test_what_lasted_two_days_is_what_is_expected_afterwards() -> None:
    step = 900.0
    times, values = history(12, step)
    changed = BEGAN + 6 * DAY
    values[times >= changed] += 300
    store, memory = Store(times, values), MetricMemory()
    assert watched(memory, store, 0, changed + 4 * step)[0] - changed <= 4 * step
    watched(memory, store, changed + 4 * step, changed + 2.2 * DAY, [incident(changed, None)])
    past = [incident(changed, changed + 2.1 * DAY)]
    assert watched(memory, store, changed + 2.2 * DAY, np.inf, past) == []
    low, high = memory.usual_range(KEY)
    assert low < 400 < high < 450


@pytest.mark.parametrize("told_until", [1.0, 2.1])
def test_a_new_normal_stays_normal_when_its_incident_is_long_past(told_until: float) -> None:
    times, values = history(34, step=1800.0)
    changed = BEGAN + 12 * DAY
    values[times >= changed] += 300
    store, memory = Store(times, values), MetricMemory()
    ended = incident(changed, changed + told_until * DAY)
    assert watched(memory, store, 0, ended.ended or 0.0, [incident(changed, None)])
    watched(memory, store, ended.ended or 0.0, changed + 2.2 * DAY, [ended])
    for day in range(3, 20):
        past = [ended] if day < 8 else []
        assert watched(memory, store, changed + (day - 0.8) * DAY, changed + (day + 0.2) * DAY, past) == []
        assert day < 6 or memory.usual_range(KEY)[0] > 350


def test_a_spike_within_a_minute_of_many_points_is_seen() -> None:
    times = BEGAN + 10.0 * np.arange(2 * 8640, dtype=np.float64)
    values = 100 + 5 * np.random.default_rng(3).standard_normal(len(times))
    values[-60:] += np.where(np.arange(60) % 6 == 0, 400.0, 0.0)
    minutes = Store(times, values)
    asked = minutes.times[::6]
    minutes_only = Store(minutes.times, minutes.values)
    memory, found = MetricMemory(), []
    for at in asked.tolist():
        if memory.departures(minutes_only, now=at + 60, options=MetricOptions(), past=[]):
            found.append(at)
    assert found
    assert found[0] - times[-60] <= 5 * MINUTE


def test_hours_are_not_read_again_at_every_minute() -> None:
    times, values = history(3, step=60.0)
    store, memory = Store(times, values), MetricMemory()
    watched(memory, store, float(times[-60]), float(times[-20]))
    read: list[int] = []
    kept = store.metric_levels

    def counted(*, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        read.append(bucket_seconds)
        return kept(since=since, until=until, bucket_seconds=bucket_seconds)

    store.metric_levels = counted  # type: ignore[method-assign]
    watched(memory, store, float(times[-20]), float(times[-15]))
    assert read.count(COARSE_SECONDS) <= 4


class ManySeries:
    """Holds a point a minute of many series. `names` is a new object only when a series comes or goes."""

    def __init__(self, count: int) -> None:
        self.names: tuple[Key, ...] = tuple(("shop", f"depth {number}", "") for number in range(count))
        self.memories: dict[Key, bytes] = {}
        self.stored: list[list[Key]] = []
        self.read: list[tuple[float, float]] = []

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        if bucket_seconds == FINE_METRIC_SECONDS:
            self.read.append((since, until))
        starts = np.arange(since, until, bucket_seconds)
        rows, times = np.tile(np.arange(len(self.names)), len(starts)), np.repeat(starts, len(self.names))
        values = 100.0 + rows + times % 7
        return MetricLevels(self.names, rows, times, values, values, values)

    def metric_memories(self, series: Sequence[Key]) -> Mapping[Key, bytes]:
        return {key: self.memories[key] for key in series if key in self.memories}

    def keep_metric_memories(self, memories: Mapping[Key, bytes]) -> None:
        self.memories |= memories
        self.stored.append(list(memories))


def caught_up(store: ManySeries, until: float) -> MetricMemory:
    """Return a memory that judged every minute before `until`."""
    memory, now = MetricMemory(), until
    while memory.judged_until != until:
        memory.departures(store, now=now, options=MetricOptions(), past=[])
    return memory


def test_a_minute_is_read_once_for_judging_and_for_late_points() -> None:
    store = ManySeries(3)
    memory = caught_up(store, BEGAN)
    store.read.clear()
    memory.departures(store, now=BEGAN + MINUTE, options=MetricOptions(), past=[])
    minutes = [minute for since, until in store.read for minute in np.arange(since, until, MINUTE).tolist()]
    assert {BEGAN - late * MINUTE for late in (0, 1, 2, 3)} <= set(minutes)
    assert len(minutes) == len(set(minutes)) < 10


def test_after_a_pause_every_minute_is_judged() -> None:
    store = ManySeries(3)
    memory = caught_up(store, BEGAN)
    seen = memory._streams.seen[0]
    later = BEGAN + 10 * MINUTE
    while memory.judged_until != later:
        memory.departures(store, now=later, options=MetricOptions(), past=[])
    assert memory._streams.seen[0] == seen + 10


def test_memories_are_stored_little_by_little_and_each_one_gets_its_turn() -> None:
    store = ManySeries(400)
    memory = caught_up(store, BEGAN)
    store.stored.clear()
    for tick in range(1, 30):
        memory.departures(store, now=BEGAN + 10 * tick, options=MetricOptions(), past=[])
    assert max(map(len, store.stored)) <= 250 / 6
    assert set(store.memories) == set(store.names)


def test_with_more_series_than_an_hour_stores_the_last_ones_are_stored_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.memory.metrics._KEPT_A_MINUTE", 2)
    store = ManySeries(200)
    memory = caught_up(store, BEGAN)
    for minute in range(1, 110):
        memory.departures(store, now=BEGAN + minute * MINUTE, options=MetricOptions(), past=[])
    assert set(store.memories) == set(store.names)


def test_a_series_that_comes_and_one_that_goes_keep_the_others_in_place() -> None:
    store = ManySeries(4)
    memory = caught_up(store, BEGAN)
    seen = int(memory._streams.seen[0])
    gone, *kept = store.names
    store.names = (*kept, ("shop", "new", ""))
    for minute in range(1, 4):
        memory.departures(store, now=BEGAN + minute * MINUTE, options=MetricOptions(), past=[])
    held = dict(zip(memory.keys(), memory._streams.seen.tolist(), strict=True))
    assert held[gone] == seen
    assert {held[key] for key in kept} == {seen + 3}
    assert "new" in {name for _, name, _ in held}
    low, high = memory.usual_range(kept[-1])
    assert low < 103 + 7
    assert high > 103
