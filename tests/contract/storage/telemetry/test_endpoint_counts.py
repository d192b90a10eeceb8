from __future__ import annotations

from detection.types import SpanKind
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, TelemetryStore
from tests.contract.storage.telemetry.records import ENDPOINT, NOW, make_span, roll_up_all


def test_requests_of_each_endpoint_are_counted_without_their_histograms(store: TelemetryStore) -> None:
    spans = [make_span(f"s{n}", None, SpanKind.SERVER, f"t{n}", NOW + n % 3 * 10) for n in range(7)]
    other = make_span("o", None, SpanKind.SERVER, "o", NOW, endpoint="GET /rare")
    store.append_spans([*spans, other])
    roll_up_all(store)

    def counted(**options: int) -> dict[tuple[str, str], tuple[int, int]]:
        found = store.endpoint_counts(since=NOW, until=NOW + 30, bucket_seconds=FINE_ENDPOINT_SECONDS, **options)
        return {name: (count.buckets, count.requests) for name, count in found.items()}

    assert counted() == {("shop", ENDPOINT): (3, 7), ("shop", "GET /rare"): (1, 1)}
    assert counted(minimum_requests=3) == {("shop", ENDPOINT): (1, 3)}
    assert store.endpoint_counts(since=NOW + 30, until=NOW + 60, bucket_seconds=FINE_ENDPOINT_SECONDS) == {}
