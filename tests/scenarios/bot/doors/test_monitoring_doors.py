"""The doors of monitoring systems in a whole web process: keys, refusals, and what is stored."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

import cramjam
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.reception.gate import Limits
from bot.web.app import create_app
from detection.types import LogRecord
from workers.services import Services

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
ENVELOPE = {"Content-Type": "application/x-sentry-envelope"}
NOON = "2026-02-07T12:00:00Z"
NOON_NS = "1770465600000000000"


def stored(services: Services) -> Sequence[LogRecord]:
    return services.telemetry.log_samples(since=0.0, until=1e11)


def key_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


DATADOG = json.dumps([{"message": "refused", "service": "shop", "timestamp": NOON}]).encode()
ALERT = json.dumps(
    {"alerts": [{"status": "firing", "labels": {"alertname": "Down", "service": "shop"}, "startsAt": NOON}]}
).encode()
LOKI = json.dumps({"streams": [{"stream": {"app": "shop"}, "values": [[NOON_NS, "refused"]]}]}).encode()
BULK = b'{"create": {}}\n' + json.dumps({"@timestamp": NOON, "message": "refused"}).encode() + b"\n"
EVENT = json.dumps({"message": "refused", "timestamp": NOON}).encode()
SENTRY = b'{"event_id": "9ec79c33ec9942ab8353589fcb2e04dc"}\n{"type": "event"}\n' + EVENT + b"\n"
MONITOR = json.dumps({"id": "1", "title": "[Triggered] Too many errors", "date": "1770465600000"}).encode()

DOORS = [
    pytest.param("/api/v2/logs", JSON, DATADOG, 202, "datadog_logs", id="datadog"),
    pytest.param("/datadog/webhook", JSON, MONITOR, 200, "datadog_webhook", id="datadog-webhook"),
    pytest.param("/alertmanager/webhook", JSON, ALERT, 200, "alertmanager", id="alertmanager"),
    pytest.param("/loki/api/v1/push", JSON, LOKI, 204, "loki", id="loki"),
    pytest.param("/_bulk", NDJSON, BULK, 200, "elasticsearch", id="elasticsearch"),
    pytest.param("/api/7/envelope/", ENVELOPE, SENTRY, 200, "sentry", id="sentry"),
]


@pytest.mark.parametrize(("path", "headers", "body", "status", "door"), DOORS)
def test_a_record_that_is_sent_twice_is_stored_once(
    client: TestClient, services: Services, sender: Any, path: str, headers: Any, body: bytes, status: int, door: str
) -> None:
    for _ in range(2):
        answer = client.post(
            path, content=gzip.compress(body), headers={**sender, **headers, "Content-Encoding": "gzip"}
        )
        assert answer.status_code == status, answer.text
    assert len(stored(services)) == 1
    numbers = client.get("/metrics").text
    assert f'argux_ingest_accepted_total{{door="{door}"}} 1.0' in numbers
    assert f'argux_ingest_duplicates_total{{door="{door}"}} 1.0' in numbers


@pytest.mark.parametrize(("path", "headers", "body", "status", "door"), DOORS)
def test_without_a_key_or_with_a_wrong_one_nothing_is_stored(
    client: TestClient, services: Services, path: str, headers: Any, body: bytes, status: int, door: str
) -> None:
    assert client.post(path, content=body, headers=headers).status_code == 401
    assert client.post(path, content=body, headers={**headers, "X-API-Key": "argux_wrong"}).status_code == 401
    assert stored(services) == []
    assert f'argux_ingest_rejected_total{{door="{door}",reason="unauthorized"}} 2.0' in client.get("/metrics").text


def expected_status(path: str, status: int) -> int:
    """Return the status that a door answers in place of `status`.

    Datadog's agent and Fluent Bit's Loki output discard a body only on 400; Elasticsearch answers 400 to bad lines.
    """
    if path in ("/api/v2/logs", "/loki/api/v1/push") and status in (415, 422):
        return 400
    return 400 if path == "/_bulk" and status == 422 else status


@pytest.mark.parametrize(("path", "headers", "body", "status", "door"), DOORS)
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda body, headers: (b"\xff\xfe{", headers), 422),
        (lambda body, headers: (gzip.compress(body)[:-6], {**headers, "Content-Encoding": "gzip"}), 422),
        (lambda body, headers: (gzip.compress(b" " * 2_000_000), {**headers, "Content-Encoding": "gzip"}), 413),
        (lambda body, headers: (b" " * 200_001, headers), 413),
        (lambda body, headers: (body, {"Content-Type": "text/css"}), 415),
        (lambda body, headers: (body, {**headers, "Content-Encoding": "lzma"}), 415),
    ],
    ids=["garbage", "cut gzip", "bomb", "too long", "wrong type", "wrong encoding"],
)
def test_a_bad_body_is_refused_and_counted(
    services: Services, sender: Any, path: str, headers: Any, body: bytes, status: int, door: str,
    spoil: Callable[[bytes, Any], tuple[bytes, Any]], expected: int,
) -> None:  # fmt: skip
    content, sent = spoil(body, headers)
    with TestClient(create_app(services, limits=Limits(body_bytes=200_000, decoded_bytes=1_000_000))) as client:
        answer = client.post(path, content=content, headers={**sender, **sent})
        assert answer.status_code == expected_status(path, expected), answer.text
        assert answer.json()["error"]["message"]
        assert f'argux_ingest_rejected_total{{door="{door}",reason=' in client.get("/metrics").text
    assert stored(services) == []


@pytest.mark.parametrize(
    ("path", "headers", "body", "field"),
    [
        ("/api/v2/logs", JSON, json.dumps([{"message": "good"}, {"x": 1}]).encode(), "[1].message"),
        ("/loki/api/v1/push", JSON, LOKI.replace(b"]]}", b'], ["x", "bad"]]}'), "streams[0].values[1].timestamp"),
        ("/alertmanager/webhook", JSON, ALERT.replace(b"]}", b", 7]}"), "alerts[1]"),
        ("/api/7/envelope/", ENVELOPE, SENTRY + b'{"type": "event"}\n[]\n', "items[1]"),
    ],
)
def test_one_bad_record_is_reported_by_its_path_and_the_good_one_is_stored(
    client: TestClient, services: Services, sender: Any, path: str, headers: Any, body: bytes, field: str
) -> None:
    answer = client.post(path, content=body, headers={**sender, **headers})
    assert answer.status_code == expected_status(path, 422)
    assert answer.json()["error"]["message"].startswith("1 record was stored, 1 refused; the first of those: ")
    assert [rejected["field"] for rejected in answer.json()["rejected"]] == [field]
    assert answer.json()["error"]["field"] == field
    assert len(stored(services)) == 1
    assert 'reason="malformed"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/api/v2/logs", "/v1/input"])
def test_a_bad_body_of_datadogs_agent_is_400_because_it_retries_other_errors_without_end(
    client: TestClient, services: Services, sender: Any, path: str
) -> None:
    for body, headers in (
        (b'[{"x": 1}]', JSON),
        (b"[{", JSON),
        (DATADOG, {"Content-Type": "text/css"}),
        (DATADOG, {**JSON, "Content-Encoding": "lzma"}),
    ):
        assert client.post(path, content=body, headers={**sender, **headers}).status_code == 400
    assert stored(services) == []


@pytest.mark.parametrize("body", [b"{}", b" { }\n", b"[]"])
def test_the_connection_check_of_datadogs_agent_is_accepted(
    client: TestClient, services: Services, sender: Any, body: bytes
) -> None:
    answer = client.post("/api/v2/logs", content=body, headers={**sender, **JSON})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "duplicates": 0})
    assert client.post("/api/v2/logs", content=body, headers=JSON).status_code == 401
    assert stored(services) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (BULK + b'{"message": "x"}\n', "line 3 is not an action such as"),
        (BULK + b'{"create": {}}\n', "line 3 says create, but no document comes after it"),
        (b"7\n", "line 1 is not an action such as"),
    ],
)
def test_bulk_lines_that_do_not_pair_up_are_refused_in_elasticsearchs_format(
    client: TestClient, services: Services, sender: Any, body: bytes, message: str
) -> None:
    answer = client.post("/_bulk", content=body, headers={**sender, **NDJSON})
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert message in answer.json()["error"]["reason"]
    assert answer.json()["error"]["root_cause"][0]["type"] == "illegal_argument_exception"
    assert stored(services) == []


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_sentry_and_datadog_bodies_may_be_compressed_with_brotli_and_zstd(
    client: TestClient, services: Services, sender: Any, encoding: str
) -> None:
    compress = cramjam.brotli.compress if encoding == "br" else cramjam.zstd.compress
    for path, headers, body in (("/api/7/envelope/", ENVELOPE, SENTRY), ("/api/v2/logs", JSON, DATADOG)):
        sent = {**sender, **headers, "Content-Encoding": encoding}
        assert client.post(path, content=bytes(compress(body)), headers=sent).is_success
    assert len(stored(services)) == 2


def test_each_vendors_own_header_may_carry_the_key(client: TestClient, services: Services, sender: Any) -> None:
    key = key_of(sender)
    auth = f"Sentry sentry_version=7, sentry_client=sentry.python/2, sentry_key={key}"
    for path, headers, body in (
        ("/api/v2/logs", {**JSON, "DD-API-KEY": key}, DATADOG),
        ("/api/7/envelope/", {**ENVELOPE, "X-Sentry-Auth": auth}, SENTRY),
        (f"/api/7/envelope/?sentry_key={key}", ENVELOPE, SENTRY),
        ("/_bulk", {**NDJSON, "Authorization": f"ApiKey {key}"}, BULK),
    ):
        assert client.post(path, content=body, headers=headers).is_success
    assert client.post("/loki/api/v1/push", content=LOKI, headers=JSON, auth=("argux", key)).status_code == 204


def test_a_loki_agent_pushes_protobuf_under_snappy(client: TestClient, services: Services, sender: Any) -> None:
    # One stream {app="shop"} with one entry: its timestamp, then its line.
    entry = b"\x0a\x06\x08" + bytes([0x80, 0xF4, 0x9B, 0xCC, 0x06]) + b"\x12\x07refused"
    labels = b'{app="shop"}'
    stream = b"\x0a" + bytes([len(labels)]) + labels + b"\x12" + bytes([len(entry)]) + entry
    body = bytes(cramjam.snappy.compress_raw(b"\x0a" + bytes([len(stream)]) + stream))
    for headers in ({}, {"Content-Encoding": "snappy"}):
        sent = {**sender, "Content-Type": "application/x-protobuf", **headers}
        assert client.post("/loki/api/v1/push", content=body, headers=sent).status_code == 204
    [record] = stored(services)
    assert (record.service, record.body, record.happened_at) == ("shop", "refused", 1_770_453_504.0)


def signed(body: bytes, secret: str = "a-client-secret", **headers: str) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {**JSON, "Sentry-Hook-Signature": signature, "Sentry-Hook-Resource": "event_alert", **headers}


SENTRY_ALERT = json.dumps(
    {
        "action": "triggered",
        "data": {"event": {"event_id": "1", "title": "boom", "datetime": NOON}, "triggered_rule": "r"},
    }
).encode()


@pytest.fixture
def sentry(services: Services) -> Any:
    services.settings = services.settings.model_copy(update={"sentry_client_secret": SecretStr("a-client-secret")})
    with TestClient(create_app(services)) as client:
        yield client


def test_sentrys_signed_webhook_is_an_alert(sentry: TestClient, services: Services) -> None:
    answer = sentry.post("/sentry/webhook", content=SENTRY_ALERT, headers=signed(SENTRY_ALERT))
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    [record] = stored(services)
    assert record.attributes["status"] == "firing"


@pytest.mark.parametrize("headers", [signed(SENTRY_ALERT, "another secret"), signed(b"another body"), JSON])
def test_a_sentry_webhook_with_a_wrong_signature_is_refused(
    sentry: TestClient, services: Services, headers: dict[str, str]
) -> None:
    assert sentry.post("/sentry/webhook", content=SENTRY_ALERT, headers=headers).status_code == 401
    assert stored(services) == []
    assert 'argux_ingest_rejected_total{door="sentry_webhook",reason="unauthorized"} 1.0' in sentry.get("/metrics").text


def test_a_door_without_its_secret_is_503_and_names_the_setting(client: TestClient) -> None:
    for path, name in (("/sentry/webhook", "SENTRY_CLIENT_SECRET"), ("/github/webhooks", "GITHUB_WEBHOOK_SECRET")):
        answer = client.post(path, content=b"{}", headers=JSON)
        assert answer.status_code == 503
        assert name in answer.text


def test_the_root_redirects_a_browser_and_answers_elasticsearch_clients_with_the_version(
    client: TestClient, sender: Any
) -> None:
    assert client.get("/").headers["location"] == "/docs"
    message = client.get("/", headers=sender)
    assert (message.status_code, message.headers["x-elastic-product"]) == (200, "Elasticsearch")
    assert message.json()["tagline"]
    assert client.get("/", headers={"X-API-Key": "argux_wrong"}).status_code == 401
