from __future__ import annotations

from detection.types import Event, LogRecord, SpanKind
from storage.telemetry.protocol import Appended, TelemetryStore
from tests.contract.storage.telemetry.records import (
    ENDPOINT,
    NOW,
    STEPS,
    make_event,
    make_span,
    request_spans,
    roll_up_all,
    visit,
)


def test_records_with_a_known_id_are_counted_as_duplicates_and_not_stored(store: TelemetryStore) -> None:
    event, span = make_event("view"), make_span("s", None, SpanKind.SERVER)
    log = LogRecord("l1", "shop", "1.0", NOW, "ERROR", "boom", "t1", {"code": 7})
    firsts = [store.append_events([event, event]), store.append_spans([span, span]), store.append_logs([log, log])]
    seconds = [store.append_events([event]), store.append_spans([span]), store.append_logs([log])]
    nothing = [store.append_events([]), store.append_spans([]), store.append_logs([])]
    assert (firsts, seconds, nothing) == ([Appended(1, 1)] * 3, [Appended(0, 1)] * 3, [Appended(0, 0)] * 3)
    assert store.recent_events() == [event]
    assert store.log_samples(since=NOW, until=NOW + 1) == [log]


def test_spans_of_two_traces_may_share_a_span_id(store: TelemetryStore) -> None:
    spans = [make_span("s", None, SpanKind.SERVER, trace) for trace in ("t1", "t2")]
    assert store.append_spans(spans) == Appended(2, 0)


def test_spans_of_a_time_come_with_the_lines_of_their_traces(store: TelemetryStore) -> None:
    spans = [make_span(name, None, SpanKind.SERVER) for name in ("a", "b")]
    store.append_spans(spans)
    at = spans[0].started_at
    store.append_logs(
        [LogRecord(str(trace), "s", None, at, "INFO", "hello", trace) for trace in (spans[0].trace_id, None)]
    )
    found = store.traced_between(since=at, until=at + 1, most_spans=10)
    assert sorted(span.span_id for span in found.spans) == ["a", "b"]
    assert [(line.trace_id, line.body) for line in found.lines] == [(spans[0].trace_id, "hello")]
    assert store.traced_between(since=at + 1, until=at + 2, most_spans=10) == ((), (), 1.0)


def test_of_too_many_spans_whole_traces_are_left_out(store: TelemetryStore) -> None:
    traces = [f"{number:032x}" for number in range(256)]
    store.append_spans([make_span(name, None, SpanKind.SERVER, trace) for trace in traces for name in ("a", "b")])
    at = make_span("a", None, SpanKind.SERVER).started_at
    store.append_logs([LogRecord(trace, "s", None, at, "INFO", "hello", trace) for trace in traces])
    found = store.traced_between(since=at, until=at + 1, most_spans=128)
    assert sorted(line.trace_id for line in found.lines) == traces[:64]
    assert sorted(span.trace_id for span in found.spans) == sorted(2 * traces[:64])
    assert found.sampled == 0.25


def test_text_that_databases_refuse_does_not_lose_its_batch(store: TelemetryStore) -> None:
    bad = Event("nul\x00", "view\x00", "half \ud800 pair", NOW, {"page": "/\x00", "name": "\udc00"})
    long = [make_event("view", user=letter * 10_000 + str(number)) for letter in "ü€" for number in range(2)]
    assert store.append_events([bad, *long, make_event("view")]) == Appended(6, 0)
    assert len({event.user_id for event in store.recent_events()}) == 6
    broken = make_span("s\x00", None, SpanKind.SERVER, service="\x00", name="\ud800", statement="SELECT '\x00'")
    assert store.append_spans([broken, make_span("ok", None, SpanKind.SERVER)]) == Appended(2, 0)
    assert store.append_logs([LogRecord("l\x00", "s", None, NOW, "\x00", "\ud800", None, {"\x00": "\x00"})]).accepted
    roll_up_all(store)


def test_samples_are_newest_first_within_their_time_and_limit(store: TelemetryStore) -> None:
    for number in range(5):
        store.append_spans(request_spans(f"t{number}", NOW + number, queries=number))
    roll_up_all(store, now=NOW + 60)
    found = store.request_samples("shop", ENDPOINT, since=NOW + 1, until=NOW + 4, limit=2)
    assert [(sample.trace_id, sample.query_count) for sample in found] == [("t3", 3), ("t2", 2)]


def test_statements_are_counted_per_request_without_their_literals(store: TelemetryStore) -> None:
    for trace, queries in (("t1", 3), ("t2", 5)):
        store.append_spans(request_spans(trace, NOW, queries=queries))
    cart = make_span(
        "c", "t1-s", SpanKind.DATABASE, "t1", statement="UPDATE cart\n  SET note = 'it''s 5' WHERE id IN (1, 2)"
    )
    elsewhere = request_spans("t9", NOW, queries=4, endpoint="GET /")
    store.append_spans([cart, *elsewhere])
    roll_up_all(store)
    first, second = store.statement_counts("shop", ENDPOINT, since=NOW, until=NOW + 1)
    assert (first.statement, first.runs, first.per_request) == ("SELECT * FROM items WHERE id = ?", 8, 4.0)
    assert (second.statement, second.runs) == ("UPDATE cart SET note = ? WHERE id IN (?, …)", 1)
    assert store.statement_counts("shop", "GET /nothing", since=NOW, until=NOW + 1) == []


def test_versions_are_ordered_by_the_start_of_their_first_request(store: TelemetryStore) -> None:
    for number, version in enumerate(["2.0", "1.0", "2.0", None]):
        store.append_spans(request_spans(f"t{number}", NOW + 10 - number, queries=0, version=version))
    roll_up_all(store, now=NOW + 60)
    assert store.versions_seen("shop", since=NOW, until=NOW + 60) == [("2.0", NOW + 8), ("1.0", NOW + 9)]


def test_logs_can_be_read_by_service_and_minimum_severity(store: TelemetryStore) -> None:
    levels = ["DEBUG", "info", "Warning", "ERROR", "FATAL"]
    store.append_logs([LogRecord(word, "shop", None, NOW + n, word, "", None) for n, word in enumerate(levels)])
    store.append_logs([LogRecord("other", "api", None, NOW, "ERROR", "", None)])
    found = store.log_samples(since=NOW, until=NOW + 10, service="shop", minimum_severity="WARN", limit=2)
    assert [record.severity for record in found] == ["FATAL", "ERROR"]
    assert len(store.log_samples(since=NOW, until=NOW + 10, minimum_severity="warning")) == 4


def test_recent_events_are_paged_newest_first_and_by_name(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS) + visit("u2", NOW + 5, *STEPS))
    assert [event.happened_at - NOW for event in store.recent_events(limit=2, offset=1)] == [20, 15]
    assert [event.user_id for event in store.recent_events(event="view")] == ["u2", "u1"]
