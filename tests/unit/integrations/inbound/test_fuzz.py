"""Whatever the input, a reader returns records and rejections or raises PayloadError, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics

from detection.types import Event, LogRecord, MetricPoint, Span
from integrations.inbound.deploys.api import parse_deploy
from integrations.inbound.otlp.doors import parse_logs, parse_metrics, parse_traces
from integrations.inbound.product.amplitude import parse_upload
from integrations.inbound.product.events import parse_events
from integrations.inbound.product.mixpanel import parse_tracked
from integrations.inbound.product.posthog import parse_capture
from integrations.inbound.product.segment import parse_messages
from integrations.inbound.reading.forms import FORM
from integrations.inbound.reading.records import Parsed, PayloadError
from storage.telemetry.rows.texts import encode

NOW = 1_770_465_600.0
LIMITS: dict[str, Any] = {"now": NOW, "max_decoded_bytes": 100_000}
Reader = Callable[[bytes], Parsed[Any]]

OTLP: dict[str, Callable[..., Parsed[Any]]] = {"traces": parse_traces, "logs": parse_logs, "metrics": parse_metrics}
READERS: dict[str, Reader] = {
    "events": partial(parse_events, **LIMITS),
    "posthog": lambda body: parse_capture(body, **LIMITS).records,
    "posthog form": lambda body: parse_capture(body, content_type=FORM, **LIMITS).records,
    "segment": lambda body: parse_messages(body, **LIMITS).events,
    "segment track": lambda body: parse_messages(body, call="track", **LIMITS).events,
    "amplitude": lambda body: parse_upload(body, **LIMITS).events,
    "mixpanel": lambda body: parse_tracked(body, needs_time=True, **LIMITS).events,
    "mixpanel form": lambda body: parse_tracked(body, content_type=FORM, needs_time=False, **LIMITS).events,
    **{
        f"otlp {name} {kind}": partial(parse, content_type=f"application/{kind}", **LIMITS)
        for name, parse in OTLP.items()
        for kind in ("json", "x-protobuf")
    },
}
"""All readers of product events and of OTLP."""

ENVELOPES: dict[str, Callable[[list[Any]], Any]] = {
    "events": lambda records: records,
    "posthog": lambda records: {"api_key": "k", "batch": records},
    "segment": lambda records: {"batch": records},
    "amplitude": lambda records: {"events": records},
    "mixpanel": lambda records: records,
    "otlp traces json": lambda records: {"resourceSpans": [{"scopeSpans": [{"spans": records}]}]},
    "otlp logs json": lambda records: {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]},
    "otlp metrics json": lambda records: {"resourceMetrics": [{"scopeMetrics": [{"metrics": records}]}]},
}

PROTOBUF = ExportMetricsServiceRequest(
    resource_metrics=[
        ResourceMetrics(
            scope_metrics=[
                ScopeMetrics(
                    metrics=[
                        Metric(
                            name="cpu",
                            gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=int(NOW) * 10**9, as_double=1.5)]),
                        )
                    ]
                )
            ]
        )
    ]
).SerializeToString()

NAMES = [
    "event", "events", "batch", "properties", "user_id", "distinct_id", "userId", "timestamp", "time", "type", "uuid",
    "insert_id", "$insert_id", "event_type", "api_key", "token", "writeKey", "data", "context", "traits", "messageId",
    "resourceSpans", "scopeSpans", "spans", "resource", "attributes", "traceId", "startTimeUnixNano", "key", "value",
    "resourceLogs", "scopeLogs", "logRecords", "body", "stringValue", "resourceMetrics", "scopeMetrics", "metrics",
    "name", "gauge", "dataPoints", "asDouble", "timeUnixNano", "$exception_list", "$exception",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(max_size=20)
    | st.sampled_from(
        ["$exception", "track", "u1", "2026-02-07T12:00:00Z", "1770465600000000000", "NaN", "\x00", "a" * 300]
    )
)
KEYS = st.sampled_from(NAMES) | st.text(max_size=5)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=25
)


def checked(read: Reader, body: bytes) -> None:
    with suppress(PayloadError):
        sound(read(body))


def sound(parsed: Parsed[Any]) -> None:
    for record in parsed.records:
        assert isinstance(record, Event | LogRecord | MetricPoint | Span)
        moment = record.started_at if isinstance(record, Span) else record.happened_at
        assert math.isfinite(moment)
        if isinstance(record, Event):
            assert encode(record.properties)
    assert all(rejection.message for rejection in parsed.rejections)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60)
@given(body=st.binary(max_size=200))
def test_any_bytes_become_records_or_are_refused(name: str, body: bytes) -> None:
    checked(READERS[name], body)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60)
@given(document=DOCUMENTS)
def test_any_json_becomes_records_or_is_refused(name: str, document: Any) -> None:
    checked(READERS[name], json.dumps(document).encode())


@pytest.mark.parametrize("name", ENVELOPES)
@settings(max_examples=100)
@given(records=st.lists(st.dictionaries(KEYS, DOCUMENTS, max_size=8) | SCALARS, max_size=3))
def test_any_record_in_a_valid_envelope_is_kept_or_refused(name: str, records: list[Any]) -> None:
    checked(READERS[name], json.dumps(ENVELOPES[name](records)).encode())


@settings(max_examples=200)
@given(places=st.lists(st.tuples(st.integers(0, len(PROTOBUF) - 1), st.integers(0, 255)), max_size=4))
def test_protobuf_with_some_bytes_changed_becomes_records_or_is_refused(places: list[tuple[int, int]]) -> None:
    body = bytearray(PROTOBUF)
    for place, byte in places:
        body[place] = byte
    for name in ("otlp traces x-protobuf", "otlp logs x-protobuf", "otlp metrics x-protobuf"):
        checked(READERS[name], bytes(body))


@settings(max_examples=100)
@given(document=DOCUMENTS)
def test_any_json_becomes_a_deploy_or_is_refused(document: Any) -> None:
    with suppress(PayloadError):
        assert parse_deploy(json.dumps(document).encode(), now=NOW).service
