"""OTLP over HTTP: JSON bodies, metrics, and the answers to invalid data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from google.rpc.status_pb2 import Status

from bot.reception.gate import Limits
from bot.web.app import create_app
from workers.services import Services

NOON = 1_770_465_600
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}


def gauge(*values: Any) -> dict[str, Any]:
    points = [{"timeUnixNano": str((NOON + n) * 10**9), "asDouble": value} for n, value in enumerate(values)]
    metrics = [{"name": "queue.length", "gauge": {"dataPoints": points}}]
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"metrics": metrics}]}]}


def log(body: Any) -> dict[str, Any]:
    records = [{"timeUnixNano": str(NOON * 10**9), "severityNumber": 13, "body": body}]
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": records}]}]}


def test_metrics_as_json_are_stored_once_and_answered_in_json(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    for _ in range(2):
        answer = client.post("/v1/metrics", json=gauge(3, 4.5), headers=sender)
        assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})
    points = services.telemetry.metric_samples("shop", "queue.length", since=NOON, until=NOON + 60)
    assert [point.value for point in points] == [4.5, 3.0]


def test_a_rejected_point_is_reported_in_partial_success_and_the_others_are_stored(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    answer = client.post("/v1/metrics", json=gauge(3, "NaN"), headers=sender)
    partial = answer.json()["partialSuccess"]
    assert (answer.status_code, partial["rejectedDataPoints"]) == (200, "1")
    assert "dataPoints[1].value: is not a finite number" in partial["errorMessage"]
    assert len(services.telemetry.metric_samples("shop", "queue.length", since=NOON, until=NOON + 60)) == 1


def test_rejected_records_are_reported_in_partial_success_and_the_others_are_stored(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    good = log({"stringValue": "fine"})["resourceLogs"][0]
    answer = client.post(
        "/v1/logs", json={"resourceLogs": [5, good, {"scopeLogs": [{"logRecords": [5]}]}]}, headers=sender
    )
    partial = answer.json()["partialSuccess"]
    assert (answer.status_code, partial["rejectedLogRecords"]) == (200, "2")
    assert partial["errorMessage"] == "resourceLogs[0]: must be an object (and 1 more)"
    points = client.post("/v1/metrics", json=gauge(5, 1.5, {}, 2.5), headers=sender).json()["partialSuccess"]
    assert points["rejectedDataPoints"] == "1"
    assert [record.body for record in services.telemetry.log_samples(since=NOON, until=NOON + 1)] == ["fine"]
    assert len(services.telemetry.metric_samples("shop", "queue.length", since=NOON, until=NOON + 60)) == 3


def test_chunked_and_gzipped_json_is_read(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(log({"stringValue": "stock is low"})).encode())

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 10):
            yield body[start : start + 10]

    headers = {**sender, **JSON, "Content-Encoding": "gzip"}
    assert client.post("/v1/logs", content=chunks(), headers=headers).status_code == 200
    [record] = services.telemetry.log_samples(since=NOON, until=NOON + 1)
    assert (record.service, record.severity, record.body) == ("shop", "WARN", "stock is low")


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_an_error_is_an_rpc_status_in_the_encoding_of_the_request(
    client: TestClient, sender: dict[str, str], path: str
) -> None:
    as_json = client.post(path, content=b"{", headers={**sender, **JSON})
    as_protobuf = client.post(path, content=b"\xff\xff", headers={**sender, **PROTOBUF})
    cut = client.post(
        path, content=gzip.compress(b"x" * 99)[:-3], headers={**sender, **PROTOBUF, "Content-Encoding": "gzip"}
    )

    assert (as_json.status_code, as_json.json()["code"]) == (400, 3)
    assert as_protobuf.status_code == cut.status_code == 400
    assert "not a protobuf" in Status.FromString(as_protobuf.content).message
    assert "cut short" in Status.FromString(cut.content).message


def test_too_many_requests_are_429_with_retry_after(services: Services, sender: dict[str, str]) -> None:
    client = TestClient(create_app(services, limits=Limits(requests_in_flight=0)))
    answer = client.post("/v1/metrics", json=gauge(1), headers=sender)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "1", 14)


def test_a_gzip_bomb_is_413(services: Services, sender: dict[str, str]) -> None:
    client = TestClient(create_app(services, limits=Limits(decoded_bytes=1_000_000)))
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {**sender, **JSON, "Content-Encoding": "gzip"}
    assert client.post("/v1/traces", content=bomb, headers=headers).status_code == 413
