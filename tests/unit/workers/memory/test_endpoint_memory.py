"""The screening of endpoints selects every endpoint that a full read of all would find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from sqlalchemy import delete

from detection.endpoints.findings import endpoint_findings
from detection.funnels.attempts import attempts
from detection.options import EndpointOptions
from detection.types import DURATION_EDGES_MS
from storage.database.session import create_database
from storage.telemetry.endpoints.rollup import EndpointBucket
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack
from storage.telemetry.rows.tables import endpoint_buckets
from storage.telemetry.sql import SqlTelemetry
from workers.memory.broken_times import PastIncident
from workers.memory.endpoints import EndpointMemory

NOW = 1_770_467_405.0
HOUR = NOW // COARSE_SECONDS * COARSE_SECONDS
FINE = NOW // FINE_ENDPOINT_SECONDS * FINE_ENDPOINT_SECONDS
OPTIONS = EndpointOptions()


@dataclass
class Buckets:
    """Writes rolled-up buckets of log-normal durations."""

    store: SqlTelemetry
    random: np.random.Generator

    def put(
        self,
        resolution: int,
        start: float,
        endpoint: str,
        requests: int,
        ms: float,
        queries: int = 3,
        errors: int = 0,
    ) -> None:
        self._write([self._row(resolution, start, endpoint, requests, ms, queries, errors)])

    def history(self, endpoint: str, ms: float, *, hours: int = 48, requests: int = 200) -> None:
        self._write(
            [
                self._row(
                    COARSE_SECONDS, HOUR - hour * COARSE_SECONDS, endpoint, requests, ms * (1 + 0.2 * (hour % 3)), 3, 0
                )
                for hour in range(1, hours + 1)
            ]
        )

    def lately(self, endpoint: str, ms: float, *, requests: int = 20, queries: int = 3, errors: int = 0) -> None:
        self._write(
            [
                self._row(FINE_ENDPOINT_SECONDS, FINE - interval * 10, endpoint, requests, ms, queries, errors)
                for interval in range(1, 10)
            ]
        )

    def _write(self, rows: list[EndpointBucket]) -> None:
        with self.store._engine.begin() as connection:
            put(connection, endpoint_buckets, EndpointBucket._fields, rows)

    def _row(
        self, resolution: int, start: float, endpoint: str, requests: int, ms: float, queries: int, errors: int
    ) -> EndpointBucket:
        durations = self.random.lognormal(np.log(ms), 0.4, requests)
        rows = np.zeros(requests, dtype=np.int64)
        durations_blob = pack([Counts(rows, np.searchsorted(DURATION_EDGES_MS, durations), rows + 1)], 1)[0]
        queries_blob = pack([Counts(rows, rows + queries, rows + 1)], 1)[0]
        return EndpointBucket(
            resolution, start, "shop", endpoint, requests, errors, queries * requests, durations_blob, queries_blob
        )


@pytest.fixture
def buckets(sqlite_url: str) -> Iterator[Buckets]:
    engine = create_database(sqlite_url)
    yield Buckets(
        SqlTelemetry(engine, funnel_reader=attempts, segment_dimensions=[], clock=lambda: NOW), np.random.default_rng(1)
    )
    engine.dispose()


def worth_reading(store: SqlTelemetry, memory: EndpointMemory | None = None, now: float = NOW) -> set[str]:
    found = (memory or EndpointMemory()).worth_reading(store, now=now, options=OPTIONS)
    return {endpoint for _, endpoint in found}


def found_in_full(store: SqlTelemetry) -> set[str]:
    """Return the endpoints with findings when everything is read in full."""
    findings = endpoint_findings(
        store.endpoint_series(since=NOW - 3600, until=NOW, bucket_seconds=FINE_ENDPOINT_SECONDS),
        store.endpoint_series(since=NOW - 168 * 3600, until=NOW, bucket_seconds=COARSE_SECONDS),
        now=NOW,
        options=OPTIONS,
    )
    return {finding.subject.endpoint or "" for finding in findings}


def test_every_endpoint_found_by_reading_everything_is_worth_reading(buckets: Buckets) -> None:
    for number, times in enumerate([1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0, 8.0]):
        buckets.history(f"latency {number}", 80.0)
        buckets.lately(f"latency {number}", 80.0 * times)
    for number, queries in enumerate([3, 6, 9, 12, 40]):
        buckets.history(f"queries {number}", 80.0)
        buckets.lately(f"queries {number}", 80.0, queries=queries)
    for number, errors in enumerate([0, 1, 2, 8]):
        buckets.history(f"errors {number}", 80.0)
        buckets.lately(f"errors {number}", 80.0, errors=errors)
    for interval in range(10, 100):
        buckets.put(FINE_ENDPOINT_SECONDS, FINE - interval * 10, "errors 3", 20, 80.0)
    found = found_in_full(buckets.store)
    assert {"latency 7", "queries 4", "errors 3"} <= found
    assert found <= worth_reading(buckets.store)


def test_a_healthy_endpoint_is_not_read_in_full_and_a_broken_one_is(buckets: Buckets) -> None:
    for endpoint, ms in (("healthy", 80.0), ("broken", 800.0)):
        buckets.history(endpoint, 80.0)
        buckets.lately(endpoint, ms)
    assert worth_reading(buckets.store) == {"broken"}


def test_an_endpoint_with_too_little_history_is_read_in_full(buckets: Buckets) -> None:
    buckets.history("new", 80.0, hours=2)
    buckets.lately("new", 80.0)
    buckets.lately("newer", 80.0)
    assert worth_reading(buckets.store) == {"new", "newer"}


def test_an_endpoint_that_is_hardly_called_is_not_read_in_full(buckets: Buckets) -> None:
    buckets.history("rare", 80.0)
    buckets.lately("rare", 800.0, requests=4)
    assert worth_reading(buckets.store) == set()


def test_late_data_in_an_hour_is_included_after_as_many_ticks_as_there_are_hours(buckets: Buckets) -> None:
    buckets.history("shifted", 800.0)
    buckets.lately("shifted", 800.0)
    memory = EndpointMemory()
    assert worth_reading(buckets.store, memory) == set()
    buckets.put(COARSE_SECONDS, HOUR - 30 * COARSE_SECONDS, "shifted", 500, 80.0)
    seen = [worth_reading(buckets.store, memory) for _ in range(170)]
    assert seen[-1] == {"shifted"}


def counted(buckets: Buckets, monkeypatch: pytest.MonkeyPatch, seconds: int) -> list[float]:
    """Return a list to which the start of each bucket of this size is added when it is read."""
    read = list[float]()
    real = buckets.store.endpoint_levels

    def counting(starts: Sequence[float], *, bucket_seconds: int, minimum_requests: int) -> object:
        if bucket_seconds == seconds:
            read.extend(starts)
        return real(starts, bucket_seconds=bucket_seconds, minimum_requests=minimum_requests)

    monkeypatch.setattr(buckets.store, "endpoint_levels", counting)
    return read


def test_an_hour_is_read_again_when_something_was_added_to_it_or_when_it_comes_to_count(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.history("healthy", 80.0)
    buckets.lately("healthy", 80.0)
    memory, read = EndpointMemory(), counted(buckets, monkeypatch, COARSE_SECONDS)
    worth_reading(buckets.store, memory)
    assert len(read) == 170
    read.clear()
    for _ in range(170):
        worth_reading(buckets.store, memory)
    assert read == []
    buckets.put(COARSE_SECONDS, HOUR - 30 * COARSE_SECONDS, "healthy", 201, 80.0)
    for _ in range(170):
        worth_reading(buckets.store, memory)
    assert read == [HOUR - 30 * COARSE_SECONDS]
    read.clear()
    worth_reading(buckets.store, memory, now=NOW + 1830)
    assert read == [HOUR + COARSE_SECONDS]
    read.clear()
    worth_reading(buckets.store, memory, now=NOW + 3590)
    assert read == []
    worth_reading(buckets.store, memory, now=NOW + 3596)
    assert read == [HOUR]


def test_what_came_to_the_current_hour_counts_once_the_hour_does(buckets: Buckets) -> None:
    buckets.history("grown", 80.0)
    buckets.lately("grown", 80.0)
    memory = EndpointMemory()
    assert worth_reading(buckets.store, memory) == set()
    buckets.put(COARSE_SECONDS, HOUR, "grown", 500, 20.0)
    later = HOUR + COARSE_SECONDS + OPTIONS.recent_window_seconds + 15
    for interval in range(1, 13):
        buckets.put(FINE_ENDPOINT_SECONDS, later // 10 * 10 - interval * 10, "grown", 20, 130.0)
    assert worth_reading(buckets.store, memory, now=later) == {"grown"}


def test_an_endpoint_that_comes_up_between_two_hours_is_young_and_the_others_are_judged_as_before(
    buckets: Buckets,
) -> None:
    buckets.history("old", 80.0)
    buckets.lately("old", 80.0)
    memory = EndpointMemory()
    assert worth_reading(buckets.store, memory) == set()
    buckets.lately("new", 80.0)
    later = NOW + 10
    buckets.put(FINE_ENDPOINT_SECONDS, FINE, "new", 20, 80.0)
    assert worth_reading(buckets.store, memory, now=later) == {"new"}
    for interval in range(3):
        buckets.put(FINE_ENDPOINT_SECONDS, FINE + interval * 10, "old", 20, 800.0)
    assert worth_reading(buckets.store, memory, now=NOW + 30) == {"new", "old"}


def three_broken_days(buckets: Buckets) -> list[PastIncident]:
    """Let three days of an endpoint look far faster than usual, and return the incident that is open since then."""
    buckets.history("left", 80.0, hours=160)
    for hour in range(1, 73):
        buckets.put(COARSE_SECONDS, HOUR - hour * COARSE_SECONDS, "left", 200, 20.0)
    buckets.lately("left", 90.0)
    return [PastIncident(HOUR - 72 * 3600, None, "shop", frozenset({"error_rate:endpoint:shop:left"}))]


def test_an_incident_that_opens_between_two_hours_changes_what_counts_at_once(buckets: Buckets) -> None:
    past, memory = three_broken_days(buckets), EndpointMemory()
    assert memory.worth_reading(buckets.store, now=NOW, options=OPTIONS, past=past) == []
    assert worth_reading(buckets.store, memory) == {"left"}


def test_the_newest_intervals_and_one_more_are_read_again_if_something_was_added_to_them(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets.history("healthy", 80.0)
    buckets.lately("healthy", 80.0)
    memory = EndpointMemory()
    worth_reading(buckets.store, memory)
    read = counted(buckets, monkeypatch, FINE_ENDPOINT_SECONDS)
    worth_reading(buckets.store, memory, NOW + 10)
    assert read == [FINE]
    buckets.lately("healthy", 80.0, requests=21)
    worth_reading(buckets.store, memory, NOW + 20)
    read.clear()
    worth_reading(buckets.store, memory, NOW + 30)
    assert sorted(read) == [FINE - 90, FINE + 20]


def test_a_break_in_late_requests_is_included_after_as_many_ticks_as_there_are_intervals(
    buckets: Buckets,
) -> None:
    buckets.history("late", 80.0)
    buckets.lately("late", 80.0)
    memory = EndpointMemory()
    assert worth_reading(buckets.store, memory) == set()
    buckets.lately("late", 800.0, requests=21)
    assert [worth_reading(buckets.store, memory) for _ in range(12)][-1] == {"late"}


def test_an_endpoint_that_is_not_called_any_more_is_worth_reading(buckets: Buckets) -> None:
    for hour in range(1, 8 * 24):
        buckets.put(COARSE_SECONDS, HOUR - hour * COARSE_SECONDS, "silent", 15_000, 80.0)
    assert worth_reading(buckets.store) == {"silent"}


def test_hours_of_an_incident_are_left_out_of_the_baseline(buckets: Buckets) -> None:
    """Three days of an open incident do not become normal, whichever metric was broken."""
    past, memory = three_broken_days(buckets), EndpointMemory()
    assert worth_reading(buckets.store, memory) == {"left"}
    read = memory.worth_reading(buckets.store, now=NOW, options=OPTIONS, past=past)
    assert read == []


def test_every_hour_is_read_again_within_an_hour_even_if_ticks_are_rare(buckets: Buckets) -> None:
    buckets.history("shifted", 800.0)
    buckets.lately("shifted", 800.0)
    memory = EndpointMemory()
    worth_reading(buckets.store, memory)
    buckets.put(COARSE_SECONDS, HOUR - 30 * COARSE_SECONDS, "shifted", 500, 80.0)
    buckets.put(COARSE_SECONDS, HOUR - 29 * COARSE_SECONDS, "shifted", 500, 80.0)
    for number in range(1, 362):
        at = NOW + number * 10
        buckets.put(FINE_ENDPOINT_SECONDS, at // 10 * 10, "shifted", 20, 800.0)
    assert "shifted" in worth_reading(buckets.store, memory, now=NOW + 3600)


def test_endpoints_that_are_gone_are_forgotten_and_the_others_are_judged_as_before(buckets: Buckets) -> None:
    memory = EndpointMemory()
    for endpoint, ms in (("healthy", 80.0), ("broken", 800.0)):
        buckets.history(endpoint, 80.0)
        buckets.lately(endpoint, ms)
    for number in range(30):
        buckets.put(FINE_ENDPOINT_SECONDS, FINE - 20, f"GET /users/{number}", 1, 80.0)
    worth_reading(buckets.store, memory)
    assert len(memory._numbers) == 32
    with buckets.store._engine.begin() as connection:
        connection.execute(delete(endpoint_buckets).where(endpoint_buckets.c.endpoint.startswith("GET /users/")))
    for _ in range(60):
        found = worth_reading(buckets.store, memory)
    assert found == worth_reading(buckets.store) == {"broken"}
    assert len(memory._numbers) == 2
