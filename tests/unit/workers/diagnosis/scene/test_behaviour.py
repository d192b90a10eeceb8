"""What the stores know of how parts behave, against a time without a fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from detection.chain.suspects import Call
from detection.types import EdgeKind, ServiceEdge
from storage.telemetry.protocol import TelemetryStore, Traced, TracedLine
from workers.diagnosis.scene.behaviour import event_of, occurrences_of, read_suspects
from workers.diagnosis.scene.model import Course


class NoSpans:
    """A store of telemetry that keeps no spans."""

    def traced_between(self, *, since: float, until: float, most_spans: int) -> Traced:
        assert since < until
        assert most_spans > 0
        return Traced((), (), 1.0)


ONSET = 100_000.0
MINUTES = ONSET - 3600 + 60 * np.arange(64.0)


def _course(part: str, name: str, usual: float, now: float) -> Course:
    values = usual + 0.01 * usual * np.sin(MINUTES)
    return Course(part, name, MINUTES, np.where(MINUTES >= ONSET - 240, now, values))


def _ranked(*courses: Course, calls: Sequence[tuple[str, str]] = ()) -> list[str]:
    store = cast(TelemetryStore, NoSpans())
    edges = [ServiceEdge(caller, callee, EdgeKind.CALLS, "spans", ONSET) for caller, callee in calls]
    found = read_suspects(store, courses, edges, since=ONSET - 3600, onset=ONSET, until=ONSET + 240)
    return [one.part for one in found if one.score > 0]


def test_who_the_network_reaches_late_is_suspected() -> None:
    web = _course("web", "latency_p95_ms", 200, 230)
    assert _ranked(web, _course("cart", "network_delay_ms", 1, 200))[0] == "cart"


def test_what_is_as_usual_or_says_nothing_of_its_part_is_not_suspected() -> None:
    assert _ranked(_course("web", "latency_p95_ms", 200, 200), _course("cart", "visits", 5, 500)) == []


def test_who_no_longer_calls_what_it_used_to_call_is_suspected() -> None:
    orders = [_course("shop", "requests_per_minute", 90, 90), _course("mail", "requests_per_minute", 30, 0)]
    assert _ranked(*orders, calls=[("shop", "mail")]) == ["shop"]
    assert _ranked(*orders) == []


def test_lost_success_is_suspected_only_where_nothing_else_is_odd() -> None:
    entry = _course("web", "success_rate", 100, 90)
    assert _ranked(entry) == ["web"]
    assert _ranked(entry, _course("cart", "cpu_usage", 10, 90)) == ["cart", "web"]
    assert _ranked(_course("web", "success_rate", 100, 100)) == []


def test_a_line_belongs_to_the_shortest_span_of_its_part_that_was_open() -> None:
    calls = [
        Call("t", "outer", None, "cart", "GET", 10.0, 5_000),
        Call("t", "inner", "outer", "cart", "read", 11.0, 1_000),
        Call("t", "other", "outer", "db", "select", 11.0, 10),
    ]
    lines = [TracedLine("t", "cart", at, "INFO", "read 7 rows") for at in (11.5, 14.0, 99.0)]
    found = occurrences_of(calls, [*lines, TracedLine("t", "web", 11.5, "INFO", "hello")])
    assert [one.span_id for one in found] == ["inner", "outer", ""]
    assert {one.event for one in found} == {"INFO read <*> rows"}


def test_a_line_that_names_a_span_of_its_part_belongs_to_it_whichever_others_were_open() -> None:
    mine, alike, others = "c77e332f2362c0ab", "656fb74cd79daf6a", "ce3fe0733aa92a7d"
    calls = [
        Call("t", mine, None, "cart", "read", 10.0, 5_000),
        Call("t", alike, None, "cart", "read", 10.0, 1_000),
        Call("t", others, None, "web", "GET", 10.0, 10),
    ]
    texts = [f"TraceID: t SpanID: {mine} read", f'{{"span_id":"{mine}"}}', f"asked by {others}", f"x{mine}y"]
    lines = [TracedLine("t", "cart", 10.5, "INFO", text) for text in texts]
    assert [one.span_id for one in occurrences_of(calls, lines)] == [mine, mine, alike, alike]


def test_a_place_in_the_code_names_an_event_whatever_else_the_line_says() -> None:
    assert event_of("17:13 INFO f.m.FoodService#24 got 3") == event_of("18:01 INFO f.m.FoodService#24 got none")
    assert event_of("got 3 rows") != event_of("lost 3 rows")
