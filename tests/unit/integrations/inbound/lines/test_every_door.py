"""Whatever door a line comes in by, its severity, its words and its traces are the same."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Any

import cramjam
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from detection.types import LogRecord
from integrations.inbound.monitoring.cloudwatch import read_firehose, read_subscription
from integrations.inbound.monitoring.datadog import read_datadog_logs
from integrations.inbound.monitoring.documents import to_record
from integrations.inbound.monitoring.elasticsearch_bulk import read_bulk
from integrations.inbound.monitoring.loki import read_push_json, read_push_protobuf
from integrations.inbound.monitoring.loki_messages import push_request
from integrations.inbound.monitoring.plain_line import line_record
from integrations.inbound.otlp.doors import parse_logs
from integrations.inbound.otlp.requests import JSON
from integrations.inbound.syslog.message import read_syslog

NOW = 1_770_465_600.0
LIMIT = 1_000_000
NANOSECONDS = int((NOW - 60) * 1e9)

Read = Callable[[Sequence[str]], Sequence[LogRecord]]


def loki_json(lines: Sequence[str]) -> Sequence[LogRecord]:
    values = [[str(NANOSECONDS + place), line] for place, line in enumerate(lines)]
    body = {"streams": [{"stream": {"app": "lamps"}, "values": values}]}
    return read_push_json(json.dumps(body).encode(), now=NOW).records


def loki_protobuf(lines: Sequence[str]) -> Sequence[LogRecord]:
    request = push_request()()
    stream = request.streams.add(labels=b'{app="lamps"}')
    for place, line in enumerate(lines):
        entry = stream.entries.add(line=line.encode())
        entry.timestamp.seconds, entry.timestamp.nanos = int(NOW) - 60, place
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    return read_push_protobuf(body, now=NOW, max_decoded_bytes=LIMIT).records


def datadog(lines: Sequence[str]) -> Sequence[LogRecord]:
    items = [{"message": line, "status": "info", "hostname": "tower", "service": "lamps"} for line in lines]
    return read_datadog_logs(json.dumps(items).encode(), now=NOW).records


def cloudwatch(lines: Sequence[str]) -> Sequence[LogRecord]:
    events = [
        {"id": str(place), "timestamp": int(NOW - 60) * 1000, "message": line} for place, line in enumerate(lines)
    ]
    message = {"messageType": "DATA_MESSAGE", "logGroup": "/lamps", "logStream": "s", "logEvents": events}
    data = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
    return read_subscription(json.dumps({"awslogs": {"data": data}}).encode(), now=NOW, max_decoded_bytes=LIMIT).records


def firehose(lines: Sequence[str]) -> Sequence[LogRecord]:
    data = base64.b64encode("\n".join(lines).encode()).decode()
    body = {"requestId": "r", "timestamp": 1, "records": [{"data": data}]}
    return read_firehose(json.dumps(body).encode(), now=NOW, max_decoded_bytes=LIMIT).parsed.records


def bulk(lines: Sequence[str]) -> Sequence[LogRecord]:
    pairs = [json.dumps({"create": {}}) + "\n" + json.dumps({"message": line}) + "\n" for line in lines]
    return read_bulk("".join(pairs).encode(), index="lamps", now=NOW).parsed.records


def pulled(lines: Sequence[str]) -> Sequence[LogRecord]:
    return [to_record({"message": line}, str(place), now=NOW) for place, line in enumerate(lines)]


def otlp_records(lines: Sequence[str]) -> dict[str, Any]:
    records = [
        {"timeUnixNano": str(NANOSECONDS + place), "body": {"stringValue": line}} for place, line in enumerate(lines)
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


def otlp_json(lines: Sequence[str]) -> Sequence[LogRecord]:
    body = json.dumps(otlp_records(lines)).encode()
    return parse_logs(body, content_type=JSON, now=NOW, max_decoded_bytes=LIMIT).records


def otlp_protobuf(lines: Sequence[str]) -> Sequence[LogRecord]:
    request = ParseDict(otlp_records(lines), ExportLogsServiceRequest())
    return parse_logs(request.SerializeToString(), now=NOW, max_decoded_bytes=LIMIT).records


def rfc5424(lines: Sequence[str]) -> Sequence[LogRecord]:
    return [
        read_syslog(f"<30>1 - tower lamps 12 - - {line}".encode(), str(place), now=NOW)
        for place, line in enumerate(lines)
    ]


def rfc3164(lines: Sequence[str]) -> Sequence[LogRecord]:
    return [
        read_syslog(f"<30>Feb  7 12:00:00 tower lamps[12]: {line}".encode(), str(place), now=NOW)
        for place, line in enumerate(lines)
    ]


def tailed(lines: Sequence[str]) -> Sequence[LogRecord]:
    return [line_record(line, str(place), "lamps", now=NOW) for place, line in enumerate(lines)]


DOORS: dict[str, Read] = {
    read.__name__: read
    for read in (
        loki_json, loki_protobuf, datadog, cloudwatch, firehose, bulk, pulled, otlp_json, otlp_protobuf, rfc5424,
        rfc3164, tailed,
    )
}  # fmt: skip
JOINING = [name for name in DOORS if name not in {"pulled", "rfc5424", "rfc3164", "tailed"}]
"""The doors whose readers see a whole delivery. Lines by syslog and of files are joined where they are gathered."""

WORDS = {
    "err": "ERROR", "eror": "ERROR", "SEVERE": "ERROR", "crit": "FATAL", "panic": "FATAL", "emerg": "FATAL",
    "alert": "FATAL", "dpanic": "FATAL", "Critical": "FATAL", "notice": "INFO", "WARNING": "WARN", "wrn": "WARN",
    "trace": "TRACE", "verbose": "TRACE", "fine": "DEBUG", "dbug": "DEBUG", "informational": "INFO",
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_every_word_for_a_level_means_the_same_at_every_door(door: str) -> None:
    lines = [json.dumps({"level": word, "msg": f"said {word}", "lamp": 3}) for word in WORDS]
    found = DOORS[door](lines)
    assert [(record.body, record.severity) for record in found] == [(f"said {one}", WORDS[one]) for one in WORDS]
    assert all(record.attributes["lamp"] == 3 for record in found)


@pytest.mark.parametrize("door", DOORS)
def test_plain_coloured_and_structured_lines_are_understood_at_every_door(door: str) -> None:
    told = [
        ("\x1b[31mERR\x1b[0m lamp out", "ERROR", "ERR lamp out"),
        ("[crit] lamp out", "FATAL", "[crit] lamp out"),
        ("W0207 12:00:00.000000 1 lamps.go:3] lamp flickers", "WARN", None),
        ("level=warn msg=flickers", "WARN", "level=warn msg=flickers"),
        ("LampError: no wick", "ERROR", "LampError: no wick"),
        ('{"error": null, "errors": 0, "msg": "lit"}', "INFO", "lit"),
        ("lit without error", "INFO", "lit without error"),
    ]
    found = DOORS[door]([line for line, _, _ in told])
    assert [(record.severity, record.body) for record in found] == [
        (severity, line if body is None else body) for line, severity, body in told
    ]


@pytest.mark.parametrize("door", JOINING)
def test_a_trace_of_one_delivery_is_one_record(door: str) -> None:
    trace = ["Traceback (most recent call last):", '  File "lamps.py", line 3, in light', "KeyError: 'wick'"]
    found = DOORS[door](["lamp lit", *trace, "lamp lit again"])
    assert [(record.severity, record.body) for record in found] == [
        ("INFO", "lamp lit"),
        ("ERROR", "\n".join(trace)),
        ("INFO", "lamp lit again"),
    ]


def test_the_status_of_a_stream_gives_way_to_the_message_at_datadogs_door_and_any_other_status_does_not() -> None:
    items = [
        {"message": "INFO lamp lit", "status": "error"},
        {"message": "ERROR lamp out", "status": "info"},
        {"message": "lamp out", "status": "error"},
        {"message": "INFO lamp out", "status": "critical"},
        {"message": {"level": "warn", "msg": "lamp flickers"}, "status": "info"},
    ]
    found = read_datadog_logs(json.dumps(items).encode(), now=NOW).records
    assert [record.severity for record in found] == ["INFO", "ERROR", "ERROR", "FATAL", "WARN"]
    assert found[4].body == "lamp flickers"


def test_the_priority_of_a_stream_gives_way_to_the_message_at_the_syslog_door() -> None:
    told = [
        (b"<27>lamps: INFO lamp lit", "INFO"),
        (b'<27>lamps: {"level":"warn","msg":"flickers"}', "WARN"),
        (b"<30>lamps: ERROR lamp out", "ERROR"),
        (b"<27>lamps: lamp out", "ERROR"),
        (b"<28>lamps: lamp flickers", "WARN"),
        (b"<26>lamps: INFO lamp out", "FATAL"),
    ]
    assert [read_syslog(line, "id", now=NOW).severity for line, _ in told] == [severity for _, severity in told]


def test_a_severity_of_opentelemetry_may_come_as_number_text_or_attribute() -> None:
    told: list[tuple[dict[str, Any], str]] = [
        ({"severityText": "crit"}, "FATAL"),
        ({"severityText": "NOTICE"}, "INFO"),
        ({"severityText": "Foo"}, "INFO"),
        ({"severityText": "3"}, "ERROR"),
        ({"severityText": "40"}, "WARN"),
        ({"severityText": "30", "severityNumber": 17}, "ERROR"),
        ({"severityText": "stderr", "severityNumber": 17, "body": {"stringValue": "INFO lit"}}, "INFO"),
        ({"severityText": "stderr", "severityNumber": 17}, "ERROR"),
        ({"severityText": "ERROR", "severityNumber": 17, "body": {"stringValue": "INFO lit"}}, "ERROR"),
        ({"severityNumber": 9, "severityText": "err"}, "ERROR"),
        ({"severityNumber": 13, "severityText": "err"}, "WARN"),
        ({"attributes": [{"key": "level", "value": {"stringValue": "emerg"}}]}, "FATAL"),
        ({"attributes": [{"key": "exception.type", "value": {"stringValue": "LampError"}}]}, "ERROR"),
        ({"severityNumber": 9, "attributes": [{"key": "exception.type", "value": {"stringValue": "X"}}]}, "INFO"),
    ]
    records = [{"body": {"stringValue": "said"}, **record} for record, _ in told]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    found = parse_logs(body, content_type=JSON, now=NOW, max_decoded_bytes=LIMIT).records
    assert [record.severity for record in found] == [severity for _, severity in told]


def test_traces_of_two_containers_in_one_bulk_request_are_not_mixed() -> None:
    trace = ["java.lang.IllegalStateException: no wick", "\tat com.example.Lamp.light(Lamp.java:12)"]
    lines = [
        json.dumps({"create": {}}) + "\n" + json.dumps({"log": line, "kubernetes": {"pod_name": pod}}) + "\n"
        for line in trace
        for pod in ("lamps-1", "lamps-2")
    ]
    found = read_bulk("".join(lines).encode(), index="lamps", now=NOW).parsed.records
    assert [record.body for record in found] == ["\n".join(trace)] * 2


def test_a_trace_in_the_files_of_kubernetes_is_one_record() -> None:
    trace = ["Error: no wick", "    at light (/srv/lamps.js:12:11)"]
    found = loki_json([f"2026-02-07T12:00:00.12345678{place}Z stderr F {line}" for place, line in enumerate(trace)])
    assert [(record.severity, record.body) for record in found] == [("ERROR", "\n".join(trace))]


def test_a_message_names_service_version_and_trace_where_its_sender_does_not() -> None:
    line = '{"level":"info","msg":"lit","service":"other","version":"v2","trace_id":"abc"}'
    streams = [
        {"stream": labels, "values": [[str(NANOSECONDS), line]]} for labels in ({"app": "lamps"}, {"region": "eu"})
    ]
    found = read_push_json(json.dumps({"streams": streams}).encode(), now=NOW).records
    assert [(record.service, record.version, record.trace_id) for record in found] == [
        ("lamps", "v2", "abc"),
        ("other", "v2", "abc"),
    ]


def test_the_fields_of_a_message_do_not_replace_those_of_its_sender() -> None:
    value = [str(NANOSECONDS), '{"level":"error","msg":"out","app":"other","lamp":3}']
    body = {"streams": [{"stream": {"app": "lamps"}, "values": [value]}]}
    [record] = read_push_json(json.dumps(body).encode(), now=NOW).records
    assert (record.service, record.attributes) == ("lamps", {"app": "lamps", "level": "error", "lamp": 3})
