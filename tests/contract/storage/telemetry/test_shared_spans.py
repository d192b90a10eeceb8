"""Both sides of a call may have one span id, as in Zipkin's model: the server's side is a request all the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from detection.types import Span, SpanKind
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, Appended, TelemetryStore
from tests.contract.storage.telemetry.records import NOW, make_span, roll_up_all

CALLER = make_span("call", "page", SpanKind.OTHER, service="web")
SERVER = make_span("call", "page", SpanKind.SERVER, service="shop")
QUERIES = [make_span(f"q{number}", "call", SpanKind.DATABASE, statement="SELECT 1") for number in range(3)]
OTHERS = [make_span("page", None, SpanKind.OTHER, service="web")]


def requests(store: TelemetryStore) -> list[tuple[str, int, int]]:
    """Return (service, requests, queries) of each endpoint."""
    roll_up_all(store, ())
    found = store.endpoint_series(since=0.0, until=NOW + 60, bucket_seconds=FINE_ENDPOINT_SECONDS)
    return [(one.service, int(one.request_count.sum()), int(one.query_sum.sum())) for one in found]


@pytest.mark.parametrize(
    "batches",
    [
        [[*QUERIES, CALLER, SERVER, *OTHERS]],
        [[*OTHERS, SERVER, CALLER, *QUERIES]],
        [[CALLER, *OTHERS], [*QUERIES, SERVER]],
        [[*QUERIES, SERVER], [*OTHERS, CALLER]],
    ],
)
def test_the_servers_side_is_a_request_whichever_side_comes_first(
    store: TelemetryStore, batches: Sequence[Sequence[Span]]
) -> None:
    for batch in batches:
        store.append_spans(batch)
    assert requests(store) == [("shop", 1, 3)]


def test_a_batch_that_is_sent_again_is_a_duplicate_as_a_whole(store: TelemetryStore) -> None:
    store.append_spans([CALLER])
    assert store.append_spans([SERVER, *QUERIES]) == Appended(accepted=4, duplicates=0)
    assert store.append_spans([SERVER, *QUERIES]) == Appended(accepted=0, duplicates=4)
    assert requests(store) == [("shop", 1, 3)]


def test_another_caller_of_the_same_trace_stays(store: TelemetryStore) -> None:
    other = make_span("other", "page", SpanKind.OTHER, service="web")
    store.append_spans([CALLER, other])
    store.append_spans([SERVER])
    assert store.append_spans([other]) == Appended(accepted=0, duplicates=1)
