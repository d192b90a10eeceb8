"""The doors for PostHog's and OpenTelemetry's client libraries."""

from __future__ import annotations

import gzip
import json

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from workers.services import Services

PROTOBUF = {"Content-Type": "application/x-protobuf"}
NOON = 1_770_465_600 * 10**9


def captured(secret: str, *users: str) -> bytes:
    batch = [
        {
            "event": "checkout_started",
            "distinct_id": user,
            "timestamp": "2026-02-07T12:00:00Z",
            "uuid": f"0190-{user}",
            "properties": {"country": "DE"},
        }
        for user in users
    ]
    return json.dumps({"api_key": secret, "batch": batch}).encode()


def secret_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("path", ["/batch/", "/batch", "/capture/"])
def test_a_posthog_client_may_send_its_key_in_the_body(
    client: TestClient, services: Services, sender: dict[str, str], path: str
) -> None:
    body = gzip.compress(captured(secret_of(sender), "u1", "u2"))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    answer = client.post(path, content=body, headers=headers)

    assert answer.status_code == 200
    assert answer.json()["status"] == "Ok"
    assert {event.user_id for event in services.telemetry.recent_events()} == {"u1", "u2"}


def test_a_posthog_batch_sent_again_is_stored_once(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    body, headers = captured(secret_of(sender), "u1"), {"Content-Type": "application/json"}

    client.post("/batch/", content=body, headers=headers)
    again = client.post("/batch/", content=body, headers=headers)

    assert again.json() == {"status": "Ok", "accepted": 0, "duplicates": 1}
    assert len(services.telemetry.recent_events()) == 1


def test_a_posthog_batch_with_a_wrong_key_is_401_and_stores_nothing(client: TestClient, services: Services) -> None:
    answer = client.post("/batch/", content=captured("phc_wrong", "u1"), headers={"Content-Type": "application/json"})

    assert answer.status_code == 401
    assert services.telemetry.recent_events() == []


def test_a_malformed_event_in_a_posthog_batch_is_reported_beside_the_ok(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    batch = json.loads(captured(secret_of(sender), "u1", "u2"))
    batch["batch"][0]["event"] = 7

    answer = client.post("/batch/", json=batch)

    assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (200, 1, 1)
    assert [event.user_id for event in services.telemetry.recent_events()] == ["u2"]


def traces(*span_ids: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for span_id in span_ids:
        span = scope.spans.add(trace_id=b"t" * 16, span_id=span_id, name="POST /checkout", kind=2)
        span.start_time_unix_nano, span.end_time_unix_nano = NOON, NOON + 80_000_000
        for key, text in (("http.request.method", "POST"), ("http.route", "/checkout")):
            span.attributes.add(key=key).value.string_value = text
    return request


def test_spans_are_stored_and_the_answer_is_protobuf(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    body = traces(b"s" * 8).SerializeToString()

    answer = client.post("/v1/traces", content=body, headers={**sender, **PROTOBUF})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    numbers = client.get("/metrics").text
    assert 'argux_ingest_accepted_total{door="otlp_traces"} 1.0' in numbers


def test_a_rejected_span_is_reported_in_partial_success(client: TestClient, sender: dict[str, str]) -> None:
    body = traces(b"s" * 8, b"short").SerializeToString()

    answer = client.post("/v1/traces", content=body, headers={**sender, **PROTOBUF})

    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message


def test_log_records_are_stored(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    record = resource.scope_logs.add().log_records.add(time_unix_nano=NOON, severity_text="ERROR")
    record.body.string_value = "payment refused"

    body = gzip.compress(request.SerializeToString())
    answer = client.post("/v1/logs", content=body, headers={**sender, **PROTOBUF, "Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()
    noon = NOON / 1e9
    assert [log.body for log in services.telemetry.log_samples(since=noon - 1, until=noon + 1)] == ["payment refused"]


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs"])
def test_otlp_without_a_key_is_401_and_garbage_is_400(client: TestClient, sender: dict[str, str], path: str) -> None:
    assert client.post(path, content=b"", headers=PROTOBUF).status_code == 401
    assert client.post(path, content=b"\xff\xff\xff", headers={**sender, **PROTOBUF}).status_code == 400
    assert client.post(path, content=b"{}", headers={**sender, "Content-Type": "text/plain"}).status_code == 415
