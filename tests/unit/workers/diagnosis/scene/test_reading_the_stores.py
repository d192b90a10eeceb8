"""What the stores hold as courses, groups of lines and traces; what is too little to say anything is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pytest

from detection.types import (
    DURATION_EDGES_MS,
    QUERY_EDGES,
    EndpointSeries,
    Floats,
    LogSeries,
    MetricSeries,
    Span,
    SpanKind,
)
from storage.telemetry.protocol import FINE_LOG_SECONDS, MetricName, TelemetryStore
from tests.unit.workers.diagnosis.scenery import END, HOUR, MINUTE, ONSET, START, calls, course
from workers.diagnosis.scene.courses import endpoint_courses, metric_courses
from workers.diagnosis.scene.lines import line_groups, when_lines_turned
from workers.diagnosis.scene.traces import edges_of, hops_of


@dataclass
class Kept:
    """The series that a telemetry store would give."""

    endpoints: Sequence[EndpointSeries] = ()
    logs: Sequence[LogSeries] = ()
    metrics: Sequence[MetricSeries] = ()

    def endpoint_series(self, *, since: float, until: float, bucket_seconds: int) -> Sequence[EndpointSeries]:
        return self.endpoints

    def log_series(self, *, since: float, until: float, bucket_seconds: int, kind: str) -> Sequence[LogSeries]:
        return self.logs

    def metric_names(self, *, limit: int) -> Sequence[MetricName]:
        return [MetricName(item.service, item.name, item.attributes, False) for item in self.metrics]

    def metric_series(
        self, *, since: float, until: float, bucket_seconds: int, series: object
    ) -> Sequence[MetricSeries]:
        return self.metrics


def store(kept: Kept) -> TelemetryStore:
    return cast(TelemetryStore, kept)


def times(count: int, apart: float) -> Floats:
    found: Floats = np.arange(count, dtype=np.float64) * apart + START
    return found


def endpoint(requests: int, errors: int, *, queries: int = 0, minutes: int = 30) -> EndpointSeries:
    """Return as many requests in each of two half minutes, all between 100 and 250 ms long or so."""
    starts = times(minutes * 2, 30.0)
    durations = np.zeros((len(starts), len(DURATION_EDGES_MS) + 1), dtype=np.int64)
    durations[:, 6] = requests
    whole = np.ones(len(starts), dtype=np.int64)
    per_query = np.zeros((len(starts), len(QUERY_EDGES) + 1), dtype=np.int64)
    return EndpointSeries(
        "checkout", "POST /pay", starts, whole * requests, whole * errors, whole * queries, durations, per_query
    )


def test_an_endpoint_has_its_rate_error_share_latency_and_queries_minute_by_minute() -> None:
    found = {item.name: item for item in endpoint_courses(store(Kept([endpoint(10, 1, queries=30)])), since=0, until=1)}

    assert set(found) == {"requests_per_minute", "error_rate", "latency_p95_ms", "db_queries_per_request"}
    assert set(found["requests_per_minute"].values) == {20.0}
    assert set(found["error_rate"].values) == {0.1}
    assert set(found["db_queries_per_request"].values) == {3.0}
    assert set(found["latency_p95_ms"].values) == {float(DURATION_EDGES_MS[6])}
    assert set(np.diff(found["error_rate"].times)) == {MINUTE}
    assert found["error_rate"].labels == "POST /pay"


def test_an_endpoint_with_a_handful_of_requests_has_no_course() -> None:
    assert not endpoint_courses(store(Kept([endpoint(1, 1, minutes=30)])), since=0, until=1)


def test_minutes_with_few_requests_say_nothing_of_errors_and_latency() -> None:
    found = endpoint_courses(store(Kept([endpoint(2, 2, minutes=60)])), since=0, until=1)

    assert [item.name for item in found] == ["requests_per_minute"]


def test_an_endpoint_without_queries_has_no_course_of_them() -> None:
    found = endpoint_courses(store(Kept([endpoint(10, 0)])), since=0, until=1)

    assert "db_queries_per_request" not in {item.name for item in found}


def log_lines(before: int, during: int, *, severity: str = "ERROR", since: float = START) -> LogSeries:
    starts = np.arange(since, END, FINE_LOG_SECONDS)
    counts = np.where(starts < ONSET, before, during)
    kept = counts > 0
    return LogSeries("log_template", "t1", "checkout", "failed <N>", severity, starts[kept], counts[kept], "failed 7")


def groups(*series: LogSeries) -> list[tuple[int, int, bool]]:
    found = line_groups(store(Kept(logs=series)), since=START, onset=ONSET, until=END)
    return [(round(item.count), round(item.usual_count), item.is_bad) for item in found]


def test_a_new_line_has_its_count_no_usual_one_and_its_first_minute() -> None:
    (found,) = line_groups(store(Kept(logs=[log_lines(0, 4)])), since=START, onset=ONSET, until=END)

    assert found.usual_count == 0
    assert found.count == pytest.approx(4 * (END - ONSET) / FINE_LOG_SECONDS, abs=4)
    assert found.first_seen is not None
    assert abs(found.first_seen - ONSET) <= FINE_LOG_SECONDS
    assert (found.text, found.is_bad) == ("failed 7", True)


def test_a_line_that_comes_as_ever_has_about_as_many_as_usual_and_no_beginning() -> None:
    (found,) = line_groups(store(Kept(logs=[log_lines(4, 4)])), since=START, onset=ONSET, until=END)

    assert found.count == pytest.approx(found.usual_count, rel=0.1)
    assert found.first_seen is None


def test_a_line_that_has_come_for_a_short_time_is_judged_by_that_time() -> None:
    late = log_lines(4, 4, since=ONSET - 10 * MINUTE)
    (found,) = line_groups(store(Kept(logs=[late])), since=ONSET - 4 * HOUR, onset=ONSET, until=END)

    assert found.count == pytest.approx(found.usual_count, rel=0.2)


def test_a_line_that_stopped_before_the_onset_is_left_out() -> None:
    starts = np.arange(START, ONSET - 5 * MINUTE, FINE_LOG_SECONDS)
    stopped = replace(log_lines(4, 0), bucket_starts=starts, line_count=np.full(len(starts), 4))

    assert not groups(stopped)


def test_a_calm_line_is_not_bad() -> None:
    assert [bad for _, _, bad in groups(log_lines(0, 4, severity="INFO"))] == [False]


def test_metrics_are_read_with_their_attributes_and_none_without_any_name() -> None:
    kept = MetricSeries("memory_mb", "checkout", times(3, MINUTE), times(3, 1.0), np.ones(3, dtype=np.int64), "pod=a")

    (found,) = metric_courses(store(Kept(metrics=[kept])), since=0, until=1)
    assert (found.part, found.name, found.labels) == ("checkout", "memory_mb", "pod=a")
    assert not metric_courses(store(Kept()), since=0, until=1)


def span(number: str, parent: str | None, service: str, ms: float, *, failed: bool = False) -> Span:
    return Span("t", number, parent, SpanKind.SERVER, f"{service} op", service, None, ONSET, ms, failed)


TRACE = [
    span("1", None, "storefront", 100),
    span("2", "1", "checkout", 80, failed=True),
    span("3", "2", "checkout", 30),
    span("4", "2", "payments", 40),
]


def test_a_hop_has_its_parent_and_its_own_time_without_that_of_its_children() -> None:
    ((first, second, third, fourth),) = hops_of([TRACE])

    assert [hop.own_ms for hop in (first, second, third, fourth)] == [20, 10, 30, 40]
    assert [hop.parent_part for hop in (first, second, third, fourth)] == [None, "storefront", "checkout", "checkout"]
    assert (second.is_error, second.error_text) == (True, "checkout op")
    assert first.error_text == ""


def test_children_that_run_side_by_side_leave_no_negative_own_time() -> None:
    ((first, *_),) = hops_of([[span("1", None, "a", 50), span("2", "1", "b", 40), span("3", "1", "c", 40)]])

    assert first.own_ms == 0


def test_calls_between_services_are_edges_and_calls_within_one_are_none() -> None:
    assert {(edge.caller, edge.callee) for edge in edges_of([TRACE, TRACE])} == {
        ("storefront", "checkout"),
        ("checkout", "payments"),
    }


def test_a_span_whose_parent_is_missing_makes_no_edge() -> None:
    assert not edges_of([[span("2", "lost", "checkout", 80)]])


def test_lines_are_held_against_the_time_before_the_alerted_part_or_a_neighbour_got_worse() -> None:
    late = ONSET + 15 * MINUTE
    courses = [
        course("shop", "latency_p99_ms", 100, 900, since=late),
        course("db", "query_latency_p99_ms", 10, 900, since=ONSET),
        course("adverts", "latency_p99_ms", 10, 900, since=ONSET - 30 * MINUTE),
    ]
    turned = when_lines_turned(courses, [calls("shop", "db")], ["shop"], alerted_at=late, onset=late)

    assert abs(turned - ONSET) <= 2 * MINUTE


def test_where_no_metric_got_worse_the_onset_of_the_incident_stands() -> None:
    steady = course("shop", "latency_p99_ms", 100, 100)

    assert when_lines_turned([steady], [], ["shop"], alerted_at=ONSET, onset=ONSET) == ONSET


def test_ten_minutes_of_the_past_are_left_to_say_what_is_usual() -> None:
    risen = course("shop", "latency_p99_ms", 100, 900, since=START + 3 * MINUTE)
    turned = when_lines_turned([risen], [], ["shop"], alerted_at=ONSET, onset=ONSET)

    assert START + 10 * MINUTE <= turned <= ONSET
