"""Logs from Datadog, CloudWatch, Loki, Elasticsearch's bulk API, Sentry's envelopes, and plain lines."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.inbound.monitoring.alertmanager import read_alertmanager
from integrations.inbound.monitoring.cloudwatch import read_firehose, read_subscription
from integrations.inbound.monitoring.datadog import read_datadog_alert, read_datadog_logs
from integrations.inbound.monitoring.elasticsearch_bulk import bulk_answer, read_bulk
from integrations.inbound.monitoring.loki import read_push_json, read_push_protobuf
from integrations.inbound.monitoring.loki_messages import push_request
from integrations.inbound.monitoring.plain_line import line_record
from integrations.inbound.monitoring.sentry_envelopes import read_envelope
from integrations.inbound.monitoring.sns import read_message
from integrations.inbound.reading.body import decoded
from integrations.inbound.reading.compression import decompress_snappy
from integrations.inbound.reading.records import PayloadError, PayloadTooLargeError

NOW = 1_770_465_600.0
LIMIT = 1_000_000
NOON_MS = 1_770_465_540_000


def test_a_datadog_log_takes_version_and_service_from_its_tags() -> None:
    body = [{"message": "x", "ddtags": "service:shop,version:v42,beta", "status": "warn", "timestamp": NOON_MS}]
    [record] = read_datadog_logs(json.dumps(body).encode(), tags="env:prod", now=NOW).records
    assert (record.service, record.version, record.severity) == ("shop", "v42", "WARN")
    assert record.happened_at == NOW - 60
    assert record.attributes["tags"] == {"service": "shop", "version": "v42", "beta": True, "env": "prod"}


def test_an_invalid_datadog_log_is_rejected_with_its_path_and_the_others_are_kept() -> None:
    body = [
        {"message": "a"},
        {"service": "shop"},
        7,
        {"message": "b", "date": "2999-01-01T00:00:00Z"},
        {"message": None},
    ]
    parsed = read_datadog_logs(json.dumps(body).encode(), now=NOW)
    assert [record.body for record in parsed.records] == ["a", "null"]
    assert [rejection.field for rejection in parsed.rejections] == ["[1].message", "[2]", "[3].date"]


def test_a_repeated_log_with_a_time_keeps_its_id_and_one_without_a_time_gets_a_new_id() -> None:
    def ids(log: dict[str, Any], now: float) -> list[str]:
        return [record.record_id for record in read_datadog_logs(json.dumps([log, log]).encode(), now=now).records]

    timed = {"message": "a", "timestamp": NOON_MS}
    assert ids(timed, NOW) == ids(timed, NOW + 5)
    assert len(set(ids(timed, NOW))) == 2
    assert set(ids({"message": "a"}, NOW)).isdisjoint(ids({"message": "a"}, NOW + 5))


def packed(message: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()


def data_message(*events: Any, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    return {
        "messageType": kind, "owner": "123456789012", "logGroup": "/aws/lambda/checkout", "logStream": "2026/02/07/x",
        "subscriptionFilters": ["all"], "logEvents": list(events),
    }  # fmt: skip


LOG_EVENT = {"id": "36", "timestamp": NOON_MS, "message": "[ERROR] payment refused\n"}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: {"awslogs": {"data": data}},
        lambda data: {"Records": [{"kinesis": {"data": data, "partitionKey": "x"}, "eventSource": "aws:kinesis"}]},
    ],
)
def test_a_subscription_is_read_in_the_formats_of_lambda_and_kinesis(wrap: Callable[[str], Any]) -> None:
    body = json.dumps(wrap(packed(data_message(LOG_EVENT)))).encode()
    [record] = read_subscription(body, now=NOW, max_decoded_bytes=LIMIT).records
    assert (record.service, record.severity, record.body) == ("checkout", "ERROR", "[ERROR] payment refused")
    assert (record.record_id, record.happened_at) == ("cloudwatch:36", NOW - 60)
    assert record.attributes["log_group"] == "/aws/lambda/checkout"


def test_an_invalid_log_event_or_a_broken_part_affects_only_itself() -> None:
    parts = [packed(data_message({"id": 1}, LOG_EVENT)), "!", base64.b64encode(b"\x1f\x8bcut").decode(), packed([])]
    body = json.dumps({"Records": [{"kinesis": {"data": part}} for part in parts]}).encode()
    parsed = read_subscription(body, now=NOW, max_decoded_bytes=LIMIT)
    assert [record.record_id for record in parsed.records] == ["cloudwatch:36"]
    assert [rejection.field for rejection in parsed.rejections] == [
        "Records[0].kinesis.data.logEvents[0].id",
        "Records[1].kinesis.data",
        "Records[2].kinesis.data",
        "Records[3].kinesis.data",
    ]


def test_a_record_of_the_wrong_shape_affects_only_itself_in_kinesis_and_firehose() -> None:
    good = packed(data_message(LOG_EVENT))
    kinesis = {"Records": [{"kinesis": 5}, 7, {"kinesis": {"data": good}}]}
    parsed = read_subscription(json.dumps(kinesis).encode(), now=NOW, max_decoded_bytes=LIMIT)
    assert [record.record_id for record in parsed.records] == ["cloudwatch:36"]
    assert [(rejection.index, rejection.field) for rejection in parsed.rejections] == [
        (0, "Records[0].kinesis"),
        (1, "Records[1]"),
    ]
    firehose = {"requestId": "r", "timestamp": 1, "records": [5, {"data": good}, {}]}
    parsed = read_firehose(json.dumps(firehose).encode(), now=NOW, max_decoded_bytes=LIMIT).parsed
    assert [record.record_id for record in parsed.records] == ["cloudwatch:36"]
    assert [(rejection.index, rejection.field) for rejection in parsed.rejections] == [
        (0, "records[0]"),
        (2, "records[2].data"),
    ]


def test_a_control_message_contains_no_records() -> None:
    body = json.dumps({"awslogs": {"data": packed(data_message(LOG_EVENT, kind="CONTROL_MESSAGE"))}}).encode()
    parsed = read_subscription(body, now=NOW, max_decoded_bytes=LIMIT)
    assert (parsed.records, parsed.rejections) == ([], [])


def test_the_size_limit_applies_to_all_compressed_parts_together() -> None:
    bomb = base64.b64encode(gzip.compress(b" " * 600_000)).decode()
    body = json.dumps({"requestId": "r", "timestamp": 1, "records": [{"data": bomb}, {"data": bomb}]}).encode()
    with pytest.raises(PayloadTooLargeError):
        read_firehose(body, now=NOW, max_decoded_bytes=LIMIT)


def test_firehose_delivers_data_messages_and_plain_lines_with_ids_from_the_request() -> None:
    lines = base64.b64encode(b'2026-02-07T11:59:00Z WARN slow\n{"message": "m", "level": "error"}\n').decode()
    body = {"requestId": "r-1", "timestamp": 1, "records": [{"data": packed(data_message(LOG_EVENT))}, {"data": lines}]}
    delivery = read_firehose(json.dumps(body).encode(), service="api", now=NOW, max_decoded_bytes=LIMIT)
    told = [(record.service, record.severity, record.record_id) for record in delivery.parsed.records]
    assert told == [
        ("checkout", "ERROR", "cloudwatch:36"),
        ("api", "WARN", "firehose:r-1:1:0"),
        ("api", "ERROR", "firehose:r-1:1:1"),
    ]
    assert delivery.request_id == "r-1"
    assert delivery.parsed.records[1].happened_at == NOW - 60


def test_rejections_of_firehose_are_numbered_across_all_its_records() -> None:
    bad = {"id": 1}
    parts = [packed(data_message(LOG_EVENT, bad)), "?", packed(data_message(bad, bad, LOG_EVENT)), "!"]
    body = {"requestId": "r-1", "timestamp": 1, "records": [{"data": part} for part in parts]}
    parsed = read_firehose(json.dumps(body).encode(), now=NOW, max_decoded_bytes=LIMIT).parsed
    assert [(rejection.index, rejection.field) for rejection in parsed.rejections] == [
        (1, "records[0].data.logEvents[1].id"),
        (2, "records[1].data"),
        (3, "records[2].data.logEvents[0].id"),
        (4, "records[2].data.logEvents[1].id"),
        (6, "records[3].data"),
    ]


def pushed(*values: Any) -> bytes:
    return json.dumps({"streams": [{"stream": {"app": "shop", "level": "error"}, "values": list(values)}]}).encode()


def test_a_loki_push_in_json_reports_the_path_of_each_invalid_value() -> None:
    time = str(NOON_MS * 1_000_000)
    parsed = read_push_json(
        pushed([time, "a"], ["x", "b"], [time, 7], [time], [time, "c", {"trace_id": "t"}], [time, "d", 7], 7), now=NOW
    )
    assert [(record.body, record.severity, record.trace_id) for record in parsed.records] == [
        ("a", "ERROR", None),
        ("c", "ERROR", "t"),
    ]
    assert [rejection.field for rejection in parsed.rejections] == [
        "streams[0].values[1].timestamp",
        "streams[0].values[2].line",
        "streams[0].values[3]",
        "streams[0].values[5].metadata",
        "streams[0].values[6]",
    ]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"stream": 5, "values": []}, ".stream"),
        ({"values": []}, ".stream"),
        ({"stream": {}, "values": {}}, ".values"),
        ({"stream": {}}, ".values"),
        (7, ""),
        (None, ""),
    ],
)
def test_an_invalid_loki_stream_affects_only_itself(bad: Any, field: str) -> None:
    good = {"stream": {"app": "shop"}, "values": [[str(NOON_MS * 1_000_000), "a"]]}
    parsed = read_push_json(json.dumps({"streams": [good, bad, good]}).encode(), now=NOW)
    assert [record.body for record in parsed.records] == ["a", "a"]
    assert [(rejection.index, rejection.field) for rejection in parsed.rejections] == [(1, f"streams[1]{field}")]


@pytest.mark.parametrize("spoilt", [b"NaN", b"1e999", b"-Infinity"])
def test_a_bare_nan_in_a_loki_push_affects_only_its_value(spoilt: bytes) -> None:
    time = str(NOON_MS * 1_000_000)
    parsed = read_push_json(pushed([0, "a"], [time, "b"]).replace(b"[0,", b"[" + spoilt + b","), now=NOW)
    assert [record.body for record in parsed.records] == ["b"]
    assert [rejection.field for rejection in parsed.rejections] == ["streams[0].values[0].timestamp"]


def test_a_loki_line_with_invalid_unicode_is_kept_with_replacement_characters() -> None:
    time = str(NOON_MS * 1_000_000)
    body = pushed([time, "caf#"], [time, "b"]).replace(b"#", b"\xe9").replace(b'"b"', b'"b\\ud800"')
    found = [record.body for record in read_push_json(body, now=NOW).records]
    assert found == ["caf\ufffd", "b?"]
    assert "".join(found).encode()


def test_a_loki_push_in_protobuf_is_read_with_its_labels_and_metadata() -> None:
    request = push_request()()
    stream = request.streams.add(labels=b'{app="shop", path="C:\\\\logs", level="warn"}')
    entry = stream.entries.add(line=b"Gr\xf6\xdfe")
    entry.timestamp.seconds = int(NOW) - 60
    entry.timestamp.nanos = 500_000_000
    entry.structuredMetadata.add(name=b"trace_id", value=b"t")
    stream.entries.add(line=b"from the year 1970")

    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    parsed = read_push_protobuf(body, now=NOW, max_decoded_bytes=LIMIT)

    [record] = parsed.records
    assert (record.service, record.severity, record.trace_id) == ("shop", "WARN", "t")
    assert (record.happened_at, record.body) == (NOW - 59.5, "Gr\ufffd\ufffde")
    assert record.attributes["path"] == "C:\\logs"
    assert [rejection.field for rejection in parsed.rejections] == ["streams[0].entries[1].timestamp"]


def bulk_body(*lines: Any) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def test_a_bulk_request_is_answered_action_by_action() -> None:
    good = {"@timestamp": "2026-02-07T11:59:00Z", "message": "a", "log": {"level": "error"}, "service.name": "shop"}
    body = bulk_body(
        {"create": {"_index": "logs", "_id": "1"}}, good,
        {"delete": {"_id": "2"}},
        {"update": {"_id": "3"}}, {"doc": {}},
        {"index": {}}, b"no json",
        {"index": {}}, {"msg": "b"},
        {"index": {}}, {"@timestamp": "x"},
    )  # fmt: skip
    bulk = read_bulk(body, index="shop-logs", now=NOW)
    assert [(record.service, record.severity, record.body) for record in bulk.parsed.records] == [
        ("shop", "ERROR", "a"),
        ("shop-logs", "INFO", "b"),
    ]
    answer = bulk_answer(bulk, bulk.parsed.rejections, took_ms=3)
    items: Any = answer["items"]
    assert answer["errors"] is True
    assert [(action, item["status"]) for entry in items for action, item in entry.items()] == [
        ("create", 201), ("delete", 400), ("update", 400), ("index", 400), ("index", 201), ("index", 400),
    ]  # fmt: skip
    assert items[5]["index"]["error"]["reason"].startswith("@timestamp:")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"{}\n{}\n",
        b'{"create": {}}\n',
        b'{"drop": {}}\n{}\n',
        b"x\n",
        b'{"create": 7}\n{}\n',
        b'{"a":{},"b":{}}\n',
    ],
)
def test_a_bulk_request_whose_lines_do_not_form_pairs_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_bulk(body, now=NOW)


def envelope(*items: tuple[dict[str, Any], bytes]) -> bytes:
    lines = [b'{"event_id": "9ec79c33ec9942ab8353589fcb2e04dc"}']
    for header, content in items:
        lines += [json.dumps(header).encode(), content]
    return b"\n".join(lines) + b"\n"


def test_events_of_an_envelope_are_read_with_or_without_a_length() -> None:
    event = json.dumps({"message": "first\nline", "level": "fatal", "release": "shop@1.2", "timestamp": NOW - 60})
    second = json.dumps({"logentry": {"message": "%s", "formatted": "second"}, "tags": {"service": "api"}})
    read = read_envelope(
        envelope(
            ({"type": "event", "length": len(event)}, event.encode()),
            ({"type": "session"}, b"{}"),
            ({"type": "event"}, second.encode()),
            ({"type": "event"}, b"[]"),
            ({"type": "event"}, b'{"timestamp": "x"}'),
        ),
        project="7",
        now=NOW,
    )
    assert [(record.service, record.version, record.body) for record in read.parsed.records] == [
        ("shop", "1.2", "first\nline"),
        ("api", None, "second"),
    ]
    assert [rejection.field for rejection in read.parsed.rejections] == ["items[3]", "items[4].timestamp"]


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]\n", b'{}\n{"type": "event", "length": 99}\n{}', b"{}\nx\n", b'{}\n{"length": -1}\n{}']
)
def test_a_broken_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        read_envelope(body, project="7", now=NOW)


@pytest.mark.parametrize(
    ("line", "severity", "happened_at"),
    [
        ("2026-02-07 11:59:00,500 ERROR shop: refused", "ERROR", NOW - 59.5),
        ("[2026-02-07T12:59:00+01:00] warning: slow", "WARN", NOW - 60),
        ("2999-01-01T00:00:00Z INFO from the future", "INFO", NOW),
        ("no time at all", "INFO", NOW),
        ('{"time": "2026-02-07T11:59:00Z", "level": "fatal", "msg": "over"}', "FATAL", NOW - 60),
        ('{"time": "nonsense", "level": "fatal"}', "FATAL", NOW),
        ("{not json ERROR", "ERROR", NOW),
    ],
)
def test_the_time_and_the_level_of_a_plain_line_are_recognised(line: str, severity: str, happened_at: float) -> None:
    record = line_record(line, "id", "app", now=NOW)
    assert (record.severity, record.happened_at, record.service) == (severity, happened_at, "app")


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_brotli_and_zstandard_are_decompressed_within_the_limit(encoding: str) -> None:
    compress = cramjam.brotli.compress if encoding == "br" else cramjam.zstd.compress
    packed_body = bytes(compress(b"a" * 500_000))
    assert decoded(packed_body, encoding, LIMIT) == b"a" * 500_000
    with pytest.raises(PayloadTooLargeError):
        decoded(packed_body, encoding, 499_999)
    for broken in (packed_body[:-3], b"garbage", b""):
        with pytest.raises(PayloadError):
            decoded(broken, encoding, LIMIT)


def test_snappy_is_decompressed_within_the_limit() -> None:
    body = bytes(cramjam.snappy.compress_raw(b"a" * 1000))
    assert decompress_snappy(body, 1000) == b"a" * 1000
    with pytest.raises(PayloadTooLargeError):
        decompress_snappy(body, 999)
    with pytest.raises(PayloadError):
        decompress_snappy(b"\xff\xff", 1000)


READERS: list[Callable[[bytes], object]] = [
    lambda body: read_alertmanager(body, now=NOW),
    lambda body: read_datadog_logs(body, now=NOW),
    lambda body: read_datadog_alert(body, now=NOW),
    lambda body: read_subscription(body, now=NOW, max_decoded_bytes=LIMIT),
    lambda body: read_firehose(body, now=NOW, max_decoded_bytes=LIMIT),
    lambda body: read_push_json(body, now=NOW),
    lambda body: read_push_protobuf(body, now=NOW, max_decoded_bytes=LIMIT),
    lambda body: read_bulk(body, now=NOW),
    lambda body: read_envelope(body, project="1", now=NOW),
    lambda body: read_message(body),
]

NAMES = [
    "alerts", "labels", "message", "items", "data", "streams", "values", "stream", "type", "timestamp", "records",
    "event", "exception", "tags", "title", "@timestamp", "level",
]  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=5),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("read", READERS)
def test_any_body_is_read_or_raises_payload_error(read: Callable[[bytes], object], body: bytes) -> None:
    with suppress(PayloadError):
        read(body)


@given(documents=st.lists(JSON, min_size=1, max_size=4))
def test_any_document_is_handled_by_the_bulk_reader_and_the_envelope_reader(documents: list[Any]) -> None:
    action: dict[str, Any] = {"index": {}}
    lines = [line for document in documents for line in (action, document)]
    bulk = read_bulk(bulk_body(*lines), now=NOW)
    assert len(bulk.items) == len(documents)
    assert len(bulk.parsed.records) + len(bulk.parsed.rejections) == len(documents)
    items = [({"type": kind}, json.dumps(document).encode()) for document in documents for kind in ("event", "log")]
    read_envelope(envelope(*items), project="1", now=NOW)
