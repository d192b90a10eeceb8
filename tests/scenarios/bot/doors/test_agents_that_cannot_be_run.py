"""Agents that cannot be run here: what they ask before they send, and bytes of the form that they send."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import cramjam
import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from detection.types import LogRecord
from integrations.inbound.monitoring.loki_messages import push_request
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

SECOND_AGO = NOW.timestamp() - 1
ISO = "2026-02-07T12:29:59.000Z"


def basic(headers: dict[str, str], user: str = "argux") -> dict[str, str]:
    key = headers["Authorization"].removeprefix("Bearer ")
    return {"Authorization": f"Basic {b64encode(f'{user}:{key}'.encode()).decode()}"}


def stored(services: Services) -> list[LogRecord]:
    return list(services.telemetry.log_samples(since=0.0, until=NOW.timestamp() + 60, limit=100))


def bulk(action: dict[str, Any], *documents: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for document in documents for line in (action, document))


FILEBEAT = {
    "@timestamp": ISO, "message": "ERROR card refused", "service": {"name": "till"}, "input": {"type": "filestream"},
    "ecs": {"version": "8.0.0"}, "host": {"name": "web-1"}, "agent": {"name": "web-1", "type": "filebeat"},
    "log": {"offset": 17, "file": {"path": "/var/log/till.log"}, "level": "error"},
}  # fmt: skip
LOGSTASH = {"@timestamp": ISO, "@version": "1", "message": "card refused", "log": {"level": "ERROR"}, "app": "till"}
VECTOR = {
    "file": "/var/log/till.log", "host": "web-1", "message": "card refused", "source_type": "file", "timestamp": ISO,
    "level": "error", "service": "till",
}  # fmt: skip
FLUENT_BIT = {"@timestamp": ISO, "log": "card refused", "stream": "stderr", "level": "error", "app": "till"}


@pytest.mark.parametrize(
    ("asked", "path", "action", "document", "encoding"),
    [
        pytest.param(
            ["/", "/_license"], "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status",
            {"create": {"_index": "filebeat-8.19.0"}}, FILEBEAT, "", id="filebeat",
        ),
        pytest.param(
            ["/", "/_license"], "/_bulk", {"index": {"_id": None, "_index": "ecs-logstash", "routing": None}}, LOGSTASH,
            "gzip", id="logstash",
        ),
        pytest.param(
            ["/_cluster/health", "/"], "/_bulk", {"index": {"_index": "vector-2026.02.07"}}, VECTOR, "zstd", id="vector"
        ),
        pytest.param([], "/_bulk", {"create": {"_index": "fluent-bit"}}, FLUENT_BIT, "", id="fluent_bit"),
    ],
)  # fmt: skip
def test_what_it_asks_is_answered_and_its_document_is_understood(
    client: TestClient, services: Services, sender: dict[str, str], asked: list[str], path: str,
    action: dict[str, Any], document: dict[str, Any], encoding: str,
) -> None:  # fmt: skip
    headers = basic(sender)
    for question in asked:
        answer = client.get(question, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    if "/_license" in asked:
        licence = client.get("/_license", headers=headers).json()["license"]
        assert (licence["status"], licence["type"]) == ("active", "basic")
    body = bulk(action, document)
    packed = {"gzip": gzip.compress, "zstd": lambda text: bytes(cramjam.zstd.compress(text))}.get(encoding, bytes)(body)
    sent = {**headers, "Content-Type": "application/x-ndjson", **({"Content-Encoding": encoding} if encoding else {})}
    answer = client.post(path, content=packed, headers=sent)
    assert answer.status_code == 200
    assert answer.json()["errors"] is False

    [record] = stored(services)
    assert (record.service, record.severity, record.happened_at) == ("till", "ERROR", SECOND_AGO)
    assert record.body.endswith("card refused")


def test_a_chunk_that_fluent_bit_sends_again_with_its_generated_ids_is_stored_once(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    body = bulk({"create": {"_index": "fluent-bit", "_id": "a1b2c3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"}}, FLUENT_BIT)
    headers = {**basic(sender), "Content-Type": "application/x-ndjson"}
    answers = [client.post("/_bulk", content=body, headers=headers).json()["errors"] for _ in range(2)]
    assert answers == [False, False]
    assert len(stored(services)) == 1


@pytest.mark.parametrize("agent", ["vector", "promtail", "alloy"])
def test_a_push_to_loki_in_protobuf_is_understood(
    client: TestClient, services: Services, sender: dict[str, str], agent: str
) -> None:
    headers = basic(sender)
    assert client.get("/ready", headers=headers).text == "ready\n"
    push = push_request()()
    stream = push.streams.add(labels=b'{service_name="till", agent="%s", level="error"}' % agent.encode())
    entry = stream.entries.add(line=b"card refused")
    entry.timestamp.seconds = int(SECOND_AGO)
    packed = bytes(cramjam.snappy.compress_raw(push.SerializeToString()))
    sent = {**headers, "Content-Type": "application/x-protobuf", "User-Agent": f"{agent}/1"}
    assert client.post("/loki/api/v1/push", content=packed, headers=sent).status_code == 204

    [record] = stored(services)
    assert (record.service, record.severity, record.body) == ("till", "ERROR", "card refused")
    assert record.happened_at == SECOND_AGO


def test_a_batch_of_the_opentelemetry_collector_with_several_services_is_understood(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    request = ExportLogsServiceRequest()
    for service in ("till", "cart"):
        group = request.resource_logs.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        record = group.scope_logs.add().log_records.add(severity_number=17, severity_text="ERROR")
        record.time_unix_nano = record.observed_time_unix_nano = int(SECOND_AGO) * 10**9
        record.body.string_value = "card refused"
        record.attributes.add(key="log.file.name").value.string_value = "till.log"
    headers = {**sender, "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    answer = client.post("/v1/logs", content=gzip.compress(request.SerializeToString()), headers=headers)
    assert answer.status_code == 200

    assert {(one.service, one.severity, one.body) for one in stored(services)} == {
        ("till", "ERROR", "card refused"),
        ("cart", "ERROR", "card refused"),
    }


@pytest.mark.parametrize("path", ["/_license", "/_cluster/health", "/ready"])
def test_a_question_with_a_wrong_key_tells_the_agent_so(client: TestClient, path: str) -> None:
    assert client.get(path, headers=basic({"Authorization": "Bearer argux_wrong"})).status_code == 401
    assert client.get(path).status_code == 401
