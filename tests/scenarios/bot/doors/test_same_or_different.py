"""What identifies a log record or a point: the same line at the same time of another source is another record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from sqlalchemy import func, select

from storage.telemetry.rows.tables import log_records, metric_points
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

HERE = int(NOW.timestamp())
Send = Callable[[TestClient, dict[str, str], str, bool], Any]
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def attributes(**found: str) -> list[dict[str, Any]]:
    return [{"key": name.replace("_", "."), "value": {"stringValue": value}} for name, value in found.items()]


def otlp_logs(resource: list[dict[str, Any]], scope: dict[str, Any], *, timed: bool) -> dict[str, Any]:
    record = {"severityNumber": 17, "body": {"stringValue": "valve stuck"}}
    times = {"timeUnixNano": str((HERE - 4) * 10**9)} if timed else {"timeUnixNano": "0", "observedTimeUnixNano": "0"}
    scopes = [{"scope": scope, "logRecords": [{**record, **times}]}]
    return {"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": scopes}]}


def otlp_of_a_pod(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    resource = attributes(service_name="plant", k8s_pod_name=source)
    return client.post("/v1/logs", json=otlp_logs(resource, {"name": "valves"}, timed=timed), headers=headers)


def otlp_of_a_scope(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    body = otlp_logs(attributes(service_name="plant"), {"name": source, "version": "2"}, timed=timed)
    message = ParseDict(body, ExportLogsServiceRequest()).SerializeToString()
    return client.post("/v1/logs", content=message, headers=headers | PROTOBUF)


def datadog_of_a_container(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    line: dict[str, Any] = {"message": "valve stuck", "service": "plant", "hostname": "node-1"}
    line["ddtags"] = f"container_name:{source}"
    return client.post("/api/v2/logs", json=[line | ({"timestamp": (HERE - 4) * 1000} if timed else {})],
                       headers={"DD-API-KEY": headers["Authorization"].removeprefix("Bearer ")})  # fmt: skip


def datadog_of_a_request(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    line: dict[str, Any] = {"message": "valve stuck", "ddsource": "plant"} | ({"date": HERE - 4} if timed else {})
    return client.post(f"/api/v2/logs?ddtags=pod:{source}", json=line,
                       headers={"DD-API-KEY": headers["Authorization"].removeprefix("Bearer ")})  # fmt: skip


def bulk_of_a_file(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    document = {"message": "valve stuck", "log": {"file": {"path": f"/var/log/{source}"}}}
    lines = [{"create": {"_index": "plant"}}, document | ({"@timestamp": (HERE - 4) * 1000} if timed else {})]
    body = "".join(f"{json.dumps(line)}\n" for line in lines)
    return client.post("/_bulk", content=body, headers=headers | {"Content-Type": "application/x-ndjson"})


def sentry_logs_of_a_server(client: TestClient, headers: dict[str, str], source: str, timed: bool) -> Any:
    item: dict[str, Any] = {"body": "valve stuck", "level": "error", "trace_id": "ab" * 16}
    item["attributes"] = {"server.address": {"value": source, "type": "string"}}
    container = json.dumps({"items": [item | ({"timestamp": HERE - 4} if timed else {})]})
    body = f"{{}}\n{json.dumps({'type': 'log', 'item_count': 1})}\n{container}\n"
    key = headers["Authorization"].removeprefix("Bearer ")
    told = {"X-Sentry-Auth": f"Sentry sentry_key={key}", "Content-Type": "application/x-sentry-envelope"}
    return client.post("/api/1/envelope/", content=body, headers=told)


DOORS = [otlp_of_a_pod, otlp_of_a_scope, datadog_of_a_container, datadog_of_a_request, bulk_of_a_file,
         sentry_logs_of_a_server]  # fmt: skip


def count(services: Services, table: Any = log_records) -> int | None:
    with services.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("send", DOORS)
def test_the_same_line_at_the_same_time_of_two_sources_is_two_records_and_sent_again_none(
    client: TestClient, services: Services, sender: dict[str, str], send: Send
) -> None:
    for source in ("a", "b", "a", "b"):
        assert send(client, sender, source, True).status_code in (200, 202)
    assert count(services) == 2
    numbers = client.get("/metrics").text
    assert [line.split()[-1] for line in numbers.splitlines() if line.startswith("argux_ingest_duplicates_total{")] == [
        "2.0"
    ]


@pytest.mark.parametrize("send", DOORS)
def test_a_line_without_any_time_is_another_one_in_each_request(
    client: TestClient, services: Services, sender: dict[str, str], send: Send
) -> None:
    for _ in range(3):
        assert send(client, sender, "a", False).status_code in (200, 202)
    assert count(services) == 3


def test_the_same_line_of_two_loki_sources_or_nanoseconds_is_two_records(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    def push(pod: str, nanoseconds: int, **metadata: str) -> int:
        value = [f"{HERE - 4}{nanoseconds:09}", "valve stuck", metadata]
        body = {"streams": [{"stream": {"service_name": "plant", "pod": pod}, "values": [value]}]}
        return client.post("/loki/api/v1/push", json=body, headers=sender).status_code

    for _ in range(2):
        assert push("a", 7) == push("b", 7) == push("a", 8) == push("a", 7, container="sidecar") == 204
    assert count(services) == 4


def gauges(*scopes: dict[str, Any], resource: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    point = {"timeUnixNano": str((HERE - 4) * 10**9), "asInt": "9"}
    metrics = [{"scope": scope, "metrics": [{"name": "jobs", "gauge": {"dataPoints": [point]}}]} for scope in scopes]
    found = resource if resource is not None else attributes(service_name="plant")
    return {"resourceMetrics": [{"resource": {"attributes": found}, "scopeMetrics": metrics}]}


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("together", [True, False])
def test_one_metric_name_in_several_scopes_is_several_points(
    client: TestClient, services: Services, sender: dict[str, str], encoding: str, together: bool
) -> None:
    scopes: list[dict[str, Any]] = [
        {"name": "readers"},
        {"name": "writers"},
        {"name": "readers", "attributes": attributes(shard="b")},
        {},
    ]
    for body in [gauges(*scopes)] * 2 if together else [gauges(scope) for scope in scopes * 2]:
        if encoding == "json":
            answer = client.post("/v1/metrics", json=body, headers=sender)
        else:
            message = ParseDict(body, ExportMetricsServiceRequest()).SerializeToString()
            answer = client.post("/v1/metrics", content=message, headers=sender | PROTOBUF)
        assert answer.status_code == 200
    assert count(services, metric_points) == 4


def test_one_metric_name_of_two_resources_is_two_points(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    for zone in ("east", "west"):
        resource = attributes(service_name="plant", cloud_availability_zone=zone)
        client.post("/v1/metrics", json=gauges({"name": "readers"}, resource=resource), headers=sender)
    assert count(services, metric_points) == 2


def test_a_log_record_whose_own_time_cannot_be_happened_when_it_was_observed(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    body = otlp_logs(attributes(service_name="plant"), {}, timed=True)
    record = body["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    record |= {"timeUnixNano": str((HERE + 5 * 3600) * 10**9), "observedTimeUnixNano": str((HERE - 2) * 10**9)}
    assert client.post("/v1/logs", json=body, headers=sender).json() == {}
    (found,) = services.telemetry.log_samples(since=0, until=2e9, service="plant")
    assert found.happened_at == HERE - 2
